"""The short way of a date and a time, or of a time of day after an entry, on days without a change of the clock (see `quick.py`)."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import add, itemgetter
from typing import Final

from db.migration.cells import Cell
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.moving import move
from db.migration.plan_words import Column

Fields = bytes
_ABSENT: Final = struct.pack(">i", -1)
_PG_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_DAYS_MAX: Final = 4_000
_CLOCK: Final = "hh:mm:ss"
_FAR: Final = -(2**61)
"""What is no time, as a time, microseconds: with whatever it is added up, the sum is below `_NEAR`, where no instant is."""
_NEAR: Final = -(2**60)
_HOUR_AND_MINUTE: Final = itemgetter(slice(0, 5))
_SECOND: Final = itemgetter(slice(5, None))


class Times:
    """Times of day of a column, microseconds; `_FAR` for whatever else stands there. Read once for all lanes that ask in turn."""

    def __init__(self) -> None:
        self._last: tuple[Sequence[Cell], list[int]] = ((), [])
        self._minutes = _OrFar(
            {f"{hour:02}:{minute:02}": (hour * 60 + minute) * 60_000_000 for hour in range(24) for minute in range(60)}
        )
        self._seconds = _OrFar({f":{second:02}": second * 1_000_000 for second in range(60)})

    def of(self, column: Sequence[Cell]) -> list[int]:
        """Return them."""
        if self._last[0] is not column:
            self._last = (column, self.read(column))
        return self._last[1]

    def read(self, column: Sequence[Cell]) -> list[int]:
        """Return them, of a column that nobody else asks for."""
        if set(map(type, column)) != {str}:
            column = [cell if isinstance(cell, str) else "" for cell in column]
        minutes = map(self._minutes.__getitem__, map(_HOUR_AND_MINUTE, column))  # type: ignore[arg-type]  # as `of` wants it
        return list(map(add, minutes, map(self._seconds.__getitem__, map(_SECOND, column))))  # type: ignore[arg-type]  # as above


class _OrFar(dict[object, int]):
    """Of a text, its time."""

    def __missing__(self, key: object) -> int:
        return _FAR


class _Midnights(dict[object, int]):
    """Of a day, the instant at which it begins; `_FAR` where it has none, or the clock changes on it or the next."""

    def __init__(self, learn: Callable[[str], int | None]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, day: object) -> int:
        if not isinstance(day, str):
            return _FAR
        if len(self) >= _DAYS_MAX:
            self.clear()
        midnight = self._learn(day)
        self[day] = found = _FAR if midnight is None else midnight
        return found


class Clock:
    """The short way of a date and a time, or of a time of day after an entry, on days without a change of the clock."""

    def __init__(self, column: Column, beside: int, times: Times) -> None:
        """beside: how many columns stand beside it, and are NULL."""
        self._column = column
        self._beside = beside
        self._instant = struct.Struct(">iq" + "i" * beside).pack
        self._null = _ABSENT * (1 + beside)
        self._times = times
        self._days = _Midnights(self._midnight)
        self._may_be_null = column.nullable and isinstance(column.conversion, ClosingTime)

    def fields(
        self, cells: Sequence[Sequence[Cell]], leave: Callable[[tuple[Cell, ...]], Fields | None]
    ) -> list[Fields | None]:
        """Return the fields of each row. cells: of the column's sources and context. leave: the long way."""
        instants = self._entries(*cells) if isinstance(self._column.conversion, DateAndTime) else self._closings(*cells)
        found: list[Fields | None] = list(map(self._instant, repeat(8), instants, *[repeat(-1)] * self._beside))
        if min(instants) < _NEAR:
            for row in [row for row, instant in enumerate(instants) if instant < _NEAR]:
                its = tuple(column[row] for column in cells)
                found[row] = self._null if its[0] is None and self._may_be_null else leave(its)
        return found

    def _entries(self, days: Sequence[Cell], clocks: Sequence[Cell]) -> list[int]:
        return list(map(add, map(self._days.__getitem__, days), self._times.of(clocks)))

    def _closings(self, cells: Sequence[Cell], days: Sequence[Cell], clocks: Sequence[Cell]) -> list[int]:
        entered, shown = self._times.of(clocks), self._times.read(cells)
        midnights = list(map(self._days.__getitem__, days))
        if min(entered) < 0:
            midnights = [_FAR if entry < 0 else midnight for midnight, entry in zip(midnights, entered, strict=True)]
        return [
            midnight + closed if closed >= entry else midnight + closed + _DAY_US
            for midnight, closed, entry in zip(midnights, shown, entered, strict=True)
        ]

    def _midnight(self, day: str) -> int | None:
        """Return the instant at which a day begins, microseconds since 2000; None unless every sixth hour of it and the next is as far."""
        found = [
            self._shown_at(day, hour, late=late)
            for late in (False, True)
            for hour in ("00:00:00", "06:00:00", "12:00:00", "18:00:00")
        ]
        last = self._shown_at(day, "23:59:58", late=True)
        first = found[0]
        if first is None or last != first + 2 * _DAY_US - 2_000_000:
            return None
        return first if found == [first + number * 6 * _HOUR_US for number in range(8)] else None

    def _shown_at(self, day: str, clock: str, *, late: bool) -> int | None:
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


def clock_of(column: Column, beside: int, times: Times) -> Clock | None:
    """Return the short way of a column of dates and times, if it has one."""
    match column.conversion:
        case DateAndTime(date_format="YYYY-MM-DD", time_format=time_format) if (
            time_format == _CLOCK and len(column.sources) == 2
        ):
            return Clock(column, beside, times) if not column.context and column.type == "timestamptz" else None
        case ClosingTime(date_format="YYYY-MM-DD", time_format=time_format, nulls=nulls, second_passes=()) if (
            time_format == _CLOCK
        ):
            # A time of day that stands for NULL is no matter of a clock.
            plain = not any(len(one) == 8 for one in nulls) and len(column.context) == 2
            return Clock(column, beside, times) if plain and column.type == "timestamptz" else None
        case _:
            return None
