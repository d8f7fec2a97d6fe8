"""What `run.py check` says, and the part of it that asks nobody but this machine: environment, port, paths."""

import http.client
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from config.layers import CONFIG_VARIABLE, environment_name
from config.settings import Settings

SECOND_SPELLINGS: Final = {
    "nats.url": ("NATS_",),
    "postgres.dsn": ("DATABASE_URL", "DB_", "PG", "POSTGRES_"),
}
"""By key, how the names begin that other programs read for the same thing. Nothing here reads them."""
_NOT_AN_ADDRESS: Final = ("PGDATA", "PG_MAJOR", "PG_VERSION", "POSTGRES_INITDB_ARGS")
_PYTHON_LEAST: Final = (3, 11)
_LIVE_WITHIN_S: Final = 1.0


class Verdict(StrEnum):
    """What a test found: OK; NOTE, fine but worth knowing; FAIL, `serve` would not work."""

    OK = "OK"
    NOTE = "NOTE"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check: what was tested, how it stands, and, where it fails, what to do."""

    what: str
    verdict: Verdict
    says: str


Probe = Callable[[Settings], Iterator[Finding]]
"""Tests one part of the world. It raises nothing: what it cannot reach is a finding."""


def ok(what: str, says: str) -> Finding:
    """Return a test that was passed."""
    return Finding(what, Verdict.OK, says)


def note(what: str, says: str) -> Finding:
    """Return something worth knowing."""
    return Finding(what, Verdict.NOTE, says)


def fail(what: str, says: str) -> Finding:
    """Return a test that was not passed; `says` ends with what to do."""
    return Finding(what, Verdict.FAIL, says)


def this_machine(settings: Settings) -> Iterator[Finding]:
    """Test what needs neither NATS nor PostgreSQL."""
    yield ok("configuration", f"{len(settings.origins)} settings read, none unknown")
    yield _python(sys.version_info[:2])
    yield from second_spellings(os.environ)
    yield from secret_files(os.environ)
    yield _port(settings)
    if settings.log.file:
        yield log_path(Path(settings.log.file))


def _python(version: tuple[int, int]) -> Finding:
    says = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if version >= _PYTHON_LEAST:
        return ok("environment", says)
    return fail("environment", f"{says}: Watchkeeper needs Python 3.11 or newer; run it from its .venv (make setup)")


def second_spellings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a note for each variable that other programs read as an address; a second one is how two programs part ways."""
    for key, starts in SECOND_SPELLINGS.items():
        for name in sorted(environ):
            if name.startswith(starts) and name not in _NOT_AN_ADDRESS:
                yield note("environment", f"{name} is set and not read: only {environment_name(key)} says {key}")


def secret_files(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a note for each file that holds settings or a secret and is open to others."""
    for name in sorted(environ):
        if (
            name.startswith("WATCHKEEPER_")
            and (name.endswith("_FILE") or name == CONFIG_VARIABLE)
            and name not in ("WATCHKEEPER_LOG_FILE", "WATCHKEEPER_SNAPSHOT_FILE")
        ):
            path = Path(environ[name])
            if path.exists() and path.stat().st_mode & 0o077:
                yield note("paths", f"{path} ({name}) can be read by others than its owner: chmod 600 {path}")


def _port(settings: Settings) -> Finding:
    host, port = settings.http.host, settings.http.port
    if port == 0:
        return ok("port", "http.port 0: any free one is taken")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(found[4])
    except OSError as error:
        if _is_live(host, port):
            return ok("port", f"{host}:{port} answers /live: a Watchkeeper has it")
        return fail(
            "port", f"{host}:{port} cannot be taken ({error.strerror}): end who has it, or set WATCHKEEPER_HTTP_PORT"
        )
    return ok("port", f"{host}:{port} is free")


def _is_live(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_LIVE_WITHIN_S)
    try:
        connection.request("GET", "/live")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def log_path(path: Path) -> Finding:
    """Return whether the log can be written at `path`."""
    where = path if path.exists() else path.parent
    if where.exists() and os.access(where, os.W_OK):
        return ok("paths", f"the log goes to {path}")
    return fail("paths", f"the log cannot be written to {path}: make its folder writable, or set WATCHKEEPER_LOG_FILE")
