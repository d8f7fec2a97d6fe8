"""The inventories of four old systems, against counts by grep that were checked by reading.

rec_io_0008c12: 217 lines have `.execute(`, of which four are calls of Google Drive (backend/util/cloud_storage.py 92, 129, 149, 156).
polymarket_bot_f1972aca: three calls are written `_sqlite3.connect`, which grep finds as a part of a longer word.
"""

from collections.abc import Callable

import pytest

from db.migration.words import Audit

Legacy = Callable[[str], Audit]
TREES = ("rec_io_f179ebf1", "polymarket_bot_f1972aca", "funding_rate_arbitrage_c28cb10d", "rec_io_0008c12")


@pytest.mark.parametrize(
    ("tree", "files", "with_connections", "calls"),
    list(zip(TREES, (22, 43, 78, 88), (11, 5, 10, 21), (42, 8, 27, 83), strict=True)),
)
def test_the_connections_of_an_old_system_are_those_that_grep_counts(
    legacy: Legacy, tree: str, files: int, with_connections: int, calls: int
) -> None:
    found = legacy(tree)

    opened = [one for one in found.connections if one.how in ("direct", "aliased")]
    assert (found.files["python"], len({one.file for one in opened}), len(opened)) == (files, with_connections, calls)


@pytest.mark.parametrize(("tree", "lines"), list(zip(TREES, (88, 70, 21, 213), strict=True)))
def test_the_statements_of_an_old_system_stand_where_grep_finds_them(legacy: Legacy, tree: str, lines: int) -> None:
    found = legacy(tree)

    assert len({(one.file, one.line) for one in found.statements if one.executed and one.file.endswith(".py")}) == lines


@pytest.mark.parametrize("tree", TREES)
def test_every_query_of_an_old_system_tells_its_tables(legacy: Legacy, tree: str) -> None:
    found = legacy(tree)

    nameless = [one for one in found.statements if one.operation == "SELECT" and not one.reads]
    assert all("FROM pragma_table_info(" in one.sql for one in nameless)


@pytest.mark.parametrize("tree", TREES)
def test_every_file_of_an_old_system_is_read(legacy: Legacy, tree: str) -> None:
    assert legacy(tree).unread == ()


def test_every_program_of_the_old_supervisor_is_found_with_its_log_files(legacy: Legacy) -> None:
    found = legacy("rec_io_0008c12")

    programs = {one.function for one in found.paths if one.kind == "program" and one.file == "backend/supervisord.conf"}
    assert programs == {
        "main_app", "trade_manager", "trade_executor", "active_trade_supervisor", "auto_entry_supervisor", "btc_price_watchdog",
        "kalshi_account_sync", "kalshi_api_watchdog", "unified_production_coordinator", "cascading_failure_detector",
    }  # fmt: skip


def test_the_helpers_of_the_old_active_trade_supervisor_lead_to_its_two_databases(legacy: Legacy) -> None:
    found = legacy("rec_io_0008c12")

    targets = {
        one.through: one.target
        for one in found.connections
        if one.how == "helper" and one.file == "backend/active_trade_supervisor.py"
    }
    assert targets == {
        "backend.active_trade_supervisor.get_db_connection": "{get_active_trades_dir()}/active_trades.db",
        "backend.active_trade_supervisor.get_trades_db_connection": "{get_trade_history_dir()}/trades.db",
    }
