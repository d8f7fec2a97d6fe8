"""Compares what stands around the rows with the plan: columns, keys, constraints, indexes, references, sequences, views.

What the plan says is made once more, as a temporary table beside nobody's eyes, so that PostgreSQL itself says in its own words what it
must read in the catalogue; and each thing that the plan names must be among that. All of it is rolled back.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from db.migration.plan_words import ForeignKey, Plan, Table
from db.migration.snapshot import open_snapshot
from db.migration.target import columns_of, create, foreign_keys, keys, schema_of, schemas, views
from db.migration.verifying.existing import existing
from db.migration.verifying.words import Difference

_COLUMNS: Final = """SELECT 'column ' || attname, concat_ws(', ', format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'not null' END, CASE attidentity WHEN '' THEN NULL ELSE 'identity ' || attidentity::text END,
        CASE WHEN attcollation <> typcollation THEN 'collate ' || collname END,
        'default ' || pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_CONSTRAINTS: Final = """SELECT CASE contype WHEN 'p' THEN 'primary key' ELSE 'constraint ' || conname END,
        pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ', not validated' END
    FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c', 'x')"""
_INDEXES: Final = """SELECT 'index ' || relname, CASE WHEN indisunique THEN 'unique ' ELSE '' END
        || substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)$') || CASE WHEN indisvalid THEN '' ELSE ', not valid' END
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))"""
_REFERENCES: Final = """SELECT 'reference ' || conname, format('%%s -> %%s.%%s %%s, delete %%s, update %%s%%s%%s',
        (SELECT to_json(array_agg(attname::text ORDER BY nth)) FROM unnest(conkey) WITH ORDINALITY AS k(num, nth)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = num), nspname, relname,
        (SELECT to_json(array_agg(attname::text ORDER BY nth)) FROM unnest(confkey) WITH ORDINALITY AS k(num, nth)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = num), confdeltype, confupdtype,
        CASE WHEN condeferrable THEN ', deferrable' END, CASE WHEN NOT convalidated THEN ', not validated' END)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE conrelid = %s::regclass AND contype = 'f'"""
_ACTIONS: Final = {"NO ACTION": "a", "RESTRICT": "r", "CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d"}

Facts = dict[str, str]


def shape(connection: psycopg.Connection, plan: Plan, snapshots: dict[str, Path]) -> Iterator[Difference]:
    """Yield where what stands around the rows is not what the plan says, or, of tables that stood before, what those must be."""
    for number, table in enumerate(plan.tables):
        if table.existing:
            continue
        there = sql.Identifier(schema_of(plan, table), table.name)
        name = f"{schema_of(plan, table)}.{table.name}"
        if not _stands(connection, there):
            yield Difference(kind="missing table", table=name)
            continue
        yield from _compared(name, _expected(connection, plan, number), _facts(connection, there))
        yield from _sequence(connection, there, name, table, snapshots[table.source])
    yield from existing(connection, plan)
    yield from _views(connection, plan)


def _compared(table: str, expected: Facts, found: Facts) -> Iterator[Difference]:
    for what in sorted(expected.keys() | found.keys()):
        wanted, there = expected.get(what), found.get(what)
        if wanted != there:
            kind = f"missing {what}" if there is None else f"extra {what}" if wanted is None else what
            yield Difference(kind=kind, table=table, expected=wanted, found=there)


def _facts(connection: psycopg.Connection, table: sql.Identifier) -> Facts:
    name = table.as_string(connection)
    found: Facts = {}
    for query in (_COLUMNS, _CONSTRAINTS, _INDEXES, _REFERENCES):
        found |= dict(connection.execute(query, [name]).fetchall())
    order = [what.removeprefix("column ") for what in found if what.startswith("column ")]
    return found | {"order of columns": ", ".join(order)}


def _expected(connection: psycopg.Connection, plan: Plan, number: int) -> Facts:
    """Return what PostgreSQL would say of the table that the plan names."""
    table = plan.tables[number]
    scratch = sql.Identifier("pg_temp", "expected")
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(create(plan, number, sql.Identifier("expected"), temporary=True))
            for step in keys(plan, number, scratch):
                connection.execute(step.statement)
            facts = _facts(connection, scratch)
    except psycopg.Error as error:
        return {"plan": f"PostgreSQL does not take it: {error}"}
    facts |= {f"reference {key.name}": _reference(plan, table, key) for its, key in foreign_keys(plan) if its == number}
    named = [f"column {name}" for name, _ in columns_of(table)]
    named += [
        f"constraint {one.name}" if f"constraint {one.name}" in facts else f"index {one.name}" for one in table.uniques
    ]
    named += [f"constraint {one.name}" for one in table.checks] + [f"index {one.name}" for one in table.indexes]
    named += ["primary key"] if table.key else []
    # Each thing that the plan names must be there, whatever makes tables of a plan.
    return dict.fromkeys(named, "as the plan says") | facts


def _reference(plan: Plan, table: Table, key: ForeignKey) -> str:
    ours, theirs = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in (key.columns, key.references))
    schema = key.schema or schema_of(plan, table)
    deletes, updates = _ACTIONS[key.on_delete.upper()], _ACTIONS[key.on_update.upper()]
    deferred = ", deferrable" if key.deferrable else ""
    return f"{ours} -> {schema}.{key.table} {theirs}, delete {deletes}, update {updates}{deferred}"


def _sequence(
    connection: psycopg.Connection, there: sql.Identifier, name: str, table: Table, snapshot: Path
) -> Iterator[Difference]:
    """Yield a difference if the next id may have been given out already."""
    if table.sequence is None:
        return
    column = table.sequence.column
    found = connection.execute(
        "SELECT pg_get_serial_sequence(%s, %s)", [there.as_string(connection), column]
    ).fetchone()
    if found is None or found[0] is None:
        yield Difference(kind="missing sequence", table=name, column=column)
        return
    query = sql.SQL("SELECT last_value::numeric + is_called::int, (SELECT coalesce(max({}), 0) FROM {}) FROM {}")
    words = query.format(sql.Identifier(column), there, sql.SQL(found[0]))
    row = connection.execute(words).fetchone()
    assert row is not None
    following, highest = row
    highest = max(highest, table.sequence.at_least, _given_out(snapshot, table, column))
    if following <= highest:
        yield Difference(
            kind="sequence",
            table=name,
            column=column,
            expected=f"goes on above {highest}",
            found=f"goes on with {following}",
        )


def _given_out(snapshot: Path, table: Table, column: str) -> int:
    """Return the largest id of the source: of its rows, and of those that were deleted as far as SQLite remembers."""
    sources = next(one.sources for one in table.columns if one.name == column)
    with closing(open_snapshot(snapshot)) as connection:
        quoted = '"' + table.from_table.replace('"', '""') + '"'
        highest = 0
        if sources:
            name = '"' + sources[0].replace('"', '""') + '"'
            query = f"SELECT max({name}) FROM {quoted} WHERE typeof({name}) = 'integer'"
            highest = connection.execute(query).fetchone()[0] or 0
        try:
            remembered = connection.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = ?", [table.from_table]
            ).fetchone()
        except sqlite3.OperationalError:
            remembered = None
        return max(highest, remembered[0] if remembered and isinstance(remembered[0], int) else 0)


def _views(connection: psycopg.Connection, plan: Plan) -> Iterator[Difference]:
    path = sql.SQL(", ").join(map(sql.Identifier, schemas(plan)))
    sources = {(view.schema or plan.schema, view.name): view.sql for view in plan.views}
    for schema, name, _ in views(plan):
        there = sql.Identifier(schema, name)
        if not _stands(connection, there):
            yield Difference(kind="missing view", table=f"{schema}.{name}")
            continue
        query = "SELECT pg_get_viewdef('pg_temp.expected'::regclass), pg_get_viewdef(%s::regclass)"
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
                words = sql.SQL("CREATE TEMPORARY VIEW expected AS {}").format(sql.SQL(sources[schema, name]))
                connection.execute(words)
                row = connection.execute(query, [there.as_string(connection)]).fetchone()
        except psycopg.Error as error:
            row = (sources[schema, name], f"PostgreSQL: {error.diag.message_primary}")
        assert row is not None
        if row[0] != row[1]:
            yield Difference(kind="view", table=f"{schema}.{name}", expected=row[0].strip(), found=row[1].strip())


def _stands(connection: psycopg.Connection, name: sql.Identifier) -> bool:
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [name.as_string(connection)]).fetchone()
    return found == (True,)
