"""Which ticks of a course decide: those with which stops at some level have counted enough to fire, or go on with a count.

A stop counts ticks at or beyond its level, each instant once; a tick that is not beyond it ends the count, one of which nobody knows
leaves it. So for each count there is a lowest level at which it stands now: every stop above has counted as much, or more, and
none below. That level is carried along from tick to tick (`_Counting.step`), with the ticks that were counted for it. A stop
fires at a tick that is beyond it once it has counted enough. Of all such ticks that with the lowest level is enough: it fires whatever
fires. What a stop had counted before the path began is unknown, so there is a counting for each beginning, until it makes no
difference any more.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from actors.rules.folding.levels import NEVER
from actors.rules.folding.path import Course, Lane
from bus.messages.units import Number


class Moment(NamedTuple):
    """What one tick does, whatever is seen in it: its instant, and whether it is counted, and may fire."""

    instant: int
    counts: bool
    fires: bool


_Chain = tuple[int, "_Chain"] | None
"""The ticks that were counted, the last one first."""


class _Counting:
    """For each count: the lowest level at which it stands, and by which ticks; `_earlier`: without those of the present instant.

    `_fired`: for each count that is enough and each lane the lowest level at which it fired, and by which ticks.
    """

    __slots__ = ("_chains", "_earlier", "_earlier_chains", "_fired", "_highest_fired", "_instant", "_levels")

    def __init__(self, confirms: Collection[int], lanes: int, begun: int = 0, instant: int | None = None) -> None:
        """Begin with `begun` counted, the last of them at `instant`, if given."""
        most = max(confirms)
        self._levels = [-NEVER] * (begun + 1) + [NEVER] * (most - begun)
        self._earlier = self._levels if instant is None else [-NEVER, *self._levels[:-1]]
        self._instant = instant
        self._chains: list[_Chain] = [None] * (most + 1)
        self._earlier_chains = self._chains
        self._fired: dict[int, list[tuple[Number, _Chain]]] = {count: [(NEVER, None)] * lanes for count in confirms}
        self._highest_fired = NEVER

    def count(self, index: int, instant: int, top: Number, low: Number) -> None:
        """Take in what is at most `top` and at least `low`."""
        levels, chains = self._levels, self._chains
        if instant != self._instant:
            self._instant = instant
            self._earlier, self._earlier_chains = levels.copy(), chains.copy()
        earlier = self._earlier
        for count in range(len(levels) - 1, 0, -1):
            # Compared by hand, which takes half the time of `max`: this is the loop of the flood.
            here, still = earlier[count - 1], levels[count]
            here = top if here < top else here  # noqa: FURB136
            still = low if still < low else still  # noqa: FURB136
            if here < still:
                chains[count] = index, self._earlier_chains[count - 1]
                still = here
            levels[count] = still
            if earlier[count] < low:  # noqa: PLR1730
                earlier[count] = low

    def fire(self, index: int, top: Number, trusted: Sequence[bool]) -> None:
        """Let what has counted enough fire at what is at most `top`."""
        if top >= self._highest_fired:
            return
        for count, fired in self._fired.items():
            level = max(top, self._levels[count])
            for place, trusts in enumerate(trusted):
                if trusts and level < fired[place][0]:
                    fired[place] = level, (index, self._chains[count])
        self._highest_fired = max(level for fired in self._fired.values() for level, _ in fired)

    def state(self) -> tuple[list[Number], list[Number]]:
        """Return all that matters for what comes."""
        return self._levels, self._earlier

    def fired(self) -> set[int]:
        """Return the ticks that fired."""
        return {index for fired in self._fired.values() for _, chain in fired for index in _ticks(chain)}

    def counted(self) -> set[int]:
        """Return the ticks that are counted now."""
        return {index for chain in self._chains for index in _ticks(chain)}


def firing(
    course: Course, path: Sequence[Moment], lanes: Sequence[Lane], confirms: Collection[int], *, begun: bool
) -> set[int]:
    """Return ticks that fire whatever the path fires where each lane's ticks alone may fire, and leave the counts that it leaves.

    begun: also for stops that have counted something before the path.
    """
    base = _Counting(confirms, len(lanes))
    begins = list(_begun(path[0].instant, confirms, len(lanes))) if begun else []
    others = begins
    moments = zip(path, *course[:2], zip(*lanes, strict=True), strict=True)
    for index, ((instant, counts, fires), end, low, trusted) in enumerate(moments):
        top = end if counts else NEVER
        if top == NEVER and low == -NEVER:
            continue
        for counting in (base, *others):
            counting.count(index, instant, top, low)
            if fires:
                counting.fire(index, top, trusted)
        if others:
            # Whose beginning makes no difference any more goes on like the one without.
            others = [counting for counting in others if counting.state() != base.state()]
    return base.counted().union(*(counting.fired() for counting in (base, *begins)))


def _begun(instant: int, confirms: Collection[int], lanes: int) -> Iterator[_Counting]:
    for count in range(1, max(confirms) + 1):
        yield _Counting(confirms, lanes, count)
        yield _Counting(confirms, lanes, count, instant)


def _ticks(chain: _Chain) -> Iterator[int]:
    while chain is not None:
        index, chain = chain
        yield index
