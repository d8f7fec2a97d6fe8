"""The inbox of an actor that hears the market: under a flood its ticks are folded, and everything else waits as it came.

Ticks are the one thing that nobody can hold back: whatever else comes in is pulled, and not acknowledged before it has been worked.
So from `most` waiting ticks on, those that come are gathered in the last place of the queue, and what that place holds is thinned out
to what decides (`rules.folding`). It takes no more once another word stands behind it, for a tick must not overtake what came before it.
"""

import threading
from collections.abc import Callable

from actors.activity import Activity
from actors.inbox import Inbox
from actors.rules.folding.fold import Fold
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import Ticks


class TickInbox(Inbox):
    """An inbox that holds `most` ticks before they are folded. terms: what the stops of open trades use just now."""

    def __init__(self, name: str, activity: Activity, *, most: int, terms: Callable[[], FoldTerms]) -> None:
        super().__init__(name, activity)
        self._most = most
        self._terms = terms
        self._lock = threading.Lock()
        self._came = 0
        self._taken = 0
        self._gathering: Fold | None = None

    @property
    def ticks(self) -> int:
        """How many ticks wait."""
        return self._came - self._taken

    def put(self, word: object) -> None:
        """Add a word. Ticks that are gathered are part of a word that waits already."""
        with self._lock:
            if type(word) is not Ticks:
                self._close()
            elif self._gathering is not None:
                self._gather(self._gathering, word)
                return
            elif self.ticks < self._most:
                self._came += len(word.batch)
            else:
                fold = self._gathering = Fold(self._terms(), self._most)
                self._gather(fold, word)
                word = fold
            super().put(word)

    def _gather(self, fold: Fold, word: Ticks) -> None:
        held, dropped = fold.held, fold.folded
        fold.add(word)
        self._came += fold.held - held
        self.folded += fold.folded - dropped

    def _close(self) -> None:
        """Nothing more is gathered in the last place; thin it out where too much waits in all."""
        fold, self._gathering = self._gathering, None
        if fold is not None and self.ticks > 2 * self._most:
            held, dropped = fold.held, fold.folded
            fold.thin()
            self._came += fold.held - held
            self.folded += fold.folded - dropped

    def _next(self, timeout_s: float | None) -> object | None:
        ahead = bool(self._ahead)
        word = super()._next(timeout_s)
        if type(word) is Ticks and not ahead:
            self._taken += len(word.batch)
        elif type(word) is Fold:
            return self._unfold(word)
        return word

    def _unfold(self, fold: Fold) -> Ticks:
        """Return the first of what was gathered; the others wait ahead of everything else, each as a word of its own."""
        with self._lock:
            if self._gathering is fold:
                self._gathering = None
        self._taken += fold.held
        first, *others = fold.words()
        self._activity.begin(len(others))
        self._ahead.extend(others)
        if self.ring is not None:
            for _ in others:
                self.ring(self)
        return first
