"""What stands above the picture of a trade, and what became of trades, in words."""

from decimal import Decimal

import pytest

from actors.rules.pictures.drawn import Role, Span
from actors.rules.pictures.outcome_words import change_text, outcome_text
from actors.rules.pictures.trade_facts import ending, facts
from bus.messages.trades import Side, TradeState
from bus.messages.what_if import Change, Outcome, TradeCompared
from tests.rules.stops.builders import a_coin_trade, a_trade, at, stop

D = Decimal
NOON = "2025-08-03 12:00:00 UTC"


def test_above_a_trade_stands_what_it_was_and_how_long_nobody_guarded_it() -> None:
    spans = [
        Span(begin_ns=at(0), end_ns=at(9), role=Role.UNPROTECTED, title="never_fed", row="coverage"),
        Span(begin_ns=at(9), end_ns=at(60), role=Role.ARMED, title="price", row="coverage"),
    ]
    trade = a_trade(
        stop("price", stop_price="0.30", min_age_s=5), exit_price=D("0.55"), exit_ts=at(0), pnl=D("-0.5"), fees=D("0.1")
    )

    assert facts(trade, spans, "imagined") == {
        "account": "paper-1 (paper, paper)",
        "entry": f"$0.60, {NOON}",
        "exit": f"$0.55, {NOON}",
        "PnL": "-$0.5, fees $0.1",
        "still open": "10",
        "stops": "price (stop price 0.30)",
        "unprotected": "9 s",
        "what if": "imagined",
        "settings": "version 7",
    }


def test_above_a_trade_without_anything_stands_little() -> None:
    found = facts(a_coin_trade(open_quantity=D(0), entry_price=None), [], None)

    assert list(found) == ["account", "PnL", "stops", "unprotected", "settings"]
    assert (found["stops"], found["unprotected"]) == ("none", "never")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": TradeState.CLOSED, "rule": "price"}, "closed by price"),
        ({"state": TradeState.PARTIAL_CLOSING, "close_reason": "person"}, "partial closing by person"),
        ({}, "open"),
    ],
)
def test_it_is_told_how_a_trade_stands_and_by_what(changes: dict[str, object], words: str) -> None:
    assert ending(a_trade(**changes)) == words


def test_each_stop_of_a_trade_is_told_with_its_own_settings_and_not_with_its_guards() -> None:
    stops = (
        stop("price", stop_price="0.30", confirm_ticks=2),
        stop("trailing", trail="0.1", trail_percent=5),
        stop("time"),
    )

    found = facts(a_trade(*stops, entry_ts=None), [], None)

    assert found["stops"] == "price (stop price 0.30); trailing (trail 0.1, trail percent 5); time"
    assert found["entry"] == "$0.60"


def test_all_that_nobody_guarded_is_added_up() -> None:
    bare = [
        Span(begin_ns=at(begin), end_ns=at(end), role=Role.UNPROTECTED, title="x", row="coverage")
        for begin, end in ((0, 2), (5, 70))
    ]

    assert facts(a_trade(), bare, None)["unprotected"] == "1 min 07 s"


def an_outcome(**changes: object) -> Outcome:
    given: dict[str, object] = {
        "state": TradeState.PARTIAL_CLOSING,
        "rule": None,
        "fired": None,
        "exit_price": None,
        "exit_ts": None,
        "open_quantity": D(0),
        "pnl": D(0),
        "worth": None,
    }
    return Outcome(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "not heard of"),
        (an_outcome(), "partial closing"),
        (an_outcome(rule="price"), "partial closing by price"),
        (an_outcome(fired=at(0)), f"partial closing, fired {NOON}"),
        (an_outcome(exit_price=D("0.40")), "partial closing, exit $0.40"),
        (an_outcome(worth=D("-2.10")), "partial closing, -$2.10"),
    ],
)
def test_it_is_told_what_became_of_a_trade(outcome: Outcome | None, words: str) -> None:
    assert outcome_text(outcome) == words


FIRED, SOONER = an_outcome(fired=at(9)), an_outcome(fired=at(7.5))


@pytest.mark.parametrize(
    ("change", "recorded", "now", "words"),
    [
        (Change.EARLIER, FIRED, SOONER, "stopped earlier by 1.500 s"),
        (Change.LATER, SOONER, FIRED, "stopped later by 1.500 s"),
        (Change.OTHERWISE, FIRED, FIRED, "otherwise"),
        (Change.NEVER, FIRED, an_outcome(), "never stopped"),
        (Change.OPENED, None, FIRED, "opened"),
        (Change.NOT_OPENED, FIRED, None, "not opened"),
    ],
)
def test_it_is_told_what_is_otherwise_and_of_a_stop_by_how_much(
    change: Change, recorded: Outcome | None, now: Outcome | None, words: str
) -> None:
    compared = TradeCompared(
        trade_id="t1", ticker="T", side=Side.YES, change=change, effect=None, recorded=recorded, now=now
    )

    assert change_text(compared) == words
