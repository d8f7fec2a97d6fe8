"""How a trade ends by itself: expiry, settlement, late fills in between (SPEC 1.3)."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from actors.rules.trade.settlement import outcome, revenue_differs, shares
from bus.messages.market import LifecycleEvent, Result
from bus.messages.trades import Mode, Side
from bus.messages.trades import TradeState as S
from tests.rules.lifecycle.builders import (
    CLOSE_TS,
    Life,
    a_closing_life,
    a_context,
    a_fill,
    a_market_event,
    a_person,
    a_report,
    a_settlement,
    a_stop,
    a_trade,
    an_answer,
    an_open_life,
    at,
    determined,
)

CLOSE_1 = "t1-close-1"
CLOSING_TIME = 3600


def _live(side: Side = Side.YES, **facts: Any) -> Life:  # the fields of Trade
    return an_open_life(side, mode=Mode.LIVE, **facts)


@pytest.mark.parametrize(("at_s", "state"), [("3599.999999999", S.OPEN), (3600, S.EXPIRED)])
def test_a_trade_expires_at_its_own_close_time(at_s: str | float, state: S) -> None:
    """Lesson 34: only trades whose market has closed."""
    assert an_open_life().timer("expiry", at_s=at_s).trade.state is state


def test_a_closing_trade_expires_too() -> None:
    """Lesson 28"""
    assert a_closing_life().timer("expiry", at_s=CLOSING_TIME).trade.state is S.EXPIRED


@pytest.mark.parametrize("event", [LifecycleEvent.CLOSE, LifecycleEvent.DETERMINED])
def test_an_early_close_moves_the_close_time_to_its_instant(event: LifecycleEvent) -> None:
    life = an_open_life().hear(a_market_event(event, ts=at(100)), at_s=101)

    assert life.trade.state is S.EXPIRED
    assert life.trade.close_ts == at(100)


def test_a_late_close_event_does_not_move_the_close_time() -> None:
    life = an_open_life().hear(a_market_event(LifecycleEvent.CLOSE, ts=CLOSE_TS + 5), at_s=3601)

    assert (life.trade.state, life.trade.close_ts) == (S.EXPIRED, CLOSE_TS)


def test_a_close_that_is_announced_ahead_waits_for_its_instant() -> None:
    life = an_open_life().hear(a_market_event(LifecycleEvent.CLOSE, ts=at(200)), at_s=100)

    assert (life.trade.state, life.due("expiry")) == (S.OPEN, at(200))


def test_a_close_time_that_moves_takes_its_timer_along() -> None:
    moved = a_market_event(LifecycleEvent.CLOSE_TS_CHANGED, ts=at(100), close_ts=at(7200))
    life = an_open_life().hear(moved, at_s=100)

    assert life.due("expiry") == at(7200)
    assert life.timer("expiry", at_s=CLOSING_TIME).trade.state is S.OPEN


def test_a_close_time_that_moves_into_the_past_expires_the_trade() -> None:
    moved = a_market_event(LifecycleEvent.CLOSE_TS_CHANGED, ts=at(100), close_ts=at(90))

    assert an_open_life().hear(moved, at_s=100).trade.state is S.EXPIRED


def test_what_has_expired_stays_expired() -> None:
    moved = a_market_event(LifecycleEvent.CLOSE_TS_CHANGED, close_ts=at(7200))
    life = an_open_life().timer("expiry", at_s=CLOSING_TIME).hear(moved)

    assert (life.trade.state, life.trade.close_ts) == (S.EXPIRED, CLOSE_TS)


def test_a_linear_trade_never_expires() -> None:
    life = an_open_life(Side.LONG, price="50000", close_ts=at(5)).timer("expiry", at_s=10)

    assert life.hear(a_market_event(LifecycleEvent.CLOSE, ts=at(5))).trade.state is S.OPEN


@pytest.mark.parametrize(
    ("side", "result", "payout", "pnl", "word"),
    [
        (Side.YES, Result.YES, None, "3.99", "win"),
        (Side.YES, Result.NO, None, "-6.01", "loss"),
        (Side.NO, Result.NO, None, "3.99", "win"),
        (Side.NO, Result.YES, None, "-6.01", "loss"),
        (Side.YES, Result.SPLIT, "0.30", "-3.01", "loss"),
        (Side.NO, Result.SPLIT, "0.30", "0.99", "win"),
        (Side.YES, Result.VOID, "0.601", "0.00", "draw"),
    ],
)
def test_a_paper_trade_settles_by_the_result(
    side: Side, result: Result, payout: str | None, pnl: str, word: str
) -> None:
    """Lesson 40: the venue's result, not a guess from revenue."""
    life = an_open_life(side).timer("expiry", at_s=CLOSING_TIME)

    life.hear(determined(result, payout=None if payout is None else Decimal(payout)))

    assert (life.trade.state, life.trade.pnl, life.trade.outcome) == (S.SETTLED, Decimal(pnl), word)


@pytest.mark.parametrize("event", [LifecycleEvent.DETERMINED, LifecycleEvent.SETTLED])
def test_the_first_event_with_a_result_settles_a_paper_trade_at_once(event: LifecycleEvent) -> None:
    life = an_open_life().hear(a_market_event(event, ts=at(50), result=Result.NO), at_s=50)

    assert life.edges[-2:] == [("open", "expired"), ("expired", "settled")]
    assert life.trade.exit_ts == at(50)


def test_an_event_without_a_result_settles_nothing() -> None:
    life = an_open_life().timer("expiry", at_s=CLOSING_TIME).hear(a_market_event(LifecycleEvent.SETTLED))

    assert life.trade.state is S.EXPIRED


def test_a_live_trade_waits_for_its_accounts_settlement() -> None:
    life = _live().timer("expiry", at_s=CLOSING_TIME).hear(determined())
    assert life.trade.state is S.EXPIRED

    life.hear(a_settlement("yes", fees=Decimal("0.04")))

    assert (life.trade.state, life.trade.pnl, life.trade.fees) == (S.SETTLED, Decimal("3.95"), Decimal("0.05"))


def test_an_accounts_settlement_does_not_settle_a_paper_trade() -> None:
    life = an_open_life().timer("expiry", at_s=CLOSING_TIME).hear(a_settlement())

    assert life.trade.state is S.EXPIRED


def test_a_settlement_before_the_close_time_waits_for_it() -> None:
    life = _live().hear(a_settlement("no"), at_s=100)
    assert life.trade.state is S.OPEN

    assert life.timer("expiry", at_s=CLOSING_TIME).trade.state is S.SETTLED


def test_a_settlement_ends_a_trade_whose_close_time_nobody_knew() -> None:
    life = _live(close_ts=None).hear(a_settlement("no"), at_s=4000)

    assert life.trade.state is S.SETTLED


def test_a_split_without_a_payout_waits_for_one() -> None:
    life = an_open_life().timer("expiry", at_s=CLOSING_TIME).hear(determined(Result.SPLIT))
    assert (life.trade.state, life.kinds.count("result_unknown")) == (S.EXPIRED, 1)

    life.hear(a_market_event(LifecycleEvent.SETTLED, result=Result.SPLIT, payout=Decimal("0.5")))

    assert life.trade.state is S.SETTLED


def test_a_result_that_nobody_knows_settles_nothing_and_says_so() -> None:
    life = _live().timer("expiry", at_s=CLOSING_TIME).hear(a_settlement("maybe"))

    assert (life.trade.state, life.kinds[-1]) == (S.EXPIRED, "result_unknown")


def test_two_sources_that_name_two_results_raise_an_alarm() -> None:
    """Lesson 40: mismatch -> alarm."""
    life = _live().hear(a_settlement("yes"), at_s=100)

    life.hear(determined(Result.NO), at_s=101)

    assert life.kinds[-1] == "result_mismatch"
    assert life.trade.result is Result.YES


def test_a_trade_does_not_settle_while_an_order_flies() -> None:
    life = a_closing_life().timer("expiry", at_s=CLOSING_TIME).hear(determined())
    assert life.trade.state is S.EXPIRED

    assert life.hear(a_report("cancelled", CLOSE_1, cumulative="0")).trade.state is S.SETTLED


def test_what_flies_at_the_close_time_is_looked_up() -> None:
    life = a_closing_life().timer("expiry", at_s=CLOSING_TIME)

    assert [question.client_order_id for question in life.step.questions] == [CLOSE_1]


@pytest.mark.parametrize(("filled", "state", "pnl"), [("10", S.CLOSED, "-2.02"), ("4", S.SETTLED, "1.58")])
def test_a_fill_dated_before_the_close_that_comes_later_is_booked(filled: str, state: S, pnl: str) -> None:
    """Lesson 25: nothing left means closed, else the remainder settles."""
    life = a_closing_life().timer("expiry", at_s=CLOSING_TIME).hear(determined())

    life.hear(a_fill(filled, "0.40", CLOSE_1, fill_id="c1", at_s=3599, cumulative=filled))
    life.hear(a_report("cancelled", CLOSE_1, cumulative=filled))

    assert (life.trade.state, life.trade.pnl) == (state, Decimal(pnl))


def test_a_partly_closed_trade_settles_its_remainder_at_the_blended_price() -> None:
    life = a_closing_life().hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1")).hear(a_report("cancelled", CLOSE_1))

    life.timer("expiry", at_s=CLOSING_TIME).hear(determined(Result.YES))

    assert (life.trade.exit_price, life.trade.pnl) == (Decimal("0.76"), Decimal("1.58"))


def test_an_expired_trade_sends_nothing() -> None:
    life = an_open_life().timer("expiry", at_s=CLOSING_TIME).hear(a_stop()).hear(a_person())

    assert all(not step.closes and not step.marks for step in life.steps)
    assert life.trade.close_wanted is None


def test_a_wanted_attempt_ends_with_its_market() -> None:
    life = an_open_life().hear(a_person(), at_s=10).timer("expiry", at_s=CLOSING_TIME)

    assert life.trade.attempts[-1].evidence == "never_sent"
    assert life.hear(determined()).trade.state is S.SETTLED


def test_an_entry_pending_at_the_close_time_is_looked_up_not_guessed() -> None:
    life = Life(a_trade(close_ts=at(5), settings={"entry_timeout_s": Decimal(60)})).begin().timer("expiry", at_s=5)
    assert (life.trade.state, life.step.entries) == (S.UNKNOWN, ())

    life.hear(an_answer(status="cancelled", cumulative="0"))

    assert life.trade.state is S.REJECTED


def test_each_trade_of_a_ticker_settles_by_its_own_size_and_cost() -> None:
    """Lesson 36: sum(pnl) == venue revenue - cost - fees."""
    lives = [_live(quantity=size, price=price) for size, price in (("10", "0.60"), ("4", "0.20"), ("1.5", "0.31"))]
    told = shares(
        a_settlement("yes", revenue="15.5", fees=Decimal("0.10")),
        [replace(life.trade, trade_id=f"t{n}") for n, life in enumerate(lives)],
    )

    for n, life in enumerate(lives):
        life.timer("expiry", at_s=CLOSING_TIME).hear(told[f"t{n}"])

    costs = Decimal(6) + Decimal("0.8") + Decimal("0.465")
    fees = Decimal("0.10") + 3 * Decimal("0.01")
    assert sum(life.trade.pnl for life in lives) == Decimal("15.5") - costs - fees
    assert len({life.trade.pnl for life in lives}) == 3


def test_shares_of_a_fee_that_does_not_divide_add_up_to_it() -> None:
    """The last one bears what is left over."""
    trades = [replace(_live().trade, trade_id=f"t{n}") for n in (3, 1, 2)]

    told = shares(a_settlement("yes", revenue="30", fees=Decimal("0.10")), trades)

    third = Decimal("0.033333333333")
    assert {name: each.fees for name, each in told.items()} == {
        "t1": third,
        "t2": third,
        "t3": Decimal("0.033333333334"),
    }


def test_without_fees_there_is_nothing_to_share() -> None:
    told = shares(a_settlement("yes"), [_live().trade])

    assert told == {"t1": a_settlement("yes", fees=Decimal(0))}


@pytest.mark.parametrize(("revenue", "alarm"), [("4", False), ("10", True)])
def test_a_void_market_must_bring_its_payout(revenue: str, alarm: bool) -> None:
    settlement = a_settlement("void", revenue=revenue, payout=Decimal("0.4"))

    assert (revenue_differs(settlement, [_live().trade], a_context(at(4000))) is not None) is alarm


@pytest.mark.parametrize(("revenue", "alarm"), [("10", False), ("9.99", True), ("0", True)])
def test_a_revenue_that_does_not_add_up_raises_an_alarm(revenue: str, alarm: bool) -> None:
    """Lesson 36, 40"""
    notice = revenue_differs(a_settlement("yes", revenue=revenue), [_live().trade], a_context(at(4000)))

    assert (notice is not None) is alarm


@pytest.mark.parametrize(("pnl", "word"), [("0.01", "win"), ("-0.01", "loss"), ("0", "draw"), ("-0", "draw")])
def test_the_outcome_is_the_sign_of_the_profit(pnl: str, word: str) -> None:
    """Lesson 36, 40"""
    assert outcome(Decimal(pnl)) == word


def test_steps_of_a_market_are_learned() -> None:
    life = an_open_life().hear(
        a_market_event(LifecycleEvent.CREATED, ts=at(1), tick_size=Decimal("0.001"), lot_size=Decimal(1))
    )

    assert (life.trade.tick_size, life.trade.lot_size) == (Decimal("0.001"), Decimal(1))


def test_an_event_that_nobody_knows_changes_nothing() -> None:
    life = an_open_life()
    before = life.trade

    unknown = replace(a_market_event(LifecycleEvent.OPEN, ts=at(1)), event="renamed")

    assert life.hear(unknown).trade is before
