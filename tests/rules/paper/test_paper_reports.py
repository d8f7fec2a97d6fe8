"""What the simulated venue reports of an order, word for word."""

from typing import Any

import msgspec

from actors.rules.paper.restore import InStream
from bus.messages.market import Lifecycle
from bus.messages.orders import OrderReport, ReportStatus, VenueOrder, VenueOrdersRequest
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Purpose
from tests.rules.paper.builders import (
    LATENCY_NS,
    T0,
    TICKER,
    D,
    S,
    Venue,
    a_cancel,
    a_close,
    a_trade,
    an_entry_fill,
    an_order,
)

DECIDED = T0 + LATENCY_NS


def a_report(status: ReportStatus, ts: int = DECIDED, **parts: Any) -> OrderReport:  # a builder takes any field
    return OrderReport(client_order_id="t1-entry-1", ts=ts, status=status, **parts)


def a_fill(number: int, price: str, quantity: int, total: int, ts: int = DECIDED) -> OrderReport:
    """A fill at two cents a contract; `total` of ten is filled then."""
    return a_report(
        ReportStatus.FILLED if total == 10 else ReportStatus.PARTIALLY_FILLED,
        ts,
        fill_id=f"t1-entry-1-f{number}",
        fill_price=D(price),
        fill_quantity=D(quantity),
        fees=D("0.02") * quantity,
        cumulative_quantity=D(total),
    )


def rested() -> Venue:
    venue = Venue().quote(yes_ask="0.60")
    venue.order(an_order(time_in_force="gtc", limit_price=D("0.40")))
    return venue.at(T0 + S)


def test_an_order_that_fills_whole_is_accepted_and_filled() -> None:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order())

    assert venue.at(DECIDED).reports == [a_report(ReportStatus.ACCEPTED), a_fill(1, "0.40", 10, 10)]


def test_of_an_order_that_never_rested_no_timer_is_cancelled() -> None:
    venue = Venue().quote(yes_ask="0.40")
    [timer] = venue.order(an_order())
    assert isinstance(timer, SetTimer)

    said = venue.hear(TimerFired(owner=timer.owner, key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))

    assert said == venue.reports


def test_a_trade_that_was_filled_here_in_parts_brings_nothing_along() -> None:
    venue = rested().quote(yes_ask="0.40", yes_ask_size="4").quote(yes_ask="0.40")
    fills = tuple(
        msgspec.structs.replace(an_entry_fill(quantity), fill_id=f"t1-entry-1-f{number}")
        for number, quantity in ((1, "4"), (2, "6"))
    )

    venue.hear(a_trade(fills=fills))

    assert venue.position() == D(10)


def test_what_is_left_of_an_order_is_cancelled_with_what_it_had_filled() -> None:
    venue = Venue().quote(yes_ask="0.40", yes_ask_size="4")
    venue.order(an_order())

    assert venue.at(DECIDED).reports == [
        a_report(ReportStatus.ACCEPTED),
        a_fill(1, "0.40", 4, 4),
        a_report(ReportStatus.CANCELLED, reason="no more was offered", cumulative_quantity=D(4)),
    ]


def test_each_fill_of_a_resting_order_has_its_number_its_instant_and_the_sum_so_far() -> None:
    venue = rested().quote(yes_ask="0.30", yes_ask_size="4").at(T0 + 2 * S).quote(yes_ask="0.35")

    assert venue.reports == [
        a_report(ReportStatus.ACCEPTED),
        a_fill(1, "0.40", 4, 4, T0 + S),
        a_fill(2, "0.40", 6, 10, T0 + 2 * S),
    ]


def test_a_resting_order_is_asked_for_by_when_it_was_last_filled() -> None:
    venue = rested().quote(yes_ask="0.40", yes_ask_size="4")
    since = VenueOrdersRequest(account="acc", since=T0 + S)

    assert venue.book.orders(since).orders == (
        VenueOrder(
            client_order_id="t1-entry-1",
            status=ReportStatus.PARTIALLY_FILLED,
            cumulative_quantity=D(4),
            average_price=D("0.40"),
            fees=D("0.08"),
        ),
    )
    assert venue.book.orders(VenueOrdersRequest(account="acc", since=T0 + S + 1)).orders == ()


def test_the_promise_never_to_send_an_order_is_a_cancel_with_its_reason() -> None:
    venue = Venue()

    venue.order(a_cancel(an_order(), reason="too slow"))

    assert venue.reports == [a_report(ReportStatus.CANCELLED, T0, reason="too slow", cumulative_quantity=D(0))]


def test_an_order_that_a_restart_caught_is_cancelled_then_with_what_it_had_filled() -> None:
    accepted, filled = a_report(ReportStatus.ACCEPTED), a_fill(1, "0.40", 4, 4)
    after = Venue().at(T0 + S)

    after.listen(after.book.restore([an_order(), accepted, accepted, filled], [a_trade(open_quantity=D(0))], T0 + S))

    reason = "the venue was restarted"
    assert after.reports == [a_report(ReportStatus.CANCELLED, T0 + S, reason=reason, cumulative_quantity=D(4))]
    after.reports.clear()
    after.order(an_order())
    assert [report.status for report in after.reports] == ["accepted", "partially_filled", "cancelled"]


def test_what_was_reported_before_a_restart_is_asked_for_by_when_it_was_reported() -> None:
    after = Venue()
    stream: list[InStream] = [an_order(), a_report(ReportStatus.ACCEPTED), a_fill(1, "0.40", 10, 10)]

    after.book.restore(stream, [a_trade(open_quantity=D(0))], T0 + S)

    found = [after.book.orders(VenueOrdersRequest(account="acc", since=DECIDED + late)).orders for late in (0, 1)]
    assert [len(orders) for orders in found] == [1, 0]


def test_orders_that_came_too_late_while_the_venue_was_away_are_all_told_so() -> None:
    orders = [an_order(trade_id=f"t{number}") for number in (1, 2, 3)]
    after = Venue().at(T0 + 60 * S)

    after.listen(after.book.restore(orders, [], T0 + 60 * S))

    assert [(report.client_order_id, report.status) for report in after.reports] == [
        (order.client_order_id, ReportStatus.EXPIRED) for order in orders
    ]


def test_a_resting_order_expires_right_after_its_time_though_its_market_closes_later() -> None:
    venue = rested()
    venue.hear(Lifecycle(ticker=TICKER, ts=T0, event="close_ts_changed", close_ts=T0 + 60 * S))

    over = a_report(ReportStatus.EXPIRED, T0 + 30 * S + 1, reason="its time is over", cumulative_quantity=D(0))
    assert venue.at(T0 + 90 * S).reports[1:] == [over]


def test_a_trade_that_was_closed_in_part_here_brings_nothing_along() -> None:
    venue = Venue().holding().quote(yes_bid="0.30")
    venue.order(a_close(quantity=D(4), ts=venue.now_ns))
    venue.at(venue.now_ns + S)
    part = msgspec.structs.replace(
        an_entry_fill("4"), fill_id="t1-close-1-f1", client_order_id="t1-close-1", purpose=Purpose.CLOSE
    )

    venue.hear(a_trade(open_quantity=D(6), fills=(an_entry_fill(), part)))

    assert venue.position() == D(6)


def test_a_market_order_fills_whatever_limit_it_names() -> None:
    venue = Venue().quote(yes_ask="0.60")
    venue.order(an_order(order_type="market", limit_price=D("0.40")))

    assert venue.at(DECIDED).fills("t1-entry-1") == [(D("0.60"), D(10))]
