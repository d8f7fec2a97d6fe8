"""Which ticks the book rejects by themselves, for whoever must know before they reach it."""

from actors.rules.market.feeds import AHEAD_NS, OLDEST_NS
from bus.messages.market import Probability, Quote, SpotPrice, Tick
from bus.messages.units import HUNDRED, ONE, ZERO


def is_odd(tick: Tick, received_ns: int) -> bool:
    """Whether the book rejects it, whatever else is known: an impossible instant or value."""
    if not OLDEST_NS < tick.ts <= received_ns + AHEAD_NS:
        return True
    match tick:
        case Quote():
            sides = tick.yes_bid, tick.yes_ask, tick.no_bid, tick.no_ask
            return any(price is not None and price > ONE for price in sides)
        case SpotPrice(price=price):
            return price <= ZERO
        case Probability(probability=percent):
            return not ZERO <= percent <= HUNDRED
        case _:
            return False
