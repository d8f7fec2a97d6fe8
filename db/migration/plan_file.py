"""A plan in a file, and whether it can be followed.

`write` and `read` are inverse to each other. `answered` is what copy and verify begin with: it puts the answers where conversions ask,
and refuses a plan that asks something still, or does not fit together.
"""

import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from db.migration import toml
from db.migration.conversions.spelling import format_of
from db.migration.copies import left_behind
from db.migration.plan_words import Plan, Question, Table

_COMMENTS: Final = {
    "schema": (
        "How each table and column moves from SQLite to PostgreSQL. Made by `run.py migrate plan`; edit it: everything after follows it.\n"
        "Every [[questions]] needs its answer before `migrate copy` begins."
    ),
    "questions": (
        "What only a person knows. A hint is what the data says: it proves nothing. A zone that is given by --answer when the plan is made, lets\n"
        "the order of ids decide in an hour that the clock showed twice; where it is written here, both instants are kept."
    ),
    "tables.columns": (
        "sources: what its inverse restores. original: the column beside it that keeps values which do not come back bit for bit.\n"
        "proof: what was tried on every value when this was made."
    ),
    "not_moved": "What PostgreSQL will not have, and what that means.",
}

_ASKED: Final = ("zone", "value", "account", "mode")
"""Parameters of conversions that may name a question."""


class PlanRefused(Exception):  # noqa: N818  # an outcome, not a fault
    """A plan cannot be followed as it stands. Its text says why, and what to write."""


def write(plan: Plan, folder: Path | None = None) -> str:
    """Return the plan as TOML. folder: in which the file will be: paths below it are relative to it, so that all can be moved together."""
    sources = plan.sources
    if folder is not None:
        sources = tuple(replace(one, path=_below(Path(one.path), folder.absolute())) for one in sources)
    return toml.written(msgspec.to_builtins(replace(plan, sources=sources)), _COMMENTS)


def _below(path: Path, folder: Path) -> str:
    whole, within = Path(os.path.normpath(path)), Path(os.path.normpath(folder))
    return str(whole.relative_to(within) if whole.is_relative_to(within) else path)


def read(path: Path) -> Plan:
    """Return the plan of a file, its sources' paths absolute. Raises: PlanRefused."""
    try:
        plan = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Plan)
        folder = path.absolute().parent
        return replace(plan, sources=tuple(replace(one, path=str(folder / one.path)) for one in plan.sources))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanRefused(f"{path} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PlanRefused(f"{path} is no plan: {error}") from error


def answered(plan: Plan) -> Plan:
    """Return the plan with its answers put in. Raises: PlanRefused, naming everything that is missing or does not fit."""
    plan = _of_chosen(plan)
    wrong = [*_unanswered(plan), *_misfits(plan)]
    if wrong:
        raise PlanRefused("the plan cannot be followed yet:\n" + "\n".join(f"  {one}" for one in wrong))
    answers = {f"?{one.name}": one.answer for one in plan.questions}
    settings = tuple(replace(one, value=answers.get(one.value, one.value)) for one in plan.settings)
    return replace(plan, tables=tuple(_filled(table, answers) for table in plan.tables), settings=settings)


def _of_chosen(plan: Plan) -> Plan:
    """Return the plan without the copies of a database that are not the one which programs use."""
    doomed = {name for question in plan.questions for name in left_behind(question)}
    return replace(
        plan,
        sources=tuple(one for one in plan.sources if one.name not in doomed),
        questions=tuple(one for one in plan.questions if one.name.partition(".")[0] not in doomed),
        tables=tuple(one for one in plan.tables if one.source not in doomed),
        views=tuple(one for one in plan.views if one.source not in doomed),
    )


def _unanswered(plan: Plan) -> Iterator[str]:
    for one in plan.questions:
        if not one.answer:
            yield f"question {one.name!r} has no answer: {one.asks}"
        elif one.answers and one.answer not in one.answers:
            yield f"question {one.name!r}: {one.answer!r} is none of {', '.join(one.answers)}"
        elif one.kind == "zone" and not is_zone(one.answer):
            yield f"question {one.name!r}: {one.answer!r} is no zone such as America/New_York or UTC"


def _misfits(plan: Plan) -> Iterator[str]:
    sources = {one.name for one in plan.sources}
    asked = {f"?{one.name}" for one in plan.questions}
    made = Counter((table.schema or plan.schema, table.name) for table in plan.tables if not table.existing)
    for (schema, name), times in made.items():
        if times > 1:
            yield f"table {schema}.{name} is made {times} times: give each its own name or schema"
    for table in plan.tables:
        place = f"table {table.name!r}"
        if table.source not in sources:
            yield f"{place}: there is no source {table.source!r}"
        columns = {column.name for column in table.columns}
        for named in (*table.key, *(one for key in table.foreign_keys for one in key.columns)):
            if named not in columns:
                yield f"{place}: there is no column {named!r}, which a key names"
        for column_name, times in Counter(_names(table)).items():
            if times > 1:
                yield f"{place}: column {column_name!r} stands there {times} times"
        for column in table.columns:
            yield from (f"{place}, column {column.name!r}: {one}" for one in _misfits_of(column.conversion, asked))


def _names(table: Table) -> Iterator[str]:
    for column in table.columns:
        yield from (name for name in (column.name, column.original, column.either) if name)


def _misfits_of(conversion: object, asked: set[str]) -> Iterator[str]:
    said: dict[str, Any] = msgspec.to_builtins(conversion)
    for name in (one for key in _ASKED if isinstance(one := said.get(key), str) and one.startswith("?")):
        if name not in asked:
            yield f"there is no question {name[1:]!r}"
    if isinstance(zone := said.get("zone"), str) and not zone.startswith("?") and not is_zone(zone):
        yield f"{zone!r} is no zone"
    formats = [*said.get("formats", ()), *(said[key] for key in ("date_format", "time_format") if key in said)]
    for one in formats:
        try:
            format_of(one)
        except ValueError as error:
            yield str(error)


def _filled(table: Table, answers: dict[str, str]) -> Table:
    columns = []
    for column in table.columns:
        changes: dict[str, Any] = {}
        for field in _ASKED:
            asked = getattr(column.conversion, field, None)
            if isinstance(asked, str) and asked in answers:
                changes[field] = answers[asked]
        columns.append(replace(column, conversion=replace(column.conversion, **changes)))
    return replace(table, columns=tuple(columns))


def questions_of(plan: Plan) -> tuple[Question, ...]:
    """Return those that have no answer."""
    return tuple(one for one in plan.questions if not one.answer)


def is_zone(name: str) -> bool:
    """Whether the IANA database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
