"""Questions that change nothing: trades by page, one trade, its capsule, the history of settings."""

from typing import Any, Final

import psycopg

from bus.messages import plain
from bus.messages.explain import Capsule
from bus.messages.settings import Layer, SettingsChanged, SettingsHistory
from bus.messages.trades import Trade, Trades
from db import plain_settings
from db.rows import has_ended, instant, nanoseconds

_PAGE_MAX: Final = 1000

TRADE: Final = "SELECT body::text FROM trades WHERE trade_id = %s"
CAPSULE: Final = "SELECT body::text FROM capsules WHERE trade_id = %s"
AS_COVERED: Final = f"""
    SELECT (t.body || jsonb_strip_nulls(jsonb_build_object('coverage', c.coverage, 'coverage_why', c.why)))::text
    FROM trades AS t LEFT JOIN coverage AS c ON c.trade_id = t.trade_id AND NOT {has_ended("t")}
"""
"""A trade's own row holds the coverage of its last version; what has changed since stands in `coverage`."""
TRADES: Final = f"""
    {AS_COVERED}
    WHERE (%(after)s::text IS NULL OR t.trade_id > %(after)s) AND (%(states)s::text[] IS NULL OR t.state = ANY (%(states)s))
        AND (%(account)s::text IS NULL OR t.account = %(account)s) AND (%(symbol)s::text IS NULL OR t.symbol = %(symbol)s)
        AND (%(since)s::timestamptz IS NULL OR t.ts >= %(since)s)
    ORDER BY t.trade_id LIMIT %(limit)s
"""
SETTINGS_HISTORY: Final = """
    SELECT version, layer, name, before, after, reason, requested_by, ts FROM settings_history
    WHERE %(after)s::integer IS NULL OR version < %(after)s ORDER BY version DESC LIMIT %(limit)s
"""


def read_trade(connection: psycopg.Connection, trade_id: str) -> Trade | None:
    """Return the trade as it stands, ended ones too; None if there is none."""
    row = connection.execute(TRADE, [trade_id]).fetchone()
    return None if row is None else plain.from_json(Trade, row[0])


def read_capsule(connection: psycopg.Connection, trade_id: str) -> Capsule | None:
    """Return what is kept of a trade that has ended; None if there is none."""
    row = connection.execute(CAPSULE, [trade_id]).fetchone()
    return None if row is None else plain.from_json(Capsule, row[0])


def read_trades(connection: psycopg.Connection, arguments: dict[str, Any]) -> Trades:
    """Return a page of trades by id. arguments: as the fields of `TradeList`; what is absent filters nothing."""
    limit = _limit(arguments.get("limit"), 100)
    states = arguments.get("states")
    since_ns = arguments.get("since")
    filters = {
        "after": arguments.get("after"),
        "states": None if states is None else [str(state) for state in states],
        "account": arguments.get("account"),
        "symbol": arguments.get("symbol"),
        "since": None if since_ns is None else instant(since_ns),
        "limit": limit + 1,
    }
    trades = tuple(plain.from_json(Trade, body) for (body,) in connection.execute(TRADES, filters))
    if len(trades) <= limit:
        return Trades(trades=trades)
    return Trades(trades=trades[:limit], next=trades[limit - 1].trade_id)


def read_settings_history(connection: psycopg.Connection, arguments: dict[str, Any]) -> SettingsHistory:
    """Return a page of changes, newest first. arguments: as the fields of `HistoryGet`; `after` is a version."""
    limit = _limit(arguments.get("limit"), 50)
    after = arguments.get("after")
    filters = {"after": None if after is None else int(after), "limit": limit + 1}
    changes = tuple(_change(row) for row in connection.execute(SETTINGS_HISTORY, filters))
    if len(changes) <= limit:
        return SettingsHistory(changes=changes)
    return SettingsHistory(changes=changes[:limit], next=str(changes[limit - 1].version))


def _change(row: tuple[Any, ...]) -> SettingsChanged:
    version, layer, name, before, after, reason, requested_by, ts = row
    return SettingsChanged(
        version=version,
        layer=Layer(layer),
        name=name,
        before=plain_settings.read_values(before),
        after=plain_settings.read_values(after),
        reason=reason,
        requested_by=requested_by,
        ts=nanoseconds(ts),
    )


def _limit(wanted: object, default: int) -> int:
    return min(max(wanted, 1), _PAGE_MAX) if isinstance(wanted, int) else default
