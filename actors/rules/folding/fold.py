"""`Fold`: read batches that wait, of which only what decides is kept once they are too many (FAULTS 40).

As long as they are no more than `most` they stay as they came. Beyond, each tick joins the path of its input, and a path that has
grown to a multiple of what its last thinning left is thinned out again (`folding.kept`): a little work at a time, for whoever adds
has more to do. What is left keeps its order and its own instants, so a stop never answers a price that was not quoted, or at a time
when it was not. The number of inputs bounds what is held, not that of ticks.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from actors.rules.folding.kept import kept, kept_odd
from actors.rules.folding.known import Known
from actors.rules.folding.levels import Input, name_of, seen, value_of
from actors.rules.folding.path import Heard
from actors.rules.folding.terms import FoldTerms, trade_of, widened
from actors.rules.market.odd import is_odd
from actors.rules.stops.backlog import history
from bus.messages.market import FeedBeat, Part, Quote, Ticks

_order_of: Final = attrgetter("order")
_LEAST: Final = 60
_WORTH: Final = 4
"""A path is thinned out once it is longer than `_LEAST`, and so many times as long as the last thinning left it."""


class _Interposed(NamedTuple):
    word: object
    inputs: tuple[Input, ...]


class _Path:
    """The ticks of one input. odd: those that the book rejects, which are a path of their own. due: how long it may become."""

    __slots__ = ("before", "due", "heard", "odd")

    def __init__(self, *, odd: bool) -> None:
        self.odd = odd
        self.heard: list[Heard] = []
        self.before: list[Heard] = []
        self.due = _LEAST

    def split(self) -> None:
        """What was heard so far and what comes are thinned out each by itself."""
        self.before += self.heard
        self.heard = []
        self.due = _LEAST

    def thin(self, terms: FoldTerms) -> None:
        if not self.heard:
            return
        self.heard = kept_odd(self.heard) if self.odd else kept(self.heard, terms)
        self.due = max(_LEAST, _WORTH * len(self.heard))


class Fold:
    """Batches in the order in which they came. known: what the book knows before them. held: ticks that it holds; folded: those dropped."""

    def __init__(self, terms: FoldTerms, most: int, known: Known) -> None:
        self.held = 0
        self.folded = 0
        self._known = known
        self._terms = terms
        self._most = most
        self._whole: list[object] | None = []
        self._between: list[tuple[int, object]] = []
        self._paths: dict[tuple[bool, type, str], _Path] = {}
        self._order = 0
        self._batch = 0
        self._now_ns = 0

    def add(self, word: Ticks) -> None:
        """Take a batch in, behind the others."""
        self.held += len(word.batch)
        self._now_ns = word.received_ns
        if self._whole is None:
            self._take(word)
            return
        self._whole.append(word)
        if self.held > self._most:
            self._part()

    def interpose(self, word: object, inputs: Iterable[Input]) -> None:
        """Keep `word` in its place among the ticks of `inputs`, which it is about: none of them is dropped for one beyond it."""
        if self._whole is not None:
            self._whole.append(_Interposed(word, tuple(inputs)))
            return
        trade = trade_of(word)
        if trade is not None:
            self._terms = widened(self._terms, trade)
        self._order += 1
        self._between.append((self._order, word))
        for name in inputs:
            path = self._paths.get((False, *name))
            if path is not None:
                path.split()

    def thin(self) -> None:
        """Drop whatever decides nothing."""
        self._part()
        for path in self._paths.values():
            self._thin(path)

    def words(self) -> list[object]:
        """Return what is said in the place of all that came, in order."""
        if self._whole is not None:
            return [word.word if isinstance(word, _Interposed) else word for word in self._whole]
        said = self._between.copy()
        heard = sorted((each for path in self._paths.values() for each in (*path.before, *path.heard)), key=_order_of)
        for (_, part), group in groupby(heard, key=lambda each: (each.batch, each.part)):
            ticks = list(group)
            batch = tuple(each.tick for each in ticks)
            said.append((ticks[0].order, Ticks(batch=batch, received_ns=ticks[0].received_ns, part=part)))
        said.sort(key=itemgetter(0))
        return [*(word for _, word in said), Ticks(batch=(), received_ns=self._now_ns, part=Part.END)]

    def _part(self) -> None:
        """From now on each input goes its own way."""
        whole, self._whole = self._whole, None
        for word in whole or ():
            match word:
                case Ticks():
                    self._take(word)
                case _Interposed(word=between, inputs=inputs):
                    self.interpose(between, inputs)

    def _take(self, word: Ticks) -> None:
        gone = history(word)
        self._batch += 1
        # A feed's word lets look again once its read has been taken in, so it may as well stand last.
        for tick in sorted(word.batch, key=lambda tick: isinstance(tick, FeedBeat)):
            self._order += 1
            odd = is_odd(tick, word.received_ns)
            if not odd and not self._known.takes(tick, word.received_ns):
                self._drop(1)
                continue
            key = (odd, *name_of(tick))
            path = self._paths.get(key)
            if path is None:
                path = self._paths[key] = _Path(odd=odd)
            is_past = word.part is Part.PAST or id(tick) in gone
            part = Part.COUNTED if is_past else Part.KEPT
            stands = self._known.crossed_ts(tick.ticker) if isinstance(tick, Quote) else value_of(tick)
            path.heard.append(Heard(self._order, self._batch, word.received_ns, tick, seen(tick), part, stands))
            if len(path.heard) > path.due:
                self._thin(path)

    def _thin(self, path: _Path) -> None:
        length = len(path.heard)
        path.thin(self._terms)
        self._drop(length - len(path.heard))

    def _drop(self, count: int) -> None:
        self.held -= count
        self.folded += count
