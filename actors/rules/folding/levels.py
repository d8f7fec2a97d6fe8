"""What stops can see in one tick, whatever trade they belong to: its levels, and whether the book takes it at all."""

from typing import Final, NamedTuple

from actors.rules.market.feeds import AHEAD_NS, OLDEST_NS
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick
from bus.messages.units import HUNDRED, ONE, ZERO, Number, Price


class Level(NamedTuple):
    """The ends of one thing that rules compare with thresholds; None: no end, or unknown."""

    low: Number | None = None
    high: Number | None = None


class Seen(NamedTuple):
    """A tick as rules see it. levels: the same things for all ticks of one input; unknown in a crossed book.

    apart: how far the yes and the no quote disagree, dollars; None where not both are there. stands: what has stood since its
    first tick, a value, or that the book is crossed.
    """

    levels: tuple[Level, ...]
    apart: Price | None
    stands: object


_UNKNOWN: Final = (Level(),) * 7
MIDDLE: Final = 6
"""Of a quote's levels: twice the middle of the yes quote. The others are what closing brings: yes and no, sold or bought back;
long; short."""


Input = tuple[type, str]
"""The kind of its ticks, and its ticker, symbol or source."""


def name_of(tick: Tick) -> Input:
    """Return which input `tick` is of."""
    match tick:
        case Quote(ticker=name) | Probability(ticker=name) | SpotPrice(symbol=name) | Momentum(symbol=name):
            return type(tick), name
        case FeedBeat(source=name):
            return FeedBeat, name


def seen(tick: Tick) -> Seen:
    """Return what rules see in `tick`; in a beat nothing."""
    match tick:
        case Quote():
            return _quoted(tick)
        case SpotPrice(price=value) | Probability(probability=value) | Momentum(momentum=value):
            return Seen((Level(value, value),), None, value)
        case FeedBeat():
            return Seen((), None, None)


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


def _quoted(quote: Quote) -> Seen:
    """As `market.marks` reads it: who is not there, what another side says instead, and what only bounds it."""
    yes_bid, yes_ask, bid, ask = quote.yes_bid or None, _ask(quote.yes_ask), quote.bid or None, quote.ask or None
    no_bid, no_ask = quote.no_bid or None, _ask(quote.no_ask)
    apart = _apart(yes_bid, yes_ask, no_bid, no_ask)
    if _is_above(yes_bid, yes_ask) or _is_above(no_bid, no_ask) or _is_above(bid, ask):
        return Seen(_UNKNOWN, apart, stands=True)
    yes_by_no = None if no_ask is None else ONE - no_ask
    no_by_yes = None if yes_ask is None else ONE - yes_ask
    yes_top = yes_ask if yes_ask is not None or no_bid is None else ONE - no_bid
    no_top = no_ask if no_ask is not None or yes_bid is None else ONE - yes_bid
    sold, bought = (yes_by_no if yes_bid is None else yes_bid), (yes_bid if yes_by_no is None else yes_by_no)
    no_sold, no_bought = (no_by_yes if no_bid is None else no_bid), (no_bid if no_by_yes is None else no_by_yes)
    levels = (
        Level(sold, yes_top if sold is None else sold),
        Level(bought, yes_top if bought is None else bought),
        Level(no_sold, no_top if no_sold is None else no_sold),
        Level(no_bought, no_top if no_bought is None else no_bought),
        Level(bid, ask if bid is None else bid),
        Level(bid if ask is None else ask, ask),
        _middle(sold, yes_top),
    )
    return Seen(levels, apart, stands=False)


def _middle(bid: Price | None, ask: Price | None) -> Level:
    if bid is None or ask is None or bid > ask:
        # A bid above an ask by what the other side says: each side of the contract fears its own end.
        return Level(None if bid is None else 2 * bid, None if ask is None else 2 * ask)
    return Level(bid + ask, bid + ask)


def _apart(yes_bid: Price | None, yes_ask: Price | None, no_bid: Price | None, no_ask: Price | None) -> Price | None:
    by_bid = None if yes_bid is None or no_ask is None else abs(yes_bid + no_ask - ONE)
    by_ask = None if yes_ask is None or no_bid is None else abs(yes_ask + no_bid - ONE)
    return max((value for value in (by_bid, by_ask) if value is not None), default=None)


def _is_above(bid: Price | None, ask: Price | None) -> bool:
    return bid is not None and ask is not None and bid > ask


def _ask(price: Price | None) -> Price | None:
    return None if price is None or price == ONE else price or None
