"""Deadlines in order: what `Timer` and the demo's sequencer ask for the next one.

A heap whose entries are never taken out of the middle: a move or a cancel only forgets the entry's due time in `_due_ns`, and the
entry is dropped when it comes up. Ties are broken by owner and key, so that the same timers fire in the same order in every run.
"""

import heapq
from collections.abc import Iterator

from bus.messages.timers import CancelTimer, SetTimer, TimerFired

_LIVE_SHARE = 4
"""Rebuild the heap once fewer than one in this many entries still counts, so that moves do not grow it."""


class TimerQueue:
    """Every deadline that somebody waits for; each (owner, key) at most once."""

    def __init__(self) -> None:
        self._due_ns: dict[tuple[str, str], int] = {}
        self._heap: list[tuple[int, str, str]] = []

    def __len__(self) -> int:
        return len(self._due_ns)

    def set(self, word: SetTimer) -> None:
        """Wait for `word.due_ns`; the same (owner, key) again moves it."""
        name = (word.owner, word.key)
        if self._due_ns.get(name) == word.due_ns:
            return
        self._due_ns[name] = word.due_ns
        heapq.heappush(self._heap, (word.due_ns, word.owner, word.key))
        if len(self._heap) > 64 + _LIVE_SHARE * len(self._due_ns):
            self._heap = [(due_ns, owner, key) for (owner, key), due_ns in self._due_ns.items()]
            heapq.heapify(self._heap)

    def cancel(self, word: CancelTimer) -> None:
        """Forget that timer; unknown ones are ignored."""
        self._due_ns.pop((word.owner, word.key), None)

    def next_due(self) -> int | None:
        """Return the earliest deadline, None while nobody waits."""
        self._drop_forgotten()
        return self._heap[0][0] if self._heap else None

    def due(self, now_ns: int) -> Iterator[TimerFired]:
        """Take out, one by one, every deadline that has passed at `now_ns`, in order of (due, owner, key)."""
        while (earliest := self.next_due()) is not None and earliest <= now_ns:
            yield self._take(now_ns)

    def take_next(self) -> TimerFired | None:
        """Take out the earliest deadline and fire it at its own instant; None while nobody waits."""
        earliest = self.next_due()
        return None if earliest is None else self._take(earliest)

    def _take(self, now_ns: int) -> TimerFired:
        due_ns, owner, key = heapq.heappop(self._heap)
        del self._due_ns[owner, key]
        return TimerFired(owner=owner, key=key, due_ns=due_ns, now_ns=now_ns)

    def _drop_forgotten(self) -> None:
        heap = self._heap
        while heap and self._due_ns.get((heap[0][1], heap[0][2])) != heap[0][0]:
            heapq.heappop(heap)
