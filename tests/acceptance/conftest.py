"""One real process for all acceptance tests of a worker; each test has trades and tickers of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG, Watchkeeper
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database


@contextmanager
def between(postgres: EmbeddedPostgres, folder: Path, config: str = CONFIG) -> Iterator[Watchkeeper]:
    """A NATS and a database for one process, which is not started yet."""
    names = fresh_database(postgres)
    dsn = postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    admin_dsn = migrations.for_database(postgres.admin_dsn, names.database)
    with EmbeddedServer(folder / "nats") as nats, Watchkeeper(nats.url, dsn, admin_dsn, folder, config) as running:
        yield running


@contextmanager
def serving(postgres: EmbeddedPostgres, folder: Path, config: str = CONFIG) -> Iterator[Watchkeeper]:
    """Run the real process on a NATS and a database of its own until the end; it must end as it should, and decide so again."""
    with between(postgres, folder, config) as running:
        running.start()
        yield running
        assert running.stop() == 0, running.log()
        told = running.replayed()
        assert (told["different"], told["skipped"], told["lost"], told["gaps"]) == (0, 0, 0, []), told["differences"][
            :1
        ]


@pytest.fixture(scope="session")
def watchkeeper(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchkeeper]:
    """The real process, ready, on a NATS and a database of its own."""
    with serving(postgres_server, tmp_path_factory.mktemp("acceptance")) as running:
        yield running
