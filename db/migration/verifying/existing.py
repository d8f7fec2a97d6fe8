"""Compares the tables that stood before a copy with what they must be: their columns, keys, constraints, indexes, references and guards.

Nobody made them of the plan. Watchkeeper's own are made once more of its schema's steps, in a schema that is rolled back; of any other
the plan says what there must be. What stands there beyond that, is the business of whom the table belongs to.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import psycopg
from psycopg import sql

from db.migration.plan_words import Plan
from db.migration.target import create, foreign_keys, keys, schema_of
from db.migration.verifying.words import Difference

_SCRATCH: Final = "watchkeeper_as_it_must_be"
_FACTS: Final = (
    """SELECT 'column ' || attname, concat_ws(', ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
            'default ' || pg_get_expr(adbin, adrelid),
            (SELECT string_agg(pg_get_constraintdef(c.oid), ', ' ORDER BY c.conname) FROM pg_constraint AS c WHERE contypid = atttypid))
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped""",
    """SELECT 'constraint ' || pg_get_constraintdef(oid, true), CASE WHEN NOT convalidated THEN 'not validated' ELSE 'stands' END
        FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c', 'x', 'f')""",
    """SELECT 'index ' || CASE WHEN indisunique THEN 'unique ' ELSE '' END || substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)$'),
            CASE WHEN NOT indisvalid THEN 'not valid' ELSE 'stands' END
        FROM pg_index WHERE indrelid = %s::regclass
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))""",
    """SELECT 'trigger ' || tgname, concat(pg_get_triggerdef(t.oid, true), ', whose text has the MD5 ',
            md5(prosrc), CASE tgenabled WHEN 'O' THEN '' ELSE ', disabled' END)
        FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = tgfoid WHERE tgrelid = %s::regclass AND NOT tgisinternal""",
)
"""What a table is, by what stands there: names of constraints and indexes are of no matter."""
_NAMES: Final = """(SELECT array_agg(attname::text ORDER BY nth) FROM unnest({keys}) WITH ORDINALITY AS k(num, nth)
    JOIN pg_attribute ON attrelid = {of} AND attnum = num)"""
_REFERENCE: Final = f"""SELECT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass AND confrelid = to_regclass(%s)
    AND {_NAMES.format(keys="conkey", of="conrelid")} = %s AND {_NAMES.format(keys="confkey", of="confrelid")} = %s)"""

Facts = dict[str, str]


def existing(connection: psycopg.Connection, plan: Plan) -> Iterator[Difference]:
    """Yield where a table that the plan did not make lacks something. Nothing is changed."""
    theirs = {
        (schema_of(plan, table), table.name): number for number, table in enumerate(plan.tables) if table.existing
    }
    made: dict[str, Mapping[str, Facts]] = {}
    for (schema, name), number in theirs.items():
        if not _stands(connection, schema, name):
            yield Difference(kind="missing table", table=f"{schema}.{name}")
            continue
        if _stands(connection, schema, "_yoyo_migration") and schema not in made:
            made[schema] = _watchkeepers(connection)
        found = _facts_in(connection, schema, [name])[name]
        wanted = made.get(schema, {}).get(name) or _of_plan(connection, plan, number)
        yield from _missing(f"{schema}.{name}", wanted, found)
    yield from _references(connection, plan)


def _missing(table: str, wanted: Facts, found: Facts) -> Iterator[Difference]:
    for what, said in sorted(wanted.items()):
        there = found.get(what)
        if there is None:
            yield Difference(kind=f"missing {what}", table=table)
        elif there != said:
            yield Difference(kind=what, table=table, expected=said, found=there)


def _watchkeepers(connection: psycopg.Connection) -> Mapping[str, Facts]:
    """Return what each of Watchkeeper's own tables must be, by its name."""
    # What it needs takes memory that the rows need.
    from db.migrations import statements  # noqa: PLC0415

    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCRATCH)))
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(_SCRATCH)))
        for step in statements():
            connection.execute(step)
        names = connection.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = %s", [_SCRATCH])
        return _facts_in(connection, _SCRATCH, [name for (name,) in names.fetchall()])


def _facts_in(connection: psycopg.Connection, schema: str, names: Iterable[str]) -> dict[str, Facts]:
    """Return the facts of tables, told as who works in their schema sees them: without its name."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(schema)))
        return {name: _facts(connection, sql.Identifier(schema, name)) for name in names}


def _facts(connection: psycopg.Connection, table: sql.Identifier) -> Facts:
    name = table.as_string(connection)
    found: Facts = {}
    for query in _FACTS:
        found |= dict(connection.execute(query, [name]).fetchall())
    return found


def _of_plan(connection: psycopg.Connection, plan: Plan, number: int) -> Facts:
    """Return what the plan says of a table, as PostgreSQL says it: keys, constraints and indexes. Its columns were demanded by copy."""
    scratch = sql.Identifier("pg_temp", "expected")
    with connection.transaction(force_rollback=True):
        connection.execute(create(plan, number, sql.Identifier("expected"), temporary=True))
        for step in keys(plan, number, scratch):
            connection.execute(step.statement)
        facts = _facts(connection, scratch)
    return {what: said for what, said in facts.items() if not what.startswith("column ")}


def _references(connection: psycopg.Connection, plan: Plan) -> Iterator[Difference]:
    """Yield the references of such tables that the plan names and nothing makes sure of."""
    for number, key in foreign_keys(plan):
        table = plan.tables[number]
        if not table.existing:
            continue
        schema = schema_of(plan, table)
        there = sql.Identifier(schema, table.name).as_string(connection)
        parent = sql.Identifier(key.schema or schema, key.table).as_string(connection)
        found = connection.execute(_REFERENCE, [there, parent, list(key.columns), list(key.references)]).fetchone()
        if found != (True,):
            said = f"({', '.join(key.columns)}) refers to {key.table} ({', '.join(key.references)})"
            yield Difference(kind="missing reference", table=f"{schema}.{table.name}", expected=said)


def _stands(connection: psycopg.Connection, schema: str, name: str) -> bool:
    there = sql.Identifier(schema, name).as_string(connection)
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", [there]).fetchone() == (True,)
