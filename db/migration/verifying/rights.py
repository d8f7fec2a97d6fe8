"""Whether the role may look at everything that a verification looks at, before it begins."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from db.migration.plan_words import Plan
from db.migration.target import schema_of, schemas


class VerifyRefused(Exception):  # noqa: N818  # an outcome, not a fault
    """There is nothing to verify, or nothing that may be looked at. Its text says what to do."""


def demand_rights(connection: psycopg.Connection, plan: Plan) -> None:
    """Raise VerifyRefused, with all that is missing, unless the role may read what the plan names, and hold its tables against what they must be."""
    missing = list(_missing(connection, plan))
    if missing:
        raise VerifyRefused("nothing was verified:\n" + "\n".join(f"  {one}" for one in missing))


def _missing(connection: psycopg.Connection, plan: Plan) -> Iterator[str]:
    who, database = connection.execute("SELECT current_user, current_database()").fetchone() or ("", "")
    rights = ["TEMPORARY", *(["CREATE"] if any(table.existing for table in plan.tables) else [])]
    for right in rights:
        if not _may(connection, "has_database_privilege(current_database(), %s)", right):
            yield f"role {who} may make nothing to hold the tables against, not even for a moment: GRANT {right} ON DATABASE {database} TO {who}"
    hidden = [one for one in (plan.quarantine, *schemas(plan)) if _is_hidden(connection, one)]
    yield from (f"role {who} may not look into schema {one}: GRANT USAGE ON SCHEMA {one} TO {who}" for one in hidden)
    places = [(plan.quarantine, "runs"), (plan.quarantine, "rows")]
    places += [(schema_of(plan, table), table.name) for table in plan.tables]
    for schema, name in dict.fromkeys(places):
        there = sql.Identifier(schema, name).as_string(connection)
        if schema not in hidden and not _may(
            connection, "coalesce(has_table_privilege(to_regclass(%s), 'SELECT'), true)", there
        ):
            yield f"role {who} may not read {schema}.{name}: GRANT SELECT ON {schema}.{name} TO {who}"


def _is_hidden(connection: psycopg.Connection, schema: str) -> bool:
    stands = "coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s), true)"
    return not _may(connection, stands, schema)


def _may(connection: psycopg.Connection, words: str, *parameters: object) -> bool:
    return connection.execute(f"SELECT {words}", parameters).fetchone() == (True,)
