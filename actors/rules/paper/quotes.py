"""The simulated venue's own picture of the market: the last quote of each ticker, and what an order would meet in it.

It is kept apart from the book that judges stops: a venue knows nothing of freshness, and fills at whatever is quoted.
"""

from decimal import Decimal
from typing import NamedTuple, TypeVar

from bus.messages.market import Quote, SpotPrice, Tick
from bus.messages.orders import Action
from bus.messages.trades import Side
from bus.messages.units import ONE, ZERO

_Kept = TypeVar("_Kept", Quote, SpotPrice)


class Offer(NamedTuple):
    """Somebody on the other side of an order. price: of the order's own side, dollars. size: None where nobody says."""

    price: Decimal
    size: Decimal | None


class PaperQuotes:
    """The last quote of each ticker and the last price of each symbol. A tick older than the last is dropped."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._spots: dict[str, SpotPrice] = {}

    def take(self, tick: Tick) -> str | None:
        """Keep `tick`; return the ticker whose offers may have changed by it."""
        match tick:
            case Quote(ticker=ticker):
                return ticker if _newer(self._quotes, ticker, tick) else None
            case SpotPrice(symbol=symbol):
                return symbol if _newer(self._spots, symbol, tick) and symbol not in self._quotes else None
            case _:
                return None

    def best(self, ticker: str, side: Side, action: Action) -> Offer | None:
        """Return what an order that does `action` with `side` meets now; None where nobody is there."""
        quote = self._quotes.get(ticker)
        if quote is None:
            spot = self._spots.get(ticker)
            return Offer(spot.price, None) if spot is not None and not side.is_event and spot.price > 0 else None
        if not side.is_event:
            return _linear(quote, action)
        own, other = _sides(quote, side)
        return _buying(own, other) if action is Action.BUY else _selling(own, other)


class _Quoted(NamedTuple):
    """One side of an event contract's quote, with whoever is not there as None."""

    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None


def _newer(kept: dict[str, _Kept], name: str, tick: _Kept) -> bool:
    last = kept.get(name)
    if last is not None and tick.ts < last.ts:
        return False
    kept[name] = tick
    return True


def _linear(quote: Quote, action: Action) -> Offer | None:
    price, size = (quote.ask, quote.ask_size) if action is Action.BUY else (quote.bid, quote.bid_size)
    return Offer(price, size) if price is not None and price > 0 and size != ZERO else None


def _sides(quote: Quote, side: Side) -> tuple[_Quoted, _Quoted]:
    yes = _Quoted(_bid(quote.yes_bid), _ask(quote.yes_ask), quote.yes_bid_size, quote.yes_ask_size)
    no = _Quoted(_bid(quote.no_bid), _ask(quote.no_ask), quote.no_bid_size, quote.no_ask_size)
    return (yes, no) if side is Side.YES else (no, yes)


def _bid(price: Decimal | None) -> Decimal | None:
    return price if price is not None and ZERO < price <= ONE else None


def _ask(price: Decimal | None) -> Decimal | None:
    return price if price is not None and ZERO < price < ONE else None


def _buying(own: _Quoted, other: _Quoted) -> Offer | None:
    if own.ask is not None:
        return Offer(own.ask, own.ask_size) if own.ask_size != ZERO else None
    if other.bid is not None and other.bid < ONE and other.bid_size != ZERO:
        return Offer(ONE - other.bid, other.bid_size)
    return None


def _selling(own: _Quoted, other: _Quoted) -> Offer | None:
    if own.bid is not None:
        return Offer(own.bid, own.bid_size) if own.bid_size != ZERO else None
    if other.ask is not None and other.ask_size != ZERO:
        return Offer(ONE - other.ask, other.ask_size)
    return None
