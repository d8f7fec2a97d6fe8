"""What a recording holds beside what actors heard and said: how a life began, what was built anew, what is missing."""

from enum import StrEnum
from typing import Final

import msgspec

from bus.messages.stops import StopCoverage
from bus.messages.trades import Trade
from bus.messages.units import ZERO, Number, UtcNs

SPOKEN: Final = 2
"""What deciders have to say, numbered: raised where one begins to say a word that it did not say before. See `actors.replay.older`."""


class LifeBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A process has taken the lead: the first word of its life. What it read follows: `Recovered`, then the orders at PaperVenue.

    settings: by key, as a TOML file would give them, secrets left out. streams: name -> creation time. marks: somebody hears marks.
    """

    version: str
    instance: str
    epoch: int
    now_ns: UtcNs
    settings: dict[str, str | int | bool]
    streams: dict[str, str]
    marks: bool
    spoken: int = 0
    """The `SPOKEN` of the code that recorded this; 0: it did not count yet."""


class LifeContinues(msgspec.Struct, frozen=True, kw_only=True):
    """The first word of a later segment: of two processes that record into one folder, whose life this is."""

    instance: str
    epoch: int


class PaperRestored(msgspec.Struct, frozen=True, kw_only=True):
    """PaperVenue has its orders again."""

    now_ns: UtcNs


class EngineRebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """An actor crashed, and what decides for it was built anew from these trades, and from what the old one had counted."""

    trades: tuple[Trade, ...]
    coverage: tuple[StopCoverage, ...]
    now_ns: UtcNs


class EntriesLost(msgspec.Struct, frozen=True, kw_only=True):
    """So many entries are not in the recording: the disk or the recorder could not take them."""

    count: int


class LifeEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The process has ended in order, and everything it noted stands before this."""


class RecorderFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The recorder cannot write; what is noted meanwhile is lost to replay, and to nothing else."""

    error: str
    now_ns: UtcNs


class RecorderWorks(msgspec.Struct, frozen=True, kw_only=True):
    """The recorder writes again. lost: entries that are missing."""

    lost: int
    now_ns: UtcNs


class RangeKind(StrEnum):
    """What thresholds are compared with: momentum and probability in percent, what closing brings in dollars."""

    MOMENTUM = "momentum"
    PROBABILITY = "probability"
    EVENT_EXIT = "event_exit"
    LINEAR_EXIT = "linear_exit"


class InputRange(msgspec.Struct, frozen=True, kw_only=True):
    """Between which ends an input has stood. name: the symbol of a momentum, the ticker of a linear instrument, else empty: all.

    widest: the largest difference between two values of one ticker; widest_percent: of the higher one.
    """

    kind: RangeKind
    name: str
    low: Number
    high: Number
    widest: Number = ZERO
    widest_percent: Number = ZERO


class RangesRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """What the recording tells of the inputs of stops, from its first to its last instant in the days looked at."""

    begin_ns: UtcNs
    end_ns: UtcNs
    ranges: tuple[InputRange, ...]
    now_ns: UtcNs
