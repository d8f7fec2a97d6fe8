"""The book takes in only what may be used."""

from decimal import Decimal

import msgspec
import pytest

from actors.rules.market.book import MarketBook
from actors.rules.market.feeds import Feed, FeedEvent, usable
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import (
    COIN,
    SYMBOL,
    T0,
    TICKER,
    a_beat,
    a_coin_quote,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    at,
)

GOOD = ("0.40", "0.45")


def test_a_quote_is_in_force_as_it_was_said() -> None:
    book = MarketBook()

    entry = book.apply(a_quote(1, *GOOD), at(1))

    assert entry is book.quote(TICKER)
    assert (book.quote(TICKER).yes_bid, book.quote(TICKER).yes_ask) == (Decimal("0.40"), Decimal("0.45"))


@pytest.mark.parametrize(("bid", "ask"), [("0", "1"), (None, None), ("0.00", "1.00"), (None, "0")])
def test_a_bid_of_nothing_and_an_ask_of_one_dollar_mean_that_nobody_is_there(bid: str | None, ask: str | None) -> None:
    """Fault 34"""
    book = MarketBook()

    book.apply(a_quote(1, bid, ask), at(1))

    assert (book.quote(TICKER).yes_bid, book.quote(TICKER).yes_ask) == (None, None)


def test_a_linear_ask_of_one_dollar_is_an_ask() -> None:
    book = MarketBook()

    book.apply(a_coin_quote(1, "0.99", "1"), at(1))

    assert book.quote(COIN).ask == Decimal(1)


@pytest.mark.parametrize(
    ("tick", "older"),
    [
        (a_quote(5, *GOOD), a_quote(4, "0.01", "0.02")),
        (a_probability(5, 60), a_probability(4, 1)),
        (a_price(5, 100), a_price(4, 1)),
        (a_momentum(5, 1), a_momentum(4, -9)),
        (a_beat(5), a_beat(4)),
    ],
)
def test_a_tick_older_than_what_is_in_force_is_dropped(tick: object, older: object) -> None:
    """Fault 33"""
    book = MarketBook()
    book.apply(tick, at(5))  # type: ignore[arg-type]  # one of the ticks

    taken = book.apply(older, at(6))  # type: ignore[arg-type]  # as above

    assert taken is None
    assert book.dropped_old == 1


@pytest.mark.parametrize(("ahead_ns", "taken"), [(2 * NS_PER_S, True), (2 * NS_PER_S + 1, False)])
def test_a_tick_may_be_two_seconds_ahead_of_our_clock(ahead_ns: int, taken: bool) -> None:
    """Fault 31"""
    book = MarketBook()
    tick = msgspec.structs.replace(a_quote(0, *GOOD), ts=T0 + ahead_ns)

    entry = book.apply(tick, T0)

    assert (entry is not None) is taken


@pytest.mark.parametrize("ts", [0, 1, -1, 9_214_646_400 * NS_PER_S])
def test_an_impossible_instant_is_rejected_and_counted_without_a_word_about_the_clock(ts: int) -> None:
    """Fault 31: zero, 1970, 2262."""
    book = MarketBook()

    taken = book.apply(msgspec.structs.replace(a_quote(0, *GOOD), ts=ts), T0)

    assert taken is None
    assert book.feeds.rejected_instants == 1
    assert book.feeds.take_events() == []


def test_a_source_whose_clock_is_ahead_is_marked_until_it_is_right_again() -> None:
    """Fault 31"""
    book = MarketBook()

    book.apply(a_quote(10, *GOOD), at(0))
    marked = book.feeds.feed("kalshi", TICKER).mark
    book.apply(a_quote(11, *GOOD), at(11))

    assert marked == "clock_ahead"
    assert book.feeds.take_events() == [FeedEvent("kalshi", "clock_ahead", marked=marked) for marked in (True, False)]
    assert book.feeds.feed("kalshi", TICKER).mark is None


def test_a_contract_price_above_one_is_rejected_and_the_last_good_quote_stays() -> None:
    book = MarketBook()
    book.apply(a_quote(1, *GOOD), at(1))

    taken = book.apply(a_quote(2, "40", "45"), at(2))

    assert taken is None
    assert book.quote(TICKER).yes_bid == Decimal("0.40")
    assert book.feeds.rejected_values == 1


@pytest.mark.parametrize(("bad", "mark"), [(2, None), (3, "unit_suspect")])
def test_three_bad_prices_of_a_sources_last_twenty_make_it_suspect(bad: int, mark: str | None) -> None:
    book = MarketBook()
    for second in range(bad):
        book.apply(a_quote(second, "40", "45"), at(second))

    assert book.feeds.feed("kalshi", TICKER).mark == mark


def test_bad_prices_further_apart_than_twenty_quotes_do_not_add_up() -> None:
    book = MarketBook()
    for second in range(60):
        bid, ask = ("40", "45") if second % 20 == 0 else GOOD
        book.apply(a_quote(second, bid, ask), at(second))

    assert book.feeds.feed("kalshi", TICKER).mark is None


@pytest.mark.parametrize(("good", "mark"), [(19, "unit_suspect"), (20, None)])
def test_twenty_good_quotes_clear_a_suspect_source(good: int, mark: str | None) -> None:
    book = MarketBook()
    for second in range(3):
        book.apply(a_quote(second, "40", "45"), at(second))

    for second in range(3, 3 + good):
        book.apply(a_quote(second, *GOOD), at(second))

    assert book.feeds.feed("kalshi", TICKER).mark == mark
    assert (book.quote(TICKER).ts == at(2 + good)) is (mark is None)
    assert book.feeds.rejected_values == min(3 + good, 22)


def test_it_is_told_once_that_a_source_is_suspect_and_once_that_it_is_not() -> None:
    book = MarketBook()
    for second in range(5):
        book.apply(a_quote(second, "40", "45"), at(second))
    assert book.feeds.take_events() == [FeedEvent("kalshi", "unit_suspect", marked=True)]

    for second in range(5, 30):
        book.apply(a_quote(second, *GOOD), at(second))

    assert book.feeds.take_events() == [FeedEvent("kalshi", "unit_suspect", marked=False)]
    assert book.feeds.take_events() == []


@pytest.mark.parametrize(("source", "name"), [("kalshi", "kalshi"), (None, TICKER)])
def test_a_person_clears_a_suspect_source(source: str | None, name: str) -> None:
    book = MarketBook()
    for second in range(3):
        book.apply(a_quote(second, "40", "45", source=source), at(second))
    book.feeds.take_events()

    book.feeds.clear_suspect(name)

    assert book.feeds.feed(source, TICKER).mark is None
    assert book.feeds.take_events() == [FeedEvent(name, "unit_suspect", marked=False)]
    book.apply(a_quote(4, "40", "45", source=source), at(4))
    assert book.feeds.feed(source, TICKER).mark is None


def test_a_source_that_is_not_suspect_is_not_cleared() -> None:
    book = MarketBook()
    book.apply(a_quote(1, *GOOD), at(1))

    for name in ("kalshi", "nobody"):
        book.feeds.clear_suspect(name)

    assert book.feeds.take_events() == []


@pytest.mark.parametrize(
    ("clock_ahead", "unit_suspect", "stands"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_what_a_marked_feed_said_may_not_be_used(clock_ahead: bool, unit_suspect: bool, stands: bool) -> None:
    feed = Feed("kalshi", "kalshi")
    feed.clock_ahead, feed.unit_suspect = clock_ahead, unit_suspect

    assert usable(feed) is stands


def test_a_feed_that_nobody_heard_of_is_not_usable() -> None:
    assert not usable(None)


def test_a_ticker_without_a_source_is_its_own_feed() -> None:
    book = MarketBook()
    for second in range(3):
        book.apply(a_quote(second, "40", "45", source=None), at(second))
    book.apply(a_quote(4, *GOOD, source=None, ticker="OTHER"), at(4))

    assert book.feeds.feed(None, TICKER).mark == "unit_suspect"
    assert book.feeds.feed(None, "OTHER").mark is None


def test_a_crossed_book_remembers_since_when() -> None:
    book = MarketBook()
    book.apply(a_quote(1, "0.50", "0.45"), at(1))
    book.apply(a_quote(2, "0.55", "0.45"), at(2))
    since = book.quote(TICKER).crossed_ts

    book.apply(a_quote(3, "0.40", "0.45"), at(3))

    assert since == at(1)
    assert book.quote(TICKER).crossed_ts == 0


def test_a_price_of_nothing_and_a_probability_beyond_a_hundred_are_rejected() -> None:
    """Fault 34"""
    book = MarketBook()

    taken = [book.apply(tick, at(1)) for tick in (a_price(1, 0), a_probability(1, 101), a_probability(1, -1))]

    assert taken == [None, None, None]
    assert book.feeds.rejected_values == 3


def test_a_price_without_a_source_has_its_symbols_own_feed() -> None:
    """Fault 32: a clock that is ahead for one symbol says nothing of another."""
    book = MarketBook()
    ahead, right = (msgspec.structs.replace(a_price(60, 100, symbol=name), source=None) for name in (SYMBOL, COIN))

    book.apply(ahead, at(0))
    book.apply(right, at(60))

    assert [book.feeds.feed(None, name).mark for name in (SYMBOL, COIN)] == ["clock_ahead", None]


def test_a_new_book_learns_all_that_is_in_force_from_the_last_ticks() -> None:
    book = MarketBook()
    told = (a_quote(1, "0.50", "0.45"), a_quote(2, "0.55", "0.45"), a_price(3, 100), a_price(4, 100), a_momentum(5, 1))
    for tick in (*told, a_probability(5, 40), a_beat(6, max_silence_s=120)):
        book.apply(tick, tick.ts)

    again = MarketBook()
    for word in book.last_ticks():
        for tick in word.batch:
            again.apply(tick, word.received_ns)

    assert (again.quote(TICKER).crossed_ts, again.quote(TICKER).ts) == (at(1), at(2))
    assert (again.price(SYMBOL).changed_ts, again.price(SYMBOL).ts) == (at(3), at(4))
    assert again.feeds.feed("kalshi", "").silence_ns == 120 * NS_PER_S
