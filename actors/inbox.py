"""An inbox that outlives its actor.

pykka (4.5) gives each actor a queue of its own and throws away what waits in it when the actor dies. Ours belongs to the
supervisor: it is handed to the next incarnation, and it remembers the word in hand, so that a crash loses nothing and a word
that crashes its actor twice can be taken out. A `queue.SimpleQueue` underneath is nine times as fast as pykka's default.
"""

import queue
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from pykka._envelope import Envelope

from actors.activity import Activity

MAX_TRIES: Final = 2
"""How often a word may crash its actor before it is quarantined."""


class Inbox:
    """Words waiting for one actor, in order. Any thread may put; only the actor takes.

    ring: called after each word that was put, where the actor does not wait at its inbox itself.
    """

    def __init__(self, name: str, activity: Activity, limit: int) -> None:
        self.name = name
        self.handled = 0
        self.in_hand: object | None = None
        self.ring: Callable[[Inbox], None] | None = None
        self._tries = 0
        self._limit = limit
        self._activity = activity
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._again: deque[object] = deque()

    def put(self, word: object) -> None:
        """Add a word; it counts as work under way until it has been handled."""
        self._activity.begin()
        self._queue.put(word)
        if self.ring is not None:
            self.ring(self)

    def waiting(self) -> int:
        """Return how many words wait."""
        return self._queue.qsize() + len(self._again)

    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        return self._queue.qsize() >= self._limit

    def take(self, timeout_s: float | None = None) -> object | None:
        """Return the next word; to take it means that the one before was handled. None after `timeout_s` without one."""
        self.done()
        if self._again:
            word = self._again.popleft()
        else:
            try:
                word = self._queue.get(timeout=timeout_s)
            except queue.Empty:
                return None
            self._tries = 0
        self.in_hand = word
        return word

    def done(self) -> None:
        """The word in hand has been handled, or given up."""
        if self.in_hand is not None:
            self.in_hand = None
            self.handled += 1
            self._activity.end()

    def after_crash(self) -> object | None:
        """Decide about the word in hand: it is tried once more, then returned for quarantine.

        Returns: the word that must not be tried again, or None.
        """
        word = self.in_hand
        if word is None:
            return None
        self._tries += 1
        if self._tries < MAX_TRIES:
            self.in_hand = None
            self._again.appendleft(word)
            return None
        self.done()
        return word


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
