"""What `run.py check` asks of PostgreSQL: reachable, new enough, the right database and roles, its clock near ours.

A connection of its own, for a moment, before there is a Database actor: `check` runs in a process that does nothing else.
"""

import time
from collections.abc import Iterator
from typing import Final

import psycopg

from config.checks import Finding, fail, note, ok
from config.fields import mask
from config.settings import Postgres, Settings
from db import migrations
from db.commands import names_of
from db.errors import ServerUnavailable

VERSION_LEAST: Final = 150_000
SKEW_MS_MAX: Final = 1000

_FACTS: Final = """
    SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_database(), current_user,
           (SELECT oid FROM pg_database WHERE datname = current_database())::text,
           (extract(epoch FROM clock_timestamp()) * 1000)::bigint
"""
_ROLES: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
_MEMBER: Final = "SELECT pg_has_role(current_user, %s, 'MEMBER')"
_SERVER_ID: Final = "SELECT system_identifier::text FROM pg_control_system()"


def postgres_answers(settings: Settings) -> Iterator[Finding]:
    """Test PostgreSQL; nothing is changed there."""
    wanted = settings.postgres
    if not wanted.dsn:
        yield fail(
            "postgres",
            "no address: set WATCHKEEPER_POSTGRES_DSN, such as postgresql://rec_io_user:...@127.0.0.1/rec_io_db",
        )
        return
    try:
        with psycopg.connect(wanted.dsn, connect_timeout=wanted.connect_timeout_s, autocommit=True) as connection:
            yield from _ask(connection, wanted)
        yield schema_finding(migrations.status(wanted.dsn, names_of(wanted)))
    except ServerUnavailable as error:
        yield fail("schema", f"cannot be read ({_first_line(error)})")
    except psycopg.Error as error:
        yield fail(
            "postgres",
            f"{mask(wanted.dsn)} does not answer ({_first_line(error)}): start it, or correct WATCHKEEPER_POSTGRES_DSN",
        )


def _ask(connection: psycopg.Connection, wanted: Postgres) -> Iterator[Finding]:
    before_ms = time.time_ns() // 1_000_000
    facts = connection.execute(_FACTS).fetchone()
    assert facts is not None
    number, version, database, user, oid, theirs_ms = facts
    ours_ms = (before_ms + time.time_ns() // 1_000_000) // 2
    yield version_finding(number, version)
    yield _server_id(connection, database, oid)
    yield clock_finding(theirs_ms - ours_ms)
    yield from _roles(connection, wanted, user)


def version_finding(number: int, version: str) -> Finding:
    """Return whether the server is new enough; `number` as in `server_version_num`."""
    if number >= VERSION_LEAST:
        return ok("postgres", f"PostgreSQL {version} answers")
    return fail("postgres", f"PostgreSQL {version} is too old: 15 or newer is needed")


def schema_finding(found: migrations.SchemaStatus) -> Finding:
    """Return whether the schema is the one that this program needs."""
    if found.pending:
        return fail("schema", f"{', '.join(found.pending)} missing: run `run.py db upgrade`")
    if found.unknown:
        return fail("schema", f"newer than this program ({', '.join(found.unknown)}): take the newer program")
    return ok("schema", f"as this program needs it: {found.applied[-1]}")


def clock_finding(skew_ms: int) -> Finding:
    """Return whether the server's clock is near ours."""
    says = f"PostgreSQL's clock is {abs(skew_ms)} ms {'ahead of' if skew_ms > 0 else 'behind'} ours"
    if abs(skew_ms) <= SKEW_MS_MAX:
        return ok("clock", says)
    return fail("clock", f"{says}: let both machines keep time by NTP")


def _server_id(connection: psycopg.Connection, database: str, oid: str) -> Finding:
    try:
        found = connection.execute(_SERVER_ID).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return note("database", f"{database}, database id {oid}; the server does not tell its own id to this user")
    return ok("database", f"{database}, server id {found[0] if found else '?'}, database id {oid}")


def _roles(connection: psycopg.Connection, wanted: Postgres, user: str) -> Iterator[Finding]:
    names = [wanted.owner_role, wanted.login_role, wanted.writer_role, wanted.reader_role]
    found = {row[0] for row in connection.execute(_ROLES, [names])}
    if missing := [name for name in names if name not in found]:
        yield fail("roles", f"{', '.join(missing)} missing: run `run.py db create` with WATCHKEEPER_POSTGRES_ADMIN_DSN")
        return
    yield ok("roles", ", ".join(names))
    member = connection.execute(_MEMBER, [wanted.writer_role]).fetchone()
    if member is None or not member[0]:
        yield fail(
            "roles",
            f"{user} may not work as {wanted.writer_role}: log in as {wanted.login_role}, or run `run.py db create`",
        )
    else:
        yield ok("roles", f"{user} works as {wanted.writer_role}")


def _first_line(error: Exception) -> str:
    return mask(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
