"""What stops can see in one tick, whatever trade they belong to: the ends of each thing that they compare with a threshold."""

from decimal import Decimal
from typing import Final, NamedTuple

from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick
from bus.messages.units import ONE, ZERO, Number, Price

NEVER: Final = Decimal("1E+24")
"""Beyond every threshold."""
_OPEN: Final = Decimal("1E-12")
"""How far within its bound something lies that does not reach it: less than thresholds differ by."""


class Level(NamedTuple):
    """One thing that rules compare with thresholds: `low <= it <= high`. Whatever is not known bounds nothing."""

    low: Number = -NEVER
    high: Number = NEVER


class Seen(NamedTuple):
    """A tick as rules see it. exits: what closing brings, or the value itself: the same things for all ticks of one input.

    middle: bid and ask of the yes quote, None for a side where nobody is, from which probabilities come. apart: how far the yes and
    the no quote disagree, dollars; None where not both are there.
    """

    exits: tuple[Level, ...]
    middle: tuple[Price | None, Price | None] = (None, None)
    apart: Price | None = None


SHORT: Final = 5
"""Of a quote's exits the last one; it rises against its trade. The others: yes and no, sold or bought back; long."""


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
    """Return what rules see in `tick`, a crossed book as it counts once it has stood; in a beat nothing."""
    match tick:
        case Quote():
            return _quoted(tick)
        case SpotPrice(price=value) | Probability(probability=value) | Momentum(momentum=value):
            return Seen((Level(value, value),))
        case FeedBeat():
            return Seen(())


def value_of(tick: Tick) -> Number | None:
    """Return the value of a tick that has one."""
    match tick:
        case SpotPrice(price=value) | Probability(probability=value) | Momentum(momentum=value):
            return value
        case _:
            return None


def is_crossed(quote: Quote) -> bool:
    """Whether a bid is above its ask."""
    return (
        _is_above(quote.yes_bid or None, _ask(quote.yes_ask))
        or _is_above(quote.no_bid or None, _ask(quote.no_ask))
        or _is_above(quote.bid or None, quote.ask or None)
    )


def middle(sides: tuple[Price | None, Price | None], max_spread: Number | None, *, no: bool) -> Level:
    """Return twice the probability of yes as the yes or the no side has it (`market.marks.quote_probability`)."""
    bid, ask = sides
    if bid is None:
        return Level() if ask is None else Level(ZERO, 2 * ask - _OPEN)
    if ask is None:
        return Level(2 * bid + _OPEN, 2 * ONE)
    if bid > ask:
        return Level(2 * bid, 2 * bid) if no else Level(2 * ask, 2 * ask)
    if max_spread is None or ask - bid <= max_spread:
        return Level(bid + ask, bid + ask)
    return Level(2 * bid, 2 * ask)


def _quoted(quote: Quote) -> Seen:
    """As `market.marks` reads it: who is not there, what another side says instead, and what only bounds it."""
    yes_bid, yes_ask, bid, ask = quote.yes_bid or None, _ask(quote.yes_ask), quote.bid or None, quote.ask or None
    no_bid, no_ask = quote.no_bid or None, _ask(quote.no_ask)
    crossed = is_crossed(quote)
    yes_by_no, no_by_yes = _other(no_ask), _other(yes_ask)
    yes_top, no_top = _first(yes_ask, _other(no_bid)), _first(no_ask, _other(yes_bid))
    sold, no_sold = _first(yes_bid, yes_by_no), _first(no_bid, no_by_yes)
    exits = (
        _long(sold, yes_top, crossed=crossed),
        _long(_first(yes_by_no, yes_bid), yes_top, crossed=crossed),
        _long(no_sold, no_top, crossed=crossed),
        _long(_first(no_by_yes, no_bid), no_top, crossed=crossed),
        _long(bid, ask, crossed=crossed),
        _short(bid, ask),
    )
    return Seen(exits, (sold, yes_top), _apart(yes_bid, yes_ask, no_bid, no_ask))


def _long(bid: Price | None, ask: Price | None, *, crossed: bool) -> Level:
    if bid is None:
        return Level() if ask is None else Level(ZERO, ask - _OPEN)
    value = ask if crossed and ask is not None and ask < bid else bid
    return Level(value, value)


def _short(bid: Price | None, ask: Price | None) -> Level:
    if ask is None:
        return Level() if bid is None else Level(bid + _OPEN)
    value = bid if bid is not None and bid > ask else ask
    return Level(value, value)


def _apart(yes_bid: Price | None, yes_ask: Price | None, no_bid: Price | None, no_ask: Price | None) -> Price | None:
    by_bid = None if yes_bid is None or no_ask is None else abs(yes_bid + no_ask - ONE)
    by_ask = None if yes_ask is None or no_bid is None else abs(yes_ask + no_bid - ONE)
    return max((value for value in (by_bid, by_ask) if value is not None), default=None)


def _other(price: Price | None) -> Price | None:
    return None if price is None else ONE - price


def _first(price: Price | None, other: Price | None) -> Price | None:
    return other if price is None else price


def _is_above(bid: Price | None, ask: Price | None) -> bool:
    return bid is not None and ask is not None and bid > ask


def _ask(price: Price | None) -> Price | None:
    return None if price is None or price == ONE else price or None
