"""What would have become of the recorded day's trades, against an independent computation that shares no code with what decides."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.replay.changes import read_changes
from actors.replay.replaying import Wanted
from actors.replay.what_if import what_if
from bus.messages.plain import to_json
from bus.messages.what_if import Change
from bus.recorder.recorder import Keep, Recorder
from config.settings import retold
from tests.acceptance.independent_check import check
from tests.demo.plain_house import play
from tests.replay.make_slice import SHIPPED

Document = dict[str, Any]
FLOOR = "45"
RECORDED = ("state", "rule", "exit_price", "exit_ts", "pnl")


class Standing:
    def now_ns(self) -> int:
        return 0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Document]:
    """The day's recording, and what the demo says of it."""
    place = tmp_path_factory.mktemp("day")
    recorder = Recorder(place, Standing(), Keep(segment_bytes=10**9, total_bytes=10**9, age_ns=2**62))
    summary, _ = play(SHIPPED, recorder)
    recorder.close(60)
    return place, json.loads(to_json(summary))


@pytest.fixture(scope="module")
def found(day: tuple[Path, Document]) -> Document:
    """The day under another floor."""
    return changed(day[0], f"probability.floor_percent={FLOOR}")


def changed(place: Path, *changes: str) -> Document:
    document: Document = json.loads(to_json(what_if(place, Wanted(), read_changes(changes), retold)))
    return document


def as_it_would_have_been(document: Document, found: Document, floor: str | None) -> Document:
    """The demo's document with the outcomes of a what-if, each trade asked for with that floor."""
    now = {trade["trade_id"]: trade["now"] for trade in found["trades"]}
    trades = [trade | {name: now[trade["trade_id"]][name] for name in RECORDED} for trade in document["trades"]]
    if floor is not None:
        for trade in trades:
            trade["stops"] = [_with_floor(stop, floor) for stop in trade["stops"]]
    return document | {"trades": trades, "pnl": sum(Decimal(trade["pnl"]) for trade in trades)}


def _with_floor(stop: Document, floor: str) -> Document:
    return stop | {"settings": stop["settings"] | {"floor_percent": floor}} if stop["rule"] == "probability" else stop


def test_another_floor_gives_what_an_independent_computation_says(day: tuple[Path, Document], found: Document) -> None:
    _, document = day

    assert found["totals"]["changes"].keys() >= {Change.EARLIER, Change.LATER, Change.NEVER}
    assert check(as_it_would_have_been(document, found, FLOOR), SHIPPED) == []


def test_the_independent_computation_finds_each_trade_that_goes_otherwise(
    day: tuple[Path, Document], found: Document
) -> None:
    _, document = day
    otherwise = {trade["trade_id"] for trade in found["trades"] if trade["change"] != Change.SAME}

    differences = check(as_it_would_have_been(document, found, None), SHIPPED)

    assert {text.partition(":")[0] for text in differences} == otherwise
