"""What the simulated venue says: why an order ended, and the whole of what it answers."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from actors.rules.paper.faults import Fault, Faults
from bus.messages.market import Lifecycle
from bus.messages.orders import OrderReport, ReportStatus, VenueFill, VenueOrdersRequest
from bus.messages.trades import Purpose, Side
from tests.rules.paper.builders import (
    LATENCY_NS,
    T0,
    TICKER,
    D,
    S,
    Venue,
    a_cancel,
    a_close,
    an_order,
)

LATER = T0 + LATENCY_NS


def a_word(event: str) -> Lifecycle:
    return Lifecycle(ticker=TICKER, ts=T0, event=event)


def heard(venue: Venue, event: str) -> Venue:
    venue.hear(a_word(event))
    return venue


def too_late() -> Venue:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order(expires_ts=T0 - 1))
    return venue


def overtaken() -> Venue:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order(expires_ts=T0 + 1))
    return venue.at(T0 + S)


def closed() -> Venue:
    venue = Venue().quote(yes_ask="0.40")
    venue.order(an_order())
    return heard(venue, "close").at(T0 + S)


def halted() -> Venue:
    venue = heard(Venue().quote(yes_ask="0.40"), "halted")
    venue.order(an_order())
    return venue.at(T0 + S)


def unquoted() -> Venue:
    venue = Venue()
    venue.order(an_order())
    return venue.at(T0 + S)


def scarce() -> Venue:
    venue = Venue().quote(yes_ask="0.40", yes_ask_size="4")
    venue.order(an_order())
    return venue.at(T0 + S)


def rejected() -> Venue:
    venue = Venue(faults=Faults(every={Fault.REJECT: 1})).quote(yes_ask="0.40")
    venue.order(an_order())
    return venue.at(T0 + S)


def holding_nothing() -> Venue:
    venue = Venue().quote(yes_bid="0.40")
    venue.order(a_close())
    return venue.at(T0 + S)


def holding_less() -> Venue:
    venue = Venue().holding(quantity="4")
    venue.order(a_close(ts=venue.now_ns))
    return venue.at(venue.now_ns + S)


def resting() -> Venue:
    venue = Venue().quote(yes_ask="0.60")
    venue.order(an_order(time_in_force="gtc", limit_price=D("0.40")))
    return venue.at(T0 + S)


def rested() -> Venue:
    return resting().at(T0 + 31 * S)


def withdrawn() -> Venue:
    venue = resting()
    venue.order(a_cancel(an_order(), reason="too slow", ts=venue.now_ns))
    return venue.at(venue.now_ns + S)


def taken_off() -> Venue:
    venue = Venue(netting=True).holding().quote(yes_ask="0.05", no_ask="0.97")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + S)
    venue.order(an_order(trade_id="t2", side=Side.NO, ts=venue.now_ns))
    return venue.at(venue.now_ns + S).quote(yes_bid="0.04")


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (too_late, "it came after its expires_ts"),
        (overtaken, "it came after its expires_ts"),
        (closed, "the market is closed"),
        (halted, "the market is halted"),
        (unquoted, "nobody offers within its limit"),
        (scarce, "no more was offered"),
        (rejected, "asked to reject it"),
        (holding_nothing, "nothing is held"),
        (holding_less, "no more is held"),
        (rested, "its time is over"),
        (withdrawn, "too slow"),
        (taken_off, "nothing is held any more"),
    ],
)
def test_an_order_that_ends_without_its_whole_fill_says_why(story: Callable[[], Venue], reason: str) -> None:
    assert story().reports[-1].reason == reason


@pytest.mark.parametrize(
    ("quantity", "filled"),
    [
        ("10", "5"),
        ("5", "2"),
        ("3", "1"),
        ("2", "1"),
        ("1", "0.5"),
        ("0.3", "0.15"),
        ("0.000000000003", "0.000000000001"),
    ],
)
def test_a_partial_fill_on_request_is_half_of_the_order_in_whole_contracts_where_that_can_be(
    quantity: str, filled: str
) -> None:
    venue = Venue(faults=Faults(every={Fault.PARTIAL: 1})).quote(yes_ask="0.40")
    venue.order(an_order(quantity=D(quantity)))

    assert venue.at(T0 + S).fills("t1-entry-1") == [(D("0.40"), D(filled))]


def test_an_order_of_which_nothing_is_left_to_halve_fills_whole() -> None:
    venue = Venue(faults=Faults(every={Fault.PARTIAL: 1})).quote(yes_ask="0.40")
    venue.order(an_order(quantity=D("0.000000000001")))

    assert venue.at(T0 + S).fills("t1-entry-1") == [(D("0.40"), D("0.000000000001"))]


def test_a_fill_is_told_whole() -> None:
    venue = Venue().holding()

    (fill,) = venue.book.fills(VenueOrdersRequest(account="acc")).fills

    assert fill == VenueFill(
        fill_id="t1-entry-1-f1",
        client_order_id="t1-entry-1",
        ticker=TICKER,
        side=Side.YES,
        price=D("0.40"),
        quantity=D(10),
        fees=D("0.20"),
        ts=LATER,
    )


def test_an_order_is_told_with_what_it_cost_once_it_has_a_fill() -> None:
    venue = resting()
    (before,) = venue.book.orders(VenueOrdersRequest(account="acc")).orders
    venue.quote(yes_ask="0.40")
    (after,) = venue.book.orders(VenueOrdersRequest(account="acc")).orders

    assert (before.fees, before.average_price) == (None, None)
    assert (after.fees, after.average_price) == (D("0.20"), D("0.40"))


def test_a_cancel_that_comes_late_ends_its_order_at_once() -> None:
    venue = resting()

    said = venue.order(a_cancel(an_order(), reason="too slow", ts=venue.now_ns - LATENCY_NS))

    (report,) = (word for word in said if isinstance(word, OrderReport))
    assert (report.status, report.reason, report.ts) == (ReportStatus.CANCELLED, "too slow", venue.now_ns)


def test_what_waits_for_its_latency_or_was_promised_never_to_be_sent_is_asked_for_by_when_it_came() -> None:
    venue = Venue()
    venue.order(an_order())
    venue.order(a_cancel(an_order(trade_id="t2")))

    found = [venue.book.orders(VenueOrdersRequest(account="acc", since=T0 + late)).orders for late in (0, 1)]
    assert [len(orders) for orders in found] == [2, 0]


def test_a_page_that_holds_all_is_the_last() -> None:
    venue = Venue(page_rows=1).holding()
    asked = VenueOrdersRequest(account="acc")

    answers = (venue.book.orders(asked), venue.book.fills(asked), venue.book.positions(asked))

    assert [answer.next for answer in answers] == [None, None, None]


@pytest.mark.parametrize("offset_ns", [0, 1])
def test_what_happened_at_since_is_told(offset_ns: int) -> None:
    asked = VenueOrdersRequest(account="acc", since=LATER + offset_ns)
    venue = Venue().holding()

    counts = (len(venue.book.orders(asked).orders), len(venue.book.fills(asked).fills))

    assert counts == ((1, 1) if offset_ns == 0 else (0, 0))


def test_a_position_is_told_of_its_account_only() -> None:
    venue = Venue().holding()

    assert venue.book.positions(VenueOrdersRequest(account="other")).positions == ()


def test_each_order_has_its_own_fill_of_one_quote() -> None:
    venue = Venue().quote(yes_ask="0.60")
    for number in (1, 2):
        venue.order(an_order(trade_id=f"t{number}", time_in_force="gtc", limit_price=D("0.40")))
    venue.at(T0 + S).quote(yes_ask="0.40")

    filled: list[list[tuple[Decimal, Decimal]]] = [venue.fills(f"t{number}-{Purpose.ENTRY}-1") for number in (1, 2)]
    assert filled == [[(D("0.40"), D(10))]] * 2


@pytest.mark.parametrize(
    ("prices", "filled"),
    [
        ({"yes_ask": "0.40", "yes_ask_size": "0"}, False),
        ({"no_bid": "0.60", "no_bid_size": "0"}, False),
        ({"no_bid": "1"}, False),
        ({"no_bid": "0.99"}, True),
        ({"yes_ask": "0"}, False),
        ({"yes_ask": "1"}, False),
        ({"yes_ask": "0.99"}, True),
    ],
)
def test_an_entry_fills_at_what_somebody_really_offers(prices: dict[str, str], filled: bool) -> None:
    venue = Venue().quote(**prices)
    venue.order(an_order())

    assert bool(venue.at(T0 + S).fills("t1-entry-1")) is filled


@pytest.mark.parametrize(
    ("prices", "filled"),
    [
        ({"yes_bid": "0.40", "yes_bid_size": "0"}, False),
        ({"yes_bid": "0"}, False),
        ({"yes_bid": "1"}, True),
        ({"yes_bid": "0.01"}, True),
    ],
)
def test_a_close_fills_at_what_somebody_really_bids(prices: dict[str, str], filled: bool) -> None:
    venue = Venue().holding().quote(**prices)
    close = a_close(ts=venue.now_ns)
    venue.order(close)

    assert bool(venue.at(venue.now_ns + S).fills(close.client_order_id)) is filled
