"""`check --venue` against the paper venue of a running `serve`: every clause is kept, and the house takes no notice."""

import json

from tests.acceptance.harness import Watchkeeper, a_name


def test_the_paper_venue_of_a_running_house_keeps_the_contract_and_the_house_takes_no_notice(
    watchkeeper: Watchkeeper,
) -> None:
    """Lesson 44"""
    ticker, account = a_name("CHECK"), a_name("check")
    watchkeeper.quote(ticker, "0.38", "0.40")
    before = watchkeeper.rows("select count(*) from quarantine")

    ended = watchkeeper.command(
        "check", "--venue", "paper", "--account", account, "--ticker", ticker, "--buy-at", "0.60", "--sell-at", "0.01",
        "--quantity", "10", "--answer-s", "3", "--json",
    )  # fmt: skip

    document = json.loads(ended.stdout)
    assert [finding["says"] for finding in document["findings"] if finding["verdict"] == "FAIL"] == []
    assert ended.returncode == 0
    assert watchkeeper.rows("select count(*) from quarantine") == before
    assert watchkeeper.ear.so_far(lambda s, b: s.startswith("notice.") and "wk-check-" in json.dumps(b)) == []
