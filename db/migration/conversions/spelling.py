"""Dates and times by format, exactly: what a format does not say, it does not read, and it writes what it has read.

A format is written in these letters, everything else stands for itself:

    YYYY MM DD   hh mm ss   f, ff ... ffffff (decimals of a second)   f* (six decimals, or no point and none where they are 0: Python's)
    +hh:mm or +hhmm (an offset)   Z (the letter: UTC)
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

_TOKENS: Final = re.compile(r"YYYY|MM|DD|hh|mm|ss|\+hh:?mm|\.f\*|f{1,6}|Z|.", re.DOTALL)
_TIMES: Final = (datetime, time)
_PATTERNS: Final = {
    "YYYY": "(?P<YYYY>[0-9]{4})",
    "MM": "(?P<MM>[0-9]{2})",
    "DD": "(?P<DD>[0-9]{2})",
    "hh": "(?P<hh>[0-9]{2})",
    "mm": "(?P<mm>[0-9]{2})",
    "ss": "(?P<ss>[0-9]{2})",
    "+hh:mm": "(?P<offset>[+-][0-9]{2}:[0-9]{2})",
    "+hhmm": "(?P<offset>[+-][0-9]{4})",
    ".f*": r"(?:\.(?P<f>[0-9]{6}))?",
    "Z": "(?P<Z>Z)",
}


@dataclass(frozen=True)
class Format:
    """One format. has_date, has_time, has_zone: what it says."""

    tokens: tuple[str, ...]
    pattern: re.Pattern[str]
    has_date: bool
    has_time: bool
    has_zone: bool

    def read(self, text: str) -> datetime | None:
        """Return what the text says, None if it is not in this format: naive without a zone; 1970-01-01 or midnight for what is not said."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        parts = found.groupdict()
        try:
            return datetime(
                int(parts.get("YYYY") or 1970),
                int(parts.get("MM") or 1),
                int(parts.get("DD") or 1),
                int(parts.get("hh") or 0),
                int(parts.get("mm") or 0),
                int(parts.get("ss") or 0),
                int((parts.get("f") or "0").ljust(6, "0")),
                tzinfo=UTC if parts.get("Z") else _zone(parts.get("offset")),
            )
        except ValueError:
            return None

    def write(self, when: datetime | date | time) -> str:
        """Return the text of this moment, in the zone that it has."""
        return "".join([_written(token, when) for token in self.tokens])


@lru_cache(maxsize=256)
def format_of(text: str) -> Format:
    """Return the format that is written so. Raises: ValueError if it says neither date nor time."""
    tokens = tuple(_TOKENS.findall(text))
    said = {token for token in tokens if token in _PATTERNS}
    has_date, has_time = {"YYYY", "MM", "DD"} <= said, {"hh", "mm"} <= said
    if not has_date and not has_time:
        raise ValueError(f"{text!r} is no format of dates or times, such as YYYY-MM-DD hh:mm:ss")
    pattern = "".join(
        _PATTERNS.get(one) or (f"(?P<f>[0-9]{{{len(one)}}})" if set(one) == {"f"} else re.escape(one)) for one in tokens
    )
    return Format(tokens, re.compile(pattern, re.ASCII), has_date, has_time, bool(said & {"Z", "+hh:mm", "+hhmm"}))


def _zone(offset: str | None) -> timezone | None:
    if offset is None:
        return None
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _written(token: str, when: datetime | date | time) -> str:
    match token:
        case "YYYY" if isinstance(when, date):
            return f"{when.year:04}"
        case "MM" if isinstance(when, date):
            return f"{when.month:02}"
        case "DD" if isinstance(when, date):
            return f"{when.day:02}"
        case "hh" if isinstance(when, _TIMES):
            return f"{when.hour:02}"
        case "mm" if isinstance(when, _TIMES):
            return f"{when.minute:02}"
        case "ss" if isinstance(when, _TIMES):
            return f"{when.second:02}"
        case ".f*" if isinstance(when, _TIMES):
            return f".{when.microsecond:06}" if when.microsecond else ""
        case "+hh:mm" | "+hhmm" if isinstance(when, datetime):
            shift = when.utcoffset() or timedelta()
            sign, minutes = "-" if shift < timedelta() else "+", abs(shift) // timedelta(minutes=1)
            return f"{sign}{minutes // 60:02}{':' if ':' in token else ''}{minutes % 60:02}"
        case _ if set(token) == {"f"} and isinstance(when, _TIMES):
            return f"{when.microsecond:06}"[: len(token)]
        case _:
            return token
