"""Open trades of the old system: what to type for each, or why nothing."""

from pathlib import Path

import pytest

from db.migration.plan_words import Adoption
from db.migration.ready_plan import ready_plan
from tests.db.migration.conftest import Making
from tests.db.migration.old_system import OLD_TRADES
from tests.house.source import ROOT

ACTIVE = """CREATE TABLE active_trades (id INTEGER PRIMARY KEY, trade_id INTEGER NOT NULL, date TEXT, time TEXT, side TEXT, buy_price REAL, position INTEGER,
    ticker TEXT, fees REAL, status TEXT DEFAULT 'active')"""
ROW = "INSERT INTO active_trades (trade_id, date, time, side, buy_price, position, ticker) VALUES (?, '2025-08-01', '15:10:00', 'N', 0.9, 5, 'KX-1')"
SHARED = ROOT.parent / "shared/data/sqlite"


def listed(*paths: Path) -> list[Adoption]:
    return list(ready_plan(paths, {"account": "a b"}, "watchkeeper").adoptions)


def test_a_row_that_is_held_is_told_with_what_it_says(making: Making) -> None:
    """Lesson 16: what is given by no answer stands in capitals; the entry is an instant."""
    (one,) = listed(making(ACTIVE, ROW, [7], "active_trades.db"))

    assert one.command == (
        "run.py trade adopt legacy-7 --account 'a b' --mode MODE --venue kalshi --ticker KX-1 --side no --quantity 5 "
        "--entry-price 0.9 --entry-ts 2025-08-01T19:10:00Z --fees 0 --stop RULE,SETTING=VALUE"
    )


def test_a_trade_that_stands_there_twice_is_not_adopted(making: Making) -> None:
    """Lesson 33."""
    found = listed(making(ACTIVE, ROW, [7, 7], "active_trades.db"))

    assert [(one.command, one.why) for one in found] == [
        ("", "trade 7 stands here 2 times: find out which row is true")
    ] * 2


def test_a_row_of_a_trade_that_has_ended_is_left_over(making: Making) -> None:
    """Lesson 16."""
    trades = making(OLD_TRADES, "DELETE FROM trades WHERE id = ?", [], "trades.db")
    active = making(ACTIVE, ROW, [1, 3], "active_trades.db")

    found = listed(trades, active)

    assert [bool(one.command) for one in found] == [False, True]
    assert found[0].why == "trade 1 is closed in trades: this row is left over"


def test_a_trade_that_both_hold_is_listed_once(making: Making) -> None:
    still_open = "INSERT INTO trades (id, date, time, strike, side, buy_price, position, status, ticker) VALUES (9, '2025-08-01', '15:10:00', '1', 'N', 0.9, 1, ?, 'KX')"
    trades = making(OLD_TRADES, still_open, ["open"], "trades.db")

    found = listed(trades, making(ACTIVE, ROW, [9], "active_trades.db"))

    assert [(one.table, bool(one.command)) for one in found] == [("trades", True), ("active_trades", False)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("status = 'pending'", "it is 'pending': look at the venue whether there is a position"),
        ("date = NULL", "not all of it can be read: a date without a time, or a time without a date"),
        ("date = '2025-11-02', time = '01:30:00'", "not all of it can be read: it says no time of entry, or one in an hour that the clock showed twice"),
        ("side = 'maybe'", "not all of it can be read: it says no side, no quantity or no ticker"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_for_certain_is_not_adopted(making: Making, change: str, why: str) -> None:
    script = f"{ACTIVE};{ROW.replace('?', '7')};UPDATE active_trades SET {change}"

    (one,) = listed(making(script, ROW, [], "active_trades.db"))

    assert (one.command, one.why) == ("", why)


def test_a_real_table_of_active_trades_is_told_row_by_row() -> None:
    path = SHARED / "rec_io_active_trades_a.db"
    if not path.exists():
        pytest.skip(f"the recorded database is not on this machine ({path})")

    found = listed(path)

    assert len(found) == 7
    assert [one.key for one in found if one.command] == ["id=167", "id=206", "id=303"]
