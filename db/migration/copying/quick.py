"""Short ways for the values that most rows of a real table are made of, each the same to the byte as the long one (its tests say so).

The long way asks the plan's conversion of each value, and tries its inverse: some microseconds. A short way is taken only where that
can be nothing else: a text of UTF-8 into text, a float with at most two decimals into numeric; `clocks.py` has that of dates and times.
Whatever it does not know for certain, it leaves to the long way.

Those of many cells at once are chains of `map` over C functions: a line of Python for each cell would take most of the time.
"""

import struct
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import mul, truediv
from typing import Final

from db.migration.cells import Cell
from db.migration.conversions.numbers import Money, Numeric
from db.migration.conversions.texts import Text
from db.migration.plan_words import Column

Fields = bytes
OfOne = Callable[[Cell], "Fields | None"]
OfMany = Callable[[Sequence[Cell]], "Sequence[Fields | None] | None"]
"""Makes the fields of many cells of one storage class: None for one that it leaves, None alone if it leaves all of them."""
_LENGTHS: Final = tuple(struct.pack(">i", length) for length in range(512))
_CENTS_MAX: Final = 99_999_999
_FRONTS_MAX: Final = 6_000
_DIGITS: Final = {count: struct.Struct(f">ihhHh{count}h").pack for count in (1, 2, 3)}


def of_one(column: Column) -> OfOne | None:
    """Return the short way of a column that is made of one cell: its field, or None for what it leaves."""
    match column.conversion:
        case Text(nulls=nulls) if column.type == "text":
            return _text(frozenset(nulls))
        case Numeric(scale=None) | Money(unit="dollars", scale=None):
            return cents if column.type == "numeric" else None
        case _:
            return None


def of_many(column: Column) -> OfMany | None:
    """Return the short way of many cells of such a column, for one that holds too many different ones to remember them."""
    match column.conversion:
        case Text(nulls=nulls) if column.type == "text":
            return _texts(frozenset(nulls))
        case Numeric(scale=None) | Money(unit="dollars", scale=None):
            return Cents().of_many if column.type == "numeric" else None
        case _:
            return None


def _texts(nulls: frozenset[str]) -> OfMany:
    def texts(cells: Sequence[Cell]) -> list[Fields | None] | None:
        if not nulls.isdisjoint(cells):
            return None
        try:
            raws = list(map(str.encode, cells))  # type: ignore[arg-type]  # one that is no text is the error
            return None if b"\0" in b"".join(raws) else [_LENGTHS[len(raw)] + raw for raw in raws]
        except (TypeError, UnicodeEncodeError, IndexError):
            return None

    return texts


def _text(nulls: frozenset[str]) -> OfOne:
    def text(cell: Cell) -> Fields | None:
        if not isinstance(cell, str) or "\0" in cell or cell in nulls:
            return None
        try:
            raw = cell.encode()
        except UnicodeEncodeError:
            return None
        return _LENGTHS[len(raw)] + raw if len(raw) < len(_LENGTHS) else None

    return text


def cents(cell: Cell) -> Fields | None:
    """Return the numeric of a float whose shortest decimal has one or two decimals, none of them lost.

    A float of so few digits is the nearest one of no other decimal that is as short: divided again it is the same.
    """
    if not isinstance(cell, float) or not -1e6 < cell < 1e6:
        return None
    number = round(cell * 100)
    if number / 100 != cell or not number:
        return None
    sign = 0
    if number < 0:
        sign, number = 0x4000, -number
    whole, rest = divmod(number, 100)
    decimals = 2 if rest % 10 else 1
    groups = [*divmod(whole, 10_000)] if whole > 9_999 else [whole] if whole else []
    weight = len(groups) - 1
    if rest:
        groups.append(rest * 100)
    while groups and not groups[-1]:
        groups.pop()
    count = len(groups)
    return _DIGITS[count](8 + 2 * count, count, weight, sign, decimals, *groups)


class Cents:
    """The short way of many floats with at most two decimals, by the halves of their fields: up to the dollars, and the cents.

    Of what number of dollars, of how many decimals and of which sign it is, the first half says; the second is one group of digits.
    """

    def __init__(self) -> None:
        self._fronts = _Fronts()
        self._decimals = [0 if not rest else 1 if rest % 10 == 0 else 2 for rest in range(100)]
        self._backs = [b"", *((cents(rest / 100) or b"")[-2:] for rest in range(1, 100))]
        # Below zero the dollars are those of the floor, and the cents what is above it.
        self._backs_below = [b"", *((cents((rest - 100) / 100) or b"")[-2:] for rest in range(1, 100))]

    def of_many(self, cells: Sequence[Cell]) -> Sequence[Fields | None] | None:
        """Return their fields: None for a zero, whose sign counts."""
        if not isinstance(cells[0], float):
            return None
        try:
            numbers = list(map(round, map(mul, cells, repeat(100))))
            if list(map(truediv, numbers, repeat(100))) != list(cells):
                return None
            fronts, decimals, backs, below = self._fronts, self._decimals, self._backs, self._backs_below
            made: list[Fields | None] = [
                fronts[3 * dollars + decimals[rest]] + (backs if dollars >= 0 else below)[rest]
                for dollars, rest in map(divmod, numbers, repeat(100))
            ]
        except (TypeError, ValueError, OverflowError, KeyError):
            return None
        if 0 in numbers:
            made = [field if number else None for field, number in zip(made, numbers, strict=True)]
        return made


class _Fronts(dict[int, Fields]):
    """First halves of fields: of 3 x dollars, and as many as there are decimals: none stands for `.0`."""

    def __missing__(self, key: int) -> Fields:
        dollars, decimals = divmod(key, 3)
        field = cents((100 * dollars + (0, 10, 1)[decimals]) / 100)
        if field is None and key:
            raise KeyError(key)
        if len(self) >= _FRONTS_MAX:
            self.clear()
        self[key] = front = (field or b"") if not decimals else (field or b"")[:-2]
        return front
