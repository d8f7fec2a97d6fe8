"""A call that blocks, such as the start of a process, as one work among others.

`Serving.start` waits for servers in the middle of its call stack. Here such a stack has a thread of its own, but the scheduler
stands still while it runs, and it stands still while the scheduler does: one baton, so nothing ever happens at the same time.
"""

import contextlib
import threading
from collections.abc import Callable

from actors.replay.scheduler import Gone, Scheduler
from bus.messages.units import NS_PER_S


class Strand:
    """Runs `main` in turns: from one `wait` to the next."""

    def __init__(self, scheduler: Scheduler, name: str, main: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._name = name
        self._main = main
        self._mine = threading.Semaphore(0)
        self._theirs = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failure: BaseException | None = None
        self._is_cut = False
        self.has_ended = False
        self._thread.start()
        scheduler.ready(self)

    @property
    def name(self) -> str:
        """Who it is."""
        return self._name

    @property
    def is_here(self) -> bool:
        """Whether it is this strand that asks."""
        return threading.current_thread() is self._thread

    def turn(self) -> bool:
        """Let it run until it waits or ends. Raises: what `main` raised."""
        if self.has_ended:
            return False
        self._mine.release()
        self._theirs.acquire()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return False

    def wait(self, until: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Called from within: give way until `until()`; False if `timeout_s` passed first. Raises: Gone once it is cut.

        It may not be so any more when it is given its turn, as with any wait: what counts is that it was.
        """
        scheduler = self._scheduler
        is_late = False
        is_so = until()

        def look() -> bool:
            nonlocal is_so
            is_so = until()
            if self._is_cut or is_late or is_so:
                scheduler.ready(self)
                return True
            return False

        def be_late() -> None:
            nonlocal is_late
            is_late = True

        if not is_so:
            if timeout_s is not None:
                scheduler.after(int(timeout_s * NS_PER_S), be_late)
            scheduler.when(look)
            self._theirs.release()
            self._mine.acquire()
        if self._is_cut:
            raise Gone
        return is_so

    def cut(self) -> None:
        """End it where it waits: its process is gone. From outside, or from within as its last word."""
        self._is_cut = True
        if not self.has_ended and not self.is_here:
            self._scheduler.drop(self)
            with contextlib.suppress(Gone):
                self.turn()

    def _run(self) -> None:
        self._mine.acquire()
        try:
            if not self._is_cut:
                self._main()
        except BaseException as failure:  # noqa: BLE001  # raised again where the scheduler stands
            self._failure = failure
        self.has_ended = True
        self._theirs.release()
