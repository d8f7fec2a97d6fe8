"""A server process of our own that ends with its parent, also after kill -9: what both embedded servers share.

A shell holds the read end of a pipe whose only writer is the parent, and stops the server when the pipe breaks.
(`PR_SET_PDEATHSIG` was rejected: Linux only, and bound to the thread that started the child.) The server has a session of its
own, so that Ctrl-C reaches the parent first and it can drain. Here and not in `bus` or `db`, because neither imports the other.
"""

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Self

_WATCHED: Final = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill -s "$WATCHKEEPER_STOP_SIGNAL" "$child" 2>/dev/null; } &
exec 3<&-
wait "$child"
"""
_STOP_WITHIN_S: Final = 20.0
_LOOK_AGAIN_S: Final = 0.005


class ChildServer(ABC):
    """One server process; `start` again after `stop` or `kill` goes on with the same port and data.

    pid: of the server itself, 0 while it does not run. stop_signal: what ends it in order.
    """

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.pid = 0
        self._shell: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Start it and return once it takes connections."""

    def stop(self) -> None:
        """End it in order; returns when it has ended. Harmless if it is not running."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it as a crash would (kill -9), for tests."""
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server, such as SIGSTOP and SIGCONT."""
        os.kill(self.pid, number)

    def _launch(self, command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401  # Popen's own words
        """Start `command` under the shell that watches the parent."""
        assert self._shell is None, "already started"
        self._shell = subprocess.Popen(  # noqa: S603  # our own binaries and settings
            ["/bin/sh", "-c", _WATCHED, "sh", *command],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"WATCHKEEPER_STOP_SIGNAL": self.stop_signal.name.removeprefix("SIG")},
            **how,
        )
        return self._shell

    def _await_ready(self, is_ready: Callable[[], bool], within_s: float) -> bool:
        """Wait until `is_ready`; False if the process ended first, or `within_s` passed: it is stopped then.

        Both servers say that they are ready in a file of theirs; nothing else tells us but the process's end.
        """
        assert self._shell is not None
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if is_ready():
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._shell.wait(timeout=_LOOK_AGAIN_S)
                break
        self.stop()
        return False

    def _end(self, number: signal.Signals) -> None:
        shell, self._shell = self._shell, None
        if shell is None:
            return
        assert shell.stdin is not None
        if self.pid and shell.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
                # A stopped process takes its signals only when it goes on.
                os.kill(self.pid, signal.SIGCONT)
        self.pid = 0
        shell.stdin.close()
        try:
            shell.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
