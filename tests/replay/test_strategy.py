from decimal import Decimal
from typing import Any

import pytest

from actors.replay.strategy import EntryPlan, EntryStrategy, resolved
from bus.messages.market import Lifecycle, Quote, SpotPrice, StrikeType
from bus.messages.trades import Side
from bus.messages.units import NS_PER_S
from tests.replay.builders import START_NS

PLAN = EntryPlan(gap_s=100, ticker_gap_s=1000, entries_per_ticker=2)


def a_quote(bid: str | None, ask: str | None, ticker: str = "T") -> Quote:
    yes_bid, yes_ask = (None if side is None else Decimal(side) for side in (bid, ask))
    return Quote(ticker=ticker, ts=START_NS, yes_bid=yes_bid, yes_ask=yes_ask)


def a_lifecycle(event: str, **facts: Any) -> Lifecycle:  # any field of the word
    return Lifecycle(ticker="T", ts=START_NS, event=event, **facts)


def at(second: int) -> int:
    return START_NS + second * NS_PER_S


@pytest.mark.parametrize(
    ("bid", "ask", "side", "price"),
    [("0.50", "0.52", Side.YES, "0.52"), ("0.47", "0.49", Side.NO, "0.53"), ("0.49", "0.51", Side.YES, "0.51")],
)
def test_the_favoured_side_is_bought_at_its_ask(bid: str, ask: str, side: Side, price: str) -> None:
    entry = EntryStrategy(PLAN).handle(a_quote(bid, ask), 7, at(0))

    assert entry is not None
    assert (entry.side, entry.limit_price, entry.trade_id) == (side, Decimal(price), "demo-7")


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        ("0.50", "0.55"),  # too wide
        ("0.79", "0.81"),  # above the band
        (None, "0.52"),
        ("0.50", None),
        ("0", "0.03"),
        ("0.52", "0.52"),
        ("0.53", "0.52"),  # crossed
    ],
)
def test_a_quote_that_does_not_fit_calls_for_nothing(bid: str | None, ask: str | None) -> None:
    assert EntryStrategy(PLAN).handle(a_quote(bid, ask), 1, at(0)) is None


def test_entries_keep_their_distance_anywhere() -> None:
    strategy = EntryStrategy(PLAN)
    strategy.handle(a_quote("0.50", "0.52", "A"), 1, at(0))

    entries = [strategy.handle(a_quote("0.50", "0.52", "B"), 2, at(second)) for second in (99, 100)]

    assert [entry is not None for entry in entries] == [False, True]


def test_entries_on_one_ticker_keep_a_longer_distance_and_are_few() -> None:
    strategy = EntryStrategy(PLAN)

    entries = [strategy.handle(a_quote("0.50", "0.52"), second, at(second)) for second in (0, 999, 1000, 2000, 3000)]

    assert [entry.trade_id for entry in entries if entry] == ["demo-0", "demo-1000"]


def test_no_more_is_opened_than_the_plan_allows() -> None:
    strategy = EntryStrategy(EntryPlan(gap_s=0, max_trades=1))
    strategy.handle(a_quote("0.50", "0.52", "A"), 1, at(0))

    assert strategy.handle(a_quote("0.50", "0.52", "B"), 2, at(9)) is None


@pytest.mark.parametrize("event", ["close", "determined", "settled", "halted"])
def test_nobody_enters_a_market_that_is_shut(event: str) -> None:
    strategy = EntryStrategy(PLAN)
    strategy.handle(a_lifecycle(event), 1, at(0))

    assert strategy.handle(a_quote("0.50", "0.52"), 2, at(1)) is None


def test_a_market_that_resumed_may_be_entered() -> None:
    strategy = EntryStrategy(PLAN)
    strategy.handle(a_lifecycle("halted"), 1, at(0))

    strategy.handle(a_lifecycle("resumed"), 2, at(1))

    assert strategy.handle(a_quote("0.50", "0.52"), 3, at(2)) is not None


def test_what_is_announced_of_a_market_stands_on_its_trades() -> None:
    strategy = EntryStrategy(PLAN)
    facts = {"symbol": "BTC", "strike": Decimal(5), "strike_type": StrikeType.ABOVE, "close_ts": at(9000)}
    strategy.handle(a_lifecycle("open", **facts), 1, at(0))

    entry = strategy.handle(a_quote("0.50", "0.52"), 2, at(1))

    assert entry is not None
    assert (entry.symbol, entry.strike, entry.strike_type, entry.close_ts) == tuple(facts.values())


def test_a_close_time_is_never_guessed() -> None:
    """Lesson 3."""
    entry = EntryStrategy(PLAN).handle(a_quote("0.50", "0.52"), 1, at(0))

    assert entry is not None
    assert entry.close_ts is None


def test_nobody_enters_a_market_that_is_about_to_close() -> None:
    strategy = EntryStrategy(PLAN)
    strategy.handle(a_lifecycle("open", close_ts=at(100)), 1, at(0))

    assert strategy.handle(a_quote("0.50", "0.52"), 2, at(0)) is None


def test_the_underlying_is_bought_and_sold_in_turn() -> None:
    strategy = EntryStrategy(EntryPlan(underlying=True, gap_s=1, ticker_gap_s=1, entries_per_ticker=9))
    price = SpotPrice(symbol="BTC", ts=START_NS, price=Decimal("63304.2"))

    entries = [strategy.handle(price, second, at(second)) for second in (1, 2, 3)]

    assert [entry and (entry.side, entry.ticker, entry.symbol) for entry in entries] == [
        (Side.LONG, "BTC", "BTC"),
        (Side.SHORT, "BTC", "BTC"),
        (Side.LONG, "BTC", "BTC"),
    ]


def test_plans_are_taken_in_turn() -> None:
    plans = (({"rule": "price", "stop_price": "entry-0.10"},), ({"rule": "trailing", "trail": "0.07"},))
    strategy = EntryStrategy(EntryPlan(gap_s=0, stops=plans))

    entries = [strategy.handle(a_quote("0.50", "0.52", ticker), 1, at(0)) for ticker in "ABC"]

    assert [entry and entry.stops for entry in entries] == [
        ({"rule": "price", "stop_price": "0.42"},),
        ({"rule": "trailing", "trail": "0.07"},),
        ({"rule": "price", "stop_price": "0.42"},),
    ]


@pytest.mark.parametrize(
    ("text", "entry", "side", "value"),
    [
        ("0.07", "0.50", Side.YES, "0.07"),
        ("entry-0.06", "0.50", Side.YES, "0.44"),
        ("entry+0.10", "0.50", Side.NO, "0.60"),
        ("entry-0.5%", "200", Side.LONG, "199.000000"),
        ("entry-0.5%", "200", Side.SHORT, "201.000000"),
        ("entry+2", "200", Side.SHORT, "198"),
        ("percent-12", "0.53", Side.NO, "41.00"),
    ],
)
def test_a_price_in_a_plan_stands_against_or_for_the_trade(text: str, entry: str, side: Side, value: str) -> None:
    assert resolved(text, Decimal(entry), side) == value
