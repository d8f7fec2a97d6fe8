"""Short ways for the values that most rows of a real table are made of, each the same to the byte as the long one (its tests say so).

The long way asks the plan's conversion of each value, and tries its inverse: some microseconds. A short way is taken only where that
can be nothing else: a text of UTF-8 into text, a float with at most two decimals into numeric, a time of day on a day without a change
of the clock. Whatever it does not know for certain, it leaves to the long way.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from db.migration.cells import Cell
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.moving import move
from db.migration.conversions.numbers import Money, Numeric
from db.migration.conversions.texts import Text
from db.migration.plan_words import Column

Fields = bytes
OfOne = Callable[[Cell], "Fields | None"]
_LENGTHS: Final = tuple(struct.pack(">i", length) for length in range(512))
_CENTS_MAX: Final = 99_999_999
_DIGITS: Final = {count: struct.Struct(f">ihhHh{count}h").pack for count in (1, 2, 3)}
_INSTANT: Final = struct.Struct(">iq").pack
_ABSENT: Final = struct.pack(">i", -1)
_PG_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_DAYS_MAX: Final = 4_000
_CLOCK: Final = "hh:mm:ss"


def of_one(column: Column) -> OfOne | None:
    """Return the short way of a column that is made of one cell: its field, or None for what it leaves."""
    match column.conversion:
        case Text(nulls=nulls) if column.type == "text":
            return _text(frozenset(nulls))
        case Numeric(scale=None) | Money(unit="dollars", scale=None):
            return cents if column.type == "numeric" else None
        case _:
            return None


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


class Clock:
    """The short way of a date and a time, or of a time of day after an entry, on days without a change of the clock."""

    def __init__(self, column: Column, beside: Fields) -> None:
        """beside: the fields of the columns beside it, where they are NULL."""
        self._column = column
        self._beside = beside
        self._null = _ABSENT + beside
        self._days: dict[Cell, int | None] = {}
        self._minutes = {
            f"{hour:02}:{minute:02}": (hour * 60 + minute) * 60_000_000 for hour in range(24) for minute in range(60)
        }
        self._seconds = {f":{second:02}": second * 1_000_000 for second in range(60)}
        self._may_be_null = column.nullable and isinstance(column.conversion, ClosingTime)

    def fields(
        self, cells: Sequence[Sequence[Cell]], leave: Callable[[tuple[Cell, ...]], Fields | None]
    ) -> list[Fields | None]:
        """Return the fields of each row. cells: of the column's sources and context. leave: the long way."""
        if isinstance(self._column.conversion, DateAndTime):
            return [self._entry(day, clock) or leave((day, clock)) for day, clock in zip(*cells, strict=True)]
        return [
            self._closing(cell, day, clock) or leave((cell, day, clock))
            for cell, day, clock in zip(*cells, strict=True)
        ]

    def _entry(self, day: Cell, clock: Cell) -> Fields | None:
        try:
            midnight = self._days[day]
            return _INSTANT(8, midnight + self._minutes[clock[:5]] + self._seconds[clock[5:]]) + self._beside  # type: ignore[index,operator]
        except (KeyError, TypeError):
            return self._entry(day, clock) if self._learns(day) else None

    def _closing(self, cell: Cell, day: Cell, clock: Cell) -> Fields | None:
        if cell is None:
            return self._null if self._may_be_null else None
        minutes, seconds = self._minutes, self._seconds
        try:
            midnight = self._days[day]
            shown = minutes[cell[:5]] + seconds[cell[5:]]  # type: ignore[index]
            entry = minutes[clock[:5]] + seconds[clock[5:]]  # type: ignore[index]
            return _INSTANT(8, midnight + shown + (_DAY_US if shown < entry else 0)) + self._beside  # type: ignore[operator]
        except (KeyError, TypeError):
            return self._closing(cell, day, clock) if self._learns(day) else None

    def _learns(self, day: Cell) -> bool:
        """Return whether a day was not known, and is now: its midnight, if neither on it nor on the next the clock changes."""
        if day in self._days or not isinstance(day, str):
            return False
        if len(self._days) >= _DAYS_MAX:
            self._days.clear()
        self._days[day] = self._midnight(day)
        return self._days[day] is not None

    def _midnight(self, day: str) -> int | None:
        """Return the instant at which a day begins, microseconds since 2000; None unless every sixth hour of it and the next is as far."""
        found = [
            self._instant(day, hour, late=late)
            for late in (False, True)
            for hour in ("00:00:00", "06:00:00", "12:00:00", "18:00:00")
        ]
        last = self._instant(day, "23:59:58", late=True)
        first = found[0]
        if first is None or last != first + 2 * _DAY_US - 2_000_000:
            return None
        return first if found == [first + number * 6 * _HOUR_US for number in range(8)] else None

    def _instant(self, day: str, clock: str, *, late: bool) -> int | None:
        """Return the instant of a time on a day, or on the next; None if there is not exactly one."""
        conversion = self._column.conversion
        if isinstance(conversion, DateAndTime):
            try:
                day = (datetime.strptime(day, "%Y-%m-%d").date() + timedelta(days=late)).isoformat()  # noqa: DTZ007
            except (ValueError, OverflowError):
                return None
            cells: tuple[Cell, ...] = (day, clock)
        else:
            cells = (clock, day, "23:59:59" if late else "00:00:00")
        try:
            moved = move(self._column, cells)
        except Unconvertible:
            return None
        if not isinstance(moved.value, datetime) or moved.later is not None or moved.original is not None:
            return None
        return (moved.value - _PG_EPOCH) // _MICROSECOND


def clock_of(column: Column, beside: Fields) -> Clock | None:
    """Return the short way of a column of dates and times, if it has one."""
    match column.conversion:
        case DateAndTime(date_format="YYYY-MM-DD", time_format=time_format) if (
            time_format == _CLOCK and len(column.sources) == 2
        ):
            return Clock(column, beside) if not column.context and column.type == "timestamptz" else None
        case ClosingTime(date_format="YYYY-MM-DD", time_format=time_format, nulls=nulls, second_passes=()) if (
            time_format == _CLOCK
        ):
            # A time of day that stands for NULL is no matter of a clock.
            plain = not any(len(one) == 8 for one in nulls) and len(column.context) == 2
            return Clock(column, beside) if plain and column.type == "timestamptz" else None
        case _:
            return None
