"""`Fold`: read batches that wait, of which only what decides is kept once they are too many (FAULTS 40).

As long as they are few they stay as they came. When they are more than `most`, the path of each input is thinned out (`folding.kept`);
what is left keeps its order and its own instants, so a stop never answers a price that was not quoted, or at a time when it was not.
What holds more than `most` then holds more than that for good: it is the number of inputs that bounds it, not that of ticks.
"""

from collections.abc import Hashable
from itertools import groupby
from typing import Final

from actors.rules.folding.kept import kept, kept_odd
from actors.rules.folding.levels import is_odd, name_of, seen
from actors.rules.folding.path import Heard
from actors.rules.folding.terms import FoldTerms
from actors.rules.stops.backlog import history
from bus.messages.market import Part, Ticks

_ODD: Final = "odd"
_WORTH: Final = 3
"""Before the next thinning, so many times what the last one left must be held."""


class Fold:
    """Batches in the order in which they came. held: ticks that it holds; folded: those that it has dropped."""

    def __init__(self, terms: FoldTerms, most: int) -> None:
        self.held = 0
        self.folded = 0
        self._terms = terms
        self._most = most
        self._fresh: list[Ticks] = []
        self._kept: list[Heard] = []
        self._order = 0
        self._batch = 0
        self._last: dict[Hashable, Heard] = {}

    def add(self, word: Ticks) -> None:
        """Take a batch in, behind the others."""
        self._fresh.append(word)
        self.held += len(word.batch)
        if self.held > self._most:
            self.thin()
            # A thinning looks at all that is held: it must be worth that.
            self._most = max(self._most, _WORTH * self.held)

    def thin(self) -> None:
        """Drop what decides nothing."""
        paths: dict[Hashable, list[Heard]] = {}
        for heard in self._kept:
            paths.setdefault(_key(heard), []).append(heard)
        for word in self._fresh:
            self._take(word, paths)
        self._fresh = []
        self._kept = sorted(
            heard
            for key, path in paths.items()
            for heard in (kept_odd(path) if key[-1] is _ODD else kept(path, self._terms))  # type: ignore[index]  # a tuple
        )
        self.folded += self.held - len(self._kept)
        self.held = len(self._kept)

    def words(self) -> list[Ticks]:
        """Return what is said in the place of all that came, in order."""
        said = []
        for (_, decides), group in groupby(self._kept, key=lambda heard: (heard.batch, heard.decides)):
            ticks = list(group)
            part = Part.KEPT if decides else Part.WITNESS
            said.append(Ticks(batch=tuple(heard.tick for heard in ticks), received_ns=ticks[0].received_ns, part=part))
        if said:
            said.append(Ticks(batch=(), received_ns=said[-1].received_ns, part=Part.END))
        return [*said, *self._fresh]

    def _take(self, word: Ticks, paths: dict[Hashable, list[Heard]]) -> None:
        """Add the ticks of a batch to the paths of their inputs; the book would drop one that is older than the one before."""
        gone = history(word)
        self._batch += 1
        for tick in word.batch:
            self._order += 1
            odd = is_odd(tick, word.received_ns)
            key = (*name_of(tick), _ODD) if odd else name_of(tick)
            before = self._last.get(key)
            if before is not None and tick.ts < before.tick.ts and not odd:
                continue
            number = 0 if before is None else before.number + 1
            decides = word.part is not Part.WITNESS and id(tick) not in gone
            heard = Heard(self._order, number, self._batch, word.received_ns, tick, seen(tick), decides)
            self._last[key] = heard
            paths.setdefault(key, []).append(heard)


def _key(heard: Heard) -> Hashable:
    name = name_of(heard.tick)
    return (*name, _ODD) if is_odd(heard.tick, heard.received_ns) else name
