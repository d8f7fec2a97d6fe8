"""Compares the rows of a table, expected and found: each field of each row."""

import struct
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import psycopg
from psycopg import sql
from psycopg.errors import error_from_result

from db.migration.cells import Cell, raw_bytes
from db.migration.plan_words import Plan
from db.migration.target import columns_of, schema_of
from db.migration.verifying.expected import ExpectedRows
from db.migration.verifying.known import Impossible, NotBack
from db.migration.verifying.source import Part, Source
from db.migration.verifying.unmatched import Unmatched
from db.migration.verifying.values import Type, fields_of
from db.migration.verifying.words import Difference

_TOGETHER: Final = 250
_PLACE: Final = "\0 place"
"""A name that no column has."""
_HEAD_BYTES: Final = 19
_END: Final = b"\xff\xff"
_ALL: Final = Part()
Kept = dict[str, tuple[bytes | None, ...]]
"""The quarantine: by place, the bytes of the row."""


class Comparison:
    """One table: what the source says must stand in the target, against what stands there."""

    def __init__(
        self,
        connection: psycopg.Connection,
        plan: Plan,
        number: int,
        source: Source,
        part: Part = _ALL,
        *,
        expected: ExpectedRows | None = None,
    ) -> None:
        """expected: of another part of this table, with what it has learned."""
        self._connection = connection
        self._plan = plan
        self._number = number
        self._table = plan.tables[number]
        self._source = source
        self._part = part
        self._names = [name for name, _ in columns_of(self._table)]
        self._types: list[Type] = []
        self.name = f"{schema_of(plan, self._table)}.{self._table.name}"
        self.compared = 0
        self.source_rows = 0
        self.quarantined = 0
        self.expected = expected

    def differences(self, run: int) -> Iterator[Difference]:
        """Yield every difference. run: whose quarantine counts."""
        self._types = self._types_there()
        unmatched = Unmatched(self._key_of)
        kept = self._in_quarantine(run)
        self.quarantined = len(kept)
        told: list[Difference] = []
        expected = chain.from_iterable(self._expected(kept, told))
        for found in self._found():
            wanted = list(islice(expected, len(found)))
            self.compared += len(found)
            if wanted != found:
                unmatched.expect(wanted)
                unmatched.find(found)
        unmatched.expect(expected)
        yield from told
        for left in unmatched.left():
            yield from self._told(left.expected, left.found)
        for place in kept:
            yield Difference(kind="quarantined, but not in the source", table=self.name, key=place)

    def _types_there(self) -> list[Type]:
        query = """SELECT attname, CASE WHEN typtype = 'd' THEN typbasetype ELSE atttypid END, format_type(atttypid, atttypmod)
            FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
        name = self._identifier.as_string(self._connection)
        there = {row[0]: Type(row[1], row[2]) for row in self._connection.execute(query, [name])}
        return [there[name] for name in self._names]

    @property
    def _identifier(self) -> sql.Identifier:
        return sql.Identifier(schema_of(self._plan, self._table), self._table.name)

    def _found(self) -> Iterator[list[bytes]]:
        """Yield the rows of the target as PostgreSQL sends them, some at a time: by key if it is the source's, else as they stand."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self._names))
        words = sql.SQL("COPY (SELECT {} FROM {}{}{}) TO STDOUT (FORMAT BINARY)")
        statement = words.format(columns, self._identifier, self._within(), self._order())
        lines = rows_of(self._connection, statement)
        while batch := list(islice(lines, _TOGETHER)):
            yield batch

    def _expected(self, kept: Kept, told: list[Difference]) -> Iterator[list[bytes]]:
        """Yield the rows that must stand in the target, some at a time.

        kept: from which each row that is met is taken out. told: takes in what differs before anything is compared.
        """
        rows = self.expected = self.expected or ExpectedRows(self._table, [_PLACE, *self._source.columns], self._types)
        rows.begin()
        with_all = bool(kept)
        for batch in self._source.batches(self._part, with_all=with_all):
            first = self.source_rows
            self.source_rows += len(batch)
            meant = self._not_kept(batch, first, kept, told) if with_all else batch
            made = rows.rows(meant) if meant else []
            fitting = [one for one in made if isinstance(one, bytes)]
            if len(fitting) < len(made):
                told += [
                    self._faulty(self._source.place(row, first + number), one)
                    for number, (row, one) in enumerate(zip(meant, made, strict=True))
                    if not isinstance(one, bytes)
                ]
            yield fitting

    def _not_kept(
        self, batch: list[tuple[Cell, ...]], first: int, kept: Kept, told: list[Difference]
    ) -> list[tuple[Cell, ...]]:
        """Return the rows that are not in quarantine. first: the number of the first of them."""
        meant = []
        for number, row in enumerate(batch, first):
            place = self._source.place(row, number)
            if place not in kept:
                meant.append(row)
            elif kept.pop(place) != tuple(map(_raw, row[1 + len(self._source.columns) :])):
                told.append(Difference(kind="quarantined with other bytes", table=self.name, key=place))
        return meant

    def _faulty(self, place: str, made: Impossible | NotBack) -> Difference:
        if isinstance(made, Impossible):
            kind = f"neither copied nor quarantined: {made.reason}"
            return Difference(kind=kind, table=self.name, key=place, column=made.column)
        return Difference(
            kind="not taken back", table=self.name, key=place, column=made.column, expected=made.cells, found=made.found
        )

    def _within(self) -> sql.Composed:
        """Return the condition that a row of the target is in this part; the first and the last have no end on their sides."""
        key = sql.Identifier(*self._table.key[:1]) if self._table.key else sql.SQL("")
        bounds = [sql.SQL("{} > {}").format(key, sql.Literal(self._part.low))] if self._part.low is not None else []
        bounds += [sql.SQL("{} <= {}").format(key, sql.Literal(self._part.high))] if self._part.high is not None else []
        return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(bounds)) if bounds else sql.Composed([])

    def _order(self) -> sql.Composed:
        if not self._source.is_keyed_by_rowid:
            return sql.Composed([])
        return sql.SQL(" ORDER BY {}").format(sql.Identifier(self._table.key[0]))

    def _in_quarantine(self, run: int) -> Kept:
        words = sql.SQL("SELECT place, cells FROM {} WHERE run = %s AND number = %s")
        query = words.format(sql.Identifier(self._plan.quarantine, "rows"))
        found = self._connection.execute(query, [run, self._number])
        return {place: tuple(cells) for place, cells in found if self._part.has(place)}

    def _key_of(self, row: bytes) -> bytes:
        """Return what a row is paired by: its key's fields; all of it where the table has no key."""
        if not self._table.key:
            return row
        fields = dict(zip(self._names, fields_of(row), strict=True))
        return b"\0".join(fields[name] or b"" for name in self._table.key)

    def _told(self, expected: bytes | None, found: bytes | None) -> Iterator[Difference]:
        wanted, there = self._values(expected), self._values(found)
        shown = wanted or there
        assert shown is not None
        key = ", ".join(f"{name}={shown[name]}" for name in (self._table.key or self._names))
        if wanted is None:
            yield Difference(kind="extra row", table=self.name, key=key)
        elif there is None:
            yield Difference(kind="missing row", table=self.name, key=key)
        else:
            for name in self._names:
                if wanted[name] != there[name]:
                    yield Difference(
                        kind="value", table=self.name, key=key, column=name, expected=wanted[name], found=there[name]
                    )

    def _values(self, row: bytes | None) -> dict[str, str] | None:
        """Return the values of a row as a program would see them, told by their names."""
        if row is None:
            return None
        shown = (
            "NULL" if field is None else _shown(kind.read(field), field)
            for kind, field in zip(self._types, fields_of(row), strict=True)
        )
        return dict(zip(self._names, shown, strict=True))


def rows_of(connection: psycopg.Connection, statement: sql.SQL | sql.Composed) -> Iterator[bytes]:
    """Yield the rows that a binary COPY sends. Raises: psycopg.Error."""
    with connection.cursor().copy(statement) as copy:
        line = bytes(copy.read())[_HEAD_BYTES:] or bytes(copy.read())
        while line != _END:
            yield line
            # What psycopg's own iteration comes to, in half the time.
            size, its = connection.pgconn.get_copy_data(0)
            if size < 0:
                failed, *_ = list(iter(connection.pgconn.get_result, None))
                assert failed is not None
                raise error_from_result(failed)
            line = bytes(its)
        assert not copy.read()


def _raw(cell: Cell) -> bytes | None:
    match cell:
        case int():
            return cell.to_bytes(8, "big", signed=True)
        case float():
            return struct.pack(">d", cell)
        case str():
            return raw_bytes(cell)
        case _:
            return cell


def _shown(value: object, field: bytes) -> str:
    """Return a value so that two that differ in a bit are shown apart."""
    return f"{value!r}" if not isinstance(value, float) else f"{value!r} ({field.hex()})"
