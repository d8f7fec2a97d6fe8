"""What a replay tells, handed on to the story of a picture as it was recorded; and the page that comes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from actors.engines import Engines
from actors.replay.endings import NotWrittenError
from actors.replay.page import write
from actors.replay.retelling import Difference, Told
from actors.rules.pictures import sweeping
from actors.rules.pictures.drawn import Picture
from actors.rules.pictures.run_story import RunStory
from actors.rules.pictures.story import Heard
from actors.rules.pictures.trade_story import TradeStory
from bus.messages.recording import LifeEnded
from bus.messages.what_if import Sweep, WhatIf
from bus.recorder.words import UnreadableWord, unpack

_SAID: Final = frozenset({"Trade", "StopFired", "StopCoverage", "Commit", "Notice"})
"""The words that pictures show; the others are not even read."""


class TradeReport:
    """Draws one trade."""

    def __init__(self, trade_id: str, path: Path) -> None:
        self._story = TradeStory(trade_id)
        self._name = trade_id.encode()
        self._path = path
        self._engines: Engines | None = None

    def see(self, told: Told, engines: Engines | None) -> None:
        """See an entry; of what is said, only what names the trade is read, and notices."""
        if engines is not None and engines is not self._engines:
            self._engines = engines
            self._story.recover(engines.beginning.recovered, told.entry.at_ns, engines.stops)
        said = tuple(_said(told, self._name))
        self._story.hear(_heard(told, said, engines))

    def miss(self, gap: str) -> None:
        """Mark a gap."""
        self._story.miss(gap)

    def differ(self, found: Difference) -> None:
        """Mark a difference."""
        self._story.differ(found.at_ns, *_difference(found))

    def compare(self, found: WhatIf) -> None:
        """Draw what would have become of it, too."""
        for trade in found.trades:
            self._story.imagine(trade)

    def write(self, warnings: tuple[str, ...] = ()) -> str:
        """Write the page; return what to say of it. Raises: NotWrittenError."""
        return _write(self._story.picture(warnings=warnings), self._path)


class RunReport:
    """Draws a run, from an instant on."""

    def __init__(self, place: Path, since_ns: int, path: Path) -> None:
        self._story = RunStory(since_ns)
        self._place = place
        self._path = path
        self._compared: WhatIf | None = None
        self._engines: Engines | None = None

    def see(self, told: Told, engines: Engines | None) -> None:
        """See an entry."""
        if engines is not None and engines is not self._engines:
            self._engines = engines
            beginning = engines.beginning
            name = f"{beginning.instance}, epoch {beginning.epoch}"
            self._story.recover(beginning.recovered, name, told.entry.at_ns)
        self._story.hear(_heard(told, tuple(_said(told, b"")), engines))

    def miss(self, gap: str) -> None:
        """Mark a gap."""
        self._story.miss(gap)

    def differ(self, found: Difference) -> None:
        """Mark a difference."""
        self._story.differ(found.at_ns, *_difference(found))

    def compare(self, found: WhatIf) -> None:
        """Draw what would have become of its trades, above what became of them."""
        self._compared = found

    def write(self, warnings: tuple[str, ...] = ()) -> str:
        """Write the page; return what to say of it. Raises: NotWrittenError."""
        return _write(self._story.picture(str(self._place), self._compared, warnings=warnings), self._path)


def write_sweep(found: Sweep, path: Path) -> str:
    """Draw a sweep and write its page; return what to say of it. Raises: NotWrittenError."""
    return _write(sweeping.picture(found), path)


def _heard(told: Told, said: tuple[object, ...], engines: Engines | None) -> Heard:
    is_last = isinstance(told.heard, LifeEnded)
    stops = None if engines is None or is_last else engines.stops
    return Heard(told.entry.at_ns, told.entry.actor, told.heard, said, stops)


def _said(told: Told, name: bytes) -> Iterator[object]:
    """Yield what was said then, which is what happened, whatever would be said now."""
    for index in told.entry.said:
        packed = told.block.words[index]
        if packed[0] in _SAID and (packed[0] == "Notice" or name in bytes(packed[1])):
            try:
                yield unpack(packed)
            except UnreadableWord:
                continue


def _difference(found: Difference) -> tuple[str, tuple[str, ...]]:
    expected, actual = (", ".join(name for name, _ in words) or "nothing" for words in (found.expected, found.actual))
    title = f"{found.actor} says something else at entry {found.number:,}"
    return title, (f"heard {found.heard[0]}", f"said then: {expected}", f"says now: {actual}")


def _write(picture: Picture | None, path: Path) -> str:
    if picture is None:
        return f"{path} was not written: there is nothing to draw"
    try:
        size = write(picture, path)
    except OSError as error:
        raise NotWrittenError(f"the report cannot be written: {error}") from error
    return f"{path}: {size / 1_000_000:.1f} MB"
