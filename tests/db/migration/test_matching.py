"""To which trade an old fill belongs: proven, or left open with the reason."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from db.migration.matching import Match, OldFill, OldOrder, OldTrade, match

NOON = datetime(2025, 8, 1, 12, tzinfo=UTC)
ONE = Decimal(1)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_trade(trade_id: str = "legacy-1", begin: float = 0, end: float | None = 60, **more: object) -> OldTrade:
    closed = None if end is None else after(end)
    return OldTrade(trade_id, "T", "no", ONE, after(begin), closed, is_own=True, expired=False)._replace(**more)  # type: ignore[arg-type]  # its fields


def a_fill(fill_id: str, side: str, seconds: float, **more: object) -> OldFill:
    return OldFill(fill_id, f"order-{fill_id}", "T", side, "buy", ONE, after(seconds))._replace(**more)  # type: ignore[arg-type]  # its fields


BOTH = (a_fill("a", "no", 1), a_fill("b", "yes", 59))
ORDERS = {f"order-{one}": OldOrder(f"client-{one}", ONE, Decimal("0.01")) for one in "abcd"}


def test_fills_that_add_up_to_the_one_trade_that_was_open_are_its_own() -> None:
    found = match([a_trade()], BOTH, ORDERS).found

    assert found == {
        "a": Match("legacy-1", "no", "entry", "client-a", Decimal("0.01")),
        "b": Match("legacy-1", "no", "close", "client-b", Decimal("0.01")),
    }


def test_two_trades_one_after_the_other_each_have_their_own() -> None:
    """Lesson 62"""
    trades = [a_trade(), a_trade("legacy-2", 100, 160)]

    found = match(trades, [*BOTH, a_fill("c", "no", 101), a_fill("d", "yes", 159)], ORDERS).found

    assert {fill: one.trade_id for fill, one in found.items()} == {
        "a": "legacy-1", "b": "legacy-1", "c": "legacy-2", "d": "legacy-2",
    }  # fmt: skip


def test_a_trade_that_expired_was_closed_by_nobody() -> None:
    assert list(match([a_trade(expired=True)], BOTH[:1], ORDERS).found) == ["a"]


def test_a_clock_that_is_a_second_apart_is_no_other_moment() -> None:
    assert len(match([a_trade()], [a_fill("a", "no", -1), a_fill("b", "yes", 61.9)], ORDERS).found) == 2


@pytest.mark.parametrize(
    ("trades", "fills", "orders", "why"),
    [
        ([a_trade(ticker="U")], BOTH, ORDERS, "no trade of its ticker was open then"),
        ([a_trade(begin=4)], BOTH, ORDERS, "no trade of its ticker was open then"),
        ([a_trade(), a_trade("legacy-2", 0, 60)], BOTH, ORDERS, "2 trades of its ticker were open then"),
        ([a_trade(), a_trade("legacy-2", 0, None)], BOTH, ORDERS, "2 trades of its ticker were open then"),
        ([a_trade(), a_trade("legacy-2", 50, 70)], BOTH, ORDERS, "while its trade was open, something was filled that may be another's"),
        ([a_trade(is_own=False)], BOTH, ORDERS, "its trade is none of those that become Watchkeeper's own"),
        ([a_trade(quantity=Decimal(2))], BOTH, ORDERS, "the fills of its trade do not add up to what that bought and closed"),
        ([a_trade()], BOTH[:1], ORDERS, "the fills of its trade do not add up to what that bought and closed"),
        ([a_trade(expired=True)], BOTH, ORDERS, "the fills of its trade do not add up to what that bought and closed"),
        ([a_trade()], [BOTH[0], BOTH[1]._replace(action="sell")], ORDERS, "its trade has a fill that sells, which the old programs never did"),
        ([a_trade()], BOTH, {"order-b": ORDERS["order-b"]}, "an order of its trade is not among the orders"),
        ([a_trade()], BOTH, {**ORDERS, "order-b": OldOrder("", ONE, ONE)}, "an order of its trade has no client order id: no program of ours sent it"),
        ([a_trade()], BOTH, {**ORDERS, "order-b": OldOrder("x", ONE, None)}, "an order of its trade tells no fees"),
        ([a_trade()], BOTH, {**ORDERS, "order-b": OldOrder("x", Decimal(2), ONE)},
            "an order of its trade has several fills, and tells the fees of all of them together"),
        ([a_trade(quantity=Decimal(2))], [*BOTH, a_fill("c", "no", 2, order_id="order-a"), a_fill("d", "yes", 3)], ORDERS,
            "an order of its trade has several fills, and tells the fees of all of them together"),
    ],
)  # fmt: skip
def test_what_is_not_proven_is_left_open_with_the_reason(
    trades: list[OldTrade], fills: list[OldFill], orders: dict[str, OldOrder], why: str
) -> None:
    found = match(trades, fills, orders)

    assert found.found == {}
    assert "a" in found.unmatched[why]
