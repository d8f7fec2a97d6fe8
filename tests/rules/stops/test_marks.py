"""What is known of an open trade, by the table of SPEC 1.1."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import buffer_of, exit_fee, pnl_at, pnl_percent, seconds, time_to_close_ns
from actors.rules.market.sight import Sight
from bus.messages.market import StrikeType, Tick
from bus.messages.stops import Mark, MarkState
from bus.messages.trades import Side, Trade
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import (
    COIN,
    T0,
    a_coin_quote,
    a_coin_trade,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    exact,
)


def sight_of(trade: Trade, *ticks: Tick, style: str = "sell") -> Sight:
    book = MarketBook()
    for tick in ticks:
        book.apply(tick, tick.ts)
    return Sight(trade, book, style)


def exit_of(
    trade: Trade, *ticks: Tick, style: str = "sell", now: float = 1
) -> tuple[Decimal | None, Decimal | None, str | None]:
    reading = sight_of(trade, *ticks, style=style).exit(at(now))
    return reading.low, reading.high, reading.reason


def mark_of(trade: Trade, *ticks: Tick, style: str = "sell", now: float = 1) -> Mark:
    return sight_of(trade, *ticks, style=style).mark(trade, at(now))


@pytest.mark.parametrize(
    ("side", "style", "quoted", "price"),
    [
        (Side.YES, "sell", {"yes_bid": "0.40", "no_ask": "0.58"}, "0.40"),
        (Side.YES, "sell", {"no_ask": "0.58"}, "0.42"),
        (Side.YES, "buy_opposite", {"yes_bid": "0.40", "no_ask": "0.58"}, "0.42"),
        (Side.YES, "buy_opposite", {"yes_bid": "0.40"}, "0.40"),
        (Side.NO, "sell", {"no_bid": "0.55", "yes_ask": "0.44"}, "0.55"),
        (Side.NO, "sell", {"yes_ask": "0.44"}, "0.56"),
        (Side.NO, "buy_opposite", {"no_bid": "0.55", "yes_ask": "0.44"}, "0.56"),
    ],
)
def test_the_exit_price_is_what_closing_would_bring_in_the_venues_style(
    side: Side, style: str, quoted: dict[str, str], price: str
) -> None:
    low, high, _ = exit_of(a_trade(side=side), a_quote(1, **quoted), style=style)

    assert (low, high) == (exact(price), exact(price))


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "99"), (Side.SHORT, "101")])
def test_a_linear_trade_leaves_at_the_bid_and_a_short_at_the_ask(side: Side, price: str) -> None:
    low, high, _ = exit_of(a_coin_trade(side=side), a_coin_quote(1, "99", "101"))

    assert (low, high) == (exact(price), exact(price))


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_where_nobody_quotes_the_price_of_the_symbol_is_bid_and_ask(side: Side) -> None:
    low, high, _ = exit_of(a_coin_trade(side=side), a_price(1, "100.5", symbol=COIN))

    assert (low, high) == (exact("100.5"), exact("100.5"))


def test_an_ask_without_a_bid_bounds_the_exit() -> None:
    mark = mark_of(a_trade(), a_quote(1, None, "0.30"))

    assert (mark.state, mark.low, mark.high, mark.high_open) == (MarkState.BOUNDED, Decimal(0), exact("0.30"), True)
    assert (mark.reason, mark.sell_ask) == ("no_bid", exact("0.30"))


def test_the_other_sides_bid_is_our_ask() -> None:
    mark = mark_of(a_trade(), a_quote(1, no_bid="0.90"))

    assert (mark.state, mark.high) == (MarkState.BOUNDED, exact("0.10"))


def test_a_short_without_an_ask_leaves_above_the_bid() -> None:
    low, high, reason = exit_of(a_coin_trade(side=Side.SHORT), a_coin_quote(1, "99", None))

    assert (low, high, reason) == (exact("99"), None, "no_ask")


@pytest.mark.parametrize("trade", [a_trade(), a_trade(side=Side.NO)])
def test_an_empty_book_is_unknown_never_zero(trade: Trade) -> None:
    mark = mark_of(trade, a_quote(1, "0", "1", no_bid="0", no_ask="1"))

    assert (mark.state, mark.low, mark.high, mark.reason) == (MarkState.UNKNOWN, None, None, "empty_book")


@pytest.mark.parametrize(("now", "price", "reason"), [(2.999999999, None, "crossed"), (3, "0.45", None)])
def test_a_crossed_book_is_held_for_two_seconds_and_then_its_worse_side_counts(
    now: float, price: str | None, reason: str | None
) -> None:
    low, _, why = exit_of(a_trade(), a_quote(1, "0.50", "0.45"), now=now)

    assert (low, why) == (exact(price), reason)


def test_the_worse_side_of_a_crossed_book_is_the_higher_one_for_a_short() -> None:
    low, _, _ = exit_of(a_coin_trade(side=Side.SHORT), a_coin_quote(1, "101", "99"), now=3)

    assert low == Decimal(101)


@pytest.mark.parametrize(("size", "covered"), [("9.99", "9.99"), ("10", None), (None, None)])
def test_a_mark_is_thin_where_the_known_size_is_smaller_than_the_quantity(
    size: str | None, covered: str | None
) -> None:
    quote = msgspec.structs.replace(a_quote(1, "0.40", "0.45"), yes_bid_size=exact(size))

    mark = mark_of(a_trade(), quote)

    assert mark.covered == exact(covered)


@pytest.mark.parametrize(("side", "covered"), [(Side.LONG, "1"), (Side.SHORT, "0.5")])
def test_a_linear_mark_is_as_thin_as_the_side_at_which_the_trade_leaves(side: Side, covered: str) -> None:
    quote = msgspec.structs.replace(a_coin_quote(1, "99", "101"), bid_size=Decimal(1), ask_size=Decimal("0.5"))

    mark = mark_of(a_coin_trade(side=side), quote)

    assert mark.covered == exact(covered)


def test_another_tickers_quote_never_counts() -> None:
    """Lesson 12: never another instrument's value."""
    sight = sight_of(
        a_trade(), a_quote(1, "0.40", "0.45", ticker="KXBTCD-25AUG0312-T119249.99"), a_probability(1, 5, ticker="OTHER")
    )

    assert sight.exit(at(1)).reason == "never_fed"
    assert sight.fed_or_quoted_probability(at(1)).reason == "never_fed"


@pytest.mark.parametrize(("side", "percent"), [(Side.YES, "70"), (Side.NO, "30")])
def test_the_feed_of_that_very_ticker_gives_the_probability_of_the_trades_side(side: Side, percent: str) -> None:
    sight = sight_of(a_trade(side=side), a_quote(1, "0.10", "0.12"), a_probability(1, 70))

    assert sight.fed_or_quoted_probability(at(1)).value == exact(percent)


@pytest.mark.parametrize(("side", "percent"), [(Side.YES, "45"), (Side.NO, "55")])
def test_without_a_feed_the_mid_of_the_yes_quote_is_the_probability(side: Side, percent: str) -> None:
    sight = sight_of(a_trade(side=side), a_quote(1, "0.40", "0.50"))

    assert sight.fed_or_quoted_probability(at(1)).value == exact(percent)


@pytest.mark.parametrize(("ask", "low", "high"), [("0.60", "50", "50"), ("0.61", "40", "61")])
def test_a_spread_wider_than_its_limit_gives_bounds_instead_of_a_mid(ask: str, low: str, high: str) -> None:
    reading = sight_of(a_trade(), a_quote(1, "0.40", ask)).fed_or_quoted_probability(at(1))

    assert (reading.low, reading.high) == (exact(low), exact(high))


@pytest.mark.parametrize(
    ("strike_type", "side", "buffer"),
    [
        (StrikeType.ABOVE, Side.YES, "500"),
        (StrikeType.ABOVE, Side.NO, "-500"),
        (StrikeType.BELOW, Side.YES, "-500"),
        (StrikeType.BELOW, Side.NO, "500"),
        (StrikeType.BETWEEN, Side.YES, None),
    ],
)
def test_the_buffer_is_how_far_the_underlying_stands_on_the_winning_side(
    strike_type: StrikeType, side: Side, buffer: str | None
) -> None:
    trade = a_trade(strike_type=strike_type, side=side)

    assert buffer_of(trade, Decimal(120_000)) == exact(buffer)


@pytest.mark.parametrize(
    ("model", "price", "fee"),
    [("none", "0.50", "0"), ("kalshi", "0.50", "0.18"), ("kalshi", "0.01", "0.01"), ("percent", "0.50", "0.0500")],
)
def test_the_exit_fee_is_estimated_by_the_model(model: str, price: str, fee: str) -> None:
    trade = a_trade(general={"fee_model": model, "fee_percent": 1})

    assert exit_fee(trade, Decimal(price), Decimal(10)) == Decimal(fee)


def test_a_linear_trade_pays_no_fee_of_event_contracts() -> None:
    assert exit_fee(a_coin_trade(general={"fee_model": "kalshi"}), Decimal(100), Decimal(2)) == 0


@pytest.mark.parametrize(
    ("trade", "price", "pnl", "percent"),
    [
        (a_trade(), "0.50", "-1.00", "-16.66666666666666666666666667"),
        (a_trade(pnl=Decimal("-0.20")), "0.70", "0.80", "13.33333333333333333333333333"),
        (a_trade(general={"fee_model": "kalshi"}), "0.50", "-1.18", "-19.66666666666666666666666667"),
        (a_coin_trade(), "90", "-20", "-10"),
        (a_coin_trade(side=Side.SHORT), "90", "20", "10"),
    ],
)
def test_the_pnl_is_realised_and_unrealised_less_fees(trade: Trade, price: str, pnl: str, percent: str) -> None:
    value = pnl_at(trade, Decimal(price))

    assert value == Decimal(pnl)
    assert pnl_percent(trade, Decimal(pnl)) == Decimal(percent)


def test_the_cost_of_what_is_left_open_is_its_share_of_the_entry() -> None:
    trade = a_trade(open_quantity=Decimal(4), closed_quantity=Decimal(6))

    assert pnl_at(trade, Decimal("0.70")) == Decimal("0.40")


@pytest.mark.parametrize("left", [15 * 60, 3600, 86_400])
def test_the_time_to_close_is_the_markets_own(left: int) -> None:
    """Lesson 3: 15-minute, hourly and daily markets."""
    assert time_to_close_ns(a_trade(close_ts=at(left)), T0) == left * NS_PER_S


def test_a_market_without_a_close_time_has_no_time_to_close() -> None:
    assert time_to_close_ns(a_coin_trade(), T0) is None


NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.sampled_from(
    [
        datetime(year, month, day, tzinfo=NEW_YORK)
        for year, month, day in ((2025, 3, 9), (2025, 11, 2), (2025, 1, 31), (2024, 2, 29), (2025, 12, 31))
    ]
)


@settings(deadline=None)
@given(day=DAYS, hour=st.integers(0, 23), minute=st.integers(0, 59), left_s=st.integers(0, 172_800))
def test_the_time_to_close_is_right_at_every_hour_at_month_end_and_on_both_clock_changes(
    day: datetime, hour: int, minute: int, left_s: int
) -> None:
    """Lesson 1: all 24 hours, month end, both DST days."""
    entry = day.replace(hour=hour, minute=minute).astimezone(UTC)
    entry_ns = int(entry.timestamp()) * NS_PER_S
    close_ns = int((entry + timedelta(seconds=left_s)).timestamp()) * NS_PER_S
    trade = a_trade(entry_ts=entry_ns, close_ts=close_ns)

    left = time_to_close_ns(trade, entry_ns)

    assert left is not None
    assert seconds(left) == left_s
