"""What is expected of the values that most rows are made of, without the long way for each: proven at the ends of an hour, or at once.

The copy has short ways too; these go other ways. An instant is taken from those at the two ends of its hour, which have passed the
whole proof (`ExpectedColumn.made`) and are as far apart as they must be; a number from psycopg's own writing of its shortest decimal,
which is read again.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Protocol

from db.migration.cells import Cell
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.numbers import Money, Numeric
from db.migration.conversions.texts import Text
from db.migration.plan_words import Column

_HOURS: Final = frozenset(f"{hour:02}" for hour in range(24))
_WITHIN: Final = {f":{second // 60:02}:{second % 60:02}": second * 1_000_000 for second in range(3600)}
_HEAD: Final = (8).to_bytes(4, "big")
_ABSENT: Final = (-1).to_bytes(4, "big", signed=True)
_KNOWN_MAX: Final = 10_000
_CLOCK: Final = "hh:mm:ss"


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


class Hours:
    """Instants of one column, by their hours."""

    def __init__(self, column: Column, made: Callable[[tuple[Cell, ...]], object], beside: int) -> None:
        """made: the long way. beside: how many columns stand beside this one."""
        self._is_entry = isinstance(column.conversion, DateAndTime)
        self._may_be_null = column.nullable
        self._made = made
        self._beside = _ABSENT * beside
        self._known: dict[tuple[Cell, str, bool], int | None] = {}

    def pieces(self, cells: Sequence[tuple[Cell, ...]]) -> list[bytes | None]:
        """Return the piece of each row; None where the long way must be gone."""
        if self._is_entry:
            return [self._piece(clock, day, next_day=False) for day, clock in cells]
        return [self._closing(*row) for row in cells]

    def _closing(self, cell: Cell, day: Cell, clock: Cell) -> bytes | None:
        if cell is None:
            return _ABSENT + self._beside if self._may_be_null else None
        if (
            not isinstance(clock, str)
            or clock[:2] not in _HOURS
            or clock[2:] not in _WITHIN
            or not isinstance(cell, str)
        ):
            return None
        return self._piece(cell, day, next_day=cell < clock)

    def _piece(self, clock: Cell, day: Cell, *, next_day: bool) -> bytes | None:
        if not isinstance(clock, str) or (within := _WITHIN.get(clock[2:])) is None:
            return None
        key = (day, clock[:2], next_day)
        if key not in self._known:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[key] = self._begin(*key) if key[1] in _HOURS else None
        begin = self._known[key]
        return None if begin is None else _HEAD + (begin + within).to_bytes(8, "big", signed=True) + self._beside

    def _begin(self, day: Cell, hour: str, next_day: bool) -> int | None:  # noqa: FBT001  # as the key has it
        """Return when an hour begins, microseconds; None unless all of it passes evenly."""
        begin = self._instant(f"{hour}:00:00", day, "23:59:59" if next_day else "00:00:00")
        end = self._instant(f"{hour}:59:58", day, "23:59:59" if next_day else "00:00:00")
        if begin is None or end is None or end - begin != 3_598_000_000:
            return None
        # Whether the clock shows this hour twice on the day itself, is a matter of the entry.
        return begin if not next_day or self._begin(day, hour, next_day=False) is not None else None

    def _instant(self, clock: str, day: Cell, entry: str) -> int | None:
        piece = self._made((day, clock) if self._is_entry else (clock, day, entry))
        if not isinstance(piece, bytes) or piece[:4] != _HEAD or piece[12:] != self._beside:
            return None
        return int.from_bytes(piece[4:12], "big", signed=True)


def hours(column: Column, made: Callable[[tuple[Cell, ...]], object], beside: int) -> Hours | None:
    """Return the short way of a column of instants, if it has one."""
    conversion = column.conversion
    if (
        not isinstance(conversion, DateAndTime | ClosingTime)
        or conversion.time_format != _CLOCK
        or conversion.second_passes
    ):
        return None
    if column.type != "timestamptz" or len(column.context) != (0 if isinstance(conversion, DateAndTime) else 2):
        return None
    if isinstance(conversion, ClosingTime) and any(one[2:] in _WITHIN for one in conversion.nulls):
        return None
    return Hours(column, made, beside)
