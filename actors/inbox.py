"""An inbox that outlives its actor.

pykka (4.5) gives each actor a queue of its own and throws away what waits in it when the actor dies. Ours belongs to the
supervisor: it is handed to the next incarnation, and it remembers the word in hand, so that a crash loses nothing and a word
that crashes its actor twice can be taken out. A `queue.SimpleQueue` underneath is nine times as fast as pykka's default.

A beat is the supervisor's question whether the actor still comes to its inbox. It waits in line like a word; to take it is the
answer, so that no actor knows of it and no word pays for it.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from pykka._envelope import Envelope

from actors.activity import Activity

MAX_TRIES: Final = 2
"""How often a word may crash its actor before it is quarantined."""
_BEAT: Final = object()


class Inbox:
    """Words waiting for one actor, in order. Any thread may put; only the actor takes.

    ring: called after each word that was put, where the actor does not wait at its inbox itself. crashes: of its actors so far.
    folded: ticks that were folded away, of those put. late: ticks that were gone again when they came (`rules.stops.backlog`).
    answers: beats that were answered so far. unsaid: what the word in hand has led to and nobody has heard yet, because saying it crashed the actor.
    """

    def __init__(self, name: str, activity: Activity) -> None:
        self.name = name
        self.handled = 0
        self.crashes = 0
        self.folded = 0
        self.late = 0
        self.answers = 0
        self.in_hand: object | None = None
        self.unsaid: deque[object] = deque()
        self.ring: Callable[[Inbox], None] | None = None
        self._tries = 0
        self._activity = activity
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._again: deque[object] = deque()
        self._ahead: deque[object] = deque()
        self._beats = 0
        self._held: deque[object] | None = None
        self._holding = threading.Lock()

    def hold(self) -> None:
        """Keep words back until `release`: its actor lives and answers beats, and may not decide about anything yet."""
        self._held = deque()

    def release(self) -> None:
        """Hand out what was kept back, in order, before whatever comes now."""
        with self._holding:
            for word in self._held or ():
                self._add(word)
            # Only now: whoever puts meanwhile waits for the lock, and comes behind.
            self._held = None

    def put(self, word: object) -> None:
        """Add a word; it counts as work under way until it has been handled. One that is kept back is nobody's work yet."""
        if self._held is not None and word is not _BEAT and not isinstance(word, Envelope):
            with self._holding:
                if self._held is not None:
                    self._held.append(word)
                    return
        self._add(word)

    def _add(self, word: object) -> None:
        self._activity.begin()
        self._queue.put(word)
        if self.ring is not None:
            self.ring(self)

    def beat(self) -> None:
        """Ask whether the actor still comes here; no second time before it has answered. For one thread alone."""
        if self.is_answered:
            self._beats += 1
            self.put(_BEAT)

    @property
    def is_answered(self) -> bool:
        """Whether no beat is out."""
        return self.answers == self._beats

    def waiting(self) -> int:
        """Return how much waits, a beat included."""
        return self._queue.qsize() + len(self._again) + len(self._ahead)

    def is_idle(self) -> bool:
        """Whether no word waits. For the actor itself: a beat may join or leave at any moment."""
        return self.waiting() <= self._beats - self.answers

    def take(self, timeout_s: float | None = None) -> object | None:
        """Return the next word; to take it means that the one before was handled.

        None after `timeout_s` without one, or sooner, after a beat: whoever waits for a deadline looks at it again.
        """
        self.done()
        if self._again:
            word = self._again.popleft()
        else:
            word = self._next(timeout_s)
            if word is None:
                return None
            self._tries = 0
        self.in_hand = word
        return word

    def _next(self, timeout_s: float | None) -> object | None:
        """Return what waits next, and has not been in hand before; None where nothing does."""
        if self._ahead:
            return self._ahead.popleft()
        try:
            word = self._queue.get(timeout=timeout_s)
            while word is _BEAT:
                self._answer_beat()
                if timeout_s is not None:
                    return None
                word = self._queue.get()
        except queue.Empty:
            return None
        return word

    def done(self) -> None:
        """The word in hand has been handled, or given up."""
        if self.in_hand is not None:
            self.in_hand = None
            self.handled += 1
            self._activity.end()

    def leave_unsaid(self, words: Iterable[object]) -> None:
        """Keep what the next incarnation must say first: the word in hand has been worked."""
        self._tries = 0
        self.unsaid.extend(words)

    def after_crash(self) -> object | None:
        """Decide about what crashed the actor: it is tried once more, then returned for quarantine.

        That is the word in hand; or, where it was worked already, the first of what it led to and is not said yet.
        Returns: what must not be tried again, or None.
        """
        self.crashes += 1
        word = self.unsaid[0] if self.unsaid else self.in_hand
        if word is None:
            return None
        self._tries += 1
        is_given_up = self._tries >= MAX_TRIES
        if self.unsaid:
            if is_given_up:
                self._tries = 0
                self.unsaid.popleft()
        elif is_given_up:
            self.done()
        else:
            self.in_hand = None
            self._again.appendleft(word)
        return word if is_given_up else None

    def _answer_beat(self) -> None:
        self.answers += 1
        self._activity.end()


class Tap:
    """One incarnation's view of an `Inbox`, in the shape that pykka wants. It never looks empty, so pykka drains nothing."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def put(self, envelope: Envelope[Any]) -> None:
        """Add what pykka wraps (`ask`, stop)."""
        self._inbox.put(envelope)

    def get(self) -> Envelope[Any]:
        """Wait for the next word."""
        word = self._inbox.take()
        return word if isinstance(word, Envelope) else Envelope(word)

    def empty(self) -> bool:
        """Say that nothing is left to throw away."""
        return True
