"""One batch of commits, written in one transaction that another epoch cannot get past.

Every write transaction begins by holding the `leader` row of its own epoch: a takeover waits for it, and after a takeover there
is no such row, so the transaction ends before it has written anything (Fault 45). What commits depend on (versions, dedupe keys)
is checked by the rows themselves: a statement that touches fewer rows than it was given contradicts the record.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from bus.messages import plain
from bus.messages.failures import Fenced
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.system import SystemEvent
from db import plain_settings
from db import statements as say
from db.connections import transaction
from db.errors import RowConflict
from db.rows import GENESIS, Batch, Tail, instant

_SIMPLE: Final = (
    ("cancels", say.INSERT_CANCELS),
    ("reports", say.INSERT_REPORTS),
    ("decisions", say.INSERT_DECISIONS),
    ("coverage", say.INSERT_COVERAGE_HISTORY),
    ("coverage", say.UPSERT_COVERAGE),
    ("progress", say.UPSERT_PROGRESS),
    ("notices", say.INSERT_NOTICES),
    ("positions", say.UPSERT_POSITIONS),
    ("balances", say.UPSERT_BALANCES),
    ("account_progress", say.UPSERT_ACCOUNT_PROGRESS),
    ("settlements", say.INSERT_SETTLEMENTS),
)


_ONCE: Final = ("fired", "confirms", "counted")
"""What a drawdown rule forgets of an account with a resume."""


_TOLD: Final = ("progress", "coverage", "decisions")
"""What a capsule holds beside its trade."""
_ENDED_MAX: Final = 10_000


class InDoubt:
    """A transaction whose end nobody heard: its number and its server process."""

    def __init__(self, xid: str, pid: int) -> None:
        self.xid = xid
        self.pid = pid


class BatchWriter:
    """Writes batches for one epoch. Knows the end of the ledger, and which months have their partitions."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.in_doubt: InDoubt | None = None
        self._tail: Tail | None = None
        self._months: set[tuple[int, int]] = set()
        self._ended: dict[str, None] = {}

    def write(self, connection: psycopg.Connection, batch: Batch) -> None:
        """Write `batch` wholly or not at all.

        Raises: Fenced; RowConflict; psycopg.Error. After an error during COMMIT `in_doubt` says which transaction it was.
        """
        self._ensure_months(connection, batch)
        tail, self._tail = self._tail, None
        with transaction(connection):
            in_doubt = self._fence(connection)
            after = self._write_rows(connection, batch, tail or _read_tail(connection))
            self.in_doubt = in_doubt
        # Only now: whatever failed before left a tail that nobody may trust.
        self.in_doubt = None
        self._tail = after

    def _fence(self, connection: psycopg.Connection) -> InDoubt:
        row = connection.execute(say.FENCE, [self.epoch]).fetchone()
        if row is None:
            raise Fenced(f"epoch {self.epoch} does not lead any more")
        return InDoubt(*row)

    def _ensure_months(self, connection: psycopg.Connection, batch: Batch) -> None:
        for month in sorted(batch.months() - self._months):
            with transaction(connection):
                connection.execute(say.ENSURE_MONTH, month)
            self._months.add(month)

    def _write_rows(self, connection: psycopg.Connection, batch: Batch, tail: Tail) -> Tail:
        cursor = connection.cursor()
        _write_inbox(cursor, batch)
        _write_trades(cursor, batch)
        _write_orders(cursor, batch)
        for name, statement in _SIMPLE:
            if batch.holds(name):
                cursor.execute(statement, [batch.words(name)])
        if batch.holds("fills"):
            cursor.execute(say.INSERT_FILLS, [batch.fills()])
        self._keep_capsules(cursor, batch)
        _write_settings(cursor, [change for commit in batch.commits for change in commit.settings])
        _write_system(cursor, [event for commit in batch.commits for event in commit.system])
        _copy(cursor, say.COPY_QUARANTINE, say.QUARANTINE_TYPES, batch.quarantined())
        journal, tail = batch.journal(tail)
        _copy(cursor, say.COPY_JOURNAL, say.JOURNAL_TYPES, journal)
        outbox, tail = batch.outbox(tail)
        _copy(cursor, say.COPY_OUTBOX, say.OUTBOX_TYPES, outbox)
        return tail

    def _keep_capsules(self, cursor: psycopg.Cursor, batch: Batch) -> None:
        """Keep what is known of each trade that ends; again where another actor's word of it comes a moment later."""
        ending = {change.trade.trade_id for change in batch.changes if change.trade.state.is_terminal}
        late = {word.trade_id for name in _TOLD for commit in batch.commits for word in getattr(commit, name)}
        told = ending | (late & self._ended.keys())
        if told:
            cursor.execute(say.KEEP_CAPSULES, [sorted(told)])
        if ending:
            self._ended = dict.fromkeys([*self._ended, *ending][-_ENDED_MAX:])


def _read_tail(connection: psycopg.Connection) -> Tail:
    row = connection.execute(say.TAIL).fetchone()
    assert row is not None
    return Tail(row[0], row[1] or GENESIS, row[2])


def _write_inbox(cursor: psycopg.Cursor, batch: Batch) -> None:
    rows = batch.inbox()
    if rows:
        cursor.execute(say.INSERT_INBOX, [list(column) for column in zip(*rows, strict=True)])
        _demand(cursor, len(rows), "an input has had its effect already")


def _write_trades(cursor: psycopg.Cursor, batch: Batch) -> None:
    new = sum(change.expected == 0 for change in batch.changes)
    if new:
        cursor.execute(say.INSERT_ACCOUNTS, [batch.accounts()])
        cursor.execute(say.INSERT_TRADES, [batch.trades(new=True)])
        _demand(cursor, new, "a trade of that id stands already")
    if len(batch.changes) > new:
        cursor.execute(say.UPDATE_TRADES, [batch.trades(new=False)])
        _demand(cursor, len(batch.changes) - new, "a trade does not stand at the expected version")


def _write_orders(cursor: psycopg.Cursor, batch: Batch) -> None:
    """End first, then add: the next close of a trade may follow the last one within one batch."""
    ended = batch.ended_attempts()
    columns = [list(ended), list(ended.values())]
    if ended:
        cursor.execute(say.END_ORDERS, columns)
    if batch.holds("orders"):
        cursor.execute(say.INSERT_ORDERS, [batch.words("orders"), *columns])


def _write_settings(cursor: psycopg.Cursor, changes: Sequence[SettingsChanged]) -> None:
    for change in changes:
        cursor.execute(say.INSERT_SETTINGS_HISTORY, [plain_settings.row(change)])
        if change.layer != Layer.TRADE:
            removed = [key for key in change.before if key not in change.after]
            values = plain_settings.values_json(change.after)
            cursor.execute(say.UPSERT_LAYER, [change.layer, change.name, values, removed])


def _write_system(cursor: psycopg.Cursor, events: Sequence[SystemEvent]) -> None:
    """Keep what is halted and reduce-only, and let drawdown begin anew. A resume of all (no account) ends everything."""
    for event in events:
        account, by, at = event.account or "", event.requested_by or "", instant(event.ts)
        if event.kind == "resume":
            cursor.execute(say.RESUME, [event.body, by, at, account, account])
            _reset_accounts(cursor, event, _ONCE)
        elif event.kind == "rebase":
            _reset_accounts(cursor, event, (*_ONCE, "high", "pending"))
        elif event.kind in ("halt", "reduce_only"):
            flags = (event.kind == "halt", event.kind == "reduce_only")
            cursor.execute(say.LIMIT_RISK, [account, *flags, event.body, by, at])


def _reset_accounts(cursor: psycopg.Cursor, event: SystemEvent, forgotten: tuple[str, ...]) -> None:
    account = event.account or ""
    cursor.execute(
        say.RESET_ACCOUNTS, [list(forgotten), plain.instant_text(event.ts), instant(event.ts), account, account]
    )


def _copy(cursor: psycopg.Cursor, statement: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _demand(cursor: psycopg.Cursor, expected: int, words: str) -> None:
    if cursor.rowcount != expected:
        raise RowConflict(f"{words} ({cursor.rowcount} of {expected} rows written)")
