"""PostgreSQL and the model that simulations use pass the suite that every store must pass: so the model cannot lie."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from actors.ports import StartingStore
from db.access import Access
from db.embedded import EmbeddedPostgres
from db.names import DatabaseNames
from db.store import PostgresStore
from tests.contracts.store_suite import CLAUSES, StoreUnderTest
from tests.fixtures.postgres import LOGIN_PASSWORD
from tests.simulation.connections import ModelStore
from tests.simulation.kill_points import KillPoints
from tests.simulation.postgres import ModelPostgres


class Process:
    """Who the model's sessions belong to."""

    is_alive = True


class ModelUnderTest:
    """The model."""

    def __init__(self) -> None:
        self._server = ModelPostgres(Random(1), KillPoints())

    def store(self) -> StartingStore:
        store = ModelStore(self._server, Process())
        store.open()
        return store

    def goes_down(self) -> None:
        self._server.kill()
        self._server.rise()


class PostgresUnderTest:
    """A real server with a fresh database."""

    def __init__(self, server: EmbeddedPostgres, names: DatabaseNames) -> None:
        self._server = server
        self._access = Access(
            dsn=server.dsn(names.login, LOGIN_PASSWORD, database=names.database), instance="test", names=names
        )
        self._stores: list[PostgresStore] = []

    def store(self) -> StartingStore:
        store = PostgresStore(self._access)
        store.open()
        self._stores.append(store)
        return store

    def goes_down(self) -> None:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self._server.admin_dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self._access.names.database],
            )

    def close(self) -> None:
        for store in self._stores:
            store.close()


@pytest.fixture
def postgres(postgres_server: EmbeddedPostgres, postgres_names: DatabaseNames) -> Iterator[PostgresUnderTest]:
    under = PostgresUnderTest(postgres_server, postgres_names)
    yield under
    under.close()


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_model_keeps_the_contract(clause: Callable[[StoreUnderTest], None]) -> None:
    clause(ModelUnderTest())


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_postgresql_keeps_the_contract(clause: Callable[[StoreUnderTest], None], postgres: PostgresUnderTest) -> None:
    clause(postgres)
