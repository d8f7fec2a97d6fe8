"""Deadlines of actors that wait for the world outside, kept in real time while the recording's clock stands still.

Database tries again 0.2 s after PostgreSQL gave way, and the supervisor lets a moment pass before it rebuilds an actor again. In
recorded time those moments never come: the recording goes on only once everything has been applied.
"""

import threading
from collections.abc import Callable
from typing import Final

from actors.ports import Clock
from actors.replay.conductor import APART
from actors.router import Listener
from actors.supervisor import NAME
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.units import NS_PER_S

_OUTSIDE: Final = APART | {NAME}


class OutsideTimers:
    """Stands before the recorded timers. inside: keeps every other actor's. clock: the recording's. say: hears what is due."""

    def __init__(self, inside: Listener, clock: Clock, say: Callable[[TimerFired], None]) -> None:
        self._inside = inside
        self._clock = clock
        self._say = say

    def keep(self, word: object) -> None:
        """Take a `SetTimer` or `CancelTimer`; those from outside are set once each and never cancelled."""
        match word:
            case SetTimer(owner=owner) if owner in _OUTSIDE:
                timer = threading.Timer((word.due_ns - self._clock.now_ns()) / NS_PER_S, self._fire, (word,))
                timer.daemon = True
                timer.start()
            case CancelTimer(owner=owner) if owner in _OUTSIDE:
                raise TypeError(f"nobody outside takes a deadline back, and {owner} did: {word.key}")
            case _:
                self._inside(word)

    def _fire(self, word: SetTimer) -> None:
        now_ns = max(word.due_ns, self._clock.now_ns())
        self._say(TimerFired(owner=word.owner, key=word.key, due_ns=word.due_ns, now_ns=now_ns))
