"""Trades that the old system holds open: they are adopted, never copied. `run.py trade adopt` proves each against what the venue says.

A row of a database is a memory of the moment when its file was read; a trade that Watchkeeper took from it would be guarded, and closed,
with real money. So the plan says what to type for each, and which rows are none: those of trades that have ended, and those that stand there twice.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from db.migration.cells import Cell, literal
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import DateAndTime
from db.migration.conversions.old_trades import denoised
from db.migration.old_rows import SIDES, Row, rows
from db.migration.plan_words import Adoption, Table
from db.migration.snapshot import Snapshot

_HELD: Final = {"open", "active", "closing"}
"""In trades it is open, in active_trades active."""


def adoptions(
    trades: Table | None, active: Table | None, taken: Mapping[str, Snapshot], answers: Mapping[str, str], zone: str
) -> tuple[Adoption, ...]:
    """Return what is to be adopted, or why not, for each trade that one of the two tables holds open. answers: account and mode, if given."""
    listing = _Listing(answers, zone)
    found: list[Adoption] = []
    if trades is not None:
        found += listing.of_trades(trades, rows(taken, trades))
    if active is not None:
        found += listing.of_active(active, list(rows(taken, active)))
    return tuple(found)


class _Listing:
    """Lists trades. It remembers what trades says of each, for the rows of active_trades."""

    def __init__(self, answers: Mapping[str, str], zone: str) -> None:
        self._answers = answers
        self._zone = zone
        self._said: dict[Cell, str] = {}

    def of_trades(self, table: Table, read: Iterable[Row]) -> Iterator[Adoption]:
        """Yield the trades that are held, and those of which nobody knows."""
        for row in read:
            self._said[row["id"]] = str(row["status"])
            if row["status"] in _HELD:
                yield self._adoption(table, row, row["id"])
            elif row["status"] == "pending":
                yield _not(table, row, "its order was never confirmed: look at the venue whether it was filled")

    def of_active(self, table: Table, read: Sequence[Row]) -> Iterator[Adoption]:
        """Yield each row: it stands there for a trade, but nothing makes sure that it is one, or the only one."""
        times = Counter(row["trade_id"] for row in read)
        for row in read:
            number = row["trade_id"]
            said = self._said.get(number)
            if times[number] > 1:
                yield _not(
                    table, row, f"trade {literal(number)} stands here {times[number]} times: find out which row is true"
                )
            elif said in _HELD:
                yield _not(table, row, f"trade {literal(number)} is listed already, as trades has it")
            elif said is not None:
                yield _not(table, row, f"trade {literal(number)} is {said} in trades: this row is left over")
            elif row["status"] not in _HELD:
                yield _not(table, row, f"it is {literal(row['status'])}: look at the venue whether there is a position")
            else:
                yield self._adoption(table, row, number)

    def _adoption(self, table: Table, row: Row, number: Cell) -> Adoption:
        try:
            words = _words(row, number, self._answers, self._zone)
        except Unconvertible as error:
            return _not(table, row, f"not all of it can be read: {error.reason}")
        return Adoption(source=table.source, table=table.name, key=f"id={literal(row['id'])}", command=words)


def _not(table: Table, row: Row, why: str) -> Adoption:
    return Adoption(source=table.source, table=table.name, key=f"id={literal(row['id'])}", why=why)


def _words(row: Row, number: Cell, answers: Mapping[str, str], zone: str) -> str:
    entered = DateAndTime(zone=zone).convert((row["date"], row["time"]))
    if not isinstance(entered, datetime):
        raise Unconvertible("it says no time of entry, or one in an hour that the clock showed twice")
    side, quantity = SIDES.get(str(row["side"])), denoised(row["position"]).copy_abs()
    if side is None or not quantity or not row["ticker"]:
        raise Unconvertible("it says no side, no quantity or no ticker")
    fees = denoised(row["fees"]) if row.get("fees") is not None else Decimal(0)
    parts = {
        "account": answers.get("account", "ACCOUNT"),
        "mode": answers.get("mode", "MODE"),
        "venue": "kalshi",
        "ticker": str(row["ticker"]),
        "side": side,
        "quantity": f"{quantity:f}",
        "entry-price": f"{denoised(row['buy_price']):f}",
        "entry-ts": f"{entered.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "fees": f"{fees:f}",
        "symbol": str(row.get("symbol") or ""),
        "strategy": str(row.get("trade_strategy") or ""),
    }
    said = " ".join(f"--{name} {shlex.quote(value)}" for name, value in parts.items() if value)
    return f"run.py trade adopt legacy-{literal(number)} {said} --stop RULE,SETTING=VALUE"
