"""The path of one input under a flood: its ticks in order, and the courses of what rules see in them."""

from collections.abc import Sequence
from typing import NamedTuple

from actors.rules.folding.levels import MIDDLE, Seen
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import Tick
from bus.messages.units import Number

Column = Sequence[Number | None]


class Heard(NamedTuple):
    """One tick of a path. order: of all ticks of the fold; number: of those of its input; batch: which read it came with.

    decides: whether it counts and fires; otherwise it is a witness.
    """

    order: int
    number: int
    batch: int
    received_ns: int
    tick: Tick
    seen: Seen
    decides: bool


class Course(NamedTuple):
    """One level over a path, as a fall of it is seen (a rise has its sign turned). None: there is none.

    tops: what must be at or below a stop, peaks: what a best follows.
    """

    tops: Column
    peaks: Column


def courses(path: Sequence[Heard], terms: FoldTerms) -> list[Course]:
    """Return the falls and the rises of each level, but of those that never move, and those that go like another one.

    A tick that only bounds a level may be beyond a stop or say nothing of it, so there is a course with those, and one without.
    """
    found: list[Course] = []
    for place, levels in enumerate(zip(*(heard.seen.levels for heard in path), strict=True)):
        first = levels[0]
        if (place == MIDDLE and not terms.middle) or all(level == first for level in levels):
            continue
        lows, highs = ([level[end] for level in levels] for end in (0, 1))
        sure = [high if high == low else None for low, high in levels]
        for fall in (Course(highs, lows), Course(sure, lows)):
            if fall not in found:
                found.append(fall)
        for rise in (Course(_turned(lows), _turned(highs)), Course(_turned(sure), _turned(highs))):
            if rise not in found:
                found.append(rise)
    return found


def _turned(column: Column) -> Column:
    return [None if value is None else -value for value in column]


def lanes(path: Sequence[Heard], limits: Sequence[Number]) -> list[Sequence[bool]]:
    """Return, for each limit that makes a difference, which ticks it trusts; first for no limit."""
    found: dict[tuple[bool, ...], None] = {(True,) * len(path): None}
    for limit in limits:
        found[tuple(heard.seen.apart is None or heard.seen.apart <= limit for heard in path)] = None
    return list(found)
