"""What is expected of the values that most rows are made of, without the long way for each; `hours.py` has that of instants.

The copy has short ways too; these go other ways. A number is taken from psycopg's own writing of its shortest decimal, which is read
again. Of many at once, each half of a field is taken from two numbers that are proven so.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import repeat
from operator import mul
from struct import Struct
from typing import Final, Protocol, TypeVar

from db.migration.cells import Cell
from db.migration.conversions.numbers import Money, Numeric
from db.migration.conversions.texts import Text
from db.migration.plan_words import Column

_GROUP: Final = 4
"""Digits of a numeric that are sent together."""
_WHOLE_MAX: Final = 8
_long: Final = Struct(">i").pack
_Key = TypeVar("_Key")
_KNOWN_MAX: Final = 10_000


class Writes(Protocol):
    """Writes and reads a value as psycopg does."""

    def write(self, value: Decimal) -> bytes:
        """Return its field, with its length."""

    def read(self, field: bytes) -> object:
        """Return the value of a field without its length."""


def text(column: Column) -> Callable[[Cell], bytes | None] | None:
    """Return what makes the field of a text that goes as it is; None for texts that it leaves."""
    if not isinstance(column.conversion, Text) or column.type != "text":
        return None
    nulls = column.conversion.nulls

    def made(cell: Cell) -> bytes | None:
        if not isinstance(cell, str) or not cell.isascii() or "\0" in cell or cell in nulls:
            return None
        return len(cell).to_bytes(4, "big") + cell.encode("ascii")

    return made


def number(column: Column, kind: Writes) -> Callable[[Cell], tuple[bytes, Decimal] | None] | None:
    """Return what makes the field of a float that becomes its shortest decimal, and that decimal; None for floats that it leaves."""
    if (
        not isinstance(column.conversion, Numeric | Money)
        or column.conversion.scale is not None
        or column.type != "numeric"
    ):
        return None
    if isinstance(column.conversion, Money) and column.conversion.unit != "dollars":
        return None

    def made(cell: Cell) -> tuple[bytes, Decimal] | None:
        if not isinstance(cell, float) or not 1e-3 < abs(cell) < 1e12:
            return None
        decimal = Decimal(repr(cell))
        field = kind.write(decimal)
        read = kind.read(field[4:])
        assert isinstance(read, Decimal)
        return (field, decimal) if float(read) == cell else None

    return made


def texts(column: Column) -> Callable[[Sequence[Cell]], Sequence[bytes] | None] | None:
    """Return what makes the fields of many texts that go as they are; None if it leaves them."""
    if not isinstance(column.conversion, Text) or column.type != "text":
        return None
    nulls = frozenset(column.conversion.nulls)

    def made(cells: Sequence[Cell]) -> Sequence[bytes] | None:
        if set(map(type, cells)) != {str}:
            return None
        together = "".join(cells)  # type: ignore[arg-type]  # all are texts
        if not together.isascii() or "\0" in together or not nulls.isdisjoint(cells):
            return None
        return [_long(len(cell)) + cell.encode("ascii") for cell in cells]  # type: ignore[arg-type,union-attr]  # as above

    return made


class Decimals:
    """Floats of one column that become their shortest decimals, by the halves of their fields: the decimals, and what stands before.

    Each half is taken from the fields of two numbers that have passed the whole proof, which are the same in this half and differ in the
    other. What has more decimals than one group of digits has, or a power, is left.
    """

    def __init__(self, made: Callable[[Cell], bytes | None]) -> None:
        """made: the field of one number, after the proof; None if it has none."""
        self._made = made
        self._before: dict[tuple[str, int], bytes] = _Learned(self._learn_before)
        self._decimals: dict[str, bytes] = _Learned(self._learn_decimals)
        self._wholes: dict[str, bytes] = _Learned(self._learn_whole)

    def pieces(self, cells: Sequence[Cell]) -> tuple[list[bytes], Decimal] | None:
        """Return the fields of floats and their sum; None if it leaves them."""
        before, decimals, wholes = self._before, self._decimals, self._wholes
        try:
            pieces = [
                before[whole, len(rest)] + decimals[rest] if rest != "0" else wholes[whole]
                for whole, _, rest in map(str.partition, map(repr, cells), repeat("."))
            ]
        except LookupError:
            return None
        # Each has at most four decimals and is far from 2**53: as ten-thousandths they are these whole numbers.
        return pieces, Decimal(sum(map(round, map(mul, cells, repeat(10_000))))).scaleb(-_GROUP)

    def _learn_before(self, key: tuple[str, int]) -> bytes:
        whole, places = key
        if not 1 <= places <= _GROUP or len(whole) > _WHOLE_MAX:
            raise LookupError(key)
        return self._half(f"{whole}.{1:0{places}}", f"{whole}.{'9' * places}", slice(0, -2))

    def _learn_whole(self, whole: str) -> bytes:
        if len(whole) > _WHOLE_MAX:
            raise LookupError(whole)
        return self._field(f"{whole}.0")

    def _learn_decimals(self, rest: str) -> bytes:
        if not rest.isdecimal():
            raise LookupError(rest)
        return self._half(f"1.{rest}", f"-9999.{rest}", slice(-2, None))

    def _half(self, one: str, other: str, half: slice) -> bytes:
        fields = self._field(one), self._field(other)
        if fields[0][half] != fields[1][half]:
            raise LookupError(one, other)
        return fields[0][half]

    def _field(self, text: str) -> bytes:
        field = self._made(float(text))
        if field is None or repr(float(text)) != text:
            raise LookupError(text)
        return field


class _Learned(dict[_Key, bytes]):
    """What is learned when it is asked for; LookupError if it cannot be."""

    def __init__(self, learn: Callable[[_Key], bytes]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, key: _Key) -> bytes:
        if len(self) >= _KNOWN_MAX:
            self.clear()
        self[key] = found = self._learn(key)
        return found
