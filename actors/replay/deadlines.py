"""Deadlines in recorded time: at one instant those of the house come before the venue's, so that a venue never knows more than it could."""

from typing import Final

from actors.rules.timers import TimerQueue
from bus.messages.timers import CancelTimer, SetTimer, TimerFired

VENUE: Final = "paper_venue"
"""Whose deadlines come after everybody else's at one instant."""


class Deadlines:
    """Every deadline that somebody waits for."""

    def __init__(self) -> None:
        self._house = TimerQueue()
        self._venue = TimerQueue()

    def keep(self, word: object) -> None:
        """Keep, move or forget a deadline, in the place of Timer."""
        match word:
            case SetTimer(owner=owner):
                self._queue_of(owner).set(word)
            case CancelTimer(owner=owner):
                self._queue_of(owner).cancel(word)

    def take(self, until_ns: int) -> TimerFired | None:
        """Take out the earliest deadline up to and including `until_ns`, fired at its own instant; None if there is none."""
        due_ns, venue_due_ns = self._house.next_due(), self._venue.next_due()
        if venue_due_ns is None or (due_ns is not None and due_ns <= venue_due_ns):
            return self._house.take_next() if due_ns is not None and due_ns <= until_ns else None
        return self._venue.take_next() if venue_due_ns <= until_ns else None

    def _queue_of(self, owner: str) -> TimerQueue:
        return self._venue if owner == VENUE else self._house
