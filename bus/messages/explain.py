"""What `run.py explain --json` prints."""

import msgspec

from bus.messages.envelope import Message
from bus.messages.stops import Guard, Input, StopCoverage, StopDecision
from bus.messages.trades import Trade
from bus.messages.units import Number, SettingValue, UtcNs


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The least that a rule was away by one of its settings since the trade was armed, and when."""

    away: Number
    ts: UtcNs


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
