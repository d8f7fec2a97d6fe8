"""What a text is: a number, a date in a format, a word for true or for nothing, JSON. Told by the text alone, never by its column's name."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from db.migration.cells import is_utf8
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.numbers import spelled_number
from db.migration.conversions.spelling import format_of
from db.migration.conversions.texts import check_json

TRUE_WORDS: Final = ("true", "yes", "y", "t", "on")
FALSE_WORDS: Final = ("false", "no", "n", "f", "off")
NULL_WORDS: Final = ("nan", "none", "null", "n/a", "undefined")
_WORD_MAX: Final = 9
_NUMBER_MAX: Final = 60
_TIME_MAX: Final = 40
_JSON_MAX: Final = 1_000_000
_DIGITS: Final = str.maketrans("0123456789", "0000000000")
_FRACTION: Final = re.compile(r"\.(0+)")
_DATES: Final = {
    "0000-00-00": ("YYYY-MM-DD",),
    "0000/00/00": ("YYYY/MM/DD",),
    "00/00/0000": ("MM/DD/YYYY", "DD/MM/YYYY"),
    "00.00.0000": ("DD.MM.YYYY",),
}
_TIMES: Final = {"00:00:00": "hh:mm:ss", "00:00": "hh:mm"}
_ZONES: Final = {"": "", "Z": "Z", "+00:00": "+hh:mm", "-00:00": "+hh:mm", "+0000": "+hhmm", "-0000": "+hhmm"}
_BETWEEN: Final = ("T", " ")


class Kind(NamedTuple):
    """What a text is. details: the formats that it fits, in the order of their likelihood; the spelling of a number."""

    name: str
    details: tuple[str, ...] = ()
    decimals: int = 0


TEXT: Final = Kind("text")


def kind_of(text: str) -> Kind:
    """Return what a text is."""
    if not text:
        return Kind("empty")
    if not is_utf8(text):
        return Kind("not UTF-8")
    if "\0" in text:
        return Kind("NUL byte")
    if len(text) <= _WORD_MAX and (word := text.lower()) in NULL_WORDS:
        return Kind("null word")
    if len(text) <= _WORD_MAX and (word in TRUE_WORDS or word in FALSE_WORDS):
        return Kind("boolean word")
    if len(text) <= _TIME_MAX and text.isascii() and (formats := _formats(text)):
        return Kind("date or time", formats)
    if len(text) <= _NUMBER_MAX and spelled_number(text) is not None:
        return _number(text)
    return Kind("JSON") if text[0] in "{[" and len(text) <= _JSON_MAX and _is_json(text) else TEXT


def _number(text: str) -> Kind:
    digits = text.lstrip("+-$")
    spelled = {
        "plus": text[0] == "+",
        "dollar": "$" in text,
        "commas": "," in text,
        "leading zeros": len(digits) > 1 and digits[0] == "0" and digits[1] != ".",
    }
    _, _, decimals = text.partition(".")
    return Kind("number", tuple(name for name, so in spelled.items() if so), len(decimals))


def _formats(text: str) -> tuple[str, ...]:
    return tuple(one for one in _formats_of_shape(text.translate(_DIGITS)) if format_of(one).read(text) is not None)


@lru_cache(maxsize=4096)
def _formats_of_shape(shape: str) -> tuple[str, ...]:
    """Return the formats whose texts have this shape: every digit is a 0."""
    if shape in _DATES:
        return _DATES[shape]
    if shape in _TIMES:
        return (_TIMES[shape],)
    for between in _BETWEEN:
        day, found, rest = shape.partition(between)
        if found and day in _DATES:
            return tuple(f"{date}{between}{time}" for time in _time_formats(rest) for date in _DATES[day])
    return tuple(_time_formats(shape))


def _time_formats(shape: str) -> list[str]:
    clock = next((one for one in _TIMES if shape.startswith(one)), None)
    if clock is None:
        return []
    rest, fraction = shape[len(clock) :], ""
    if (found := _FRACTION.match(rest)) and len(found[1]) <= 6:
        rest, fraction = rest[found.end() :], "." + "f" * len(found[1])
    zone, gap = rest.removeprefix(" "), " " if rest.startswith(" ") else ""
    return [f"{_TIMES[clock]}{fraction}{gap}{_ZONES[zone]}"] if zone in _ZONES else []


def _is_json(text: str) -> bool:
    try:
        check_json(text)
    except Unconvertible:
        return False
    return True
