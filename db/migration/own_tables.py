"""Watchkeeper's own tables, as the old system's tables fill them. The exact copies beside them restore what they are made of.

Their keys, references and limits are stated, so that a row which the table would refuse goes to quarantine and does not stop the copy.
"""

from collections.abc import Sequence
from typing import Final

from db.migration.conversions.instants import ClosingTime, DateAndTime, Instant
from db.migration.conversions.numbers import Integer
from db.migration.conversions.old_fills import Matched, OwnPrice
from db.migration.conversions.old_trades import Denoised, HeldSide, TradeBody
from db.migration.conversions.texts import Constant, Prefixed, Text, Words
from db.migration.matching import Matches
from db.migration.old_rows import SIDES, VENUE_TIMES
from db.migration.plan_words import Check, Column, ForeignKey, Table

NEW_YORK: Final = "America/New_York"
_ACCOUNT: Final = "?account"
_MODE: Final = "?mode"
_CLOSED: Final = "status = 'closed' AND position > 0"
_NEEDS: Final = (
    "id",
    "date",
    "time",
    "side",
    "buy_price",
    "position",
    "status",
    "closed_at",
    "sell_price",
    "pnl",
    "ticker",
    "fees",
)
_WANTS: Final = ("symbol", "trade_strategy", "close_method", "win_loss", "strike")
READ: Final[dict[str, set[str]]] = {
    "trades": set(_NEEDS),
    "active_trades": {"id", "trade_id", "date", "time", "side", "buy_price", "position", "ticker", "status"},
    "settlements": {"ticker", "market_result", "revenue", "settled_time"},
    "positions": {"ticker", "position", "last_updated_ts"},
    "orders": {
        *("order_id", "client_order_id", "status", "fill_count", "last_update_time", "maker_fees", "taker_fees"),
    },
    "fills": {
        *("trade_id", "ticker", "order_id", "side", "action", "count", "yes_price", "no_price", "created_time"),
    },
}
"""The columns without which a table is not the old system's, or says too little."""
_STATUS: Final = {"executed": "filled", "canceled": "cancelled", "resting": "accepted"}
"""The venue's words for an order, and ours."""


def columns(table: Table) -> set[str]:
    """Return the columns of the source."""
    return {source for column in table.columns for source in column.sources}


def accounts(table: Table, schema: str) -> Table:
    """Return the one account of all old trades."""
    made = (_constant("account", "text", _ACCOUNT), _constant("mode", "text", _MODE))
    first = f"id = (SELECT min(id) FROM trades WHERE {_CLOSED})"
    return _own_table(table, schema, "accounts", made, where=first, note="one row: the account of all of them")


def trades(table: Table, schema: str) -> Table:
    """Return the closed trades."""
    has = columns(table)
    words = Words(words=SIDES)
    outcomes = Words(words={"W": "win", "L": "loss", "D": "draw"}, nulls=("",))
    formats = ("YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss.f*", "YYYY-MM-DDThh:mm:ss.f*+hh:mm")
    closing = ClosingTime(zone=NEW_YORK, formats=formats)
    reads = (*_NEEDS, *(name for name in _WANTS if name in has))
    made = [
        _of("trade_id", "text", Prefixed(prefix="legacy-"), "id"),
        _of("legacy_id", "bigint", Integer(), "id"),
        _constant("version", "integer", 1),
        _constant("state", "text", "closed"),
        _constant("account", "text", _ACCOUNT),
        _constant("mode", "text", _MODE),
        _constant("venue", "text", "kalshi"),
        _of("ticker", "text", Text(), "ticker"),
        _of("side", "text", words, "side"),
        _of("quantity", "numeric", Denoised(), "position"),
        _constant("open_quantity", "numeric", "0"),
        _of("entry_price", "numeric", Denoised(), "buy_price"),
        _of("entry_ts", "timestamptz", DateAndTime(zone=NEW_YORK), "date", "time"),
        _of("exit_price", "numeric", Denoised(), "sell_price", nullable=True),
        _of("exit_ts", "timestamptz", closing, "closed_at", "date", "time"),
        _of("fees", "numeric", Denoised(), "fees"),
        _of("pnl", "numeric", Denoised(), "pnl"),
        _constant("settings_version", "integer", 0),
        _of("requested_ts", "timestamptz", DateAndTime(zone=NEW_YORK), "date", "time"),
        _of("ts", "timestamptz", closing, "closed_at", "date", "time"),
        _of("body", "jsonb", TradeBody(account=_ACCOUNT, mode=_MODE, reads=reads, zone=NEW_YORK), *reads),
    ]
    for name, source, conversion in (
        ("symbol", "symbol", Text()),
        ("strategy", "trade_strategy", Text()),
        ("close_reason", "close_method", Text()),
        ("outcome", "win_loss", outcomes),
    ):
        if source in has:
            made.append(_of(name, "text", conversion, source, nullable=True))
    return _own_table(
        table,
        schema,
        "trades",
        made,
        key=("trade_id",),
        where=_CLOSED,
        note="closed trades as Watchkeeper's own; rows that cannot be stand in quarantine, and whole in the exact copy",
    )


def settlements(table: Table, schema: str) -> Table:
    """Return how the venue settled each ticker."""
    made = (
        _constant("account", "text", _ACCOUNT),
        _of("ticker", "text", Text(), "ticker"),
        _of("ts", "timestamptz", _moment(table, "settled_time"), "settled_time"),
        _of("result", "text", Words(words={"yes": "yes", "no": "no"}), "market_result"),
        _of("revenue", "numeric", Denoised(), "revenue"),
    )
    return _own_table(table, schema, "settlements", made, key=("account", "ticker", "ts"))


def positions(table: Table, schema: str) -> Table:
    """Return what the venue said that is held."""
    made = (
        _constant("account", "text", _ACCOUNT),
        _of("ticker", "text", Text(), "ticker"),
        _of("side", "text", HeldSide(), "position"),
        _of("quantity", "numeric", Denoised(magnitude=True), "position"),
        _of("ts", "timestamptz", _moment(table, "last_updated_ts"), "last_updated_ts"),
    )
    return _own_table(table, schema, "positions", made, where="position <> 0", key=("account", "ticker", "side"))


def reports(table: Table, schema: str) -> Table:
    """Return what the venue said of each order that a program sent."""
    made = (
        _of("client_order_id", "text", Text(), "client_order_id"),
        _of("report_key", "text", Words(words=_STATUS), "status"),
        _of("status", "text", Words(words=_STATUS), "status"),
        _of("cumulative_quantity", "numeric", Denoised(), "fill_count"),
        _of("ts", "timestamptz", _moment(table, "last_update_time"), "last_update_time"),
    )
    return _own_table(
        table,
        schema,
        "reports",
        made,
        where="client_order_id <> ''",
        key=("client_order_id", "report_key"),
        note="what the venue said last of each order; who has no client order id was sent by none of the programs",
    )


def fills(table: Table, schema: str, matches: Matches) -> Table:
    """Return the fills of which it is proven to which trade they belong."""
    found = matches.found

    def told(name: str) -> dict[str, str]:
        return {fill: str(getattr(one, name)) for fill, one in found.items()}

    def matched(name: str, target: str, kind: str = "text") -> Column:
        conversion = Matched(matches=told(name), others="null", amount=kind == "numeric")
        return _of(target, kind, conversion, "trade_id", nullable=True)

    trade = Matched(matches=told("trade_id"), unmatched=matches.unmatched)
    sides = OwnPrice(sides={fill: "yes" if one.side == "yes" else "no" for fill, one in found.items()})
    made = (
        _of("trade_id", "text", trade, "trade_id"),
        _constant("account", "text", _ACCOUNT),
        _of("fill_id", "text", Text(), "trade_id"),
        matched("client_order_id", "client_order_id"),
        matched("purpose", "purpose"),
        _of("price", "numeric", sides, "trade_id", "yes_price", "no_price", nullable=True),
        _of("quantity", "numeric", Denoised(), "count"),
        matched("fees", "fees", "numeric"),
        _of("ts", "timestamptz", _moment(table, "created_time"), "created_time"),
    )
    reference = ForeignKey(
        name="fills_trade_id_fkey", columns=("trade_id",), table="trades", references=("trade_id",), schema=schema
    )
    return _own_table(
        table,
        schema,
        "fills",
        made,
        key=("account", "fill_id"),
        foreign_keys=(reference,),
        note="fills of closed trades: of each it is proven by ticker, time, side and quantity to which it belongs, and its order tells its fees; "
        "all others stand in quarantine, each with its reason, and whole in the exact copy",
    )


def _moment(table: Table, source: str) -> Instant:
    """Return how the exact copy reads the column; the venue's own spelling where it holds no value."""
    found = next(column.conversion for column in table.columns if column.sources == (source,))
    return found if isinstance(found, Instant) else Instant(formats=VENUE_TIMES)


def _own_table(  # what a table of a plan is
    table: Table,
    schema: str,
    name: str,
    columns: Sequence[Column],
    *,
    key: tuple[str, ...] = (),
    foreign_keys: tuple[ForeignKey, ...] = (),
    where: str = "",
    note: str = "",
) -> Table:
    return Table(
        source=table.source,
        from_table=table.from_table,
        name=name,
        schema=schema,
        existing=True,
        columns=tuple(columns),
        key=key,
        foreign_keys=foreign_keys,
        checks=tuple(_limits(columns)),
        where=where,
        note=note,
    )


def _limits(columns: Sequence[Column]) -> list[Check]:
    """Return the limits of Watchkeeper's domains, for columns that a row of any content could exceed."""
    found = [
        Check(
            name=f"{one.name}_is_an_instant",
            condition=f"{one.name} >= '1970-01-01 00:00:00+00' AND {one.name} < '2262-01-01 00:00:00+00'",
        )
        for one in columns
        if one.type == "timestamptz"
    ]
    found += [
        Check(name=f"{one.name}_is_not_negative", condition=f"{one.name} >= 0")
        for one in columns
        if one.name in ("entry_price", "exit_price", "quantity", "cumulative_quantity")
    ]
    found += [Check(name="price_is_one", condition="price > 0") for one in columns if one.name == "price"]
    return found


def _of(name: str, kind: str, conversion: object, *reads: str, nullable: bool = False) -> Column:
    """Return a column that is made of source columns; the exact copy restores them."""
    return Column(name=name, type=kind, conversion=conversion, context=reads, nullable=nullable)  # type: ignore[arg-type]  # one of them


def _constant(name: str, kind: str, value: str | int) -> Column:
    return Column(name=name, type=kind, conversion=Constant(value=value, amount=kind == "numeric"), nullable=False)
