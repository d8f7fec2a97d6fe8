"""How much work the house still has in hand: what lets the demo's sequencer wait until every consequence has been applied.

Whoever takes on work calls `begin`, whoever ends it `end`: an inbox item from `tell` until after `on_receive`, a commit until it
stands, an order until ORDERS has given it back. Work that causes work begins the new before it ends the old, so that the count
touches zero only when nothing is left.

A plain lock and not an atomic counter: `+= 1` on an attribute is three byte codes, and the interpreter may switch threads between
them. The waiter is woken by a second lock that is held while work is in hand: an order of magnitude cheaper than a Condition.
"""

import threading


class Activity:
    """Counts outstanding work of a whole process. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outstanding = 0
        self._done = 0
        self._waiter: threading.Lock | None = None

    @property
    def outstanding(self) -> int:
        """Pieces of work begun and not ended."""
        return self._outstanding

    @property
    def done(self) -> int:
        """Pieces of work ended since the start: if it has not moved, nothing was done."""
        return self._done

    def begin(self, pieces: int = 1) -> None:
        """Take on `pieces` of work; 0 is allowed."""
        with self._lock:
            self._outstanding += pieces

    def end(self, pieces: int = 1) -> None:
        """End `pieces` of work. What they caused must have begun before."""
        with self._lock:
            self._outstanding -= pieces
            self._done += pieces
            assert self._outstanding >= 0, "more work ended than was begun"
            waiter = self._waiter if self._outstanding == 0 else None
            if waiter is not None:
                self._waiter = None
        if waiter is not None:
            waiter.release()

    def quiet(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding. Returns False if `timeout_s` passed first. One waiter at a time."""
        with self._lock:
            if self._outstanding == 0:
                return True
            assert self._waiter is None, "two threads wait for the same quiet"
            waiter = threading.Lock()
            waiter.acquire()
            self._waiter = waiter
        return waiter.acquire(timeout=timeout_s) or self._give_up()

    def _give_up(self) -> bool:
        with self._lock:
            self._waiter = None
            return self._outstanding == 0
