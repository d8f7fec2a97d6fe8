"""The real process between real servers: what the figures are measured on."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from db.names import DatabaseNames
from tests.bench.raw import RawClient

ROOT = Path(__file__).resolve().parents[2]
_CONFIG = """
[trading]
live_enabled = true

[http]
port = 0

[venues.bench]
style = "sell"

[log]
level = "WARNING"
file = "{log}"
"""


@dataclass(frozen=True)
class Bench:
    """A running `serve`: its process, its NATS, how long it took to be ready."""

    url: str
    process: subprocess.Popen[bytes]
    ready_s: float
    folder: Path
    environment: dict[str, str]

    def resident_mb(self) -> float:
        """Resident memory of the process, MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1_000_000


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
def serving() -> Iterator[Bench]:
    """Start NATS, PostgreSQL and `serve`; stop them by their ids."""
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
            started = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "run.py", "serve", "--config", str(config)], cwd=ROOT, env=environment
            )
            try:
                await_ready(nats.url, process)
                yield Bench(nats.url, process, time.monotonic() - started, folder, environment)
            finally:
                process.terminate()
                process.wait(30)


def await_ready(url: str, process: subprocess.Popen[bytes], timeout_s: float = 30) -> None:
    """Return once the process says that it watches."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"serve ended with {process.returncode}")
        reply = request(url, "system.request.status", {}, timeout_s=0.2)
        if reply is not None and reply["ok"] and reply["result"]["ready"]:
            return
    raise TimeoutError("serve did not become ready")


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
