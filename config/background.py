"""A process that works for another one, and never in its way."""

import os
import threading
from typing import Final

_NICE: Final = 19


def step_back() -> None:
    """Work at the lowest priority from now on, and end with whoever asked: their end of our input is closed then."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    threading.Thread(target=_end_with_whoever_asked, daemon=True).start()


def _end_with_whoever_asked() -> None:
    # Not through `sys.stdin`: a thread that waits in it keeps the interpreter from ending in order.
    while os.read(0, 1):
        pass
    os._exit(1)
