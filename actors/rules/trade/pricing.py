"""At what price a close is sent.

In terms of the trade's own side a close sells what is held (a short buys it back). Its limit is the exit price less slippage,
doubled with each try, never below one tick and never above the exit price itself; it is rounded to the tick away from the
exit price, so that slippage is never less than what was allowed. Buying mirrors all of it.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from actors.rules.trade.fills import EXACT
from actors.rules.trade.settings import number, rests_on_empty_book
from actors.rules.trade.steps import VenueTerms
from bus.messages.orders import Action
from bus.messages.stops import Mark
from bus.messages.trades import Side, Trade
from bus.messages.units import HUNDRED, ONE, ZERO

SMALLEST_TICK: Final = Decimal("0.01")
"""Where an instrument's tick is not known."""

_MOST_DOUBLINGS: Final = 12
"""By then the limit of a sale is one tick; a purchase must stop somewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an order names. limit_price: of `side`, dollars."""

    side: Side
    action: Action
    limit_price: Decimal
    time_in_force: str


def tick_of(trade: Trade) -> Decimal:
    """Return the smallest step of the trade's prices."""
    return trade.tick_size or SMALLEST_TICK


def close_terms(trade: Trade, mark: Mark, nth: int, venue: VenueTerms) -> Terms | None:
    """Return the order of the `nth` try of a close; None while no price can be named: ask for the mark again."""
    if trade.side is Side.SHORT:
        return _buy_back(trade, mark, nth)
    if mark.low is not None and mark.low > ZERO:
        limit, time_in_force = min(_less_slippage(trade, mark.low, nth), mark.low), "ioc"
    elif mark.reason == "crossed" or not (trade.side.is_event or mark.sell_ask):
        return None
    else:
        limit = tick_of(trade) if mark.sell_ask is None else _less_slippage(trade, mark.sell_ask, nth)
        time_in_force = "gtc" if rests_on_empty_book(trade) else "ioc"
    side, action = way_out(trade, venue)
    limit = limit if side is trade.side else ONE - limit
    return Terms(side=side, action=action, limit_price=limit, time_in_force=time_in_force)


def way_out(trade: Trade, venue: VenueTerms) -> tuple[Side, Action]:
    """Return the side that a close of `trade` names at `venue`, and whether it buys or sells."""
    if venue.style == "buy_opposite" and trade.side.is_event:
        return trade.side.opposite, Action.BUY
    return trade.side, Action.BUY if trade.side is Side.SHORT else Action.SELL


def _less_slippage(trade: Trade, price: Decimal, nth: int) -> Decimal:
    tick = tick_of(trade)
    return max(tick, to_tick(price - slippage(trade, price, nth), tick, ROUND_FLOOR))


def _buy_back(trade: Trade, mark: Mark, nth: int) -> Terms | None:
    if mark.high is None or mark.high <= ZERO:
        return None
    limit = to_tick(mark.high + slippage(trade, mark.high, nth), tick_of(trade), ROUND_CEILING)
    return Terms(side=trade.side, action=Action.BUY, limit_price=max(limit, mark.high), time_in_force="ioc")


def slippage(trade: Trade, price: Decimal, nth: int) -> Decimal:
    """Return how far from `price` the `nth` try may go, dollars: doubled with each."""
    doubled = Decimal(2 ** min(nth - 1, _MOST_DOUBLINGS))
    if trade.side.is_event:
        return number(trade, "close_slippage") * doubled
    return EXACT.divide(price * number(trade, "close_slippage_percent") * doubled, HUNDRED)


def to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    """Return `price` on a whole tick, rounded as `decimal` names it."""
    return EXACT.divide(price, tick).to_integral_value(rounding) * tick


def to_lot(quantity: Decimal, lot: Decimal | None) -> Decimal:
    """Return as much of `quantity` as whole lots hold."""
    return quantity if not lot else to_tick(quantity, lot, ROUND_FLOOR)
