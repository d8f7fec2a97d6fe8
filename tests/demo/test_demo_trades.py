"""The demo's trades on the recording that is shipped, decided again from the recording alone."""

import json
from typing import Any

import pytest

from bus.messages.plain import to_json
from tests.acceptance.independent_check import check
from tests.demo.plain_house import play
from tests.replay.make_slice import SHIPPED


def played() -> dict[str, Any]:
    summary, _house = play(SHIPPED)
    document: dict[str, Any] = json.loads(to_json(summary))
    return document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return played()


def test_every_trade_ended_when_and_at_what_price_it_had_to(document: dict[str, Any]) -> None:
    """Lesson 19: no false stop, and no stop that was missed or late."""
    assert check(document, SHIPPED) == []


def test_the_same_trades_come_out_of_every_run(document: dict[str, Any]) -> None:
    assert played()["trades"] == document["trades"]


def test_the_recording_shows_stops_of_each_kind_and_settlements(document: dict[str, Any]) -> None:
    rules = {trade["rule"] for trade in document["trades"] if trade["state"] == "closed"}

    assert rules == {"probability", "price", "loss", "profit", "trailing", "time"}
    assert document["counts"]["settled"] > 0


def test_every_trade_is_counted_once(document: dict[str, Any]) -> None:
    counts = document["counts"]

    ended = sum(counts[how] for how in ("stopped", "settled", "expired", "open", "rejected"))
    assert (ended, counts["opened"]) == (len(document["trades"]), ended - counts["rejected"])


def test_nothing_is_lost_closed_twice_or_quarantined(document: dict[str, Any]) -> None:
    """Lesson 21."""
    assert [document[name] for name in ("lost_messages", "duplicate_closes", "quarantined")] == [0, 0, 0]


def test_trades_that_settle_are_paid_by_their_own_result_and_size(document: dict[str, Any]) -> None:
    """Lesson 36: each trade has a profit of its own, and they add up."""
    settled = [trade for trade in document["trades"] if trade["state"] == "settled"]

    assert {trade["exit_price"] for trade in settled} == {"0", "1"}
    assert len({trade["pnl"] for trade in settled}) > 2


def test_a_mistake_in_any_field_of_any_trade_would_be_found(document: dict[str, Any]) -> None:
    spoiled = json.loads(json.dumps(document))
    for trade in spoiled["trades"]:
        if trade["exit_price"] is not None:
            trade["exit_price"] += "1" if "." in trade["exit_price"] else ".01"

    found = check(spoiled, SHIPPED)

    assert len(found) == sum(trade["exit_price"] is not None for trade in document["trades"])
