"""Rows of the old system's tables, read from snapshots while a plan is made: what one table alone does not tell."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Final

from db.migration.cells import Cell, literal
from db.migration.conversions.base import Either, Unconvertible, Value
from db.migration.conversions.instants import ClosingTime, DateAndTime, Instant
from db.migration.conversions.moving import move
from db.migration.conversions.old_trades import denoised
from db.migration.matching import OldFill, OldOrder, OldTrade
from db.migration.plan_words import Table
from db.migration.profile import batches
from db.migration.snapshot import Snapshot, open_snapshot
from db.migration.sqlite_schema import read_schema

Row = dict[str, Cell]
VENUE_TIMES: Final = (*(f"YYYY-MM-DDThh:mm:ss.{'f' * digits}Z" for digits in range(6, 0, -1)), "YYYY-MM-DDThh:mm:ssZ")
"""How the venue spells instants: without the zeros at their end."""
SIDES: Final = {"Y": "yes", "N": "no", "yes": "yes", "no": "no"}


def rows(taken: Mapping[str, Snapshot], table: Table) -> Iterator[Row]:
    """Yield each row of the table's source by the names of its columns."""
    with closing(open_snapshot(taken[table.source])) as connection:
        source = next(one for one in read_schema(connection).tables if one.name == table.from_table)
        names = [*source.row_key, *(column.name for column in source.columns)]
        for batch in batches(connection, source, ""):
            for cells in batch:
                yield dict(zip(names, cells, strict=True))


def old_trades(taken: Mapping[str, Snapshot], table: Table, own: Table | None, zone: str) -> Iterator[OldTrade]:
    """Yield every trade. own: the table that makes some of them Watchkeeper's own."""
    entry = DateAndTime(zone=zone)
    exit_column = next((one for one in own.columns if one.name == "exit_ts"), None) if own is not None else None
    closing_time = exit_column.conversion if exit_column is not None else ClosingTime(zone=zone)
    for row in rows(taken, table):
        closed = _tried(closing_time, (row.get("closed_at"), row["date"], row["time"]))
        yield OldTrade(
            trade_id=f"legacy-{literal(row['id'])}",
            ticker=str(row["ticker"]),
            side=SIDES.get(str(row["side"]), ""),
            quantity=_amount(row["position"]),
            opened=_first(_tried(entry, (row["date"], row["time"]))),
            closed=_last(closed),
            is_own=own is not None and row["status"] == "closed" and _moves(own, row),
            expired=row.get("close_method") == "expired",
        )


def old_fills(taken: Mapping[str, Snapshot], table: Table) -> Iterator[OldFill | str]:
    """Yield every fill; the id alone of one that does not say all that it must."""
    for row in rows(taken, table):
        when = _first(_tried(Instant(formats=VENUE_TIMES), (row["created_time"],)))
        quantity = _amount(row["count"])
        if when is None or quantity <= 0 or row["side"] not in ("yes", "no"):
            yield str(row["trade_id"])
            continue
        yield OldFill(
            fill_id=str(row["trade_id"]),
            order_id=str(row["order_id"]),
            ticker=str(row["ticker"]),
            side=str(row["side"]),
            action=str(row["action"]),
            quantity=quantity,
            ts=when,
        )


def old_orders(taken: Mapping[str, Snapshot], table: Table) -> Iterator[tuple[str, OldOrder]]:
    """Yield every order by the venue's id. Its fees stand there in whole cents."""
    for row in rows(taken, table):
        fees = [row["taker_fees"], row["maker_fees"]]
        cents = sum(one for one in fees if isinstance(one, int))
        yield (
            str(row["order_id"]),
            OldOrder(
                client_order_id=str(row["client_order_id"] or ""),
                filled=_amount(row["fill_count"]),
                fees=Decimal(cents) / 100 if all(isinstance(one, int) for one in fees) else None,
            ),
        )


def _moves(own: Table, row: Row) -> bool:
    try:
        for column in own.columns:
            move(column, [row[name] for name in (*column.sources, *column.context)])
    except Unconvertible:
        return False
    return _amount(row["position"]) > 0


def _tried(conversion: object, cells: tuple[Cell, ...]) -> Value | Either:
    try:
        return conversion.convert(cells)  # type: ignore[attr-defined, no-any-return]  # one of an instant
    except Unconvertible:
        return None


def _first(value: Value | Either) -> datetime | None:
    found = value.earlier if isinstance(value, Either) else value
    return found if isinstance(found, datetime) else None


def _last(value: Value | Either) -> datetime | None:
    found = value.later if isinstance(value, Either) else value
    return found if isinstance(found, datetime) else None


def _amount(cell: Cell) -> Decimal:
    try:
        return denoised(cell)
    except Unconvertible:
        return Decimal(0)
