"""Tables that stood before the copy: what they lack is a difference, whoever made them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from db import migrations
from db.embedded import EmbeddedPostgres
from db.migration.copying.copy import copy
from db.migration.plan_words import Check, ForeignKey, Index, Plan, Unique
from db.migration.ready_plan import ready_plan
from db.migration.verifying.rights import VerifyRefused
from db.migration.verifying.verify import verify
from db.migration.verifying.words import Verified
from tests.db.migration.conftest import Making
from tests.db.migration.copying.conftest import Silent
from tests.db.migration.old_system import OLD_TRADES
from tests.db.migration.plans import plain_plan
from tests.db.migration.test_ready_plan import ANSWERS
from tests.fixtures.postgres import drop_database, fresh_database


@pytest.fixture
def own(postgres_server: EmbeddedPostgres, making: Making, tmp_path: Path) -> Iterator[tuple[str, Plan, Path]]:
    """Closed trades in Watchkeeper's own schema: the way there, the plan, the folder of the snapshots."""
    names = fresh_database(postgres_server)
    dsn = migrations.for_database(postgres_server.admin_dsn, names.database)
    plan = ready_plan([making(OLD_TRADES, "DELETE FROM trades WHERE id = ?", [], "trades.db")], ANSWERS, names.schema)
    copy(plan, dsn, tmp_path / "kept", watching=Silent())
    yield dsn, plan, tmp_path / "kept"
    drop_database(postgres_server, names)


def told(found: Verified) -> list[tuple[str, str]]:
    return [(one.kind, one.table) for one in found.differences]


def verified_after(statement: str, there: tuple[str, Plan, Path]) -> Verified:
    dsn, plan, folder = there
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=watchkeeper") as connection:
        connection.execute(statement)
    return verify(plan, dsn, folder, watching=Silent())


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE trades DROP CONSTRAINT trades_legacy_id_key", "missing constraint UNIQUE (legacy_id)"),
        ("ALTER TABLE trades DROP CONSTRAINT trades_version_check", "missing constraint CHECK (version > 0)"),
        (
            "ALTER TABLE trades DROP CONSTRAINT trades_account_mode_fkey",
            "missing constraint FOREIGN KEY (account, mode) REFERENCES accounts(account, mode)",
        ),
        ("DROP INDEX trades_ticker", "missing index btree (ticker)"),
        (
            "DROP INDEX trades_live; CREATE INDEX trades_live ON trades (trade_id) WHERE state = 'open'",
            "missing index btree (trade_id) WHERE (state <> ALL (ARRAY['rejected'::text, 'closed'::text, 'settled'::text]))",
        ),
        ("ALTER TABLE trades ALTER venue DROP NOT NULL", "column venue"),
        ("ALTER TABLE trades ALTER pnl TYPE numeric", "column pnl"),
        ("ALTER TABLE trades DROP symbol", "missing column symbol"),
        ("ALTER DOMAIN dollars DROP CONSTRAINT dollars_check", "column pnl"),
        ("DROP TRIGGER refuse_delete ON trades", "missing trigger refuse_delete"),
        ("ALTER TABLE trades DISABLE TRIGGER guard_trade", "trigger guard_trade"),
        (
            "CREATE OR REPLACE FUNCTION guard_trade() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "trigger guard_trade",
        ),
    ],
)
def test_what_watchkeepers_own_table_lacks_is_a_difference(
    own: tuple[str, Plan, Path], statement: str, kind: str
) -> None:
    """Lesson 51."""
    assert (kind, "watchkeeper.trades") in told(verified_after(statement, own))


def test_a_table_of_watchkeepers_that_is_gone_is_a_difference(own: tuple[str, Plan, Path]) -> None:
    assert told(verified_after("DROP TABLE accounts CASCADE", own))[0] == ("missing table", "watchkeeper.accounts")


def test_an_index_that_its_owner_made_beside_is_none(own: tuple[str, Plan, Path]) -> None:
    assert verified_after("CREATE INDEX mine ON trades (venue)", own).passed


def test_looking_at_it_leaves_nothing_behind(own: tuple[str, Plan, Path]) -> None:
    schemas = "SELECT string_agg(nspname, ' ' ORDER BY 1) FROM pg_namespace WHERE nspname !~ '^pg_'"
    dsn, plan, folder = own
    with psycopg.connect(dsn) as connection:
        before = connection.execute(schemas).fetchone()

        verify(plan, dsn, folder, watching=Silent())

        assert connection.execute(schemas).fetchone() == before


STANDING = """CREATE SCHEMA moved; CREATE TABLE moved.groups (name text PRIMARY KEY); CREATE TABLE moved.people (id bigint PRIMARY KEY, name text,
    CONSTRAINT has_name CHECK (name <> ''), CONSTRAINT of_group FOREIGN KEY (name) REFERENCES moved.groups);
    CREATE UNIQUE INDEX one_name ON moved.people (lower(name)); CREATE INDEX by_name ON moved.people (name DESC)"""


@pytest.fixture
def theirs(postgres_server: EmbeddedPostgres, making: Making, tmp_path: Path) -> Iterator[tuple[str, Plan, Path]]:
    """A table of somebody's, of which the plan says what it must have."""
    names = fresh_database(postgres_server)
    dsn = migrations.for_database(postgres_server.admin_dsn, names.database)
    path = making("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO people (name) VALUES (?)", [])
    plan = plain_plan(path, folder=tmp_path)
    people = replace(
        plan.tables[0],
        existing=True,
        uniques=(Unique(name="u", parts=("(lower(name))",)),),
        checks=(Check(name="c", condition="name <> ''"),),
        indexes=(Index(name="i", parts=("name DESC",)),),
        foreign_keys=(ForeignKey(name="f", columns=("name",), table="groups", references=("name",)),),
    )
    plan = replace(plan, tables=(people,))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(STANDING)
    copy(plan, dsn, tmp_path / "kept", watching=Silent())
    yield dsn, plan, tmp_path / "kept"
    drop_database(postgres_server, names)


def test_a_table_that_has_what_the_plan_says_passes(theirs: tuple[str, Plan, Path]) -> None:
    assert told(verified_after("SELECT 1", theirs)) == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE moved.people DROP CONSTRAINT people_pkey", "missing constraint PRIMARY KEY (id)"),
        ("ALTER TABLE moved.people DROP CONSTRAINT has_name", "missing constraint CHECK (name <> ''::text)"),
        ("ALTER TABLE moved.people DROP CONSTRAINT of_group", "missing reference"),
        ("DROP INDEX moved.one_name", "missing index unique btree (lower(name))"),
        ("DROP INDEX moved.by_name", "missing index btree (name DESC)"),
    ],
)
def test_what_the_plan_says_and_the_table_lacks_is_a_difference(
    theirs: tuple[str, Plan, Path], statement: str, kind: str
) -> None:
    """Lesson 51."""
    assert told(verified_after(statement, theirs)) == [(kind, "moved.people")]


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        ("SELECT 1", "may not look into schema migration_quarantine: GRANT USAGE ON SCHEMA migration_quarantine TO nobody_much"),
        ("GRANT USAGE ON SCHEMA migration_quarantine TO nobody_much", "may not read migration_quarantine.rows: GRANT SELECT ON"),
        ("GRANT USAGE ON SCHEMA watchkeeper TO nobody_much", "may not read watchkeeper.trades: GRANT SELECT ON watchkeeper.trades TO nobody_much"),
        ("SELECT 1", "GRANT CREATE ON DATABASE"),
    ],
)  # fmt: skip
def test_a_role_that_may_not_look_is_told_what_it_lacks(
    own: tuple[str, Plan, Path], postgres_server: EmbeddedPostgres, granted: str, said: str
) -> None:
    dsn, plan, folder = own
    with psycopg.connect(dsn, autocommit=True) as connection:
        database = connection.info.dbname
        connection.execute("DROP ROLE IF EXISTS nobody_much")
        connection.execute("CREATE ROLE nobody_much LOGIN PASSWORD 'x'")
        connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO nobody_much')
        connection.execute(granted)

        with pytest.raises(VerifyRefused) as refused:
            verify(plan, postgres_server.dsn("nobody_much", "x", database=database), folder, watching=Silent())

        connection.execute("DROP OWNED BY nobody_much")
        connection.execute("DROP ROLE nobody_much")
    assert said in str(refused.value)
