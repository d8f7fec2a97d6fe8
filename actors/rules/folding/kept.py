"""Which ticks of one input are kept when they are too many: those that decide, and those that bear witness (DESIGN section 3).

What no bounded memory can keep is the whole path of a price. What stops ask of it can be kept, each level of a tick by itself:

- a stop fires at the first run of `confirm_ticks` ticks beyond it. Some run is beyond it only if the lowest run is (that whose
  highest tick is lowest), and for stops against a rise the highest run;
- a trailing stop fires at the run that is furthest below the best before it: the lowest run for a best from before the fold,
  the deepest run, in dollars or in percent, with its peak for a best within it;
- a tick on which `max_quote_disagreement` holds back neither ends such a run nor raises a best: each limit in use has runs of its own;
- a run may have begun before the fold, or go on after it: the first and the last ticks are kept;
- a count must not go on over ticks that would have ended it. Between two kept ticks the lowest, the highest and one where
  nobody was there are kept as witnesses: they end counts and dwells and raise bests, but neither count nor fire.

So, for a stop that looks at one input, the fold fires what the whole path fires and nothing else, and leaves the same best and the
same count: `tests/rules/folding` holds it against the engine that sees every tick. It may fire later in the path, at another tick of
it that is beyond the stop. No bounded memory keeps everything. What this does not keep:

- which of two stops of one trade was crossed first, where both were crossed within one fold: the first kept tick decides;
- a way back from a best whose `activate_at` was reached in the same fold, if a deeper one lies before that;
- runs with more than `_GAPS` ticks at which nobody was there, and what a crossed book said before its last tick;
- of ticks that carry one instant, which of them alone may count, beyond `_GAPS` of them;
- what adds up or compares inputs (an account's equity, divergence, a guard that reads another input): what stood together at a tick
  that is gone. Equity is judged where a fold ends, since there all inputs stand as they did;
- what a timer would have found at its instant, a dwell that was over, a value that had stood long enough, where a tick that came
  within the fold after it has ended that: timers wait behind the fold;
- each single quote that a resting paper order would have met: it meets those that are kept.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from operator import sub
from typing import Final

from actors.rules.folding.path import Column, Course, Heard, courses, lanes
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import FeedBeat
from bus.messages.units import Number

_GAPS: Final = 16
"""How many ticks with nobody there a run may hold."""
_ODD: Final = 3
"""Bad ticks that are kept: as many as mark a feed."""
_NEVER: Final = Decimal("1E+24")


def kept(path: Sequence[Heard], terms: FoldTerms) -> list[Heard]:
    """Return what is kept of a path, in order; bounded by the terms, however long the path is."""
    if isinstance(path[-1].tick, FeedBeat):
        return [path[-1]]
    seen = courses(path, terms)
    trusts = lanes(path, terms.limits)
    longest = max(terms.confirms)
    deciding = _ends(range(len(path)), path, longest)
    for course in seen:
        there = [index for index, value in enumerate(course.tops) if value is not None]
        deciding |= _ends(there, path, longest)
        for confirms in terms.confirms:
            deciding |= _runs(course, there, _starts(path, there, confirms), trusts)
    deciding |= {earlier for index in deciding for earlier in _same_instant(path, index)}
    witnesses = _witnesses(seen, deciding, len(path)) | _standing(path)
    return [
        heard if index in deciding else heard._replace(decides=False)
        for index, heard in enumerate(path)
        if index in deciding or index in witnesses
    ]


def kept_odd(path: Sequence[Heard]) -> list[Heard]:
    """Return what is kept of ticks that the book rejects."""
    return list(path[-_ODD:])


def _ends(there: Sequence[int], path: Sequence[Heard], confirms: int) -> set[int]:
    """Return the first and the last ticks, as many as a run may need that has begun before, or goes on."""
    last = len(path) - 1
    found = {0, last}
    for origin, way in ((0, iter(there)), (last, reversed(there))):
        seen: set[int] = set()
        for index in way:
            seen.add(path[index].tick.ts)
            if len(seen) > confirms or abs(index - origin) >= confirms + _GAPS:
                break
            found.update(range(min(origin, index), max(origin, index) + 1))
    return found


def _starts(path: Sequence[Heard], there: Sequence[int], confirms: int) -> list[int]:
    """Return where in `there` the run begins that ends at each place of it: so many instants, nothing missing; -1: there is none.

    The first tick of a path is kept, but nothing is built on it: the book may know a newer one from before, and drop it.
    """
    if confirms == 1:
        return [place if index and path[index].decides else -1 for place, index in enumerate(there)]
    starts: list[int] = []
    instants: deque[int] = deque(maxlen=confirms)
    before = -1
    for place, index in enumerate(there):
        heard = path[index]
        decides = heard.decides and index > 0
        if not decides or (before >= 0 and heard.number - path[before].number != index - before):
            instants.clear()
        if instants and path[there[instants[-1]]].tick.ts == heard.tick.ts:
            instants[-1] = place
        elif decides:
            instants.append(place)
        is_run = len(instants) == confirms and index - there[instants[0]] < confirms + _GAPS
        starts.append(instants[0] if is_run and decides else -1)
        before = index
    return starts


def _runs(course: Course, there: Sequence[int], starts: Sequence[int], lanes: Sequence[Sequence[bool]]) -> set[int]:
    """Return, for each lane, the lowest run and the ones furthest below a peak before them, in dollars and in its share."""
    found: set[int] = set()
    values: list[Number] = [course.tops[index] for index in there]  # type: ignore[misc]  # what is there
    tops = [
        values[place] if start == place else max(values[start : place + 1]) if start >= 0 else _NEVER
        for place, start in enumerate(starts)
    ]
    for lane in lanes:
        ends = [place for place, start in enumerate(starts) if start >= 0 and lane[there[place]]]
        if not ends:
            continue
        chosen = {min(ends, key=tops.__getitem__)}
        trusted = [
            value if value is not None and is_trusted else -_NEVER
            for value, is_trusted in zip(course.peaks, lane, strict=True)
        ]
        trusted[0] = -_NEVER
        best_at = list(accumulate(trusted, max))
        bests = [best_at[index] for index in there]
        depths = list(map(sub, bests, tops))
        if bests[0] != bests[-1]:
            chosen.add(max(ends, key=depths.__getitem__))
            shares = [depth / abs(best) if best else depth for depth, best in zip(depths, bests, strict=True)]
            chosen.add(max(ends, key=shares.__getitem__))
        for place in chosen:
            found.update(range(there[starts[place]], there[place] + 1))
            if depths[place] > 0:
                found.add(trusted.index(bests[place]))
        if best_at[-1] > -_NEVER:
            found.add(trusted.index(best_at[-1]))
    return found


def _same_instant(path: Sequence[Heard], index: int) -> Iterator[int]:
    """Yield the ticks before `index` that carry its instant: of those, one alone may count."""
    for earlier in range(index - 1, max(-1, index - 1 - _GAPS), -1):
        if path[earlier].tick.ts != path[index].tick.ts or path[earlier].number + 1 != path[earlier + 1].number:
            return
        yield earlier


def _witnesses(courses: Sequence[Course], deciding: set[int], length: int) -> set[int]:
    """Return the lowest, the highest and an absent tick of each course between the ticks that decide."""
    found: set[int] = set()
    gap: list[int] = []
    for index in range(length + 1):
        if index < length and index not in deciding:
            gap.append(index)
        elif gap:
            found.update(place for course in courses for column in course for place in _ends_of(column, gap))
            gap = []
    return found


def _ends_of(column: Column, gap: Sequence[int]) -> Iterator[int]:
    """Yield where `column` is highest and lowest within `gap`, and where nobody is there."""
    there = [place for place in gap if column[place] is not None]
    if there:
        yield max(there, key=column.__getitem__)  # type: ignore[arg-type]  # what is there
    if len(there) < len(gap):
        yield next(place for place in gap if column[place] is None)


def _standing(path: Sequence[Heard]) -> set[int]:
    """Return since when the present value, or a crossed book, has stood, with the tick before it; and each source's last word."""
    found = set({heard.tick.source: index for index, heard in enumerate(path)}.values())
    index = len(path) - 1
    while index and path[index - 1].seen.stands == path[-1].seen.stands:
        index -= 1
    return found | {index, max(0, index - 1)}
