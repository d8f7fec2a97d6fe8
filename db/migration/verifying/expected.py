"""The row that PostgreSQL must send for a row of the source.

For each value that was not seen lately: the plan's conversion says what it becomes, psycopg writes that as PostgreSQL would send it, and
reads it again as a program would; what is read must be the same value, and its inverse the source's cells, bit for bit.
"""

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from itertools import repeat
from math import copysign
from types import NoneType
from typing import Final, NamedTuple

from db.migration.cells import Cell, literal, same
from db.migration.conversions.base import Unconvertible, Value
from db.migration.conversions.moving import Moved, back, move
from db.migration.conversions.numbers import Double, Integer
from db.migration.plan_words import Column, Table
from db.migration.verifying import short
from db.migration.verifying.values import EXACT, Type, alike

ABSENT: Final = (-1).to_bytes(4, "big", signed=True)
_KNOWN_MAX: Final = 2_000
_EIGHT: Final = (8).to_bytes(4, "big")
_REAL: Final = struct.Struct(">d")


class Impossible(NamedTuple):
    """A row that cannot be in the target: why."""

    column: str
    reason: str


class NotBack(NamedTuple):
    """A row whose value in the target does not give back what stood in the source: cells, and what comes back, as literals."""

    column: str
    cells: str
    found: str


Piece = bytes | Impossible | NotBack


class ExpectedColumn:
    """One plan column: from cells to the fields that are expected, one to three of them, as one piece of the row.

    nulls, total: of all values so far; total is None where a sum says nothing.
    """

    def __init__(self, column: Column, places: Sequence[int], types: Sequence[Type]) -> None:
        self.column = column
        self.nulls = 0
        self.total: int | Decimal | None = 0 if types[0].adds_up else None
        self._places = places
        self._types = types
        self._known = {kind: _Known(self._shortly) for kind in (NoneType, int, float, str, bytes, tuple)}
        self._numbers = _Numbers(types[0])
        self._straight = _straight(column, types)
        alone = len(types) == 1 and len(places) == 1
        self._text = short.text(column) if alone else None
        self._number = short.number(column, types[0]) if alone else None
        self._hours = short.hours(column, self.made, len(types) - 1)

    def pieces(self, read: Sequence[tuple[Cell, ...]], rows: int) -> list[Piece]:
        """Return what is expected of each row. read: the cells of the source's columns."""
        made = self._pieces(read, rows)
        self.nulls += (
            made.count(ABSENT)
            if len(self._types) == 1
            else sum(piece[:4] == ABSENT for piece in made if isinstance(piece, bytes))
        )
        return made

    def _pieces(self, read: Sequence[tuple[Cell, ...]], rows: int) -> list[Piece]:
        if self._hours is not None:
            rows_of_cells = list(zip(*(read[place] for place in self._places), strict=True))
            found = self._hours.pieces(rows_of_cells)
            return [piece or self.made(one) for piece, one in zip(found, rows_of_cells, strict=True)]
        if len(self._places) != 1:
            cells = list(zip(*(read[place] for place in self._places), strict=True)) if self._places else [()] * rows
            if all(
                len(set(map(type, read[place])) - {NoneType}) <= 1 and float not in map(type, read[place])
                for place in self._places
            ):
                return list(map(self._known[tuple].__getitem__, cells))
            # What equals for Python is not always the same: such tuples are looked at one by one.
            return [self.made(one) for one in cells]
        column = read[self._places[0]]
        kinds = set(map(type, column))
        if self._straight is not None and kinds <= self._straight.kinds:
            return self._straight.pieces(column)
        if len(kinds) == 1:
            return list(map(self._known[kinds.pop()].__getitem__, column))
        return [self._known[type(cell)][cell] for cell in column]

    def add_up(self, pieces: Sequence[bytes]) -> None:
        """Add these values to the total."""
        if self.total is None:
            return
        with localcontext(EXACT):
            self._add_up(pieces)

    def _add_up(self, pieces: Sequence[bytes]) -> None:
        assert self.total is not None
        if self._straight is not None and ABSENT not in pieces:  # eight bytes each
            self.total += sum(struct.unpack(">" + "4xq" * len(pieces), b"".join(pieces)))
        else:
            self.total += sum(map(self._numbers.__getitem__, pieces))

    def _shortly(self, cells: tuple[Cell, ...]) -> Piece:
        """Return what is expected for these cells, by a short way if there is one."""
        if self._text is not None and (piece := self._text(cells[0])) is not None:
            return piece
        if self._number is not None and (found := self._number(cells[0])) is not None:
            self._numbers.add(*found)
            return found[0]
        return self.made(cells)

    def made(self, cells: tuple[Cell, ...]) -> Piece:
        """Return what is expected for these cells, after the proof."""
        try:
            moved = move(self.column, cells)
        except Unconvertible as error:
            return Impossible(self.column.name, error.reason)
        values: list[Value] = [self._types[0].stored(moved.value)]
        values += [moved.later] if self.column.either else []
        values += [moved.original] if self.column.original else []
        fields = [
            ABSENT if value is None else kind.write(value) for kind, value in zip(self._types, values, strict=True)
        ]
        read = [
            None if field == ABSENT else kind.read(field[4:]) for kind, field in zip(self._types, fields, strict=True)
        ]
        return self._not_back(cells, values, read) or b"".join(fields)

    def _not_back(self, cells: tuple[Cell, ...], values: Sequence[Value], read: Sequence[Value]) -> NotBack | None:
        """Return None if what a program reads is what the conversion said, and gives the source back bit for bit."""
        sources = cells[: len(self.column.sources)]
        original = read[-1] if self.column.original else None
        assert original is None or isinstance(original, str)
        found = back(self.column, Moved(read[0], original=original))
        if all(map(alike, values, read)) and all(map(same, found, sources)):
            return None
        return NotBack(self.column.name, ", ".join(map(literal, sources)), ", ".join(map(literal, found)))


class ExpectedRows:
    """Rows of one table."""

    def __init__(self, table: Table, columns: Sequence[str], types: Sequence[Type]) -> None:
        """columns: of the source, as they are read. types: of the target's columns, those beside others included, in order."""
        self._head = len(types).to_bytes(2, "big")
        self.columns: list[ExpectedColumn] = []
        left = list(types)
        for column in table.columns:
            wide = 1 + bool(column.either) + bool(column.original)
            places = [columns.index(name) for name in (*column.sources, *column.context)]
            self.columns.append(ExpectedColumn(column, places, left[:wide]))
            left = left[wide:]

    def rows(self, cells: Sequence[tuple[Cell, ...]]) -> list[Piece]:
        """Return what is expected for each row."""
        read = list(zip(*cells, strict=True))
        pieces = [column.pieces(read, len(cells)) for column in self.columns]
        try:
            made = list(map(b"".join, zip(repeat(self._head), *pieces, strict=False)))
        except TypeError:
            return self._with_faults(pieces)
        for column, its in zip(self.columns, pieces, strict=True):
            column.add_up(its)  # type: ignore[arg-type]  # all are bytes, or they had not been joined
        return made  # type: ignore[return-value]  # bytes are pieces

    def _with_faults(self, pieces: Sequence[Sequence[Piece]]) -> list[Piece]:
        rows: list[Piece] = []
        for parts in zip(*pieces, strict=True):
            fault = next((part for part in parts if not isinstance(part, bytes)), None)
            if fault is not None:
                for column, part in zip(self.columns, parts, strict=True):
                    column.nulls -= isinstance(part, bytes) and part[:4] == ABSENT
                rows.append(fault)
                continue
            for column, part in zip(self.columns, parts, strict=True):
                column.add_up([part])
            rows.append(b"".join((self._head, *parts)))
        return rows


class _Known(dict[object, Piece]):
    """What is expected for cells of one storage class, or for tuples of cells, that were seen lately."""

    def __init__(self, make: Callable[[tuple[Cell, ...]], Piece]) -> None:
        super().__init__()
        self._make = make
        self._zeros: dict[float, Piece] = {}

    def __missing__(self, key: object) -> Piece:
        if isinstance(key, float) and key == 0:
            # Two zeros are one key, and may not be one value.
            sign = copysign(1, key)
            if sign not in self._zeros:
                self._zeros[sign] = self._make((key,))
            return self._zeros[sign]
        piece = self._make(key if isinstance(key, tuple) else (key,))
        if len(self) >= _KNOWN_MAX:
            self.clear()
        self[key] = piece
        return piece


class _Numbers(dict[bytes, "int | Decimal"]):
    """The numbers that pieces of rows begin with; 0 for NULL."""

    def __init__(self, kind: Type) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, piece: bytes) -> int | Decimal:
        size = int.from_bytes(piece[:4], "big", signed=True)
        value = 0 if size < 0 else self._kind.read(piece[4 : 4 + size])
        assert isinstance(value, int | Decimal)
        self.add(piece, value)
        return value

    def add(self, piece: bytes, value: int | Decimal) -> None:
        """Know the number of a piece."""
        if len(self) >= _KNOWN_MAX:
            self.clear()
        self[piece] = value


class _Straight(NamedTuple):
    """Cells of one storage class that go as they are, and NULL where that may be."""

    kinds: frozenset[type]
    pieces: Callable[[Sequence[Cell]], list[Piece]]


def _straight(column: Column, types: Sequence[Type]) -> _Straight | None:
    if len(types) != 1:
        return None
    absent = {NoneType} if column.nullable else set()
    match column.conversion:
        case Integer(bits=64) if types[0].name == "int8":
            return _Straight(frozenset({int} | absent), _wholes)
        case Double() if types[0].name == "float8":
            return _Straight(frozenset({float} | absent), _floats)
        case _:
            return None


def _wholes(cells: Sequence[Cell]) -> list[Piece]:
    return [_EIGHT + cell.to_bytes(8, "big", signed=True) if isinstance(cell, int) else ABSENT for cell in cells]


def _floats(cells: Sequence[Cell]) -> list[Piece]:
    pack = _REAL.pack
    return [ABSENT if cell is None else _EIGHT + pack(cell) for cell in cells]
