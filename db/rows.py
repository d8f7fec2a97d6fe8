"""What a batch of commits becomes: for each table the rows, ready to be sent in one piece.

Rows travel as one JSON array for each statement and are taken apart by PostgreSQL, so that no value is ever formatted here by
hand, and a statement has one parameter however many rows it writes.

A trade that changes several times in one batch is written once, in its last version; each edge has its journal row anyway.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec

from bus.messages import plain
from bus.messages.envelope import Outgoing
from bus.messages.records import Commit, JournalEntry, Quarantined
from bus.messages.trades import AttemptState, Trade, TradeState
from bus.messages.units import NS_PER_US
from db.errors import RowConflict

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_JSON: Final = msgspec.json.Encoder()
GENESIS: Final = bytes(32)
"""What the first journal row is chained to."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the ledger: the last journal row's number and hash, the last outbox row's number."""

    journal_seq: int = 0
    journal_hash: bytes = GENESIS
    outbox_seq: int = 0


@dataclass(frozen=True, slots=True)
class TradeChange:
    """A trade as it shall stand, and the version that must stand before; 0: none."""

    trade: Trade
    expected: int


@dataclass(slots=True)
class Batch:
    """The rows of several commits, by kind, in the order of the commits.

    Raises (when made): RowConflict if the commits contradict each other; ValueError for what cannot be written.
    """

    commits: Sequence[Commit]
    changes: list[TradeChange] = field(default_factory=list)
    bodies: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        latest: dict[str, TradeChange] = {}
        for commit in self.commits:
            for trade in commit.trades:
                before = latest.get(trade.trade_id)
                if before is not None and trade.version != before.trade.version + 1:
                    raise RowConflict(
                        f"trade {trade.trade_id}: version {trade.version} after {before.trade.version} in one batch"
                    )
                if before is not None and before.trade.state.is_terminal:
                    # The table's own guard would only see the last version.
                    raise RowConflict(f"trade {trade.trade_id} is {before.trade.state}: it never changes again")
                latest[trade.trade_id] = TradeChange(trade, trade.version - 1 if before is None else before.expected)
        self.changes = list(latest.values())

    def holds(self, name: str) -> bool:
        """Whether any commit holds something under `name`."""
        return any(map(attrgetter(name), self.commits))

    def json_of(self, word: object) -> bytes:
        """Return a word's JSON, made once however often the batch says it (a trade is a row and a message)."""
        found = self.bodies.get(id(word))
        if found is None:
            found = self.bodies[id(word)] = plain.to_json(word)
        return found

    def trades(self, *, new: bool) -> str:
        """Return `[{"expected", "body"}]` of the trades that are new, or of those that are not."""
        rows = [
            b'{"expected":%d,"body":%b}' % (change.expected, self.json_of(change.trade))
            for change in self.changes
            if (change.expected == 0) is new
        ]
        return _array(rows)

    def words(self, name: str) -> str:
        """Return the JSON array of what all commits hold under `name`."""
        return _array([self.json_of(word) for commit in self.commits for word in getattr(commit, name)])

    def accounts(self) -> str:
        """Return `[{"account", "mode"}]` of the new trades."""
        pairs = {(change.trade.account, str(change.trade.mode)) for change in self.changes if not change.expected}
        return _JSON.encode([{"account": account, "mode": mode} for account, mode in sorted(pairs)]).decode()

    def ended_attempts(self) -> dict[str, str]:
        """Return the orders that evidence has ended, with that evidence, as the trades of this batch tell it."""
        return {
            attempt.client_order_id: attempt.evidence or "unknown"
            for change in self.changes
            for attempt in change.trade.attempts
            if attempt.state == AttemptState.DEAD
        }

    def fills(self) -> str:
        """Return the fills with their trade and account."""
        rows = [
            {**_object(row.fill), "account": row.account, "trade_id": row.trade_id}
            for commit in self.commits
            for row in commit.fills
        ]
        return _JSON.encode(rows).decode()

    def inbox(self) -> list[tuple[Any, ...]]:
        """Return (key, digest, subject, body, stream, sequence, received_at) of the inputs."""
        return [
            (row.key, row.digest, row.subject, row.body, row.stream, row.sequence, instant(row.received_ns))
            for row in (commit.inbox for commit in self.commits)
            if row is not None
        ]

    def quarantined(self) -> list[tuple[Any, ...]]:
        """Return the quarantine's rows. Their texts come from outside: what PostgreSQL cannot hold is shown escaped."""
        return [quarantine_row(bad) for commit in self.commits for bad in commit.quarantined]

    def journal(self, tail: Tail) -> tuple[list[tuple[Any, ...]], Tail]:
        """Return the journal's rows, chained to `tail`, and the tail after them."""
        seq, previous = tail.journal_seq, tail.journal_hash
        rows = []
        for commit in self.commits:
            for entry in commit.journal:
                seq += 1
                digest = journal_hash(previous, seq, entry)
                rows.append(
                    (
                        *(seq, entry.trade_id, entry.version, _text(entry.from_state), str(entry.to_state)),
                        *(entry.cause, entry.detail, instant(entry.ts), previous, digest),
                    )
                )
                previous = digest
        return rows, Tail(seq, previous, tail.outbox_seq)

    def outbox(self, tail: Tail) -> tuple[list[tuple[Any, ...]], Tail]:
        """Return the outbox's rows, numbered from `tail`, and the tail after them."""
        seq = tail.outbox_seq
        rows = []
        for commit in self.commits:
            created_at = instant(commit.now_ns) if commit.outbox else None
            for out in commit.outbox:
                seq += 1
                rows.append((seq, *self._message(out), created_at))
        return rows, Tail(tail.journal_seq, tail.journal_hash, seq)

    def _message(self, out: Outgoing) -> tuple[Any, ...]:
        return out.msg_id, out.subject, type(out.message).__name__, self.json_of(out.message), out.direct, out.cause

    def months(self) -> set[tuple[int, int]]:
        """Return (year, month), UTC, of every row that goes into a partition."""
        instants_ns = {entry.ts for commit in self.commits for entry in commit.journal}
        instants_ns |= {commit.now_ns for commit in self.commits if commit.outbox}
        instants_ns |= {decision.ts for commit in self.commits for decision in commit.decisions}
        instants_ns |= {notice.ts for commit in self.commits for notice in commit.notices}
        return {(when.year, when.month) for when in (instant(ns) for ns in {_day(ns) for ns in instants_ns})}


def journal_hash(previous: bytes, seq: int, entry: JournalEntry) -> bytes:
    """Return SHA-256 of `previous` and the row as a JSON array; `journal`'s comment in PostgreSQL says the same."""
    row = (seq, entry.trade_id, entry.version, _text(entry.from_state), str(entry.to_state))
    rest = (entry.cause, entry.ts // NS_PER_US, entry.detail)
    return hashlib.sha256(previous + _JSON.encode((*row, *rest))).digest()


def quarantine_row(bad: Quarantined) -> tuple[Any, ...]:
    """Return (subject, body, reason, key, stream, sequence, received_at)."""
    texts = (storable(bad.subject), bad.body, storable(bad.reason), bad.key and storable(bad.key))
    return (*texts, bad.stream, bad.sequence, instant(bad.received_ns))


def storable(text: str) -> str:
    """Return `text` as PostgreSQL can hold it: NUL and lone surrogates shown as escapes."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def has_ended(trades: str = "trades") -> str:
    """Return the condition that a trade has ended, as SQL. trades: the name that the table goes by."""
    states = ", ".join(f"'{state}'" for state in TradeState if state.is_terminal)
    return f"{trades}.state IN ({states})"


def instant(instant_ns: int) -> datetime:
    """Return `instant_ns` to the microsecond below. Raises: ValueError for what no calendar holds."""
    try:
        return _EPOCH + timedelta(microseconds=instant_ns // NS_PER_US)
    except OverflowError:
        raise ValueError(f"{instant_ns} ns is not an instant") from None


def nanoseconds(when: datetime) -> int:
    """Return what `instant` was given, whole microseconds."""
    return (when - _EPOCH) // timedelta(microseconds=1) * NS_PER_US


def _day(instant_ns: int) -> int:
    return instant_ns - instant_ns % (86_400 * 1_000_000_000)


def _array(parts: Iterable[bytes]) -> str:
    return (b"[" + b",".join(parts) + b"]").decode()


def _object(word: object) -> dict[str, object]:
    written = plain.to_plain(word)
    assert isinstance(written, dict)
    return written


def _text(state: object) -> str | None:
    return None if state is None else str(state)
