"""What the statements that write trades, their orders and fills do to the tables of `ModelPostgres`."""

from typing import Any, Final

import msgspec
from msgspec.structs import replace
from psycopg import errors

from db import recovery
from db import statements as say
from tests.simulation.meanings import ENDED, Rows, means, tables_of
from tests.simulation.postgres import OrderRow, Session, TradeRow


@means(say.FENCE)
def _fence(session: Session, parameters: Any) -> Rows:
    session.demand_writable(passing=session.server.faults.passing)
    leads = tables_of(session).leader.rows[0].epoch == parameters[0]
    return [(str(session.xid), session.pid)] if leads else []


@means(say.TAIL)
def _tail(session: Session, _: Any) -> Rows:
    tables = tables_of(session)
    journal, outbox = len(tables.journal), len(tables.outbox)
    return [(journal, tables.journal.rows[journal][-1] if journal else None, outbox)]


@means(
    say.ENSURE_MONTH,
    recovery.PATIENCE,
    recovery.TRANSACTION_PATIENCE,
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET LOCAL ROLE NONE",
)
def _nothing(_session: Session, _: Any) -> Rows:
    return []


@means(say.INSERT_INBOX)
def _insert_inbox(session: Session, columns: Any) -> int:
    inbox, written = tables_of(session).inbox, 0
    for row in zip(*columns, strict=True):
        if row[0] not in inbox.rows:
            inbox.put(session.noted, row[0], row)
            written += 1
    return written


@means(say.INSERT_ACCOUNTS)
def _insert_accounts(session: Session, parameters: Any) -> int:
    accounts = tables_of(session).accounts
    for row in msgspec.json.decode(parameters[0]):
        if row["account"] not in accounts.rows:
            accounts.put(session.noted, row["account"], row["mode"])
    return 0


class _Change(msgspec.Struct):
    expected: int
    body: msgspec.Raw


_CHANGES: Final = msgspec.json.Decoder(list[_Change])
_TRADE: Final = msgspec.json.Decoder(TradeRow)


def _changes(parameters: Any) -> list[tuple[int, TradeRow]]:
    found = []
    for change in _CHANGES.decode(parameters[0]):
        body = bytes(change.body)
        found.append((change.expected, replace(_TRADE.decode(body), body=body)))
    return found


@means(say.INSERT_TRADES)
def _insert_trades(session: Session, parameters: Any) -> int:
    tables, written = tables_of(session), 0
    for _, row in _changes(parameters):
        if tables.accounts.rows.get(row.account) != row.mode:
            raise errors.ForeignKeyViolation(f"account {row.account} is not {row.mode}")
        if row.trade_id not in tables.trades.rows:
            tables.trades.put(session.noted, row.trade_id, row)
            written += 1
    return written


@means(say.UPDATE_TRADES)
def _update_trades(session: Session, parameters: Any) -> int:
    trades, written = tables_of(session).trades, 0
    for expected, row in _changes(parameters):
        before = trades.rows.get(row.trade_id)
        if before is None or before.version != expected:
            continue
        if before.state in ENDED:
            raise errors.IntegrityConstraintViolation(f"trade {row.trade_id} is {before.state}: it never changes again")
        if row.version <= before.version or (row.account, row.mode) != (before.account, before.mode):
            raise errors.IntegrityConstraintViolation(f"trade {row.trade_id} must keep its account and gain a version")
        trades.put(session.noted, row.trade_id, row)
        written += 1
    return written


@means(say.END_ORDERS)
def _end_orders(session: Session, parameters: Any) -> int:
    tables = tables_of(session)
    for order_id, evidence in zip(*parameters, strict=True):
        order = tables.orders.rows.get(order_id)
        if order is not None and order.is_live:
            tables.orders.put(session.noted, order_id, replace(order, is_live=False, evidence=evidence))
            if tables.live_close.rows.get(order.trade_id) == order_id:
                tables.live_close.put(session.noted, order.trade_id, None)
    return 0


_ORDERS: Final = msgspec.json.Decoder(list[OrderRow])


@means(say.INSERT_ORDERS)
def _insert_orders(session: Session, parameters: Any) -> int:
    tables = tables_of(session)
    rows, ended_ids, evidences = parameters
    ended = dict(zip(ended_ids, evidences, strict=True))
    for order in _ORDERS.decode(rows):
        evidence = ended.get(order.client_order_id)
        row = replace(order, is_live=evidence is None, evidence=evidence)
        if row.trade_id not in tables.trades.rows:
            raise errors.ForeignKeyViolation(f"order {row.client_order_id}: no trade {row.trade_id}")
        tables.orders.insert(session.noted, row.client_order_id, row)
        if row.purpose == "close" and row.is_live:
            if tables.live_close.rows.get(row.trade_id) is not None:
                raise errors.UniqueViolation('duplicate key value violates unique constraint "orders_one_live_close"')
            tables.live_close.put(session.noted, row.trade_id, row.client_order_id)
    return 0


@means(say.INSERT_CANCELS)
def _insert_cancels(session: Session, parameters: Any) -> int:
    for row in msgspec.json.decode(parameters[0]):
        tables_of(session).cancels.append(session.noted, row)
    return 0


@means(say.INSERT_REPORTS)
def _insert_reports(session: Session, parameters: Any) -> int:
    reports = tables_of(session).reports
    for row in msgspec.json.decode(parameters[0]):
        key = (row["client_order_id"], row.get("fill_id") or row["status"])
        if key not in reports.rows:
            reports.put(session.noted, key, row)
    return 0


@means(say.INSERT_FILLS)
def _insert_fills(session: Session, parameters: Any) -> int:
    tables = tables_of(session)
    for row in msgspec.json.decode(parameters[0]):
        if row["trade_id"] not in tables.trades.rows:
            raise errors.ForeignKeyViolation(f"fill {row['fill_id']}: no trade {row['trade_id']}")
        tables.fills.insert(session.noted, (row["account"], row["fill_id"]), row)
    return 0
