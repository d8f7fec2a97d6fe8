"""The ready plan for the system that Watchkeeper replaces (rec_io): what its databases mean is known, so less is asked.

Two things are made of it. Everything, table by table, into schemas of its own, exactly and with its inverse, as any other database: nothing
is lost, and it can be taken back. And beside that, into Watchkeeper's own tables, what they can hold: closed trades, settlements,
positions. Fills and orders are not among those, because none of them says to which trade it belongs, nor are open trades: they are adopted
(`run.py trade adopt`), which proves each against the venue.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from db.migration.conversions.instants import ClosingTime, DateAndTime, Instant
from db.migration.conversions.numbers import Integer, Money
from db.migration.conversions.old_trades import Denoised, TradeBody
from db.migration.conversions.texts import Constant, Prefixed, Text, Words
from db.migration.plan_words import Column, NotMoved, Plan, Question, Table
from db.migration.planning import plan
from db.migration.target_names import slug

NEW_YORK: Final = "America/New_York"
_ACCOUNT: Final = "?account"
_MODE: Final = "?mode"
_CLOSED: Final = "status = 'closed' AND position > 0"
ZONES: Final[dict[tuple[str, str], str]] = {
    ("trades", "date"): NEW_YORK,
    ("trades", "closed_at"): NEW_YORK,
    ("active_trades", "date"): NEW_YORK,
    ("active_trades", "last_updated"): "UTC",
    ("price_log", "timestamp"): NEW_YORK,
}
"""Of times that say none: the old programs wrote Eastern time, SQLite itself UTC (SPEC A.11)."""
CENTS: Final = {
    ("positions", "market_exposure"),
    ("orders", "maker_fill_cost"),
    ("orders", "taker_fill_cost"),
    ("orders", "yes_price"),
    ("orders", "no_price"),
}
"""Whole cents among dollars."""
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
_QUESTIONS: Final = (
    Question(name="account", kind="text", asks="To which account of Watchkeeper do the old trades belong?"),
    Question(
        name="mode",
        kind="choice",
        answers=("paper", "live"),
        asks="Were the old trades real (live) or simulated (paper)? An account is one or the other",
    ),
)


def ready_plan(paths: Sequence[Path], answers: Mapping[str, str], schema: str) -> Plan:
    """Return the plan for databases of the old system. schema: of Watchkeeper's own tables. Raises: SourceRefused."""
    known = {f"{slug(path.stem)}.{table}.{column}": zone for path in paths for (table, column), zone in ZONES.items()}

    def with_own_tables(made: Plan) -> Plan:
        tables = tuple(_in_dollars(table) for table in made.tables)
        found = [one for table in tables for one in _own(table, schema)]
        own = tuple(one for one in found if isinstance(one, Table))
        asked = tuple(replace(one, answer=answers.get(one.name, "")) for one in _QUESTIONS) if own else ()
        return replace(
            made,
            tables=(*tables, *own),
            questions=(*made.questions, *asked),
            not_moved=(*made.not_moved, *(one for one in found if isinstance(one, NotMoved))),
        )

    return plan(paths, {**known, **answers}, with_own_tables)


def _in_dollars(table: Table) -> Table:
    """Return the exact copy with what is known to be cents as dollars."""

    def column(one: Column) -> Column:
        is_cents = (table.name, one.name) in CENTS and isinstance(one.conversion, Integer)
        return (
            replace(
                one,
                type="numeric",
                conversion=Money(unit="cents"),
                original=f"{one.name}_original",
                proof=None,
                note="whole cents there, dollars here",
            )
            if is_cents
            else one
        )

    return replace(table, columns=tuple(column(one) for one in table.columns))


def _own(table: Table, schema: str) -> list[Table | NotMoved]:
    has = {source for column in table.columns for source in column.sources}
    if table.name == "trades" and "buy_price" in has:
        missing = [name for name in _NEEDS if name not in has]
        if missing:
            return [_stays(table, f"its trades have no {', '.join(missing)}")]
        return [
            _accounts(table, schema),
            _trades(table, schema, has),
            _stays(table, "trades that are not closed are adopted: run.py trade adopt"),
        ]
    if table.name == "settlements" and {"ticker", "market_result", "revenue", "settled_time"} <= has:
        return [_settlements(table, schema)]
    if table.name == "positions" and {"ticker", "position", "last_updated_ts"} <= has:
        return [_positions(table, schema, "yes", ">"), _positions(table, schema, "no", "<")]
    whys = {
        "fills": "no old fill says to which trade it belongs",
        "orders": "no old order says to which trade it belongs",
        "active_trades": "open trades are adopted: run.py trade adopt",
        "price_log": "Watchkeeper keeps no history of prices",
    }
    return [_stays(table, whys[table.name])] if table.name in whys else []


def _stays(table: Table, why: str) -> NotMoved:
    return NotMoved(
        source=table.source,
        kind="rows",
        name=f"{table.name} into Watchkeeper's own tables",
        why=f"{why}; all rows stand in {table.schema}.{table.name}",
    )


def _accounts(table: Table, schema: str) -> Table:
    columns = (_constant("account", "text", _ACCOUNT), _constant("mode", "text", _MODE))
    first = f"id = (SELECT min(id) FROM trades WHERE {_CLOSED})"
    return _own_table(table, schema, "accounts", columns, where=first, note="one row: the account of all of them")


def _trades(table: Table, schema: str, has: set[str]) -> Table:
    words = Words(words={"Y": "yes", "N": "no", "yes": "yes", "no": "no"})
    outcomes = Words(words={"W": "win", "L": "loss", "D": "draw"}, nulls=("",))
    formats = ("YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss.f*", "YYYY-MM-DDThh:mm:ss.f*+hh:mm")
    closing = ClosingTime(zone=NEW_YORK, formats=formats)
    reads = (*_NEEDS, *(name for name in _WANTS if name in has))
    columns = [
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
        _constant("open_quantity", "numeric", 0),
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
            columns.append(_of(name, "text", conversion, source, nullable=True))
    return _own_table(
        table,
        schema,
        "trades",
        columns,
        where=_CLOSED,
        note="closed trades as Watchkeeper's own; rows that cannot be stand in quarantine, and whole in the exact copy",
    )


def _settlements(table: Table, schema: str) -> Table:
    columns = (
        _constant("account", "text", _ACCOUNT),
        _of("ticker", "text", Text(), "ticker"),
        _of("ts", "timestamptz", _moment(table, "settled_time"), "settled_time"),
        _of("result", "text", Words(words={"yes": "yes", "no": "no"}), "market_result"),
        _of("revenue", "numeric", Denoised(), "revenue"),
    )
    return _own_table(table, schema, "settlements", columns)


def _positions(table: Table, schema: str, side: str, sign: str) -> Table:
    columns = (
        _constant("account", "text", _ACCOUNT),
        _of("ticker", "text", Text(), "ticker"),
        _constant("side", "text", side),
        _of("quantity", "numeric", Denoised(magnitude=True), "position"),
        _of("ts", "timestamptz", _moment(table, "last_updated_ts"), "last_updated_ts"),
    )
    return _own_table(table, schema, "positions", columns, where=f"position {sign} 0")


def _moment(table: Table, source: str) -> Instant:
    """Return how the exact copy reads the column; the venue's own spelling where it holds no value."""
    found = next(column.conversion for column in table.columns if column.sources == (source,))
    return found if isinstance(found, Instant) else Instant(formats=("YYYY-MM-DDThh:mm:ss.f*Z", "YYYY-MM-DDThh:mm:ssZ"))


def _own_table(
    table: Table, schema: str, name: str, columns: Sequence[Column], *, where: str = "", note: str = ""
) -> Table:
    return Table(
        source=table.source,
        from_table=table.from_table,
        name=name,
        schema=schema,
        existing=True,
        columns=tuple(columns),
        where=where,
        note=note,
    )


def _of(name: str, kind: str, conversion: object, *reads: str, nullable: bool = False) -> Column:
    """Return a column that is made of source columns; the exact copy restores them."""
    return Column(name=name, type=kind, conversion=conversion, context=reads, nullable=nullable)  # type: ignore[arg-type]  # one of them


def _constant(name: str, kind: str, value: str | int) -> Column:
    return Column(name=name, type=kind, conversion=Constant(value=value), nullable=False)
