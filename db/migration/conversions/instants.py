"""Dates and times. A zone is never guessed: a plan asks for it, and until it is answered it reads `?QUESTION`.

A local time that a clock shows twice (the hour after summer time ends) becomes an `Either`, unless the order of the rows decides: the
plan then says from which id on the second pass has begun (`second_passes`). One that no clock shows (the hour that is skipped) is
`Unconvertible`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from db.migration.cells import Cell
from db.migration.conversions.base import Either, OfOne, Unconvertible, Value, no
from db.migration.conversions.spelling import format_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_NO_TEXT: Final = "a date or time as text"
_OUTSIDE: Final = "an instant outside of the years 1 to 9999"
_NO_FORMAT: Final = "a text in none of the formats of dates and times that are known here"


class SecondPass(msgspec.Struct, frozen=True, kw_only=True):
    """On this day the clock shows an hour twice; rows from this id on are of the second pass."""

    day: date
    from_id: int


class Zoned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What turns local times into instants. zone: of the IANA database. second_passes: need the id as the last cell of the context."""

    zone: str = "UTC"
    second_passes: tuple[SecondPass, ...] = ()

    def instant(self, local: datetime, cells: Sequence[Cell]) -> datetime | Either:
        """Return the instant of a local time, or the two that it may be. Raises: Unconvertible."""
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        found = instants_of(local, self.zone)
        if len(found) == 1:
            return found[0]
        for one in self.second_passes:
            if one.day == local.date() and isinstance(row := cells[-1], int):
                return found[1] if row >= one.from_id else found[0]
        return Either(*found)

    def local(self, value: Value) -> datetime:
        """Return what the clock of the zone shows at an instant."""
        assert isinstance(value, datetime)
        return value.astimezone(_zone(self.zone))


class Instant(Zoned, frozen=True, kw_only=True, tag="instant", tag_field="name"):
    """A date with a time in one text, into timestamptz. formats: the usual one first; zone: of those that say none."""

    formats: tuple[str, ...]
    nulls: tuple[str, ...] = ()

    def convert(self, cells: Sequence[Cell]) -> Value | Either:
        """Return the instant. Raises: Unconvertible."""
        cell = cells[0]
        if cell is None or (isinstance(cell, str) and cell in self.nulls):
            return None
        return self.instant(_read(cell, self.formats), cells)

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return the text in the usual format."""
        return (None if value is None else format_of(self.formats[0]).write(self.local(value)),)


class DateAndTime(Zoned, frozen=True, kw_only=True, tag="date_and_time", tag_field="name"):
    """A date in one column and a time in the next, into timestamptz."""

    date_format: str = "YYYY-MM-DD"
    time_format: str = "hh:mm:ss"

    def convert(self, cells: Sequence[Cell]) -> Value | Either:
        """Return the instant; NULL where both are. Raises: Unconvertible."""
        day, clock = cells[:2]
        if day is None and clock is None:
            return None
        if day is None or clock is None:
            raise Unconvertible("a date without a time, or a time without a date")
        return self.instant(_joined(day, clock, self.date_format, self.time_format), cells)

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return date and time of the zone's clock."""
        if value is None:
            return (None, None)
        local = self.local(value)
        return (format_of(self.date_format).write(local), format_of(self.time_format).write(local))


class ClosingTime(Zoned, frozen=True, kw_only=True, tag="closing_time", tag_field="name"):
    """A time of day that follows an entry, into timestamptz. Context: the entry's date and time.

    It takes the entry's date, or the next day's where it is earlier than the entry. formats: of texts that say their date themselves.
    """

    time_format: str = "hh:mm:ss"
    date_format: str = "YYYY-MM-DD"
    formats: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()

    def convert(self, cells: Sequence[Cell]) -> Value | Either:
        """Return the instant. Raises: Unconvertible."""
        cell, day, clock = cells[:3]
        if cell is None or (isinstance(cell, str) and cell in self.nulls):
            return None
        if not isinstance(cell, str):
            raise no(_NO_TEXT, cell)
        shown = format_of(self.time_format).read(cell)
        if shown is None:
            return self.instant(_read(cell, self.formats), cells)
        if day is None or clock is None:
            raise Unconvertible("a time of day without the date of its entry")
        entry = _joined(day, clock, self.date_format, self.time_format)
        same_day = datetime.combine(entry.date(), shown.time())
        if same_day >= entry:
            return self.instant(same_day, cells)
        if same_day.date() == date.max:
            raise Unconvertible(_OUTSIDE)
        next_day = self.instant(same_day + timedelta(days=1), cells)
        repeated = _instants(same_day, self.zone)
        if len(repeated) == 2 and repeated[1] >= instants_of(entry, self.zone)[0] and isinstance(next_day, datetime):
            # The clock went back after the entry: the same day's second pass, or the next day.
            return Either(repeated[1], next_day)
        return next_day

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return the time of day."""
        return (None if value is None else format_of(self.time_format).write(self.local(value)),)


class LocalTime(OfOne, frozen=True, kw_only=True, tag="local_time", tag_field="name"):
    """A date with a time in one text, into timestamp without a zone: for those who want to leave open what it was."""

    formats: tuple[str, ...]

    def _there(self, cell: Cell) -> Value:
        when = _read(cell, self.formats)
        if when.tzinfo is not None:
            raise Unconvertible("a time with a zone where one without is wanted")
        return when

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, datetime)
        return format_of(self.formats[0]).write(value)


class DateOnly(OfOne, frozen=True, kw_only=True, tag="date", tag_field="name"):
    """A day, into date."""

    formats: tuple[str, ...] = ("YYYY-MM-DD",)

    def _there(self, cell: Cell) -> Value:
        return _read(cell, self.formats).date()

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, date)
        return format_of(self.formats[0]).write(value)


class TimeOnly(OfOne, frozen=True, kw_only=True, tag="time", tag_field="name"):
    """A time of day, into time."""

    formats: tuple[str, ...] = ("hh:mm:ss",)

    def _there(self, cell: Cell) -> Value:
        return _read(cell, self.formats).time()

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, time)
        return format_of(self.formats[0]).write(value)


class Epoch(OfOne, frozen=True, kw_only=True, tag="epoch", tag_field="name"):
    """A number of seconds, or of parts of one, since 1970 in UTC, into timestamptz, which holds microseconds.

    came_from: how it is usually stored, for the way back.
    """

    unit: Literal["s", "ms", "us", "ns"] = "s"
    came_from: Literal["integer", "real"] = "integer"

    def _there(self, cell: Cell) -> Value:
        if not isinstance(cell, int | float):
            raise no("a number", cell)
        try:
            micros = (
                cell * 1_000_000 // _PER_SECOND[self.unit]
                if isinstance(cell, int)
                else round(cell * (1_000_000 / _PER_SECOND[self.unit]))
            )
            return _EPOCH + timedelta(microseconds=micros)
        except (OverflowError, ValueError):
            raise Unconvertible(_OUTSIDE) from None

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, datetime)
        micros = (value - _EPOCH) // _MICROSECOND
        per_second = _PER_SECOND[self.unit]
        return micros / (1_000_000 / per_second) if self.came_from == "real" else micros * per_second // 1_000_000


def instants_of(local: datetime, zone: str) -> tuple[datetime, ...]:
    """Return the instants at which a clock of the zone shows this: one, or two in order. Raises: Unconvertible if none."""
    found = _instants(local, zone)
    if not found:
        raise Unconvertible("a local time that the clock skipped when summer time began")
    return found


def _instants(local: datetime, zone: str) -> tuple[datetime, ...]:
    there = _zone(zone)
    try:
        first = local.replace(tzinfo=there, fold=0)
        early, late = first.utcoffset(), first.replace(fold=1).utcoffset()
        if early == late and early is not None:
            # Neither skipped nor shown twice: the two passes of the clock would be apart.
            return ((local - early).replace(tzinfo=UTC),)
        both = {local.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)}
        return tuple(sorted(one for one in both if one.astimezone(there).replace(tzinfo=None) == local))
    except OverflowError:
        raise Unconvertible(_OUTSIDE) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _read(cell: Cell, formats: Sequence[str]) -> datetime:
    if not isinstance(cell, str):
        raise no(_NO_TEXT, cell)
    for one in formats:
        if (when := format_of(one).read(cell)) is not None:
            return when
    raise Unconvertible(_NO_FORMAT)


def _joined(day: Cell, clock: Cell, date_format: str, time_format: str) -> datetime:
    return datetime.combine(_read(day, (date_format,)).date(), _read(clock, (time_format,)).time())
