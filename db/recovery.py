"""What the house starts from, read in one snapshot; and what the relay must still publish."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg

from bus.messages import plain
from bus.messages.accounts import AccountProgress
from bus.messages.envelope import Message, Outgoing
from bus.messages.notices import Notice
from bus.messages.orders import Balance, OrderCancel, OrderReport, OrderSubmit, Position, Settlement
from bus.messages.records import Place, Recovered
from bus.messages.settings import SettingsChanged
from bus.messages.stops import StopCoverage, StopDecision, StopProgress
from bus.messages.system import SystemEvent
from bus.messages.trades import Coverage, Side, Trade
from db import plain_settings
from db.reader import AS_COVERED
from db.rows import has_ended, nanoseconds

_REMEMBERED_MAX: Final = 200_000
_ENDED_MAX: Final = 2_000
_POSITIONS_MAX: Final = 5_000
_SETTLEMENTS_MAX: Final = 5_000
PATIENCE_S: Final = 60
_BOUNDED_SINCE: Final = 170_000

PATIENCE: Final = "SELECT set_config('statement_timeout', %s, true)"
TRANSACTION_PATIENCE: Final = "SELECT set_config('transaction_timeout', %s, true)"
TRADES: Final = f"{AS_COVERED} WHERE NOT {has_ended('t')} ORDER BY t.trade_id"
SEEN: Final = (
    "SELECT key, digest FROM (SELECT * FROM inbox ORDER BY received_at DESC LIMIT %s) AS recent ORDER BY received_at"
)
SETTINGS_VERSION: Final = "SELECT coalesce(max(version), 0) FROM settings_history"
LAYERS: Final = "SELECT layer, name, settings FROM settings_layers"
ACCOUNTS: Final = "SELECT account, mode FROM accounts"
PROGRESS: Final = f"""
    SELECT p.body::text FROM stop_progress AS p JOIN trades AS t USING (trade_id) WHERE NOT {has_ended("t")} ORDER BY p.trade_id, p.rule
"""
COVERAGE: Final = f"""
    SELECT c.trade_id, c.coverage, c.why, c.since, c.ts FROM coverage AS c JOIN trades AS t USING (trade_id)
    WHERE NOT {has_ended("t")} ORDER BY c.trade_id
"""
ENDED: Final = f"""
    SELECT body::text FROM (SELECT * FROM trades WHERE {has_ended()} ORDER BY ts DESC LIMIT %s) AS recent ORDER BY ts, trade_id
"""
ENDED_IDS: Final = f"SELECT trade_id FROM trades WHERE {has_ended()}"
FILLS: Final = "SELECT account, fill_id FROM fills ORDER BY ts DESC LIMIT %s"
STATE: Final = "SELECT account, halted, reduce_only FROM system_state"
BALANCES: Final = "SELECT account, balance, ts FROM balances ORDER BY account"
POSITIONS: Final = f"""
    SELECT p.account, p.ticker, p.side, p.quantity, p.ts FROM positions AS p
    WHERE EXISTS (SELECT FROM trades AS t WHERE t.account = p.account AND t.ticker = p.ticker AND NOT {has_ended("t")})
    UNION SELECT * FROM (SELECT account, ticker, side, quantity, ts FROM positions ORDER BY ts DESC LIMIT %s) AS recent
    ORDER BY account, ticker, side
"""
SETTLEMENTS: Final = """
    SELECT account, ticker, ts, result, revenue, payout, fees
    FROM (SELECT * FROM settlements ORDER BY ts DESC LIMIT %s) AS recent ORDER BY ts, account, ticker
"""
ACCOUNT_PROGRESS: Final = "SELECT body::text FROM account_progress ORDER BY account"
EPOCH: Final = "SELECT epoch FROM leader"
UNPUBLISHED: Final = (
    "SELECT subject, msg_id, kind, body, direct, cause FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT %s"
)

_KINDS: Final[dict[str, type[Message]]] = {
    kind.__name__: kind
    for kind in (
        *(OrderSubmit, OrderCancel, OrderReport, Trade, StopDecision, StopCoverage),
        *(Notice, SettingsChanged, SystemEvent),
    )
}
"""Every word that leaves through the outbox, by the name in its row."""

REACHED: Final = "SELECT name, journaled FROM streams"
BEYOND: Final = """
    SELECT name, sequence FROM streams JOIN inbox ON stream = name WHERE sequence > journaled AND received_at >= recorded_at
    UNION
    SELECT name, sequence FROM streams JOIN quarantine ON stream = name WHERE sequence > journaled AND received_at >= recorded_at
"""
"""Without what was heard from another stream of that name: one that was made anew counts from 1 again (Fault 13)."""


def read_all(connection: psycopg.Connection) -> Recovered:
    """Return what the house starts from. Raises: psycopg.Error; msgspec.DecodeError if a row is not what we wrote."""
    connection.execute(PATIENCE, [f"{PATIENCE_S}s"])
    if connection.info.server_version >= _BOUNDED_SINCE:
        connection.execute(TRANSACTION_PATIENCE, [f"{PATIENCE_S}s"])

    def rows(query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return connection.execute(query, parameters).fetchall()

    state = rows(STATE)
    return Recovered(
        trades=tuple(plain.from_json(Trade, body) for (body,) in rows(TRADES)),
        seen=dict(rows(SEEN, [_REMEMBERED_MAX])),
        settings_version=rows(SETTINGS_VERSION)[0][0],
        layers={(layer, name): plain_settings.read_values(values) for layer, name, values in rows(LAYERS)},
        accounts=dict(rows(ACCOUNTS)),
        progress=tuple(plain.from_json(StopProgress, body) for (body,) in rows(PROGRESS)),
        coverage=tuple(_coverage(row) for row in rows(COVERAGE)),
        fill_ids=frozenset((account, fill_id) for account, fill_id in rows(FILLS, [_REMEMBERED_MAX])),
        halted=any(halted for account, halted, _ in state if not account),
        reduce_only=frozenset(account for account, _, reduce_only in state if reduce_only),
        epoch=rows(EPOCH)[0][0],
        ended=tuple(plain.from_json(Trade, body) for (body,) in rows(ENDED, [_ENDED_MAX])),
        ended_ids=frozenset(trade_id for (trade_id,) in rows(ENDED_IDS)),
        balances=tuple(Balance(account=a, balance=b, ts=nanoseconds(ts)) for a, b, ts in rows(BALANCES)),
        account_progress=tuple(plain.from_json(AccountProgress, body) for (body,) in rows(ACCOUNT_PROGRESS)),
        positions=tuple(map(_position, rows(POSITIONS, [_POSITIONS_MAX]))),
        settlements=tuple(map(_settlement, rows(SETTLEMENTS, [_SETTLEMENTS_MAX]))),
    )


def read_places(connection: psycopg.Connection) -> dict[str, Place]:
    """Return, by stream, how far its inputs have had their effect or are in quarantine."""
    beyond: dict[str, set[int]] = {}
    for stream, sequence in connection.execute(BEYOND):
        beyond.setdefault(stream, set()).add(sequence)
    return {
        stream: Place(reached=reached, beyond=frozenset(beyond.get(stream, ())))
        for stream, reached in connection.execute(REACHED)
    }


def _coverage(row: tuple[Any, ...]) -> StopCoverage:
    trade_id, coverage, why, since, ts = row
    return StopCoverage(
        trade_id=trade_id, coverage=Coverage(coverage), why=why, since=nanoseconds(since), ts=nanoseconds(ts)
    )


def _position(row: tuple[Any, ...]) -> Position:
    account, ticker, side, quantity, ts = row
    return Position(account=account, ticker=ticker, side=Side(side), quantity=quantity, ts=nanoseconds(ts))


def _settlement(row: tuple[Any, ...]) -> Settlement:
    account, ticker, ts, result, revenue, payout, fees = row
    return Settlement(
        account=account, ticker=ticker, ts=nanoseconds(ts), result=result, revenue=revenue, payout=payout, fees=fees
    )


def read_unpublished(connection: psycopg.Connection, limit: int) -> tuple[Outgoing, ...]:
    """Return the oldest messages that NATS may not have, in order, at most `limit`."""
    return tuple(
        Outgoing(subject=subject, msg_id=msg_id, message=_message(kind, body), direct=direct, cause=cause)
        for subject, msg_id, kind, body, direct, cause in connection.execute(UNPUBLISHED, [limit])
    )


def _message(kind: str, body: bytes) -> Message:
    found = _KINDS.get(kind)
    if found is None:
        raise msgspec.ValidationError(f"an outbox row holds a {kind}, which this program does not know")
    return plain.from_json(found, body)
