"""Reads a snapshot for a verification, by a way of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path
from typing import Final, NamedTuple

from db.migration.cells import Cell, literal, text_of
from db.migration.conversions.numbers import Integer
from db.migration.plan_words import Table
from db.migration.snapshot import open_snapshot

_TOGETHER: Final = 250
_TOGETHER_BYTES: Final = 500_000


class Part(NamedTuple):
    """Some rows of a table whose key is the source's rowid: those above `low`, up to `high`. None: no bound."""

    low: int | None = None
    high: int | None = None

    def has(self, place: str) -> bool:
        """Whether a place of the quarantine is in it."""
        if self == Part():
            return True
        rowid = int(place.removeprefix("rowid "))
        return (self.low is None or rowid > self.low) and (self.high is None or rowid <= self.high)


class Source:
    """Reads a table of a snapshot from begin to end: each row with its place, the cells of the plan, and maybe all cells."""

    def __init__(self, snapshot: Path, table: Table) -> None:
        self._snapshot = snapshot
        self._table = table
        named = (name for column in table.columns for name in (*column.sources, *column.context))
        self.columns = list(dict.fromkeys(named))
        with closing(open_snapshot(snapshot)) as connection:
            query = "SELECT name, pk, upper(type) FROM pragma_table_xinfo(?) WHERE hidden <> 1"
            listed = connection.execute(query, [table.from_table]).fetchall()
            self._all = [name for name, *_ in listed]
            self._key = [name for _, name in sorted((place, name) for name, place, _ in listed if place)]
            self._rowid = next((name for name in ("rowid", "_rowid_", "oid") if self._has(connection, name)), None)
        # What SQLite calls the rowid by another name.
        self._alias = next(
            (name for name, place, kind in listed if place and kind == "INTEGER" and len(self._key) == 1), "rowid"
        )

    def _has(self, connection: sqlite3.Connection, name: str) -> bool:
        if name in {one.lower() for one in self._all}:
            return False
        try:
            connection.execute(f"SELECT {name} FROM {_quoted(self._table.from_table)} LIMIT 0")
        except sqlite3.OperationalError:
            return False
        return True

    @property
    def is_keyed_by_rowid(self) -> bool:
        """Whether the same number tells the rows apart on both sides, and orders them."""
        keys = [column for column in self._table.columns if (column.name,) == self._table.key]
        if self._rowid is None or not keys or keys[0].sources != (self._alias,) or keys[0].type != "bigint":
            return False
        return isinstance(keys[0].conversion, Integer)

    def parts(self, count: int) -> list[Part]:
        """Return the table in so many parts, if it is keyed by its rowid; else as one."""
        if not self.is_keyed_by_rowid or count == 1:
            return [Part()]
        with closing(open_snapshot(self._snapshot)) as connection:
            words = f"SELECT min({self._rowid}), max({self._rowid}) FROM {_quoted(self._table.from_table)}"
            least, most = connection.execute(words).fetchone()
        if least is None or most - least < count:
            return [Part()]
        between = [least + (most - least) * number // count for number in range(1, count)]
        return [Part(low, high) for low, high in pairwise([None, *between, None])]

    def batches(self, part: Part, *, with_all: bool) -> Iterator[list[tuple[Cell, ...]]]:
        """Yield the rows that are meant, in the table's own order: place, the plan's cells, all cells where wanted or where they are the place."""
        every = self._all if with_all or self._rowid is None else []
        wanted = [self._rowid or "NULL", *map(_quoted, self.columns), *map(_quoted, every)]
        bounds = [f"({self._table.where})"] if self._table.where else []
        bounds += [] if part.low is None else [f"{self._rowid} > {part.low}"]
        bounds += [] if part.high is None else [f"{self._rowid} <= {part.high}"]
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        order = self._rowid or ", ".join(map(_quoted, self._key))
        ordered = f" ORDER BY {order}" if order else ""
        query = f"SELECT {', '.join(wanted)} FROM {_quoted(self._table.from_table)}{where}{ordered}"
        passed = 0
        with closing(open_snapshot(self._snapshot)) as connection:
            try:
                # sqlite3's own decoding is fast, and refuses what is no UTF-8.
                connection.text_factory = str
                for batch in _read(connection.execute(query)):
                    passed += len(batch)
                    yield batch
            except sqlite3.OperationalError as error:
                if "decode" not in str(error).lower():
                    raise
                connection.text_factory = text_of
                yield from _read(connection.execute(query), passed)

    def place(self, row: tuple[Cell, ...], number: int) -> str:
        """Return where a row of `batches` stands. number: its own among all."""
        if self._rowid is not None:
            return f"rowid {row[0]!r}"
        by_name = dict(zip(self._all, row[1 + len(self.columns) :], strict=True))
        return f"key ({', '.join(literal(by_name[name]) for name in self._key)})" if self._key else f"row {number}"


def _read(rows: sqlite3.Cursor, passed: int = 0) -> Iterator[list[tuple[Cell, ...]]]:
    """Yield rows some at a time, after those that are passed by: fewer where they are large."""
    for _ in islice(rows, passed):
        pass
    size = 1
    while batch := rows.fetchmany(size):
        yield batch
        some = batch[:: max(1, len(batch) // 8)]
        weight = max(sum(len(cell) for cell in row if isinstance(cell, str | bytes)) for row in some)
        size = min(_TOGETHER, 8 * size, _TOGETHER_BYTES // (weight + 1) + 1)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
