"""One real process for the whole module of acceptance tests; each test has trades and tickers of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import Watchkeeper


@pytest.fixture(scope="session")
def servers(nats_server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """NATS and PostgreSQL with a fresh, migrated database: (url, dsn, folder)."""
    raise NotImplementedError


@pytest.fixture(scope="session")
def watchkeeper(servers: tuple[str, str, Path]) -> Iterator[Watchkeeper]:
    """The real process, ready."""
    running = Watchkeeper(*servers)
    running.start()
    yield running
    running.stop()
