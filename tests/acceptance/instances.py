"""Processes of `serve` beside each other: each is started, paused, killed and asked by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.acceptance.harness import PATIENCE_S, ROOT, Body, a_name
from tests.bench.raw import RawClient
from tests.bus.builders import a_peer

_GATHER_S = 0.5


class Instance:
    """One `serve` with a log of its own. `start` again is a new process."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], config: str) -> None:
        self.name = name
        self._environment = {**os.environ, **environment, "WATCHKEEPER_TRADING_INSTANCE": name}
        self._log = folder / f"{name}.log"
        self._config = folder / f"{name}.toml"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def start(self) -> Self:
        """Start it; returns at once."""
        command = [sys.executable, "run.py", "serve", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        return self

    @property
    def exit_code(self) -> int | None:
        """How it ended; None: it runs."""
        assert self._process is not None
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        self.send(signal.SIGKILL)
        self.ended()

    def ended(self) -> int:
        """Wait until it ends; returns its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def log(self) -> str:
        """Return what it logged."""
        return self._log.read_text()

    def await_log(self, words: str) -> None:
        """Wait until it has logged `words`."""
        wait_until(lambda: words in self.log(), self.log)

    def await_role(self, url: str, role: str, *, ready: bool = False) -> Body:
        """Wait until it answers for the status as `role` (and ready); returns its status."""
        found: list[Body] = []

        def is_so() -> bool:
            assert self.exit_code is None, f"{self.name} ended with {self.exit_code}: {self.log()}"
            found[:] = [one for one in statuses(url) if one["instance"] == self.name and one["role"] == role]
            return bool(found) and (not ready or found[0]["ready"])

        wait_until(is_so, self.log)
        return found[0]


def statuses(url: str) -> list[Body]:
    """Return how each instance stands that answers within half a second."""
    return [reply["result"] for reply in gather(url, "system.request.status", {})]


def gather(url: str, subject: str, body: Body) -> list[Body]:
    """Return every answer to one question."""
    found: list[Body] = []
    with RawClient(url) as client:
        inbox = a_name("_INBOX.instances.")
        client.subscribe(inbox)
        data = json.dumps(body).encode()
        client.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(data), data))
        client.settimeout(_GATHER_S)
        try:
            for _, _, answer in client.messages():
                found.append(json.loads(answer))
        except TimeoutError:
            return found
    return found


def orders_in(url: str, trade_id: str) -> list[tuple[str, int]]:
    """Return id and epoch of what ORDERS holds of a trade: a plain subscriber would also hear what it refused."""
    with a_peer(url) as peer:
        bodies = [json.loads(kept.data) for kept in peer.stored("ORDERS") if kept.subject.endswith(f".{trade_id}")]
    return [(body["client_order_id"], body["epoch"]) for body in bodies]


def wait_until(is_so: Callable[[], bool], words: Callable[[], Any]) -> None:
    """Return once something is so. Raises: AssertionError with `words` when patience ends."""
    deadline = time.monotonic() + PATIENCE_S * 3
    while not is_so():
        assert time.monotonic() < deadline, words()
        time.sleep(0.05)
