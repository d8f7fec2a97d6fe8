"""`run.py db`, against a real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from db.embedded import EmbeddedPostgres
from db.migrations import for_database
from db.names import DatabaseNames
from tests.cli.conftest import Type
from tests.fixtures.postgres import LOGIN_PASSWORD, TEMPLATE, drop_database

EMPTY = replace(TEMPLATE, database="watchkeeper_cli")


@pytest.fixture
def no_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The superuser's way to a database that does not exist; whatever was made there is dropped."""
    yield for_database(postgres_server.admin_dsn, EMPTY.database)
    drop_database(postgres_server, EMPTY)


def test_upgrade_needs_no_more_than_the_dsn(no_database: str, type_command: Type) -> None:
    upgraded = type_command("db", "upgrade", "--json", WATCHKEEPER_POSTGRES_DSN=no_database)
    status = type_command("db", "status", "--json")

    assert upgraded.code == 0
    assert upgraded.document["applied"] == status.document["applied"]
    assert status.document["fits"] is True
    assert status.code == 0


def test_upgrade_twice_applies_nothing_the_second_time(postgres_admin_dsn: str, type_command: Type) -> None:
    ended = type_command("db", "upgrade", "--json", WATCHKEEPER_POSTGRES_DSN=postgres_admin_dsn)

    assert ended.code == 0
    assert ended.document["applied"] == []


def test_downgrade_takes_every_step_back_and_status_says_so(postgres_admin_dsn: str, type_command: Type) -> None:
    down = type_command("db", "downgrade", "--json", WATCHKEEPER_POSTGRES_DSN=postgres_admin_dsn)
    status = type_command("db", "status", "--json")

    assert down.code == 0
    assert status.code == 1
    assert status.document["applied"] == []
    assert sorted(down.document["taken_back"]) == status.document["pending"]
    assert "run `run.py db upgrade`" in status.err


@pytest.mark.usefixtures("no_database")
def test_create_makes_the_database_and_keeps_what_stands(postgres_server: EmbeddedPostgres, type_command: Type) -> None:
    login_dsn = postgres_server.dsn(EMPTY.login, LOGIN_PASSWORD, database=EMPTY.database)
    environ = {"WATCHKEEPER_POSTGRES_DSN": login_dsn, "WATCHKEEPER_POSTGRES_ADMIN_DSN": postgres_server.admin_dsn}

    first = type_command("db", "create", "--json", **environ)
    second = type_command("db", "create", "--json", **environ)

    assert first.document == {"database": EMPTY.database, "made_database": True, "made_roles": []}
    assert second.document["made_database"] is False
    with psycopg.connect(login_dsn) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (EMPTY.database,)


def test_a_login_without_the_right_is_told_whom_to_ask(postgres_dsn: str, type_command: Type) -> None:
    ended = type_command("db", "upgrade", WATCHKEEPER_POSTGRES_DSN=postgres_dsn)

    assert ended.code == 1
    assert "WATCHKEEPER_POSTGRES_ADMIN_DSN" in ended.err


def test_the_roles_are_shown_with_what_is_wrong(
    postgres_dsn: str, postgres_names: DatabaseNames, type_command: Type
) -> None:
    ended = type_command("db", "roles", "--json", WATCHKEEPER_POSTGRES_DSN=postgres_dsn)

    assert ended.code == 0
    assert [role["role"] for role in ended.document["roles"]] == list(postgres_names.roles)


def test_a_server_that_is_away_ends_with_69_without_its_password(type_command: Type) -> None:
    ended = type_command("db", "status", WATCHKEEPER_POSTGRES_DSN="postgresql://user:canary@127.0.0.1:1/x")

    assert ended.code == 69
    assert "canary" not in ended.err


def test_a_schema_with_trades_is_not_thrown_away_in_passing(
    postgres_admin_dsn: str, type_command: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.commands._trades", lambda *_: 3)

    ended = type_command("db", "downgrade", WATCHKEEPER_POSTGRES_DSN=postgres_admin_dsn)

    assert ended.code == 1
    assert "3 trades" in ended.err
