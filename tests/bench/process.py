"""The real process between real servers: what the figures are measured on."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from db.names import DatabaseNames
from tests.bench.raw import RawClient

_PATIENCE_S = 60
_WARM_S = 5
ROOT = Path(__file__).resolve().parents[2]
_CONFIG = """
[trading]
live_enabled = true

[http]
port = 0

[venues.bench]
style = "sell"
netting = false
cutoff_s = 0
settle_bound_s = 60

[log]
level = "WARNING"
file = "{log}"
"""


@dataclass(frozen=True)
class Servers:
    """NATS and PostgreSQL with their durable settings, and what a process needs to find them."""

    url: str
    admin_dsn: str
    config: Path
    environment: dict[str, str]


@dataclass(frozen=True)
class Serve:
    """A running `serve`. ready_s: from its start until it said that it watches."""

    pid: int
    ready_s: float


@contextmanager
def child(module: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the bench, and wait until it says that it is ready."""
    with RawClient(url) as client:
        client.subscribe("bench.ready")
        process = subprocess.Popen([sys.executable, "-m", module, url], cwd=ROOT)
        try:
            next(client.messages())
            yield process
        finally:
            process.kill()
            process.wait()


def a_database(server: EmbeddedPostgres) -> str:
    """Make a database with its schema and roles; return how the process logs in to it."""
    names, password = DatabaseNames(), "bench"
    migrations.create(server.admin_dsn, names, login_password=password)
    migrations.upgrade(migrations.for_database(server.admin_dsn, names.database), names)
    return server.dsn(names.login, password, database=names.database)


@contextmanager
def servers() -> Iterator[Servers]:
    """Start NATS and PostgreSQL as they are for real money; stop them by their ids."""
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-") as name:
        folder = Path(name)
        with EmbeddedServer(folder / "nats") as nats, EmbeddedPostgres() as postgres:
            config = folder / "bench.toml"
            config.write_text(_CONFIG.format(log=folder / "serve.log"))
            environment = {
                **os.environ,
                "WATCHKEEPER_NATS_URL": nats.url,
                "WATCHKEEPER_POSTGRES_DSN": a_database(postgres),
            }
            yield Servers(nats.url, postgres.admin_dsn, config, environment)


@contextmanager
def serving(between: Servers) -> Iterator[Serve]:
    """Run `serve` between these servers; stop it as a person would."""
    started = time.monotonic()
    with _running(between) as process:
        _await_ready(between.url, process)
        yield Serve(process.pid, round(time.monotonic() - started, 2))


@contextmanager
def _running(between: Servers) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "run.py", "serve", "--config", str(between.config)]
    process = subprocess.Popen(command, cwd=ROOT, env=between.environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(40)


def kill(process: Serve) -> None:
    """End it as nothing it could answer would."""
    os.kill(process.pid, signal.SIGKILL)


def taken_over_s(between: Servers, leader: Serve) -> float:
    """Kill the leader beside one that stands by; return how long it takes until that watches."""
    with _running(between) as beside:
        _await(between.url, beside, lambda status: status["role"] == "standby")
        # It reads the record ahead, which takes a moment.
        time.sleep(_WARM_S)
        started = time.monotonic()
        kill(leader)
        _await_ready(between.url, beside)
        return round(time.monotonic() - started, 2)


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    _await(url, process, lambda status: bool(status["ready"]))


def _await(url: str, process: subprocess.Popen[bytes], holds: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the first instance that answers stands so."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"serve ended with {process.returncode}")
        reply = request(url, "system.request.status", {}, timeout_s=0.05)
        if reply is not None and reply["ok"] and holds(reply["result"]):
            return
    raise TimeoutError("serve did not become what it should")


def load_average() -> float:
    """Return the load average over the last minute."""
    return round(os.getloadavg()[0], 2)


def request(url: str, subject: str, payload: dict[str, object], timeout_s: float = 10) -> dict[str, Any] | None:
    """Ask one question; None if nobody answers."""
    with RawClient(url) as client:
        return ask(client, subject, payload, timeout_s)


def ask(client: RawClient, subject: str, payload: dict[str, object], timeout_s: float = 10) -> dict[str, Any] | None:
    """Ask one question over a client that has no other subscription."""
    inbox = f"_INBOX.bench.{os.getpid()}.{time.monotonic_ns()}"
    client.subscribe(inbox, sid=9)
    body = json.dumps(payload).encode()
    client.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(body), body))
    client.settimeout(timeout_s)
    try:
        for _, _, answer in client.messages():
            return dict(json.loads(answer)) if answer else None
    except TimeoutError:
        return None
    finally:
        client.settimeout(30)
        client.send(b"UNSUB 9\r\n")
    return None
