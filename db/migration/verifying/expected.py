"""The row that PostgreSQL must send for a row of the source.

For each value that was not seen lately: the plan's conversion says what it becomes, psycopg writes that as PostgreSQL would send it, and
reads it again as a program would; what is read must be the same value, and its inverse the source's cells, bit for bit.
"""

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from itertools import repeat
from types import NoneType
from typing import Final, NamedTuple

from db.migration.cells import Cell, literal, same
from db.migration.conversions.base import Unconvertible, Value
from db.migration.conversions.moving import Moved, back, move
from db.migration.conversions.numbers import Double, Integer
from db.migration.plan_words import Column, Table
from db.migration.verifying import hours, short
from db.migration.verifying.known import Impossible, Known, NotBack, Numbers, Piece
from db.migration.verifying.values import EXACT, Type, alike

ABSENT: Final = (-1).to_bytes(4, "big", signed=True)
_WHOLE: Final = struct.Struct(">iq")
_REAL: Final = struct.Struct(">id")


class ExpectedColumn:
    """One plan column: from cells to the fields that are expected, one to three of them, as one piece of the row.

    nulls, total: of all values so far; total is None where a sum says nothing.
    """

    def __init__(self, column: Column, places: Sequence[int], types: Sequence[Type], clocks: hours.Clocks) -> None:
        self.column = column
        self.nulls = 0
        self.total: int | Decimal | None = None
        self._places = places
        self._types = types
        self._known: dict[type, Known] = {kind: Known(self._shortly) for kind in (NoneType, int, float, bytes, tuple)}
        self._known[str] = Known(self._shortly, self._any)
        self._numbers = Numbers(types[0])
        self._straight = _straight(column, types)
        alone = len(types) == 1 and len(places) == 1
        self._text = short.text(column) if alone else None
        self._texts = short.texts(column) if alone else None
        self._number = short.number(column, types[0]) if alone else None
        self._decimals = short.Decimals(self._proven) if self._number is not None else None
        self._hours = hours.of(column, self.made, len(types) - 1, clocks)
        self._added_up: tuple[Sequence[Piece], int | Decimal] = ([], 0)
        self.begin()

    def begin(self) -> None:
        """Count and add up anew."""
        self.nulls = 0
        self.total = 0 if self._types[0].adds_up else None

    def pieces(self, read: Sequence[tuple[Cell, ...]], rows: int) -> list[Piece]:
        """Return what is expected of each row. read: the cells of the source's columns."""
        made = self._pieces(read, rows)
        if len(self._types) > 1:
            whole = [piece for piece in made if isinstance(piece, bytes)]
            self.nulls += sum(map(bytes.startswith, whole, repeat(ABSENT)))
        elif len(self._places) != 1 or self._straight is None or None in read[self._places[0]]:
            self.nulls += made.count(ABSENT)
        return made

    def _pieces(self, read: Sequence[tuple[Cell, ...]], rows: int) -> list[Piece]:
        if self._hours is not None:
            columns = [read[place] for place in self._places]
            found: list[Piece | None] = list(self._hours.pieces(columns))
            for row in [row for row, piece in enumerate(found) if piece is None] if None in found else ():
                found[row] = self.made(tuple(column[row] for column in columns))
            return found  # type: ignore[return-value]  # none is None any more
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
        if isinstance(column[0], str):
            # What else stands among texts, equals none of them.
            return self._known_or_many(self._known[str], column)
        kinds = set(map(type, column))
        if self._straight is not None and kinds <= self._straight.kinds:
            return self._straightly(self._straight, column)
        # None equals nothing else: it may be known among cells of any class.
        kinds.discard(NoneType)
        if len(kinds) > 1:
            return list(map(self._any, column))
        return self._known_or_many(self._known[kinds.pop() if kinds else NoneType], column)

    def _known_or_many(self, known: Known, column: Sequence[Cell]) -> list[Piece]:
        return (known.are_too_many and self._of_many(column)) or list(map(known.__getitem__, column))

    def _any(self, cell: Cell) -> Piece:
        return self._known[type(cell)][cell]

    def _straightly(self, straight: "_Straight", column: Sequence[Cell]) -> list[Piece]:
        present = [cell for cell in column if cell is not None] if None in column else column
        pieces = _in_place(column, straight.pieces(present))
        if self.total is not None:
            self._added_up = (pieces, sum(present))  # type: ignore[arg-type]  # whole numbers: what adds up
        return pieces

    def _of_many(self, column: Sequence[Cell]) -> list[Piece] | None:
        """Return what is expected of cells of one class of which there are too many to know them, NULL among them; None if it leaves them."""
        present = [cell for cell in column if cell is not None] if None in column else column
        made: Sequence[bytes] | None = None
        total: Decimal | None = None
        if self._texts is not None and isinstance(present[0], str):
            made = self._texts(present)
        elif self._decimals is not None and isinstance(present[0], float):
            made, total = self._decimals.pieces(present) or (None, None)
        if made is None:
            return None
        pieces = _in_place(column, made)
        if total is not None:
            self._added_up = (pieces, total)
        return pieces

    def add_up(self, pieces: Sequence[bytes]) -> None:
        """Add these values to the total."""
        if self.total is None:
            return
        with localcontext(EXACT):
            self._add_up(pieces)

    def _add_up(self, pieces: Sequence[bytes]) -> None:
        assert self.total is not None
        known, total = self._added_up
        if known is pieces:
            self.total += total
        else:
            self.total += sum(map(self._numbers.__getitem__, pieces))

    def _proven(self, cell: Cell) -> bytes | None:
        piece = self.made((cell,))
        return piece if isinstance(piece, bytes) else None

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
        left, clocks = list(types), hours.Clocks()
        for column in table.columns:
            wide = 1 + bool(column.either) + bool(column.original)
            places = [columns.index(name) for name in (*column.sources, *column.context)]
            self.columns.append(ExpectedColumn(column, places, left[:wide], clocks))
            left = left[wide:]

    def begin(self) -> None:
        """Count and add up anew."""
        for column in self.columns:
            column.begin()

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


class _Straight(NamedTuple):
    """Cells of one storage class that go as they are, and NULL where that may be."""

    kinds: frozenset[type]
    pieces: Callable[[Sequence[Cell]], Sequence[bytes]]


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


def _wholes(cells: Sequence[Cell]) -> list[bytes]:
    return list(map(_WHOLE.pack, repeat(8), cells))


def _floats(cells: Sequence[Cell]) -> list[bytes]:
    return list(map(_REAL.pack, repeat(8), cells))


def _in_place(column: Sequence[Cell], made: Sequence[bytes]) -> list[Piece]:
    """Return what is made of the cells that are not NULL, each in its place."""
    if len(made) == len(column):
        return list(made)
    present = iter(made)
    return [ABSENT if cell is None else next(present) for cell in column]
