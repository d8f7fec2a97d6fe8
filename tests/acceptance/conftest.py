"""One real process for all acceptance tests of a worker; each test has trades and tickers of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.embedded import EmbeddedServer
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import Watchkeeper
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database


@pytest.fixture(scope="session")
def watchkeeper(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchkeeper]:
    """The real process, ready, on a NATS and a database of its own."""
    folder: Path = tmp_path_factory.mktemp("acceptance")
    names = fresh_database(postgres_server)
    dsn = postgres_server.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    with EmbeddedServer(folder / "nats") as nats, Watchkeeper(nats.url, dsn, folder) as running:
        running.start()
        yield running
        running.stop()
