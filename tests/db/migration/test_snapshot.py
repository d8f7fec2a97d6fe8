"""A SQLite source is copied whole, or refused with what to do; it is never changed."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.migration import snapshot
from db.migration.snapshot import Snapshot, open_snapshot, refuse_copies, take_snapshot
from db.migration.sqlite_files import SourceRefused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "snapshots").mkdir()
    return tmp_path / "snapshots"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "old").mkdir()
    return a_database(tmp_path / "old/trades.db")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_PATIENCE_S", 0.05)


def a_database(path: Path, sql: str = "", rows: int = 500) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE trades (id INTEGER PRIMARY KEY, note TEXT); {sql}")
        connection.executemany("INSERT INTO trades (note) VALUES (?)", [("x" * 100,)] * rows)
        connection.commit()
    return path


def files(source: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(source.parent.iterdir()) if one.is_file()}


def rows(taken: Snapshot) -> int:
    with closing(open_snapshot(taken)) as connection:
        return int(connection.execute("SELECT count(*) FROM trades").fetchone()[0])


def killed_while(source: Path, script: str) -> None:
    """Run a program on the database that ends as kill -9 would end it."""
    program = f"import os, sqlite3\nc = sqlite3.connect({str(source)!r}, isolation_level=None)\n{script}\nos._exit(9)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9


@pytest.fixture
def in_use(source: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO trades (note) VALUES ('in the WAL')")
        yield connection


def test_a_snapshot_says_what_read_it(source: Path, folder: Path) -> None:
    taken = take_snapshot(source, folder)

    assert (taken.sqlite_version, taken.encoding, taken.journal_mode) == (sqlite3.sqlite_version, "UTF-8", "rollback")


def test_a_source_stays_as_it_was(source: Path, folder: Path) -> None:
    before = files(source)

    assert rows(take_snapshot(source, folder)) == 500
    assert files(source) == before


def test_what_stands_in_the_wal_of_a_database_in_use_is_in_the_snapshot(
    source: Path, folder: Path, in_use: sqlite3.Connection
) -> None:
    """Fault 59: changed during copy."""
    del in_use
    before = files(source)

    assert rows(take_snapshot(source, folder)) == 501
    assert {name: body for name, body in files(source).items() if "shm" not in name} == {
        name: body for name, body in before.items() if "shm" not in name
    }


def test_a_wal_database_that_nobody_has_open_gets_no_files_beside_it(source: Path, folder: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = files(source)

    taken = take_snapshot(source, folder)

    assert (rows(taken), taken.journal_mode, files(source)) == (500, "wal", before)


def test_a_wal_that_a_crash_left_behind_is_read_without_touching_it(source: Path, folder: Path) -> None:
    """Fault 59."""
    killed_while(source, "c.execute('PRAGMA journal_mode = WAL'); c.execute('INSERT INTO trades (note) VALUES (1)')")
    source.with_name("trades.db-shm").unlink()
    before = files(source)

    assert rows(take_snapshot(source, folder)) == 501
    assert files(source) == before
    assert [one.suffix for one in folder.iterdir()] == [".snapshot"]


def test_what_a_crash_left_half_written_is_rolled_back_in_a_copy(source: Path, folder: Path) -> None:
    """Fault 59."""
    killed_while(
        source,
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN'); c.execute('UPDATE trades SET note = hex(randomblob(60))')",
    )
    before = files(source)
    assert "trades.db-journal" in before

    with closing(open_snapshot(take_snapshot(source, folder))) as connection:
        assert connection.execute("SELECT DISTINCT note FROM trades").fetchall() == [("x" * 100,)]
    assert files(source) == before


def test_a_database_that_is_locked_is_refused(source: Path, folder: Path) -> None:
    """Fault 59."""
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")

        with pytest.raises(SourceRefused, match="locked by another program"):
            take_snapshot(source, folder)


def test_a_file_that_grows_while_it_is_read_is_refused(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 59: changed during copy."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    copy_pages = snapshot._copy_pages

    def while_somebody_writes(*taken: Path, immutable: bool = False) -> None:
        copy_pages(*taken, immutable=immutable)
        with source.open("ab") as file:
            file.write(bytes(4096))

    monkeypatch.setattr(snapshot, "_copy_pages", while_somebody_writes)

    with pytest.raises(SourceRefused, match="changed while it was copied"):
        take_snapshot(source, folder)


def _missing(source: Path) -> None:
    source.unlink()


def _wal_alone(source: Path) -> None:
    killed_while(source, "c.execute('PRAGMA journal_mode = WAL'); c.execute('INSERT INTO trades (note) VALUES (1)')")
    source.unlink()


def _without_its_wal(source: Path) -> None:
    killed_while(source, "c.execute('PRAGMA journal_mode = WAL'); c.execute('INSERT INTO trades (note) VALUES (1)')")
    source.with_name("trades.db-wal").unlink()


def _the_wal_itself(source: Path) -> None:
    killed_while(source, "c.execute('PRAGMA journal_mode = WAL'); c.execute('INSERT INTO trades (note) VALUES (1)')")
    source.with_name("trades.db-wal").replace(source)


def _empty(source: Path) -> None:
    source.write_bytes(b"")


def _encrypted(source: Path) -> None:
    source.write_bytes(random.Random(1).randbytes(8192))


def _json(source: Path) -> None:
    source.write_text('{"trades": []}')


def _cut(source: Path) -> None:
    os.truncate(source, source.stat().st_size // 2 + 100)


def _torn(source: Path) -> None:
    body = bytearray(source.read_bytes())
    for page in range(3, len(body) // 4096):
        body[page * 4096 : page * 4096 + 200] = bytes(200)
    source.write_bytes(body)


def _garbled_schema(source: Path) -> None:
    source.write_bytes(source.read_bytes().replace(b"CREATE TABLE trades", b"CREATE TABEL trades"))


def _without_tables(source: Path) -> None:
    source.unlink()
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA user_version = 3")


def _a_folder(source: Path) -> None:
    source.unlink()
    source.mkdir()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_missing, "no such file"),
        (_wal_alone, "but not its database"),
        (_without_its_wal, "its -wal is missing"),
        (_the_wal_itself, "is a write-ahead log"),
        (_empty, r"empty \(0 bytes\)"),
        (_encrypted, "encrypted, or no SQLite database"),
        (_json, "encrypted, or no SQLite database"),
        (_cut, "is corrupt"),
        (_torn, "is corrupt"),
        (_garbled_schema, "is corrupt"),
        (_without_tables, "holds no table"),
        (_a_folder, "is no file"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_kept(
    source: Path, folder: Path, harm: object, says: str
) -> None:
    """Faults 59 and 60: a missing WAL, a corrupt page."""
    assert callable(harm)
    harm(source)

    with pytest.raises(SourceRefused, match=says):
        take_snapshot(source, folder)
    assert list(folder.iterdir()) == []


def test_rows_that_break_their_tables_own_rules_are_counted_and_not_called_corrupt(
    tmp_path: Path, folder: Path
) -> None:
    """Fault 60: orphans of a foreign key."""
    path = a_database(
        tmp_path / "dirty.db",
        """
        CREATE TABLE fills (id INTEGER PRIMARY KEY, trade INTEGER REFERENCES trades, price REAL CHECK (price > 0));
        PRAGMA ignore_check_constraints = ON;
        INSERT INTO fills VALUES (7, 999, -1), (8, 1, 2);
        CREATE TABLE odd (a REFERENCES trades(note));
        """,
    )

    taken = take_snapshot(path, folder)

    assert taken.dirty_rows == 1
    assert [(one.table, one.parent, one.rows, one.rowids) for one in taken.orphans if one.key >= 0] == [
        ("fills", "trades", 1, (7,))
    ]
    assert [one.table for one in taken.orphans if one.key == -1] == ["odd"]


def test_two_copies_of_one_database_are_refused(source: Path, folder: Path) -> None:
    shutil.copy(source, source.with_name("copy.db"))
    both = [take_snapshot(one, folder) for one in (source, source.with_name("copy.db"))]

    with pytest.raises(SourceRefused, match="two copies of one database"):
        refuse_copies(both)


def test_one_database_under_two_names_is_refused(source: Path, folder: Path) -> None:
    source.with_name("link.db").symlink_to(source)
    both = [take_snapshot(one, folder) for one in (source, source.with_name("link.db"))]

    with pytest.raises(SourceRefused, match="are one file"):
        refuse_copies(both)


def test_databases_of_different_rows_may_be_taken_together(source: Path, folder: Path) -> None:
    other = a_database(source.with_name("other.db"), rows=3)

    refuse_copies([take_snapshot(one, folder) for one in (source, other)])
