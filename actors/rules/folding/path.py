"""The path of one input under a flood: its ticks in order, and the courses of what rules see in them."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from actors.rules.folding.levels import NEVER, SHORT, Level, Seen, middle
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import Part, Tick
from bus.messages.units import ONE, Number

Column = Sequence[Number]
Lane = Sequence[bool]
"""Which ticks something trusts."""


class Heard(NamedTuple):
    """One tick of a path. order: of all ticks of the fold; batch: which read it came with; part: what it does (`Part`).

    stands: what may stand for long: a value, or since when the book is crossed, 0 while it is not.
    """

    order: int
    batch: int
    received_ns: int
    tick: Tick
    seen: Seen
    part: Part
    stands: object


class Course(NamedTuple):
    """One level over a path, as a fall of it is seen; a rise has its sign turned.

    A stop at or above `tops` holds, one below `lows` does not, and of one between them nobody knows. trails: a best may follow it.
    """

    tops: Column
    lows: Column
    trails: bool = False


def courses(path: Sequence[Heard], terms: FoldTerms) -> list[Course]:
    """Return the falls and the rises of each level, each once, but of those that say nothing."""
    found: list[Course] = []
    patiences = terms.patiences if any(heard.stands for heard in path if len(heard.seen.exits) > 1) else (0,)
    for patience_ns in patiences:
        shown = [_is_shown(heard, patience_ns) for heard in path]
        for place in range(len(path[0].seen.exits)):
            levels = [
                heard.seen.exits[place] if is_shown else _NOTHING for heard, is_shown in zip(path, shown, strict=True)
            ]
            _add(found, _fall(levels, trails=terms.trails and place != SHORT))
            _add(found, _rise(levels, trails=terms.trails and place == SHORT))
        for spread in terms.spreads:
            for no, turn in ((False, _fall), (True, _rise)):
                levels = [
                    middle(heard.seen.middle, spread, no=no) if is_shown else _NOTHING
                    for heard, is_shown in zip(path, shown, strict=True)
                ]
                _add(found, turn(levels, trails=False))
    return found


_NOTHING = Level()


def _is_shown(heard: Heard, patience_ns: int) -> bool:
    since = heard.stands
    return not isinstance(since, int) or not since or heard.received_ns - since >= patience_ns


def _add(found: list[Course], course: Course) -> None:
    if course not in found and any(top != NEVER for top in course.tops):
        found.append(course)


def _fall(levels: Sequence[Level], *, trails: bool) -> Course:
    return Course([level.high for level in levels], [level.low for level in levels], trails)


def _rise(levels: Sequence[Level], *, trails: bool) -> Course:
    return Course([-level.low for level in levels], [-level.high for level in levels], trails)


def lanes(path: Sequence[Heard], limits: Iterable[Number]) -> list[Lane]:
    """Return, for each limit that makes a difference, which ticks it trusts; first for no limit."""
    found: dict[tuple[bool, ...], None] = {(True,) * len(path): None}
    for limit in limits:
        found[tuple(heard.seen.apart is None or heard.seen.apart <= limit for heard in path)] = None
    return list(found)


def bests(course: Course, lane: Lane) -> list[Number]:
    """Return the best before and at each tick, of those in the path that a lane trusts; -`NEVER`: there is none."""
    return list(accumulate((low if trusts else -NEVER for low, trusts in zip(course.lows, lane, strict=True)), max))


def drops(course: Course, highest: Column) -> tuple[Course, Course]:
    """Return how far a course is below its best: in dollars, and as a share of it. Before the first best it is beyond no stop."""
    return _drop(course, highest, [ONE] * len(highest)), _drop(
        course, highest, [abs(best) or NEVER for best in highest]
    )


def _drop(course: Course, highest: Column, scale: Column) -> Course:
    tops, lows = (
        [
            NEVER if best == -NEVER else value if abs(value) == NEVER else (value - best) / by
            for value, best, by in zip(values, highest, scale, strict=True)
        ]
        for values in (course.tops, course.lows)
    )
    return Course(tops, lows)
