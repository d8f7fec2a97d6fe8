"""Reads a table of a snapshot piece by piece, always in the same order."""

import itertools
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from db.migration.cells import Cell, literal, raw_bytes, storage_class, text_of
from db.migration.plan_words import Table
from db.migration.snapshot import open_snapshot

BATCH_ROWS: Final = 250
"""Read, converted and sent together, at most: few enough to stay in the processor's cache."""
_BATCH_BYTES: Final = 500_000
_WEIGHED: Final = 8
_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")
_INTEGER, _REAL = struct.Struct(">q"), struct.Struct(">d")


class Piece(NamedTuple):
    """Some rows of a table, in its order. Of one with rowids: those above `low`, up to `high`; of others: so many passed by, up to so many.

    None: no bound.
    """

    number: int
    low: int | None
    high: int | None


class Raw(NamedTuple):
    """A row as it stands in the file: where, and of each column the name, the storage class and the bytes (numbers big-endian)."""

    place: str
    columns: list[str]
    classes: list[str]
    cells: list[bytes | None]


@dataclass(frozen=True)
class SourceTable:
    """One table of one snapshot, as one table of a plan wants it. columns: those that are read."""

    path: Path
    table: Table

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The source columns that the plan's columns are made of."""
        named = (name for column in self.table.columns for name in (*column.sources, *column.context))
        return tuple(dict.fromkeys(named))

    @cached_property
    def all_columns(self) -> dict[str, int]:
        """Every column of the table, generated ones included; and its place in the primary key, 0 outside of it."""
        with closing(open_snapshot(self.path)) as connection:
            found = connection.execute(
                "SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", [self.table.from_table]
            )
            return dict(found.fetchall())

    @cached_property
    def rowid(self) -> str | None:
        """The name by which the table's rowid is read; None if it has none, or hides it."""
        taken = {name.lower() for name in self.all_columns}
        for name in _ROWID_NAMES:
            if name not in taken:
                with closing(open_snapshot(self.path)) as connection:
                    try:
                        connection.execute(f"SELECT {name} FROM {self._from} LIMIT 0")
                    except sqlite3.OperationalError:
                        return None
                    return name
        return None

    @property
    def _from(self) -> str:
        return quoted(self.table.from_table)

    @property
    def _key(self) -> list[str]:
        keyed = sorted((place, name) for name, place in self.all_columns.items() if place)
        return [quoted(name) for _, name in keyed]

    @property
    def _order(self) -> str:
        order = self.rowid or ", ".join(self._key)
        return f" ORDER BY {order}" if order else ""

    def pieces(self, rows: int) -> Iterator[Piece]:
        """Yield pieces of about so many rows that hold every row together; at least one."""
        with closing(open_snapshot(self.path)) as connection:
            low: int | None = None
            if self.rowid is None:
                (count,) = connection.execute(f"SELECT count(*) FROM {self._from}").fetchone()
                for number in range(max(1, -(-count // rows))):
                    yield Piece(number, number * rows, (number + 1) * rows)
                return
            least, most, count = connection.execute(
                f"SELECT min({self.rowid}), max({self.rowid}), count(*) FROM {self._from}"
            ).fetchone()
            if count and most - least == count - 1:
                # No number is left out: the ends need no looking for.
                ends = [None, *range(least + rows - 1, most + 1, rows), None]
                yield from (Piece(number, *bounds) for number, bounds in enumerate(itertools.pairwise(ends)))
                return
            for number in itertools.count():
                above = "" if low is None else f" WHERE {self.rowid} > {low}"
                end = f"SELECT {self.rowid} FROM {self._from}{above}{self._order} LIMIT 1 OFFSET {rows - 1}"
                found = connection.execute(end).fetchone()
                yield Piece(number, low, found and found[0])
                if found is None:
                    return
                low = found[0]

    def counts(self) -> tuple[int, int]:
        """Return how many rows are meant, and how many are left behind."""
        with closing(open_snapshot(self.path)) as connection:
            (every,) = connection.execute(f"SELECT count(*) FROM {self._from}").fetchone()
            meant = every
            if self.table.where:
                (meant,) = connection.execute(f"SELECT count(*) FROM {self._from} WHERE {self.table.where}").fetchone()
            return meant, every - meant

    def highest(self, column: str) -> int:
        """Return the largest whole number of a column that was ever given out: of rows, meant or not, and of those that SQLite remembers.

        0 if there is none above.
        """
        name = quoted(column)
        with closing(open_snapshot(self.path)) as connection:
            words = f"SELECT {name} FROM {self._from} WHERE typeof({name}) = 'integer' ORDER BY {name} DESC LIMIT 1"
            (found,) = connection.execute(words).fetchone() or (0,)
            return max(0, int(found), self._remembered(connection))

    def _remembered(self, connection: sqlite3.Connection) -> int:
        query = "SELECT max(seq) FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'"
        try:
            (found,) = connection.execute(query, [self.table.from_table]).fetchone()
        except sqlite3.OperationalError:
            # No table of it counts its ids.
            return 0
        return found or 0

    def batches(self, piece: Piece) -> Iterator[list[tuple[Cell, ...]]]:
        """Yield the piece's rows, some at a time: of `columns`, each cell exact.

        sqlite3's own decoding is the fast one, and refuses what is no UTF-8: from there on each text is decoded by `cells.text_of`.
        """
        passed = 0
        with closing(open_snapshot(self.path)) as connection:
            connection.text_factory = str
            statement = self._select(", ".join(map(quoted, self.columns)) or "NULL", piece)
            cursor = connection.execute(statement)
            fits = 1
            try:
                while batch := cursor.fetchmany(fits):
                    passed += len(batch)
                    yield batch
                    fits = _fitting(batch, fits)
            except sqlite3.OperationalError as error:
                if "decode" not in str(error).lower():
                    raise
                connection.text_factory = text_of
                cursor = connection.execute(
                    f"{statement} LIMIT -1 OFFSET {passed}"
                    if self.rowid
                    else f"SELECT * FROM ({statement}) LIMIT -1 OFFSET {passed}"
                )
                while batch := cursor.fetchmany(fits):
                    yield batch
                    fits = _fitting(batch, fits)

    def raws(self, piece: Piece) -> Iterator[tuple[tuple[Cell, ...], Raw]]:
        """Yield the same rows in the same order, each with all that the file holds of it."""
        names = list(self.all_columns)
        parts = [self.rowid or "NULL", *map(quoted, (*self.columns, *names))]
        first = 1 + len(self.columns)
        with closing(open_snapshot(self.path)) as connection:
            for number, row in enumerate(connection.execute(self._select(", ".join(parts), piece))):
                cells = row[first:]
                place = self._place(row[0], dict(zip(names, cells, strict=True)), (piece.low or 0) + number)
                classes = [storage_class(cell) for cell in cells]
                yield row[1:first], Raw(place, names, classes, [_bytes_of(cell) for cell in cells])

    def _place(self, rowid: int | None, cells: dict[str, Cell], number: int) -> str:
        if rowid is not None:
            return f"rowid {rowid}"
        keyed = sorted((place, name) for name, place in self.all_columns.items() if place)
        return f"key ({', '.join(literal(cells[name]) for _, name in keyed)})" if keyed else f"row {number}"

    def _select(self, what: str, piece: Piece) -> str:
        if self.rowid is None:
            limit = f" LIMIT {-1 if piece.high is None else piece.high - (piece.low or 0)} OFFSET {piece.low or 0}"
            # What is not meant is passed over after the piece is cut, so that pieces stay what they are.
            inner = f"SELECT * FROM {self._from}{self._order}{limit}"
            meant = f" WHERE {self.table.where}" if self.table.where else ""
            return f"SELECT {what} FROM ({inner}){meant}"
        bounds = [] if piece.low is None else [f"{self.rowid} > {piece.low}"]
        bounds += [] if piece.high is None else [f"{self.rowid} <= {piece.high}"]
        bounds += [f"({self.table.where})"] if self.table.where else []
        return f"SELECT {what} FROM {self._from}{' WHERE ' + ' AND '.join(bounds) if bounds else ''}{self._order}"


def quoted(name: str) -> str:
    """Return the name as SQLite reads it."""
    return '"' + name.replace('"', '""') + '"'


def cells_of(columns: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """Return where the wanted columns stand among those that are read."""
    return tuple(columns.index(name) for name in wanted)


def _fitting(batch: list[tuple[Cell, ...]], fits: int) -> int:
    """Return how many rows to read next, judging by some of the last: large ones come few at a time, so that memory stays bounded."""
    some = batch[:: max(1, len(batch) // _WEIGHED)]
    weight = max(sum(len(cell) for cell in row if isinstance(cell, str | bytes)) for row in some)
    return min(BATCH_ROWS, 8 * fits, _BATCH_BYTES // (weight + 1) + 1)


def _bytes_of(cell: Cell) -> bytes | None:
    match cell:
        case None:
            return None
        case int():
            return _INTEGER.pack(cell)
        case float():
            return _REAL.pack(cell)
        case str():
            return raw_bytes(cell)
        case bytes():
            return cell
