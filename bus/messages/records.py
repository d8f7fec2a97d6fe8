"""What actors ask the Database actor to keep: one `Commit` is one transaction's worth of one decision."""

from typing import Any

import msgspec

from bus.messages.accounts import AccountProgress
from bus.messages.envelope import Delivery, Malformed, Outgoing, Received
from bus.messages.notices import Notice
from bus.messages.orders import Balance, OrderCancel, OrderReport, OrderSubmit, Position, Settlement
from bus.messages.settings import LayerSettings, SettingsChanged
from bus.messages.stops import StopCoverage, StopDecision, StopProgress
from bus.messages.system import Reply, SystemEvent
from bus.messages.trades import Fill, Trade, TradeState
from bus.messages.units import Name, UtcNs


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that an input had its one effect. Unique by `key`."""

    key: str
    digest: str
    subject: str
    body: bytes
    received_ns: UtcNs
    stream: str | None = None
    sequence: int | None = None


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One edge of a trade's life, with its cause. The Database chains the hashes."""

    trade_id: str
    version: int
    from_state: TradeState | None
    to_state: TradeState
    cause: str
    ts: UtcNs
    detail: str = ""


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of a trade; unique by (account, fill_id)."""

    account: Name
    trade_id: str
    fill: Fill


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """An input that was not applied, with its raw bytes and why."""

    subject: str
    body: bytes
    reason: str
    received_ns: UtcNs
    stream: str | None = None
    sequence: int | None = None
    key: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that leaves after its commit."""

    reply_to: str
    reply: Reply


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, kept whole or not at all. After it stands: `answer` is sent, `delivery` acknowledged, `outbox` relayed.

    trades: each is written if the stored version is one less (compare-and-set; a new trade has version 1).
    sender: the actor that is told `CommitRefused` when it cannot be kept.
    """

    sender: str
    cause: str
    now_ns: UtcNs
    inbox: InboxRow | None = None
    trades: tuple[Trade, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    orders: tuple[OrderSubmit, ...] = ()
    cancels: tuple[OrderCancel, ...] = ()
    reports: tuple[OrderReport, ...] = ()
    fills: tuple[FillRow, ...] = ()
    decisions: tuple[StopDecision, ...] = ()
    coverage: tuple[StopCoverage, ...] = ()
    progress: tuple[StopProgress, ...] = ()
    notices: tuple[Notice, ...] = ()
    settings: tuple[SettingsChanged, ...] = ()
    system: tuple[SystemEvent, ...] = ()
    """Changes of what is halted and reduce-only: kinds `halt`, `reduce_only`, `resume`, of one account or (None) of all; and `rebase`."""
    positions: tuple[Position, ...] = ()
    balances: tuple[Balance, ...] = ()
    account_progress: tuple[AccountProgress, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    outbox: tuple[Outgoing, ...] = ()
    answer: Answer | None = None
    delivery: Delivery | None = None


class CommitRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A commit was quarantined: the sender's state is ahead of the record and must be rebuilt from it."""

    commit: Commit
    error: str


class RecordAway(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL takes nothing: what is decided waits in memory, in order. Nothing that adds risk may be taken on meanwhile."""

    error: str
    now_ns: UtcNs


class RecordBack(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL has taken everything that waited: record and memory agree again."""

    now_ns: UtcNs


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """NATS has stored these outbox messages: mark them."""

    msg_ids: tuple[str, ...]
    now_ns: UtcNs


class OrderStored(msgspec.Struct, frozen=True, kw_only=True):
    """ORDERS has acknowledged an order.

    duplicate: another order was stored under that id before; `stored`, not ours, is in effect.
    """

    client_order_id: str
    trade_id: str
    sequence: int
    duplicate: bool
    now_ns: UtcNs
    stored: OrderSubmit | None = None


class OrderRefused(msgspec.Struct, frozen=True, kw_only=True):
    """ORDERS has not taken an order, or nobody knows whether it has (`unknown`). It is published again under the same id."""

    client_order_id: str
    trade_id: str
    error: str
    unknown: bool
    now_ns: UtcNs


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question to the readers; the answer goes to `reply_to` over NATS. kind: `trades`, `trade`, `settings_history`, ..."""

    kind: str
    arguments: dict[str, object]
    reply_to: str
    now_ns: UtcNs


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream has had its effect: all inputs up to `reached`, and of the later ones those in `beyond`."""

    reached: int = 0
    beyond: frozenset[int] = frozenset()

    def holds(self, sequence: int) -> bool:
        """Whether the input at `sequence` has had its effect."""
        return sequence <= self.reached or sequence in self.beyond


class OrdersTail(msgspec.Struct, frozen=True, kw_only=True):
    """What ORDERS holds after a sequence, oldest first.

    sequences: where each of `submits` stands; not recorded, for it decides nothing. decisions: those in LEDGER that the closes among `submits` name. stream: its full name. last: the sequence of the newest read.
    """

    submits: tuple[OrderSubmit, ...] = ()
    sequences: tuple[int, ...] = ()
    reports: tuple[Received[Any] | Malformed, ...] = ()
    decisions: tuple[StopDecision, ...] = ()
    stream: str = "ORDERS"
    last: int = 0


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What the house starts from, read from PostgreSQL in one snapshot.

    trades: all that have not ended. seen: dedupe key -> digest of recent inputs. settings_version and layers: as they stand.
    accounts: account -> mode. unpublished: outbox rows that NATS may not have. fill_ids: (account, fill_id) of recent fills.
    """

    trades: tuple[Trade, ...] = ()
    seen: dict[str, str] = {}
    settings_version: int = 0
    layers: dict[tuple[str, str], dict[str, object]] = {}
    accounts: dict[str, str] = {}
    progress: tuple[StopProgress, ...] = ()
    coverage: tuple[StopCoverage, ...] = ()
    fill_ids: frozenset[tuple[str, str]] = frozenset()
    halted: bool = False
    reduce_only: frozenset[str] = frozenset()
    epoch: int = 0
    ended: tuple[Trade, ...] = ()
    """The last trades that ended (a few thousand at most), oldest first: late fills and repeated requests may still name them."""
    ended_ids: frozenset[str] = frozenset()
    """The ids of all trades that ended: an id is never used again."""
    balances: tuple[Balance, ...] = ()
    """What each account's cash was last stated to be."""
    account_progress: tuple[AccountProgress, ...] = ()
    positions: tuple[Position, ...] = ()
    """What venues last said unasked of the tickers on which a trade has not ended, and the last of others (a few thousand at most):
    somebody may close by hand what is taken over only then."""
    settlements: tuple[Settlement, ...] = ()
    """The last ones (a few thousand at most), oldest first: a position may be taken over after its market was settled."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """These commits stand, in this order. reached: by stream, the place on record before them."""

    commits: tuple[Commit, ...]
    reached: dict[str, int]
    now_ns: UtcNs


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a process begins with that finds no PostgreSQL: the record as it stood at `ts`, as far as guarding trades needs it.

    streams: name -> creation time. reached: by stream, up to where everything has had its effect. ledger: the sequence in LEDGER
    after which trades and settings may have changed. trades: live ones; ended, seen, fill_ids: the last ones, oldest first.
    """

    ts: UtcNs
    epoch: int
    streams: dict[str, str]
    reached: dict[str, int]
    ledger: int
    trades: tuple[Trade, ...]
    ended: tuple[Trade, ...]
    seen: dict[str, str]
    fill_ids: tuple[tuple[str, str], ...]
    settings_version: int
    layers: tuple[LayerSettings, ...]
    accounts: dict[str, str]
    progress: tuple[StopProgress, ...]
    coverage: tuple[StopCoverage, ...]
    halted: bool
    reduce_only: tuple[str, ...]
    balances: tuple[Balance, ...]
    account_progress: tuple[AccountProgress, ...]


class SnapshotDue(msgspec.Struct, frozen=True, kw_only=True):
    """Write this one now; `SnapshotDone` follows."""

    snapshot: Snapshot


class SnapshotDone(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot was written, or not: `error`."""

    error: str | None
    now_ns: UtcNs


class LedgerNews(msgspec.Struct, frozen=True, kw_only=True):
    """What LEDGER tells of changes after a sequence, oldest first."""

    trades: tuple[Trade, ...] = ()
    settings: tuple[SettingsChanged, ...] = ()
