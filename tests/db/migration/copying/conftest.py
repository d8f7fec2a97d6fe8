"""SQLite files to copy, and an empty database to copy into."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from db.embedded import EmbeddedPostgres
from db.migration.copying.copy import copy
from db.migration.documents import Copied
from db.migration.plan_words import Plan
from tests.fixtures.postgres import plain_database

Making = Callable[..., Path]
Copying = Callable[..., Copied]
Ask = Callable[..., list[tuple[object, ...]]]


class Silent:
    """Somebody who watches a copy and says nothing."""

    def begins(self, tables: list[tuple[str, int, int]]) -> None:
        """Hear of each table."""

    def copied(self, number: int, rows: int) -> None:
        """Hear of rows."""

    def does(self, what: str) -> None:
        """Hear of a step."""


@pytest.fixture
def made(tmp_path: Path) -> Making:
    """Make a SQLite file of a script, and of rows for its tables."""

    def make(script: str, *, name: str = "old", **rows: Sequence[Sequence[object]]) -> Path:
        path = tmp_path / f"{name}.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
            for table, its in rows.items():
                connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(its[0]))})", its)
            connection.commit()
        return path

    return make


@pytest.fixture
def target_dsn(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The way into an empty database, as the superuser."""
    with plain_database(postgres_server) as dsn:
        yield dsn


@pytest.fixture
def ask(target_dsn: str) -> Iterator[Ask]:
    """Run a statement in the target; return its rows."""
    with psycopg.connect(target_dsn, autocommit=True) as connection:

        def run(statement: str, *parameters: object) -> list[tuple[object, ...]]:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def copied(target_dsn: str, tmp_path: Path) -> Copying:
    """Follow a plan into the target."""

    def run(
        plan: Plan, *, dsn: str = target_dsn, workers: int = 1, afresh: bool = False, piece_rows: int = 25_000
    ) -> Copied:
        folder = tmp_path / "snapshots"
        return copy(plan, dsn, folder, watching=Silent(), workers=workers, afresh=afresh, piece_rows=piece_rows)

    return run
