"""SQL of a schema in PostgreSQL's words: defaults, conditions, parts of indexes, views; with the names of the target, or not at all."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

import sqlglot
from msgspec.structs import replace
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from db.migration.cells import Cell, cell_of
from db.migration.conversions.base import Either, Unconvertible, Value
from db.migration.conversions.instants import DateOnly, Epoch, Instant, TimeOnly
from db.migration.conversions.moving import move
from db.migration.plan_words import Column, View
from db.migration.sql import statements_in
from db.migration.sqlite_schema import quoted
from db.migration.target_names import target_name
from db.migration.translation import traits, translated

_LITERAL: Final = re.compile(
    r"\(?\s*('(?:[^']|'')*'|[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|NULL|TRUE|FALSE|X'[0-9A-Fa-f]*')\s*\)?",
    re.IGNORECASE,
)
_DOUBLE_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
_NOW: Final = "date_trunc('second', now())"
_IN_SQLITE: Final = {
    "CURRENT_TIMESTAMP": "YYYY-MM-DD HH24:MI:SS",
    "CURRENT_DATE": "YYYY-MM-DD",
    "CURRENT_TIME": "HH24:MI:SS",
}
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)
_NUMBERS: Final = ("bigint", "numeric", "double precision")
_PLAIN: Final = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Between,
    exp.In,
    exp.Is,
    exp.Null,
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Length,
    exp.Lower,
    exp.Upper,
    exp.Tuple,
)
"""What means the same in both, as long as the columns keep their types."""


def default_of(column: Column, default: str | None) -> tuple[str, str]:
    """Return the default as an expression of PostgreSQL, and if there is none although SQLite has one, why."""
    if default is None:
        return "", ""
    word = default.strip("() ").upper()
    if word in _IN_SQLITE or word == "DATETIME('NOW')":
        return _now(column, "CURRENT_TIMESTAMP" if word not in _IN_SQLITE else word)
    text = (
        _DOUBLE_QUOTED.sub(lambda found: "'" + found[1].replace("'", "''") + "'", default)
        if default.startswith('"')
        else default
    )
    found = _LITERAL.fullmatch(text)
    if found is None:
        return "", f"its default {default} is an expression of SQLite"
    said = found[1].upper()
    cell: Cell = (
        {"TRUE": 1, "FALSE": 0, "NULL": None}[said]
        if said in ("TRUE", "FALSE", "NULL")
        else cell_of(_canonical(found[1]))
    )
    if cell is None:
        return "", ""
    # A default has nothing beside it: what counts is its value, not how it was spelled.
    column = replace(column, original="original")
    for one in _as_stored(cell, column):
        try:
            return constant(move(column, (one,)).value), ""
        except (Unconvertible, IndexError):
            continue
    return "", f"its default {default} does not fit what it holds"


def _canonical(text: str) -> str:
    return "X" + text[1:].lower() if text[0] in "xX" else text.lstrip("+")


def _as_stored(cell: Cell, column: Column) -> tuple[Cell, ...]:
    """Return the cell as SQLite may have stored it: a number's text in a column of texts, and the other way round."""
    if isinstance(cell, int | float):
        return (cell, str(cell)) if column.type not in ("text", "json") else (str(cell),)
    return (cell,)


def _now(column: Column, word: str) -> tuple[str, str]:
    if isinstance(column.conversion, Instant):
        return _NOW, ""
    if isinstance(column.conversion, DateOnly | TimeOnly | Epoch):
        kept = {
            "date": "(now() AT TIME ZONE 'UTC')::date",
            "time": "date_trunc('second', now() AT TIME ZONE 'UTC')::time",
        }.get(column.type, "")
        return kept, "" if kept else f"its default {word} gives no number"
    if column.type == "text":
        return f"to_char(now() AT TIME ZONE 'UTC', '{_IN_SQLITE[word]}')", ""
    return "", f"its default {word} does not fit what it holds"


def constant(value: Value | Either) -> str:
    """Return a value as a constant of PostgreSQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case float():
            return f"'{value!r}'::double precision"
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case datetime() | date() | time():
            return f"'{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise TypeError(f"{value!r} is no constant")


def condition_of(sql: str, columns: Mapping[str, Column]) -> str | None:
    """Return a condition over one table's columns (by their lower source names) in PostgreSQL's words; None where that is not certain."""
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return None
    if not all(isinstance(node, _PLAIN) for node in tree.walk()):
        return None
    used = [columns.get(node.name.lower()) for node in tree.find_all(exp.Column)]
    if not all(column is not None and keeps_its_kind(column) for column in used):
        return None

    def renamed(node: exp.Expr) -> exp.Expr:
        is_column = isinstance(node, exp.Column)
        return exp.Column(this=exp.to_identifier(columns[node.name.lower()].name, quoted=True)) if is_column else node

    made = tree.transform(renamed)
    types = {column.name: {column.type} for column in columns.values()}
    return None if _misfit(made, types) else made.sql(dialect="postgres", unsupported_level=ErrorLevel.RAISE)


def keeps_its_kind(column: Column) -> bool:
    """Whether what is compared with it in SQLite can be compared with it in PostgreSQL: a number with a number, a text with a text."""
    return len(column.sources) == 1 and column.conversion.__struct_config__.tag in (
        "integer",
        "double",
        "numeric",
        "text",
        "blob",
    )


def view_in_target(sql: str, rename: Callable[[str], str], types: Mapping[str, set[str]]) -> tuple[str, str]:
    """Return the SELECT of a view in PostgreSQL's words, and why there is none.

    rename: a table's or view's name, with its schema. types: of all target columns of a name.
    """
    found = statements_in(sql)
    tree = found[0].tree if len(found) == 1 else None
    if not isinstance(tree, exp.Create) or not isinstance(tree.expression, exp.Query):
        return "", "it cannot be read"
    select = statements_in(tree.expression.sql(dialect="sqlite"))[0]
    if (said := translated(select)) is None:
        reasons = [f"{trait.what}: {trait.advice}" for trait in traits(select)]
        return "", "; ".join(reasons) or "it cannot be translated with certainty"
    try:
        made = sqlglot.parse_one(said, dialect="postgres")
    except SqlglotError:
        return "", "its translation cannot be read"
    commons = {one.alias.lower() for one in made.find_all(exp.CTE)}
    for node in list(made.find_all(exp.Identifier)):
        node.replace(exp.to_identifier(target_name(node.this), quoted=True))
    if why := _misfit(made, types):
        return "", why
    for table in list(made.find_all(exp.Table)):
        if table.name.lower() not in commons:
            whole = sqlglot.to_table(rename(table.name), dialect="postgres")
            table.set("this", whole.this)
            table.set("db", whole.args.get("db"))
    return made.sql(dialect="postgres"), ""


def _misfit(made: exp.Expr, types: Mapping[str, set[str]]) -> str:
    """Return what PostgreSQL refuses where SQLite converts silently: different kinds compared, texts added, numbers in lower case."""

    def families(column: exp.Expr) -> set[str]:
        return {"number" if kind in _NUMBERS else kind for kind in types.get(column.name, set())}

    for node in made.find_all(*_COMPARISONS, exp.Add, exp.Lower, exp.Upper, exp.Length):
        sides = [one.unnest() for one in node.iter_expressions()]
        columns = [(one, found) for one in sides if isinstance(one, exp.Column) and (found := families(one))]
        wanted = {"text" if one.is_string else "number" for one in sides if isinstance(one, exp.Literal)}
        if isinstance(node, exp.Add) and "text" in wanted:
            return "it adds texts with +, which SQLite takes for numbers: use || or numbers"
        if isinstance(node, exp.Lower | exp.Upper | exp.Length):
            wanted = {"text"}
        for column, found in columns:
            if any(kind != found_kind for kind in wanted for found_kind in found):
                return f"it takes {column.name}, which is {' or '.join(sorted(found))} now, for something else"
        if len(columns) > 1 and not set.intersection(*(found for _, found in columns)):
            return (
                f"it compares {' with '.join(column.name for column, _ in columns)}, which are of different types now"
            )
    return ""


def in_order(views: Sequence[View]) -> list[View]:
    """Return the views so that each comes after those that it reads; one that reads a view without a translation loses its own."""
    left, made = list(views), list[View]()
    while left:
        names = {one.name for one in left}
        ready = [one for one in left if not any(name != one.name and _reads(one, name) for name in names)]
        # A circle of views cannot be: SQLite reads it no more than PostgreSQL.
        for one in ready or left:
            lacks = next((other.name for other in made if not other.sql and _reads(one, other.name)), None)
            made.append(
                one
                if lacks is None
                else replace(one, sql="", note=f"it reads the view {lacks}, which is not translated")
            )
        left = [one for one in left if one not in ready] if ready else []
    return made


def _reads(view: View, name: str) -> bool:
    return f"{quoted(view.schema)}.{quoted(name)}" in view.sql


def parts_of_index(sql: str, columns: Mapping[str, Column]) -> tuple[tuple[str, ...], str] | None:
    """Return the parts and the condition of a CREATE INDEX with expressions or a WHERE; None where that is not certain."""
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return None
    index = tree.this if isinstance(tree, exp.Create) else None
    parameters = index.args.get("params") if isinstance(index, exp.Index) else None
    if parameters is None:
        return None
    parts = []
    for one in parameters.args.get("columns") or ():
        part = one.this if isinstance(one, exp.Ordered) else one
        said = condition_of(part.sql(dialect="sqlite"), columns)
        if said is None:
            return None
        parts.append(said if isinstance(part, exp.Column) else f"({said})")
    where = parameters.args.get("where")
    condition = condition_of(where.this.sql(dialect="sqlite"), columns) if where is not None else ""
    return None if condition is None or not parts else (tuple(parts), condition)
