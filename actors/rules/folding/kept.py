"""Which ticks of one input are kept when they are too many: those that decide, and those that bear witness (DESIGN section 3).

What no bounded memory can keep is the whole path of a price. What stops ask of it can be kept, each level of a tick by itself:

- a stop fires at some level, and then at every level beyond: for each number of ticks to confirm, each limit of
  `max_quote_disagreement` and each count from before, the ticks are kept that fire whatever the path fires, and those that leave
  the count that it leaves (`folding.runs`);
- a trailing stop fires as any stop while its best is from before the fold. A best within the fold does not move while a count
  goes on, for a new best ends it; so what counts is how far a tick is below the best before it, in dollars or in percent, and
  that again is a level;
- a count must not go on over ticks that would have ended it. So between two kept ticks witnesses are kept: the highest tick, which
  ends whatever any of them ends, and the highest that a limit trusts, which raises the best as far as they all. They end counts
  and raise bests, but neither count nor fire.

So with what is kept nothing is counted that was not counted with the whole path, and whatever was fired, or counted in the end, is:
a stop that looks at one input fires and goes on as if it had seen every tick, however often a path is thinned out.
`tests/rules/folding` holds it against the engine that sees every tick. It may fire later in the path, at another tick of it that is beyond
the stop. What this does not keep:

- which of two stops of one trade was crossed first, where both were crossed within one fold: the first kept tick decides;
- what adds up or compares inputs (an account's equity, divergence, a guard that reads another input): what stood together at a tick
  that is gone. Equity is judged where a fold ends, since there all inputs stand as they did;
- what hangs on the instant of a tick that is gone: a guard that ends, or begins, within the fold, a dwell, an input that is too old.
  The last tick of a fold is always judged, by the instant at which it came;
- what a timer would have found at its instant, where a tick that came within the fold after it has ended that: timers wait
  behind the fold;
- each time that a guard held a stop back: such a decision is made at the ticks that are kept;
- a PnL that a fee, rounded up to the next cent, makes fall while the price rises;
- what a source said while it was marked, or that marked it, but for the last such ticks;
- each single quote that a resting paper order would have met: it meets those that are kept.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from actors.rules.folding.levels import NEVER
from actors.rules.folding.path import Column, Course, Heard, Lane, bests, courses, drops, lanes
from actors.rules.folding.runs import Moment, firing
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import FeedBeat, Part, Quote
from bus.messages.units import Number

_ODD: Final = 3
"""Bad ticks that are kept: as many as mark a feed."""


def kept(path: Sequence[Heard], terms: FoldTerms) -> list[Heard]:
    """Return what is kept of a path, in order; bounded by the terms, however long the path is."""
    last = len(path) - 1
    if isinstance(path[last].tick, FeedBeat):
        return [*path[:1], path[last]] if last else list(path)
    seen, trusts = courses(path, terms), lanes(path, terms.limits)
    moments = [Moment(heard.tick.ts, heard.part is not Part.WITNESS, heard.part is Part.KEPT) for heard in path]
    deciding = {last}
    for course in seen:
        deciding |= firing(course, moments, trusts, terms.confirms, begun=True)
        if course.trails:
            for lane in trusts:
                deciding |= _trailing(course, moments, lane, terms)
    places = sorted(deciding)
    witnesses = {index for course in seen for index in _witnesses(course, trusts, places, dwells=terms.dwells)}
    # From the first one on the engine knows that there are ticks here; until then a feed's word finds what stood before.
    witnesses |= {0, *_last_words(path)}
    witnesses |= _standing(path, sorted(deciding | witnesses))
    return [
        heard if index in deciding else heard._replace(part=Part.WITNESS)
        for index, heard in enumerate(path)
        if index in deciding or index in witnesses
    ]


def kept_odd(path: Sequence[Heard]) -> list[Heard]:
    """Return what is kept of ticks that the book rejects."""
    return list(path[-_ODD:])


def _trailing(course: Course, path: Sequence[Moment], lane: Lane, terms: FoldTerms) -> set[int]:
    """Return the ticks that fire trailing stops with a best of the path, also those that are active from some best on."""
    highest = bests(course, lane)
    if highest[0] == highest[-1]:
        # Whoever is lowest is furthest below the best.
        return set()
    sign = 1 if course.lows[highest.index(highest[-1])] >= 0 else -1
    from_best = [sign * at for at in terms.activations if highest[0] < sign * at <= highest[-1]]
    may_fire = [lane, *([ok and best >= at for ok, best in zip(lane, highest, strict=True)] for at in from_best)]
    return {
        index for drop in drops(course, highest) for index in firing(drop, path, may_fire, terms.confirms, begun=False)
    }


def _witnesses(course: Course, trusts: Sequence[Lane], places: Sequence[int], *, dwells: bool) -> Iterator[int]:
    """Yield who must be kept between neighbours of `places`, unless one of these says as much itself."""
    tops, lows, _ = course
    columns = [lows, tops] if dwells else [lows]
    trusted = [
        ([low if trusts else -NEVER for low, trusts in zip(lows, lane, strict=True)], bests(course, lane))
        for lane in (trusts[1:] if course.trails else ())
    ]
    for before, after in pairwise([-1, *places]):
        if after - before == 1:
            continue
        for column in columns:
            least = max(column[after], column[before] if before >= 0 else -NEVER)
            yield from _highest(column, before, after, least)
        for column, best in trusted:
            least = max(column[after], best[before] if before >= 0 else -NEVER)
            yield from _highest(column, before, after, least)


def _highest(column: Column, before: int, after: int, least: Number) -> Iterator[int]:
    highest = max(column[before + 1 : after])
    if highest > least:
        yield column.index(highest, before + 1)


def _last_words(path: Sequence[Heard]) -> set[int]:
    """Return the last tick of each source."""
    return set({heard.tick.source: index for index, heard in enumerate(path)}.values())


def _standing(path: Sequence[Heard], places: Sequence[int]) -> set[int]:
    """Return since when the present value stands, and each book that is crossed at `places`; and the ticks before, that ended another."""
    found: set[int] = set()
    since = 0
    wanted = set(places)
    for index, heard in enumerate(path):
        if index and path[index - 1].stands != heard.stands:
            since = index
        is_crossed = isinstance(heard.tick, Quote) and bool(heard.stands)
        if (is_crossed and index in wanted) or index == len(path) - 1:
            found |= {since, max(0, since - 1)}
    return found
