"""Gives the real actors their turns on one thread: whoever waits for them to come to rest is the one who works them.

The actors are never started. Words reach their inboxes as ever, from any thread; each word gives its actor one turn, and turns are
taken in the order in which the words were put. So what one tick causes happens in the same order in every run, and a tick that causes
nothing costs no change of threads. Who blocks stays apart: those actors keep threads of their own (Database waits for PostgreSQL).
"""

import queue
import threading
from concurrent.futures import Executor
from typing import Final

from actors.activity import Activity
from actors.by_hand import Hands
from actors.inbox import Inbox
from actors.turns import OwnThreads
from actors.watched import WatchedActor

APART: Final = frozenset({"database"})
"""Actors that wait for the world outside."""


class Conductor:
    """Works the actors, on one thread at a time. `start`, `stop` and putting words may happen on any thread.

    in_hand: what must be applied before the next word. whole: that, and what only the record waits for.
    """

    def __init__(self, in_hand: Activity, whole: Activity, *, apart: frozenset[str] = APART) -> None:
        self.in_hand = in_hand
        self._whole = whole
        self._apart = apart
        self._threads = OwnThreads(whole)
        self._hands = Hands()
        self._turns: queue.SimpleQueue[Inbox | None] = queue.SimpleQueue()
        self._baton = threading.Lock()

    # actors.turns.Turns

    def start(self, actor: WatchedActor) -> None:
        """Give `actor` a turn for each word in its inbox; an actor that stands apart gets a thread."""
        if actor.inbox.name in self._apart:
            self._threads.start(actor)
            return
        self._hands.take_on(actor, self._turns.put)

    def stop(self, actor: WatchedActor, timeout_s: float | None = None) -> None:
        """Stop it; one of ours has had its turns by now."""
        if not self._hands.let_go(actor):
            self._threads.stop(actor, timeout_s)

    def settled(self, timeout_s: float) -> bool:
        """Give turns until nothing is left to do, nor to record. Returns False if nothing happened for `timeout_s`."""
        return self._play(self._whole, timeout_s)

    def readers(self, count: int) -> Executor:
        """Return a pool of threads: readers wait for the world outside, as Database does."""
        return self._threads.readers(count)

    # For the sequencer

    @property
    def outstanding(self) -> int:
        """Pieces of work that must be applied before the next word."""
        return self.in_hand.outstanding

    def quiet(self, timeout_s: float) -> bool:
        """Give turns until everything has been applied. Returns False if nothing happened for `timeout_s`."""
        return self._play(self.in_hand, timeout_s)

    def _play(self, until: Activity, timeout_s: float) -> bool:
        if not self._baton.acquire(timeout=timeout_s):
            return False
        try:
            while until.outstanding:
                try:
                    inbox = self._turns.get_nowait()
                except queue.Empty:
                    if until.is_quiet_or_wakes(self._wake):
                        return True
                    try:
                        inbox = self._turns.get(timeout=timeout_s)
                    except queue.Empty:
                        return until.forget()
                if inbox is not None:
                    self._hands.work(inbox)
            return True
        finally:
            self._baton.release()

    def _wake(self) -> None:
        self._turns.put(None)
