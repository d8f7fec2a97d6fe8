"""Whole steps of a trade: every field of every order, cancel, question and timer that it says."""

import dataclasses
from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.trade import lifecycle
from actors.rules.trade.late import born_late, late_trade_id
from actors.rules.trade.steps import OWNER, Step
from bus.messages.market import Result, StrikeType
from bus.messages.orders import Action, OrderCancel, OrderSubmit, VenueQuestion
from bus.messages.records import JournalEntry
from bus.messages.stops import MarkWanted
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.trades import Attempt, AttemptState, Fill, Mode, Purpose, Side, StopSpec, Trade, TradeState
from tests.rules.lifecycle.builders import (
    CLOSE_TS,
    ENTRY,
    T0,
    TICKER,
    Life,
    a_context,
    a_fill,
    a_mark,
    a_person,
    a_report,
    a_stop,
    a_trade,
    an_open_life,
    at,
)

D = Decimal
SETTINGS: dict[str, Decimal | str] = {
    "entry_timeout_s": D(20), "entry_valid_s": D(4), "close_valid_s": D(25), "rest_max_s": D(7), "close_slippage": D("0.03"),
}  # fmt: skip
FULL = a_trade(
    mode=Mode.LIVE, symbol="BTC", strike_type=StrikeType.BETWEEN, strike=D(119_000), cap_strike=D(120_000), tick_size=D("0.02"),
    lot_size=D(2), strategy="hourly", requested_by="ann", expires_ts=at(3), legacy_id=12, settings=SETTINGS, settings_version=7,
    stops=(StopSpec(rule="price", settings={"stop_price": D("0.40")}),), overrides={"price.stop_price": D("0.40")},
)  # fmt: skip
"""A requested trade with every field that whoever asks for one may set."""


def said(step: Step) -> Step:
    """What a step says besides its notices, whose words stand in docs/notices.md."""
    return dataclasses.replace(step, notices=())


def edge(before: str, after: str, version: int, at_s: float, cause: str = "test") -> JournalEntry:
    return JournalEntry(
        trade_id="t1",
        version=version,
        from_state=TradeState(before),
        to_state=TradeState(after),
        cause=cause,
        ts=at(at_s),
    )


def timer(what: str, at_s: float | str) -> SetTimer:
    return SetTimer(owner=OWNER, key=f"t1:{what}", due_ns=at(at_s))


def asleep(*whats: str) -> tuple[CancelTimer, ...]:
    return tuple(CancelTimer(owner=OWNER, key=f"t1:{what}") for what in whats)


def question(order: str, at_s: float | str, venue: str = "paper") -> VenueQuestion:
    return VenueQuestion(venue=venue, account="demo", client_order_id=order, trade_id="t1", now_ns=at(at_s))


def test_an_entry_is_the_trade_as_an_order() -> None:
    step = lifecycle.begin(FULL, a_context())

    order = OrderSubmit(
        client_order_id=ENTRY, trade_id="t1", account="demo", mode=Mode.LIVE, purpose=Purpose.ENTRY, attempt=1, ticker=TICKER,
        side=Side.YES, action=Action.BUY, quantity=D(10), limit_price=D("0.60"), order_type="limit", time_in_force="ioc",
        reduce_only=False, expires_ts=at(3), epoch=3, cause="test", trade_version=1, settings_version=7, ts=T0,
    )  # fmt: skip
    sent = Attempt(
        client_order_id=ENTRY, purpose=Purpose.ENTRY, attempt=1, state=AttemptState.SENT, quantity=D(10), limit_price=D("0.60"),
        sent_ns=T0, expires_ns=at(3), side=Side.YES,
    )  # fmt: skip
    assert step == Step(
        trade=replace(FULL, state=TradeState.PENDING, version=1, attempts=(sent,), cause="test"),
        edges=(edge("requested", "pending", 1, 0),),
        entries=(order,),
        timers=(timer("entry_timeout", 20), timer("lookup", 2), timer("expiry", 3600)),
    )


def test_an_entry_at_any_price_is_a_market_order_and_its_attempt_too() -> None:
    step = lifecycle.begin(replace(FULL, limit_price=None), a_context())

    (order,) = step.entries
    (sent,) = step.trade.attempts
    assert (order.order_type, order.limit_price) == ("market", None)
    assert (sent.order_type, sent.limit_price) == ("market", None)


def a_full_life() -> Life:
    """The whole trade, filled at one second."""
    return Life(FULL).begin().hear(a_fill("10", status="filled", cumulative="10"), at_s=1)


def test_a_fill_of_the_entry_opens_the_trade() -> None:
    before = Life(FULL).begin()
    life = before.hear(a_fill("10", status="filled", cumulative="10"), at_s=1)

    fill = Fill(
        fill_id="f1",
        client_order_id=ENTRY,
        purpose=Purpose.ENTRY,
        price=D("0.60"),
        quantity=D(10),
        fees=D("0.01"),
        ts=at(1),
    )
    (sent,) = before.steps[0].trade.attempts
    assert said(life.step) == Step(
        trade=replace(
            before.steps[0].trade, state=TradeState.OPEN, version=2, ts=at(1), cause="event-1", open_quantity=D(10),
            filled_quantity=D(10), entry_cost=D("6.00"), entry_price=D("0.6"), entry_ts=at(1), fees=D("0.01"), pnl=D("-0.01"),
            attempts=(replace(sent, state=AttemptState.DEAD, filled=D(10), reported=D(10), evidence="filled"),), fills=(fill,),
        ),
        edges=(edge("pending", "open", 2, 1, "event-1"),),
        timers=asleep("entry_timeout", "lookup", "rest_over"),
        fills=(fill,),
    )  # fmt: skip


def test_a_stop_sends_its_close_at_once() -> None:
    life = a_full_life()
    before = life.trade
    life.hear(a_stop(), at_s=10)

    sent = Attempt(
        client_order_id="t1-close-1", purpose=Purpose.CLOSE, attempt=1, state=AttemptState.SENT, quantity=D(10),
        limit_price=D("0.36"), time_in_force="ioc", sent_ns=at(10), expires_ns=at(35), side=Side.YES, nth=1,
    )  # fmt: skip
    order = OrderSubmit(
        client_order_id="t1-close-1", trade_id="t1", account="demo", mode=Mode.LIVE, purpose=Purpose.CLOSE, attempt=1,
        ticker=TICKER, side=Side.YES, action=Action.SELL, quantity=D(10), limit_price=D("0.36"), time_in_force="ioc",
        reduce_only=True, expires_ts=at(35), epoch=3, cause="event-2", trade_version=3, settings_version=7, ts=at(10),
    )  # fmt: skip
    assert said(life.step) == Step(
        trade=replace(
            before, state=TradeState.CLOSING, version=3, ts=at(10), cause="event-2", close_wanted=D(10), rule="probability",
            close_reason="probability", attempts=(*before.attempts, sent),
        ),
        edges=(edge("open", "closing", 3, 10, "event-2"),),
        closes=(order,),
        timers=(timer("lookup", 12),),
    )  # fmt: skip


def test_a_close_that_rests_is_watched_by_a_timer_of_its_own() -> None:
    life = a_full_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=10)

    (order,) = life.step.closes
    assert (order.limit_price, order.time_in_force, order.expires_ts) == (D("0.26"), "gtc", at(35))
    assert life.step.timers == (timer("rest_over", 17),)


@pytest.mark.parametrize(("at_s", "rests_until_s"), [(3590, 3597), (3595, 3599)])
def test_a_rest_ends_before_no_order_may_leave_any_more(at_s: int, rests_until_s: int) -> None:
    life = a_full_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=at_s)

    assert life.step.timers == (timer("rest_over", rests_until_s),)


def test_a_persons_close_waits_for_a_mark_and_says_which() -> None:
    life = a_full_life()
    before = life.trade
    life.hear(a_person("4"), at_s=10)

    wanted = Attempt(
        client_order_id="t1-close-1", purpose=Purpose.CLOSE, attempt=1, state=AttemptState.WANTED, quantity=D(4)
    )
    assert life.step == Step(
        trade=replace(
            before, state=TradeState.CLOSING, version=3, ts=at(10), cause="event-2", close_wanted=D(4), close_reason="by hand",
            attempts=(*before.attempts, wanted), next_attempt_ns=at(11),
        ),
        edges=(edge("open", "closing", 3, 10, "event-2"),),
        marks=(MarkWanted(trade_id="t1", client_order_id="t1-close-1", now_ns=at(10)),),
        timers=(timer("next_attempt", 11),),
    )  # fmt: skip


def test_a_dead_attempt_is_followed_under_the_next_number() -> None:
    life = a_full_life().hear(a_stop(), at_s=10)
    life.hear(a_report("rejected", "t1-close-1", at_s=11), at_s=11)

    assert life.trade.attempts[-1].evidence == "rejected"
    assert life.step.timers == (timer("next_attempt", "11.25"), *asleep("lookup", "rest_over"))

    life.timer("next_attempt", at_s="11.25")
    assert life.step.marks == (MarkWanted(trade_id="t1", client_order_id="t1-close-2", now_ns=at("11.25")),)
    assert life.trade.next_attempt_ns == at("12.25")

    life.mark()
    (order,) = life.step.closes
    assert (order.client_order_id, order.attempt, order.limit_price) == ("t1-close-2", 2, D("0.34"))


def test_an_entry_that_takes_too_long_is_cancelled_and_asked_about() -> None:
    life = Life(FULL).begin().timer("entry_timeout", at_s=20)

    cancel = OrderCancel(
        client_order_id=ENTRY,
        trade_id="t1",
        account="demo",
        reason="the entry was not answered in time",
        epoch=3,
        ts=at(20),
    )
    assert said(life.step) == Step(
        trade=life.trade,
        edges=(edge("pending", "unknown", 2, 20, "event-1"),),
        cancels=(cancel,),
        questions=(question(ENTRY, 20),),
        timers=(timer("lookup", 22),),
    )
    assert life.trade.attempts == (
        replace(life.steps[0].trade.attempts[0], state=AttemptState.UNKNOWN, cancel_requested=True),
    )


@pytest.mark.parametrize(("at_s", "state"), [("2.9", "pending"), (3, "unknown")])
def test_an_entry_is_unknown_once_it_may_not_be_sent_any_more(at_s: float | str, state: str) -> None:
    life = Life(FULL).begin().timer("entry_timeout", at_s=at_s)

    assert life.trade.state == state
    assert life.step.questions == (question(ENTRY, at_s),)


def test_a_close_while_the_entry_works_cancels_it_first() -> None:
    life = Life(FULL).begin().hear(a_person(), at_s=1)

    assert [cancel.reason for cancel in life.step.cancels] == ["a close is wanted"]
    assert (life.step.timers, life.trade.close_wanted) == ((timer("lookup", 3),), D(10))


def test_a_rest_that_is_over_says_why_it_is_cancelled() -> None:
    life = a_full_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=10).timer("rest_over", at_s=17)

    assert [(cancel.client_order_id, cancel.reason) for cancel in life.step.cancels] == [
        ("t1-close-1", "it has rested long enough")
    ]
    assert life.step.timers == (timer("lookup", 19),)


# What is said again after a start


def recovered(life: Life, at_s: float = 100) -> Step:
    step = lifecycle.recover(life.trade, a_context(at(at_s), life.venue))
    assert step.trade is life.trade
    return step


def test_after_a_start_a_pending_trade_has_its_timers_and_asks_about_its_entry() -> None:
    life = Life(FULL).begin()

    assert recovered(life) == Step(
        trade=life.trade,
        questions=(question(ENTRY, 100),),
        timers=(timer("expiry", 3600), timer("entry_timeout", 20), timer("lookup", 102)),
    )


def test_after_a_start_an_open_trade_has_its_expiry_only() -> None:
    life = a_full_life()

    assert recovered(life) == Step(trade=life.trade, timers=(timer("expiry", 3600),))


def test_after_a_start_a_linear_trade_needs_nothing() -> None:
    life = an_open_life(Side.LONG, price="50000")

    assert recovered(life) == Step(trade=life.trade)


def test_after_a_start_a_close_on_its_way_is_asked_about() -> None:
    life = a_full_life().hear(a_stop(), at_s=10)

    assert recovered(life) == Step(
        trade=life.trade, questions=(question("t1-close-1", 100),), timers=(timer("expiry", 3600), timer("lookup", 102))
    )


def test_after_a_start_a_resting_close_ends_when_it_would_have() -> None:
    life = a_full_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=10)

    assert recovered(life).timers == (timer("expiry", 3600), timer("rest_over", 17), timer("lookup", 102))


@pytest.mark.parametrize(("at_s", "due_s"), [(10.5, "11"), (100, "100.001")])
def test_after_a_start_the_next_attempt_comes_when_it_was_due_or_at_once(at_s: float, due_s: str) -> None:
    life = a_full_life().hear(a_person(), at_s=10)

    assert recovered(life, at_s) == Step(trade=life.trade, timers=(timer("expiry", 3600), timer("next_attempt", due_s)))


def test_after_a_start_a_trade_that_waits_for_its_settlement_waits_on() -> None:
    life = a_full_life().timer("expiry", at_s=3600)

    assert life.trade.state is TradeState.EXPIRED
    assert recovered(life, 3700) == Step(trade=life.trade)


@pytest.mark.parametrize("state", [TradeState.REQUESTED, TradeState.REJECTED, TradeState.CLOSED, TradeState.SETTLED])
def test_after_a_start_a_trade_that_has_ended_or_not_begun_says_nothing(state: TradeState) -> None:
    life = Life(replace(a_full_life().hear(a_person(), at_s=10).trade, state=state))

    assert recovered(life) == Step(trade=life.trade)


# A late fill

ORIGIN = replace(FULL, state=TradeState.CLOSED, halted=True, result=Result.SPLIT, payout=D("0.5"))


def born(purpose: Purpose = Purpose.CLOSE, price: str = "0.35", **facts: object) -> tuple[Step, Step]:
    """The first two steps of the trade that a fill becomes which comes when its trade has ended."""
    fill = Fill(
        fill_id="f3",
        client_order_id="t1-close-1",
        purpose=purpose,
        price=D(price),
        quantity=D(4),
        fees=D("0.02"),
        ts=at(19),
    )
    adopted, closing = born_late(replace(ORIGIN, **facts), fill, a_context(at(20)))
    return adopted, closing


def test_a_late_fill_becomes_a_trade_that_is_like_its_own_but_for_what_was_filled() -> None:
    """Fault 28"""
    adopted, _ = born()

    held = Fill(
        fill_id="f3",
        client_order_id="t1-close-1",
        purpose=Purpose.ENTRY,
        price=D("0.65"),
        quantity=D(4),
        fees=D("0.02"),
        ts=at(19),
    )
    trade = Trade(
        trade_id=late_trade_id("f3"), state=TradeState.OPEN, version=1, account="demo", venue="paper", mode=Mode.LIVE, ticker=TICKER,
        side=Side.NO, quantity=D(4), ts=at(20), symbol="BTC", strike_type=StrikeType.BETWEEN, strike=D(119_000),
        cap_strike=D(120_000), close_ts=CLOSE_TS, tick_size=D("0.02"), lot_size=D(2), strategy="hourly", requested_by="watchkeeper",
        requested_ts=at(19), open_quantity=D(4), filled_quantity=D(4), entry_cost=D("2.60"), entry_price=D("0.65"),
        entry_ts=at(19), fees=D("0.02"), pnl=D("-0.02"), result=Result.SPLIT, payout=D("0.5"), halted=True, settings=SETTINGS,
        settings_version=7, fills=(held,), cause="test",
    )  # fmt: skip
    assert said(adopted) == Step(
        trade=trade,
        edges=(replace(edge("requested", "open", 1, 20), trade_id=trade.trade_id),),
        timers=(SetTimer(owner=OWNER, key=f"{trade.trade_id}:expiry", due_ns=CLOSE_TS),),
        fills=(held,),
    )


def test_a_late_trade_is_closed_at_once_whatever_its_stops_say() -> None:
    adopted, closing = born(halted=False)

    trade = adopted.trade
    attempt = Attempt(
        client_order_id=f"{trade.trade_id}-close-1",
        purpose=Purpose.CLOSE,
        attempt=1,
        state=AttemptState.WANTED,
        quantity=D(4),
    )
    assert closing.trade == replace(
        trade, state=TradeState.CLOSING, version=2, close_wanted=D(4), close_reason="late fill", attempts=(attempt,),
        next_attempt_ns=at(21),
    )  # fmt: skip
    assert [(each.from_state, each.to_state) for each in closing.edges] == [("open", "closing")]
    assert [mark.client_order_id for mark in closing.marks] == [attempt.client_order_id]


@pytest.mark.parametrize(
    ("purpose", "side", "price", "held", "at_price"),
    [
        (Purpose.ENTRY, Side.YES, "0.35", Side.YES, "0.35"),
        (Purpose.CLOSE, Side.NO, "0.35", Side.YES, "0.65"),
        (Purpose.CLOSE, Side.LONG, "49000", Side.SHORT, "49000"),
    ],
)
def test_a_late_fill_holds_what_it_bought(purpose: Purpose, side: Side, price: str, held: Side, at_price: str) -> None:
    """A close has sold what was not there any more."""
    adopted, _ = born(purpose, price, side=side)

    assert (adopted.trade.side, adopted.trade.entry_price) == (held, D(at_price))


def test_a_late_fill_of_a_market_that_has_closed_waits_for_its_result() -> None:
    _, expired = born(close_ts=at(20), result=None, payout=None)

    assert (expired.trade.state, expired.marks) == (TradeState.EXPIRED, ())
