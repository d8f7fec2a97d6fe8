"""`migrate profile`: every cell of a database is read once, in batches, so that memory stays the same for any number of rows.

Different values are counted by SQLite itself, exactly; what it needs for that it keeps in temporary files.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from db.migration.cells import Cell
from db.migration.column_profiler import ColumnProfiler, shown
from db.migration.profile_words import DatabaseProfile, OrphanRows, Profile, TableProfile
from db.migration.snapshot import Snapshot, open_snapshot, refuse_copies, take_snapshot
from db.migration.sqlite_schema import SqliteTable, quoted, read_schema

_CELLS_MAX: Final = 20_000
"""In one batch."""
_BIG_BYTES: Final = 1 << 20
_DISTINCT_AT_ONCE: Final = 16
_CACHE_KIB: Final = 8_192


def profile(paths: Sequence[Path]) -> Profile:
    """Return what the databases hold. Raises: SourceRefused."""
    with TemporaryDirectory(prefix="watchkeeper-profile-") as folder:
        taken = [take_snapshot(path, Path(folder)) for path in paths]
        refuse_copies(taken)
        return Profile(databases=tuple(profile_of(one) for one in taken))


def profile_of(taken: Snapshot) -> DatabaseProfile:
    """Return what one snapshot holds."""
    with closing(open_snapshot(taken)) as connection:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = FILE")
        return DatabaseProfile(
            path=str(taken.source),
            digest=taken.digest,
            size_bytes=taken.size_bytes,
            encoding=taken.encoding,
            journal_mode=taken.journal_mode,
            sqlite_version=taken.sqlite_version,
            dirty_rows=taken.dirty_rows,
            orphans=tuple(OrphanRows(table=one.table, parent=one.parent, rows=one.rows) for one in taken.orphans),
            tables=tuple(
                profile_table(connection, table) for table in read_schema(connection).tables if table.kind != "shadow"
            ),
        )


def profile_table(connection: sqlite3.Connection, table: SqliteTable) -> TableProfile:
    """Return what one table holds."""
    profilers = [ColumnProfiler(column) for column in table.columns]
    try:
        rows = 0
        for batch in batches(connection, table) if not table.unread else ():
            rows += len(batch)
            by_column = list(zip(*batch, strict=True))
            _see(table, profilers, by_column)
        distinct = _distinct(connection, table) if rows else [0] * len(profilers)
    except sqlite3.Error as error:
        return TableProfile(name=table.name, rows=0, key=table.key, columns=(), unread=str(error))
    columns = tuple(one.profile(number) for one, number in zip(profilers, distinct, strict=True))
    return TableProfile(
        name=table.name, rows=rows, key=table.key, columns=columns if not table.unread else (), unread=table.unread
    )


def batches(connection: sqlite3.Connection, table: SqliteTable, where: str = "") -> Iterator[list[tuple[Cell, ...]]]:
    """Yield the rows in the order of their key: the cells of `row_key`, then those of the columns. A batch is small in rows and bytes."""
    names = [*table.row_key, *(column.name for column in table.columns)]
    order = f" ORDER BY {', '.join(map(quoted, table.row_key))}" if table.row_key and table.kind == "table" else ""
    meant = f" WHERE {where}" if where else ""
    cursor = connection.execute(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table.name)}{meant}{order}")
    most = max(1, _CELLS_MAX // len(names))
    batch: list[tuple[Cell, ...]] = []
    size = 0
    for row in cursor:
        batch.append(row)
        size += sum(len(cell) for cell in row if type(cell) in (str, bytes))
        if len(batch) >= most or size > _BIG_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def key_text(table: SqliteTable, names: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return how a person finds a row: by its declared key, else by SQLite's own number of it."""
    found = dict(zip(names, cells, strict=True))
    key = table.key if table.key and all(found.get(name) is not None for name in table.key) else table.row_key
    return ", ".join(f"{name} = {shown(found[name])}" for name in key)


def _see(table: SqliteTable, profilers: Sequence[ColumnProfiler], by_column: Sequence[tuple[Cell, ...]]) -> None:
    names = [*table.row_key, *(column.name for column in table.columns)]

    def key_of(place: int) -> str:
        return key_text(table, names, [cells[place] for cells in by_column])

    for profiler, cells in zip(profilers, by_column[len(table.row_key) :], strict=True):
        profiler.see(cells, key_of)


def _distinct(connection: sqlite3.Connection, table: SqliteTable) -> list[int]:
    names = [quoted(column.name) for column in table.columns]
    found: list[int] = []
    for first in range(0, len(names), _DISTINCT_AT_ONCE):
        counted = ", ".join(
            f"count(DISTINCT {name} COLLATE BINARY)" for name in names[first : first + _DISTINCT_AT_ONCE]
        )
        found += connection.execute(f"SELECT {counted} FROM {quoted(table.name)}").fetchone()
    return found
