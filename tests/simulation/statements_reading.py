"""What the statements that only read mean to `ModelPostgres`: what a start begins with, and what people ask."""

from decimal import Decimal
from typing import Any

import msgspec

from bus.messages.plain import read_instant
from db import reader, recovery
from tests.simulation.meanings import ENDED, Rows, instant, means, tables_of
from tests.simulation.postgres import Session, TradeRow


def _covered(session: Session, row: TradeRow) -> str:
    """Return the body with the coverage of now, where the trade lives."""
    coverage = None if row.state in ENDED else tables_of(session).coverage.rows.get(row.trade_id)
    if coverage is None:
        return row.body.decode()
    body = msgspec.json.decode(row.body, type=dict[str, msgspec.Raw])
    now = {"coverage": coverage["coverage"], "coverage_why": coverage["why"]}
    return msgspec.json.encode({**body, **now}).decode()


@means(recovery.TRADES)
def _live_trades(session: Session, _: Any) -> Rows:
    rows = (row for _, row in sorted(tables_of(session).trades.rows.items()) if row.state not in ENDED)
    return [(_covered(session, row),) for row in rows]


@means(recovery.SEEN)
def _seen(session: Session, parameters: Any) -> Rows:
    rows = sorted(tables_of(session).inbox, key=lambda row: row[6])
    return [row[:2] for row in rows[-parameters[0] :]]


@means(recovery.SETTINGS_VERSION)
def _settings_version(session: Session, _: Any) -> Rows:
    return [(len(tables_of(session).settings_history),)]


@means(recovery.LAYERS)
def _layers(session: Session, _: Any) -> Rows:
    return [(*key, dict(values)) for key, values in tables_of(session).settings_layers.rows.items()]


@means(recovery.POSITIONS)
def _positions(session: Session, parameters: Any) -> Rows:
    tables = tables_of(session)
    alive = {(row.account, row.ticker) for row in tables.trades if row.state not in ENDED}
    newest = sorted(tables.positions.rows.items(), key=lambda item: read_instant(item[1]["ts"]))[-parameters[0] :]
    found = dict(newest) | {key: row for key, row in tables.positions.rows.items() if key[:2] in alive}
    return [(*key, Decimal(row["quantity"]), instant(row["ts"])) for key, row in sorted(found.items())]


@means(recovery.SETTLEMENTS)
def _settlements(session: Session, parameters: Any) -> Rows:
    rows = sorted(
        tables_of(session).settlements, key=lambda row: (read_instant(row["ts"]), row["account"], row["ticker"])
    )
    return [
        (
            row["account"],
            row["ticker"],
            instant(row["ts"]),
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
    rows = sorted(tables_of(session).balances.rows.items())
    return [(account, Decimal(row["balance"]), instant(row["ts"])) for account, row in rows]


@means(recovery.ACCOUNT_PROGRESS)
def _account_progress(session: Session, _: Any) -> Rows:
    rows = sorted(tables_of(session).account_progress.rows.items())
    return [(msgspec.json.encode(row).decode(),) for _, row in rows]


@means(recovery.ACCOUNTS)
def _accounts(session: Session, _: Any) -> Rows:
    return list(tables_of(session).accounts.rows.items())


def _lives(session: Session, trade_id: str) -> bool:
    trade = tables_of(session).trades.rows.get(trade_id)
    return trade is not None and trade.state not in ENDED


@means(recovery.PROGRESS)
def _progress(session: Session, _: Any) -> Rows:
    rows = sorted(tables_of(session).progress.rows.items())
    return [(body.decode(),) for (trade_id, _), body in rows if _lives(session, trade_id)]


@means(recovery.COVERAGE)
def _coverage(session: Session, _: Any) -> Rows:
    rows = sorted(tables_of(session).coverage.rows.items())
    return [
        (trade_id, row["coverage"], row["why"], instant(row["since"]), instant(row["ts"]))
        for trade_id, row in rows
        if _lives(session, trade_id)
    ]


@means(recovery.ENDED)
def _ended(session: Session, parameters: Any) -> Rows:
    rows = [row for row in tables_of(session).trades if row.state in ENDED]
    rows.sort(key=lambda row: (read_instant(row.ts), row.trade_id))
    return [(row.body.decode(),) for row in rows[-parameters[0] :]]


@means(recovery.ENDED_IDS)
def _ended_ids(session: Session, _: Any) -> Rows:
    return [(row.trade_id,) for row in tables_of(session).trades if row.state in ENDED]


@means(recovery.FILLS)
def _fills(session: Session, parameters: Any) -> Rows:
    return list(tables_of(session).fills.rows)[-parameters[0] :]


@means(recovery.STATE)
def _state(session: Session, _: Any) -> Rows:
    return [(account, *flags) for account, flags in tables_of(session).system_state.rows.items()]


@means(recovery.UNPUBLISHED)
def _unpublished(session: Session, parameters: Any) -> Rows:
    tables = tables_of(session)
    waiting = [tables.outbox.rows[seq] for seq, is_waiting in tables.unpublished.rows.items() if is_waiting]
    # The row is (seq, msg_id, subject, kind, body, direct, cause, created_at).
    return [(row[2], row[1], row[3], row[4], row[5], row[6]) for row in sorted(waiting)[: parameters[0]]]


@means(recovery.REACHED)
def _reached(session: Session, _: Any) -> Rows:
    places = tables_of(session).places.rows
    return [(name, places.get(name, 0)) for name in tables_of(session).streams.rows]


@means(recovery.BEYOND)
def _beyond(session: Session, _: Any) -> Rows:
    tables = tables_of(session)
    known = {(row[4], row[5]) for table in (tables.inbox, tables.quarantine) for row in table if row[4] is not None}
    return [
        one for one in sorted(known) if one[0] in tables.streams.rows and one[1] > tables.places.rows.get(one[0], 0)
    ]


@means(reader.TRADE)
def _trade(session: Session, parameters: Any) -> Rows:
    row = tables_of(session).trades.rows.get(parameters[0])
    return [] if row is None else [(row.body.decode(),)]


@means(reader.CAPSULE)
def _capsule(session: Session, parameters: Any) -> Rows:
    row = tables_of(session).capsules.rows.get(parameters[0])
    return [] if row is None else [(row.decode(),)]


@means(reader.TRADES)
def _trades(session: Session, filters: Any) -> Rows:
    found: Rows = []
    for trade_id, row in sorted(tables_of(session).trades.rows.items()):
        wanted = (
            (filters["after"] is None or trade_id > filters["after"])
            and (filters["states"] is None or row.state in filters["states"])
            and (filters["account"] is None or row.account == filters["account"])
            and (filters["symbol"] is None or row.symbol == filters["symbol"])
            and (filters["since"] is None or instant(row.ts) >= filters["since"])
        )
        if wanted:
            found.append((_covered(session, row),))
    return found[: filters["limit"]]


@means(reader.SETTINGS_HISTORY)
def _settings_history(session: Session, filters: Any) -> Rows:
    rows = sorted(tables_of(session).settings_history.rows.items(), reverse=True)
    found = [row for version, row in rows if filters["after"] is None or version < filters["after"]]
    names = ("version", "layer", "name", "before", "after", "reason", "requested_by")
    return [(*(row[name] for name in names), instant(row["ts"])) for row in found[: filters["limit"]]]
