"""The check that the demo's trades are held against must itself be right, and must notice when something is wrong."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import independent, independent_check
from tests.acceptance.independent.builders import (
    a_document,
    a_price,
    a_quote,
    a_recording,
    a_stop,
    a_trade,
    an_end,
    at,
)
from tests.acceptance.independent_check import check

ENTRY = a_quote(0, 50, 51)
"""Line 1: the quote that every trade here enters on."""

STOPPED = a_trade(
    a_stop("price", stop_price="0.40"),
    state="closed",
    rule="price",
    exit_price="0.38",
    exit_ts=at(62.05),
    pnl="-1.30",
)
"""Stopped by the quote of second 60, which had stood for two seconds at 62, and filled one latency later."""


def test_a_stop_that_fired_when_it_had_to_agrees(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(60, 38, 40))

    assert check(a_document(STOPPED, to=120), recording) == []


def test_what_was_recorded_after_the_part_that_was_played_decides_nothing(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(60, 38, 40), a_quote(70, 10, 12))
    still_open = a_trade(
        a_stop("price", stop_price="0.40"), state="open", rule=None, exit_price=None, exit_ts=None, pnl="0"
    )

    assert check(a_document(still_open, to=30), recording) == []


@pytest.mark.parametrize(
    ("field", "wrong", "complaint"),
    [
        ("exit_price", "0.39", "exit_price is 0.39, must be 0.38"),
        ("exit_ts", at(60.05), "exit_ts is"),
        ("exit_ts", at(62.051), "exit_ts is"),
        ("rule", "loss", "rule is loss, must be price"),
        ("state", "open", "state is open, must be closed"),
        ("pnl", "-1.31", "pnl is -1.31, must be -1.30"),
        ("fees", "0.01", "fees is 0.01, must be 0"),
        ("entry_price", "0.50", "entry_price is 0.50, must be 0.51"),
        ("entry_ts", at(0.1), "entry_ts is"),
        ("ticker", "OTHER", "line 1 is about T"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: Path, field: str, wrong: str, complaint: str) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(60, 38, 40))

    found = check(a_document({**STOPPED, field: wrong}, to=120), recording)

    assert complaint in "\n".join(found)


def test_a_sum_that_does_not_add_up_is_found(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(60, 38, 40))

    found = check({**a_document(STOPPED, to=120), "pnl": "-1.29"}, recording)

    assert found == ["the trades' pnl adds up to -1.30, the document says -1.29"]


def test_a_stop_that_the_recording_never_called_for_is_found(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(60, 41, 42))

    found = check(a_document(STOPPED, to=120), recording)

    assert "state is closed, must be open" in "\n".join(found)


def closed(rule: str, exit_price: str, exit_ts: float, pnl: str) -> dict[str, Any]:
    return {"state": "closed", "rule": rule, "exit_price": exit_price, "exit_ts": at(exit_ts), "pnl": pnl}


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "two quotes confirm each other before two seconds have passed": (
        [ENTRY, a_quote(60, 38, 40), a_quote(61, 37, 39)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.37", 61.05, "-1.40")),
    ),
    "a quote that recovers confirms nothing": (
        [ENTRY, a_quote(60, 38, 40), a_quote(61, 45, 46)],
        a_trade(a_stop("price", stop_price="0.40")),
    ),
    "a probability below its floor fires, at it not": (
        [ENTRY, a_quote(60, 39, 41), a_quote(120, 38, 41)],
        a_trade(a_stop("probability", floor_percent="40"), **closed("probability", "0.38", 122.05, "-1.30")),
    ),
    "a wide quote bounds the probability and must lie below the floor as a whole": (
        [ENTRY, a_quote(60, 5, 40), a_quote(120, 5, 39)],
        a_trade(a_stop("probability", floor_percent="40"), **closed("probability", "0.05", 122.05, "-4.60")),
    ),
    "a loss in dollars": (
        [ENTRY, a_quote(60, 42, 44), a_quote(120, 41, 44)],
        a_trade(a_stop("loss", max_loss="1.00"), **closed("loss", "0.41", 122.05, "-1.00")),
    ),
    "a profit needs no confirmation": (
        [ENTRY, a_quote(60, 60, 62), a_quote(120, 61, 63)],
        a_trade(a_stop("profit", take_profit_price="0.61"), **closed("profit", "0.61", 120.05, "1.00")),
    ),
    "a trailing stop follows the best exit price": (
        [ENTRY, a_quote(60, 60, 62), a_quote(120, 54, 56), a_quote(180, 53, 56)],
        a_trade(a_stop("trailing", trail="0.07"), **closed("trailing", "0.53", 182.05, "0.20")),
    ),
    "a trailing stop sleeps until it is activated": (
        [ENTRY, a_quote(60, 54, 56), a_quote(120, 40, 42)],
        a_trade(a_stop("trailing", trail="0.07", activate_at="0.55")),
    ),
    "age closes at its very instant": (
        [ENTRY],
        a_trade(a_stop("time", max_age_s="90"), **closed("time", "0.50", 90.10, "-0.10")),
    ),
    "a condition must hold as long as its dwell": (
        [ENTRY, a_quote(60, 38, 40), a_quote(80, 45, 46), a_quote(90, 38, 40)],
        a_trade(a_stop("price", stop_price="0.40", dwell_s="30"), **closed("price", "0.38", 120.05, "-1.30")),
    ),
    "the fill is at the quote in force when the order arrives": (
        [ENTRY, a_quote(60, 38, 40), a_quote(62.02, 36, 38)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.36", 62.05, "-1.50")),
    ),
    "a quote at the very instant of the fill comes too late for it": (
        [ENTRY, a_quote(60, 38, 40), a_quote(62.05, 36, 38)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.38", 62.05, "-1.30")),
    ),
    "a bid below the limit is missed, and the next try goes twice as far": (
        [ENTRY, a_quote(60, 38, 40), a_quote(62.02, 31, 38)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.31", 62.35, "-2.00")),
    ),
    "with nobody bidding the close rests, and fills at its own price when a bid reaches it": (
        [ENTRY, a_quote(60, None, 20), a_quote(65, 18, 20)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.15", 65.0, "-3.60")),
    ),
    "a bid that returns below the resting price ends that attempt": (
        [ENTRY, a_quote(60, None, 20), a_quote(65, 10, 20)],
        a_trade(a_stop("price", stop_price="0.40"), **closed("price", "0.10", 65.35, "-4.10")),
    ),
    "a close that nobody takes is settled with its market": (
        [ENTRY, a_quote(60, None, 1), an_end(100, "close"), an_end(110, "settled", "no")],
        a_trade(
            a_stop("price", stop_price="0.40"),
            state="settled",
            rule="price",
            exit_price="0",
            exit_ts=at(100),
            pnl="-5.10",
        ),
    ),
    "what nothing stopped is settled": (
        [ENTRY, an_end(100, "close"), an_end(110, "settled", "yes")],
        a_trade(a_stop("price", stop_price="0.40"), state="settled", exit_price="1", exit_ts=at(100), pnl="4.90"),
    ),
    "a market that closed without a result leaves its trade expired": (
        [ENTRY, an_end(100, "close")],
        a_trade(a_stop("price", stop_price="0.40"), state="expired"),
    ),
    "an ask that moved away rejects the entry": (
        [ENTRY, a_quote(0.02, 52, 53)],
        a_trade(a_stop("price", stop_price="0.40"), state="rejected", entry_price=None, entry_ts=None),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_trade_ends_as_the_specification_says(tmp_path: Path, case: str) -> None:
    lines, trade = CASES[case]

    found = check(a_document(trade, to=200), a_recording(tmp_path, *lines))

    assert found == []


def test_a_short_is_bought_back_above_its_stop(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, a_price(0, "100"), a_price(60, "102"))
    short = {"ticker": "BTC", "side": "short", "quantity": "2", "entry_price": "100.0"}
    trade = a_trade(a_stop("price", stop_price="101"), **short, **closed("price", "102.0", 62.05, "-4.0"))

    assert check(a_document(trade, to=120), recording) == []


def test_a_feed_that_fell_silent_is_not_passed_over(tmp_path: Path) -> None:
    recording = a_recording(tmp_path, ENTRY, a_quote(400, 50, 51))

    found = check(a_document(a_trade(a_stop("price", stop_price="0.40")), to=400), recording)

    assert found == ["demo-1: its feed was silent for 400.0 s: staleness is not modelled"]


def test_the_check_imports_nothing_of_ours() -> None:
    sources = [Path(independent_check.__file__), *Path(independent.__path__[0]).glob("*.py")]

    imported = {
        name.split(".")[0]
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert not imported & {"actors", "bus", "config", "db", "run"}
