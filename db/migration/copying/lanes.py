"""From rows of cells to rows of PostgreSQL's binary COPY, a column at a time.

Each plan column has a lane. A lane remembers what became of a cell, because most columns of a real table hold few different values:
what `conversions.moving.move` says of a value, it says once. Whole numbers and floats that go as they are, are packed without asking.

What equals in Python is not always the same: 1, 1.0 and True, 0.0 and -0.0. So a lane remembers for each storage class apart, and the
two zeros of a float by their signs. What is rarely the same twice has a short way (`quick.py`, `clocks.py`).
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from math import copysign
from types import NoneType
from typing import Final, NamedTuple

from psycopg import adapters
from psycopg.abc import Dumper
from psycopg.adapt import Transformer
from psycopg.pq import Format

from db.migration.cells import Cell
from db.migration.conversions.base import Unconvertible, Value
from db.migration.conversions.moving import Moved, move
from db.migration.conversions.numbers import Double, Integer
from db.migration.copying.clocks import Times, clock_of
from db.migration.copying.quick import of_many, of_one
from db.migration.plan_words import Column, Table

HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END: Final = b"\xff\xff"
_LENGTH: Final = struct.Struct(">i")
_NULL: Final = _LENGTH.pack(-1)
_REMEMBERED_MAX: Final = 2_000
"""Values of one column: with their fields some 400 KB."""
_LENGTHS: Final = tuple(_LENGTH.pack(length) for length in range(512))

Fields = bytes
"""The fields of one column's cells in one row: its own, and those of the columns beside it."""


class Refusal(NamedTuple):
    """Why a row cannot come: the target column, and the reason."""

    column: str
    reason: str


class Rows:
    """Turns rows of one table's source into rows of its target."""

    def __init__(self, table: Table, columns: Sequence[str], oids: Sequence[int]) -> None:
        """columns: as they are read. oids: of the types of `target.columns_of`."""
        self._head = struct.pack(">h", len(oids))
        self._lanes: list[Lane] = []
        left, times = list(oids), Times()
        for column in table.columns:
            wide = 1 + bool(column.either) + bool(column.original)
            places = tuple(columns.index(name) for name in (*column.sources, *column.context))
            self._lanes.append(Lane(column, places, [_dumper(oid) for oid in left[:wide]], times))
            left = left[wide:]

    def together(self, rows: list[tuple[Cell, ...]]) -> bytes | None:
        """Return the rows; None if one of them cannot come: then `one` says which."""
        read = list(zip(*rows, strict=True)) if rows[0] else []
        lanes = [lane.fields(read, len(rows)) for lane in self._lanes]
        try:
            return b"".join(chain.from_iterable(zip(repeat(self._head), *lanes, strict=False)))
        except TypeError:
            return None

    def one(self, row: tuple[Cell, ...]) -> bytes | Refusal:
        """Return the row, or why it cannot come."""
        found = [self._head]
        for lane in self._lanes:
            fields = lane.fields_of(tuple(row[place] for place in lane.places))
            if isinstance(fields, Refusal):
                return fields
            found.append(fields)
        return b"".join(found)


class Lane:
    """One plan column: from its cells to its fields."""

    def __init__(
        self, column: Column, places: tuple[int, ...], dumpers: Sequence[Callable[[Value], bytes]], times: Times
    ) -> None:
        self.places = places
        self._column = column
        self._dumpers = dumpers
        self._remembered = {kind: _Remembered(self, kind) for kind in (int, float, str, bytes, NoneType, tuple)}
        self._packed = _packed(column)
        self._goes_packed = {self._packed[0], *([NoneType] if column.nullable else [])} if self._packed else set()
        self._beside = _NULL * (len(dumpers) - 1)
        is_alone = len(places) == 1 and len(dumpers) == 1
        self.quick = of_one(column) if is_alone else None
        self.quick_of_many = of_many(column) if is_alone else None
        self._clock = clock_of(column, len(dumpers) - 1, times)

    def fields(self, read: Sequence[tuple[Cell, ...]], rows: int) -> Iterable[Fields | None]:
        """Return the fields of each row; None where it cannot come."""
        if self._clock is not None:
            return self._clock.fields([read[place] for place in self.places], self.or_none)
        if len(self.places) != 1:
            if not self.places:
                return repeat(self._remembered[tuple][()], rows)
            cells = list(zip(*(read[place] for place in self.places), strict=True))
            if any(float in set(map(type, read[place])) for place in self.places):
                return [self.or_none(one) for one in cells]
            kinds = (
                [tuple(map(type, one)) for one in cells]
                if any(len(set(map(type, read[place])) - {NoneType}) > 1 for place in self.places)
                else None
            )
            if kinds is not None:
                return [self.or_none(one) for one in cells]
            return map(self._remembered[tuple].__getitem__, cells)
        column = read[self.places[0]]
        if isinstance(column[0], str):
            # What else stands among texts, equals none of them: it needs no look at all of their classes.
            return self._remembered[str].fields(column)
        kinds_found = set(map(type, column))
        if self._packed is not None and kinds_found <= self._goes_packed:
            _, pack, size = self._packed
            beside = self._beside
            if beside or NoneType in kinds_found:
                null = _NULL + beside
                return [null if cell is None else pack(size, cell) + beside for cell in column]
            return map(pack, repeat(size), column)
        # None equals nothing else: it may stand among what is remembered of any class.
        kinds_found.discard(NoneType)
        if len(kinds_found) <= 1:
            return self._remembered[kinds_found.pop() if kinds_found else NoneType].fields(column)
        return map(self.remembered, column)

    def remembered(self, cell: Cell) -> Fields | None:
        """Return the fields of the cell of a column that is made of one, None if it cannot come; they are known the next time."""
        return self._remembered[type(cell)][cell]

    def or_none(self, cells: tuple[Cell, ...]) -> Fields | None:
        """Return the fields of one row's cells; None if they cannot come."""
        found = self.fields_of(cells)
        return None if isinstance(found, Refusal) else found

    def fields_of(self, cells: tuple[Cell, ...]) -> Fields | Refusal:
        """Return the fields of one row's cells, or why they cannot come."""
        try:
            moved: Moved = move(self._column, cells)
        except Unconvertible as error:
            return Refusal(self._column.name, error.reason)
        values: list[Value] = [moved.value]
        if self._column.either:
            values.append(moved.later)
        if self._column.original:
            values.append(moved.original)
        return b"".join(
            _NULL if value is None else _field(dump(value)) for dump, value in zip(self._dumpers, values, strict=True)
        )


class _Remembered(dict["Cell | tuple[Cell, ...]", "Fields | None"]):
    """What became of the cells of one storage class, or of tuples of cells."""

    def __init__(self, lane: Lane, kind: type) -> None:
        super().__init__()
        self._lane = lane
        self._is_of_texts = kind is str
        self._zeros: dict[float, Fields | None] = {}
        self._are_too_many = False

    def fields(self, column: Sequence[Cell]) -> Iterable[Fields | None]:
        """Return the fields of cells of this class, NULL among them; among texts, cells of any class."""
        many = self._lane.quick_of_many
        if many is None or not self._are_too_many:
            return map(self.__getitem__, column)
        made = many([cell for cell in column if cell is not None] if None in column else column)
        if made is None:
            return map(self.__getitem__, column)
        if len(made) < len(column):
            present = iter(made)
            made = [None if cell is None else next(present) for cell in column]
        return made if all(made) else [field or self[cell] for field, cell in zip(made, column, strict=True)]

    def __missing__(self, key: Cell | tuple[Cell, ...]) -> Fields | None:
        if self._is_of_texts and isinstance(key, int | float | bytes):
            return self._lane.remembered(key)
        if isinstance(key, float) and key == 0.0:
            sign = copysign(1, key)
            if sign not in self._zeros:
                self._zeros[sign] = self._lane.or_none((key,))
            return self._zeros[sign]
        fields = self._lane.quick(key) if self._lane.quick is not None and not isinstance(key, tuple) else None
        if fields is None:
            fields = self._lane.or_none(key if isinstance(key, tuple) else (key,))
        if len(self) >= _REMEMBERED_MAX:
            self._are_too_many = True
            self.clear()
        self[key] = fields
        return fields


def _packed(column: Column) -> tuple[type, Callable[[int, object], bytes], int] | None:
    """Return of a column whose cells go as they are: their storage class, and what makes a field of size and cell."""
    match column.conversion:
        case Integer(bits=64) if column.type == "bigint":
            return int, struct.Struct(">iq").pack, 8
        case Double() if column.type == "double precision":
            return float, struct.Struct(">id").pack, 8
        case _:
            return None


def _field(raw: bytes) -> bytes:
    size = len(raw)
    return (_LENGTHS[size] if size < len(_LENGTHS) else _LENGTH.pack(size)) + raw


def _dumper(oid: int) -> Callable[[Value], bytes]:
    """Return what makes bytes of a value for a type. Raises: LookupError."""
    kind = adapters.types[oid]
    if kind.name in ("json", "jsonb"):
        version = b"\x01" if kind.name == "jsonb" else b""
        return lambda value: version + str(value).encode()
    dumper: Dumper = adapters.get_dumper_by_oid(oid, Format.BINARY)(NoneType, Transformer())
    return lambda value: bytes(dumper.dump(value) or b"")
