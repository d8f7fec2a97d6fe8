"""The schema's way forward and back: numbered SQL files in db/schema, applied by yoyo as the owner.

yoyo on its own applies a file in one transaction and notes it in another, and leaves its lock row behind after kill -9. Here a
file and its note are one transaction, on one connection that holds an advisory lock, which PostgreSQL gives back by itself.
"""

import socket
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from db import roles
from db.errors import SchemaMismatch, ServerUnavailable
from db.names import DatabaseNames

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from yoyo import read_migrations
    from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
    from yoyo.connections import parse_uri

_SCHEMA_FILES: Final = Path(__file__).parent / "schema"
_LOCK: Final = 7_201_533_001
"""Advisory lock: one process changes the schema at a time."""
_PATIENCE_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What `create` found missing and made."""

    database: bool
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStatus:
    """Which steps of the schema are applied and which are not, in order. unknown: applied by a newer program."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the database has exactly the schema that this program needs."""
        return not self.pending and not self.unknown


def create(admin_dsn: str, names: DatabaseNames, *, login_password: str | None = None) -> Created:
    """Make the roles and the database if they are missing. `admin_dsn` leads to any database of the server.

    Raises: ServerUnavailable, also when this login may not do it.
    """
    with _connected(admin_dsn) as connection:
        made = roles.create_roles(connection, names, login_password=login_password)
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [names.database]).fetchone()
        if found is None:
            words = "CREATE DATABASE {database} OWNER {owner} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            connection.execute(sql.SQL(words).format(**names.identifiers()))
        roles.grant_database(connection, names)
    return Created(database=found is None, roles=made)


def upgrade(dsn: str, names: DatabaseNames) -> tuple[str, ...]:
    """Bring the schema to what this program needs; return the steps applied, in order, none if all stood.

    dsn: leads to the database itself, as somebody who may work as the owner.
    Raises: ServerUnavailable; psycopg.Error when a step fails: nothing of that step stands then.
    """
    with _as_owner(dsn, names) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(**names.identifiers()))
        backend = _Steps(connection)
        steps = backend.to_apply(read_migrations(str(_SCHEMA_FILES)))
        for step in steps:
            with backend.transaction():
                backend.apply_one(step)
        roles.grant_schema(connection, names)
        return tuple(step.id for step in steps)


def downgrade(dsn: str, names: DatabaseNames, *, keep: int = 0) -> tuple[str, ...]:
    """Take the newest steps back until `keep` are left; return those taken back. What they hold is lost."""
    with _as_owner(dsn, names) as connection:
        backend = _Steps(connection)
        applied = list(backend.to_rollback(read_migrations(str(_SCHEMA_FILES))))
        doomed = applied[: max(0, len(applied) - keep)]
        for step in doomed:
            with backend.transaction():
                backend.rollback_one(step)
        return tuple(step.id for step in doomed)


def status(dsn: str, names: DatabaseNames) -> SchemaStatus:
    """Return how far the schema is; changes nothing, and needs no more than the reader's rights."""
    known = [step.id for step in read_migrations(str(_SCHEMA_FILES))]
    with _connected(dsn) as connection:
        table = sql.Identifier(names.schema, "_yoyo_migration")
        found = connection.execute("SELECT to_regclass(%s)", [table.as_string(connection)]).fetchone()
        if found is None or found[0] is None:
            return SchemaStatus(applied=(), pending=tuple(known))
        query = sql.SQL("SELECT migration_id FROM {} ORDER BY migration_id").format(table)
        applied = [row[0] for row in connection.execute(query)]
    return SchemaStatus(
        applied=tuple(applied),
        pending=tuple(step for step in known if step not in applied),
        unknown=tuple(step for step in applied if step not in known),
    )


def statements() -> tuple[str, ...]:
    """Return the SQL of each step, in order: run one after the other in an empty schema, they make the schema that this program needs."""
    files = (path for path in _SCHEMA_FILES.glob("*.sql") if not path.name.endswith(".rollback.sql"))
    return tuple(path.read_text("utf-8") for path in sorted(files))


def demand_fit(dsn: str, names: DatabaseNames) -> None:
    """Raises: SchemaMismatch, with what to do, unless the schema is the one that this program needs."""
    found = status(dsn, names)
    if found.pending:
        raise SchemaMismatch(f"schema steps are missing ({', '.join(found.pending)}): run `db upgrade`")
    if found.unknown:
        raise SchemaMismatch(
            f"the schema is newer than this program ({', '.join(found.unknown)}): take the newer program"
        )


def report_roles(dsn: str, names: DatabaseNames) -> tuple[roles.RoleReport, ...]:
    """Return the four roles as they stand."""
    with _connected(dsn) as connection:
        return roles.report(connection, names)


def for_database(dsn: str, database: str) -> str:
    """Return `dsn` leading to another database of the same server."""
    return make_conninfo(dsn, dbname=database)


@contextmanager
def _connected(dsn: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="watchkeeper db")
    except psycopg.OperationalError as error:
        raise ServerUnavailable(str(error).strip()) from error
    with connection:
        yield connection


@contextmanager
def _as_owner(dsn: str, names: DatabaseNames) -> Iterator[psycopg.Connection]:
    """Hold the only session that changes the schema."""
    with _connected(dsn) as connection:
        connection.execute(sql.SQL("SET ROLE {owner}").format(**names.identifiers()))
        connection.execute(sql.SQL("SET search_path = {schema}, pg_temp").format(**names.identifiers()))
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_PATIENCE_S}s"])
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield connection


class _Steps(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no hints
    """yoyo on one connection of ours, so that a step and its note are one transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._ours = connection
        super().__init__(parse_uri("postgresql+psycopg:///"), "_yoyo_migration")
        self.create_lock_table()
        # Whoever held it is dead: the advisory lock is ours.
        self.break_lock()
        self.ensure_internal_schema_updated()

    def connect(self, dburi: object) -> psycopg.Connection:  # noqa: ARG002  # yoyo's signature
        return self._ours

    def copy(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection open: it is not yoyo's."""

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, object]:  # noqa: ANN401  # yoyo's
        # yoyo's own asks the name server for this host's full name, which can take seconds.
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration and migration.id,
            "migration_hash": migration and migration.hash,
            "username": self._ours.info.user,
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }
