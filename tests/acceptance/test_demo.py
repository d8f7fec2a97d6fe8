"""The demo as the process that a newcomer starts: the same trades at every speed, and the ones that the recording calls for."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.replay.changes import read_changes
from actors.replay.replaying import Wanted
from actors.replay.what_if import what_if
from bus.messages.what_if import Change
from config.settings import retold
from tests.acceptance.independent_check import check
from tests.demo.test_what_if import as_it_would_have_been
from tests.replay.make_slice import SHIPPED

ROOT = Path(__file__).parents[2]
DURATION = "21600"
"""Recorded seconds: enough for every rule that the demo's strategy arms."""
Document = dict[str, Any]

pytestmark = pytest.mark.timeout(300)


def demo(speed: str, *flags: str) -> Document:
    return told("demo", "--duration", DURATION, "--speed", speed, *flags)


def told(*words: str) -> Document:
    command = [sys.executable, "run.py", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    document: Document = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "recording"


@pytest.fixture(scope="module")
def document(recording: Path) -> Document:
    config = recording.with_name("demo.toml")
    config.write_text(f'[recorder]\nfolder = "{recording}"\n')
    return demo("max", "--config", str(config))


@pytest.fixture
def two_busy_loops() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def test_every_trade_ended_when_and_at_what_price_it_had_to(document: Document) -> None:
    assert check(document, SHIPPED) == []


def test_the_check_would_find_one_wrong_price_among_all_trades(document: Document) -> None:
    closed = next(trade for trade in document["trades"] if trade["state"] == "closed")
    wrong = [{**trade, "exit_price": "0.999"} if trade is closed else trade for trade in document["trades"]]

    found = check({**document, "trades": wrong}, SHIPPED)

    assert found == [f"{closed['trade_id']}: exit_price is 0.999, must be {closed['exit_price']}"]


def test_another_speed_gives_the_same_trades(document: Document) -> None:
    assert demo("4000")["trades"] == document["trades"]


@pytest.mark.usefixtures("two_busy_loops")
def test_a_busy_machine_gives_the_same_trades(document: Document) -> None:
    assert demo("max")["trades"] == document["trades"]


def test_its_trades_are_closed_by_every_kind_of_stop_that_reads_a_price(document: Document) -> None:
    assert len(document["trades"]) > 50
    assert {"price", "loss", "trailing", "probability", "profit"} <= {trade["rule"] for trade in document["trades"]}


def test_nothing_is_lost_closed_twice_or_quarantined(document: Document) -> None:
    assert [document[name] for name in ("lost_messages", "duplicate_closes", "quarantined")] == [0, 0, 0]


@pytest.mark.usefixtures("document")
def test_the_recorded_day_is_decided_again_without_a_difference_twice(recording: Path) -> None:
    """Lesson 7"""
    first, second = (told("replay", str(recording)) for _ in range(2))

    assert first == second
    assert (first["different"], first["skipped"], first["lost"], first["gaps"], first["killed"]) == (0, 0, 0, [], 0)
    assert first["compared"] > 10_000


def test_without_a_change_a_what_if_gives_what_was_recorded(document: Document, recording: Path) -> None:
    found = what_if(recording, Wanted(), read_changes(()), retold)

    assert found.totals.changes == {Change.SAME: len(document["trades"])}


def test_a_what_if_of_another_floor_is_what_an_independent_computation_says(
    document: Document, recording: Path
) -> None:
    """The command line, whole; `tests/demo/test_what_if.py` has the day."""
    found = told("replay", str(recording), "--set", "probability.floor_percent=45")

    changed = as_it_would_have_been(document, found, "45")
    assert found["totals"]["changes"]["same"] < len(found["trades"])
    assert check(changed, SHIPPED) == []
