"""What operators type reaches NATS as the messages of the contract, and the answers come back as they are."""

import json
from typing import Any

import pytest

from bus.embedded import EmbeddedServer
from tests.cli.answering import desk_that_answers, no, publishing, yes
from tests.cli.conftest import Type

TRADE = {"trade_id": "t1", "state": "open", "ticker": "KX", "side": "yes", "open_quantity": "10", "pnl": "-0.30"}
OPEN = [
    "trade",
    "open",
    "t1",
    "--account",
    "a",
    "--mode",
    "paper",
    "--ticker",
    "KX",
    "--side",
    "yes",
    "--quantity",
    "2.50",
    "--by",
    "ann",
    "--stop",
    "probability,floor_percent=25.9",
]
LEADER = {"ready": True, "role": "leader", "instance": "a", "epoch": 3, "version": "0", "ts": "2026-07-14T12:00:00Z"}


def test_open_asks_for_exactly_what_was_typed(nats_url: str, type_command: Type) -> None:
    """Lesson 64: the floor keeps its decimals, the quantity its digits."""
    with desk_that_answers(nats_url, {"trade.request.open": lambda _: yes(TRADE)}) as desk:
        ended = type_command(*OPEN, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert desk.asked == [
        (
            "trade.request.open",
            {
                "trade_id": "t1", "account": "a", "mode": "paper", "ticker": "KX", "side": "yes", "quantity": "2.50",
                "requested_by": "ann", "stops": [{"rule": "probability", "floor_percent": "25.9"}],
            },
        )
    ]  # fmt: skip


def test_adopt_asks_with_the_entry(nats_url: str, type_command: Type) -> None:
    entry = ["--entry-price", "0.45", "--entry-ts", "2026-07-14T11:00:00Z", "--fees", "0.02"]

    with desk_that_answers(nats_url, {"trade.request.adopt": lambda _: yes(TRADE)}) as desk:
        ended = type_command("trade", "adopt", *OPEN[2:], *entry, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert desk.asked[0][1]["entry_price"] == "0.45"
    assert desk.asked[0][1]["entry_ts"] == "2026-07-14T11:00:00Z"


@pytest.mark.parametrize(
    ("flag", "value"), [("--quantity", "NaN"), ("--quantity", "-1"), ("--limit-price", "1e5"), ("--close-ts", "noon")]
)
def test_a_value_that_the_wire_would_refuse_is_wrong_use(
    flag: str, value: str, nats_url: str, type_command: Type
) -> None:
    words = [value if before == flag else word for before, word in zip(["", *OPEN], OPEN, strict=False)]

    ended = type_command(*words, *([] if flag in OPEN else [flag, value]), WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 2
    assert f"`{flag[2:].replace('-', '_')}`" in ended.err


def test_a_refusal_ends_with_1_and_its_words(nats_url: str, type_command: Type) -> None:
    """Lesson 54: a reply carries its error, and nobody takes it for success."""
    refusal = no("venue_required", "live needs a venue")

    with desk_that_answers(nats_url, {"trade.request.open": lambda _: refusal}):
        ended = type_command(*OPEN, "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 1
    assert ended.document["error"]["code"] == "venue_required"
    assert "live needs a venue (venue_required)" in ended.err


def test_nobody_answering_ends_with_69(nats_url: str, type_command: Type) -> None:
    ended = type_command("trade", "show", "t1", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 69
    assert "start `run.py serve`" in ended.err


def test_an_answer_that_is_no_reply_is_an_unknown_outcome(nats_url: str, type_command: Type) -> None:
    """Lesson 4: a reply that cannot be read counts as no success."""
    with desk_that_answers(nats_url, {"trade.request.get": lambda _: {"error": "x"}}):
        ended = type_command("trade", "show", "t1", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 69


def test_list_shows_each_trade_and_where_the_next_page_begins(nats_url: str, type_command: Type) -> None:
    page = yes({"trades": [TRADE], "next": "t1"})

    with desk_that_answers(nats_url, {"trade.request.list": lambda _: page}) as desk:
        ended = type_command("trade", "list", "--state", "open", "--limit", "1", WATCHKEEPER_NATS_URL=nats_url)

    assert desk.asked[0][1] == {"states": ["open"], "limit": 1}
    assert "t1" in ended.out
    assert "More: --after t1" in ended.out


def test_an_ended_trade_is_listed_without_a_coverage(nats_url: str, type_command: Type) -> None:
    ended_trade = {**TRADE, "state": "closed", "coverage": "closing"}

    with desk_that_answers(nats_url, {"trade.request.list": lambda _: yes({"trades": [ended_trade]})}):
        ended = type_command("trade", "list", WATCHKEEPER_NATS_URL=nats_url)

    assert "closed" in ended.out
    assert "closing" not in ended.out


def test_json_is_the_reply_itself(nats_url: str, type_command: Type) -> None:
    with desk_that_answers(nats_url, {"trade.request.get": lambda _: yes(TRADE)}):
        ended = type_command("trade", "show", "t1", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.document["result"] == TRADE


def test_close_says_who_and_why(nats_url: str, type_command: Type) -> None:
    close = yes({"trade_id": "t1", "state": "closing", "began": True})

    with desk_that_answers(nats_url, {"trade.request.close": lambda _: close}) as desk:
        words = ["trade", "close", "t1", "--quantity", "1.5", "--reason", "news", "--by", "ann"]
        ended = type_command(*words, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    said = desk.asked[0][1]
    assert (said["quantity"], said["reason"], said["requested_by"]) == ("1.5", "news", "ann")


@pytest.mark.parametrize(
    "words", [[], ["t1", "--all"], ["--all", "--account", "a"], ["--all", "--quantity", "1"], ["t1", "--symbol", "BTC"]]
)
def test_close_wants_exactly_one_way_to_choose(words: list[str], type_command: Type) -> None:
    assert type_command("trade", "close", *words).code == 2


@pytest.mark.parametrize(
    ("words", "subject", "said"),
    [
        (["arm", "t1", "price", "stop_price=0.30"], "arm", {"rule": "price", "settings": {"stop_price": "0.30"}}),
        (["disarm", "t1", "price", "--reason", "wrong"], "disarm", {"rule": "price", "reason": "wrong"}),
        (["set", "t1", "floor_percent=30", "--rule", "probability"], "set", {"rule": "probability", "settings": {"floor_percent": "30"}}),
        (["waive", "t1", "--reason", "hedged", "--until", "2026-07-15T00:00:00Z"], "waive", {"until": "2026-07-15T00:00:00Z"}),
    ],
)  # fmt: skip
def test_stops_are_changed_by_what_was_typed(
    words: list[str], subject: str, said: dict[str, Any], nats_url: str, type_command: Type
) -> None:
    with desk_that_answers(nats_url, {f"stop.request.{subject}": lambda _: yes(TRADE)}) as desk:
        ended = type_command("stop", *words, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert said.items() <= desk.asked[0][1].items()


def test_a_stop_is_not_disarmed_without_a_reason(type_command: Type) -> None:
    assert type_command("stop", "disarm", "t1", "price").code == 2


VIEW = {"version": 7, "layers": [{"layer": "defaults", "name": "", "values": {"probability.floor_percent": "25"}}]}


def test_settings_are_changed_at_the_version_that_was_read(nats_url: str, type_command: Type) -> None:
    """Lesson 58: compare-and-set, so that the last writer does not win unseen."""
    changed = {"version": 8, "layer": "defaults", "name": "", "before": {}, "after": {"max_spread": "0.3"}}
    answers = {"settings.request.get": lambda _: yes(VIEW), "settings.request.set": lambda _: yes(changed)}

    with desk_that_answers(nats_url, answers) as desk:
        words = ["settings", "set", "max_spread=0.3", "price.enabled=true", "fee_percent=", "--reason", "test"]
        ended = type_command(*words, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    said = desk.asked[-1][1]
    assert said["expected_version"] == 7
    assert said["changes"] == {"max_spread": "0.3", "price.enabled": True, "fee_percent": None}


def test_a_changed_version_is_a_no(nats_url: str, type_command: Type) -> None:
    """Lesson 58"""
    refusal = no("version_changed", "version 8 is in force")

    with desk_that_answers(nats_url, {"settings.request.set": lambda _: refusal}):
        words = ["settings", "set", "max_spread=0.3", "--expected-version", "7", "--reason", "test"]
        ended = type_command(*words, WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 1


def test_settings_and_their_history_are_shown(nats_url: str, type_command: Type) -> None:
    change = {"version": 8, "layer": "defaults", "name": "", "before": {}, "after": {"max_spread": "0.3"}, "reason": "r",
              "requested_by": "ann", "ts": "2026-07-14T12:00:00Z"}  # fmt: skip
    answers = {
        "settings.request.get": lambda _: yes(VIEW),
        "history.request.settings": lambda _: yes({"changes": [change]}),
    }

    with desk_that_answers(nats_url, answers):
        view = type_command("settings", "get", WATCHKEEPER_NATS_URL=nats_url)
        history = type_command("settings", "history", WATCHKEEPER_NATS_URL=nats_url)

    assert "Version 7." in view.out
    assert "max_spread" in history.out


def test_a_change_shows_what_was_and_what_is(nats_url: str, type_command: Type) -> None:
    change = {"version": 8, "layer": "defaults", "name": "", "before": {"max_spread": "0.2"},
              "after": {"max_spread": None, "price.enabled": True}}  # fmt: skip

    with desk_that_answers(nats_url, {"settings.request.set": lambda _: yes(change)}):
        words = ["settings", "set", "max_spread=", "--expected-version", "7", "--reason", "test"]
        ended = type_command(*words, WATCHKEEPER_NATS_URL=nats_url)

    assert "max_spread 0.2 -> unset, price.enabled unset -> true" in ended.out


def test_a_change_of_everything_is_counted_not_listed(nats_url: str, type_command: Type) -> None:
    seed = {"version": 1, "layer": "defaults", "before": {}, "after": {f"key_{number}": "1" for number in range(59)}}

    with desk_that_answers(nats_url, {"history.request.settings": lambda _: yes({"changes": [seed]})}):
        ended = type_command("settings", "history", WATCHKEEPER_NATS_URL=nats_url)

    assert "59 settings" in ended.out
    assert "key_7" not in ended.out


def test_the_leaders_status_is_the_document(nats_url: str, type_command: Type) -> None:
    with desk_that_answers(nats_url, {"system.request.status": lambda _: yes(LEADER)}):
        ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert ended.document == LEADER


def test_the_leader_speaks_before_who_stands_by(nats_url: str, type_command: Type) -> None:
    standby = {**LEADER, "ready": True, "role": "standby", "instance": "0"}
    first = desk_that_answers(nats_url, {"system.request.status": lambda _: yes(standby)})
    second = desk_that_answers(nats_url, {"system.request.status": lambda _: yes(LEADER)})

    with first, second:
        ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.document["role"] == "leader"
    assert [other["role"] for other in ended.document["others"]] == ["standby"]


@pytest.mark.parametrize("status", [{**LEADER, "ready": False}, {**LEADER, "role": "standby"}])
def test_not_ready_is_a_no(status: dict[str, Any], nats_url: str, type_command: Type) -> None:
    """Lesson 55 (its part of order 1): running is not ready."""
    with desk_that_answers(nats_url, {"system.request.status": lambda _: yes(status)}):
        ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 1
    assert ended.document["ready"] is False


def test_status_of_nobody_ends_with_69(nats_url: str, type_command: Type) -> None:
    ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 69


@pytest.mark.parametrize(("verb", "subject"), [("halt", "halt"), ("reduce-only", "reduce_only"), ("resume", "resume")])
def test_the_system_is_halted_and_resumed(verb: str, subject: str, nats_url: str, type_command: Type) -> None:
    with desk_that_answers(nats_url, {f"system.request.{subject}": lambda _: yes({"kind": verb})}) as desk:
        ended = type_command("system", verb, "--account", "a", "--reason", "r", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.code == 0
    assert desk.asked[0][1]["account"] == "a"


def test_a_prefix_stands_before_every_subject(nats_url: str, type_command: Type) -> None:
    with desk_that_answers(nats_url, {"shadow.trade.request.get": lambda _: yes(TRADE)}):
        ended = type_command("trade", "show", "t1", WATCHKEEPER_NATS_URL=nats_url, WATCHKEEPER_NATS_PREFIX="shadow")

    assert ended.code == 0


def test_tail_prints_what_is_published(nats_url: str, type_command: Type) -> None:
    event = {"trade_id": "t1", "state": "closed", "pnl": "0.1000"}

    with publishing(nats_url, "trade.event.closed.t1", json.dumps(event).encode()):
        ended = type_command("events", "tail", "--count", "1", "--json", WATCHKEEPER_NATS_URL=nats_url)

    assert ended.document == {"subject": "trade.event.closed.t1", "payload": event}


def test_tail_shows_switches_as_they_are_typed(nats_url: str, type_command: Type) -> None:
    with publishing(nats_url, "stop.decision.t1", b'{"trade_id":"t1","rule":"price","fired":true}'):
        ended = type_command("events", "tail", "--count", "1", WATCHKEEPER_NATS_URL=nats_url)

    assert "trade_id=t1 rule=price fired=true" in ended.out


def test_tail_shows_also_what_is_no_json(nats_url: str, type_command: Type) -> None:
    with publishing(nats_url, "notice.info.x", b"\xff{"):
        ended = type_command("events", "tail", "--count", "1", WATCHKEEPER_NATS_URL=nats_url)

    assert "notice.info.x" in ended.out


def test_a_cut_connection_ends_the_tail_with_69(nats_url: str, type_command: Type, nats_server: EmbeddedServer) -> None:
    with publishing(nats_url, "notice.info.x", b"{}", then=nats_server.kill):
        ended = type_command("events", "tail", "--count", "100000000", WATCHKEEPER_NATS_URL=nats_url)
    nats_server.start()

    assert ended.code == 69
    assert "was cut" in ended.err


def test_status_shows_how_each_account_stands_with_its_venue(nats_url: str, type_command: Type) -> None:
    account = {"venue": "sim", "account": "acc-7", "reconciled_ts": None, "unresolved": ["yes K: the venue holds 3"]}
    with desk_that_answers(nats_url, {"system.request.status": lambda _: yes(LEADER | {"accounts": [account]})}):
        ended = type_command("system", "status", WATCHKEEPER_NATS_URL=nats_url)

    assert "acc-7" in ended.out
    assert "yes K: the venue holds 3" in ended.out
