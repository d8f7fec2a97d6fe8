"""The old system's databases go the whole way into Watchkeeper's own tables, where these can hold them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db import migrations
from db.embedded import EmbeddedPostgres
from db.migration import plan_document
from db.migration.copying.copy import copy
from db.migration.documents import Copied
from db.migration.plan_words import Plan
from db.migration.ready_plan import ready_plan
from db.migration.verifying.verify import verify
from db.migration.verifying.words import Verified
from db.names import DatabaseNames
from tests.db.migration import old_system
from tests.db.migration.conftest import Making
from tests.db.migration.copying.conftest import Silent
from tests.fixtures.postgres import TEMPLATE, drop_database, fresh_database

ANSWERS = {"account": "old-1", "mode": "live"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The ready plan of all five databases; fills are named before the trades that they refer to."""
    paths = sorted(old_system.build(tmp_path_factory.mktemp("old")))
    return ready_plan(paths, ANSWERS, TEMPLATE.schema)


@pytest.fixture(scope="module")
def target(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The way into a database with Watchkeeper's empty schema."""
    names = fresh_database(postgres_server)
    yield migrations.for_database(postgres_server.admin_dsn, names.database)
    drop_database(postgres_server, names)


@pytest.fixture(scope="module")
def moved(made: Plan, target: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Copied, Verified]:
    """What copy and verify say."""
    folder = tmp_path_factory.mktemp("kept")
    return copy(made, target, folder, watching=Silent()), verify(made, target, folder, watching=Silent())


def asked(target: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(target, options="-c search_path=watchkeeper") as connection:
        return connection.execute(query).fetchall()


def test_every_row_arrives_or_stands_in_quarantine_and_is_taken_back(moved: tuple[Copied, Verified]) -> None:
    """Lesson 51."""
    copied, verified = moved

    assert [(one.kind, one.table, one.key, one.column, one.expected, one.found) for one in verified.differences] == []
    assert copied.rows == copied.copied + copied.quarantined


def test_real_fills_stand_with_the_trade_to_which_they_are_proven_to_belong(
    moved: tuple[Copied, Verified], target: str
) -> None:
    """Lesson 26, Lesson 62."""
    query = "SELECT trade_id, purpose, price::text, quantity::text, fees::text, ts::text FROM fills ORDER BY ts"

    assert moved[1].passed
    assert asked(target, query) == [
        ("legacy-3", "entry", "0.85", "1", "0.01", "2025-08-06 23:08:23.431064+00"),
        ("legacy-3", "close", "0.81", "1", "0.02", "2025-08-06 23:08:52.414487+00"),
        ("legacy-1", "entry", "0.94", "200", "0.79", "2025-08-07 13:45:10.15473+00"),
    ]


def test_a_fill_that_is_nobodys_stands_in_quarantine_with_the_reason(
    moved: tuple[Copied, Verified], target: str
) -> None:
    query = "SELECT reason, count(*) FROM migration_quarantine.rows GROUP BY 1 ORDER BY 1"

    assert moved[1].passed
    assert asked(target, query) == [
        ("2 trades of its ticker were open then", 2),
        ("an order of its trade has no client order id: no program of ours sent it", 2),
        ("its trade is none of those that become Watchkeeper's own", 1),
        ("no trade of its ticker was open then", 36),
        ("the fills of its trade do not add up to what that bought and closed", 4),
        ("while its trade was open, something was filled that may be another's", 2),
    ]


def test_what_the_venue_said_of_each_order_is_its_report(moved: tuple[Copied, Verified], target: str) -> None:
    query = "SELECT status, count(*), sum(cumulative_quantity)::text FROM reports GROUP BY 1"

    assert moved[1].passed
    assert asked(target, query) == [("filled", 43, "839")]


def test_whole_cents_of_orders_are_dollars(moved: tuple[Copied, Verified], target: str) -> None:
    query = "SELECT taker_fees::text, maker_fees::text, taker_fill_cost::text, no_price::text FROM orders.orders WHERE fill_count = 200 ORDER BY 1"

    assert moved[1].passed
    assert asked(target, query)[-1] == ("0.92", "0.00", "186.00", "0.01")


def test_settlements_and_positions_are_watchkeepers_own(moved: tuple[Copied, Verified], target: str) -> None:
    query = "SELECT (SELECT count(*) FROM settlements), (SELECT count(*) FROM positions), (SELECT sum(revenue)::text FROM settlements)"

    assert moved[1].passed
    assert asked(target, query) == [(50, 1, "2807")]


def test_an_open_trade_is_told_as_what_to_type(made: Plan) -> None:
    (one,) = made.adoptions

    assert one.command == (
        "run.py trade adopt legacy-7 --account old-1 --mode live --venue kalshi --ticker KXBTCD-25AUG0711-T116749.99 --side no "
        "--quantity 200 --entry-price 0.96 --entry-ts 2025-08-07T14:48:58Z --fees 0 --stop RULE,SETTING=VALUE"
    )


@pytest.mark.parametrize("name", ["fills", "orders", "trades", "positions"])
def test_the_document_says_what_watchkeepers_own_tables_do_not_take(made: Plan, name: str) -> None:
    assert f"| rows | {name} | not into Watchkeeper's own tables: " in plan_document.document(made)


def test_a_settlement_that_the_old_sync_wrote_twice_does_not_stop_the_copy(
    postgres_admin_dsn: str, postgres_names: DatabaseNames, tmp_path: Path, making: Making
) -> None:
    """Fault 60: its key stands there already: it is quarantined before Watchkeeper's own table refuses it. So is what no domain takes."""
    path = making(
        "CREATE TABLE settlements (ticker TEXT, market_result TEXT, revenue REAL, settled_time TEXT)",
        "INSERT INTO settlements VALUES ('KX', 'yes', 1.0, ?)",
        ["2025-08-01T19:00:00Z", "2025-08-01T19:00:00Z", "2025-08-02T19:00:00Z", "0025-08-01T19:00:00Z"],
        name="settlements.db",
    )
    plan = ready_plan([path], ANSWERS, postgres_names.schema)
    dsn = migrations.for_database(postgres_admin_dsn, postgres_names.database)

    done = copy(plan, dsn, tmp_path / "kept", watching=Silent())

    assert [(one.target, one.copied, one.quarantined) for one in done.tables] == [
        ("settlements.settlements", 4, 0),
        (f"{postgres_names.schema}.settlements", 2, 2),
    ]


def test_the_document_says_what_a_program_needs_to_be_granted(
    made: Plan, moved: tuple[Copied, Verified], target: str
) -> None:
    statements = plan_document.document(made).split("```sql\n")[1].split("```")[0].replace("ROLE", TEMPLATE.reader)
    may = f"SELECT has_table_privilege('{TEMPLATE.reader}', 'settlements.settlements', 'SELECT, INSERT')"

    with psycopg.connect(target) as connection:
        before = connection.execute(may).fetchone()
        connection.execute(statements)
        after = connection.execute(may).fetchone()
        connection.rollback()

    assert moved[1].passed
    assert (before, after) == ((False,), (True,))
