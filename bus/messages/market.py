"""Market data: quotes, underlying prices, probabilities, momentum, feed beats, lifecycle.

What comes by thousands a second (`Tick`) is not tracked by the garbage collector: it holds texts and numbers, no cycle.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from bus.messages.envelope import Message
from bus.messages.units import Name, Number, Percent, Price, Quantity, UtcNs


class Quote(Message, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The best prices of one ticker. Event contracts have yes and no sides, linear instruments bid and ask.

    Dollars for one contract. Null, absent, bid 0 or ask 1 (event contracts): nobody there.
    Source: NATS subject `market.quote.<ticker>`.
    """

    ticker: Name
    ts: UtcNs
    source: Name | None = None
    yes_bid: Price | None = None
    yes_ask: Price | None = None
    no_bid: Price | None = None
    no_ask: Price | None = None
    bid: Price | None = None
    ask: Price | None = None
    yes_bid_size: Quantity | None = None
    yes_ask_size: Quantity | None = None
    no_bid_size: Quantity | None = None
    no_ask_size: Quantity | None = None
    bid_size: Quantity | None = None
    ask_size: Quantity | None = None


class SpotPrice(Message, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A price of the underlying, dollars, > 0. Source: `market.price.<symbol>`."""

    symbol: Name
    ts: UtcNs
    price: Price
    source: Name | None = None


class Probability(Message, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Percent 0-100 that YES wins. Source: `market.probability.<ticker>`."""

    ticker: Name
    ts: UtcNs
    probability: Percent
    source: Name | None = None


class Momentum(Message, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Percent (0.35 is 0.35 %). Source: `market.momentum.<symbol>`."""

    symbol: Name
    ts: UtcNs
    momentum: Percent
    source: Name | None = None


class FeedBeat(Message, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A feed says that it lives, and how long it may be silent. Source: `market.feed.<source>`."""

    source: Name
    ts: UtcNs
    max_silence_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class LifecycleEvent(StrEnum):
    """What can happen to a market."""

    CREATED = "created"
    OPEN = "open"
    HALTED = "halted"
    RESUMED = "resumed"
    CLOSE_TS_CHANGED = "close_ts_changed"
    CLOSE = "close"
    DETERMINED = "determined"
    SETTLED = "settled"


class Result(StrEnum):
    """How an event contract ended."""

    YES = "yes"
    NO = "no"
    SPLIT = "split"
    VOID = "void"


class StrikeType(StrEnum):
    """On which side of its strike a contract wins."""

    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"


class Lifecycle(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to a market. Source: `market.lifecycle.<ticker>`.

    payout: dollars for one contract of the YES side in a split or void.
    event: a plain text, because unknown events are counted and ignored, not quarantined.
    """

    ticker: Name
    ts: UtcNs
    event: Name
    symbol: Name | None = None
    strike_type: StrikeType | None = None
    strike: Number | None = None
    cap_strike: Number | None = None
    close_ts: UtcNs | None = None
    tick_size: Price | None = None
    lot_size: Quantity | None = None
    result: Result | None = None
    payout: Price | None = None


Tick = Quote | SpotPrice | Probability | Momentum | FeedBeat
"""Market data that is not kept: no inbox row, may be folded under overload."""


class Part(StrEnum):
    """What a batch is: a read as it came, a piece of a large one, or a part of many that were folded under a flood (`rules.folding`).

    PAST: a piece all of whose ticks were gone again by the end of the read: they fire nothing (`rules.stops.backlog`).
    WITNESS: ticks that end counts and raise bests, but neither count nor fire: others between them are not told. KEPT: ticks that
    do all of it, but what adds several inputs up is not judged by them: the others are not what they were at that moment. COUNTED: as
    KEPT, of ticks that fire nothing, as in PAST. END: no tick; all inputs stand again as they did at this moment.
    """

    WHOLE = "whole"
    PAST = "past"
    KEPT = "kept"
    COUNTED = "counted"
    WITNESS = "witness"
    END = "end"


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """One read batch of market data, in the order of arrival; one inbox item.

    received_ns: when the wire read the batch; the only "now" that rules see.
    """

    batch: tuple[Tick, ...]
    received_ns: UtcNs
    part: Part = Part.WHOLE
