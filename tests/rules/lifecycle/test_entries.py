"""How a trade begins (SPEC 1.3, Entries)."""

from dataclasses import replace as with_changes
from decimal import Decimal

import pytest

from actors.rules.trade import lifecycle
from bus.messages.orders import Action
from bus.messages.trades import AttemptState, Side
from bus.messages.trades import TradeState as S
from bus.messages.units import NS_PER_S
from tests.rules.lifecycle.builders import (
    CLOSE_TS,
    ENTRY,
    SELL,
    Life,
    a_context,
    a_fill,
    a_person,
    a_report,
    a_stop,
    a_trade,
    an_adopted_life,
    an_answer,
    an_open_life,
    at,
)


def test_an_entry_leaves_after_its_commit_and_never_at_once() -> None:
    """Lesson 23: the intent is recorded before it is sent."""
    step = Life(a_trade()).begin().step

    assert [order.client_order_id for order in step.entries] == [ENTRY]
    assert step.closes == ()
    assert step.trade.attempts[0].state is AttemptState.SENT


def test_an_entry_is_a_limit_ioc_that_may_add_risk() -> None:
    order = Life(a_trade()).begin().step.entries[0]

    assert (order.order_type, order.time_in_force, order.reduce_only) == ("limit", "ioc", False)
    assert order.limit_price == Decimal("0.60")
    assert order.quantity == 10
    assert order.trade_version == 1


def test_an_entry_without_a_limit_is_a_market_order() -> None:
    order = Life(a_trade(limit_price=None)).begin().step.entries[0]

    assert (order.order_type, order.limit_price) == ("market", None)


@pytest.mark.parametrize(
    ("side", "action"),
    [(Side.YES, Action.BUY), (Side.NO, Action.BUY), (Side.LONG, Action.BUY), (Side.SHORT, Action.SELL)],
)
def test_an_entry_buys_its_side_and_sells_a_short(side: Side, action: Action) -> None:
    order = Life(a_trade(side)).begin().step.entries[0]

    assert (order.side, order.action) == (side, action)


@pytest.mark.parametrize(
    ("close_s", "request_s", "expected_s"),
    [(3600, None, 5), (6, None, 5), (5, None, 4), (3600, 3, 3), (None, None, 5)],
)
def test_an_entry_expires_after_its_validity_or_the_cutoff_or_the_request(
    close_s: int | None, request_s: int | None, expected_s: int
) -> None:
    trade = a_trade(
        close_ts=None if close_s is None else at(close_s), expires_ts=None if request_s is None else at(request_s)
    )

    order = Life(trade).begin().step.entries[0]

    assert order.expires_ts == at(expected_s)


@pytest.mark.parametrize(("close_s", "state"), [("1", S.REJECTED), ("1.000000001", S.PENDING)])
def test_no_entry_leaves_at_or_after_the_cutoff(close_s: str, state: S) -> None:
    life = Life(a_trade(close_ts=at(close_s))).begin()

    assert life.trade.state is state
    assert bool(life.step.entries) is (state is S.PENDING)


def test_a_linear_trade_has_no_close_time_to_watch() -> None:
    life = Life(a_trade(Side.LONG, close_ts=at(0))).begin()

    assert life.trade.state is S.PENDING
    assert life.due("expiry") is None


def test_two_trades_on_one_ticker_keep_their_own_size_and_price() -> None:
    """Lesson 62"""
    first = an_open_life(quantity="10", price="0.60").trade
    second = an_open_life(quantity="4", price="0.20", trade_id="t1").trade

    assert (first.open_quantity, first.entry_price) == (Decimal(10), Decimal("0.60"))
    assert (second.open_quantity, second.entry_price) == (Decimal(4), Decimal("0.20"))


def test_a_part_of_an_entry_is_open_once_the_rest_is_cancelled() -> None:
    life = Life(a_trade()).begin().hear(a_fill("2.5", cumulative="2.5")).hear(a_report("cancelled", cumulative="2.5"))

    assert life.trade.state is S.OPEN
    assert life.trade.open_quantity == Decimal("2.5")
    assert life.trade.quantity == 10


def test_an_adopted_trade_is_open_at_its_own_price_without_an_order() -> None:
    life = an_adopted_life(quantity="0.5", price="0.61", fees=Decimal("0.02"))

    assert life.trade.state is S.OPEN
    assert (life.trade.open_quantity, life.trade.entry_cost) == (Decimal("0.5"), Decimal("0.305"))
    assert life.trade.pnl == Decimal("-0.02")
    assert life.trade.attempts == ()
    assert life.due("expiry") == CLOSE_TS


def test_an_adoption_without_a_price_is_refused() -> None:
    with pytest.raises(ValueError, match="without an entry price"):
        lifecycle.adopt(a_trade(), a_context())


@pytest.mark.parametrize(("timeout", "due_s"), [(None, 30), (Decimal("2.5"), "2.5")])
def test_a_pending_entry_is_given_its_time(timeout: Decimal | None, due_s: float | str) -> None:
    life = Life(a_trade(settings={} if timeout is None else {"entry_timeout_s": timeout})).begin()

    assert life.due("entry_timeout") == at(due_s)


def test_a_fill_whose_report_was_lost_is_found_long_before_the_entry_times_out() -> None:
    """Fault 6, Lesson 24: until then the position has no stop."""
    life = Life(a_trade()).begin()

    assert life.due("lookup") == at(2)
    assert [question.client_order_id for question in life.timer("lookup", at_s=2).step.questions] == [ENTRY]


def test_an_entry_pending_for_too_long_is_cancelled_and_looked_up() -> None:
    """Lesson 24, 30: never rejected for want of an answer."""
    life = Life(a_trade()).begin().timer("entry_timeout", at_s=30)

    assert [cancel.client_order_id for cancel in life.step.cancels] == [ENTRY]
    assert [question.client_order_id for question in life.step.questions] == [ENTRY]
    assert life.trade.state is S.UNKNOWN


def test_a_fill_found_after_the_timeout_opens_the_trade() -> None:
    """Lesson 15, 30: a late confirmation is watched like any other."""
    life = Life(a_trade()).begin().timer("entry_timeout", at_s=30)

    life.hear(a_fill("10", status="filled", cumulative="10"), at_s=31)

    assert life.trade.state is S.OPEN
    assert life.trade.open_quantity == 10


def test_nothing_found_after_the_timeout_rejects_the_trade() -> None:
    life = Life(a_trade()).begin().timer("entry_timeout", at_s=30)

    life.hear(a_report("cancelled", cumulative="0"), at_s=31)

    assert life.trade.state is S.REJECTED


def test_an_entry_answered_in_time_forgets_its_timeout() -> None:
    life = an_open_life()

    assert any(timer.key == "t1:entry_timeout" and not hasattr(timer, "due_ns") for timer in life.step.timers)
    assert life.timer("entry_timeout", at_s=30).trade.state is S.OPEN


@pytest.mark.parametrize("wanted", [a_stop(), a_person()])
def test_a_close_of_a_pending_trade_cancels_the_entry_first(wanted: object) -> None:
    life = Life(a_trade()).begin().hear(wanted, at_s=1)  # type: ignore[arg-type]  # both are CloseWanted

    assert [cancel.client_order_id for cancel in life.step.cancels] == [ENTRY]
    assert life.step.closes == ()
    assert life.trade.state is S.PENDING


def test_what_the_cancelled_entry_filled_is_closed() -> None:
    life = Life(a_trade()).begin().hear(a_fill("4", cumulative="4")).hear(a_stop(), at_s=1)

    life.hear(a_report("cancelled", cumulative="4")).mark()

    assert [(order.quantity, order.reduce_only) for order in life.step.closes] == [(Decimal(4), True)]
    assert life.trade.rule == "probability"


def test_a_cancelled_entry_that_filled_nothing_leaves_nothing_to_close() -> None:
    life = Life(a_trade()).begin().hear(a_stop(), at_s=1).hear(a_report("cancelled", cumulative="0"))

    assert life.trade.state is S.REJECTED
    assert life.trade.close_wanted is None
    assert life.step.marks == ()


def test_an_entry_is_cancelled_once() -> None:
    life = Life(a_trade()).begin().hear(a_stop(), at_s=1).hear(a_person(), at_s=1).timer("entry_timeout", at_s=30)

    assert sum(len(step.cancels) for step in life.steps) == 1


def test_a_refused_trade_says_why() -> None:
    step = lifecycle.reject(a_trade(), "the stop would fire at once", a_context())

    assert step.trade.state is S.REJECTED
    assert "the stop would fire at once" in step.notices[0].body


def test_the_cutoff_is_the_venues_own() -> None:
    venue = with_changes(SELL, cutoff_ns=60 * NS_PER_S)

    assert Life(a_trade(close_ts=at(60)), venue).begin().trade.state is S.REJECTED
    assert Life(a_trade(close_ts=at(61)), venue).begin().trade.state is S.PENDING


def test_what_a_trade_needs_after_a_start_is_said_again_without_changing_it() -> None:
    """Lesson 5, 16: what is watched is derived from the record."""
    pending = Life(a_trade()).begin().trade

    step = lifecycle.recover(pending, a_context(at(3)))

    assert step.trade is pending
    assert [question.client_order_id for question in step.questions] == [ENTRY]
    assert {timer.key for timer in step.timers} == {"t1:expiry", "t1:entry_timeout", "t1:lookup"}


def test_an_answer_for_another_order_is_not_evidence() -> None:
    life = Life(a_trade()).begin()

    assert life.hear(an_answer("t2-entry-1", status="rejected")).trade.state is S.PENDING
    assert life.hear(a_report("rejected", "t2-entry-1")).trade.state is S.PENDING
