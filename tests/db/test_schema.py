"""The schema, forward and back, and what it refuses whoever asks; on the embedded version and on Debian's 15."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors

from db import migrations
from db.access import Access
from db.embedded import EmbeddedPostgres
from db.errors import SchemaMismatch
from db.names import DatabaseNames
from db.store import PostgresStore
from tests.fixtures.postgres import (
    DEBIAN_BINARIES,
    LOGIN_PASSWORD,
    TEMPLATE,
    drop_database,
    fresh_database,
    throwaway_server,
)

TRADE = """
    INSERT INTO accounts VALUES ('paper-1', 'paper') ON CONFLICT DO NOTHING;
    INSERT INTO trades (trade_id, version, state, account, mode, venue, ticker, side, quantity, open_quantity, fees, pnl,
        settings_version, ts, body)
    VALUES ('t-1', 1, '{state}', 'paper-1', 'paper', 'paper', 'T', 'yes', {quantity}, 1, 0, 0, 1, '2025-07-16 17:00+00', '{{}}')
"""
FILL = """
    INSERT INTO fills (account, fill_id, trade_id, client_order_id, purpose, price, quantity, fees, ts)
    VALUES ('paper-1', '{fill_id}', 't-1', 't-1-entry-1', 'entry', {price}, {quantity}, {fees}, '2025-07-16 17:00+00')
"""
JOURNAL = """
    SELECT ensure_month('2025-07-16');
    INSERT INTO journal VALUES (1, 't-1', 1, NULL, 'open', 'test', '', '2025-07-16 17:00+00', '\\x00', sha256('x'));
"""


@pytest.fixture(scope="module", params=["embedded", "debian 15"])
def any_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """Each version of PostgreSQL that we promise to work with."""
    if request.param == "embedded":
        yield request.getfixturevalue("postgres_server")
        return
    if not (DEBIAN_BINARIES / "postgres").exists():
        pytest.skip(f"PostgreSQL 15 is not on this machine ({DEBIAN_BINARIES}): only the embedded version was tested")
    with throwaway_server(DEBIAN_BINARIES) as server:
        yield server


@pytest.fixture
def names(any_server: EmbeddedPostgres) -> Iterator[DatabaseNames]:
    names = fresh_database(any_server)
    yield names
    drop_database(any_server, names)


@pytest.fixture
def owner_dsn(any_server: EmbeddedPostgres, names: DatabaseNames) -> str:
    return migrations.for_database(any_server.admin_dsn, names.database)


@pytest.fixture
def own_admin(owner_dsn: str) -> Iterator[psycopg.Connection]:
    """The superuser, in the test's own database."""
    with psycopg.connect(owner_dsn, autocommit=True, options="-c search_path=watchkeeper") as connection:
        yield connection


@pytest.fixture(scope="module")
def standing(any_server: EmbeddedPostgres) -> Iterator[DatabaseNames]:
    """A database that no test changes for good."""
    names = fresh_database(any_server)
    yield names
    drop_database(any_server, names)


@pytest.fixture
def admin(any_server: EmbeddedPostgres, standing: DatabaseNames) -> Iterator[psycopg.Connection]:
    """The superuser, in a transaction that is rolled back: what stops it stops everybody."""
    dsn = migrations.for_database(any_server.admin_dsn, standing.database)
    with psycopg.connect(dsn, options="-c search_path=watchkeeper") as connection:
        yield connection
        connection.rollback()


def as_login(server: EmbeddedPostgres, names: DatabaseNames, role: str) -> psycopg.Connection:
    dsn = server.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    return psycopg.connect(dsn, autocommit=True, options=f"-c role={role} -c search_path=watchkeeper")


def test_every_step_goes_back_and_forward_again(owner_dsn: str, names: DatabaseNames) -> None:
    before = migrations.status(owner_dsn, names)

    taken = migrations.downgrade(owner_dsn, names)
    after = migrations.status(owner_dsn, names)
    migrations.upgrade(owner_dsn, names)

    assert taken == tuple(reversed(before.applied))
    assert after.pending == before.applied
    assert migrations.status(owner_dsn, names).fits


def test_nothing_is_left_behind_by_the_way_back(
    owner_dsn: str, names: DatabaseNames, own_admin: psycopg.Connection
) -> None:
    migrations.downgrade(owner_dsn, names)

    left = own_admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'watchkeeper'::regnamespace AND relname !~ 'yoyo'"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'watchkeeper'::regnamespace"
        " UNION SELECT typname FROM pg_type WHERE typnamespace = 'watchkeeper'::regnamespace AND typtype = 'd'"
    ).fetchall()
    assert left == []


def test_upgrading_twice_does_nothing_the_second_time(owner_dsn: str, names: DatabaseNames) -> None:
    assert migrations.upgrade(owner_dsn, names) == ()


def test_a_lock_row_of_a_killed_upgrade_stops_nobody(
    owner_dsn: str, names: DatabaseNames, own_admin: psycopg.Connection
) -> None:
    migrations.downgrade(owner_dsn, names, keep=6)
    own_admin.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 999999)")

    applied = migrations.upgrade(owner_dsn, names)

    assert applied[0] == "0007.months-and-guards"


def test_a_step_that_fails_leaves_nothing_and_is_not_noted(
    owner_dsn: str, names: DatabaseNames, own_admin: psycopg.Connection
) -> None:
    migrations.downgrade(owner_dsn, names, keep=4)
    own_admin.execute("CREATE TABLE settings_history (x integer)")

    with pytest.raises(errors.DuplicateTable):
        migrations.upgrade(owner_dsn, names)

    assert own_admin.execute("SELECT to_regclass('settings_layers')").fetchone() == (None,)
    assert migrations.status(owner_dsn, names).pending[0] == "0005.settings"


def test_a_schema_that_does_not_fit_is_told_with_what_to_do(owner_dsn: str, names: DatabaseNames) -> None:
    migrations.downgrade(owner_dsn, names, keep=6)

    with pytest.raises(SchemaMismatch, match="run `db upgrade`"):
        migrations.demand_fit(owner_dsn, names)


def test_roles_are_made_once_and_without_problems(
    any_server: EmbeddedPostgres, owner_dsn: str, names: DatabaseNames
) -> None:
    assert migrations.create(any_server.admin_dsn, names).roles == ()
    assert [role.problems for role in migrations.report_roles(owner_dsn, names)] == [(), (), (), ()]


def test_the_role_report_tells_a_right_too_many(
    owner_dsn: str, names: DatabaseNames, own_admin: psycopg.Connection
) -> None:
    own_admin.execute("GRANT DELETE ON fills TO rec_writer")

    problems = [problem for role in migrations.report_roles(owner_dsn, names) for problem in role.problems]

    assert problems == ["rec_writer may DELETE, TRUNCATE fills"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM inbox",
        "DELETE FROM stop_progress",
        "TRUNCATE outbox",
        "CREATE TABLE mine (x integer)",
        "CREATE TEMPORARY TABLE mine (x integer)",
        "DROP TABLE trades",
        "ALTER TABLE trades DISABLE TRIGGER ALL",
        "UPDATE fills SET price = 1",
        "UPDATE inbox SET digest = ''",
        "INSERT INTO _yoyo_migration (migration_hash) VALUES ('x')",
        "SET ROLE rec_admin",
    ],
)
def test_the_writer_may_not(any_server: EmbeddedPostgres, standing: DatabaseNames, statement: str) -> None:
    with as_login(any_server, standing, standing.writer) as writer, pytest.raises(errors.InsufficientPrivilege):
        writer.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO streams VALUES ('ORDERS', 'now')",
        "UPDATE leader SET epoch = 9",
        "SELECT * FROM leader FOR SHARE",
        "SELECT ensure_month('2025-07-16')",
        "DELETE FROM trades",
    ],
)
def test_the_reader_may_not(any_server: EmbeddedPostgres, standing: DatabaseNames, statement: str) -> None:
    with as_login(any_server, standing, standing.reader) as reader, pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement.encode())


def test_the_reader_reads_every_table(any_server: EmbeddedPostgres, standing: DatabaseNames) -> None:
    with as_login(any_server, standing, standing.reader) as reader:
        tables = [row[0] for row in reader.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'watchkeeper'")]

        assert [
            table for table in tables if reader.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() is None
        ] == []
        assert len(tables) > 20


def test_the_owner_cannot_log_in(any_server: EmbeddedPostgres, standing: DatabaseNames) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(any_server.dsn(standing.owner, LOGIN_PASSWORD, database=standing.database))


def test_nobody_gets_in_without_a_password(any_server: EmbeddedPostgres, standing: DatabaseNames) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(any_server.dsn(standing.login, "wrong", database=standing.database))


def test_a_stranger_sees_nothing(
    any_server: EmbeddedPostgres, names: DatabaseNames, own_admin: psycopg.Connection
) -> None:
    own_admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(any_server.dsn("stranger", "x", database=names.database))
    finally:
        own_admin.execute("DROP ROLE stranger")


@pytest.mark.parametrize("quantity", ["'NaN'", "'Infinity'", "'-Infinity'", "-1", "0"])
def test_a_trade_of_no_quantity_is_refused(admin: psycopg.Connection, quantity: str) -> None:
    """Fault 34"""
    with pytest.raises(psycopg.IntegrityError):
        admin.execute(TRADE.format(state="open", quantity=quantity).encode())


@pytest.mark.parametrize("price", ["'NaN'", "'Infinity'", "0", "-0.01"])
def test_a_fill_without_a_price_is_refused(admin: psycopg.Connection, price: str) -> None:
    """Fault 34"""
    admin.execute(TRADE.format(state="open", quantity=1).encode())

    with pytest.raises(psycopg.IntegrityError):
        admin.execute(FILL.format(fill_id="f", price=price, quantity=1, fees=0).encode())


def test_a_price_keeps_its_digits(admin: psycopg.Connection) -> None:
    """Fault 35"""
    admin.execute(TRADE.format(state="open", quantity=1).encode())
    admin.execute(FILL.format(fill_id="f", price="0.300000000000", quantity="0.10", fees="0.0000001").encode())

    stored = admin.execute("SELECT price::text, quantity::text, fees::text FROM fills").fetchone()

    assert stored == ("0.300000000000", "0.10", "0.0000001")


@pytest.mark.parametrize("state", ["rejected", "closed", "settled"])
def test_an_ended_trade_never_changes(admin: psycopg.Connection, state: str) -> None:
    """Lesson 37"""
    admin.execute(TRADE.format(state=state, quantity=1).encode())

    with pytest.raises(psycopg.IntegrityError, match="never changes"):
        admin.execute("UPDATE trades SET version = 2, pnl = 5")


def test_a_trade_changes_only_with_a_new_version(admin: psycopg.Connection) -> None:
    """Lesson 22"""
    admin.execute(TRADE.format(state="open", quantity=1).encode())

    with pytest.raises(psycopg.IntegrityError, match="gain a version"):
        admin.execute("UPDATE trades SET state = 'closed' WHERE ticker = 'T'")


@pytest.mark.parametrize("statement", ["DELETE FROM trades", "TRUNCATE trades CASCADE"])
def test_a_trade_is_never_deleted_not_even_by_the_superuser(admin: psycopg.Connection, statement: str) -> None:
    """Lesson 38"""
    admin.execute(TRADE.format(state="open", quantity=1).encode())

    with pytest.raises(psycopg.IntegrityError, match="stand for ever"):
        admin.execute(statement.encode())


@pytest.mark.parametrize("statement", ["UPDATE fills SET price = 0.9", "DELETE FROM fills", "TRUNCATE fills"])
def test_fills_are_append_only(admin: psycopg.Connection, statement: str) -> None:
    admin.execute(TRADE.format(state="open", quantity=1).encode())
    admin.execute(FILL.format(fill_id="f", price="0.5", quantity=1, fees=0).encode())

    with pytest.raises(psycopg.IntegrityError, match="stand for ever"):
        admin.execute(statement.encode())


@pytest.mark.parametrize("table", ["journal", "journal_202507"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET cause = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_journal_is_append_only_and_so_are_its_months(admin: psycopg.Connection, table: str, verb: str) -> None:
    admin.execute(JOURNAL.encode())

    with pytest.raises(psycopg.IntegrityError, match="stand for ever"):
        admin.execute(verb.format(table).encode())


def test_a_fill_counts_once_for_an_account(admin: psycopg.Connection) -> None:
    """Lesson 33"""
    admin.execute(TRADE.format(state="open", quantity=1).encode())
    admin.execute(FILL.format(fill_id="f", price="0.5", quantity=1, fees=0).encode())

    with pytest.raises(errors.UniqueViolation):
        admin.execute(FILL.format(fill_id="f", price="0.6", quantity=1, fees=0).encode())


def test_every_instant_is_a_timestamptz(admin: psycopg.Connection) -> None:
    """Lesson 39"""
    wrong = admin.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'watchkeeper'"
        " AND table_name !~ 'yoyo' AND (data_type IN ('timestamp without time zone', 'date', 'time without time zone')"
        " OR (column_name ~ '(_ts|_at|^ts|^since)$' AND data_type <> 'timestamp with time zone'))"
    ).fetchall()

    assert wrong == []


def test_no_column_holds_a_binary_fraction(admin: psycopg.Connection) -> None:
    """Lesson 63"""
    wrong = admin.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'watchkeeper' AND data_type IN ('real', 'double precision', 'money')"
    ).fetchall()

    assert wrong == []


def test_every_table_says_what_it_is(admin: psycopg.Connection) -> None:
    silent = admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'watchkeeper'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname !~ 'yoyo' AND obj_description(oid) IS NULL"
    ).fetchall()

    assert silent == []


def test_a_function_of_the_owners_has_a_fixed_search_path(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'watchkeeper'::regnamespace"
    ).fetchall()

    assert {name: config for name, config in rows if config != ["search_path=watchkeeper, pg_temp"]} == {}
    assert len(rows) >= 4


def test_other_names_work_as_well(any_server: EmbeddedPostgres) -> None:
    names = DatabaseNames(
        database="other", schema="other_schema", owner="o_admin", login="o_login", writer="o_writer", reader="o_reader"
    )
    migrations.create(any_server.admin_dsn, names, login_password="x")
    dsn = migrations.for_database(any_server.admin_dsn, names.database)
    try:
        migrations.upgrade(dsn, names)

        assert migrations.status(dsn, names).fits
        assert [role.problems for role in migrations.report_roles(dsn, names)] == [(), (), (), ()]
    finally:
        drop_database(any_server, names)


def test_an_installer_need_not_be_a_superuser(any_server: EmbeddedPostgres) -> None:
    names = DatabaseNames(database="modest", owner="m_admin", login="m_login", writer="m_writer", reader="m_reader")
    with psycopg.connect(any_server.admin_dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE installer LOGIN CREATEDB CREATEROLE PASSWORD 'x'")
    try:
        migrations.create(any_server.dsn("installer", "x", database="postgres"), names, login_password="x")
        migrations.upgrade(any_server.dsn("installer", "x", database="modest"), names)

        store = PostgresStore(Access(dsn=any_server.dsn("m_login", "x", database="modest"), names=names))
        store.open()
        assert store.take_lead(1, "test", 0)
        store.close()
    finally:
        drop_database(any_server, names)


def test_a_fresh_installation_needs_no_database_to_begin_with(any_server: EmbeddedPostgres) -> None:
    """Lesson 41"""
    names = replace(TEMPLATE, database="fresh")
    try:
        made = migrations.create(any_server.admin_dsn, names)
        migrations.upgrade(migrations.for_database(any_server.admin_dsn, names.database), names)

        assert made.database
        assert migrations.status(any_server.dsn(names.login, LOGIN_PASSWORD, database="fresh"), names).fits
    finally:
        drop_database(any_server, names)
