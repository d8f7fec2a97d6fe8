"""The ready plan for the old system: everything exactly, closed trades as Watchkeeper's own, preferences with what they meant."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from actors.rules.catalog import SETTINGS
from bus.messages.plain import from_json
from bus.messages.trades import Trade, TradeState
from db.migration import plan_file
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.moving import move
from db.migration.conversions.old_fills import Matched
from db.migration.plan_file import PlanRefused
from db.migration.plan_words import Plan, SettingMove, Table
from db.migration.preferences import FILES, PreferencesRefused, with_preferences
from db.migration.profile import batches
from db.migration.ready_plan import ready_plan
from db.migration.snapshot import open_snapshot
from db.migration.sqlite_schema import read_schema
from db.names import DatabaseNames
from tests.db.migration import old_system
from tests.db.migration.conftest import Making
from tests.db.migration.old_system import OLD_TRADES

ANSWERS = {"account": "old-1", "mode": "live"}


@pytest.fixture
def trades(making: Making) -> Path:
    still_open = "INSERT INTO trades (date, time, strike, side, buy_price, position, status) VALUES ('2025-08-01', '15:10:00', '117500', 'N', 0.9, 1, ?)"
    return making(OLD_TRADES, still_open, ("open",), name="trades.db")


def own(made: Plan, name: str) -> Table:
    return next(one for one in made.tables if one.existing and one.name == name)


def rows_of(path: Path, table: Table) -> list[dict[str, object]]:
    """Return what becomes of the rows that are meant."""
    with closing(open_snapshot(path)) as connection:
        source = next(one for one in read_schema(connection).tables if one.name == table.from_table)
        names = [*source.row_key, *(column.name for column in source.columns)]
        rows = [
            dict(zip(names, row, strict=True)) for batch in batches(connection, source, table.where) for row in batch
        ]
    return [
        {
            column.name: move(column, [row[name] for name in (*column.sources, *column.context)]).value
            for column in table.columns
        }
        for row in rows
    ]


def test_every_row_stands_in_an_exact_copy_beside_watchkeepers_own(trades: Path) -> None:
    made = ready_plan([trades], ANSWERS, "watchkeeper")

    assert [(one.schema, one.name, one.rows) for one in made.tables] == [
        ("trades", "trades", 3),
        ("watchkeeper", "accounts", 1),
        ("watchkeeper", "trades", 2),
    ]


def test_a_trade_that_never_held_anything_is_none_of_watchkeepers(trades: Path) -> None:
    with closing(sqlite3.connect(trades)) as connection:
        connection.execute("UPDATE trades SET position = 0 WHERE id = 2")
        connection.commit()

    assert own(ready_plan([trades], ANSWERS, "watchkeeper"), "trades").rows == 1


def test_every_source_column_is_restored_by_the_exact_copy(trades: Path) -> None:
    exact = ready_plan([trades], ANSWERS, "watchkeeper").tables[0]

    assert len({source for column in exact.columns for source in column.sources}) == 27


def test_what_is_known_of_the_old_clock_is_not_asked_but_can_be_changed(trades: Path) -> None:
    """Lesson 39"""
    made = ready_plan([trades], {}, "watchkeeper")

    assert {one.name: one.answer for one in made.questions} == {
        "trades.trades.date": "America/New_York",
        "account": "",
        "mode": "",
    }


def test_a_closed_trade_says_what_it_was(trades: Path) -> None:
    """Lesson 39: a closing time without a date takes that of its entry, or the next day's."""
    made = plan_file.answered(ready_plan([trades], ANSWERS, "watchkeeper"))

    first, second = (from_json(Trade, str(row["body"])) for row in rows_of(trades, own(made, "trades")))

    assert (first.trade_id, first.state, first.account, first.side, first.outcome) == (
        "legacy-1",
        TradeState.CLOSED,
        "old-1",
        "yes",
        "loss",
    )
    assert [
        str(one) for one in (first.quantity, first.entry_price, first.exit_price, first.fees, first.pnl, first.strike)
    ] == ["10", "0.95", "0.93", "0.07", "-0.27", "119500"]
    assert first.exit_ts is not None
    assert second.exit_ts is not None
    assert second.entry_ts is not None
    assert second.exit_ts - second.entry_ts == 15 * 60 * 10**9


def test_watchkeepers_own_table_takes_the_row(
    trades: Path, postgres_admin_dsn: str, postgres_names: DatabaseNames
) -> None:
    made = plan_file.answered(ready_plan([trades], ANSWERS, postgres_names.schema))

    with psycopg.connect(postgres_admin_dsn, dbname=postgres_names.database) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(postgres_names.schema)))
        for name in ("accounts", "trades"):
            for row in rows_of(trades, own(made, name)):
                names = sql.SQL(", ").join(map(sql.Identifier, row))
                places = sql.SQL(", ").join(sql.Placeholder() for _ in row)
                insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(name), names, places)
                connection.execute(insert, list(row.values()))
        found = connection.execute(
            "SELECT trade_id, exit_price::text, body ->> 'pnl' FROM trades ORDER BY 1"
        ).fetchall()
        connection.rollback()

    assert found == [("legacy-1", "0.93", "-0.27"), ("legacy-2", "1", "0.5")]


def test_a_plan_without_an_account_cannot_be_followed(trades: Path) -> None:
    with pytest.raises(PlanRefused, match="question 'account' has no answer"):
        plan_file.answered(ready_plan([trades], {}, "watchkeeper"))


def test_cents_of_the_venue_become_dollars(making: Making) -> None:
    path = making(
        "CREATE TABLE positions (id INTEGER PRIMARY KEY, ticker TEXT UNIQUE, position INTEGER, market_exposure INTEGER, last_updated_ts TEXT)",
        "INSERT INTO positions (ticker, position, market_exposure, last_updated_ts) VALUES (?, -3, 285, '2025-08-01T19:00:00Z')",
        ("KX-1",),
        name="positions.db",
    )
    made = plan_file.answered(ready_plan([path], ANSWERS, "watchkeeper"))

    assert str(rows_of(path, made.tables[0])[0]["market_exposure"]) == "2.85"
    assert [(row["side"], str(row["quantity"])) for table in made.tables[1:] for row in rows_of(path, table)] == [
        ("no", "3")
    ]


ORDERS = """CREATE TABLE orders (order_id TEXT, client_order_id TEXT, status TEXT, fill_count INTEGER, last_update_time TEXT, maker_fees INTEGER,
    taker_fees INTEGER)"""


def test_what_the_venue_said_of_an_order_is_said_in_our_words(making: Making) -> None:
    """Lesson 32: a word that is not in the list is refused."""
    insert = "INSERT INTO orders VALUES ('a', 'b', ?, 3, '2025-08-01T19:00:00.5Z', 0, 7)"
    made = plan_file.answered(
        ready_plan([making(ORDERS, insert, ["executed", "canceled", "resting"], "orders.db")], ANSWERS, "watchkeeper")
    )

    status = next(one for one in own(made, "reports").columns if one.name == "status")

    assert [move(status, [word]).value for word in ("executed", "canceled", "resting")] == [
        "filled",
        "cancelled",
        "accepted",
    ]
    with pytest.raises(Unconvertible):
        move(status, ["pending"])


def test_a_trade_that_has_not_ended_has_no_fills_of_its_own(tmp_path: Path) -> None:
    """Lesson 62: whatever stands in its other columns."""
    paths = old_system.build(tmp_path)
    with closing(sqlite3.connect(tmp_path / "trades.db")) as connection:
        connection.execute("UPDATE trades SET status = 'expired' WHERE id = 3")
        connection.commit()

    trade_id = own(ready_plan(paths, ANSWERS, "watchkeeper"), "fills").columns[0].conversion

    assert isinstance(trade_id, Matched)
    assert set(trade_id.matches.values()) == {"legacy-1"}
    assert len(trade_id.unmatched["its trade is none of those that become Watchkeeper's own"]) == 3


@pytest.mark.parametrize("table", ["fills", "orders", "active_trades", "price_log"])
def test_what_watchkeepers_own_tables_cannot_hold_is_said(making: Making, table: str) -> None:
    path = making(f"CREATE TABLE {table} (a TEXT)", f"INSERT INTO {table} VALUES (?)", ("x",))

    assert [one.kind for one in ready_plan([path], {}, "watchkeeper").not_moved] == ["rows"]


@pytest.fixture
def preferred(tmp_path: Path) -> Callable[[str, object], Plan]:
    """Read one preference file."""

    def run(name: str, held: object) -> Plan:
        (tmp_path / name).write_text(held if isinstance(held, str) else json.dumps(held))
        return with_preferences(Plan(schema="x", sources=()), [tmp_path / name], {})

    return run


STOPS = {
    "current_probability": 25,
    "min_ttc_seconds": 60,
    "momentum_spike_enabled": True,
    "momentum_spike_threshold": 35,
}


def test_a_preference_becomes_a_setting_with_its_old_meaning_beside_the_new(
    preferred: Callable[[str, object], Plan],
) -> None:
    made = preferred("auto_stop_settings.json", STOPS)

    assert {one.setting: one.value for one in made.settings} == {
        "probability.floor_percent": "25",
        "probability.min_age_s": "60",
        "momentum.enabled": "true",
        "momentum.threshold_percent": "0.35",
    }
    assert "compared with the age of the trade" in made.settings[1].meant


def test_a_missing_preference_is_asked_for_and_never_defaulted(preferred: Callable[[str, object], Plan]) -> None:
    made = preferred(
        "auto_stop_settings.json", {key: value for key, value in STOPS.items() if key != "min_ttc_seconds"}
    )

    assert [(one.name, one.answer) for one in made.questions] == [("settings.probability.min_age_s", "")]
    with pytest.raises(PlanRefused, match="has no min_ttc_seconds"):
        plan_file.answered(made)


def test_a_preference_that_watchkeeper_has_no_setting_for_is_kept_in_sight(
    preferred: Callable[[str, object], Plan],
) -> None:
    assert preferred("auto_entry_settings.json", {"min_time": 120}).settings == (
        SettingMove(
            file="auto_entry_settings.json", key="min_time", old="120", meant="of the old programs",
            means="Watchkeeper opens no trades by itself: give it to the service that does",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("auto_stop_settings.json", "{"),
        ("auto_stop_settings.json", [1]),
        ("other.json", {}),
        ("trade_preferences.json", {"auto_stop": "yes"}),
    ],
)
def test_a_preference_file_that_cannot_be_understood_is_refused(
    preferred: Callable[[str, object], Plan], name: str, held: object
) -> None:
    with pytest.raises(PreferencesRefused, match=name):
        preferred(name, held)


def test_every_preference_becomes_a_setting_that_there_is() -> None:
    assert {one.setting for keys in FILES.values() for one in keys.values()} <= SETTINGS.keys()
