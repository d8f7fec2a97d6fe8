"""Whose a difference is: a shortfall is the oldest entry's first (SPEC 1.3), at the price of the venue's own fills where they add up."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from actors.rules.reconcile.holdings import oldest_first
from actors.rules.trade.outside import part_id
from bus.messages.orders import VenueFill
from bus.messages.reconcile import ClosedOutside
from bus.messages.trades import Trade
from bus.messages.units import ZERO


def explaining(fills: Iterable[VenueFill], quantity: Decimal) -> tuple[VenueFill, ...]:
    """Return `fills`, in order, if they add up to exactly `quantity`; else none.

    A venue does not say which of them bought and which sold. If all of them moved the position one way they add up to how far it
    has moved; if some moved it back they add up to more. So only an exact sum proves what they did.
    """
    found = tuple(fills)
    return found if sum((fill.quantity for fill in found), ZERO) == quantity else ()


def closed_outside(
    trades: Iterable[Trade], missing: Decimal, fills: Sequence[VenueFill], now_ns: int
) -> list[ClosedOutside]:
    """Share `missing` among the trades of one place, the oldest entry first, and `fills`, oldest first, with it.

    fills: what `explaining` gave: they add up to `missing`, or there are none.
    """
    said: list[ClosedOutside] = []
    left = deque((fill, fill.quantity) for fill in fills)
    for trade in oldest_first(trades):
        quantity = min(missing, trade.open_quantity)
        if not quantity:
            continue
        missing -= quantity
        said.append(
            ClosedOutside(
                trade_id=trade.trade_id,
                open_quantity=trade.open_quantity,
                quantity=quantity,
                fills=tuple(_take(left, quantity, trade.trade_id)),
                now_ns=now_ns,
            )
        )
    return said


def _take(left: deque[tuple[VenueFill, Decimal]], quantity: Decimal, trade_id: str) -> Iterator[VenueFill]:
    """Yield the next `quantity` of what is `left`. The later parts of a fill that is cut have ids of their own, and no fee."""
    while left and quantity:
        fill, there = left.popleft()
        part = min(there, quantity)
        quantity -= part
        if part < there:
            left.appendleft((fill, there - part))
        if there == fill.quantity:
            yield replace(fill, quantity=part)
        else:
            yield replace(fill, quantity=part, fill_id=part_id(fill.fill_id, trade_id), fees=None)
