"""What each of our statements does to the tables of `ModelPostgres`, by its very text."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from psycopg import errors

from bus.messages.plain import read_instant
from db import reader, recovery, standing, store
from db import statements as say
from tests.simulation.postgres import Leader, OrderRow, Session, Tables, TradeRow

Rows = list[tuple[Any, ...]]
Meaning = Callable[[Session, Any], Rows | int]
"""Given the session and the parameters, returns the rows, or how many were written."""

MEANINGS: Final[dict[str, Meaning]] = {}
POINTS: Final = {
    say.INSERT_INBOX: "K3",
    say.INSERT_TRADES: "K4",
    say.UPDATE_TRADES: "K4",
    store.MARK_PUBLISHED: "K12",
    recovery.UNPUBLISHED: "K9",
}
"""The kill point around a statement."""
ENDED: Final = ("rejected", "closed", "settled")


def means(*texts: str) -> Callable[[Meaning], Meaning]:
    """Say what a statement does."""

    def note(meaning: Meaning) -> Meaning:
        MEANINGS.update(dict.fromkeys(texts, meaning))
        return meaning

    return note


def _at(text: str) -> datetime:
    return datetime.fromtimestamp(read_instant(text) // 1000 / 1_000_000, UTC)


def _tables(session: Session) -> Tables:
    return session.server.tables


# What a batch writes


@means(say.FENCE)
def _fence(session: Session, parameters: Any) -> Rows:
    session.demand_writable(passing=session.server.faults.passing)
    leads = _tables(session).leader.rows[0].epoch == parameters[0]
    return [(str(session.xid), session.pid)] if leads else []


@means(say.TAIL)
def _tail(session: Session, _: Any) -> Rows:
    tables = _tables(session)
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
    inbox, written = _tables(session).inbox, 0
    for row in zip(*columns, strict=True):
        if row[0] not in inbox.rows:
            inbox.put(session.noted, row[0], row)
            written += 1
    return written


@means(say.INSERT_ACCOUNTS)
def _insert_accounts(session: Session, parameters: Any) -> int:
    accounts = _tables(session).accounts
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
    tables, written = _tables(session), 0
    for _, row in _changes(parameters):
        if tables.accounts.rows.get(row.account) != row.mode:
            raise errors.ForeignKeyViolation(f"account {row.account} is not {row.mode}")
        if row.trade_id not in tables.trades.rows:
            tables.trades.put(session.noted, row.trade_id, row)
            written += 1
    return written


@means(say.UPDATE_TRADES)
def _update_trades(session: Session, parameters: Any) -> int:
    trades, written = _tables(session).trades, 0
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
    tables = _tables(session)
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
    tables = _tables(session)
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
        _tables(session).cancels.append(session.noted, row)
    return 0


@means(say.INSERT_REPORTS)
def _insert_reports(session: Session, parameters: Any) -> int:
    reports = _tables(session).reports
    for row in msgspec.json.decode(parameters[0]):
        key = (row["client_order_id"], row.get("fill_id") or row["status"])
        if key not in reports.rows:
            reports.put(session.noted, key, row)
    return 0


@means(say.INSERT_FILLS)
def _insert_fills(session: Session, parameters: Any) -> int:
    tables = _tables(session)
    for row in msgspec.json.decode(parameters[0]):
        if row["trade_id"] not in tables.trades.rows:
            raise errors.ForeignKeyViolation(f"fill {row['fill_id']}: no trade {row['trade_id']}")
        tables.fills.insert(session.noted, (row["account"], row["fill_id"]), row)
    return 0


@means(say.INSERT_DECISIONS)
def _insert_decisions(session: Session, parameters: Any) -> int:
    decisions = _tables(session).decisions
    for row in msgspec.json.decode(parameters[0]):
        if (row["decision_id"], row["ts"]) not in decisions.rows:
            decisions.put(session.noted, (row["decision_id"], row["ts"]), row)
    return 0


@means(say.INSERT_COVERAGE_HISTORY)
def _insert_coverage_history(session: Session, parameters: Any) -> int:
    for row in msgspec.json.decode(parameters[0]):
        _tables(session).coverage_history.append(session.noted, row)
    return 0


@means(say.UPSERT_COVERAGE)
def _upsert_coverage(session: Session, parameters: Any) -> int:
    for row in msgspec.json.decode(parameters[0]):
        _tables(session).coverage.put(session.noted, row["trade_id"], row)
    return 0


@means(say.UPSERT_PROGRESS)
def _upsert_progress(session: Session, parameters: Any) -> int:
    for body in msgspec.json.decode(parameters[0], type=list[msgspec.Raw]):
        row = msgspec.json.decode(body)
        _tables(session).progress.put(session.noted, (row["trade_id"], row["rule"]), bytes(body))
    return 0


@means(say.INSERT_NOTICES)
def _insert_notices(session: Session, parameters: Any) -> int:
    notices = _tables(session).notices
    for row in msgspec.json.decode(parameters[0]):
        if (row["notice_id"], row["ts"]) not in notices.rows:
            notices.put(session.noted, (row["notice_id"], row["ts"]), row)
    return 0


@means(say.INSERT_SETTINGS_HISTORY)
def _insert_settings_history(session: Session, parameters: Any) -> int:
    history = _tables(session).settings_history
    for row in msgspec.json.decode(parameters[0]):
        if row["version"] != len(history) + 1:
            raise errors.IntegrityConstraintViolation(f"settings version {row['version']} does not follow")
        history.insert(session.noted, row["version"], row)
    return 0


@means(say.UPSERT_LAYER)
def _upsert_layer(session: Session, parameters: Any) -> int:
    layer, name, values, removed = parameters
    layers = _tables(session).settings_layers
    kept = {key: value for key, value in layers.rows.get((layer, name), {}).items() if key not in removed}
    layers.put(session.noted, (layer, name), kept | msgspec.json.decode(values))
    return 1


@means(say.UPSERT_POSITIONS)
def _upsert_positions(session: Session, parameters: Any) -> int:
    positions = _tables(session).positions
    for row in msgspec.json.decode(parameters[0]):
        key = (row["account"], row["ticker"], row["side"])
        before = positions.rows.get(key)
        if before is None or read_instant(before["ts"]) <= read_instant(row["ts"]):
            positions.put(session.noted, key, row)
    return 0


@means(say.UPSERT_BALANCES)
def _upsert_balances(session: Session, parameters: Any) -> int:
    balances = _tables(session).balances
    for row in msgspec.json.decode(parameters[0]):
        before = balances.rows.get(row["account"])
        if before is None or read_instant(before["ts"]) <= read_instant(row["ts"]):
            balances.put(session.noted, row["account"], row)
    return 0


@means(say.UPSERT_ACCOUNT_PROGRESS)
def _upsert_account_progress(session: Session, parameters: Any) -> int:
    progress = _tables(session).account_progress
    for row in msgspec.json.decode(parameters[0]):
        before = progress.rows.get(row["account"])
        if before is None or _reset_ns(before) <= _reset_ns(row):
            progress.put(session.noted, row["account"], row)
    return 0


def _reset_ns(row: dict[str, Any]) -> int:
    return read_instant(row["reset_ns"]) if "reset_ns" in row else 0


@means(say.RESET_ACCOUNTS)
def _reset_accounts(session: Session, parameters: Any) -> int:
    forgotten, reset_ns, _, everybody, account = parameters
    progress = _tables(session).account_progress
    for name in [name for name in progress.rows if everybody == "" or name == account]:
        kept = {key: value for key, value in progress.rows[name].items() if key not in forgotten}
        progress.put(session.noted, name, kept | {"reset_ns": reset_ns})
    return 0


@means(say.INSERT_SETTLEMENTS)
def _insert_settlements(session: Session, parameters: Any) -> int:
    settlements = _tables(session).settlements
    for row in msgspec.json.decode(parameters[0]):
        key = (row["account"], row["ticker"], row["ts"])
        if key not in settlements.rows:
            settlements.put(session.noted, key, row)
    return 0


@means(say.LIMIT_RISK)
def _limit_risk(session: Session, parameters: Any) -> int:
    account, halted, reduce_only, *_ = parameters
    state = _tables(session).system_state
    before = state.rows.get(account, (False, False))
    state.put(session.noted, account, (before[0] or halted, before[1] or reduce_only))
    return 1


@means(say.RESUME)
def _resume(session: Session, parameters: Any) -> int:
    *_, everybody, account = parameters
    state = _tables(session).system_state
    for name in [name for name in state.rows if everybody == "" or name == account]:
        state.put(session.noted, name, (False, False))
    return 1


def copy(session: Session, statement: str, row: Sequence[Any]) -> None:
    """Take one row of a COPY."""
    tables = _tables(session)
    if statement == say.COPY_QUARANTINE:
        tables.quarantine.append(session.noted, tuple(row))
    elif statement == say.COPY_JOURNAL:
        tables.journal.insert(session.noted, row[0], tuple(row))
    elif statement == say.COPY_OUTBOX:
        seq, msg_id = row[0], row[1]
        tables.outbox.insert(session.noted, seq, tuple(row))
        tables.unpublished.put(session.noted, seq, True)
        known = tables.by_message.rows.get(msg_id, ())
        if any(tables.outbox.rows[other][-1] == row[-1] for other in known):
            raise errors.UniqueViolation(f"outbox: {msg_id} stands already")
        tables.by_message.put(session.noted, msg_id, (*known, seq))
    else:
        raise AssertionError(f"the model does not know {statement}")


# What the store does beside


@means(store.TAKE_LEAD)
def _take_lead(session: Session, parameters: Any) -> int:
    session.demand_writable()
    leader = _tables(session).leader
    if leader.rows[0].epoch >= parameters["epoch"]:
        return 0
    leader.put(session.noted, 0, Leader(parameters["epoch"], parameters["instance"]))
    return 1


@means(store.MARK_PUBLISHED)
def _mark_published(session: Session, parameters: Any) -> int:
    session.demand_writable()
    tables = _tables(session)
    for msg_id in parameters[1]:
        for seq in tables.by_message.rows.get(msg_id, ()):
            if tables.unpublished.rows.get(seq):
                tables.unpublished.put(session.noted, seq, False)
    return 0


@means(store.NOTE_PLACES)
def _note_places(session: Session, parameters: Any) -> int:
    session.demand_writable()
    tables = _tables(session)
    for name, reached in zip(*parameters, strict=True):
        if name in tables.streams.rows and tables.places.rows.get(name, 0) < reached:
            tables.places.put(session.noted, name, reached)
    return 0


@means(store.RECORD_STREAM)
def _record_stream(session: Session, parameters: Any) -> int:
    session.demand_writable()
    name, created, _ = parameters
    if name not in _tables(session).streams.rows:
        _tables(session).streams.put(session.noted, name, created)
    return 1


@means(store.STREAMS)
def _streams(session: Session, _: Any) -> Rows:
    return list(_tables(session).streams.rows.items())


@means(store.ANY_SETTINGS)
def _any_settings(session: Session, _: Any) -> Rows:
    return [(bool(len(_tables(session).settings_history)),)]


@means(store.LEADER, recovery.EPOCH)
def _leader(session: Session, _: Any) -> Rows:
    return [(_tables(session).leader.rows[0].epoch,)]


@means(store.TERMINATE)
def _terminate(session: Session, parameters: Any) -> Rows:
    other = session.server.sessions.get(parameters[0])
    if other is not None:
        other.end()
    return [(other is not None,)]


@means(store.END_OLDER)
def _end_older(session: Session, parameters: Any) -> Rows:
    older = [one for one in session.server.sessions.values() if 1 <= one.epoch < parameters[0] and one is not session]
    for one in older:
        one.end()
    return [(True,) for _ in older]


@means(say.XACT_STATUS)
def _xact_status(session: Session, parameters: Any) -> Rows:
    return [(session.server.fates.get(int(parameters[0])),)]


# What a start reads


def _covered(session: Session, row: TradeRow) -> str:
    """Return the body with the coverage of now, where the trade lives."""
    coverage = None if row.state in ENDED else _tables(session).coverage.rows.get(row.trade_id)
    if coverage is None:
        return row.body.decode()
    body = msgspec.json.decode(row.body, type=dict[str, msgspec.Raw])
    now = {"coverage": coverage["coverage"], "coverage_why": coverage["why"]}
    return msgspec.json.encode({**body, **now}).decode()


@means(recovery.TRADES)
def _live_trades(session: Session, _: Any) -> Rows:
    rows = (row for _, row in sorted(_tables(session).trades.rows.items()) if row.state not in ENDED)
    return [(_covered(session, row),) for row in rows]


@means(recovery.SEEN)
def _seen(session: Session, parameters: Any) -> Rows:
    rows = sorted(_tables(session).inbox, key=lambda row: row[6])
    return [row[:2] for row in rows[-parameters[0] :]]


@means(recovery.SETTINGS_VERSION)
def _settings_version(session: Session, _: Any) -> Rows:
    return [(len(_tables(session).settings_history),)]


@means(recovery.LAYERS)
def _layers(session: Session, _: Any) -> Rows:
    return [(*key, dict(values)) for key, values in _tables(session).settings_layers.rows.items()]


@means(recovery.POSITIONS)
def _positions(session: Session, parameters: Any) -> Rows:
    tables = _tables(session)
    alive = {(row.account, row.ticker) for row in tables.trades if row.state not in ENDED}
    newest = sorted(tables.positions.rows.items(), key=lambda item: read_instant(item[1]["ts"]))[-parameters[0] :]
    found = dict(newest) | {key: row for key, row in tables.positions.rows.items() if key[:2] in alive}
    return [(*key, Decimal(row["quantity"]), _at(row["ts"])) for key, row in sorted(found.items())]


@means(recovery.SETTLEMENTS)
def _settlements(session: Session, parameters: Any) -> Rows:
    rows = sorted(
        _tables(session).settlements, key=lambda row: (read_instant(row["ts"]), row["account"], row["ticker"])
    )
    return [
        (
            row["account"],
            row["ticker"],
            _at(row["ts"]),
            row["result"],
            Decimal(row["revenue"]),
            *map(_money, (row.get("payout"), row.get("fees"))),
        )
        for row in rows[-parameters[0] :]
    ]


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@means(recovery.BALANCES)
def _balances(session: Session, _: Any) -> Rows:
    rows = sorted(_tables(session).balances.rows.items())
    return [(account, Decimal(row["balance"]), _at(row["ts"])) for account, row in rows]


@means(recovery.ACCOUNT_PROGRESS)
def _account_progress(session: Session, _: Any) -> Rows:
    rows = sorted(_tables(session).account_progress.rows.items())
    return [(msgspec.json.encode(row).decode(),) for _, row in rows]


@means(recovery.ACCOUNTS)
def _accounts(session: Session, _: Any) -> Rows:
    return list(_tables(session).accounts.rows.items())


def _lives(session: Session, trade_id: str) -> bool:
    trade = _tables(session).trades.rows.get(trade_id)
    return trade is not None and trade.state not in ENDED


@means(recovery.PROGRESS)
def _progress(session: Session, _: Any) -> Rows:
    rows = sorted(_tables(session).progress.rows.items())
    return [(body.decode(),) for (trade_id, _), body in rows if _lives(session, trade_id)]


@means(recovery.COVERAGE)
def _coverage(session: Session, _: Any) -> Rows:
    rows = sorted(_tables(session).coverage.rows.items())
    return [
        (trade_id, row["coverage"], row["why"], _at(row["since"]), _at(row["ts"]))
        for trade_id, row in rows
        if _lives(session, trade_id)
    ]


@means(recovery.ENDED)
def _ended(session: Session, parameters: Any) -> Rows:
    rows = [row for row in _tables(session).trades if row.state in ENDED]
    rows.sort(key=lambda row: (read_instant(row.ts), row.trade_id))
    return [(row.body.decode(),) for row in rows[-parameters[0] :]]


@means(recovery.ENDED_IDS)
def _ended_ids(session: Session, _: Any) -> Rows:
    return [(row.trade_id,) for row in _tables(session).trades if row.state in ENDED]


@means(recovery.FILLS)
def _fills(session: Session, parameters: Any) -> Rows:
    return list(_tables(session).fills.rows)[-parameters[0] :]


@means(recovery.STATE)
def _state(session: Session, _: Any) -> Rows:
    return [(account, *flags) for account, flags in _tables(session).system_state.rows.items()]


@means(recovery.UNPUBLISHED)
def _unpublished(session: Session, parameters: Any) -> Rows:
    tables = _tables(session)
    waiting = [tables.outbox.rows[seq] for seq, is_waiting in tables.unpublished.rows.items() if is_waiting]
    # The row is (seq, msg_id, subject, kind, body, direct, cause, created_at).
    return [(row[2], row[1], row[3], row[4], row[5], row[6]) for row in sorted(waiting)[: parameters[0]]]


@means(recovery.REACHED)
def _reached(session: Session, _: Any) -> Rows:
    places = _tables(session).places.rows
    return [(name, places.get(name, 0)) for name in _tables(session).streams.rows]


@means(recovery.BEYOND)
def _beyond(session: Session, _: Any) -> Rows:
    tables = _tables(session)
    known = {(row[4], row[5]) for table in (tables.inbox, tables.quarantine) for row in table if row[4] is not None}
    return [
        one for one in sorted(known) if one[0] in tables.streams.rows and one[1] > tables.places.rows.get(one[0], 0)
    ]


# Whether a commit stands


@means(standing.INBOX_DIGEST)
def _inbox_digest(session: Session, parameters: Any) -> Rows:
    row = _tables(session).inbox.rows.get(parameters[0])
    return [] if row is None else [(row[1],)]


@means(standing.EDGES)
def _edges(session: Session, columns: Any) -> Rows:
    journal = {(row[1], row[2], row[4]) for row in _tables(session).journal}
    return [(len(set(zip(*columns, strict=True)) & journal),)]


@means(standing.VERSIONS)
def _versions(session: Session, columns: Any) -> Rows:
    trades = _tables(session).trades.rows
    return [(sum(t in trades and trades[t].version >= version for t, version in zip(*columns, strict=True)),)]


@means(standing.VERSIONS_NOW)
def _versions_now(session: Session, parameters: Any) -> Rows:
    trades = _tables(session).trades.rows
    return [(trade_id, trades[trade_id].version) for trade_id in parameters[0] if trade_id in trades]


@means(standing.MESSAGES)
def _messages(session: Session, parameters: Any) -> Rows:
    known = _tables(session).by_message.rows
    return [(len({msg_id for msg_id in parameters[0] if msg_id in known}),)]


# Questions


@means(reader.TRADE)
def _trade(session: Session, parameters: Any) -> Rows:
    row = _tables(session).trades.rows.get(parameters[0])
    return [] if row is None else [(row.body.decode(),)]


@means(reader.TRADES)
def _trades(session: Session, filters: Any) -> Rows:
    found: Rows = []
    for trade_id, row in sorted(_tables(session).trades.rows.items()):
        wanted = (
            (filters["after"] is None or trade_id > filters["after"])
            and (filters["states"] is None or row.state in filters["states"])
            and (filters["account"] is None or row.account == filters["account"])
            and (filters["symbol"] is None or row.symbol == filters["symbol"])
            and (filters["since"] is None or _at(row.ts) >= filters["since"])
        )
        if wanted:
            found.append((_covered(session, row),))
    return found[: filters["limit"]]


@means(reader.SETTINGS_HISTORY)
def _settings_history(session: Session, filters: Any) -> Rows:
    rows = sorted(_tables(session).settings_history.rows.items(), reverse=True)
    found = [row for version, row in rows if filters["after"] is None or version < filters["after"]]
    names = ("version", "layer", "name", "before", "after", "reason", "requested_by")
    return [(*(row[name] for name in names), _at(row["ts"])) for row in found[: filters["limit"]]]
