"""How much work the house still has in hand: what lets the demo's sequencer wait until every consequence has been applied.

Whoever takes on work calls `begin`, whoever ends it `end`: an inbox item from `tell` until after `on_receive`, a commit until it
stands, an order until ORDERS has given it back. Work that causes work begins the new before it ends the old, so that the count
touches zero only when nothing is left.

A plain lock and not an atomic counter: `+= 1` on an attribute is three byte codes, and the interpreter may switch threads between
them. The waiter is woken by a second lock that is held while work is in hand: an order of magnitude cheaper than a Condition.
"""

import threading
from collections.abc import Callable


class Activity:
    """Counts outstanding work of a whole process. Safe from any thread.

    within: a larger whole, in which this part counts as one piece of work for as long as it is not quiet.
    """

    def __init__(self, within: "Activity | None" = None) -> None:
        self._lock = threading.Lock()
        self._outstanding = 0
        self._done = 0
        self._wake: Callable[[], None] | None = None
        self._within = within

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
            if self._within is not None and pieces and not self._outstanding:
                self._within.begin()
            self._outstanding += pieces

    def end(self, pieces: int = 1) -> None:
        """End `pieces` of work. What they caused must have begun before."""
        wake = None
        with self._lock:
            self._outstanding -= pieces
            self._done += pieces
            assert self._outstanding >= 0, "more work ended than was begun"
            if self._outstanding == 0:
                wake, self._wake = self._wake, None
                if self._within is not None and pieces:
                    self._within.end()
        if wake is not None:
            wake()

    def quiet(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding. Returns False if `timeout_s` passed first. One waiter at a time."""
        waiter = threading.Lock()
        waiter.acquire()
        if self.is_quiet_or_wakes(waiter.release):
            return True
        return waiter.acquire(timeout=timeout_s) or self.forget()

    def is_quiet_or_wakes(self, wake: Callable[[], None]) -> bool:
        """Return whether nothing is outstanding; otherwise call `wake` once, when that is so, on the thread that ended the last.

        One waiter at a time: it may ask again, or `forget`.
        """
        with self._lock:
            if self._outstanding == 0:
                return True
            assert self._wake is None or self._wake == wake, "two threads wait for the same quiet"
            self._wake = wake
            return False

    def forget(self) -> bool:
        """Wake nobody any more; return whether nothing is outstanding."""
        with self._lock:
            self._wake = None
            return self._outstanding == 0
