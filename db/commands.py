"""`db create|upgrade|downgrade|status|roles`: the database, its schema and its roles.

Each works through WATCHKEEPER_POSTGRES_ADMIN_DSN where that is given, else through WATCHKEEPER_POSTGRES_DSN; whoever that is must
be allowed to. The database is the one that WATCHKEEPER_POSTGRES_DSN leads to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import msgspec
import psycopg
from cyclopts import App, Parameter
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from rich.console import RenderableType

from bus.messages.plain import to_json
from config.command_line import (
    TEXT,
    Exit,
    NoAnswer,
    Refused,
    ReportFlags,
    Reporting,
    WrongUse,
    complain,
    print_document,
)
from config.fields import mask_password
from config.pictures import card, show, table
from config.settings import ConfigurationError, Postgres, required
from db import migrations
from db.errors import ServerUnavailable
from db.names import DatabaseNames

app = App(name="db", help="Make the database, its schema and its roles, and look at them.")


class DatabaseMade(msgspec.Struct, frozen=True, kw_only=True):
    """What `db create --json` prints: what was missing and is there now."""

    database: str
    made_database: bool
    made_roles: tuple[str, ...]


class StepsApplied(msgspec.Struct, frozen=True, kw_only=True):
    """What `db upgrade --json` prints, in order."""

    applied: tuple[str, ...]


class StepsTakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """What `db downgrade --json` prints, in order."""

    taken_back: tuple[str, ...]


class SchemaStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What `db status --json` prints. unknown: steps of a newer program."""

    fits: bool
    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]


class RoleStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One role. problems: what differs from what it should be; empty is good."""

    role: str
    purpose: str
    exists: bool
    login: bool
    member_of: tuple[str, ...]
    problems: tuple[str, ...]


class RolesStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What `db roles --json` prints."""

    roles: tuple[RoleStanding, ...]


DOCUMENTS: Final[dict[str, type]] = {
    "db create": DatabaseMade,
    "db upgrade": StepsApplied,
    "db downgrade": StepsTakenBack,
    "db status": SchemaStanding,
    "db roles": RolesStanding,
}

_ADMIN: Final = "set WATCHKEEPER_POSTGRES_ADMIN_DSN to a login that may, such as the server's superuser"
_MISSING_DATABASE: Final = "3D000"


@app.command
def create(*, flags: ReportFlags = TEXT) -> Exit:
    """Make the database and the four roles, where they are missing. What stands is left as it is."""
    wanted = _wanted(flags)
    with answering():
        made = _create(wanted)
    document = DatabaseMade(database=names_of(wanted).database, made_database=made.database, made_roles=made.roles)
    return _say(flags, document, _made_picture(document))


@app.command
def upgrade(*, flags: ReportFlags = TEXT) -> Exit:
    """Bring the schema to what this program needs; makes the roles and the database first where they are missing."""
    wanted = _wanted(flags)
    names = names_of(wanted)
    with answering():
        if _lacks_database(wanted) or any(not role.exists for role in migrations.report_roles(_dsn(wanted), names)):
            _create(wanted)
        applied = migrations.upgrade(_dsn(wanted), names)
    return _say(flags, StepsApplied(applied=applied), table("Applied", ("step",), [(step,) for step in applied]))


@app.command
def downgrade(
    *,
    keep: Annotated[int, Parameter(help="How many steps stay applied.")] = 0,
    discard: Annotated[bool, Parameter(help="Throw away the trades that the schema holds.")] = False,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Take the newest steps of the schema back; what they hold is lost, so a schema with trades is left alone without --discard."""
    if keep < 0:
        raise WrongUse(f"--keep {keep}: must be 0 or more")
    wanted = _wanted(flags)
    names = names_of(wanted)
    with answering():
        trades = _trades(_dsn(wanted), names)
        if trades and not discard:
            raise Refused(f"the schema holds {trades} trades, which would be lost: back it up, then say --discard")
        taken = migrations.downgrade(_dsn(wanted), names, keep=keep)
    return _say(flags, StepsTakenBack(taken_back=taken), table("Taken back", ("step",), [(step,) for step in taken]))


@app.command
def status(*, flags: ReportFlags = TEXT) -> Exit:
    """Show how far the schema is. Exit 0: it is the one that this program needs. 1: it is not."""
    wanted = _wanted(flags)
    with answering():
        found = migrations.status(wanted.dsn or wanted.admin_dsn, names_of(wanted))
    facts = {"fits": found.fits, "applied": found.applied, "pending": found.pending, "unknown": found.unknown}
    _say(
        flags,
        SchemaStanding(fits=found.fits, applied=found.applied, pending=found.pending, unknown=found.unknown),
        card("Schema", facts),
    )
    if found.pending:
        complain("steps are missing: run `run.py db upgrade`")
    elif found.unknown:
        complain("the schema is newer than this program: take the newer program")
    return Exit.DONE if found.fits else Exit.NO


@app.command
def roles(*, flags: ReportFlags = TEXT) -> Exit:
    """Show the four roles, and whether each may do what it should and no more. Exit 1 if one does not."""
    wanted = _wanted(flags)
    with answering():
        found = migrations.report_roles(wanted.admin_dsn or wanted.dsn, names_of(wanted))
    document = RolesStanding(
        roles=tuple(
            RoleStanding(
                role=each.name,
                purpose=each.purpose,
                exists=each.exists,
                login=each.may_log_in,
                member_of=each.member_of,
                problems=each.problems,
            )
            for each in found
        )
    )
    _say(flags, document, _roles_picture(document))
    return Exit.NO if any(role.problems for role in found) else Exit.DONE


def _made_picture(made: DatabaseMade) -> RenderableType:
    said = {True: made.database, False: f"{made.database} stood already"}[made.made_database]
    return card("Made", {"database": said, "roles": ", ".join(made.made_roles) or "none was missing"})


def names_of(wanted: Postgres) -> DatabaseNames:
    """Return the names of this installation; the database is the one that the DSN leads to. Raises: ConfigurationError."""
    return DatabaseNames(
        database=str(_parts(wanted.dsn).get("dbname") or wanted.database),
        schema=wanted.schema,
        owner=wanted.owner_role,
        login=wanted.login_role,
        writer=wanted.writer_role,
        reader=wanted.reader_role,
    )


def into_database(flags: Reporting) -> str:
    """Return the way into the database of this installation, as whoever may change it. Raises: ConfigurationError."""
    return _dsn(_wanted(flags))


def _wanted(flags: Reporting) -> Postgres:
    settings = flags.settings()
    if not settings.postgres.admin_dsn:
        required(settings, "postgres.dsn")
    return settings.postgres


def _parts(dsn: str) -> dict[str, object]:
    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            "postgres.dsn is no PostgreSQL address: postgresql://user:password@host/database"
        ) from error


def _dsn(wanted: Postgres) -> str:
    """Return the way into the database itself, as whoever may change it."""
    return migrations.for_database(wanted.admin_dsn or wanted.dsn, names_of(wanted).database)


def _create(wanted: Postgres) -> migrations.Created:
    parts = _parts(wanted.dsn)
    password = parts.get("password") if parts.get("user") == wanted.login_role else None
    anywhere = wanted.admin_dsn or wanted.dsn
    if not wanted.admin_dsn and _lacks_database(wanted):
        anywhere = migrations.for_database(wanted.dsn, "postgres")
    return migrations.create(anywhere, names_of(wanted), login_password=None if password is None else str(password))


def _lacks_database(wanted: Postgres) -> bool:
    """Return whether the server says that the database does not exist; any other trouble is left to who works next."""
    try:
        psycopg.connect(_dsn(wanted), connect_timeout=wanted.connect_timeout_s).close()
    except psycopg.OperationalError as error:
        return error.sqlstate == _MISSING_DATABASE or "does not exist" in str(error)
    return False


def _trades(dsn: str, names: DatabaseNames) -> int:
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute("SELECT to_regclass(%s)", [f'"{names.schema}"."trades"']).fetchone()
        if found is None or found[0] is None:
            return 0
        counted = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(names.schema, "trades"))
        ).fetchone()
    return int(counted[0]) if counted else 0


def _roles_picture(standing: RolesStanding) -> RenderableType:
    rows = [
        (each.role, each.purpose, each.exists, each.login, ", ".join(each.member_of), "; ".join(each.problems))
        for each in standing.roles
    ]
    return table("Roles", ("role", "purpose", "exists", "login", "member of", "problems"), rows)


def _say(flags: Reporting, document: msgspec.Struct, picture: RenderableType) -> Exit:
    if flags.json:
        print_document(to_json(document))
    else:
        show(picture)
    return Exit.DONE


@contextmanager
def answering() -> Iterator[None]:
    """Turn what the server says into what a person can act on."""
    try:
        yield
    except (ServerUnavailable, psycopg.OperationalError) as error:
        raise NoAnswer(
            f"PostgreSQL does not take us ({mask_password(_words(error))}): start it, or correct the DSN"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(f"PostgreSQL does not allow it ({_words(error)}): {_ADMIN}") from error
    except psycopg.Error as error:
        raise Refused(f"PostgreSQL refused ({_words(error)}); nothing of that step stands") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
