"""The inbox of an actor that hears the market: under a flood its ticks are folded, and everything else waits as it came.

Ticks are the one thing that nobody can hold back: whatever else comes in is pulled, and not acknowledged before it has been worked.
So from `most` waiting ticks on, those that come are gathered in one place of the queue, until the actor takes it, and what that place
holds is thinned out to what decides (`rules.folding`). A word that is about some of these inputs (a trade) keeps its place among their
ticks. Any other (a timer) waits behind: it is heard later, when it would have been late already, and finds what stands then.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from actors.activity import Activity
from actors.inbox import Inbox
from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from actors.rules.folding.levels import Input
from actors.rules.folding.terms import FoldTerms
from actors.rules.stops.backlog import history, pieces
from bus.messages.market import Ticks

_PIECE: Final = 100
"""Ticks of one word: where each concerns many stops, hundreds would keep the desk, which shares the thread, from its turn."""


class TickInbox(Inbox):
    """An inbox that holds `most` ticks before they are folded. terms: what the stops of open trades use just now.

    touched: the inputs that a word is about; None: whatever it is about, no tick may overtake it.
    """

    def __init__(
        self,
        name: str,
        activity: Activity,
        *,
        most: int,
        terms: Callable[[], FoldTerms],
        touched: Callable[[object], Sequence[Input] | None],
    ) -> None:
        super().__init__(name, activity)
        self._most = most
        self._terms = terms
        self._touched = touched
        self._lock = threading.Lock()
        self._came = 0
        self._taken = 0
        self._gathering: Fold | None = None
        self._known = Known()

    @property
    def ticks(self) -> int:
        """How many ticks wait."""
        return self._came - self._taken

    def put(self, word: object) -> None:
        """Add a word. Ticks that are gathered are part of a word that waits already; a large read becomes several words."""
        if type(word) is Ticks:
            self.late += len(history(word))
        if type(word) is Ticks and len(word.batch) > _PIECE:
            for piece in pieces(word, _PIECE):
                self._put(piece)
        else:
            self._put(word)

    def _put(self, word: object) -> None:
        with self._lock:
            if type(word) is not Ticks:
                if self._is_gathered(word):
                    return
            elif self._gathering is not None:
                self._gather(self._gathering, word)
                return
            elif self.ticks < self._most:
                self._came += len(word.batch)
                for tick in word.batch:
                    self._known.takes(tick, word.received_ns)
            else:
                fold = self._gathering = Fold(self._terms(), self._most, self._known)
                self._gather(fold, word)
                word = fold
            super().put(word)

    def _is_gathered(self, word: object) -> bool:
        """Whether `word` was put among ticks that are gathered."""
        inputs = () if self._gathering is None else self._touched(word)
        if inputs is None:
            self._gathering = None
        elif inputs and self._gathering is not None:
            self._gathering.interpose(word, inputs)
            return True
        return False

    def _gather(self, fold: Fold, word: Ticks) -> None:
        held, dropped = fold.held, fold.folded
        fold.add(word)
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

    def _unfold(self, fold: Fold) -> object:
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
