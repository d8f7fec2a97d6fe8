"""Whole readings: each with its input, its bounds, why it is no more than that, its instant and who said it."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.fees import fee
from actors.rules.market.book import MarketBook
from actors.rules.market.marks import Reading, age_ns, exit_reading, time_to_close_ns, value_reading
from actors.rules.market.sight import Sight
from bus.messages.market import Quote, Tick
from bus.messages.stops import Mark, MarkState
from bus.messages.trades import Side, Trade
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import (
    COIN,
    T0,
    TICKER,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    exact,
)

D = Decimal


def sight_of(trade: Trade, *ticks: Tick, style: str = "sell") -> Sight:
    book = MarketBook()
    for tick in ticks:
        book.apply(tick, tick.ts)
    return Sight(trade, book, style)


def read(name: str, low: str | None, high: str | None, at_s: float, source: str, **more: Any) -> Reading:
    return Reading(name, exact(low), exact(high), ts=at(at_s), source=source, **more)


@pytest.mark.parametrize(
    ("trade", "tick", "reading"),
    [
        (a_trade(), a_quote(1, "0.40", "0.45"), read("quote", "0.40", "0.40", 1, "kalshi")),
        (
            a_trade(),
            a_quote(1, None, "0.45"),
            read("quote", "0", "0.45", 1, "kalshi", high_open=True, reason="no_bid"),
        ),
        (a_trade(side=Side.NO), a_quote(1, None, "0.45"), read("quote", "0.55", "0.55", 1, "kalshi")),
        (a_trade(), a_quote(1), read("quote", None, None, 1, "kalshi", reason="empty_book")),
        (a_coin_trade(), a_coin_quote(1, "99", "101"), read("quote", "99", "99", 1, "spot")),
        (a_coin_trade(side=Side.SHORT), a_coin_quote(1, "99", "101"), read("quote", "101", "101", 1, "spot")),
        (
            a_coin_trade(side=Side.SHORT),
            a_coin_quote(1, "99", None),
            read("quote", "99", None, 1, "spot", low_open=True, reason="no_ask"),
        ),
        (
            a_coin_trade(side=Side.SHORT),
            a_coin_quote(1, None, None),
            read("quote", None, None, 1, "spot", reason="empty_book"),
        ),
        (a_coin_trade(), a_price(1, 100, symbol=COIN), read("price", "100", "100", 1, "coinbase")),
    ],
)
def test_the_exit_price_says_where_it_comes_from(trade: Trade, tick: Tick, reading: Reading) -> None:
    assert sight_of(trade, tick).exit(at(2)) == reading


@pytest.mark.parametrize(
    ("side", "at_s", "low", "reason"),
    [(Side.YES, 2.9, None, "crossed"), (Side.YES, 3, "0.45", None), (Side.NO, 3, "0.50", None)],
)
def test_a_crossed_book_is_held_and_then_its_worse_side_counts(
    side: Side, at_s: float, low: str | None, reason: str | None
) -> None:
    reading = sight_of(a_trade(side=side), a_quote(1, "0.50", "0.45")).exit(at(at_s))

    assert reading == read("quote", low, low, 1, "kalshi", reason=reason)


def test_a_crossed_linear_book_counts_by_its_worse_side() -> None:
    crossed = a_coin_quote(1, "101", "99")

    long, short = (sight_of(a_coin_trade(side=side), crossed).exit(at(3)) for side in (Side.LONG, Side.SHORT))

    assert (long, short) == (read("quote", "99", "99", 1, "spot"), read("quote", "101", "101", 1, "spot"))


def test_a_price_counts_only_while_nobody_has_ever_quoted() -> None:
    """A quote that is out of force is not replaced by a price of somebody else."""
    trade = a_coin_trade()
    sight = sight_of(trade, a_coin_quote(1, "99", "101"), a_price(40, 50, symbol=COIN))

    assert sight.exit(at(41)) == read("quote", None, None, 1, "spot", reason="feed_silent")
    assert exit_reading(sight.quote, None, sight.view, at(2)) == read("quote", "99", "99", 1, "spot")


@pytest.mark.parametrize(
    ("side", "ticks", "reading"),
    [
        (Side.YES, (a_probability(1, 70),), read("probability", "70", "70", 1, "model")),
        (Side.NO, (a_probability(1, 70),), read("probability", "30", "30", 1, "model")),
        (Side.YES, (a_quote(1, "0.40", "0.50"),), read("quote", "45", "45", 1, "kalshi")),
        (Side.NO, (a_quote(1, "0.40", "0.50"),), read("quote", "55", "55", 1, "kalshi")),
        (
            Side.NO,
            (a_quote(1, "0.40", "0.80"),),
            read("quote", "20", "60", 1, "kalshi", reason="wide_spread"),
        ),
        (
            Side.YES,
            (a_quote(1, None, "0.30"),),
            read("quote", "0", "30", 1, "kalshi", high_open=True, reason="no_bid"),
        ),
        (
            Side.NO,
            (a_quote(1, None, "0.30"),),
            read("quote", "70", "100", 1, "kalshi", low_open=True, reason="no_bid"),
        ),
        (
            Side.YES,
            (a_quote(1, "0.30", None),),
            read("quote", "30", "100", 1, "kalshi", low_open=True, reason="no_ask"),
        ),
        (Side.YES, (a_quote(1, no_bid="0.50", no_ask="0.60"),), read("quote", "45", "45", 1, "kalshi")),
        (Side.YES, (a_quote(1),), read("quote", None, None, 1, "kalshi", reason="empty_book")),
        (Side.YES, (), Reading("quote", reason="never_fed")),
    ],
)
def test_a_probability_says_where_it_comes_from(side: Side, ticks: tuple[Tick, ...], reading: Reading) -> None:
    assert sight_of(a_trade(side=side), *ticks).fed_or_quoted_probability(at(2)) == reading


@pytest.mark.parametrize(("side", "percent"), [(Side.YES, "45"), (Side.NO, "50")])
def test_a_book_that_stays_crossed_gives_the_worse_probability(side: Side, percent: str) -> None:
    sight = sight_of(a_trade(side=side), a_quote(1, "0.50", "0.45"))

    assert sight.fed_or_quoted_probability(at(2.9)) == read("quote", None, None, 1, "kalshi", reason="crossed")
    assert sight.fed_or_quoted_probability(at(3)) == read("quote", percent, percent, 1, "kalshi")


def test_a_stale_feed_gives_way_to_the_quote_and_is_named_where_there_is_none() -> None:
    quoted = sight_of(a_trade(), a_probability(1, 70), a_quote(20, "0.40", "0.50"))
    alone = sight_of(a_trade(), a_probability(1, 70))

    assert quoted.fed_or_quoted_probability(at(21)) == read("quote", "45", "45", 20, "kalshi")
    assert alone.fed_or_quoted_probability(at(21)) == read("probability", None, None, 1, "model", reason="stale")


def test_a_linear_instrument_has_no_probability() -> None:
    assert sight_of(a_coin_trade()).fed_or_quoted_probability(at(1)) == Reading("probability", reason="not_an_event")


def test_a_value_says_where_it_comes_from_and_since_when_it_is_stale() -> None:
    sight = sight_of(a_trade(), a_momentum(1, "0.2"))

    assert sight.momentum is not None
    assert value_reading(sight.momentum, sight.view, at(2)) == read("momentum", "0.2", "0.2", 1, "model")
    assert value_reading(sight.momentum, sight.view, at(17)) == read("momentum", None, None, 1, "model", reason="stale")


def sized(bid: str | None, ask: str | None, size: str) -> Quote:
    return Quote(ticker=TICKER, ts=at(1), source="kalshi", yes_bid=exact(bid), yes_ask=exact(ask), yes_bid_size=D(size))


@pytest.mark.parametrize(
    ("quote", "mark"),
    [
        (
            sized("0.40", "0.45", "4"),
            Mark(state=MarkState.KNOWN, low=D("0.40"), high=D("0.40"), covered=D(4), sell_ask=D("0.45"), ts=at(1), source="kalshi"),
        ),
        (
            sized("0.40", None, "10"),
            Mark(state=MarkState.KNOWN, low=D("0.40"), high=D("0.40"), ts=at(1), source="kalshi"),
        ),
        (
            sized(None, "0.45", "4"),
            Mark(
                state=MarkState.BOUNDED, low=D(0), high=D("0.45"), high_open=True, reason="no_bid", sell_ask=D("0.45"), ts=at(1),
                source="kalshi",
            ),
        ),
        (sized(None, None, "4"), Mark(state=MarkState.UNKNOWN, reason="empty_book", ts=at(1), source="kalshi")),
    ],
)  # fmt: skip
def test_a_mark_says_what_closing_would_bring_and_how_much_of_it_is_there(quote: Quote, mark: Mark) -> None:
    trade = a_trade()

    assert sight_of(trade, quote).mark(trade, at(2)) == mark


def test_a_mark_that_nobody_feeds_has_no_instant() -> None:
    trade = a_trade()

    assert sight_of(trade).mark(trade, at(2)) == Mark(state=MarkState.UNKNOWN, reason="never_fed")


def test_a_short_is_bought_back_and_its_close_rests_at_the_bid() -> None:
    trade = a_coin_trade(side=Side.SHORT)

    mark = sight_of(trade, a_coin_quote(1, "99", None)).mark(trade, at(2))

    assert mark == Mark(state=MarkState.BOUNDED, low=D(99), reason="no_ask", sell_ask=D(99), ts=at(1), source="spot")


@pytest.mark.parametrize(
    ("model", "price", "quantity", "dollars"),
    [
        ("kalshi", "0.50", "10", "0.18"),
        ("kalshi", "0.10", "1", "0.01"),
        ("kalshi", "0.50", "100", "1.75"),
        ("percent", "200", "3", "12"),
        ("none", "0.50", "10", "0"),
        (None, "0.50", "10", "0"),
    ],
)
def test_a_fee_is_that_of_its_model(model: str | None, price: str, quantity: str, dollars: str) -> None:
    assert fee(model, D(2), D(price), D(quantity)) == D(dollars)


def test_times_are_those_of_the_trade_or_unknown() -> None:
    trade = a_trade()

    assert (time_to_close_ns(trade, at(600)), age_ns(trade, at(600))) == (3000 * NS_PER_S, 600 * NS_PER_S)
    unknown = a_trade(close_ts=None, entry_ts=None)
    assert (time_to_close_ns(unknown, T0), age_ns(unknown, T0)) == (None, None)
