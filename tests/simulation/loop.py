"""An asyncio loop of the simulated world: one handle at a turn, time from the scheduler, nothing that blocks.

`SimulatedThread` has the shape of `bus.loop.LoopThread`: whoever waits for the loop waits as the world allows it.
"""

import asyncio
import contextlib
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any, TypeVar, TypeVarTuple

from actors.replay.scheduler import Gone, Scheduler

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_NS = 1_000_000_000


class SimulatedLoop(asyncio.AbstractEventLoop):
    """The part of a loop that our code and asyncio's own tasks and time-outs use."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.name = name
        self._scheduler = scheduler
        self._handles: deque[asyncio.Handle] = deque()
        self._origin_ns = scheduler.now_ns
        self._is_closed = False
        self.faults: list[str] = []

    # Work

    def turn(self) -> bool:
        """Run one handle."""
        handle = self._handles.popleft()
        if not handle.cancelled():
            self.run_here(handle._run)
        return bool(self._handles)

    def run_here(self, function: Callable[[*Ts], object], *arguments: *Ts) -> None:
        """Call `function` as if the loop did: what it asks for a running loop finds this one."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            function(*arguments)
        finally:
            events._set_running_loop(before)

    def end(self) -> None:
        """Nothing runs any more."""
        self._is_closed = True
        for handle in self._handles:
            # A task that never had its first turn.
            task = getattr(getattr(handle, "_callback", None), "__self__", None)
            coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
            if isinstance(coroutine, Coroutine) and getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()
        self._handles.clear()
        self._scheduler.drop(self)
        self.run_here(self._close_tasks)

    def _close_tasks(self) -> None:
        """Unwind what waits, so that nobody does it later; what it says on its way out reaches nobody."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is as it should be
            with contextlib.suppress(BaseException):
                task.get_coro().close()

    # asyncio

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._is_closed:
            self._handles.append(handle)
            self._scheduler.ready(self)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._call_at(self._scheduler.now_ns + int(delay * _NS), callback, args, context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._call_at(self._origin_ns + int(when * _NS), callback, args, context)

    def _call_at(
        self, due_ns: int, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle((due_ns - self._origin_ns) / _NS, callback, args, self, context)
        self._scheduler.at(due_ns, lambda: self._come(handle))
        return handle

    def _come(self, handle: asyncio.TimerHandle) -> None:
        if not handle.cancelled() and not self._is_closed:
            self._handles.append(handle)
            self._scheduler.ready(self)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time comes."""

    def time(self) -> float:
        return (self._scheduler.now_ns - self._origin_ns) / _NS

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name or "task", context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._is_closed

    def is_closed(self) -> bool:
        return self._is_closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Gone):
            self.faults.append(f"{context.get('message')}: {error!r}")


class SimulatedThread:
    """`LoopThread` for the simulated world. wait: lets the world go on until something is so."""

    def __init__(self, loop: SimulatedLoop, wait: Callable[[Callable[[], bool], float | None], bool]) -> None:
        self.loop = loop
        self._wait = wait
        self._has_started = False

    def start(self) -> None:
        self._has_started = True

    def call(self, function: Callable[[*Ts], object], *arguments: *Ts) -> None:
        self.loop.call_soon(function, *arguments)

    def hand(self, wait_s: float, function: Callable[[*Ts], object], *arguments: *Ts) -> None:
        """The loop goes first in real life, if it can within `wait_s`; here it comes when its turn comes."""
        del wait_s
        self.loop.call_soon(function, *arguments)

    @property
    def is_running(self) -> bool:
        return self._has_started and not self.loop.is_closed()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        tasks: list[asyncio.Task[T]] = []
        self.loop.call_soon(lambda: tasks.append(self.loop.create_task(coroutine)))
        try:
            if not self._wait(lambda: bool(tasks) and tasks[0].done(), timeout_s):
                if tasks:
                    tasks[0].cancel()
                raise TimeoutError
        finally:
            if not tasks:
                coroutine.close()
        return tasks[0].result()

    def stop(self, timeout_s: float = 5) -> None:
        del timeout_s
        self.loop.end()
