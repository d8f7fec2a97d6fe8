"""What the simulated venue makes of cancels, netting and resting orders, also after a restart."""

import pytest

from actors.rules.paper.restore import InStream
from bus.messages.orders import OrderSubmit, ReportStatus, VenueOrdersRequest
from bus.messages.trades import Side, TradeState
from tests.rules.paper.builders import (
    T0,
    D,
    S,
    Venue,
    a_cancel,
    a_trade,
    an_order,
)


def resting(trade_id: str = "t1", **changes: object) -> OrderSubmit:
    return an_order(trade_id=trade_id, time_in_force="gtc", limit_price=D("0.40"), **changes)


def restored(*words: InStream, seconds: float = 1, trades: tuple[str, ...] = ("t1",)) -> Venue:
    """A venue that begins with these words in its stream; what it says then is heard."""
    after = Venue().at(T0 + int(seconds * S)).quote(yes_ask="0.60")
    open_trades = [a_trade(trade_id=trade_id, open_quantity=D(0)) for trade_id in trades]
    after.listen(after.book.restore(list(words), open_trades, after.now_ns))
    return after


def lived(*words: OrderSubmit) -> Venue:
    before = Venue().quote(yes_ask="0.60")
    for word in words:
        before.order(word)
    return before.at(T0 + S)


def test_a_cancel_in_the_stream_ends_a_resting_order_that_it_had_not_reached() -> None:
    order = resting()

    after = restored(order, *lived(order).reports, a_cancel(order, reason="too slow"))

    assert [(report.status, report.reason) for report in after.reports] == [(ReportStatus.CANCELLED, "too slow")]


def test_a_cancel_of_an_order_that_had_ended_says_nothing_more() -> None:
    order = an_order()
    before = lived(order)

    after = restored(order, *before.reports, a_cancel(order))

    assert after.reports == []


def test_a_promise_that_was_answered_stands_as_it_was_answered() -> None:
    order = an_order()
    before = Venue()
    before.order(a_cancel(order))

    after = restored(a_cancel(order), *before.reports)
    after.order(order)

    assert after.reports == before.reports


def test_an_order_that_was_filled_in_parts_and_ended_is_answered_with_all_that_was_reported() -> None:
    order = resting()
    before = lived(order).quote(yes_ask="0.40", yes_ask_size="4").quote(yes_ask="0.40", yes_ask_size="3")
    before.at(T0 + 40 * S)

    after = restored(order, *before.reports, seconds=60)
    after.order(order)

    assert [report.status for report in before.reports] == ["accepted", *["partially_filled"] * 2, "expired"]
    assert after.reports == before.reports
    assert after.position() == D(7)


def test_a_promise_that_was_answered_is_asked_for_by_when_its_cancel_came() -> None:
    order = an_order()
    before = Venue()
    before.order(a_cancel(order))

    after = restored(a_cancel(order), *before.reports)

    asked = [after.book.orders(VenueOrdersRequest(account="acc", since=T0 + late)).orders for late in (0, 1)]
    assert [len(orders) for orders in asked] == [1, 0]


def test_a_cancel_in_the_stream_leaves_standing_what_was_said_before_it() -> None:
    late, order = an_order(trade_id="t2", expires_ts=T0), resting()

    after = restored(late, order, *lived(order).reports, a_cancel(order))

    assert [report.client_order_id for report in after.reports] == ["t2-entry-1", "t1-entry-1"]


def test_each_order_that_an_interruption_caught_is_ended_and_told() -> None:
    orders = [an_order(trade_id=f"t{number}") for number in (1, 2)]
    accepted = [report for report in lived(*orders).reports if report.status is ReportStatus.ACCEPTED]

    after = restored(*orders, *accepted, trades=("t1", "t2"))

    assert [(report.client_order_id, report.status, report.reason) for report in after.reports] == [
        (order.client_order_id, ReportStatus.CANCELLED, "the venue was restarted") for order in orders
    ]


def test_a_resting_order_between_two_that_were_caught_rests_on() -> None:
    caught, rests = an_order(trade_id="t1"), resting("t2")
    accepted = [report for report in lived(caught, rests).reports if report.status is ReportStatus.ACCEPTED]

    after = restored(rests, caught, *accepted, trades=("t1", "t2")).quote(yes_ask="0.40")

    assert after.statuses("t1-entry-1") == [ReportStatus.CANCELLED]
    assert after.fills("t2-entry-1") == [(D("0.40"), D(10))]


def test_every_order_that_nobody_had_answered_is_taken_in_again() -> None:
    orders = [an_order(trade_id=f"t{number}") for number in (1, 2)]

    after = restored(*orders, seconds=0, trades=("t1", "t2")).quote(yes_ask="0.40").at(T0 + S)

    assert [after.statuses(order.client_order_id)[-1] for order in orders] == [ReportStatus.FILLED] * 2


def test_an_order_that_stands_twice_in_the_stream_is_one() -> None:
    after = restored(an_order(), an_order(), seconds=0).quote(yes_ask="0.40").at(T0 + S)

    assert after.position() == D(10)


@pytest.mark.parametrize(("bought", "yes", "no"), [("4", "6", "0"), ("10", "0", "0"), ("12", "0", "2")])
def test_where_the_venue_nets_the_other_side_is_taken_off_first(bought: str, yes: str, no: str) -> None:
    venue = Venue(netting=True).holding().quote(no_ask="0.50")
    venue.order(an_order(trade_id="t2", side=Side.NO, quantity=D(bought), ts=venue.now_ns))
    venue.at(venue.now_ns + S)

    assert (venue.position(), venue.position(Side.NO)) == (D(yes), D(no))


def test_an_order_that_was_answered_and_stands_twice_in_the_stream_is_one() -> None:
    order = an_order()
    before = Venue().quote(yes_ask="0.40")
    before.order(order)
    before.at(T0 + S)

    after = restored(order, order, *before.reports)

    assert after.position() == D(10)


def test_where_it_does_not_both_sides_stand() -> None:
    venue = Venue().holding().quote(no_ask="0.50")
    venue.order(an_order(trade_id="t2", side=Side.NO, quantity=D(4), ts=venue.now_ns))
    venue.at(venue.now_ns + S)

    assert (venue.position(), venue.position(Side.NO)) == (D(10), D(4))


def test_a_trade_that_has_ended_brings_nothing_along() -> None:
    venue = Venue()

    venue.hear(a_trade(state=TradeState.CLOSED))

    assert venue.position() == D(0)


def test_a_resting_order_may_fill_at_the_very_end_of_its_time_and_not_after() -> None:
    order = resting(expires_ts=T0 + 10 * S)
    in_time, late = lived(order), lived(order)

    in_time.at(T0 + 10 * S).quote(yes_ask="0.40")
    late.at(T0 + 10 * S + 1).quote(yes_ask="0.40")

    ends = [venue.statuses(order.client_order_id)[-1] for venue in (in_time, late)]
    assert ends == [ReportStatus.FILLED, ReportStatus.EXPIRED]
