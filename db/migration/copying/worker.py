"""Copies pieces: one transaction holds the rows, those in quarantine, and the note that the piece is done."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from db.migration.cells import Cell
from db.migration.copying.lanes import END, HEAD, Refusal, Rows
from db.migration.copying.source import BATCH_ROWS, Piece, Raw, SourceTable
from db.migration.copying.standing import Standing
from db.migration.plan_words import Plan
from db.migration.target import all_columns, columns_of, place_of

Tell = Callable[[int, int], None]
"""Hears the number of a table, and how many more rows of it are done."""
_REFUSED_ROW = (psycopg.DataError, psycopg.IntegrityError)


class Worker:
    """Copies pieces of one run over one connection. snapshots: by the sources' names."""

    def __init__(self, standing: Standing, plan: Plan, snapshots: dict[str, Path], tell: Tell) -> None:
        self._standing = standing
        self._connection = standing.connection
        self._plan = plan
        self._snapshots = snapshots
        self._tell = tell
        self._known: dict[int, tuple[SourceTable, Rows]] = {}

    def work(self) -> None:
        """Copy until nothing is left to do."""
        while self.copy_piece():
            pass

    def copy_piece(self) -> bool:
        """Copy one piece; returns False if there is none."""
        with self._connection.transaction():
            taken = self._standing.take_piece()
            if taken is None:
                return False
            number, piece = taken
            try:
                with self._connection.transaction():
                    copied = self._together(number, piece)
                    refused = 0
            except (*_REFUSED_ROW, _NotTogetherError):
                copied, refused = self._one_by_one(number, piece)
            self._standing.piece_is_done(number, piece, copied=copied, quarantined=refused)
        self._tell(number, copied + refused)
        return True

    def of(self, number: int) -> tuple[SourceTable, Rows]:
        """Return a table's source, and what makes rows of it."""
        if number not in self._known:
            table = self._plan.tables[number]
            source = SourceTable(self._snapshots[table.source], table)
            self._known[number] = (source, Rows(table, source.columns, self._oids(number)))
        return self._known[number]

    def _oids(self, number: int) -> list[int]:
        """Return the types of the arriving columns; of a domain, what it is made of."""
        query = """SELECT attname, CASE WHEN typtype = 'd' THEN typbasetype ELSE atttypid END FROM pg_attribute
            JOIN pg_type ON pg_type.oid = atttypid WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
        name = place_of(self._plan, number).arriving.as_string(self._connection)
        found: dict[str, int] = dict(self._connection.execute(query, [name]).fetchall())
        return [found[column] for column, _ in columns_of(self._plan.tables[number])]

    def _together(self, number: int, piece: Piece) -> int:
        """Copy all rows of a piece in one go; return how many. Raises: _NotTogetherError, or PostgreSQL's word about a row."""
        source, rows = self.of(number)
        copied = 0
        with self._connection.cursor().copy(self._statement(number)) as copy:
            copy.write(HEAD)
            for batch in source.batches(piece):
                made = rows.together(batch)
                if made is None:
                    raise _NotTogetherError
                copy.write(made)
                copied += len(batch)
            copy.write(END)
        return copied

    def _one_by_one(self, number: int, piece: Piece) -> tuple[int, int]:
        """Copy the rows that can come, and quarantine the others; return how many of each."""
        source, rows = self.of(number)
        copied = refused = 0
        for batch in _batches(source.raws(piece)):
            ready = []
            for cells, raw in batch:
                made = rows.one(cells)
                if isinstance(made, Refusal):
                    self._standing.quarantine(number, raw, column=made.column, reason=made.reason)
                    refused += 1
                else:
                    ready.append((made, raw))
            came = self._halving(number, ready)
            copied += came
            refused += len(ready) - came
        return copied, refused

    def _halving(self, number: int, ready: list[tuple[bytes, Raw]]) -> int:
        """Copy rows, and quarantine those that PostgreSQL refuses, found by halving; return how many came."""
        if not ready:
            return 0
        try:
            with self._connection.transaction(), self._connection.cursor().copy(self._statement(number)) as copy:
                copy.write(HEAD + b"".join(made for made, _ in ready) + END)
        except _REFUSED_ROW as error:
            if len(ready) == 1:
                diag = error.diag
                self._standing.quarantine(
                    number, ready[0][1], column=diag.column_name, reason=f"PostgreSQL: {diag.message_primary}"
                )
                return 0
            middle = len(ready) // 2
            return self._halving(number, ready[:middle]) + self._halving(number, ready[middle:])
        return len(ready)

    def _statement(self, number: int) -> sql.Composed:
        words = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
        return words.format(place_of(self._plan, number).arriving, all_columns(self._plan, number))


class _NotTogetherError(Exception):
    """One of the rows cannot come, so they come one by one."""


def _batches(
    rows: Iterator[tuple[tuple[Cell, ...], Raw]],
) -> Iterator[list[tuple[tuple[Cell, ...], Raw]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
