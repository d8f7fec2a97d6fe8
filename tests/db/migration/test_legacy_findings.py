"""What is wrong with an old system, against counts by grep that were checked by reading."""

from collections import Counter
from collections.abc import Callable

from db.migration.words import Audit

Legacy = Callable[[str], Audit]


def test_no_direct_connection_of_an_old_system_is_missed(legacy: Legacy) -> None:
    found = legacy("rec_io_0008c12")

    python = [one for one in found.findings if one.rule == "direct-sqlite" and one.file.endswith(".py")]
    assert len(python) == 83


def test_each_connection_that_an_old_system_shares_among_threads_is_found(legacy: Legacy) -> None:
    """Four lines have check_same_thread=False."""
    found = legacy("rec_io_0008c12")

    shared = Counter(one.file for one in found.findings if one.rule == "connection-across-threads")
    assert shared == {
        "archive/old_services/trade_manager_OLD.py": 1,
        "backend/active_trade_supervisor.py": 2,
        "backend/trade_manager.py": 1,
    }


def test_the_environment_that_did_not_reach_the_old_processes_is_found(legacy: Legacy) -> None:
    """TRADING_SYSTEM_HOST is passed to one of ten programs; the storage that backend/util/cloud_storage.py asks for is passed to none."""
    found = legacy("rec_io_0008c12")

    missing = {one.subject for one in found.findings if one.rule == "variable-not-passed"}
    assert {"TRADING_SYSTEM_STORAGE", "AUTH_ENABLED", "USE_WEBSOCKET_MARKET_DATA"} <= missing
    assert "TRADING_SYSTEM_HOST" not in missing
