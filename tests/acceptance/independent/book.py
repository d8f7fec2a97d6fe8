"""What is known of a market at an instant, as one side of a trade sees it (SPEC 1.1). Part of the independent check."""

from dataclasses import dataclass
from decimal import Decimal

from tests.acceptance.independent.tape import Event

ENDS = {"close", "closed", "determined", "settled", "runner_winner", "runner_loser"}


@dataclass(frozen=True)
class Bound:
    """`low <= value <= high`; with `open_high` the value is below `high`, never at it; with `open_low` above `low`."""

    low: Decimal | None
    high: Decimal | None
    ts: int
    open_high: bool = False
    open_low: bool = False


class Book:
    """The book of one ticker as one side of a trade sees it, moved on by the events of its market."""

    def __init__(self, side: str, crossed_max_ns: int, max_spread: Decimal) -> None:
        self.side = side
        self.quote: Event | None = None
        self.spot: Event | None = None
        self.crossed_since: int | None = None
        self.halted = False
        self.ended_at: int | None = None
        self.close_ts: int | None = None
        self.result: str | None = None
        self.crossed_max_ns = crossed_max_ns
        self._max_spread = max_spread

    def move(self, event: Event) -> None:
        if event.kind == "price":
            self.spot = event
        elif event.kind == "quote":
            self.quote = event
            crossed = _above(event.yes_bid, event.yes_ask) or _above(event.no_bid, event.no_ask)
            self.crossed_since = (self.crossed_since or event.ts) if crossed else None
        else:
            self._move_on(event)

    def _move_on(self, event: Event) -> None:
        if event.what == "suspended":
            self.halted = True
        elif event.what == "open":
            self.halted = False
        if event.close_ts is not None:
            self.close_ts = event.close_ts
        if event.what in ENDS:
            if self.ended_at is None:
                self.ended_at = event.ts
            if event.result is not None and self.result is None and event.what not in ("close", "closed"):
                self.result = event.result

    def own(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the bid at which the own side is sold and the ask at which it is bought; each else by the other side."""
        if self.quote is None:
            price = None if self.spot is None or self.side in ("yes", "no") else self.spot.price
            return price, price
        quote = self.quote
        if self.side == "yes":
            bid, ask, other_bid, other_ask = quote.yes_bid, quote.yes_ask, quote.no_bid, quote.no_ask
        else:
            bid, ask, other_bid, other_ask = quote.no_bid, quote.no_ask, quote.yes_bid, quote.yes_ask
        if bid is None and other_ask is not None:
            bid = 1 - other_ask
        if ask is None and other_bid is not None:
            ask = 1 - other_bid
        return bid, ask

    def ts(self) -> int:
        seen = self.quote or self.spot
        return 0 if seen is None else seen.ts

    def is_held(self, now: int) -> bool:
        """Whether the book is crossed, and has not been so for long enough to believe it."""
        return self.crossed_since is not None and now - self.crossed_since < self.crossed_max_ns

    def exit(self, now: int) -> Bound | None:
        """Return what closing one contract would bring; None: unknown."""
        bid, ask = self.own()
        if self.is_held(now) or (bid is None and ask is None):
            return None
        if bid is None:
            return Bound(Decimal(0), ask, self.ts(), open_high=True)
        if self.crossed_since is not None and ask is not None:
            bid = min(bid, ask)
        return Bound(bid, bid, self.ts())

    def probability(self, now: int) -> Bound | None:
        """Return the probability, percent, that the own side wins; None: unknown."""
        quote = self.quote
        if quote is None or self.is_held(now):
            return None
        bid = quote.yes_bid if quote.yes_bid is not None else None if quote.no_ask is None else 1 - quote.no_ask
        ask = quote.yes_ask if quote.yes_ask is not None else None if quote.no_bid is None else 1 - quote.no_bid
        if bid is None and ask is None:
            return None
        open_low, open_high = ask is None, bid is None
        if bid is not None and ask is not None:
            if bid > ask:
                bid = ask = bid if self.side == "no" else ask
            elif ask - bid <= self._max_spread:
                bid = ask = (bid + ask) / 2
        low, high = (Decimal(0) if bid is None else bid * 100), (Decimal(100) if ask is None else ask * 100)
        if self.side == "no":
            return Bound(100 - high, 100 - low, quote.ts, open_high=open_low, open_low=open_high)
        return Bound(low, high, quote.ts, open_high=open_high, open_low=open_low)

    def disagreement(self) -> Decimal | None:
        quote = self.quote
        if quote is None:
            return None
        apart = []
        if quote.yes_bid is not None and quote.no_ask is not None:
            apart.append(abs(quote.yes_bid - (1 - quote.no_ask)))
        if quote.yes_ask is not None and quote.no_bid is not None:
            apart.append(abs(quote.yes_ask - (1 - quote.no_bid)))
        return max(apart, default=None)


def _above(bid: Decimal | None, ask: Decimal | None) -> bool:
    return bid is not None and ask is not None and bid > ask


def at_most(value: Bound, limit: Decimal) -> bool | None:
    """Whether `value <= limit`: True over the whole bound, False nowhere in it, None otherwise."""
    if value.high is not None and value.high <= limit:
        return True
    if value.low is None or value.low < limit or (value.low == limit and not value.open_low):
        return None
    return False


def at_least(value: Bound, limit: Decimal) -> bool | None:
    if value.low is not None and value.low >= limit:
        return True
    if value.high is None or value.high > limit or (value.high == limit and not value.open_high):
        return None
    return False


def either(claims: list[bool | None]) -> bool | None:
    if True in claims:
        return True
    return None if None in claims else False
