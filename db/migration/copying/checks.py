"""What could refuse a copy, looked at before anything is written."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from db.migration.plan_words import Plan
from db.migration.target import arriving, columns_of, place_of, schemas


class CopyRefused(Exception):  # noqa: N818  # an outcome, not a fault
    """A copy cannot begin or go on. Its text says why and what to do."""


def demand_server(connection: psycopg.Connection) -> None:
    """Raise CopyRefused unless rows can be written here, and any text."""
    if _ask(connection, "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"):
        raise CopyRefused(
            "this PostgreSQL takes no writes: it is a standby, or the role's sessions are read-only; name the primary"
        )
    if (encoding := _ask(connection, "SHOW server_encoding")) != "UTF8":
        raise CopyRefused(
            f"the database's encoding is {encoding}, which does not hold every text: make one with ENCODING 'UTF8'"
        )


def demand_notes(connection: psycopg.Connection, plan: Plan) -> None:
    """Raise CopyRefused unless this role may read and write what copies note down, where an earlier one has made it."""
    schema = plan.quarantine
    if not _ask(connection, "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", schema):
        return
    who = _ask(connection, "SELECT current_user")
    may = "SELECT has_schema_privilege(%s, 'USAGE') AND has_schema_privilege(%s, 'CREATE')"
    if not _ask(connection, may, schema, schema):
        raise CopyRefused(f"role {who} may not work in schema {schema}, where copies are noted: work as its owner")
    query = """SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s))
        AND relkind = 'r' AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))"""
    if closed := _ask(connection, query, schema):
        raise CopyRefused(f"role {who} may not read and write {closed} of schema {schema}: work as their owner")


def demand_empty(connection: psycopg.Connection, plan: Plan) -> None:
    """Raise CopyRefused, with all reasons, unless everything that the plan makes has its place and its rights."""
    found = [*_rights(connection, plan), *_in_the_way(connection, plan)]
    if found:
        raise CopyRefused("nothing was copied:\n" + "\n".join(f"  {one}" for one in found))


def _rights(connection: psycopg.Connection, plan: Plan) -> Iterator[str]:
    who = _ask(connection, "SELECT current_user")
    if not _ask(connection, "SELECT has_database_privilege(current_database(), 'CREATE')"):
        database = _ask(connection, "SELECT current_database()")
        yield f"role {who} may not make a schema here: GRANT CREATE ON DATABASE {database} TO {who}, or work as one that may"
    for schema in schemas(plan):
        stands = _ask(connection, "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", schema)
        if stands and not _ask(connection, "SELECT has_schema_privilege(%s, 'CREATE')", schema):
            yield f"role {who} may make nothing in schema {schema}: GRANT CREATE ON SCHEMA {schema} TO {who}, or work as its owner"


def _in_the_way(connection: psycopg.Connection, plan: Plan) -> Iterator[str]:
    for schema in schemas(plan):
        if _ask(connection, "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", arriving(schema)):
            yield f"schema {arriving(schema)} stands already, and belongs to no copy that is known here: remove it, or name another target"
    made = {
        (place_of(plan, number).schema, table.name) for number, table in enumerate(plan.tables) if not table.existing
    }
    made |= {(view.schema or plan.schema, view.name) for view in plan.views if view.sql}
    for schema, name in sorted(made):
        if _ask(connection, "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text)) IS NOT NULL", schema, name):
            yield f"{schema}.{name} stands already: the target must be empty; remove it, or give the plan another schema"
    for number, table in enumerate(plan.tables):
        if table.existing:
            yield from _not_ready(connection, plan, number)


def _not_ready(connection: psycopg.Connection, plan: Plan, number: int) -> Iterator[str]:
    """Yield why a table that must stand already cannot take the rows."""
    place = place_of(plan, number)
    table = place.name.as_string(connection)
    if not _ask(connection, "SELECT to_regclass(%s) IS NOT NULL", table):
        yield f"{place.text} does not stand in the target, as the plan says it does: make it first (run.py db upgrade)"
        return
    if not _ask(
        connection, "SELECT has_table_privilege(%s, 'SELECT') AND has_table_privilege(%s, 'INSERT')", table, table
    ):
        yield f"this role may not read and write {place.text}"
        return
    query = "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    there = _ask(connection, query, table)
    assert isinstance(there, list)
    for name, _ in columns_of(plan.tables[number]):
        if name not in there:
            yield f"{place.text} has no column {name}"
    if connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(place.name)).fetchone() == (True,):
        yield f"{place.text} is not empty: the rows there would be mixed with those that come"


def _ask(connection: psycopg.Connection, query: str, *parameters: object) -> object:
    found = connection.execute(query, parameters or None).fetchone()
    assert found is not None
    return found[0]
