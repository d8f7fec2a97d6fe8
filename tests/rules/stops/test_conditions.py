"""Whether a rule's condition holds, asked without the index that spares the engine most of these questions."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import Reading
from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedTrade
from actors.rules.stops.conditions import at_or_above, at_or_below, below, holds, percent_reading, pnl_reading
from bus.messages.market import StrikeType
from bus.messages.trades import Side, Trade
from tests.rules.stops.builders import a_coin_trade, a_trade, at, exact, stop

D = Decimal


def between(low: str | None, high: str | None, **more: Any) -> Reading:  # any field
    return Reading("quote", exact(low), exact(high), **more)


def exactly(value: str) -> Reading:
    return between(value, value)


def asked(trade: Trade, reading: Reading | None, now_s: float = 1, *, best: str | None = None) -> bool | None:
    """What the only rule of `trade` says."""
    (rule,) = ArmedTrade(trade, Sight(trade, MarketBook(), "sell"), order=0).rules
    rule.best, rule.active = exact(best), best is not None
    return holds(rule, reading, at(now_s))


BOUNDS = [
    ("1", "2", {}, "3", (True, False, True)),
    ("1", "3", {}, "3", (True, None, None)),
    ("1", "3", {"high_open": True}, "3", (True, False, True)),
    ("3", "3", {}, "3", (True, True, False)),
    ("3", "5", {}, "3", (None, True, False)),
    ("3", "5", {"low_open": True}, "3", (False, True, False)),
    ("2", "5", {}, "3", (None, None, None)),
    ("4", "5", {}, "3", (False, True, False)),
    (None, "2", {}, "3", (True, False, True)),
    (None, "4", {}, "3", (None, None, None)),
    ("4", None, {}, "3", (False, True, False)),
    ("2", None, {}, "3", (None, None, None)),
]


@pytest.mark.parametrize(("low", "high", "ends", "limit", "claims"), BOUNDS)
def test_a_claim_holds_over_the_whole_of_what_may_be_or_nowhere_or_nobody_knows(
    low: str | None, high: str | None, ends: dict[str, bool], limit: str, claims: tuple[bool | None, ...]
) -> None:
    reading = between(low, high, **ends)

    assert (at_or_below(reading, D(limit)), at_or_above(reading, D(limit)), below(reading, D(limit))) == claims


@pytest.mark.parametrize(
    ("rule", "reading", "expected"),
    [
        (stop("price", stop_price="0.30"), "0.30", True),
        (stop("price", stop_price="0.30"), "0.31", False),
        (stop("price"), "0.01", False),
        (stop("probability", floor_percent=25), "24.9", True),
        (stop("probability", floor_percent=25), "25", False),
        (stop("probability"), "1", False),
        (stop("loss", max_loss=2), "0.40", True),
        (stop("loss", max_loss=2), "0.41", False),
        (stop("loss", max_loss_percent=50), "0.30", True),
        (stop("loss", max_loss_percent=50), "0.31", False),
        (stop("loss", max_loss_percent=50), "0.60", False),
        (stop("loss", max_loss=2, max_loss_percent=50), "0.40", True),
        (stop("loss"), "0.01", False),
        (stop("profit", take_profit_price="0.80"), "0.80", True),
        (stop("profit", take_profit_price="0.80"), "0.79", False),
        (stop("profit", take_profit_amount=2), "0.80", True),
        (stop("profit", take_profit_amount=2), "0.79", False),
        (stop("profit", take_profit_percent=50), "0.90", True),
        (stop("profit", take_profit_percent=50), "0.89", False),
        (stop("profit", take_profit_price="0.99", take_profit_amount=2), "0.80", True),
        (stop("profit"), "0.99", False),
        (stop("momentum"), "-99", False),
    ],
)
def test_the_condition_of_a_yes_trade(rule: Any, reading: str, expected: bool) -> None:
    """Ten contracts bought at 0.60."""
    assert asked(a_trade(rule), exactly(reading)) is expected


@pytest.mark.parametrize(
    ("rule", "price", "expected"),
    [
        (stop("price", stop_price=105), "105", True),
        (stop("price", stop_price=105), "104", False),
        (stop("profit", take_profit_price=95), "95", True),
        (stop("profit", take_profit_price=95), "96", False),
        (stop("profit", take_profit_amount=10), "95", True),
        (stop("profit", take_profit_percent=5), "95.01", False),
        (stop("loss", max_loss=10), "105", True),
        (stop("loss", max_loss_percent=5), "104.99", False),
    ],
)
def test_the_condition_of_a_short_is_the_other_way_round(rule: Any, price: str, expected: bool) -> None:
    """Two units sold at 100."""
    assert asked(a_coin_trade(rule, side=Side.SHORT), exactly(price)) is expected


@pytest.mark.parametrize(
    ("side", "trail", "best", "price", "expected"),
    [
        (Side.LONG, {"trail": 5}, "120", "115", True),
        (Side.LONG, {"trail": 5}, "120", "115.01", False),
        (Side.LONG, {"trail_percent": 10}, "120", "108", True),
        (Side.LONG, {"trail_percent": 10}, "120", "108.01", False),
        (Side.SHORT, {"trail": 5}, "80", "85", True),
        (Side.SHORT, {"trail": 5}, "80", "84.99", False),
        (Side.SHORT, {"trail_percent": 10}, "80", "88", True),
        (Side.SHORT, {"trail_percent": 10}, "80", "87.99", False),
        (Side.LONG, {"trail": 5}, None, "1", False),
    ],
)
def test_a_trailing_stop_follows_its_best(
    side: Side, trail: dict[str, int], best: str | None, price: str, expected: bool
) -> None:
    assert asked(a_coin_trade(stop("trailing", **trail), side=side), exactly(price), best=best) is expected


@pytest.mark.parametrize(
    ("side", "kind", "against"),
    [
        (Side.YES, StrikeType.ABOVE, "-1"),
        (Side.YES, StrikeType.BELOW, "1"),
        (Side.NO, StrikeType.ABOVE, "1"),
        (Side.NO, StrikeType.BELOW, "-1"),
    ],
)
def test_momentum_counts_against_the_side(side: Side, kind: StrikeType, against: str) -> None:
    trade = a_trade(stop("momentum", threshold_percent=1), side=side, strike_type=kind)

    assert (asked(trade, exactly(against)), asked(trade, exactly(str(-int(against))))) == (True, False)


@pytest.mark.parametrize(("price", "expected"), [("119599", True), ("119600", False), (None, None)])
def test_a_buffer_is_what_lies_between_the_price_and_the_strike(price: str | None, expected: bool | None) -> None:
    assert asked(a_trade(stop("buffer", min_buffer=100)), between(price, price)) is expected


def test_a_buffer_without_a_limit_is_unknown() -> None:
    assert asked(a_trade(stop("buffer")), exactly("1")) is None


@pytest.mark.parametrize(
    ("rule", "now_s", "expected"),
    [
        (stop("time", max_age_s=60), 59, False),
        (stop("time", max_age_s=60), 60, True),
        (stop("time", close_before_s=60), 3539, False),
        (stop("time", close_before_s=60), 3540, True),
        (stop("time", close_before_s=60, max_age_s=100), 100, True),
        (stop("time"), 9999, False),
    ],
)
def test_a_time_stop_needs_a_clock_only(rule: Any, now_s: int, expected: bool) -> None:
    assert asked(a_trade(rule), None, now_s) is expected


@pytest.mark.parametrize("rule", [stop("price", stop_price="0.30"), stop("loss", max_loss=1)])
@pytest.mark.parametrize("reading", [None, between(None, None)])
def test_of_what_nobody_knows_nothing_is_claimed(rule: Any, reading: Reading | None) -> None:
    assert asked(a_trade(rule), reading) is None


@pytest.mark.parametrize(
    ("spec", "reading"),
    [
        (stop("loss", max_loss=2), between("0.30", "0.50")),
        (stop("loss", max_loss=2, max_loss_percent=50), between("0.35", "0.50")),
        (stop("profit", take_profit_price="0.80"), between("0.70", "0.90")),
    ],
)
def test_what_holds_in_a_part_only_of_what_may_be_is_unknown(spec: Any, reading: Reading) -> None:
    assert asked(a_trade(spec), reading) is None


@pytest.mark.parametrize(("is_open", "expected"), [(True, False), (False, None)])
def test_a_target_at_an_end_that_the_price_does_not_reach_is_not_met(is_open: bool, expected: bool | None) -> None:
    """Ten contracts bought at 0.60 earn three dollars at 0.90."""
    trade = a_trade(stop("profit", take_profit_amount=3))

    assert asked(trade, between("0.40", "0.90", high_open=is_open)) is expected


@pytest.mark.parametrize(
    ("trade", "price", "pnl", "percent"),
    [
        (a_trade(), between("0.40", "0.50", low_open=True), ("-2.0", "-1.0"), ("-33.", "-16.")),
        (a_coin_trade(side=Side.SHORT), between("90", "95", high_open=True), ("10", "20"), ("5", "10")),
    ],
)
def test_profit_lies_between_what_the_two_ends_would_bring(
    trade: Trade, price: Reading, pnl: tuple[str, str], percent: tuple[str, str]
) -> None:
    found = pnl_reading(trade, price)
    shares = percent_reading(trade, found)

    assert (found.low, found.high, found.low_open, found.high_open) == (D(pnl[0]), D(pnl[1]), True, False)
    assert str(shares.low).startswith(percent[0])
    assert str(shares.high).startswith(percent[1])


@pytest.mark.parametrize("trade", [a_trade(), a_coin_trade(side=Side.SHORT)])
def test_profit_comes_from_where_its_price_does(trade: Trade) -> None:
    assert pnl_reading(trade, between("0.40", "0.50", source="kalshi")).source == "kalshi"


def test_profit_has_no_end_where_the_price_has_none() -> None:
    short = pnl_reading(a_coin_trade(side=Side.SHORT), between("90", None))
    long = pnl_reading(a_coin_trade(), between("90", None))

    assert (short.low, short.high, percent_reading(a_coin_trade(), short).low) == (None, D(20), None)
    assert (long.low, long.high, percent_reading(a_coin_trade(), long).high) == (D(-20), None, None)
