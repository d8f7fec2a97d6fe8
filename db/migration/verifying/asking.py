"""Runs each SELECT that an audit found on SQLite, and as it is translated on PostgreSQL.

They must give the same rows, in order where one is stated, and of the types that the program would see.

Placeholders get values out of the columns that they are compared with: the least, a middle one, the largest.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlglot import exp

from db.migration.cells import read_exactly
from db.migration.plan_words import Plan
from db.migration.sql import statements_in
from db.migration.target import schema_of
from db.migration.verifying.words import Asked, Difference
from db.migration.words import Audit, Statement

_ROWS_MAX: Final = 100_000
"""Of one answer, in memory on both sides."""
_LIMITS: Final = (exp.Limit, exp.Offset)
Row = tuple[object, ...]


def ask_both(connection: psycopg.Connection, plan: Plan, snapshots: dict[str, Path], audit: Audit) -> Asked:
    """Run every SELECT of an audit on both sides."""
    asked = Asked()
    seen: set[str] = set()
    for statement in audit.statements:
        if statement.operation != "SELECT" or statement.sql in seen:
            continue
        seen.add(statement.sql)
        place = f"{statement.file}:{statement.line}"
        found = _source_of(plan, snapshots, statement)
        if isinstance(found, str):
            asked.skipped.append(f"{place}: {found}")
            continue
        if statement.postgres is None:
            asked.differences.append(
                Difference(kind="a query that is not translated", table=place, expected=statement.sql)
            )
            continue
        source, path = found
        with closing(_opened(path)) as old:
            _ask(asked, connection, old, (place, plan, source, statement))
    return asked


def _source_of(plan: Plan, snapshots: dict[str, Path], statement: Statement) -> tuple[str, Path] | str:
    """Return name and snapshot of the source that has all tables of a statement; in words why there is none."""
    if statement.placeholders is None or statement.formatted:
        return "is not whole in the source code"
    wanted = {name.lower() for name in statement.reads}
    for source in plan.sources:
        has = {table.from_table.lower() for table in plan.tables if table.source == source.name}
        if wanted and wanted <= has:
            return source.name, snapshots[source.name]
    return f"no source of the plan has {', '.join(sorted(wanted)) or 'its tables'}"


def _opened(path: Path) -> sqlite3.Connection:
    return read_exactly(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True))


_Question = tuple[str, Plan, str, Statement]
"""The place, the plan, the source's name, the statement."""


def _ask(asked: Asked, new: psycopg.Connection, old: sqlite3.Connection, question: _Question) -> None:
    place, plan, source, statement = question
    assert statement.postgres is not None
    tree = statements_in(statement.sql)[0].tree
    schemas = dict.fromkeys(schema_of(plan, table) for table in plan.tables if table.source == source)
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    told: set[tuple[str, str | None, str | None]] = set()
    for parameters in _parameters(old, tree, statement):
        try:
            expected = old.execute(statement.sql, parameters).fetchmany(_ROWS_MAX + 1)
        except (sqlite3.Error, OverflowError) as error:
            asked.skipped.append(f"{place}: SQLite itself refuses it: {error}")
            return
        if len(expected) > _ROWS_MAX:
            asked.skipped.append(f"{place}: gives more than {_ROWS_MAX:,} rows")
            return
        try:
            with new.transaction(force_rollback=True):
                new.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
                new.execute("SET TRANSACTION READ ONLY")
                found = new.execute(statement.postgres, parameters or None).fetchall()
        except psycopg.Error as error:
            said = f"{type(error).__name__}: {error.diag.message_primary or error}"
            asked.differences.append(
                Difference(
                    kind="a query that PostgreSQL refuses", table=place, expected=f"{len(expected)} rows", found=said
                )
            )
            break
        for one in compared(place, expected, found, _ordered_by(tree)):
            # With other parameters it is the same difference once more.
            if (one.kind, one.key, one.column) not in told:
                told.add((one.kind, one.key, one.column))
                asked.differences.append(one)
    asked.run += 1


def compared(
    place: str, expected: Sequence[Row], found: Sequence[Row], ordered: tuple[int, ...] | None
) -> Iterator[Difference]:
    """Yield where two answers differ. ordered: the columns by which they must be sorted, empty where these are not among them; None: none."""
    types = _types(expected), _types(found)
    for number in sorted(types[0].keys() & types[1].keys()):
        if types[0][number] != types[1][number]:
            said = [", ".join(sorted(kinds[number])) for kinds in types]
            yield Difference(
                kind="type in a query", table=place, column=str(number + 1), expected=said[0], found=said[1]
            )
    left, more = Counter(map(_seen, expected)), Counter(map(_seen, found))
    missing, extra = sorted((left - more).elements(), key=repr), sorted((more - left).elements(), key=repr)
    for number in range(max(len(missing), len(extra))):
        yield Difference(
            kind="row of a query",
            table=place,
            key=f"row {number + 1} that differs",
            expected=repr(missing[number]) if number < len(missing) else None,
            found=repr(extra[number]) if number < len(extra) else None,
        )
    if ordered is None or missing or extra or list(map(_seen, expected)) == list(map(_seen, found)):
        return
    sorted_as = [[tuple(_seen(row)[number] for number in ordered) for row in rows] for rows in (expected, found)]
    if not ordered or sorted_as[0] != sorted_as[1]:
        first = next(number for number, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other)
        yield Difference(
            kind="order of a query",
            table=place,
            key=f"row {first + 1}",
            expected=repr(tuple(expected[first])),
            found=repr(tuple(found[first])),
        )


def _types(rows: Sequence[Row]) -> dict[int, set[str]]:
    kinds: dict[int, set[str]] = {}
    for row in rows:
        for number, value in enumerate(row):
            if value is not None:
                kinds.setdefault(number, set()).add(type(value).__name__)
    return kinds


def _seen(row: Row) -> Row:
    """Return a row so that two are equal only if their values are; types are told apart by `_types`."""
    return tuple(
        repr(value) if isinstance(value, float) else bytes(value) if isinstance(value, memoryview) else value
        for value in row
    )


def _ordered_by(tree: exp.Expr | None) -> tuple[int, ...] | None:
    """Return the columns of the answer that it is ordered by; empty where they are not among them; None if no order is stated."""
    order = tree.args.get("order") if isinstance(tree, exp.Query) else None
    if not isinstance(tree, exp.Query) or order is None:
        return None
    listed = [one.alias_or_name.lower() for one in tree.selects]
    found = []
    for one in order.expressions:
        key = one.this
        if isinstance(key, exp.Literal) and key.is_int:
            found.append(int(key.this) - 1)
        elif isinstance(key, exp.Column) and key.name.lower() in listed:
            found.append(listed.index(key.name.lower()))
        else:
            return ()
    return tuple(found)


def _parameters(
    old: sqlite3.Connection, tree: exp.Expr | None, statement: Statement
) -> Iterator[tuple[object, ...] | dict[str, object]]:
    """Yield values for the placeholders: first the least of each column, then middle ones, then the largest."""
    if not statement.placeholders or tree is None:
        yield ()
        return
    holders = list(tree.find_all(exp.Placeholder, bfs=False))
    choices = [_values(old, holder, statement.reads) for holder in holders]
    for number in range(max(map(len, choices), default=0)):
        values = [each[min(number, len(each) - 1)] for each in choices]
        if all(holder.sql(dialect="sqlite") != "?" for holder in holders):
            yield {holder.name: value for holder, value in zip(holders, values, strict=True)}
        else:
            yield tuple(values)


def _values(old: sqlite3.Connection, holder: exp.Placeholder, tables: Sequence[str]) -> list[object]:
    if holder.find_ancestor(*_LIMITS):
        return [5]
    clause = holder.parent
    while clause is not None and not isinstance(clause, exp.Predicate | exp.Between | exp.In):
        clause = clause.parent
    column = clause.find(exp.Column) if clause is not None else None
    for table in tables if column is not None else ():
        assert column is not None
        name, its = (f'"{one.replace(chr(34), chr(34) * 2)}"' for one in (column.name, table))
        try:
            (count,) = old.execute(f"SELECT count({name}) FROM {its}").fetchone()
            ordered = f"SELECT {name} FROM {its} WHERE {name} IS NOT NULL ORDER BY {name} LIMIT 1 OFFSET ?"
            found = (
                [old.execute(ordered, [place]).fetchone()[0] for place in sorted({0, count // 2, max(0, count - 1)})]
                if count
                else []
            )
        except sqlite3.OperationalError:
            continue
        return found or [1]
    return [1]
