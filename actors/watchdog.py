"""Ends a process in which nothing moves any more; supervisord starts a clean one.

The supervisor asks every actor and the wire in rounds, and Timer tells it when. Whoever of those two hangs takes the rounds along,
so a third must notice that they have ceased: a thread of its own that needs nobody, neither inbox nor timer nor NATS nor the log.
It is fed once a round. If even that thread does not run, because something holds the interpreter (a runaway regular expression
does), faulthandler's thread, which is written in C, prints every stack on stderr and ends the process with 1.
"""

import faulthandler
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

_GRACE_S: Final = 1.0
"""After a pause of the whole process the watchdog may wake first: the others get this to show that they move."""


def stacks() -> str:
    """Return what every thread is doing, for the log."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001  # documented, in spite of its name
    return "\n".join(
        f"thread {names.get(number, number)}:\n{''.join(traceback.format_stack(frame))}"
        for number, frame in frames.items()
    )


class Watchdog:
    """Calls `end` with a reason once it has not been fed for `limit_s`. It begins with the first `feed`."""

    def __init__(self, limit_s: float, end: Callable[[str], None]) -> None:
        self._limit_s = limit_s
        self._end = end
        self._fed = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def feed(self) -> None:
        """Something moves."""
        faulthandler.dump_traceback_later(2 * (self._limit_s + _GRACE_S), exit=True)
        if not self._thread.is_alive() and not self._is_over:
            self._thread.start()
        self._fed.set()

    def extend(self, limit_s: float) -> None:
        """From now on wait so long: what begins now takes longer than a round."""
        self._limit_s = limit_s
        self.feed()

    def stop(self) -> None:
        """Watch no more."""
        self._is_over = True
        faulthandler.cancel_dump_traceback_later()
        self._fed.set()

    def _watch(self) -> None:
        while not self._is_over:
            self._fed.clear()
            if not self._fed.wait(self._limit_s) and not self._fed.wait(_GRACE_S):
                self._end(f"nothing has moved for {self._limit_s:g} s\n{stacks()}")
                return
