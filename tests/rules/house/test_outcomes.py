"""What other settings would have made of a trade: which of two outcomes it is, what it is worth, and all of them added up."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from actors.rules.outcomes import Followed, compare, totals
from bus.messages.trades import Trade, TradeState
from bus.messages.what_if import Change, Outcome
from tests.rules.stops.builders import a_trade, at

D = Decimal


def an_outcome(worth: str | None = "1", fired: float | None = None, **changes: Any) -> Outcome:
    given: dict[str, Any] = {
        "state": TradeState.CLOSED,
        "rule": None if fired is None else "price",
        "fired": None if fired is None else at(fired),
        "exit_price": None,
        "exit_ts": None,
        "open_quantity": D(0),
        "pnl": None,
        "worth": None if worth is None else D(worth),
    }
    return Outcome(**(given | changes))


REFUSED = an_outcome("0", state=TradeState.REJECTED)


@pytest.mark.parametrize(
    ("recorded", "now", "change"),
    [
        (None, None, Change.SAME),
        (an_outcome(fired=1), an_outcome(fired=1), Change.SAME),
        (an_outcome(), None, Change.NOT_OPENED),
        (an_outcome(), REFUSED, Change.NOT_OPENED),
        (None, an_outcome(), Change.OPENED),
        (REFUSED, an_outcome(), Change.OPENED),
        (REFUSED, None, Change.SAME),
        (an_outcome(), an_outcome(fired=1), Change.NEWLY),
        (an_outcome(fired=1), an_outcome(), Change.NEVER),
        (an_outcome("1"), an_outcome("2"), Change.OTHERWISE),
        (an_outcome("1", fired=1), an_outcome("2", fired=1), Change.OTHERWISE),
        (an_outcome(fired=2), an_outcome(fired=1), Change.EARLIER),
        (an_outcome(fired=1), an_outcome(fired=2), Change.LATER),
    ],
)
def test_two_outcomes_differ_in_one_way(recorded: Outcome | None, now: Outcome | None, change: Change) -> None:
    assert compare(a_trade(), recorded, now).change is change


@pytest.mark.parametrize(
    ("recorded", "now", "effect"),
    [("1", "3.5", D("2.5")), ("1", None, None), (None, "1", None)],
)
def test_the_effect_is_what_it_is_worth_more_where_both_are_known(
    recorded: str | None, now: str | None, effect: Decimal | None
) -> None:
    compared = compare(a_trade(), an_outcome(recorded), an_outcome(now))

    assert (compared.effect, compared.trade_id, compared.ticker) == (effect, "t1", a_trade().ticker)


def test_a_trade_that_was_not_opened_is_worth_nothing() -> None:
    assert compare(a_trade(), an_outcome("3"), None).effect == D(-3)


def test_totals_add_up_what_is_priced_and_count_the_rest() -> None:
    compared = [
        compare(a_trade(), an_outcome("1"), an_outcome("3", fired=1)),
        compare(a_trade(), an_outcome("5", fired=2), an_outcome("4", fired=1)),
        compare(a_trade(), an_outcome("9"), an_outcome(None)),
    ]

    found = totals(compared)

    assert (found.trades, found.unpriced) == (3, 1)
    assert (found.recorded, found.now, found.effect) == (D(6), D(7), D(1))
    assert found.changes == {Change.NEWLY: 1, Change.EARLIER: 1, Change.OTHERWISE: 1}


# Following


def followed(*versions: Trade) -> Followed:
    found = Followed()
    for trade in versions:
        found.hear(trade)
    return found


def outcome_of(found: Followed, price: str | None = None) -> Outcome | None:
    return found.outcome("t1", lambda _: None if price is None else D(price))


def test_of_a_trade_that_nobody_told_of_there_is_no_outcome() -> None:
    assert outcome_of(Followed()) is None


def test_an_older_version_is_no_news() -> None:
    found = followed(a_trade(version=5, rule="price", ts=at(5)), a_trade(version=4))

    assert found.by_id["t1"].version == 5


def test_a_stop_has_fired_when_its_trade_first_said_so() -> None:
    closing = a_trade(version=5, rule="price", ts=at(5))

    outcome = outcome_of(followed(closing, replace(closing, version=6, ts=at(6))))

    assert outcome is not None
    assert (outcome.rule, outcome.fired) == ("price", at(5))


def test_a_close_that_failed_takes_its_stop_back_and_the_next_one_counts() -> None:
    closing = a_trade(version=5, rule="price", ts=at(5))
    again = replace(closing, version=6, rule=None, ts=at(6))

    outcome = outcome_of(followed(closing, again, replace(closing, version=7, ts=at(7))))

    assert outcome is not None
    assert outcome.fired == at(7)


@pytest.mark.parametrize(("price", "worth"), [("0.50", D("-1.00")), (None, None)])
def test_what_is_still_open_is_worth_what_closing_it_would_bring(price: str | None, worth: Decimal | None) -> None:
    outcome = outcome_of(followed(a_trade()), price)

    assert outcome is not None
    assert outcome.worth == worth


def test_what_has_ended_is_worth_its_profit() -> None:
    outcome = outcome_of(followed(a_trade(open_quantity=D(0), pnl=D("2.25"))), "0.99")

    assert outcome is not None
    assert (outcome.worth, outcome.pnl) == (D("2.25"), D("2.25"))
