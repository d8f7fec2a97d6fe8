"""What `run.py replay --set` and `--sweep` print with `--json`: what would have become of the recorded trades under other settings."""

from enum import StrEnum

import msgspec

from bus.messages.envelope import Message
from bus.messages.settings import Value
from bus.messages.trades import Side, TradeState
from bus.messages.units import ZERO, Money, Price, Quantity, UtcNs


class Change(StrEnum):
    """What other settings would have made of a trade.

    EARLIER, LATER: a stop fired both times. NEVER: it fired in the recording alone. NEWLY: in the what-if alone. OTHERWISE: at the same
    instant, or without a stop, it went otherwise. NOT_OPENED, OPENED: there is a position in the recording alone, or in the what-if alone.
    """

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    NEVER = "never"
    NEWLY = "newly"
    OTHERWISE = "otherwise"
    NOT_OPENED = "not_opened"
    OPENED = "opened"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a trade by the end. rule, fired: the stop that closes it, and when it fired.

    pnl: realised dollars, fees taken off. worth: with what is still open at the last quote; None where nobody would take it.
    """

    state: TradeState
    rule: str | None
    fired: UtcNs | None
    exit_price: Price | None
    exit_ts: UtcNs | None
    open_quantity: Quantity
    pnl: Money
    worth: Money | None


class TradeCompared(msgspec.Struct, frozen=True, kw_only=True):
    """One trade as it was recorded, and as it would have been. effect: dollars of worth more; None where one of them is unknown."""

    trade_id: str
    ticker: str
    side: Side
    change: Change
    effect: Money | None
    recorded: Outcome | None
    now: Outcome | None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """All trades together. changes: how many, by change. recorded, now: the sums of what they are worth; effect: the difference.

    unpriced: trades without an effect; the sums leave them out.
    """

    trades: int
    changes: dict[Change, int]
    recorded: Money = ZERO
    now: Money = ZERO
    effect: Money = ZERO
    unpriced: int = 0


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a what-if stands on.

    settings: by key, as they were given. lives: processes whose beginning is in the recording. inputs: what was heard from outside.
    skipped: inputs before the first beginning; lost: entries that the recorder says it has lost; gaps: what could not be read.
    simulated: venues whose recorded fills do not count: all fills are those of the paper venue, computed anew.
    """

    place: str
    begin: UtcNs | None = msgspec.field(name="from")
    end: UtcNs | None = msgspec.field(name="to")
    settings: dict[str, Value]
    lives: int
    inputs: int
    skipped: int
    lost: int
    gaps: tuple[str, ...]
    simulated: tuple[str, ...]


class WhatIf(Message, frozen=True, kw_only=True):
    """The document of `replay --set`. trades: in the order in which they were asked for."""

    ground: Ground
    totals: Totals
    trades: tuple[TradeCompared, ...]


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a sweep, and what it would have made of all trades."""

    value: Value
    totals: Totals


class Sweep(Message, frozen=True, kw_only=True):
    """The document of `replay --sweep`. key: of the setting. ground.settings: those that hold for all values."""

    ground: Ground
    key: str
    rows: tuple[Swept, ...]
