"""A store on a fresh database, leading with epoch 1."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from db.access import Access
from db.names import DatabaseNames
from db.store import PostgresStore
from tests.db.builders import NOW_NS

Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def access(postgres_dsn: str, postgres_names: DatabaseNames) -> Access:
    """The process's way into the fresh database."""
    return Access(dsn=postgres_dsn, instance="test", names=postgres_names)


@pytest.fixture
def store(access: Access) -> Iterator[PostgresStore]:
    """An open store that leads."""
    store = PostgresStore(access)
    store.open()
    assert store.take_lead(1, "test", NOW_NS)
    yield store
    store.close()


@pytest.fixture
def ask(postgres_admin_dsn: str) -> Iterator[Ask]:
    """Run a statement as the superuser, in the schema; return its rows."""
    with psycopg.connect(postgres_admin_dsn, autocommit=True) as connection:
        connection.execute("SET search_path = watchkeeper")

        def run(statement: str, *parameters: object) -> list[tuple[object, ...]]:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield run
