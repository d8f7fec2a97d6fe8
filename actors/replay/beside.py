"""A part of a work that a copy of this process does meanwhile, on another processor: what comes of it is sent back whole."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class CopyFailedError(Exception):
    """The copy ended without a result; it has said why on stderr."""


class Beside:
    """Does `work` beside this process, which must have no other thread. Leave it by `with`: the copy does not outlive that."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if not self._pid:
            os.close(reading)
            _work(work, writing)
        os.close(writing)
        self._file = os.fdopen(reading, "rb")
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._is_over:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def result(self) -> bytes:
        """Wait for what came of it. Raises: CopyFailedError."""
        found = self._file.read()
        _, status = os.waitpid(self._pid, 0)
        self._is_over = True
        if status:
            raise CopyFailedError(f"a part of the work has failed (status {status})")
        return found


def _work(work: Callable[[], bytes], writing: int) -> None:
    """Send back what `work` gives, and end without a word of what this process had still to do."""
    code = 1
    try:
        with os.fdopen(writing, "wb") as file:
            file.write(work())
        code = 0
    finally:
        # Nothing may return from a copy, and nothing is caught on the way: what was raised is told, and ends it.
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
