"""The old system's databases, as its own programs wrote them: fills, orders, settlements and positions from what the venue told it
(recorded, beside the checkout), in the statements of its account sync; trades as its trade manager wrote those that belong to them."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.house.source import ROOT

ARCHIVES = ROOT.parent / "shared/data/kalshi_rec_io"
OLD_TRADES = """CREATE TABLE trades (id INTEGER PRIMARY KEY AUTOINCREMENT, date TEXT NOT NULL, time TEXT NOT NULL, strike TEXT NOT NULL, side TEXT NOT NULL,
    buy_price REAL NOT NULL, position INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'open', closed_at TEXT, contract TEXT, sell_price REAL, pnl REAL,
    symbol TEXT, market TEXT, trade_strategy TEXT, symbol_open INTEGER, momentum INTEGER, prob REAL, volatility REAL, symbol_close REAL, win_loss TEXT,
    ticker TEXT, fees INTEGER, entry_method TEXT DEFAULT 'manual', close_method TEXT, diff TEXT, ticket_id INTEGER);
    INSERT INTO trades VALUES (1, '2025-08-01', '15:10:00', '$119,500', 'Y', 0.95, 10, 'closed', '15:45:10', 'BTC 4pm', 0.9299999999999999, -0.27, 'BTC',
    'Kalshi', 'Hourly HTC', 119175.71, 3, 97.6, NULL, 119000.5, 'L', 'KXBTCD-25AUG0116-T119499.99', 0.07, 'manual', 'auto', '+3', 'TICKET-1'),
    (2, '2025-08-01', '23:50:00', '$119,500', 'no', 0.5, 1, 'closed', '00:05:00', 'BTC', 1.0, 0.5, 'BTC', 'Kalshi', 'Hourly HTC', 1, 3, 97.6, NULL, 1, 'W',
    'KXBTCD-25AUG0200-T119499.99', 0, 'manual', 'manual', '-2', 'TICKET-2')"""
_SCHEMAS = {
    "fills": """CREATE TABLE fills (trade_id TEXT PRIMARY KEY, ticker TEXT, order_id TEXT, side TEXT, action TEXT, count INTEGER, yes_price REAL,
        no_price REAL, is_taker BOOLEAN, created_time TEXT, raw_json TEXT)""",
    "orders": """CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT UNIQUE, user_id TEXT, ticker TEXT, status TEXT, action TEXT,
        side TEXT, type TEXT, yes_price INTEGER, no_price INTEGER, initial_count INTEGER, remaining_count INTEGER, fill_count INTEGER,
        created_time TEXT, expiration_time TEXT, last_update_time TEXT, client_order_id TEXT, order_group_id TEXT, queue_position INTEGER,
        self_trade_prevention_type TEXT, maker_fees INTEGER, taker_fees INTEGER, maker_fill_cost INTEGER, taker_fill_cost INTEGER, raw_json TEXT)""",
    "settlements": """CREATE TABLE settlements (id INTEGER PRIMARY KEY AUTOINCREMENT, ticker TEXT, market_result TEXT, yes_count INTEGER,
        yes_total_cost REAL, no_count INTEGER, no_total_cost REAL, revenue REAL, settled_time TEXT, raw_json TEXT)""",
    "positions": """CREATE TABLE positions (id INTEGER PRIMARY KEY AUTOINCREMENT, ticker TEXT UNIQUE, total_traded INTEGER, position INTEGER,
        market_exposure INTEGER, realized_pnl REAL, fees_paid REAL, last_updated_ts TEXT, raw_json TEXT)""",
}
_IN_CENTS = {
    "fills": ("yes_price", "no_price"),
    "settlements": ("yes_total_cost", "no_total_cost", "revenue"),
    "positions": ("realized_pnl", "fees_paid"),
}
"""What the account sync divides by 100."""
Closed = tuple[int, str, str, str, float, int, str, float, str, str]
"""id, date, time, side, buy_price, position, closed_at, sell_price, ticker, close_method."""
HOLDING: Sequence[Closed] = (
    (1, "2025-08-07", "09:45:10", "N", 0.94, 200, "10:00:00", 1.0, "KXBTCD-25AUG0710-T116999.99", "expired"),
    (2, "2025-08-06", "19:05:31", "N", 0.87, 1, "19:07:20", 0.79, "KXBTCD-25AUG0620-T115249.99", "manual"),
    (3, "2025-08-06", "19:08:22", "N", 0.85, 1, "19:08:53", 0.81, "KXBTCD-25AUG0620-T115249.99", "auto"),
    # Two that were open at the same time on one ticker, and one of a ticker that was traded twice in its time.
    (4, "2025-08-07", "10:11:47", "N", 0.98, 1, "10:23:27", 0.93, "KXBTCD-25AUG0711-T117249.99", "manual"),
    (5, "2025-08-07", "10:23:15", "N", 0.97, 1, "10:23:27", 0.93, "KXBTCD-25AUG0711-T117249.99", "manual"),
    (6, "2025-08-06", "17:14:19", "N", 0.66, 1, "17:15:49", 0.53, "KXBTCD-25AUG0618-T115249.99", "manual"),
)


def build(folder: Path, holding: Sequence[Closed] = HOLDING) -> list[Path]:
    """Make the five databases in this folder; returns their paths."""
    if not ARCHIVES.exists():
        pytest.skip(f"what the old system recorded is not on this machine ({ARCHIVES})")
    paths = [_trades(folder / "trades.db", holding)]
    for name, key in (
        ("fills", "fills"),
        ("orders", "orders"),
        ("settlements", "settlements"),
        ("positions", "market_positions"),
    ):
        rows = json.loads((ARCHIVES / f"archives_{name}.json").read_text())[key]
        paths.append(_synced(folder / f"{name}.db", name, rows))
    return paths


def _trades(path: Path, holding: Sequence[Closed]) -> Path:
    insert = """INSERT INTO trades (id, date, time, strike, side, buy_price, position, status, closed_at, sell_price, pnl, symbol, ticker, fees,
        win_loss, close_method) VALUES (?, ?, ?, '$115,250', ?, ?, ?, 'closed', ?, ?, 0.1, 'BTC', ?, 0.02, 'W', ?)"""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(OLD_TRADES.split(";", maxsplit=1)[0])
        connection.executemany(insert, holding)
        connection.execute(
            "INSERT INTO trades (id, date, time, strike, side, buy_price, position, status, ticker) VALUES "
            "(7, '2025-08-07', '10:48:58', '$116,750', 'N', 0.96, 200, 'open', 'KXBTCD-25AUG0711-T116749.99')"
        )
        connection.commit()
    return path


def _synced(path: Path, name: str, rows: Sequence[Mapping[str, object]]) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(_SCHEMAS[name])
        columns = [
            one for (one,) in connection.execute("SELECT name FROM pragma_table_info(?) WHERE name <> 'id'", [name])
        ]
        for row in rows:
            held = {**row, "raw_json": json.dumps(row)}
            for cents in _IN_CENTS.get(name, ()):
                held[cents] = float(str(row[cents])) / 100
            places = ",".join("?" * len(columns))
            connection.execute(
                f"INSERT INTO {name} ({','.join(columns)}) VALUES ({places})", [held.get(one) for one in columns]
            )
        connection.commit()
    return path
