"""The ready plan for the system that Watchkeeper replaces (rec_io): what its databases mean is known, so less is asked.

Two things are made of it. Everything, table by table, into schemas of its own, exactly and with its inverse, as any other database: nothing
is lost, and it can be taken back. And beside that, into Watchkeeper's own tables, what they can hold (`own_tables.py`):

- trades that are closed: trades, with the account of all of them
- settlements, positions: settlements, positions
- orders, which the old system read back from the venue: reports, the venue's words about orders
- fills: fills, those of which it is proven to which trade they belong (`matching.py`); all others stand in quarantine with the reason
- trades and active_trades that are open: what to type to adopt each (`adopting.py`)

What none of these is, is said in the plan with its reason: Watchkeeper keeps no history of prices in PostgreSQL, and its table of
orders holds those alone that it has issued itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from db.migration import own_tables
from db.migration.adopting import adoptions
from db.migration.conversions.numbers import Integer, Money
from db.migration.matching import Matches, OldFill, match
from db.migration.old_rows import old_fills, old_orders, old_trades
from db.migration.plan_words import Column, NotMoved, Plan, Question, Table
from db.migration.planning import plan
from db.migration.snapshot import Snapshot
from db.migration.sqlite_files import SourceRefused
from db.migration.target_names import slug

NEW_YORK: Final = own_tables.NEW_YORK
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
    *(("orders", name) for name in ("maker_fill_cost", "taker_fill_cost", "maker_fees", "taker_fees")),
    *(("orders", name) for name in ("yes_price", "no_price")),
}
"""Whole cents among dollars."""
_QUESTIONS: Final = (
    Question(name="account", kind="text", asks="To which account of Watchkeeper do the old trades belong?"),
    Question(
        name="mode",
        kind="choice",
        answers=("paper", "live"),
        asks="Were the old trades real (live) or simulated (paper)? An account is one or the other",
    ),
)
_WHYS: Final = {
    "positions": "a position of 0 says no side, and is held by nobody",
    "fills": "a fill comes where trades, fills and orders prove to which closed trade it belongs; all others stand in quarantine, each with its reason",
    "orders": "Watchkeeper's orders are those alone that it has issued: with a purpose, an attempt, an epoch and a last moment of sending, which "
    "no old row says; what the venue said of an old order comes into its reports, if it has a client order id",
    "active_trades": "an open trade is adopted, which proves it against the venue (run.py trade adopt); this plan says what to type for each",
    "price_log": "Watchkeeper keeps no history of prices in PostgreSQL: they stand in its recordings",
}
"""What of these tables Watchkeeper's own do not take, and why."""


def ready_plan(paths: Sequence[Path], answers: Mapping[str, str], schema: str) -> Plan:
    """Return the plan for databases of the old system. schema: of Watchkeeper's own tables. Raises: SourceRefused."""
    known = {f"{slug(path.stem)}.{table}.{column}": zone for path in paths for (table, column), zone in ZONES.items()}

    def with_own_tables(made: Plan, taken: Mapping[str, Snapshot]) -> Plan:
        _demand_one_of_each(made)
        tables = tuple(_in_dollars(table) for table in made.tables)
        own = tuple(_own(tables, taken, schema))
        asked = tuple(replace(one, answer=answers.get(one.name, "")) for one in _QUESTIONS) if own else ()
        return replace(
            made,
            tables=(*tables, *own),
            questions=(*made.questions, *asked),
            not_moved=(*made.not_moved, *(one for table in tables for one in _left(table))),
            adoptions=adoptions(_named(tables, "trades"), _named(tables, "active_trades"), taken, answers, NEW_YORK),
        )

    return plan(paths, {**known, **answers}, with_own_tables)


def _demand_one_of_each(made: Plan) -> None:
    """Raise SourceRefused if two sources have a table of the old system: which of them is Watchkeeper's, must be said first."""
    open_ones = [one for one in made.questions if one.kind == "copies" and not one.answer]
    if open_ones:
        one = open_ones[0]
        raise SourceRefused(f"{one.asks}. Say it by --answer {one.name}={one.answers[0]} ({one.hint})")
    paths = {one.name: one.path for one in made.sources}
    found: dict[str, str] = {}
    for table in made.tables:
        if table.name in own_tables.READ and (other := found.setdefault(table.name, table.source)) != table.source:
            raise SourceRefused(
                f"{paths[other]} and {paths[table.source]} both hold {table.name}, and Watchkeeper's own tables take those of one: name that one"
            )


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


def _named(tables: Sequence[Table], name: str) -> Table | None:
    """Return the old system's table of this name, if it is there with all that it is read for."""
    return next((one for one in tables if one.name == name and own_tables.READ[name] <= own_tables.columns(one)), None)


def _own(tables: Sequence[Table], taken: Mapping[str, Snapshot], schema: str) -> Iterator[Table]:
    """Yield Watchkeeper's own tables, each after those that it refers to."""
    if (trades := _named(tables, "trades")) is not None:
        yield own_tables.accounts(trades, schema)
        yield own_tables.trades(trades, schema)
    if (settlements := _named(tables, "settlements")) is not None:
        yield own_tables.settlements(settlements, schema)
    if (positions := _named(tables, "positions")) is not None:
        yield own_tables.positions(positions, schema)
    if (orders := _named(tables, "orders")) is not None:
        yield own_tables.reports(orders, schema)
    if (fills := _named(tables, "fills")) is not None and trades is not None and orders is not None:
        yield own_tables.fills(fills, schema, _matches(taken, trades, fills, orders, schema))


def _matches(taken: Mapping[str, Snapshot], trades: Table, fills: Table, orders: Table, schema: str) -> Matches:
    read = list(old_fills(taken, fills))
    held = old_trades(taken, trades, own_tables.trades(trades, schema), NEW_YORK)
    found = match(held, [one for one in read if isinstance(one, OldFill)], dict(old_orders(taken, orders)))
    unread = tuple(one for one in read if isinstance(one, str))
    return (
        found._replace(unmatched={**found.unmatched, "it says no side, no time or no quantity": unread})
        if unread
        else found
    )


def _left(table: Table) -> Iterator[NotMoved]:
    if table.name == "trades" and {"ticker", "status"} <= own_tables.columns(table):
        missing = sorted(own_tables.READ["trades"] - own_tables.columns(table))
        yield _stays(
            table,
            f"its trades have no {', '.join(missing)}"
            if missing
            else "a trade that is open is adopted (run.py trade adopt); one that has failed never was one",
        )
    elif table.name in _WHYS:
        missing = sorted(own_tables.READ.get(table.name, set()) - own_tables.columns(table))
        yield _stays(table, f"it has no {', '.join(missing)}" if missing else _WHYS[table.name])


def _stays(table: Table, why: str) -> NotMoved:
    return NotMoved(
        source=table.source,
        kind="rows",
        name=table.name,
        why=f"not into Watchkeeper's own tables: {why}; all rows stand in {table.schema}.{table.name}",
    )
