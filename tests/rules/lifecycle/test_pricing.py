"""At what price a close is sent (SPEC 1.3, Closes), at its boundaries, both kinds of instrument, both venue styles."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.trade.pricing import Terms, close_terms, to_lot
from bus.messages.orders import Action
from bus.messages.stops import Mark, MarkState
from bus.messages.trades import Side
from tests.rules.lifecycle.builders import BUY_OPPOSITE, SELL, a_mark, a_trade


def _limit(side: Side, bid: str, nth: int = 1, **facts: Any) -> Decimal:  # the fields of Trade
    terms = close_terms(a_trade(side, **facts), a_mark(bid), nth, SELL)
    assert terms is not None
    return terms.limit_price


@pytest.mark.parametrize(
    ("bid", "nth", "limit"),
    [
        ("0.40", 1, "0.35"),
        ("0.40", 2, "0.30"),
        ("0.40", 3, "0.20"),
        ("0.40", 4, "0.01"),
        ("0.40", 40, "0.01"),
        ("0.06", 1, "0.01"),
        ("0.05", 1, "0.01"),
        ("0.01", 1, "0.01"),
        ("0.99", 1, "0.94"),
    ],
)
def test_slippage_doubles_with_each_try_down_to_one_tick(bid: str, nth: int, limit: str) -> None:
    assert _limit(Side.YES, bid, nth) == Decimal(limit)


@pytest.mark.parametrize(
    ("tick", "bid", "limit"),
    [("0.001", "0.4935", "0.443"), ("0.05", "0.43", "0.35"), (None, "0.4935", "0.44"), (None, "0.004", "0.004")],
)
def test_a_limit_is_on_the_tick_and_never_above_the_exit_price(tick: str | None, bid: str, limit: str) -> None:
    assert _limit(Side.NO, bid, tick_size=None if tick is None else Decimal(tick)) == Decimal(limit)


def test_the_trades_own_slippage_counts() -> None:
    """Lesson 64: exact thresholds."""
    assert _limit(Side.YES, "0.40", settings={"close_slippage": Decimal("0.025")}) == Decimal("0.37")


@pytest.mark.parametrize(
    ("side", "nth", "limit", "action"),
    [
        (Side.LONG, 1, "49750", Action.SELL),
        (Side.LONG, 2, "49500", Action.SELL),
        (Side.SHORT, 1, "50250", Action.BUY),
        (Side.SHORT, 2, "50500", Action.BUY),
    ],
)
def test_a_linear_close_slips_by_percent_and_buying_adds(side: Side, nth: int, limit: str, action: Action) -> None:
    terms = close_terms(a_trade(side), a_mark("50000"), nth, SELL)

    assert terms == Terms(side=side, action=action, limit_price=Decimal(limit), time_in_force="ioc")


def test_a_linear_limit_is_rounded_away_from_the_exit_price() -> None:
    assert _limit(Side.LONG, "100.37") == Decimal("99.86")
    assert _limit(Side.SHORT, "100.37") == Decimal("100.88")


@pytest.mark.parametrize(("side", "other"), [(Side.YES, Side.NO), (Side.NO, Side.YES)])
def test_a_venue_that_buys_the_opposite_gets_the_mirrored_price(side: Side, other: Side) -> None:
    terms = close_terms(a_trade(side), a_mark("0.40"), 1, BUY_OPPOSITE)

    assert terms == Terms(side=other, action=Action.BUY, limit_price=Decimal("0.65"), time_in_force="ioc")


def test_a_linear_close_sells_its_own_side_whatever_the_style() -> None:
    terms = close_terms(a_trade(Side.LONG), a_mark("50000"), 1, BUY_OPPOSITE)

    assert terms is not None
    assert (terms.side, terms.action) == (Side.LONG, Action.SELL)


@pytest.mark.parametrize(("ask", "nth", "limit"), [("0.30", 1, "0.25"), ("0.30", 2, "0.20"), (None, 1, "0.01")])
def test_without_a_bid_a_close_rests_below_the_ask_or_at_one_tick(ask: str | None, nth: int, limit: str) -> None:
    terms = close_terms(a_trade(), a_mark(None, ask), nth, SELL)

    assert terms is not None
    assert (terms.limit_price, terms.time_in_force) == (Decimal(limit), "gtc")


def test_an_empty_book_can_be_retried_instead_of_rested_on() -> None:
    terms = close_terms(a_trade(settings={"close_empty_book": "retry"}), a_mark(None, "0.30"), 1, SELL)

    assert terms is not None
    assert terms.time_in_force == "ioc"


def test_a_close_that_rests_by_buying_the_opposite_is_mirrored_too() -> None:
    terms = close_terms(a_trade(), a_mark(None, "0.30"), 1, BUY_OPPOSITE)

    assert terms is not None
    assert (terms.limit_price, terms.time_in_force) == (Decimal("0.75"), "gtc")


def test_a_crossed_book_names_no_price_yet() -> None:
    assert close_terms(a_trade(), a_mark(None, reason="crossed"), 1, SELL) is None


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_a_linear_instrument_without_a_quote_names_no_price(side: Side) -> None:
    assert close_terms(a_trade(side), a_mark(None), 1, SELL) is None


def test_nothing_is_bought_back_at_no_price() -> None:
    assert close_terms(a_trade(Side.SHORT), a_mark("0"), 1, SELL) is None


def test_a_short_prices_by_the_worse_end_of_its_mark() -> None:
    mark = Mark(state=MarkState.BOUNDED, low=Decimal(99), high=Decimal(100))

    terms = close_terms(a_trade(Side.SHORT), mark, 1, SELL)

    assert terms is not None
    assert terms.limit_price == Decimal("100.50")


@pytest.mark.parametrize(
    ("quantity", "lot", "whole"),
    [("1.5", "1", "1"), ("0.99", "1", "0"), ("1", "1", "1"), ("1.5", None, "1.5"), ("0.30", "0.1", "0.3")],
)
def test_a_quantity_is_sent_in_whole_lots(quantity: str, lot: str | None, whole: str) -> None:
    """Lesson 45: fractional contracts."""
    assert to_lot(Decimal(quantity), None if lot is None else Decimal(lot)) == Decimal(whole)
