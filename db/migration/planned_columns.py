"""The columns of one source's tables in the target, and what must be asked about them."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from db.migration import proposing
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.numbers import Integer
from db.migration.plan_words import Column, Question
from db.migration.profile_words import ColumnProfile, TableProfile
from db.migration.sql_in_target import default_of
from db.migration.sqlite_schema import SqliteColumn, SqliteSchema, SqliteTable
from db.migration.target_names import column_name, free, shortened

_SECOND: Final = "_either"
_ORIGINAL: Final = "_original"
_CLOSING: Final = ("clos", "exit", "end", "settle", "sold")
_CLOCK_DEFAULTS: Final = ("CURRENT_TIMESTAMP", "DATETIME('NOW'")


class ColumnPlanner:
    """Plans the columns of one source. questions: what was asked meanwhile, by name."""

    def __init__(self, source: str, answers: Mapping[str, str]) -> None:
        self._source = source
        self._answers = answers
        self.questions: dict[str, Question] = {}

    def columns(self, table: SqliteTable, profile: TableProfile, keyed: set[str]) -> tuple[Column, ...]:
        """Return the columns, each with room for originals and second instants; the proof takes away what nobody needs."""
        by_name = {one.name: one for one in profile.columns}
        pair = _date_and_time(by_name, keyed)
        columns: list[Column] = []
        taken: set[str] = set()
        for source in table.columns:
            if pair and source.name == pair[1]:
                continue
            column = self._column(table, source, by_name[source.name], pair, is_key=source.name.lower() in keyed)
            columns.append(_named(column, taken))
        if not table.key and table.row_key:
            numbers = Column(
                name="source_rowid",
                type="bigint",
                sources=table.row_key,
                nullable=False,
                conversion=Integer(),
                note="SQLite's own number of the row: the table has no key",
            )
            columns.append(_named(numbers, taken))
        return tuple(columns)

    def _column(
        self,
        table: SqliteTable,
        source: SqliteColumn,
        profile: ColumnProfile,
        pair: tuple[str, str] | None,
        *,
        is_key: bool,
    ) -> Column:
        if pair and source.name == pair[0]:
            zone = self._ask(table, source, f"{pair[0]} and {pair[1]}")
            return Column(
                name=f"{pair[0]}_and_{pair[1]}".lower(),
                type="timestamptz",
                sources=pair,
                conversion=DateAndTime(zone=zone),
                nullable=not source.not_null,
            )
        if pair and (closing := self._closing(table, source, profile, pair)) is not None:
            return closing
        found = proposing.proposed(profile, lambda what: self._ask(table, source, what), in_key=is_key)
        notes = [found.note] if found.note else []
        if source.generated:
            notes.append("SQLite computes it from others; its values are copied, and no longer computed")
        if source.collation == "NOCASE":
            notes.append("SQLite compares it without regard to case (ASCII): compare lower() of both sides")
        if source.collation == "RTRIM":
            notes.append("SQLite compares it without regard to spaces at its end: compare rtrim() of both sides")
        loses = getattr(found.conversion, "nulls", ())
        column = Column(
            name=column_name(source.name),
            type=found.type,
            sources=(source.name,),
            conversion=found.conversion,
            nullable=bool(loses) or not (source.not_null or source.name == table.rowid_column),
            collation=found.collation,
        )
        default, why = default_of(column, source.default)
        return replace(column, default=default, note="; ".join([*notes, *([why] if why else [])]))

    def _closing(
        self, table: SqliteTable, source: SqliteColumn, profile: ColumnProfile, pair: tuple[str, str]
    ) -> Column | None:
        """Return a column of times of day that follow the entry's, if it is one."""
        formats = tuple(profile.texts.formats) if profile.texts is not None else ()
        if "hh:mm:ss" not in formats or not any(word in source.name.lower() for word in _CLOSING):
            return None
        full = tuple(one for one in formats if "YYYY" in one and "hh" in one)
        if set(formats) != {"hh:mm:ss", *full}:
            return None
        zone = self._ask(table, next(one for one in table.columns if one.name == pair[0]), "")
        nulls = ("",) if profile.empties else ()
        return Column(
            name=column_name(source.name),
            type="timestamptz",
            sources=(source.name,),
            context=pair,
            conversion=ClosingTime(zone=zone, formats=full, nulls=nulls),
            note=f"a time of day takes the date of {pair[0]}, or the next where it is earlier than {pair[1]}",
        )

    def _ask(self, table: SqliteTable, column: SqliteColumn, what: str) -> str:
        """Ask for the zone of a column; returns the answer where it was given, else the question for its conversion."""
        name = f"{self._source}.{table.name}.{column.name}"
        if name not in self.questions:
            self.questions[name] = Question(
                name=name,
                asks=f"In which zone are the times of {table.name}.{what or column.name}? They say none",
                hint=_hint((column.default or "").upper().lstrip("(")),
                answer=self._answers.get(name, ""),
            )
        return self._answers.get(name) or f"?{name}"


def _hint(default: str) -> str:
    """Return what the default of a column says of its zone."""
    if not default.startswith(_CLOCK_DEFAULTS):
        return ""
    if "LOCALTIME" in default:
        return "its default is the local time of the machine where SQLite ran; what programs write may be another"
    return "its default, SQLite's CURRENT_TIMESTAMP, is UTC; what programs write may be another"


def keyed(table: SqliteTable, schema: SqliteSchema) -> set[str]:
    """Return the columns, in lower case, whose values must stay apart: keys, uniques, references from here and to here."""
    found = set(table.key)
    found |= {name for index in table.indexes if index.unique for name in index.columns if name}
    found |= {name for key in table.foreign_keys for name in key.columns}
    for other in schema.tables:
        for key in other.foreign_keys:
            if key.table.lower() == table.name.lower():
                found |= {name for name in key.to if name}
    return {name.lower() for name in found}


def _date_and_time(profiles: Mapping[str, ColumnProfile], keyed: set[str]) -> tuple[str, str] | None:
    """Return the two columns that together say one instant: `date` and `time`, each in its usual format and nothing else."""
    found = {}
    for name, wanted in (("date", "YYYY-MM-DD"), ("time", "hh:mm:ss")):
        one = next((profile for key, profile in profiles.items() if key.lower() == name), None)
        if one is None or one.texts is None or name in keyed or tuple(one.texts.formats) != (wanted,):
            return None
        if one.texts.kinds.get("date or time", 0) != one.filled:
            return None
        found[name] = one.name
    return found["date"], found["time"]


def _named(column: Column, taken: set[str]) -> Column:
    """Return the column under a free name, with free names for what may stand beside it."""
    names = []
    for name in (column.name, f"{column.name}{_ORIGINAL}", f"{column.name}{_SECOND}"):
        names.append(free(shortened(name), taken))
        taken.add(names[-1])
    return replace(column, name=names[0], original=names[1], either=names[2])
