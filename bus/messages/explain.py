"""What `run.py explain --json` prints, and what is kept of trades that have ended."""

from typing import Literal

import msgspec

from bus.messages.envelope import Message
from bus.messages.stops import Guard, Input, Nearest, StopCoverage, StopDecision, StopProgress
from bus.messages.trades import Trade
from bus.messages.units import Number, SettingValue, TradeId, UtcNs


class Unprotected(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which nothing protected a trade."""

    why: str
    since: UtcNs
    until: UtcNs


class CapsuleGet(Message, frozen=True, kw_only=True):
    """Ask for what is kept of a trade that has ended. Source: `history.request.capsule`."""

    trade_id: TradeId


class Capsule(Message, frozen=True, kw_only=True):
    """What is kept for ever of a trade that has ended, at `ts`: the answer to `CapsuleGet`; no result: no such trade has ended.

    trade: as it ended, with its stops, settings and settings version. rules: what each had counted and the nearest that it came; a rule
    that is missing was watched by a process that died before it could say. decisions: those that fired or that guards held back,
    oldest first.
    """

    trade_id: TradeId
    ts: UtcNs
    trade: Trade
    rules: tuple[StopProgress, ...]
    decisions: tuple[StopDecision, ...]
    unprotected: tuple[Unprotected, ...]


class RuleStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a trade as it stood. holds: whether its condition holds, null: unknown, or only in a part of what may be.

    settings: its own, as resolved. inputs: what it reads. guards: as they would have judged; of a condition that does not hold too.
    away: by each setting that is on, how far its input was from the condition, in the setting's own unit (dollars, points, percent,
    seconds): 0 or less while it holds. nearest: by setting. unknown_because: why it saw nothing, or not all.
    """

    rule: str
    holds: bool | None
    settings: dict[str, SettingValue]
    inputs: dict[str, Input]
    guards: tuple[Guard, ...]
    confirms: int
    away: dict[str, Number]
    nearest: dict[str, Nearest]
    unknown_because: str | None
    since: UtcNs | None = None
    """Since when everything was seen of which `nearest` is the least."""


class Explained(Message, frozen=True, kw_only=True):
    """Why a stop of a trade fired, or did not.

    at: the instant that is explained; the last one recorded unless one was asked for. trade: as it stood. watched: whether its rules
    were judged. rules: how each stood, empty while they are not watched. decisions: those that fired or that guards held back, oldest
    first. coverage: its changes. settings_version: in force. gaps: what the recording lacks before `at`.
    """

    trade_id: str
    at: UtcNs
    trade: Trade
    watched: bool
    rules: tuple[RuleStanding, ...]
    decisions: tuple[StopDecision, ...]
    coverage: tuple[StopCoverage, ...]
    settings_version: int
    gaps: tuple[str, ...]
    source: Literal["recording", "capsule"] = "recording"
    """A capsule tells how near rules came and what was decided, not how anything stood at an instant."""
    unprotected: tuple[Unprotected, ...] = ()
    """Of a capsule; a recording tells `coverage` instead."""
