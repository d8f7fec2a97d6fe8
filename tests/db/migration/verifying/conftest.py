"""A small old system that was copied by a plan with all that a plan can say; each test has a copy of it to spoil."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from db.embedded import EmbeddedPostgres
from db.migration.conversions.instants import DateAndTime
from db.migration.conversions.numbers import Boolean, Double, Integer, Money, Numeric
from db.migration.conversions.texts import Blob, Json, Text, Words
from db.migration.copying.copy import copy
from db.migration.plan_words import Check, Column, ForeignKey, Index, Plan, Sequence, Source, Table, Unique, View
from db.migration.snapshot import take_snapshot
from db.migration.verifying.verify import verify
from db.migration.verifying.words import Verified
from tests.db.migration.copying.conftest import Silent
from tests.fixtures.postgres import plain_database

Verifying = Callable[[], Verified]
Ask = Callable[..., list[tuple[object, ...]]]

SCRIPT = """
CREATE TABLE markets (ticker TEXT PRIMARY KEY, strike TEXT);
CREATE TABLE trades (
    id INTEGER PRIMARY KEY AUTOINCREMENT, date TEXT, time TEXT, side TEXT, buy REAL, sell REAL, fee REAL, momentum REAL, position,
    note TEXT, raw BLOB, settings TEXT, auto INTEGER, ticker TEXT);
CREATE TABLE prices (at TEXT, price REAL);
INSERT INTO markets VALUES ('A', '$1'), ('B', '$2');
INSERT INTO prices VALUES ('10:00', 1.5), ('10:01', 1.5), ('10:01', 1.5), ('10:02', NULL);
"""
TRADES = [
    (1, "2025-07-01", "10:00:00", "Y", 2.0, 0.97, 0.05, 0.1, 5, "first", b"\x00\x01", '{"a": 1}', 1, "A"),
    (2, "2025-07-01", "23:59:59", "N", 0.35, 0.0, 1.0, 0.0, 7, "", b"", '{"a":  2}', 0, "B"),
    (3, "2025-12-01", "10:00:00", "Y", 0.5, 1.0, 0.35, 1e-9, 5.0, None, None, None, None, None),
    (4, "2025-12-02", "10:00:00", "Y", 0.1, 1.0, 0.25, -1.5, 5, "née Müller", b"\xff", "[]", 1, "A"),
    (5, "2025-03-09", "02:30:00", "Y", 0.1, 1.0, 0.25, -1.5, 5, "in the gap", b"\xff", "[]", 1, "A"),
    (9, "2025-12-02", "11:00:00", "N", 0.1, 1.0, 0.25, -1.5, 6, "last", b"\xff", "[]", 1, "B"),
]


def _column(name: str, kind: str, conversion: object, *sources: str, **more: object) -> Column:
    return Column(name=name, type=kind, conversion=conversion, sources=sources or (name,), **more)  # type: ignore[arg-type]


def the_plan(path: Path, digest: str) -> Plan:
    """Return a plan for the small old system."""
    markets = Table(
        source="old",
        from_table="markets",
        name="markets",
        columns=(_column("ticker", "text", Text(), nullable=False), _column("strike", "text", Text(), default="'$0'")),
        key=("ticker",),
    )
    trades = Table(
        source="old",
        from_table="trades",
        name="trades",
        columns=(
            _column("id", "bigint", Integer(), nullable=False),
            _column("entered", "timestamptz", DateAndTime(zone="America/New_York"), "date", "time", nullable=False),
            _column("side", "text", Words(words={"Y": "yes", "N": "no"}), nullable=False),
            _column("buy", "numeric", Numeric()),
            _column("sell", "numeric", Numeric()),
            _column("fee", "numeric(18,2)", Money(scale=2), original="fee_original"),
            _column("momentum", "double precision", Double()),
            _column("position", "bigint", Integer(), original="position_original"),
            _column("note", "text", Text()),
            _column("raw", "bytea", Blob()),
            _column("settings", "json", Json()),
            _column("auto", "boolean", Boolean()),
            _column("ticker", "text", Text()),
        ),
        key=("id",),
        uniques=(
            Unique(name="one_entry", parts=("entered", "ticker")),
            Unique(name="one_note", parts=("(lower(note))",)),
        ),
        checks=(Check(name="has_position", condition="position > 0"),),
        foreign_keys=(
            ForeignKey(name="of_market", columns=("ticker",), table="markets", references=("ticker",), deferrable=True),
        ),
        indexes=(Index(name="by_side", parts=("side", "entered DESC"), where="fee > 0"),),
        # Lower than what SQLite remembers, as a person may leave it.
        sequence=Sequence(column="id", at_least=5),
    )
    prices = Table(
        source="old",
        from_table="prices",
        name="prices",
        columns=(_column("at", "text", Text()), _column("price", "double precision", Double())),
    )
    view = View(source="old", name="open_trades", sqlite="", sql="SELECT id, note FROM trades WHERE sell = 0")
    sources = (Source(name="old", path=str(path), digest=digest),)
    return Plan(schema="moved", sources=sources, tables=(markets, trades, prices), views=(view,))


@pytest.fixture(scope="module")
def moved(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Plan, Path]]:
    """The name of a database into which the small old system was copied, the plan, and the folder of the snapshots."""
    folder = tmp_path_factory.mktemp("moved")
    path = folder / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
        connection.executemany(f"INSERT INTO trades VALUES ({','.join('?' * 14)})", TRADES)
        connection.execute("UPDATE sqlite_sequence SET seq = 20")
        connection.commit()
    plan = the_plan(path, take_snapshot(path, folder).digest)
    with plain_database(postgres_server) as dsn:
        done = copy(plan, dsn, folder / "kept", watching=Silent())
        assert (done.copied, done.quarantined) == (11, 1)
        yield str(conninfo_to_dict(dsn)["dbname"]), plan, folder / "kept"


@pytest.fixture
def spoiled_dsn(postgres_server: EmbeddedPostgres, moved: tuple[str, Plan, Path]) -> Iterator[str]:
    """The way into a copy of that database."""
    with plain_database(postgres_server, moved[0]) as dsn:
        yield dsn


@pytest.fixture
def ask(spoiled_dsn: str) -> Iterator[Ask]:
    """Run a statement in that database; return its rows."""
    with psycopg.connect(spoiled_dsn, autocommit=True) as connection:
        connection.execute("SET search_path = moved")

        def run(statement: str) -> list[tuple[object, ...]]:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def verified(spoiled_dsn: str, moved: tuple[str, Plan, Path]) -> Verifying:
    """Verify that database."""
    return lambda: verify(moved[1], spoiled_dsn, moved[2], watching=Silent())


def told(found: Verified) -> list[tuple[str, str | None, str | None]]:
    """Return kind, key and column of each difference."""
    return [(one.kind, one.key, one.column) for one in found.differences]
