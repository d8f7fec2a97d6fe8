"""Fills and money: a fill is booked once, sums are exact, and division happens only for averages that people read.

`entry_cost` and `exit_proceeds` are sums of price x quantity. The average prices are rounded to 12 decimals and never used
again: profit is computed from the sums, so it is exact as soon as as much is closed as was opened.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules.trade.draft import Draft
from bus.messages.trades import Attempt, Fill, Purpose, Side, Trade
from bus.messages.units import ONE, ZERO

EXACT: Final = Context(prec=96)
"""Wide enough for sums of products of the widest numbers that the wire lets in (30 digits each)."""

_AVERAGE: Final = Decimal("1E-12")


def average(total: Decimal, quantity: Decimal) -> Decimal | None:
    """Return `total` for one contract, rounded to 12 decimals; None of nothing."""
    if not quantity:
        return None
    exact = EXACT.divide(total, quantity)
    rounded = exact.quantize(_AVERAGE, ROUND_HALF_EVEN, EXACT)
    return exact if exact == rounded else rounded


def part(total: Decimal, quantity: Decimal, of: Decimal) -> Decimal:
    """Return the share of `total` that `quantity` has in `of`: exact for all of it, else rounded to 12 decimals."""
    if not of or not quantity:
        return ZERO
    if quantity == of:
        return total
    return EXACT.divide(EXACT.multiply(total, quantity), of).quantize(_AVERAGE, ROUND_HALF_EVEN, EXACT)


def own_price(trade: Trade, attempt: Attempt, price: Decimal) -> Decimal:
    """Return `price`, which is of the order's side, for the trade's own side."""
    bought_the_opposite = attempt.side is not None and attempt.side is not trade.side and trade.side.is_event
    return ONE - price if bought_the_opposite else price


def realised(trade: Trade) -> Decimal:
    """Return what the closed part brought, dollars, less all fees booked; nothing of what was closed at an unknown price."""
    cost = part(trade.entry_cost, trade.closed_quantity - trade.unpriced_quantity, trade.filled_quantity)
    gain = cost - trade.exit_proceeds if trade.side is Side.SHORT else trade.exit_proceeds - cost
    return gain - trade.fees


def book(draft: Draft, attempt: Attempt, fill: Fill) -> None:
    """Book one fill of an order of ours. The caller knows that it is new."""
    book_fill(draft, fill)
    draft.put(replace(attempt, filled=attempt.filled + fill.quantity))


def book_fill(draft: Draft, fill: Fill) -> None:
    """Book one fill of the trade's own: quantities, sums, averages, fees, instants. The caller knows that it is new."""
    value = EXACT.multiply(fill.price, fill.quantity)
    trade = draft.trade
    fills = tuple(sorted((*trade.fills, fill), key=lambda known: (known.ts, known.fill_id)))
    if fill.purpose is Purpose.ENTRY:
        filled = trade.filled_quantity + fill.quantity
        cost = EXACT.add(trade.entry_cost, value)
        draft.change(
            filled_quantity=filled,
            entry_cost=cost,
            entry_price=average(cost, filled),
            entry_ts=fill.ts if trade.entry_ts is None else min(trade.entry_ts, fill.ts),
        )
    else:
        closed = trade.closed_quantity + fill.quantity
        proceeds = EXACT.add(trade.exit_proceeds, value)
        wanted = trade.close_wanted
        draft.change(
            closed_quantity=closed,
            exit_proceeds=proceeds,
            exit_price=average(proceeds, closed - trade.unpriced_quantity),
            exit_ts=fill.ts if trade.exit_ts is None else max(trade.exit_ts, fill.ts),
            close_wanted=None if wanted is None else max(ZERO, wanted - fill.quantity),
        )
    draft.change(
        fills=fills,
        fees=draft.trade.fees + fill.fees,
        open_quantity=draft.trade.filled_quantity - draft.trade.closed_quantity,
    )
    draft.change(pnl=realised(draft.trade))
    if fill.quantity:
        draft.fills.append(fill)
