"""What the statements that write what stands beside the trades do to the tables of `ModelPostgres`: coverage, notices, settings, accounts."""

from typing import Any

import msgspec
from psycopg import errors

from bus.messages.plain import read_instant
from db import statements as say
from tests.simulation.meanings import means, tables_of
from tests.simulation.postgres import Session, Table


def _put_new(session: Session, table: Table[tuple[Any, Any], Any], parameters: Any, key: str) -> int:
    """Put the rows that are not there yet, by `key` and instant: of those that are, nothing changes."""
    for row in msgspec.json.decode(parameters[0]):
        if (row[key], row["ts"]) not in table.rows:
            table.put(session.noted, (row[key], row["ts"]), row)
    return 0


@means(say.INSERT_DECISIONS)
def _insert_decisions(session: Session, parameters: Any) -> int:
    return _put_new(session, tables_of(session).decisions, parameters, "decision_id")


@means(say.INSERT_COVERAGE_HISTORY)
def _insert_coverage_history(session: Session, parameters: Any) -> int:
    for row in msgspec.json.decode(parameters[0]):
        tables_of(session).coverage_history.append(session.noted, row)
    return 0


@means(say.UPSERT_COVERAGE)
def _upsert_coverage(session: Session, parameters: Any) -> int:
    for row in msgspec.json.decode(parameters[0]):
        tables_of(session).coverage.put(session.noted, row["trade_id"], row)
    return 0


@means(say.UPSERT_PROGRESS)
def _upsert_progress(session: Session, parameters: Any) -> int:
    for body in msgspec.json.decode(parameters[0], type=list[msgspec.Raw]):
        row = msgspec.json.decode(body)
        tables_of(session).progress.put(session.noted, (row["trade_id"], row["rule"]), bytes(body))
    return 0


@means(say.KEEP_CAPSULES)
def _keep_capsules(session: Session, parameters: Any) -> int:
    tables = tables_of(session)
    for trade_id in parameters[0]:
        trade = tables.trades.rows[trade_id]
        if trade.state not in ("closed", "settled"):
            continue
        body = msgspec.json.decode(trade.body)
        told = [row for row in tables.coverage_history if row["trade_id"] == trade_id]
        ends = [*(row["ts"] for row in told[1:]), body["ts"]]
        capsule = {
            "trade_id": trade_id,
            "ts": body["ts"],
            "trade": body,
            "rules": [
                msgspec.json.decode(row) for key, row in sorted(tables.progress.rows.items()) if key[0] == trade_id
            ],
            "decisions": [row for row in tables.decisions if row["trade_id"] == trade_id],
            "unprotected": [
                {"why": row["why"], "since": row["ts"], "until": end}
                for row, end in zip(told, ends, strict=False)
                if row["coverage"] == "unprotected"
            ],
        }
        tables.capsules.put(session.noted, trade_id, msgspec.json.encode(capsule))
    return 0


@means(say.INSERT_NOTICES)
def _insert_notices(session: Session, parameters: Any) -> int:
    return _put_new(session, tables_of(session).notices, parameters, "notice_id")


@means(say.INSERT_SETTINGS_HISTORY)
def _insert_settings_history(session: Session, parameters: Any) -> int:
    history = tables_of(session).settings_history
    for row in msgspec.json.decode(parameters[0]):
        if row["version"] != len(history) + 1:
            raise errors.IntegrityConstraintViolation(f"settings version {row['version']} does not follow")
        history.insert(session.noted, row["version"], row)
    return 0


@means(say.UPSERT_LAYER)
def _upsert_layer(session: Session, parameters: Any) -> int:
    layer, name, values, removed = parameters
    layers = tables_of(session).settings_layers
    kept = {key: value for key, value in layers.rows.get((layer, name), {}).items() if key not in removed}
    layers.put(session.noted, (layer, name), kept | msgspec.json.decode(values))
    return 1


@means(say.UPSERT_POSITIONS)
def _upsert_positions(session: Session, parameters: Any) -> int:
    positions = tables_of(session).positions
    for row in msgspec.json.decode(parameters[0]):
        key = (row["account"], row["ticker"], row["side"])
        before = positions.rows.get(key)
        if before is None or read_instant(before["ts"]) <= read_instant(row["ts"]):
            positions.put(session.noted, key, row)
    return 0


@means(say.UPSERT_BALANCES)
def _upsert_balances(session: Session, parameters: Any) -> int:
    balances = tables_of(session).balances
    for row in msgspec.json.decode(parameters[0]):
        before = balances.rows.get(row["account"])
        if before is None or read_instant(before["ts"]) <= read_instant(row["ts"]):
            balances.put(session.noted, row["account"], row)
    return 0


@means(say.UPSERT_ACCOUNT_PROGRESS)
def _upsert_account_progress(session: Session, parameters: Any) -> int:
    progress = tables_of(session).account_progress
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
    progress = tables_of(session).account_progress
    for name in [name for name in progress.rows if everybody == "" or name == account]:
        kept = {key: value for key, value in progress.rows[name].items() if key not in forgotten}
        progress.put(session.noted, name, kept | {"reset_ns": reset_ns})
    return 0


@means(say.INSERT_SETTLEMENTS)
def _insert_settlements(session: Session, parameters: Any) -> int:
    settlements = tables_of(session).settlements
    for row in msgspec.json.decode(parameters[0]):
        key = (row["account"], row["ticker"], row["ts"])
        if key not in settlements.rows:
            settlements.put(session.noted, key, row)
    return 0


@means(say.LIMIT_RISK)
def _limit_risk(session: Session, parameters: Any) -> int:
    account, halted, reduce_only, *_ = parameters
    state = tables_of(session).system_state
    before = state.rows.get(account, (False, False))
    state.put(session.noted, account, (before[0] or halted, before[1] or reduce_only))
    return 1


@means(say.RESUME)
def _resume(session: Session, parameters: Any) -> int:
    *_, everybody, account = parameters
    state = tables_of(session).system_state
    for name in [name for name in state.rows if everybody == "" or name == account]:
        state.put(session.noted, name, (False, False))
    return 1
