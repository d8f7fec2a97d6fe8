"""Which conversion a column gets, from what it holds: the narrowest type that every value fits, and no value changed by it.

The rules, first to last; what none takes, stays text or becomes a literal of SQL, which loses nothing:
- Only whole numbers: bigint; 0 and 1 in a column declared as boolean: boolean.
- Floats: double precision, bit for bit; numeric, by their shortest decimals, where they are money, or whole numbers stand among them.
- Dates and times in formats that are known: timestamptz, with the zone asked for; date; time.
- Numbers in texts ('+3', '$119,500'): numeric, where a sign, a dollar or decimals say that it is an amount and no name.
- Keys, and what refers to them, are only given types that keep two keys two.
Values that do not fit, where they are few and the column was declared as what it mostly holds, go to quarantine: the proof counts them.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from db.migration.conversions import Conversion
from db.migration.conversions.instants import DateOnly, Epoch, Instant, TimeOnly
from db.migration.conversions.numbers import Boolean, Double, Integer, Numeric, TextNumber
from db.migration.conversions.texts import Blob, Json, Literal, Text
from db.migration.profile_words import ColumnProfile, Texts
from db.migration.text_kinds import FALSE_WORDS, NULL_WORDS, TRUE_WORDS

_FEW: Final = 0.1
_FEW_IN_TEXT: Final = 0.02
_NO_VALUE: Final = ("empty", "null word")
_UNSTORABLE: Final = ("NUL byte", "not UTF-8")
_TYPED: Final = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC", "BOOL", "DATE", "TIME")
Ask = Callable[[str], str]
"""Asks for the zone of a column that is described so; returns what a conversion has for it."""


class Proposal(NamedTuple):
    """A type with its conversion. collation: of texts, in the order of SQLite."""

    type: str
    conversion: Conversion
    note: str = ""
    collation: str = ""


def as_text(note: str = "") -> Proposal:
    """Return that it stays a text."""
    return Proposal("text", Text(), note, "C")


def as_literal(note: str) -> Proposal:
    """Return that it becomes a literal of SQL."""
    return Proposal("text", Literal(), note, "C")


def proposed(profile: ColumnProfile, ask: Ask, *, in_key: bool) -> Proposal:
    """Return what a column becomes. in_key: two different values must stay two."""
    held = {name for name, cells in profile.storage.items() if cells and name != "null"}
    declared = profile.declared.upper()
    if not held:
        return _of_nothing(declared)
    if held <= {"integer"}:
        return _of_integers(profile, declared)
    if held <= {"integer", "real"} and profile.numbers is not None:
        return (
            as_literal("floats as keys: SQLite takes 1 and 1.0 for one key, text does not")
            if in_key and held != {"real"}
            else _of_floats(profile, declared)
        )
    if held == {"blob"}:
        return Proposal("bytea", Blob())
    if held == {"text"} and profile.texts is not None:
        return (
            _of_key_texts(profile, profile.texts, ask) if in_key else _of_texts(profile, profile.texts, declared, ask)
        )
    return _of_mixed(profile, held, in_key=in_key)


def _of_nothing(declared: str) -> Proposal:
    note = "it holds no value"
    if "INT" in declared:
        return Proposal("bigint", Integer(), note)
    if any(word in declared for word in ("REAL", "FLOA", "DOUB")):
        return Proposal("double precision", Double(), note)
    if any(word in declared for word in ("NUM", "DEC")):
        return Proposal("numeric", Numeric(), note)
    if "BOOL" in declared:
        return Proposal("boolean", Boolean(), note)
    if "BLOB" in declared:
        return Proposal("bytea", Blob(), note)
    return as_text(
        f"{note}: in which format its dates would be, nothing says"
        if "DATE" in declared or "TIME" in declared
        else note
    )


def _of_integers(profile: ColumnProfile, declared: str) -> Proposal:
    if "BOOL" in declared and set(profile.values) <= {"0", "1"}:
        return Proposal("boolean", Boolean())
    if profile.epoch and ("DATE" in declared or "TIME" in declared):
        return Proposal("timestamptz", Epoch(unit=profile.epoch), f"numbers of {profile.epoch} since 1970")  # type: ignore[arg-type]  # one of its units
    notes = [f"these may be instants, in {profile.epoch} since 1970; kept as numbers"] if profile.epoch else []
    if profile.money is not None:
        notes.append(f"money in {profile.money.unit}: {profile.money.why}")
    return Proposal("bigint", Integer(), "; ".join(notes))


def _of_floats(profile: ColumnProfile, declared: str) -> Proposal:
    numbers = profile.numbers
    assert numbers is not None
    if numbers.infinite:
        return Proposal("double precision", Double(), "it holds infinities, which numeric here refuses")
    if profile.storage.get("integer"):
        why = " (an INTEGER of PostgreSQL would round its floats)" if "INT" in declared else ""
        return Proposal("numeric", Numeric(), f"whole numbers and floats: 2 and 2.0 stay two{why}")
    if profile.money is not None or any(word in declared for word in ("NUM", "DEC", "INT", "MONEY")):
        return Proposal("numeric", Numeric(), "floats by their shortest decimals")
    return Proposal("double precision", Double())


def _of_key_texts(profile: ColumnProfile, texts: Texts, ask: Ask) -> Proposal:
    formats = tuple(texts.formats)
    if (
        len(formats) == 1
        and texts.kinds == {"date or time": profile.filled}
        and "hh" in formats[0]
        and "YYYY" in formats[0]
    ):
        return _of_times(profile, formats, (), ask)
    return as_text()


def _of_texts(profile: ColumnProfile, texts: Texts, declared: str, ask: Ask) -> Proposal:
    meant = profile.filled - sum(texts.kinds.get(kind, 0) for kind in _NO_VALUE)
    is_typed = any(word in declared for word in _TYPED)

    def is_mostly(kind: str) -> bool:
        number = texts.kinds.get(kind, 0)
        return number > 0 and meant - number <= meant * (_FEW if is_typed else _FEW_IN_TEXT)

    nulls = _nulls(profile)
    if is_mostly("date or time"):
        return _of_dates(profile, texts, nulls, ask)
    if is_mostly("number") and _is_amount(texts, is_typed=is_typed):
        conversion = TextNumber(
            nulls=nulls, plus=texts.plus > 0, dollar=_most(texts.dollar, texts), commas=_most(texts.commas, texts)
        )
        return Proposal("numeric", conversion, "numbers that stand in texts")
    if (spelled := _spelled(profile, is_typed="BOOL" in declared)) is not None:
        return Proposal("boolean", spelled)
    if texts.kinds == {"JSON": profile.filled} or ("JSON" in declared and is_mostly("JSON")):
        return Proposal(
            "json", Json(nulls=tuple(one for one in nulls if one != "null")), "json keeps it letter by letter"
        )
    return as_text()


def _of_dates(profile: ColumnProfile, texts: Texts, nulls: tuple[str, ...], ask: Ask) -> Proposal:
    formats = tuple(sorted(texts.formats, key=lambda one: -texts.formats[one]))
    unclear = {one for one in formats if one.startswith("DD/") and f"MM/{one[3:]}".replace("MM/MM", "MM/DD") in formats}
    if unclear:
        return as_text("day and month cannot be told apart in it")
    if all("YYYY" in one and "hh" in one for one in formats):
        return _of_times(profile, formats, nulls, ask)
    if all("YYYY" in one and "hh" not in one for one in formats):
        return Proposal("date", DateOnly(formats=formats, nulls=nulls))
    if all("YYYY" not in one and "+" not in one and "Z" not in one for one in formats):
        return Proposal("time", TimeOnly(formats=formats, nulls=nulls))
    if all("YYYY" in one for one in formats):
        return _of_times(profile, formats, nulls, ask)
    return as_text(
        "times of day without a date stand among full ones: name the column of their date (conversion closing_time)"
    )


def _of_times(profile: ColumnProfile, formats: tuple[str, ...], nulls: tuple[str, ...], ask: Ask) -> Proposal:
    naive = [one for one in formats if "Z" not in one and "+" not in one]
    zone = ask(f"{profile.name}: {', '.join(naive)}") if naive else "UTC"
    return Proposal("timestamptz", Instant(formats=formats, nulls=nulls, zone=zone))


def _of_mixed(profile: ColumnProfile, held: set[str], *, in_key: bool) -> Proposal:
    classes = " and ".join(f"{profile.storage[one]} {one}" for one in sorted(held))
    if in_key:
        return as_literal(f"a key of mixed storage classes ({classes}): as literals, 1 and '1' stay two")
    few = profile.filled * _FEW
    declared = profile.declared.upper()
    if profile.filled - profile.storage.get("integer", 0) <= few and ("INT" in declared or "BOOL" in declared):
        if "BOOL" in declared and {"0", "1"} >= {one for one in profile.values if one.isdigit()} and profile.values:
            return Proposal("boolean", Boolean(), f"mixed storage classes: {classes}")
        return Proposal("bigint", Integer(), f"mixed storage classes: {classes}")
    if profile.filled - profile.storage.get("real", 0) - profile.storage.get("integer", 0) <= few and any(
        word in declared for word in _TYPED
    ):
        return Proposal("numeric", Numeric(), f"mixed storage classes: {classes}")
    return as_literal(f"mixed storage classes: {classes}; as literals all of them stay as they are")


def _nulls(profile: ColumnProfile) -> tuple[str, ...]:
    """Return the words of the column that stand for nothing, the empty text first."""
    words = [""] if profile.empties else []
    if profile.texts is not None and profile.texts.kinds.get("null word"):
        spelled = [one.strip("'") for one in profile.values] or ["NaN", "nan", "None", "none", "null", "NULL"]
        words += [one for one in spelled if one.lower() in NULL_WORDS]
    return tuple(words)


def _is_amount(texts: Texts, *, is_typed: bool) -> bool:
    """Whether numbers in texts are amounts: not ids, postal codes or telephone numbers."""
    if texts.leading_zeros:
        return False
    return bool(is_typed or texts.plus or texts.dollar or texts.commas or set(texts.decimals) - {0})


def _most(number: int, texts: Texts) -> bool:
    return number * 2 > texts.kinds.get("number", 0)


def _spelled(profile: ColumnProfile, *, is_typed: bool) -> Boolean | None:
    """Return how true and false are spelled, if the column holds nothing else and says both, or is declared so."""
    words = [one[1:-1] for one in profile.booleans if one.startswith("'")]
    if not words or len(words) != len(profile.booleans):
        return None
    yes, no = _of(words, TRUE_WORDS), _of(words, FALSE_WORDS)
    # YES and NO may be what is traded, Y and N a side: without its type only the words themselves say that it is a switch.
    is_plain = {word.lower() for word in words} == {"true", "false"}
    return Boolean(yes=yes or ("true",), no=no or ("false",)) if is_typed or is_plain else None


def _of(words: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word.lower() in known)
