"""The world of one round: servers and a database of its own, `serve` behind proxies, an executor, a market, and whoever asks."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG
from tests.acceptance.instances import statuses
from tests.chaos.driver import Driver, Market, ask
from tests.chaos.executor import ExecutorKeeper
from tests.chaos.keeper import Keeper
from tests.chaos.small_disk import a_disk, postgres_on
from tests.fixtures.postgres import LOGIN_PASSWORD, drop_database, fresh_database
from tests.fixtures.proxy import Proxy

_LOOK_EVERY_S: Final = 0.1
_numbers = itertools.count(1)


class World:
    """Everything that a fault may touch. postgres: may be shared with other rounds, nats is not. poison: bodies that are ours."""

    def __init__(self, stack: ExitStack, postgres: EmbeddedPostgres, folder: Path, nats_folder: Path) -> None:
        names = fresh_database(postgres)
        self.postgres = postgres
        self.admin_dsn = migrations.for_database(postgres.admin_dsn, names.database)
        self.folder = folder
        self.poison: list[bytes] = []
        self.keepers: list[Keeper] = []
        self._stack = stack
        stack.callback(self._drop, names)
        self.nats = stack.enter_context(EmbeddedServer(nats_folder, durable=False))
        self.nats_proxy = stack.enter_context(Proxy(self.nats.port))
        self.postgres_proxy = stack.enter_context(Proxy(postgres.port))
        dsn = postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database)
        self._environment = {
            "WATCHKEEPER_NATS_URL": self.nats_proxy.url(),
            "WATCHKEEPER_POSTGRES_DSN": self.postgres_proxy.dsn(dsn),
        }
        self.keeper = self._keep("one")
        self.market = stack.enter_context(Market(self.nats.url))
        self.executor = stack.enter_context(ExecutorKeeper(self.nats.url))
        self.driver = Driver(self.nats.url, self.executor, self.market)

    def _keep(self, name: str) -> Keeper:
        self.keepers.append(self._stack.enter_context(Keeper(name, self.folder, self._environment, CONFIG)))
        return self.keepers[-1]

    def second(self) -> None:
        """Start another `serve` beside the first."""
        self._keep("two")

    def _drop(self, names: Any) -> None:
        with suppress(psycopg.Error):
            drop_database(self.postgres, names)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read PostgreSQL, past the proxy. Raises: psycopg.Error while it is not there."""
        with psycopg.connect(self.admin_dsn, autocommit=True) as connection:
            connection.execute("set search_path to watchkeeper")
            return connection.execute(sql, parameters).fetchall()

    def is_ready(self) -> bool:
        """Whether somebody watches."""
        with suppress(OSError):
            if len(self.keepers) > 1:
                return any(status["ready"] for status in statuses(self.nats.url))
            answer = ask(self.nats.url, "system.request.status", {}, 0.5)
            return answer is not None and bool(answer["ok"] and answer["result"]["ready"])
        return False

    def roles(self) -> list[str]:
        """Return what each instance says that it is, in alphabetical order."""
        with suppress(OSError):
            return sorted(status["role"] for status in statuses(self.nats.url))
        return []

    def delete_consumer(self, stream: str) -> None:
        """Delete the leader's consumer of a stream."""
        (epoch,) = self.rows("select epoch from leader")[0]
        ask(self.nats.url, f"$JS.API.CONSUMER.DELETE.{stream}.wk-{epoch}", b"")


@contextmanager
def a_world(postgres: EmbeddedPostgres, folder: Path, *, nats_mb: int = 0, postgres_mb: int = 0) -> Iterator[World]:
    """A world in which nobody has asked for anything yet. nats_mb, postgres_mb: of a disk of its own; 0: all the room there is."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if postgres_mb:
            postgres = stack.enter_context(postgres_on(stack.enter_context(a_disk(postgres_mb))))
        nats_folder = stack.enter_context(a_disk(nats_mb)) if nats_mb else folder / "nats"
        yield World(stack, postgres, folder, nats_folder)


def until(is_so: Callable[[], bool], patience_s: float) -> bool:
    """Look again and again whether something is so; False if it never was."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(_LOOK_EVERY_S)
    return True
