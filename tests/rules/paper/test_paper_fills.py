"""At what price the simulated venue fills, how much, and when."""

import pytest

from bus.messages.market import SpotPrice, Ticks
from bus.messages.orders import Action, ReportStatus
from bus.messages.trades import Side
from tests.rules.paper.builders import LATENCY_NS, MS, T0, D, Venue, a_cancel, a_close, a_quote, an_order

ACCEPTED, FILLED, CANCELLED = ReportStatus.ACCEPTED, ReportStatus.FILLED, ReportStatus.CANCELLED
PARTIALLY_FILLED, REJECTED, EXPIRED = ReportStatus.PARTIALLY_FILLED, ReportStatus.REJECTED, ReportStatus.EXPIRED


def test_an_order_fills_at_the_quote_in_force_after_its_latency() -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order())
    venue.at(T0 + 49 * MS).quote(yes_ask="0.45")
    venue.at(T0 + LATENCY_NS).quote(yes_ask="0.60")

    assert venue.fills("t1-entry-1") == [(D("0.45"), D(10))]


def test_nothing_is_said_of_an_order_before_its_latency_is_over() -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order())
    venue.at(T0 + LATENCY_NS - 1)

    assert venue.reports == []


@pytest.mark.parametrize(
    ("side", "action", "prices", "price"),
    [
        (Side.YES, Action.BUY, {"yes_ask": "0.40", "no_bid": "0.55"}, "0.40"),
        (Side.YES, Action.BUY, {"no_bid": "0.55"}, "0.45"),
        (Side.YES, Action.BUY, {"yes_ask": "1", "no_bid": "0.55"}, "0.45"),
        (Side.NO, Action.BUY, {"no_ask": "0.70", "yes_bid": "0.35"}, "0.70"),
        (Side.NO, Action.BUY, {"yes_bid": "0.35"}, "0.65"),
        (Side.LONG, Action.BUY, {"bid": "99", "ask": "101"}, "101"),
        (Side.SHORT, Action.SELL, {"bid": "99", "ask": "101"}, "99"),
    ],
)
def test_an_entry_pays_what_its_own_side_is_quoted_at(
    side: Side, action: Action, prices: dict[str, str], price: str
) -> None:
    venue = Venue().quote(**prices)

    venue.order(an_order(side=side, action=action))
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-entry-1") == [(D(price), D(10))]


@pytest.mark.parametrize(
    ("prices", "price"),
    [
        ({"yes_bid": "0.30", "no_ask": "0.60"}, "0.30"),
        ({"no_ask": "0.60"}, "0.40"),
        ({"yes_bid": "0", "no_ask": "0.60"}, "0.40"),
    ],
)
def test_a_close_gets_its_own_bid_or_what_the_other_sides_ask_leaves(prices: dict[str, str], price: str) -> None:
    venue = Venue().holding().quote(**prices)

    venue.order(a_close(ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D(price), D(10))]


@pytest.mark.parametrize(
    ("side", "opens", "closes", "price"),
    [(Side.LONG, Action.BUY, Action.SELL, "99"), (Side.SHORT, Action.SELL, Action.BUY, "101")],
)
def test_a_linear_close_crosses_the_spread_the_other_way(side: Side, opens: Action, closes: Action, price: str) -> None:
    venue = Venue().quote(bid="99", ask="101")
    venue.order(an_order(side=side, action=opens))
    venue.at(T0 + LATENCY_NS)

    venue.order(a_close(side=side, action=closes, ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D(price), D(10))]


def test_where_nobody_quotes_the_underlying_its_price_is_bid_and_ask() -> None:
    venue = Venue()
    venue.hear(Ticks(batch=(SpotPrice(symbol="BTC", ts=T0, price=D("64000.5")),), received_ns=T0))

    venue.order(an_order(ticker="BTC", side=Side.LONG))
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-entry-1") == [(D("64000.5"), D(10))]


@pytest.mark.parametrize(("price", "filled"), [("0", False), ("0.5", True)])
def test_an_underlying_without_a_price_fills_nothing(price: str, *, filled: bool) -> None:
    venue = Venue()
    venue.hear(Ticks(batch=(SpotPrice(symbol="BTC", ts=T0, price=D(price)),), received_ns=T0))

    venue.order(an_order(ticker="BTC", side=Side.LONG))

    assert bool(venue.at(T0 + LATENCY_NS).fills("t1-entry-1")) is filled


def test_a_resting_order_fills_when_the_underlying_reaches_it_where_nobody_quotes() -> None:
    venue = Venue()
    venue.order(an_order(ticker="BTC", side=Side.LONG, time_in_force="gtc", limit_price=D(100)))
    venue.at(T0 + LATENCY_NS)

    for price in ("101", "99"):
        venue.hear(Ticks(batch=(SpotPrice(symbol="BTC", ts=venue.now_ns, price=D(price)),), received_ns=venue.now_ns))

    assert venue.fills("t1-entry-1") == [(D(100), D(10))]


def test_a_linear_entry_fills_up_to_the_size() -> None:
    venue = Venue().quote(ask="101", ask_size="4")
    venue.order(an_order(side=Side.LONG))

    assert venue.at(T0 + LATENCY_NS).fills("t1-entry-1") == [(D(101), D(4))]


@pytest.mark.parametrize("quote", [{"ask": "101", "ask_size": "0"}, {"ask": "0"}, {"bid": "99"}])
def test_a_linear_entry_needs_somebody_who_offers(quote: dict[str, str]) -> None:
    venue = Venue().quote(**quote)
    venue.order(an_order(side=Side.LONG))

    assert venue.at(T0 + LATENCY_NS).fills("t1-entry-1") == []


def test_a_quote_older_than_the_last_changes_nothing() -> None:
    """Fault 33"""
    venue = Venue().at(T0 + 1).quote(yes_ask="0.40")
    venue.now_ns = T0

    venue.quote(yes_ask="0.10")
    venue.order(an_order())
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-entry-1") == [(D("0.40"), D(10))]


@pytest.mark.parametrize(("limit", "statuses"), [("0.39", [ACCEPTED, CANCELLED]), ("0.40", [ACCEPTED, FILLED])])
def test_an_ioc_beyond_its_limit_is_cancelled(limit: str, statuses: list[ReportStatus]) -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order(limit_price=D(limit)))
    venue.at(T0 + LATENCY_NS)

    assert venue.statuses("t1-entry-1") == statuses


def test_a_better_quote_than_the_limit_is_the_price() -> None:
    venue = Venue().holding().quote(yes_bid="0.30")

    venue.order(a_close(limit_price=D("0.25"), ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D("0.30"), D(10))]


def test_an_ioc_without_a_quote_is_cancelled_with_nothing_filled() -> None:
    venue = Venue()

    venue.order(an_order())
    venue.at(T0 + LATENCY_NS)

    assert (venue.reports[-1].status, venue.reports[-1].cumulative_quantity) == (CANCELLED, D(0))


def test_a_fill_goes_up_to_the_size_and_the_rest_is_cancelled() -> None:
    """Fault 29, Lesson 26: partial fills leave an exact remainder."""
    venue = Venue().quote(yes_ask="0.40", yes_ask_size="3.5")

    venue.order(an_order())
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-entry-1") == [(D("0.40"), D("3.5"))]
    assert venue.statuses("t1-entry-1") == [ACCEPTED, PARTIALLY_FILLED, CANCELLED]
    assert venue.reports[-1].cumulative_quantity == D("3.5")


def test_the_size_behind_the_other_sides_quote_counts() -> None:
    venue = Venue().quote(no_bid="0.55", no_bid_size="4")

    venue.order(an_order())
    venue.at(T0 + LATENCY_NS)

    assert venue.fills("t1-entry-1") == [(D("0.45"), D(4))]


def test_the_size_behind_the_other_sides_ask_counts_for_a_close() -> None:
    venue = Venue().holding().quote(no_ask="0.55", no_ask_size="4")

    venue.order(a_close(ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    assert venue.fills("t1-close-1") == [(D("0.45"), D(4))]


def test_a_fill_carries_its_own_fees_and_a_name_made_of_its_order() -> None:
    venue = Venue().quote(yes_ask="0.40")

    venue.order(an_order())
    venue.at(T0 + LATENCY_NS)

    assert (venue.reports[-1].fill_id, venue.reports[-1].fees) == ("t1-entry-1-f1", D("0.20"))


def test_a_resting_order_fills_at_its_own_price_when_a_bid_reaches_it() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS).quote(yes_ask="0.05", yes_bid="0.03")

    venue.quote(yes_bid="0.06")

    assert venue.fills("t1-close-1") == [(D("0.04"), D(10))]
    assert venue.statuses("t1-close-1") == [ACCEPTED, FILLED]


def test_a_resting_order_fills_up_to_each_size_that_comes() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    venue.quote(yes_bid="0.04", yes_bid_size="6")
    venue.quote(yes_bid="0.04", yes_bid_size="6")

    assert venue.fills("t1-close-1") == [(D("0.04"), D(6)), (D("0.04"), D(4))]


def test_each_quote_of_a_batch_may_reach_a_resting_order() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    venue.order(a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS)

    there, gone = (a_quote(ts=venue.now_ns, yes_bid=bid) for bid in ("0.05", "0.01"))
    venue.hear(Ticks(batch=(there, gone), received_ns=venue.now_ns))

    assert venue.fills("t1-close-1") == [(D("0.04"), D(10))]


def test_a_cancel_ends_a_resting_order_with_what_it_had_filled() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    order = a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns)
    venue.order(order)
    venue.at(venue.now_ns + LATENCY_NS).quote(yes_bid="0.04", yes_bid_size="6")

    venue.order(a_cancel(order, ts=venue.now_ns))
    venue.at(venue.now_ns + LATENCY_NS).quote(yes_bid="0.50")

    assert (venue.reports[-1].status, venue.reports[-1].cumulative_quantity) == (CANCELLED, D(6))


def test_a_resting_order_is_told_to_have_expired_once_its_time_is_over() -> None:
    venue = Venue().holding().quote(yes_ask="0.05")
    order = a_close(limit_price=D("0.04"), time_in_force="gtc", ts=venue.now_ns)
    venue.order(order)

    venue.at(order.expires_ts + 1).quote(yes_bid="0.50")

    assert venue.statuses("t1-close-1") == [ACCEPTED, EXPIRED]
