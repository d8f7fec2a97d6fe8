"""Which instants are expected of dates and times, without the long way for each (see `short.py`).

An instant is taken from those at the two ends of its hour, which have passed the whole proof (`ExpectedColumn.made`) and are as far apart
as they must be.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import add, itemgetter, lt
from struct import Struct
from typing import Final

from db.migration.cells import Cell
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.plan_words import Column

_HOURS: Final = frozenset(f"{hour:02}" for hour in range(24))
_NEVER: Final = 2**61
"""When an hour begins that has no time, or what is no time within one: added up with whatever, later than `_LATE`."""
_LATE: Final = 2**60


class _Within(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return _NEVER


_WITHIN: Final = _Within({f":{second // 60:02}:{second % 60:02}": second * 1_000_000 for second in range(3600)})
_HOUR: Final = itemgetter(slice(0, 2))
_REST: Final = itemgetter(slice(2, None))
_HEAD: Final = (8).to_bytes(4, "big")
_ABSENT: Final = (-1).to_bytes(4, "big", signed=True)
_KNOWN_MAX: Final = 10_000
_CLOCK: Final = "hh:mm:ss"


class Clocks:
    """Times of day of a column, taken apart once for all columns that ask in turn: hour, and microseconds within it.

    What is no time of day is so long within its hour that no sum with it is an instant.
    """

    def __init__(self) -> None:
        self._last: tuple[Sequence[Cell], list[str], list[int]] = ((), [], [])

    def of(self, column: Sequence[Cell]) -> tuple[list[str], list[int]]:
        """Return them."""
        if self._last[0] is not column:
            self._last = (column, *apart(texts_of(column)))
        return self._last[1:]


def texts_of(column: Sequence[Cell]) -> Sequence[str]:
    """Return the texts of a column, an empty one for whatever is none."""
    if set(map(type, column)) == {str}:
        return column  # type: ignore[return-value]  # all are texts
    return [cell if isinstance(cell, str) else "" for cell in column]


def apart(clocks: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return hours, and microseconds within them."""
    hours = list(map(_HOUR, clocks))
    within = list(map(_WITHIN.__getitem__, map(_REST, clocks)))
    if not _HOURS.issuperset(hours):
        within = [long if hour in _HOURS else _NEVER for hour, long in zip(hours, within, strict=True)]
    return hours, within


class Hours:
    """Instants of one column, by their hours."""

    def __init__(self, column: Column, made: Callable[[tuple[Cell, ...]], object], beside: int, clocks: Clocks) -> None:
        """made: the long way. beside: how many columns stand beside this one."""
        self._is_entry = isinstance(column.conversion, DateAndTime)
        self._may_be_null = column.nullable
        self._made = made
        self._clocks = clocks
        self._beside = _ABSENT * beside
        self._field = Struct(f">iq{len(self._beside)}s").pack
        self._begins = _Begins(self._begin)

    def pieces(self, columns: Sequence[Sequence[Cell]]) -> list[bytes | None]:
        """Return the piece of each row; None where the long way must be gone. columns: the source's, then the context's."""
        instants = self._entries(*columns) if self._is_entry else self._closings(*columns)
        pieces: list[bytes | None] = list(map(self._field, repeat(8), instants, repeat(self._beside)))
        if max(instants) > _LATE:
            absent = _ABSENT + self._beside if self._may_be_null and not self._is_entry else None
            for row in [row for row, instant in enumerate(instants) if instant > _LATE]:
                pieces[row] = absent if columns[0][row] is None else None
        return pieces

    def _entries(self, days: Sequence[Cell], clocks: Sequence[Cell]) -> list[int]:
        hours, within = self._clocks.of(clocks)
        keys = zip(days, hours, repeat(False), strict=False)  # noqa: FBT003  # never the next day's
        return list(map(add, map(self._begins.__getitem__, keys), within))

    def _closings(self, cells: Sequence[Cell], days: Sequence[Cell], clocks: Sequence[Cell]) -> list[int]:
        closed, entered = texts_of(cells), texts_of(clocks)
        hours, within = apart(closed)
        entries = self._clocks.of(clocks)[1]
        if max(entries) == _NEVER:
            within = [_NEVER if entry == _NEVER else one for one, entry in zip(within, entries, strict=True)]
        keys = zip(days, hours, map(lt, closed, entered), strict=True)
        return list(map(add, map(self._begins.__getitem__, keys), within))

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


class _Begins(dict[tuple[Cell, str, bool], int]):
    """When hours begin, by day, hour and whether it is the next day's; `_NEVER` where not all of it passes evenly."""

    def __init__(self, learn: Callable[[Cell, str, bool], int | None]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, key: tuple[Cell, str, bool]) -> int:
        if key[1] not in _HOURS:
            return _NEVER
        if len(self) >= _KNOWN_MAX:
            self.clear()
        begin = self._learn(*key)
        self[key] = found = _NEVER if begin is None else begin
        return found


def of(column: Column, made: Callable[[tuple[Cell, ...]], object], beside: int, clocks: Clocks) -> Hours | None:
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
    return Hours(column, made, beside, clocks)
