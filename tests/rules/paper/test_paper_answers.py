"""What the simulated venue answers when it is asked, and what it knows after a restart."""

from dataclasses import dataclass

from actors.rules.paper.restore import InStream
from bus.messages.orders import OrderSubmit, ReportStatus, VenueOrdersRequest
from bus.messages.trades import Fill, Purpose, Trade
from tests.rules.paper.builders import LATENCY_NS, T0, D, S, Venue, a_cancel, a_close, a_trade, an_entry_fill, an_order

ASK = VenueOrdersRequest(account="acc")


def three_trades(page_rows: int = 2) -> Venue:
    venue = Venue(page_rows=page_rows).quote(yes_ask="0.40", yes_bid="0.38")
    for name in ("a", "b", "c"):
        venue.order(an_order(trade_id=name))
    return venue.at(T0 + LATENCY_NS)


def test_orders_are_paged_to_the_end_of_the_cursor() -> None:
    """Lesson 44: paging to the cursor's end."""
    venue = three_trades()

    first = venue.book.orders(ASK)
    second = venue.book.orders(VenueOrdersRequest(account="acc", after=first.next))

    names = [order.client_order_id for order in (*first.orders, *second.orders)]
    assert (names, second.next) == (["a-entry-1", "b-entry-1", "c-entry-1"], None)


def test_fills_are_paged_to_the_end_of_the_cursor() -> None:
    venue = three_trades()

    first = venue.book.fills(ASK)
    second = venue.book.fills(VenueOrdersRequest(account="acc", after=first.next))

    names = [fill.fill_id for fill in (*first.fills, *second.fills)]
    assert (names, second.next) == (["a-entry-1-f1", "b-entry-1-f1", "c-entry-1-f1"], None)


def test_fills_are_paged_one_at_a_time_where_a_page_has_one_row() -> None:
    answer = three_trades(page_rows=1).book.fills(ASK)

    assert ([fill.fill_id for fill in answer.fills], answer.next) == (["a-entry-1-f1"], "a-entry-1-f1")


def test_positions_are_paged_to_the_end_of_the_cursor() -> None:
    venue = Venue(page_rows=2)
    for ticker in ("A", "B", "C"):
        venue.quote(ticker, yes_ask="0.40")
        venue.order(an_order(trade_id=ticker, ticker=ticker))
    venue.at(T0 + LATENCY_NS)

    first = venue.book.positions(ASK)
    second = venue.book.positions(VenueOrdersRequest(account="acc", after=first.next))

    assert [held.ticker for held in (*first.positions, *second.positions)] == ["A", "B", "C"]


def test_orders_are_told_in_the_order_in_which_they_came_also_those_that_will_never_be_sent() -> None:
    venue = Venue()
    for name in ("c", "a", "b"):
        order = an_order(trade_id=name)
        venue.order(a_cancel(order) if name == "a" else order)

    names = [order.client_order_id for order in venue.book.orders(ASK).orders]

    assert names == ["c-entry-1", "a-entry-1", "b-entry-1"]


def test_a_cursor_that_nobody_gave_out_is_an_error() -> None:
    """Fault 54: no answer is not an empty one."""
    answer = three_trades().book.orders(VenueOrdersRequest(account="acc", after="nobody"))

    assert answer.error is not None


def test_another_accounts_orders_are_not_shown() -> None:
    assert three_trades().book.orders(VenueOrdersRequest(account="other")).orders == ()


def test_what_happened_before_since_is_left_out() -> None:
    venue = three_trades()

    assert venue.book.fills(VenueOrdersRequest(account="acc", since=T0 + LATENCY_NS + 1)).fills == ()


def test_an_order_shows_the_average_of_its_fills() -> None:
    venue = Venue().holding().quote(yes_bid="0.30", yes_bid_size="4")
    venue.order(a_close(limit_price=D("0.25"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS).quote(yes_bid="0.28")

    answer = venue.book.orders(VenueOrdersRequest(account="acc", client_order_id="t1-close-1"))

    assert answer.orders[0].average_price == D("0.27")
    assert answer.orders[0].fees == D("0.20")


def test_an_order_on_its_way_is_known_to_a_lookup() -> None:
    venue = Venue()
    venue.order(an_order())

    answer = venue.book.orders(VenueOrdersRequest(account="acc", client_order_id="t1-entry-1"))

    assert [order.status for order in answer.orders] == [ReportStatus.ACCEPTED]


def booked(quantity: str = "10") -> Trade:
    """The trade with the fill that the venue gave it."""
    return a_trade(open_quantity=D(quantity), fills=(an_entry_fill(quantity),))


@dataclass
class Stream:
    """What ORDERS would hold: the orders as they were published, and whatever `before` reported."""

    before: Venue
    orders: list[OrderSubmit]

    def words(self) -> list[InStream]:
        return [*self.orders, *self.before.reports]


def test_after_a_restart_the_position_is_the_same_and_the_close_fills() -> None:
    before = Venue().holding()
    after = Venue().at(before.now_ns).quote(yes_bid="0.30")

    after.listen(after.book.restore(Stream(before, [an_order()]).words(), [booked()], after.now_ns))
    after.order(a_close(ts=after.now_ns))
    after.at(after.now_ns + LATENCY_NS)

    assert after.fills("t1-close-1") == [(D("0.30"), D(10))]
    assert after.position() == D(0)


def test_after_a_restart_a_redelivered_order_is_answered_as_before() -> None:
    """K16 and K17: known to the venue, lost to us."""
    before = Venue().holding()
    after = Venue().at(before.now_ns).quote(yes_ask="0.10")
    after.book.restore(Stream(before, [an_order()]).words(), [booked()], after.now_ns)

    said = after.order(an_order())

    assert said == before.reports


def test_after_a_restart_an_order_is_told_with_what_it_cost() -> None:
    before = Venue().holding()
    asked = VenueOrdersRequest(account="acc", client_order_id="t1-entry-1")
    after = Venue().at(before.now_ns)

    after.book.restore(Stream(before, [an_order()]).words(), [booked()], after.now_ns)

    [order] = after.book.orders(asked).orders
    assert order.fees == D("0.20")
    assert [order] == list(before.book.orders(asked).orders)


def test_an_order_that_was_on_its_way_is_decided_after_the_restart() -> None:
    after = Venue().quote(yes_ask="0.40")

    after.listen(after.book.restore([an_order()], [a_trade(open_quantity=D(0))], T0))
    after.at(T0 + LATENCY_NS)

    assert after.fills("t1-entry-1") == [(D("0.40"), D(10))]


def test_an_order_that_expired_while_the_venue_was_away_never_fills() -> None:
    after = Venue().at(T0 + 60 * S).quote(yes_ask="0.40")

    after.listen(after.book.restore([an_order()], [a_trade(open_quantity=D(0))], after.now_ns))
    after.at(T0 + 61 * S)

    assert after.statuses("t1-entry-1") == [ReportStatus.EXPIRED]


def test_an_ioc_caught_in_the_middle_is_cancelled_with_what_it_had_filled() -> None:
    before = Venue().quote(yes_ask="0.40", yes_ask_size="4")
    before.order(an_order())
    before.at(T0 + LATENCY_NS)
    lost_its_end: list[InStream] = [an_order(), *before.reports[:-1]]
    after = Venue().at(T0 + S).quote(yes_ask="0.40")

    after.listen(after.book.restore(lost_its_end, [booked("4")], after.now_ns))

    assert [(report.status, report.cumulative_quantity) for report in after.reports] == [(ReportStatus.CANCELLED, D(4))]
    assert after.position() == D(4)


def test_a_resting_order_rests_on_after_a_restart() -> None:
    before = Venue().holding().quote(yes_ask="0.05")
    rests = a_close(limit_price=D("0.04"), time_in_force="gtc", ts=before.now_ns)
    before.order(rests)
    before.at(before.now_ns + LATENCY_NS)
    after = Venue().at(before.now_ns)

    after.listen(after.book.restore(Stream(before, [an_order(), rests]).words(), [booked()], after.now_ns))
    after.quote(yes_bid="0.04")

    assert after.fills("t1-close-1") == [(D("0.04"), D(10))]


def test_a_promise_never_to_send_outlives_a_restart() -> None:
    order = an_order()
    after = Venue().quote(yes_ask="0.40")

    after.listen(after.book.restore([a_cancel(order)], [], T0))
    after.order(order)
    after.at(T0 + S)

    assert set(after.statuses("t1-entry-1")) == {ReportStatus.CANCELLED}


def test_a_position_older_than_the_stream_stands_on_its_trade() -> None:
    old = Fill(
        fill_id="old",
        client_order_id="t1-entry-1",
        purpose=Purpose.ENTRY,
        price=D("0.4"),
        quantity=D(10),
        fees=D(0),
        ts=T0,
    )
    after = Venue()

    after.book.restore([], [a_trade(fills=(old,))], T0)

    assert after.position() == D(10)


def test_a_fill_in_the_stream_and_on_its_trade_is_counted_once() -> None:
    before = Venue().holding()
    after = Venue()

    after.book.restore(Stream(before, [an_order()]).words(), [booked()], before.now_ns)

    assert after.position() == D(10)


def test_a_fill_in_the_stream_that_the_journal_has_not_seen_counts() -> None:
    before = Venue().holding()
    after = Venue()

    after.book.restore(Stream(before, [an_order()]).words(), [a_trade(open_quantity=D(0))], before.now_ns)

    assert after.position() == D(10)


def test_a_trade_that_has_ended_holds_nothing_after_a_restart() -> None:
    before = Venue().holding()
    after = Venue()

    after.book.restore(Stream(before, [an_order()]).words(), [], before.now_ns)

    assert after.position() == D(0)


def test_a_close_time_is_known_after_a_restart() -> None:
    after = Venue().at(T0 + 10 * S).quote(yes_bid="0.30")
    after.listen(after.book.restore([], [a_trade(close_ts=T0 + 5 * S)], after.now_ns))

    after.order(a_close(ts=after.now_ns))
    after.at(after.now_ns + LATENCY_NS)

    assert after.statuses("t1-close-1") == [ReportStatus.REJECTED]
