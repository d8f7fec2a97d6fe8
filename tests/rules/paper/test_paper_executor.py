"""What the simulated venue takes in and what it refuses; markets that close; faults that were asked for."""

import pytest

from actors.rules.paper.faults import Fault, Faults
from bus.messages.market import Lifecycle, Quote, Result, Ticks
from bus.messages.orders import Action, OrderArrived, OrderReport, ReportStatus, VenueOrdersRequest
from bus.messages.timers import SetTimer
from bus.messages.trades import Mode, Side, TradeState
from tests.rules.paper.builders import (
    LATENCY_NS,
    MS,
    T0,
    TICKER,
    D,
    S,
    Venue,
    a_cancel,
    a_close,
    a_quote,
    a_trade,
    an_entry_fill,
    an_order,
)

ACCEPTED, FILLED, CANCELLED = ReportStatus.ACCEPTED, ReportStatus.FILLED, ReportStatus.CANCELLED
PARTIALLY_FILLED, REJECTED, EXPIRED = ReportStatus.PARTIALLY_FILLED, ReportStatus.REJECTED, ReportStatus.EXPIRED


def test_an_entry_that_reduces_and_a_close_that_adds_are_rejected() -> None:
    venue = Venue().quote(yes_bid="0.30", yes_ask="0.40")

    venue.order(an_order(action=Action.SELL))
    venue.order(a_close(action=Action.BUY, reduce_only=False))

    assert [report.status for report in venue.reports] == [REJECTED, REJECTED]


def test_an_order_of_another_mode_is_rejected() -> None:
    """Lesson 60: a live order never reaches a paper venue's book."""
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order(mode=Mode.LIVE))
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == [REJECTED]


def test_an_epoch_lower_than_the_highest_seen_is_rejected() -> None:
    """Fault 45: an older leader's order is refused."""
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order(trade_id="t2", epoch=7))

    venue.order(an_order(epoch=6))
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == [REJECTED]


def test_a_cancel_of_an_older_epoch_is_not_heard() -> None:
    venue = Venue().quote(yes_ask="0.40")
    order = an_order(epoch=7)
    venue.order(order)

    venue.order(a_cancel(order, epoch=6))
    venue.at(T0 + LATENCY_NS)

    assert venue.statuses("t1-entry-1") == [ACCEPTED, FILLED]


def test_an_order_that_comes_after_its_expires_ts_is_told_to_have_expired() -> None:
    venue = Venue().quote(yes_ask="0.40").at(T0 + 31 * S)

    venue.order(an_order())
    venue.at(T0 + 40 * S)

    assert venue.statuses("t1-entry-1") == [EXPIRED]


def test_an_order_whose_latency_ends_after_its_expires_ts_does_not_fill() -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order(expires_ts=T0 + LATENCY_NS - 1))
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == [EXPIRED]


def test_an_order_may_fill_at_the_very_moment_of_its_expires_ts() -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order(expires_ts=T0 + LATENCY_NS))
    venue.at(T0 + LATENCY_NS)

    assert venue.statuses("t1-entry-1") == [ACCEPTED, FILLED]


def test_a_redelivered_order_is_answered_with_the_same_reports_and_fills_once() -> None:
    """Faults 4 and 24, Lesson 24: the id is looked up first."""
    venue = Venue().holding()
    before = list(venue.reports)

    said = venue.order(an_order())
    venue.at(venue.now_ns + S)

    assert said == before
    assert venue.position() == D(10)


def test_an_order_redelivered_on_its_way_sets_its_timer_again_and_fills_once() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order())

    said = venue.order(an_order())
    venue.at(T0 + S)

    assert [type(word) for word in said] == [SetTimer]
    assert venue.statuses("t1-entry-1") == [ACCEPTED, FILLED]


def test_the_first_order_of_an_id_stands_whatever_a_later_one_says() -> None:
    """Fault 25"""
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order())

    venue.order(an_order(quantity=D(500)))
    venue.at(T0 + S)

    assert venue.position() == D(10)


def test_a_cancel_that_comes_first_promises_never_to_send_its_order() -> None:
    venue = Venue().quote(yes_ask="0.40")
    order = an_order()
    venue.order(a_cancel(order))

    venue.order(order)
    venue.at(T0 + S)

    assert set(venue.statuses("t1-entry-1")) == {CANCELLED}
    assert venue.position() == D(0)


def test_a_cancel_does_not_overtake_its_order() -> None:
    venue = Venue().quote(yes_ask="0.40")
    order = an_order()
    venue.order(order)

    venue.at(T0 + MS).order(a_cancel(order, ts=T0 + MS))
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == [ACCEPTED, FILLED]


def test_a_cancel_of_an_ended_order_is_answered_with_how_it_ended() -> None:
    venue = Venue().holding()

    said = venue.order(a_cancel(an_order()))

    assert [word.status for word in said if isinstance(word, OrderReport)] == [ACCEPTED, FILLED]


def test_a_close_without_a_position_is_rejected() -> None:
    venue = Venue().quote(yes_bid="0.30")

    venue.order(a_close())
    venue.at(T0 + LATENCY_NS)

    assert venue.statuses("t1-close-1") == [REJECTED]


def test_a_close_never_exceeds_the_position_held() -> None:
    venue = Venue().holding()

    venue.order(a_close(quantity=D(25), ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D("0.38"), D(10))]
    assert venue.statuses("t1-close-1") == [ACCEPTED, PARTIALLY_FILLED, CANCELLED]


def test_a_resting_close_counts_against_the_position() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", quantity=D(7), ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS).quote(yes_bid="0.02")

    venue.order(a_close(attempt=2, ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-2") == [(D("0.02"), D(3))]


def test_at_one_instant_the_close_goes_before_the_entry() -> None:
    venue = Venue().holding()

    venue.order(an_order(trade_id="t2", ts=venue.now_ns))
    venue.order(a_close(ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert [report.client_order_id for report in venue.reports[-4:]] == ["t1-close-1"] * 2 + ["t2-entry-1"] * 2


def test_an_adopted_trade_brings_its_position_along_once() -> None:
    venue = Venue().quote(yes_bid="0.30")
    venue.hear(a_trade())
    venue.hear(a_trade(version=3))

    venue.order(a_close(quantity=D(50)))
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D("0.30"), D(10))]


def test_a_position_adopted_after_its_request_was_heard_counts() -> None:
    venue = Venue()
    venue.hear(a_trade(state=TradeState.REQUESTED, open_quantity=D(0), version=1))

    venue.hear(a_trade())

    assert venue.position() == D(10)


def test_a_trade_that_was_filled_here_brings_nothing_along() -> None:
    venue = Venue()
    venue.hear(a_trade(open_quantity=D(0), version=1))

    venue.holding().hear(a_trade(fills=(an_entry_fill(),)))

    assert venue.position() == D(10)


def test_a_live_trade_is_none_of_its_business() -> None:
    venue = Venue()

    venue.hear(a_trade(mode=Mode.LIVE))

    assert venue.position() == D(0)


def test_a_netting_venue_takes_the_other_side_off_first() -> None:
    venue = Venue(netting=True, style="buy_opposite").holding().quote(no_ask="0.55")

    venue.order(a_close(side=Side.NO, action=Action.BUY, ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D("0.55"), D(10))]
    assert (venue.position(Side.YES), venue.position(Side.NO)) == (D(0), D(0))


@pytest.mark.parametrize(
    ("style", "side", "action"),
    [("sell", Side.NO, Action.BUY), ("buy_opposite", Side.YES, Action.SELL)],
)
def test_a_close_in_the_other_venues_style_is_rejected(style: str, side: Side, action: Action) -> None:
    venue = Venue(style=style).holding()

    venue.order(a_close(side=side, action=action, ts=venue.now_ns))

    assert venue.statuses("t1-close-1") == [REJECTED]


@pytest.mark.parametrize("event", ["close", "determined", "settled"])
def test_a_closed_market_fills_nothing_and_its_resting_orders_expire(event: str) -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event=event))

    assert venue.statuses("t1-close-1") == [ACCEPTED, EXPIRED]
    venue.quote(yes_bid="0.50")
    assert venue.fills("t1-close-1") == []


def test_an_order_for_a_closed_market_is_rejected() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="close"))

    venue.order(an_order())
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == [REJECTED]


def test_a_resting_order_expires_at_the_known_close_time() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="created", close_ts=T0 + 3 * S))
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))

    venue.at(T0 + 3 * S).quote(yes_bid="0.50")

    assert venue.statuses("t1-close-1") == [ACCEPTED, EXPIRED]


def test_a_moved_close_time_moves_the_expiry_of_what_rests() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="created", close_ts=T0 + 9 * S))
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(T0 + S)

    venue.hear(Lifecycle(ticker=TICKER, ts=T0 + S, event="close_ts_changed", close_ts=T0 + 3 * S))
    venue.at(T0 + 3 * S)

    assert venue.statuses("t1-close-1") == [ACCEPTED, EXPIRED]


def test_a_halted_market_fills_nothing_until_it_is_resumed() -> None:
    venue = Venue().holding().quote(yes_bid="0.30")
    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="halted"))
    venue.order(a_close(ts=venue.now_ns))
    venue.at(T0 + S)

    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="resumed"))
    venue.order(a_close(attempt=2, ts=venue.now_ns))
    venue.at(T0 + 2 * S)

    assert (venue.statuses("t1-close-1"), venue.fills("t1-close-2")) == ([ACCEPTED, CANCELLED], [(D("0.30"), D(10))])


def test_a_market_that_is_halted_stays_so_while_its_close_time_moves() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="halted"))
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="close_ts_changed", close_ts=T0 + 60 * S))

    venue.order(an_order())

    assert venue.at(T0 + S).reports[-1].reason == "the market is halted"


def test_a_trade_of_a_market_that_has_ended_brings_nothing_along() -> None:
    venue = Venue()
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="settled"))

    venue.hear(a_trade())

    assert venue.position() == D(0)


def test_a_market_that_ended_without_a_result_has_paid_nobody_yet() -> None:
    venue = Venue().holding()

    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="determined"))

    assert venue.position() == D(10)


def test_what_was_heard_of_a_market_s_close_time_stands_whatever_a_trade_says() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="created", close_ts=T0 + 60 * S))
    venue.hear(a_trade(trade_id="t2", close_ts=T0))

    venue.order(an_order())

    assert venue.at(T0 + S).statuses("t1-entry-1") == [ACCEPTED, FILLED]


def test_each_order_waits_for_its_own_latency() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order())
    venue.order(an_order(trade_id="t2", ts=T0 + 1))

    venue.at(T0 + LATENCY_NS)

    assert (venue.statuses("t1-entry-1"), venue.statuses("t2-entry-1")) == ([ACCEPTED, FILLED], [])


def test_an_order_of_which_nothing_is_said_is_not_answered_again_either() -> None:
    venue = Venue(faults=Faults(named={"t1-entry-1": Fault.SILENCE})).quote(yes_ask="0.40")
    venue.order(an_order())
    venue.at(T0 + S)

    assert venue.order(an_order()) == []


def test_two_adopted_trades_of_a_ticker_bring_both_positions_along() -> None:
    venue = Venue()

    venue.hear(a_trade())
    venue.hear(a_trade(trade_id="t2", quantity=D(5), open_quantity=D(5)))

    assert venue.position() == D(15)


def test_a_settled_market_leaves_the_positions_of_others() -> None:
    venue = Venue().holding()

    venue.hear(Lifecycle(ticker="OTHER", ts=venue.now_ns, event="determined", result=Result.NO))

    assert venue.position() == D(10)


def test_a_settled_market_pays_its_positions_out() -> None:
    venue = Venue().holding()

    venue.hear(Lifecycle(ticker=TICKER, ts=venue.now_ns, event="determined", result=Result.NO))

    assert venue.position() == D(0)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (Fault.REJECT, [REJECTED]),
        (Fault.PARTIAL, [ACCEPTED, PARTIALLY_FILLED, CANCELLED]),
        (Fault.SILENCE, []),
        (Fault.DUPLICATE, [ACCEPTED, ACCEPTED, FILLED, FILLED]),
        (Fault.LATE, [ACCEPTED]),
    ],
)
def test_a_fault_happens_when_it_is_asked_for(fault: Fault, statuses: list[ReportStatus]) -> None:
    venue = Venue(faults=Faults(named={"t1-entry-1": fault}, late_ns=5 * S)).quote(yes_ask="0.40")

    venue.order(an_order())
    venue.at(T0 + S)

    assert venue.statuses("t1-entry-1") == statuses


def test_a_late_fill_is_reported_late_with_its_own_instant() -> None:
    """Fault 28"""
    venue = Venue(faults=Faults(named={"t1-entry-1": Fault.LATE}, late_ns=5 * S)).quote(yes_ask="0.40")
    venue.order(an_order())

    venue.at(T0 + LATENCY_NS + 5 * S)

    assert (venue.reports[-1].status, venue.reports[-1].ts) == (FILLED, T0 + LATENCY_NS)


def test_a_silent_orders_fill_is_found_by_asking() -> None:
    """Fault 6: the venue is asked by client_order_id."""
    venue = Venue(faults=Faults(every={Fault.SILENCE: 1})).quote(yes_ask="0.40")
    venue.order(an_order())
    venue.at(T0 + S)

    answer = venue.book.orders(VenueOrdersRequest(account="acc", client_order_id="t1-entry-1"))

    assert [(order.status, order.cumulative_quantity) for order in answer.orders] == [(FILLED, D(10))]


def test_every_third_order_goes_wrong_when_asked() -> None:
    venue = Venue(faults=Faults(every={Fault.REJECT: 3})).quote(yes_ask="0.40")

    for number in range(1, 7):
        venue.order(an_order(trade_id=f"t{number}"))
    venue.at(T0 + S)

    rejected = {report.client_order_id for report in venue.reports if report.status is REJECTED}
    assert rejected == {"t3-entry-1", "t6-entry-1"}


def test_a_word_that_raises_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 41: after a crash the state is the one before the poison."""
    venue = Venue().holding().quote(yes_ask="0.05")
    for attempt in (1, 2):
        venue.order(
            a_close(attempt=attempt, quantity=D(5), limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns)
        )
    venue.at(venue.now_ns + LATENCY_NS)
    real = venue.book._executor._matching._fee_of
    fees = iter([D("0.01")])
    monkeypatch.setattr(venue.book._executor._matching, "_fee_of", lambda _price, _quantity: next(fees))

    with pytest.raises(StopIteration):
        venue.hear(Ticks(batch=(a_quote(ts=venue.now_ns, yes_bid="0.10"),), received_ns=venue.now_ns))
    monkeypatch.setattr(venue.book._executor._matching, "_fee_of", real)

    assert venue.position() == D(10)
    venue.quote(yes_bid="0.10")
    assert [venue.fills(f"t1-close-{attempt}") for attempt in (1, 2)] == [[(D("0.04"), D(5))]] * 2


@pytest.mark.parametrize("word", [Quote(ticker=TICKER, ts=T0), "not a word", None])
def test_what_is_not_its_own_it_does_not_hear(word: object) -> None:
    assert Venue().book.handle(word) == []


def test_an_order_that_arrives_late_is_decided_by_its_timer_at_once() -> None:
    venue = Venue().quote(yes_ask="0.40").at(T0 + S)

    said = venue.hear(OrderArrived(order=an_order(), token="t", sequence=1, now_ns=venue.now_ns))

    assert said == [SetTimer(owner="paper_venue", key="decide:t1-entry-1", due_ns=T0 + LATENCY_NS)]
