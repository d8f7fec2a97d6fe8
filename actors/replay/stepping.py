"""Forwards and backwards through the stops of a recording.

An engine cannot go back. The last `KEPT` stops are kept as they were seen; what lies before them is told again from the start, and
looked at only from shortly before the one that is wanted. So a day's recording takes a stop back at once, and memory does not grow.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from actors.replay.stops import Watcher
from bus.messages.replay import Stopped

KEPT: Final = 200


class Stepper:
    """Stands at one stop, or before the first. tell: the stops from the start, as a fresh watcher sees them; `kept` of them are kept."""

    def __init__(
        self, tell: Callable[[Watcher], Iterator[Stopped]], new_watcher: Callable[[], Watcher], kept: int = KEPT
    ) -> None:
        self._tell = tell
        self._new_watcher = new_watcher
        self._kept: deque[Stopped] = deque(maxlen=kept)
        self._at = -1
        self._begin(0)

    def forward(self) -> Stopped | None:
        """Go to the next stop and return it; None: there is none, and it stays where it is."""
        if self._at + 1 < len(self._kept):
            self._at += 1
            return self._kept[self._at]
        return self._pull()

    def back(self) -> Stopped | None:
        """Go to the stop before and return it; None: there is none."""
        if self._at > 0:
            self._at -= 1
            return self._kept[self._at]
        if not self._kept or self._kept[0].stop == 1:
            return None
        wanted = self._kept[0].stop - 1
        return self._again(self._kept[0].number, lambda stopped: stopped.stop == wanted)

    def go_to(self, number: int) -> Stopped | None:
        """Go to the first stop at or behind the entry of that number and return it; None: there is none, and it stays where it is."""
        if self._kept and self._kept[0].number <= number <= self._kept[-1].number:
            while self._kept[self._at].number < number:
                self._at += 1
            while self._at and self._kept[self._at - 1].number >= number:
                self._at -= 1
            return self._kept[self._at]
        stands = self._kept[self._at] if self._kept else None
        if not self._kept or number < self._kept[0].number:
            self._begin(number)
        else:
            self._look_from(number)
        found = self._run(lambda stopped: stopped.number >= number)
        if found is None and stands is not None:
            self._again(stands.number, lambda stopped: stopped.stop == stands.stop)
        return found

    def _again(self, near: int, is_it: Callable[[Stopped], bool]) -> Stopped | None:
        """Tell it from the start up to the stop that is wanted, which lies near the entry of that number."""
        self._begin(near)
        return self._run(is_it)

    def _run(self, is_it: Callable[[Stopped], bool]) -> Stopped | None:
        while (stopped := self._pull()) is not None:
            if is_it(stopped):
                return stopped
        return None

    def _begin(self, near: int) -> None:
        self._watcher = self._new_watcher()
        self._kept.clear()
        self._at = -1
        self._look_from(near)
        self._stops = self._tell(self._watcher)

    def _look_from(self, near: int) -> None:
        """Look at nothing that lies so far before the entry of that number that it would not be kept: looking takes its time."""
        first = near - (self._kept.maxlen or 0)
        if self._watcher.is_dense and first > (self._kept[-1].number if self._kept else 0):
            self._watcher.blind_below = first
            self._kept.clear()
            self._at = -1

    def _pull(self) -> Stopped | None:
        stopped = next(self._stops, None)
        if stopped is not None:
            self._kept.append(stopped)
            self._at = len(self._kept) - 1
        return stopped
