"""`Turns` of one process under the scheduler: its actors, never started, and the readers beside them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from actors.activity import Activity
from actors.by_hand import begin, give_turn
from actors.inbox import Inbox
from actors.ports import Clock
from actors.replay.scheduler import Scheduler
from actors.watched import WatchedActor
from bus.messages.units import NS_PER_US

_DUE = object()
"""No actor knows it: it only lets one look at its deadlines."""


class Watcher(Protocol):
    """Sees every word on its way through an actor."""

    def before(self, inbox: Inbox, word: object) -> None:
        """See `word` just before its actor works it. Raises: Gone to kill the process first."""
        ...

    def after(self, inbox: Inbox, word: object) -> None:
        """See it just afterwards, also if it crashed its actor."""
        ...


class ShuffledTurns:
    """Works the actors of one process. wait: lets the world go on until something is so, for at most so many seconds."""

    def __init__(
        self,
        scheduler: Scheduler,
        process: str,
        *,
        clock: Clock,
        activity: Activity,
        watcher: Watcher,
        wait: Callable[[Callable[[], bool], float | None], bool],
    ) -> None:
        self._scheduler = scheduler
        self._process = process
        self._clock = clock
        self._activity = activity
        self._watcher = watcher
        self._wait = wait
        self._works: dict[str, _ActorWork] = {}
        self._readers = _Readers(f"{process}/readers", scheduler)

    def start(self, actor: WatchedActor) -> None:
        """Give it a turn for each word in its inbox."""
        work = _ActorWork(f"{self._process}/{actor.inbox.name}", actor, self._scheduler, self._clock, self._watcher)
        self._works[actor.inbox.name] = work
        if begin(actor):
            work.begin()

    def stop(self, actor: WatchedActor, timeout_s: float | None = None) -> None:
        """Stop it; what waited for it has been worked, or is given up."""
        del timeout_s
        self._works.pop(actor.inbox.name).end()
        actor._stop()  # noqa: SLF001  # as in by_hand

    def settled(self, timeout_s: float) -> bool:
        """Let the world go on until this process has nothing left to do."""
        return self._wait(lambda: not self._activity.outstanding, timeout_s)

    def readers(self, count: int) -> Executor:
        """Return one reader, however many there would be: its answers come in any order among the rest anyway."""
        del count
        return self._readers

    def end(self) -> None:
        """The process is gone: nobody has a turn any more."""
        for work in self._works.values():
            work.end()
        self._works.clear()
        self._scheduler.drop(self._readers)

    def actor(self, name: str) -> WatchedActor:
        """Return its present incarnation. Raises: KeyError."""
        return self._works[name].actor

    def alive(self) -> dict[str, bool]:
        """Return which actors live, by name."""
        return {name: work.is_alive for name, work in self._works.items()}


class _ActorWork:
    def __init__(self, name: str, actor: WatchedActor, scheduler: Scheduler, clock: Clock, watcher: Watcher) -> None:
        self.name = name
        self.is_alive = False
        self.actor = actor
        self._inbox = actor.inbox
        self._scheduler = scheduler
        self._clock = clock
        self._watcher = watcher
        self._alarm_ns: int | None = None
        self._is_due = False

    def begin(self) -> None:
        self.is_alive = True
        self._inbox.ring = self._ring
        if self._inbox.waiting():
            self._scheduler.ready(self)
        self._set_alarm()

    def end(self) -> None:
        self.is_alive = False
        self._scheduler.drop(self)

    def turn(self) -> bool:
        inbox, word = self._inbox, self._inbox.take(0)
        if word is None:
            if not self._is_due:
                return bool(inbox.waiting())
            self._is_due, word = False, _DUE
        self._watcher.before(inbox, word)
        self.is_alive = give_turn(self.actor, inbox, word)
        self._watcher.after(inbox, word)
        if not self.is_alive:
            return False
        self._set_alarm()
        return bool(inbox.waiting()) or self._is_due

    def _ring(self, _inbox: Inbox) -> None:
        if self.is_alive:
            self._scheduler.ready(self)

    def _set_alarm(self) -> None:
        """A deadline is of the process's own clock (whole microseconds); it comes that far from now, whatever becomes of the clock."""
        due_ns = self.actor.next_due_ns()
        if due_ns is None or due_ns == self._alarm_ns:
            return
        self._alarm_ns = due_ns
        wait_us = -((self._clock.now_ns() - due_ns) // NS_PER_US)
        self._scheduler.after(max(0, wait_us) * NS_PER_US, lambda: self._wake(due_ns))

    def _wake(self, due_ns: int) -> None:
        if self.is_alive and self._alarm_ns == due_ns:
            self._alarm_ns = None
            self._is_due = True
            self._scheduler.ready(self)


class _Readers(Executor):
    """Answers questions, one at a turn."""

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self.name = name
        self._scheduler = scheduler
        self._jobs: deque[Callable[[], object]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # its signature
        future: Future[Any] = Future()
        self._jobs.append(lambda: future.set_result(fn(*args, **kwargs)))
        self._scheduler.ready(self)
        return future

    def turn(self) -> bool:
        self._jobs.popleft()()
        return bool(self._jobs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # its signature
        del wait, cancel_futures
        while self._jobs:
            self._jobs.popleft()()
        self._scheduler.drop(self)
