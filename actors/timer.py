"""Timer: time as messages. The only actor that waits for a clock; it sleeps in its inbox until the next deadline."""

from typing import Any, Final

from pykka._envelope import Envelope

from actors.inbox import Inbox, Tap
from actors.ports import Clock, Say
from actors.rules.timers import TimerQueue
from actors.watched import Failed, WatchedActor
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.units import NS_PER_S

_DUE: Final = object()


class _TimedTap(Tap):
    """Waits for the next word or the next deadline, whichever comes first."""

    def __init__(self, inbox: Inbox, timers: TimerQueue, clock: Clock) -> None:
        super().__init__(inbox)
        self._timers = timers
        self._clock = clock

    def get(self) -> Envelope[Any]:
        due_ns = self._timers.next_due()
        wait_s = None if due_ns is None else max(0.0, (due_ns - self._clock.now_ns()) / NS_PER_S)
        word = self._inbox.take(wait_s)
        if word is None:
            return Envelope(_DUE)
        return word if isinstance(word, Envelope) else Envelope(word)


class Timer(WatchedActor):
    """Turns deadlines into `TimerFired`. `timers` belongs to the supervisor: deadlines outlive this actor."""

    def __init__(self, inbox: Inbox, failed: Failed, *, timers: TimerQueue, clock: Clock, say: Say) -> None:
        super().__init__(inbox, failed)
        tap = _TimedTap(inbox, timers, clock)
        self.actor_inbox = tap
        self._timers = timers
        self._clock = clock
        self._say = say

    def next_due_ns(self) -> int | None:
        """Return the earliest deadline; any word it does not know makes it say what is due."""
        return self._timers.next_due()

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Keep, move or forget a deadline; then say what is due."""
        match message:
            case SetTimer():
                self._timers.set(message)
            case CancelTimer():
                self._timers.cancel(message)
        # One by one: if saying one crashes this actor, the others are still there for the next.
        for fired in self._timers.due(self._clock.now_ns()):
            self._say(fired)
