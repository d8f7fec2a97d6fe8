"""The four roles: who they are, what they may do, and whether that is so.

The owner has every table and no login. The writer adds rows and changes the few that may change: no DDL, no DELETE, no
TRUNCATE. The reader reads. The process logs in as the login, which is a member of writer and reader and nothing else.
"""

from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from db.names import DatabaseNames

CHANGEABLE: Final = (
    "trades",
    "orders",
    "outbox",
    "positions",
    "coverage",
    "stop_progress",
    "settings_layers",
    "leader",
    "streams",
    "system_state",
    "balances",
    "account_progress",
    "capsules",
)
"""Tables whose rows the writer may UPDATE; all others it may only add to."""

_DATABASE_GRANTS: Final = """
    REVOKE ALL ON DATABASE {database} FROM PUBLIC;
    GRANT CONNECT ON DATABASE {database} TO {writer}, {reader}, {login};
    GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {database} TO {owner};
"""
_SCHEMA_GRANTS: Final = """
    REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
    REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {writer}, {reader};
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC, {writer}, {reader};
    GRANT USAGE ON SCHEMA {schema} TO {writer}, {reader};
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO {writer};
    GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader};
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT, INSERT ON TABLES TO {writer};
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader};
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReport:
    """One role as it stands. problems: what differs from what it should be, in words; empty is good."""

    name: str
    purpose: str
    exists: bool
    may_log_in: bool
    member_of: tuple[str, ...]
    problems: tuple[str, ...]


def create_roles(
    connection: psycopg.Connection, names: DatabaseNames, *, login_password: str | None
) -> tuple[str, ...]:
    """Make the roles that are missing and return their names; a password given is set also on a login that exists.

    Raises: psycopg.errors.InsufficientPrivilege if this connection may not.
    """
    found = {
        row[0]
        for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(names.roles)])
    }
    missing = tuple(role for role in names.roles if role not in found)
    for role in missing:
        kind = sql.SQL("LOGIN" if role == names.login else "NOLOGIN")
        connection.execute(sql.SQL("CREATE ROLE {} {} INHERIT").format(sql.Identifier(role), kind))
    if login_password is not None:
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(names.login), sql.Literal(login_password))
        )
    if missing:
        connection.execute(sql.SQL("GRANT {writer}, {reader} TO {login}").format(**names.identifiers()))
        _join(connection, names)
    return missing


def _join(connection: psycopg.Connection, names: DatabaseNames) -> None:
    """Let whoever made the roles work as each of them; a superuser may anyway."""
    found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert found is not None
    if not found[0]:
        connection.execute(sql.SQL("GRANT {owner}, {writer}, {reader} TO CURRENT_USER").format(**names.identifiers()))


def grant_database(connection: psycopg.Connection, names: DatabaseNames) -> None:
    """Let the four roles, and nobody else, into the database. Run by its owner or a superuser."""
    connection.execute(sql.SQL(_DATABASE_GRANTS).format(**names.identifiers()))


def grant_schema(connection: psycopg.Connection, names: DatabaseNames) -> None:
    """Give writer and reader what they need of all tables that stand, and of those to come. Run as the owner."""
    connection.execute(sql.SQL(_SCHEMA_GRANTS).format(**names.identifiers()))
    standing = {
        row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [names.schema])
    }
    for table in CHANGEABLE:
        if table in standing:
            connection.execute(
                sql.SQL("GRANT UPDATE ON {} TO {}").format(
                    sql.Identifier(names.schema, table), sql.Identifier(names.writer)
                )
            )
    for table in standing:
        if "yoyo" in table:
            connection.execute(
                sql.SQL("REVOKE INSERT ON {} FROM {}").format(
                    sql.Identifier(names.schema, table), sql.Identifier(names.writer)
                )
            )
    if "journal" in standing:
        connection.execute(
            sql.SQL("GRANT EXECUTE ON FUNCTION {}.ensure_month(date) TO {}").format(
                sql.Identifier(names.schema), sql.Identifier(names.writer)
            )
        )


def report(connection: psycopg.Connection, names: DatabaseNames) -> tuple[RoleReport, ...]:
    """Return each role as it stands, with what is wrong with it."""
    return tuple(_report_one(connection, names, role) for role in names.roles)


def _report_one(connection: psycopg.Connection, names: DatabaseNames, role: str) -> RoleReport:
    purpose = {
        names.owner: "owns every table",
        names.writer: "adds rows, changes a few",
        names.reader: "reads",
        names.login: "login of the process",
    }[role]
    found = connection.execute(
        """
        SELECT rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication,
            ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1)
        FROM pg_roles r WHERE rolname = %s
        """,
        [role],
    ).fetchone()
    if found is None:
        return RoleReport(
            name=role,
            purpose=purpose,
            exists=False,
            may_log_in=False,
            member_of=(),
            problems=("is missing: run `db create`",),
        )
    may_log_in, is_mighty, member_of = found
    problems = [f"{role} has rights over the whole server: take them away"] if is_mighty else []
    if role == names.login and not may_log_in:
        problems.append(f"{role} cannot log in: ALTER ROLE {role} LOGIN")
    if role in (names.writer, names.reader):
        problems += _excess(connection, names, role)
    return RoleReport(
        name=role,
        purpose=purpose,
        exists=True,
        may_log_in=may_log_in,
        member_of=tuple(member_of),
        problems=tuple(problems),
    )


def _excess(connection: psycopg.Connection, names: DatabaseNames, role: str) -> list[str]:
    """Return what `role` may do to tables of the schema and should not."""
    forbidden = "DELETE, TRUNCATE" if role == names.writer else "INSERT, UPDATE, DELETE, TRUNCATE"
    rows = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND has_table_privilege(%s, c.oid, %s) ORDER BY 1
        """,
        [names.schema, role, forbidden],
    )
    return [f"{role} may {forbidden} {row[0]}" for row in rows]
