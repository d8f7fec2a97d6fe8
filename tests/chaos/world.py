"""The world of one round: servers and a database of its own, `serve` behind proxies, an executor, a market, and whoever asks."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG
from tests.chaos.driver import Driver, Market, ask
from tests.chaos.executor import ExecutorKeeper
from tests.chaos.keeper import Keeper
from tests.fixtures.postgres import LOGIN_PASSWORD, drop_database, fresh_database
from tests.fixtures.proxy import Proxy

_LOOK_EVERY_S: Final = 0.1
_numbers = itertools.count(1)


class World:
    """Everything that a fault may touch. postgres: may be shared with other rounds, nats is not. poison: bodies that are ours."""

    def __init__(self, stack: ExitStack, postgres: EmbeddedPostgres, folder: Path) -> None:
        names = fresh_database(postgres)
        self.postgres = postgres
        self.admin_dsn = migrations.for_database(postgres.admin_dsn, names.database)
        self.folder = folder
        self.poison: list[bytes] = []
        stack.callback(self._drop, names)
        self.nats = stack.enter_context(EmbeddedServer(folder / "nats", durable=False))
        self.nats_proxy = stack.enter_context(Proxy(self.nats.port))
        self.postgres_proxy = stack.enter_context(Proxy(postgres.port))
        environment = {
            "WATCHKEEPER_NATS_URL": self.nats_proxy.url(),
            "WATCHKEEPER_POSTGRES_DSN": self.postgres_proxy.dsn(
                postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database)
            ),
        }
        self.keeper = stack.enter_context(Keeper("one", folder, environment, CONFIG))
        self.market = stack.enter_context(Market(self.nats.url))
        self.executor = stack.enter_context(ExecutorKeeper(self.nats.url))
        self.driver = Driver(self.nats.url, self.executor, self.market)

    def _drop(self, names: Any) -> None:
        with suppress(psycopg.Error):
            drop_database(self.postgres, names)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read PostgreSQL, past the proxy. Raises: psycopg.Error while it is not there."""
        with psycopg.connect(self.admin_dsn, autocommit=True) as connection:
            connection.execute("set search_path to watchkeeper")
            return connection.execute(sql, parameters).fetchall()

    def status(self) -> dict[str, Any] | None:
        """Return how `serve` says that it stands; None if nobody says so."""
        with suppress(OSError):
            answer = ask(self.nats.url, "system.request.status", {}, 0.5)
            return dict(answer["result"]) if answer is not None and answer["ok"] else None
        return None

    def is_ready(self) -> bool:
        """Whether somebody watches."""
        status = self.status()
        return status is not None and bool(status["ready"])


@contextmanager
def a_world(postgres: EmbeddedPostgres, folder: Path) -> Iterator[World]:
    """A world in which nobody has asked for anything yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield World(stack, postgres, folder)


def until(is_so: Any, patience_s: float) -> bool:
    """Look again and again whether something is so; False if it never was."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(_LOOK_EVERY_S)
    return True
