"""The figure of the move: the old system's table of trades, copied with its types converted and every row verified, beside pgloader."""

import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import psycopg

from db import migrations
from db.embedded import EmbeddedPostgres
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.numbers import Double, Integer, Numeric, TextNumber
from db.migration.conversions.texts import Text, Words
from db.migration.plan_file import write
from db.migration.plan_words import Column, Plan, Sequence, Source, Table
from tests.bench.documents import Migration
from tests.bench.process import ROOT, load_average

TARGET: Final = 3.0
RESIDENT_MIB_MAX: Final = 64.0
_ZONE: Final = "America/New_York"
_OTHER_FORMATS: Final = 0.02
"""Of closing times: most are a time of day, few say their date themselves."""
_READ_TOGETHER: Final = 1_000
TRADES: Final = """CREATE TABLE trades (
    id INTEGER PRIMARY KEY AUTOINCREMENT, date TEXT NOT NULL, time TEXT NOT NULL, strike TEXT NOT NULL, side TEXT NOT NULL,
    buy_price REAL NOT NULL, position INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'open', closed_at TEXT, contract TEXT,
    sell_price REAL, pnl REAL, symbol TEXT, market TEXT, trade_strategy TEXT, symbol_open REAL, momentum REAL, prob REAL,
    volatility REAL, symbol_close REAL, win_loss TEXT, ticker TEXT, fees REAL, entry_method TEXT DEFAULT 'manual', close_method TEXT)"""
"""As the old system has it (SPEC A.11)."""
REALS: Final = (
    "buy_price",
    "sell_price",
    "pnl",
    "symbol_open",
    "momentum",
    "prob",
    "volatility",
    "symbol_close",
    "fees",
)


def migration(rows: int = 100_000) -> Migration:
    """Copy and verify `rows` trades by the commands themselves; then let pgloader copy them, where it is installed."""
    load = load_average()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-") as folder, EmbeddedPostgres() as postgres:
        source = Path(folder) / "trades.db"
        make(source, rows)
        plan = Path(folder) / "plan.toml"
        plan.write_text(write(the_plan(source)))
        dsn = _database(postgres, "ours")
        text_per_s = _text_copy_per_s(dsn, source, min(rows, 100_000))
        copied, copy_s = _ours("copy", plan, dsn)
        verified, verify_s = _ours("verify", plan, dsn)
        assert verified["passed"], verified["differences"][:3]
        assert copied["copied"] == rows, "every row came"
        theirs = _pgloader(postgres, source) if shutil.which("pgloader") else None
    rows_per_s = rows / (copy_s + verify_s)
    ratio = None if theirs is None else round(rows_per_s / (rows / theirs["seconds"]), 2)
    resident_mib = max(copied["resident_mib"], verified["resident_mib"])
    return Migration(
        load=load,
        met=resident_mib <= RESIDENT_MIB_MAX and (ratio is None or ratio >= TARGET),
        rows=rows,
        text_per_s=text_per_s,
        copy_s=round(copy_s, 2),
        verify_s=round(verify_s, 2),
        start_s=round(copy_s - copied["seconds"] + verify_s - verified["seconds"], 2),
        rows_per_s=round(rows_per_s),
        resident_mib=resident_mib,
        changed=len(verified["differences"]),
        pgloader_per_s=None if theirs is None else round(rows / theirs["seconds"]),
        pgloader_mib=None if theirs is None else theirs["mib"],
        pgloader_changed=None if theirs is None else theirs["changed"],
        ratio=ratio,
    )


def make(path: Path, rows: int) -> None:
    """Make the old system's database: the same rows each time."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(TRADES)
        connection.executemany(f"INSERT INTO trades VALUES ({','.join('?' * 25)})", _trades(rows))
        connection.commit()


def _trades(rows: int) -> Iterator[tuple[object, ...]]:
    draw = random.Random(7)  # rows to measure with
    entered = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(1, rows + 1):
        entered += timedelta(seconds=draw.randrange(1, 60))
        entered = _shown(entered)
        closed = _shown(entered + timedelta(seconds=draw.randrange(3600)))
        buy, position, is_closed = draw.randrange(1, 99) / 100, draw.randrange(1, 500), draw.random() < 0.97
        sell = draw.choice((0.0, 1.0, draw.randrange(1, 99) / 100))
        fees, strike = round(0.07 * position * buy * (1 - buy), 2), draw.randrange(300) * 250 + 60_000
        shown = f"{closed:%Y-%m-%d %H:%M:%S}" if draw.random() < _OTHER_FORMATS else f"{closed:%H:%M:%S}"
        yield (
            *(number, f"{entered:%Y-%m-%d}", f"{entered:%H:%M:%S}", f"${strike:,}", draw.choice("YN"), buy, position),
            *("closed" if is_closed else "open", shown if is_closed else None, f"BTC {entered.hour % 12 + 1}pm"),
            *(
                sell if is_closed else None,
                round((sell - buy) * position - fees, 2) if is_closed else None,
                "BTC",
                "Kalshi",
            ),
            *("Hourly HTC", strike + draw.random() * 1000, draw.randrange(-40, 40) / 100, draw.randrange(1000) / 10),
            *(draw.random(), strike + draw.random() * 1000 if is_closed else None),
            *(
                ("W" if sell > buy else "L") if is_closed else None,
                f"KXBTCD-{entered:%y%b%d%H}-T{strike - 1}.99".upper(),
                fees,
            ),
            *(draw.choice(("manual", "auto")), draw.choice(("manual", "auto", "expired")) if is_closed else None),
        )


def _shown(clock: datetime) -> datetime:
    """Return a time that the clock of New York shows: it skips an hour of 2025, and a row with such a time would be quarantined."""
    return clock + timedelta(hours=clock.hour == 2 and (clock.month, clock.day) == (3, 9))


def the_plan(source: Path) -> Plan:
    """Return the plan: dates and times into instants, money into numeric, the rest as exactly as it stands."""
    texts = (
        "status",
        "contract",
        "symbol",
        "market",
        "trade_strategy",
        "win_loss",
        "ticker",
        "entry_method",
        "close_method",
    )
    columns = (
        Column(name="id", type="bigint", conversion=Integer(), sources=("id",), nullable=False),
        Column(
            name="entered_at",
            type="timestamptz",
            conversion=DateAndTime(zone=_ZONE),
            sources=("date", "time"),
            either="entered_or",
        ),
        Column(name="strike", type="numeric", conversion=TextNumber(dollar=True, commas=True), sources=("strike",)),
        Column(name="side", type="text", conversion=Words(words={"Y": "yes", "N": "no"}), sources=("side",)),
        Column(name="position", type="bigint", conversion=Integer(), sources=("position",)),
        Column(
            name="closed_at",
            type="timestamptz",
            conversion=ClosingTime(zone=_ZONE, formats=("YYYY-MM-DD hh:mm:ss",)),
            sources=("closed_at",),
            context=("date", "time"),
            either="closed_or",
            original="closed_at_original",
        ),
        *(Column(name=name, type="text", conversion=Text(), sources=(name,)) for name in texts),
        *(
            Column(name=name, type="numeric", conversion=Numeric(), sources=(name,))
            for name in ("buy_price", "sell_price", "pnl", "fees")
        ),
        *(
            Column(name=name, type="double precision", conversion=Double(), sources=(name,))
            for name in ("symbol_open", "momentum", "prob", "volatility", "symbol_close")
        ),
    )
    table = Table(
        source="old", from_table="trades", name="trades", columns=columns, key=("id",), sequence=Sequence(column="id")
    )
    return Plan(schema="moved", sources=(Source(name="old", path=str(source)),), tables=(table,))


def _database(server: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(server.admin_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return migrations.for_database(server.admin_dsn, name)


def _ours(verb: str, plan: Path, dsn: str) -> tuple[dict[str, Any], float]:
    """Run a command; return its document, and the seconds from its start to its end."""
    environment = os.environ | {"WATCHKEEPER_POSTGRES_DSN": dsn, "WATCHKEEPER_POSTGRES_ADMIN_DSN": dsn}
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "run.py", "migrate", verb, str(plan), "--json"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    return json.loads(ended.stdout), time.monotonic() - started


def _text_copy_per_s(dsn: str, source: Path, rows: int) -> int:
    """Return how many rows a second psycopg's COPY as text brings, without types and proof: the reference line."""
    with closing(sqlite3.connect(source)) as old, psycopg.connect(dsn, autocommit=True) as connection:
        names = [name for _, name, *_ in old.execute("PRAGMA table_info(trades)")]
        connection.execute(f"CREATE TABLE as_text ({', '.join(f'{name} text' for name in names)})")
        started = time.monotonic()
        with connection.cursor().copy("COPY as_text FROM STDIN") as copy:
            for row in islice(old.execute("SELECT * FROM trades"), rows):
                copy.write_row(row)
        taken_s = time.monotonic() - started
        connection.execute("DROP TABLE as_text")
    return round(rows / taken_s)


def _pgloader(server: EmbeddedPostgres, source: Path) -> dict[str, Any]:
    """Let pgloader copy the same file in its usual way: seconds, resident MiB, and how many values it changed."""
    dsn = _database(server, "theirs")
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    url = f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/theirs"
    started = time.monotonic()
    with subprocess.Popen(
        ["pgloader", f"sqlite://{source}", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    assert process.returncode == 0, "pgloader ended well"
    return {"seconds": seconds, "mib": round(used.ru_maxrss / 1024), "changed": _changed(dsn, source)}


def _changed(dsn: str, source: Path) -> int:
    """Return how many REAL values are another double in the target than in the source."""
    listed = ", ".join(REALS)
    changed = 0
    with closing(sqlite3.connect(source)) as old, psycopg.connect(dsn) as connection, connection.cursor("read") as new:
        new.itersize = _READ_TOGETHER
        new.execute(f"SELECT {', '.join(f'{name}::float8' for name in REALS)} FROM trades ORDER BY id")
        for ours, theirs in zip(old.execute(f"SELECT {listed} FROM trades ORDER BY id"), new, strict=True):
            changed += sum(_bits(one) != _bits(other) for one, other in zip(ours, theirs, strict=True))
    return changed


def _bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack(">d", value)
