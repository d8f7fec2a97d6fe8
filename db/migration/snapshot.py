"""A consistent copy of a SQLite database, through the backup API; the database itself is only read.

What is refused, is refused before anything else happens, with what to do. A database in use is copied under a read lock, its WAL
included. Two cases are taken through a private copy of the files, because SQLite would have to write beside the source to read it: a
WAL whose `-shm` is gone, and a rollback journal that a crash left behind; if the files change meanwhile, that is refused.

SQLite older than 3.51.3 can lose what a WAL holds when it is reset: the version that read a source stands in the snapshot.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from db.migration.cells import read_exactly
from db.migration.sqlite_files import BESIDE, HEADER_BYTES, SourceRefused, beside, examine, refusal, unless_it_changes

_PATIENCE_S: Final = 5.0
_COMPLAINTS_MAX: Final = 1_000_000
_SHOWN_MAX: Final = 3
_ROWIDS_MAX: Final = 20
_DIRTY: Final = (
    "NULL value in ",
    "CHECK constraint failed in ",
    "NUMERIC value in ",
    "TEXT value in ",
    "non-INT value in ",
    "INT value in ",
    "REAL value in ",
    "BLOB value in ",
)
"""What integrity_check says of rows that break their table's own rules: dirty, but whole."""


class Orphans(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose foreign key leads nowhere. rowids: the first ones; None stands for a table without rowids.

    key: the number of the foreign key in `PRAGMA foreign_key_list`; -1 where the key itself fits no unique columns of its parent.
    """

    table: str
    parent: str
    key: int
    rows: int
    rowids: tuple[int | None, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One consistent copy of one database. path: the copy; source: what it was taken of, absolute.

    digest: SHA-256 of all that is stored, the same for two copies of one state. dirty_rows: rows that break NOT NULL, CHECK or STRICT
    types, counted. size_bytes: of the copy. sqlite_version: of the library that read it.
    """

    path: Path
    source: Path
    digest: str
    size_bytes: int
    encoding: str
    journal_mode: str
    sqlite_version: str = sqlite3.sqlite_version
    dirty_rows: int = 0
    orphans: tuple[Orphans, ...] = ()


def take_snapshot(source: Path, folder: Path) -> Snapshot:
    """Copy `source` into a new file of `folder`, and check it: integrity and foreign keys.

    folder: exists, and is not the source's own. Raises: SourceRefused.
    """
    source = source.absolute()
    in_wal = examine(source)
    target = folder / f"{hashlib.sha256(str(source).encode()).hexdigest()[:12]}.snapshot"
    target.unlink(missing_ok=True)
    try:
        _back_up(source, target, folder, in_wal=in_wal)
        return _checked(source, target, in_wal=in_wal)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise refusal(source, error, _PATIENCE_S) from error
    except SourceRefused:
        target.unlink(missing_ok=True)
        raise


def open_snapshot(snapshot: Snapshot | Path) -> sqlite3.Connection:
    """Open a snapshot for reading alone; its texts come exactly (`cells.py`). The caller closes it."""
    path = snapshot.path if isinstance(snapshot, Snapshot) else snapshot
    return read_exactly(_read_only(path, immutable=True))


def refuse_copies(snapshots: Sequence[Snapshot]) -> None:
    """Raise SourceRefused if two of these are one database, or copies of one in the same state."""
    seen: dict[str, Snapshot] = {}
    files: dict[tuple[int, int], Snapshot] = {}
    for one in snapshots:
        stat = one.source.stat()
        if (other := files.setdefault((stat.st_dev, stat.st_ino), one)) is not one:
            raise SourceRefused(f"{other.source} and {one.source} are one file: name it once")
        if (other := seen.setdefault(one.digest, one)) is not one:
            raise SourceRefused(
                f"{other.source} and {one.source} are two copies of one database, the same in every row: find out which of them "
                "the programs use (run.py migrate audit lists their paths), and name that one alone"
            )


def _read_only(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S, isolation_level=None)


def _back_up(source: Path, target: Path, folder: Path, *, in_wal: bool) -> None:
    if _needs_repair(source, in_wal=in_wal):
        _through_private_copy(source, target, folder)
    elif in_wal and not beside(source, "-wal").exists():
        # Nobody has it open, and all of it stands in the file. Opened in the usual way, SQLite would make a -wal and a -shm beside it.
        unless_it_changes(source, lambda: _copy_pages(source, target, immutable=True))
    else:
        _copy_pages(source, target)


def _needs_repair(source: Path, *, in_wal: bool) -> bool:
    if in_wal:
        return beside(source, "-wal").exists() and not beside(source, "-shm").exists()
    journal = beside(source, "-journal")
    if not journal.exists() or not journal.stat().st_size:
        return False
    with closing(_read_only(source)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            # A crash left it behind: to read, SQLite must roll it back first, which is a write. Locks and damage are another matter.
            return error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
    return False


def _copy_pages(source: Path, target: Path, *, immutable: bool = False) -> None:
    with closing(_read_only(source, immutable=immutable)) as reading, closing(sqlite3.connect(target)) as writing:
        # The read lock first: `backup` itself waits for a busy database for ever.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # Of a copy that a power cut leaves half written, the digest is another one.
        writing.execute("PRAGMA synchronous = OFF")
        reading.backup(writing)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode = DELETE")


def _through_private_copy(source: Path, target: Path, folder: Path) -> None:
    private = folder / f"{target.stem}.private"

    def copied() -> None:
        for suffix in ("", "-wal", "-journal"):
            if beside(source, suffix).exists():
                shutil.copyfile(beside(source, suffix), beside(private, suffix))

    try:
        unless_it_changes(source, copied)
        with closing(sqlite3.connect(private)) as repaired, closing(sqlite3.connect(target)) as writing:
            repaired.execute("SELECT count(*) FROM sqlite_master").fetchone()
            repaired.backup(writing)
            writing.execute("PRAGMA journal_mode = DELETE")
    finally:
        for suffix in ("", *BESIDE):
            beside(private, suffix).unlink(missing_ok=True)


def _checked(source: Path, target: Path, *, in_wal: bool) -> Snapshot:
    # Not opened for reading alone: SQLite 3.40 then leaves CHECK and NOT NULL out of its integrity check.
    # SQLite and SHA-256 each have a processor.
    with ThreadPoolExecutor(1) as beside_it, closing(read_exactly(sqlite3.connect(target))) as connection:
        digest = beside_it.submit(digest_of_pages, target)
        dirty, broken = 0, []
        for (line,) in connection.execute(f"PRAGMA integrity_check({_COMPLAINTS_MAX})"):
            if line.startswith(_DIRTY):
                dirty += 1
            elif line != "ok":
                broken.append(line)
        if broken:
            said = "; ".join(broken[:_SHOWN_MAX])
            raise SourceRefused(
                f"{source} is corrupt: {said}{' ...' if len(broken) > _SHOWN_MAX else ''}; take it from a backup, or save what "
                f"can be read with sqlite3's .recover into a new file and move that"
            )
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if not [name for name in names if not name.startswith("sqlite_")]:
            raise SourceRefused(f"{source} holds no table: check the path, and whether the programs use another copy")
        (encoding,) = connection.execute("PRAGMA encoding").fetchone()
        return Snapshot(
            path=target,
            source=source,
            digest=digest.result(),
            size_bytes=target.stat().st_size,
            encoding=encoding,
            journal_mode="wal" if in_wal else "rollback",
            dirty_rows=dirty,
            orphans=tuple(_orphans(connection, names)),
        )


def _orphans(connection: sqlite3.Connection, tables: Sequence[str]) -> Iterator[Orphans]:
    for table in tables:
        quoted = table.replace('"', '""')
        found: dict[tuple[str, int], tuple[int, list[int | None]]] = {}
        try:
            for _, rowid, parent, key in connection.execute(f'PRAGMA foreign_key_check("{quoted}")'):
                rows, rowids = found.get((parent, key), (0, []))
                found[parent, key] = (rows + 1, rowids if len(rowids) >= _ROWIDS_MAX else [*rowids, rowid])
        except sqlite3.OperationalError as error:
            # "foreign key mismatch": what it refers to is not unique there; no row of it can be checked.
            yield Orphans(table=table, parent=str(error), key=-1, rows=0)
        for (parent, key), (rows, rowids) in sorted(found.items()):
            yield Orphans(table=table, parent=parent, key=key, rows=rows, rowids=tuple(rowids))


def digest_of_pages(target: Path) -> str:
    """Return the SHA-256 of the pages. Left out are the fields of the header that count changes and readers."""
    digest = hashlib.sha256()
    with target.open("rb") as file:
        header = file.read(HEADER_BYTES)
        digest.update(header[:18] + header[20:24] + header[28:92])
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
