"""What `run.py replay --json` prints."""

from typing import Any

import msgspec

from bus.messages.envelope import Message
from bus.messages.explain import RuleStanding
from bus.messages.trades import Trade
from bus.messages.units import UtcNs


class ReplayedWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word of the house by its name, as plain data: numbers as texts, instants in nanoseconds."""

    name: str
    content: Any


class ReplayDifference(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose words are others now. number: of the entry in the recording, from 1."""

    number: int
    at: UtcNs
    actor: str
    heard: ReplayedWord
    expected: tuple[ReplayedWord, ...]
    actual: tuple[ReplayedWord, ...]


class Replayed(Message, frozen=True, kw_only=True):
    """The whole document.

    lives: processes whose beginning is in the recording; killed: of them, those that did not end in order (the last one may still run).
    entries: what actors heard; compared: of them, those in the wanted time (and about the wanted trade) that were decided again;
    skipped: those that nothing could decide again, because what they build on is missing; lost: entries that the recorder says it has
    lost. different: how many said something else; differences: the first of them. gaps: what could not be read, in words.
    """

    place: str
    begin: UtcNs | None = msgspec.field(name="from")
    end: UtcNs | None = msgspec.field(name="to")
    lives: int
    killed: int
    entries: int
    compared: int
    skipped: int
    lost: int
    different: int
    differences: tuple[ReplayDifference, ...]
    gaps: tuple[str, ...]
    by_actor: dict[str, int]
    """What was decided again, by actor."""


class Imported(Message, frozen=True, kw_only=True):
    """What `run.py events import --json` prints.

    lines: read. words: heard, ticks and others. left_out: lines that were not taken, by what they are. trades: that came of it.
    """

    place: str
    begin: UtcNs
    end: UtcNs
    lines: int
    words: int
    left_out: dict[str, int]
    trades: int


class TradeLook(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as TradeDesk has it, and its rules as AutoStop has them: none while it is not watched."""

    trade: Trade
    rules: tuple[RuleStanding, ...]


class Stopped(Message, frozen=True, kw_only=True):
    """One stop of `replay --step`: an entry that was told again. Each is a document of its own, a line each.

    stop: its number among the stops, from 1; number: of the entry, as in `ReplayDifference`. said: what the actor says now; null: nothing
    could decide it again. recorded: what it said then, where that is something else. before, after: the trades concerned, by id.
    """

    stop: int
    number: int
    at: UtcNs
    actor: str
    heard: ReplayedWord
    said: tuple[ReplayedWord, ...] | None
    recorded: tuple[ReplayedWord, ...] | None
    before: dict[str, TradeLook]
    after: dict[str, TradeLook]
