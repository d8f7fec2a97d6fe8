"""Standby: what `serve` does on its first thread until it is stopped.

It waits for its servers, however long they take, stands by while another instance leads, and then takes the lead.
`rules.candidate` decides; here it is carried out.

It sleeps in its queue until a word comes or a deadline passes. What it does itself (reaching PostgreSQL, taking over) blocks this
thread alone: whoever asks how it stands is answered on the wire's.
"""

import contextlib
import queue
from collections.abc import Callable
from typing import Final

from loguru import logger

from actors.rules.timers import TimerQueue
from actors.serving import Serving
from bus.messages import lead
from bus.messages.failures import LeadTaken, SnapshotUnusable, StoreUnavailable, WireUnavailable
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_S

_STOP: Final = object()
_PATIENCE_NS: Final = NS_PER_S
_SAY_AGAIN_NS: Final = 60 * NS_PER_S


class Standby:
    """Drives `serving` from the first connection to the last.

    monotonic_ns: a clock that only runs forward. heard: where it waits for words; tests have others.
    """

    def __init__(
        self, serving: Serving, *, monotonic_ns: Callable[[], int], heard: queue.SimpleQueue[object] | None = None
    ) -> None:
        self._serving = serving
        self._candidate = serving.candidate
        self._monotonic_ns = monotonic_ns
        self._timers = TimerQueue()
        self._heard: queue.SimpleQueue[object] = heard or queue.SimpleQueue()
        serving.outside = self._heard.put
        self._began_ns = monotonic_ns()
        self._told: tuple[str, ...] = ()
        self._told_ns = 0

    def stop(self) -> None:
        """End `wait`, and `stay`, soon. A signal handler may call it: a `SimpleQueue` can be entered twice."""
        self._heard.put(_STOP)

    def wait(self) -> bool:
        """Return once it leads (True), or is to stop. Raises: what ends a start, such as a schema that does not fit."""
        self._serving.reach_for_servers()
        said: list[object] = [lead.OpenRecord()]
        while True:
            for word in said:
                if self._carry_out(word):
                    return True
            heard = self._next()
            if heard is _STOP:
                return False
            said = self._candidate.handle(heard, self._monotonic_ns())
            self._tell()

    def stay(self) -> bool:
        """Return when it is to stop (False), or to start again: PostgreSQL is back, and it began without (True)."""
        while (heard := self._heard.get()) is not _STOP:
            if isinstance(heard, lead.RecordOpened) and self._serving.began_without_record:
                return True
        return False

    def _carry_out(self, word: object) -> bool:
        """Do what the candidate says; return whether it leads now."""
        match word:
            case SetTimer():
                self._timers.set(word)
            case lead.FindLeader():
                self._serving.find_leader()
            case lead.OpenRecord():
                self._open_record()
            case lead.WarmUp():
                self._serving.warm_up()
            case lead.TakeLead(without_record=without):
                return self._take_over(self._serving.take_over_without_record if without else self._serving.take_over)
        return False

    def _open_record(self) -> None:
        try:
            self._serving.open_record()
        except StoreUnavailable as error:
            self._heard.put(lead.RecordMissing(why=str(error)))
        else:
            self._heard.put(lead.RecordOpened())

    def _take_over(self, take: Callable[[], object]) -> bool:
        try:
            take()
        except SnapshotUnusable as error:
            self._serving.warn(str(error))
            self._heard.put(lead.SnapshotRefused(why=str(error)))
        except StoreUnavailable as error:
            self._heard.put(lead.RecordMissing(why=str(error)))
        except LeadTaken as error:
            self._heard.put(lead.LeadMissed(why=str(error), rival=True))
        except WireUnavailable as error:
            self._heard.put(lead.LeadMissed(why=str(error), rival=False))
        else:
            return True
        return False

    def _next(self) -> object:
        while True:
            due_ns = self._timers.next_due()
            wait_s = None if due_ns is None else max(0, due_ns - self._monotonic_ns()) / NS_PER_S
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=wait_s)
            if due_ns is not None and due_ns <= self._monotonic_ns():
                return self._timers.take_next()

    def _tell(self) -> None:
        """Log what it waits for: once a second has passed, when that changes, and else once a minute."""
        candidate, now_ns = self._candidate, self._monotonic_ns()
        why, is_standby = candidate.why_not(), candidate.role == lead.STANDBY
        if not is_standby and now_ns - self._began_ns < _PATIENCE_NS:
            return
        if why != self._told or now_ns - self._told_ns >= _SAY_AGAIN_NS:
            self._told, self._told_ns = why, now_ns
            level = "INFO" if is_standby else "WARNING"
            logger.bind(action="serve.waits", role=candidate.role).log(level, "{}", "; ".join(why))
