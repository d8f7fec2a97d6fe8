"""Stops: decisions, coverage, marks, and what people ask of stops and settings."""

from enum import StrEnum
from typing import Any

import msgspec

from bus.messages.envelope import Message
from bus.messages.trades import Coverage, StopSpec, Trade
from bus.messages.units import Money, Name, Number, Percent, Price, Quantity, Text, TradeId, UtcNs


class Rule(StrEnum):
    """The stop rules of SPEC 1.2. `drawdown` is an account's and comes with order 2."""

    PROBABILITY = "probability"
    PRICE = "price"
    LOSS = "loss"
    PROFIT = "profit"
    TRAILING = "trailing"
    TIME = "time"
    MOMENTUM = "momentum"
    BUFFER = "buffer"
    STALE = "stale"


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One input of a decision: its value, the source's instant, its age at the decision, who said it."""

    value: Number | None
    ts: UtcNs | None = None
    age_ms: int | None = None
    source: str | None = None


class Guard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One guard as the decision found it; value and limit in the guard's own unit."""

    name: str
    passed: bool
    value: Number | None = None
    limit: Number | None = None


class StopDecision(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A rule's condition held: it fired, or guards held it back. Published as `stop.decision.<trade_id>`.

    decision_id: `<trade_id>-<rule>-<n>`, n counts the decisions of that rule on that trade.
    """

    decision_id: str
    trade_id: TradeId
    rule: str
    fired: bool
    inputs: dict[str, Input]
    guards: tuple[Guard, ...]
    settings_version: int
    ts: UtcNs
    shadow: bool = False


class MarkState(StrEnum):
    """How much is known of a mark."""

    KNOWN = "known"
    BOUNDED = "bounded"
    UNKNOWN = "unknown"


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What closing one contract now would bring: `low <= exit <= high`, dollars; equal where known.

    high_open: the exit is below `high`, never at it (the ask bounds it). reason: why it is bounded or unknown.
    covered: where sizes are known and smaller than the quantity, how much they cover. `sell_ask`: the ask at which a close
    could rest, None where none is known. ts: the quote's own instant.
    """

    state: MarkState
    low: Price | None = None
    high: Price | None = None
    high_open: bool = False
    reason: str | None = None
    covered: Quantity | None = None
    sell_ask: Price | None = None
    ts: UtcNs | None = None
    source: str | None = None


class StopFired(msgspec.Struct, frozen=True, kw_only=True):
    """AutoStop tells TradeDesk, at once and in this process: close this trade. Carries the mark that prices the close.

    stop: what was judged; TradeDesk closes by no stop that has been changed since. None: recorded before that was said.
    """

    decision: StopDecision
    mark: Mark
    now_ns: UtcNs
    stop: StopSpec | None = None


class MarkWanted(msgspec.Struct, frozen=True, kw_only=True):
    """TradeDesk asks TradeWatcher for the mark of a trade, to price a close. The answer is `MarkGiven`."""

    trade_id: TradeId
    client_order_id: str
    now_ns: UtcNs


class MarkGiven(msgspec.Struct, frozen=True, kw_only=True):
    """TradeWatcher's answer to `MarkWanted`."""

    trade_id: TradeId
    client_order_id: str
    mark: Mark
    now_ns: UtcNs


class BidReturned(msgspec.Struct, frozen=True, kw_only=True):
    """TradeWatcher tells TradeDesk: somebody bids again for a trade whose close rests."""

    trade_id: TradeId
    now_ns: UtcNs


class StopCheckWanted(msgspec.Struct, frozen=True, kw_only=True):
    """TradeDesk asks AutoStop whether a stop of a trade that is not open yet would fire at once. Answer: `StopCheckGiven`."""

    trade: Trade
    now_ns: UtcNs


class StopCheckGiven(msgspec.Struct, frozen=True, kw_only=True):
    """AutoStop's answer to `StopCheckWanted`: the rules that would fire, in the trade's order; empty is good.

    price: what entering would cost now, dollars: the own side's ask (short: bid); None: nobody quotes.
    """

    trade_id: TradeId
    rules: tuple[str, ...]
    now_ns: UtcNs
    price: Price | None = None


class MarkSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What an open trade is worth, said a few times a second at most, for people.

    pnl: dollars, realised and unrealised; None while the mark is unknown. probability: percent that the trade's side wins.
    distance: how far the exit price stands above the nearest price stop, dollars, or the probability above its floor, points.
    """

    trade_id: TradeId
    mark: Mark
    now_ns: UtcNs
    pnl: Money | None = None
    probability: Percent | None = None
    distance: Number | None = None


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The least that a rule was away from its condition by one of its settings, when, and what it read then."""

    away: Number
    ts: UtcNs
    inputs: dict[str, Input] = {}


class StopProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule has counted and must survive a restart: at most every 250 ms for each trade and rule."""

    trade_id: TradeId
    rule: str
    best: Price | None = None
    active: bool = False
    confirms: int = 0
    counted: dict[str, UtcNs] = {}
    """By input, the `ts` last counted."""
    decisions: int = 0
    """How many decisions of this rule on this trade were numbered so far."""
    ts: UtcNs = 0
    """When this was written down. Of two the later one counts: each is later than the one before it, whatever the clock says."""
    nearest: dict[str, Nearest] = {}
    """By setting: as it stood when the rule last began or ended to count, or its trade came to rest."""
    since: UtcNs | None = None
    """Since when everything was seen of which `nearest` is the least; what it tells from before is what the record knew."""


class StopCoverage(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a trade is protected, said on change. Published as `stop.coverage.<trade_id>`."""

    trade_id: TradeId
    coverage: Coverage
    why: str
    since: UtcNs
    ts: UtcNs


class StopArm(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Turn a rule on for a trade, with these settings. Source: `stop.request.arm`."""

    trade_id: TradeId
    rule: Name
    reason: Text
    requested_by: Name
    settings: dict[str, Any] = {}


class StopDisarm(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Turn a rule off for a trade. Source: `stop.request.disarm`."""

    trade_id: TradeId
    rule: Name
    reason: Text
    requested_by: Name


class StopSet(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Change settings of a trade's own layer. Source: `stop.request.set`. Keys as in `rule`'s settings, or full keys."""

    trade_id: TradeId
    settings: dict[str, Any]
    reason: Text
    requested_by: Name
    rule: Name | None = None


class StopWaive(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A person accepts that a trade stands without a stop, until `until`. Source: `stop.request.waive`."""

    trade_id: TradeId
    reason: Text
    requested_by: Name
    until: UtcNs | None = None
