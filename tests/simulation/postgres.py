"""PostgreSQL as far as our statements use it: tables with their keys and guards, transactions that stand or fall whole.

`db.store.PostgresStore` speaks to it with its real statements, each of which has its meaning in `statements`; one that is not
there fails loudly. A transaction runs within one turn, so none ever waits for another: what two sessions could do to each other
in the middle of a transaction is decided by the `leader` row that every one of them holds. The suite in tests/contracts holds
the model against a real server.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Generic, TypeVar

import msgspec
import psycopg
from psycopg import errors

from actors.replay.scheduler import Gone

K = TypeVar("K")
V = TypeVar("V")
Change = tuple[str, Any, Any, Any]
"""Table, key, the row before (None: none), the row after."""


class Table(Generic[K, V]):
    """Rows by key. Every change is noted in the transaction that makes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[K, V] = {}

    def put(self, noted: list[Change], key: K, row: V) -> None:
        """Insert or replace."""
        noted.append((self.name, key, self.rows.get(key), row))
        self.rows[key] = row

    def insert(self, noted: list[Change], key: K, row: V) -> None:
        """Insert. Raises: UniqueViolation."""
        if key in self.rows:
            raise errors.UniqueViolation(f'duplicate key value violates unique constraint "{self.name}_pkey"')
        self.put(noted, key, row)

    def append(self, noted: list[Change], row: V) -> None:
        """Insert under the next number."""
        self.put(noted, len(self.rows) + 1, row)  # type: ignore[arg-type]  # of tables numbered by themselves

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[V]:
        return iter(self.rows.values())


class TradeRow(msgspec.Struct, frozen=True):
    """A trade as it stands: what constraints and questions look at, and its body."""

    trade_id: str
    version: int
    state: str
    account: str
    mode: str
    ticker: str
    ts: str
    symbol: str | None = None
    body: bytes = b""


class OrderRow(msgspec.Struct, frozen=True):
    """An order that was issued."""

    client_order_id: str
    trade_id: str
    purpose: str
    attempt: int
    quantity: str
    epoch: int
    is_live: bool = True
    evidence: str | None = None


class Leader(msgspec.Struct, frozen=True):
    """Who leads."""

    epoch: int
    instance: str


@dataclass(slots=True, kw_only=True)
class PostgresFaults:
    """How often something goes wrong, 0 to 1. commit_lost: the connection breaks in COMMIT, nothing stands; commit_done: it

    breaks, and all stands; passing: a deadlock or a serialization failure.
    """

    commit_lost: float = 0.0
    commit_done: float = 0.0
    passing: float = 0.0


@dataclass
class Tables:
    """Every table."""

    leader: Table[int, Leader] = field(default_factory=lambda: Table("leader"))
    streams: Table[str, str] = field(default_factory=lambda: Table("streams"))
    places: Table[str, int] = field(default_factory=lambda: Table("streams.journaled"))
    """The column `journaled` of streams."""
    inbox: Table[str, Any] = field(default_factory=lambda: Table("inbox"))
    accounts: Table[str, str] = field(default_factory=lambda: Table("accounts"))
    trades: Table[str, TradeRow] = field(default_factory=lambda: Table("trades"))
    orders: Table[str, OrderRow] = field(default_factory=lambda: Table("orders"))
    cancels: Table[int, Any] = field(default_factory=lambda: Table("cancels"))
    reports: Table[tuple[str, str], Any] = field(default_factory=lambda: Table("reports"))
    fills: Table[tuple[str, str], Any] = field(default_factory=lambda: Table("fills"))
    decisions: Table[tuple[str, str], Any] = field(default_factory=lambda: Table("decisions"))
    coverage: Table[str, Any] = field(default_factory=lambda: Table("coverage"))
    coverage_history: Table[int, Any] = field(default_factory=lambda: Table("coverage_history"))
    progress: Table[tuple[str, str], bytes] = field(default_factory=lambda: Table("stop_progress"))
    capsules: Table[str, bytes] = field(default_factory=lambda: Table("capsules"))
    notices: Table[tuple[str, str], Any] = field(default_factory=lambda: Table("notices"))
    positions: Table[tuple[str, str, str], Any] = field(default_factory=lambda: Table("positions"))
    balances: Table[str, Any] = field(default_factory=lambda: Table("balances"))
    account_progress: Table[str, Any] = field(default_factory=lambda: Table("account_progress"))
    settlements: Table[tuple[str, str, str], Any] = field(default_factory=lambda: Table("settlements"))
    settings_history: Table[int, Any] = field(default_factory=lambda: Table("settings_history"))
    settings_layers: Table[tuple[str, str], dict[str, Any]] = field(default_factory=lambda: Table("settings_layers"))
    system_state: Table[str, tuple[bool, bool]] = field(default_factory=lambda: Table("system_state"))
    quarantine: Table[int, Any] = field(default_factory=lambda: Table("quarantine"))
    journal: Table[int, Any] = field(default_factory=lambda: Table("journal"))
    outbox: Table[int, Any] = field(default_factory=lambda: Table("outbox"))
    by_message: Table[str, tuple[int, ...]] = field(default_factory=lambda: Table("outbox_msg_id"))
    """The outbox's key on msg_id."""
    live_close: Table[str, str | None] = field(default_factory=lambda: Table("orders_one_live_close"))
    unpublished: Table[int, bool] = field(default_factory=lambda: Table("outbox_unpublished"))
    """Outbox rows that NATS may not have: True."""

    def __post_init__(self) -> None:
        self.leader.rows[0] = Leader(0, "")
        self.by_name = {table.name: table for table in vars(self).values() if isinstance(table, Table)}


class ModelPostgres:
    """The server. on_commit: hears what each transaction changed, with the session's owner, once it stands."""

    def __init__(self, random: Random, points: Any, faults: PostgresFaults | None = None) -> None:
        self.random = random
        self.points = points
        self.faults = faults or PostgresFaults()
        self.tables = Tables()
        self.is_up = True
        self.is_read_only = False
        self.fates: dict[int, str] = {}
        self.on_commit: Callable[[list[Change], object], None] = lambda *_: None
        self.note: Callable[[str], None] = lambda _: None
        """Hears which fault came."""
        self._numbers = 0
        self.sessions: dict[int, Session] = {}

    def connect(self, owner: object) -> "Session":
        """Open a session. Raises: OperationalError while nobody answers."""
        if not self.is_up:
            raise psycopg.OperationalError("connection refused")
        session = Session(self, self.number(), owner)
        self.sessions[session.pid] = session
        return session

    def number(self) -> int:
        """Return a number that was never given before: of a transaction, of a session."""
        self._numbers += 1
        return self._numbers

    def kill(self) -> None:
        """It goes down: every session breaks, what had not committed is gone."""
        self.is_up = False
        for session in list(self.sessions.values()):
            session.end()

    def rise(self) -> None:
        """It is back."""
        self.is_up = True

    def bury(self, owner: object) -> None:
        """A process is gone, and its sessions with it."""
        for session in [session for session in self.sessions.values() if session.owner is owner]:
            session.end()


class Session:
    """One connection of one process: at most one transaction, with what it has changed."""

    def __init__(self, server: ModelPostgres, pid: int, owner: object) -> None:
        self.server = server
        self.pid = pid
        self.owner = owner
        self.epoch = 0
        self.is_open = True
        self.xid: int | None = None
        self.noted: list[Change] = []
        self.in_error = False

    def demand(self) -> None:
        """Raises: OperationalError if the server, or the session, is not there."""
        if not self.is_open:
            raise psycopg.OperationalError("the connection is closed")

    def begin(self) -> None:
        """Begin a transaction."""
        self.demand()
        self.server.points.before("K2", self.owner)
        self.xid = self.server.number()
        self.server.fates[self.xid] = "in progress"
        self.noted = []
        self.in_error = False
        self.server.points.after("K2", self.owner)

    def commit(self) -> None:
        """Let it stand. Raises: OperationalError when nobody can tell whether it does."""
        self.demand()
        server, points, owner = self.server, self.server.points, self.owner
        reached = [*_reached(self.noted), "K5"] if self.noted else []
        for point in reached:
            points.before(point, owner)
        drawn = server.random.random() if self.noted else 1.0
        is_lost = drawn < server.faults.commit_lost
        is_done = not is_lost and drawn < server.faults.commit_lost + server.faults.commit_done
        if is_lost:
            server.note("commit_lost")
            self.end()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        assert self.xid is not None
        noted, self.noted = self.noted, []
        server.fates[self.xid] = "committed"
        self.xid = None
        if noted:
            server.on_commit(noted, owner)
        if is_done:
            server.note("commit_done")
            self.end()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        for point in reversed(reached):
            points.after(point, owner)
        if reached:
            points.before("K6", owner)
            points.after("K6", owner)

    def rollback(self) -> None:
        """Let nothing of it stand."""
        for name, key, before, _ in reversed(self.noted):
            rows = self.server.tables.by_name[name].rows
            if before is None:
                rows.pop(key, None)
            else:
                rows[key] = before
        self.noted = []
        self.in_error = False
        if self.xid is not None:
            self.server.fates[self.xid] = "aborted"
            self.xid = None

    def end(self) -> None:
        """The session is gone."""
        self.rollback()
        self.is_open = False
        self.server.sessions.pop(self.pid, None)

    def demand_writable(self, *, passing: float = 0.0) -> None:
        """Raises: ReadOnlySqlTransaction where nothing may be written; so often one of the errors that pass."""
        if self.server.is_read_only:
            raise errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")
        drawn = self.server.random.random()
        if drawn < passing:
            self.server.note("passing")
        if drawn < passing / 2:
            raise errors.DeadlockDetected("deadlock detected")
        if drawn < passing:
            raise errors.SerializationFailure("could not serialize access")


def _reached(noted: list[Change]) -> list[str]:
    """Return the kill points that stand around the commit of these changes."""
    found: dict[str, None] = {}
    for table, _, before, after in noted:
        if table == "orders" and before is None and after.purpose == "close":
            found["K15"] = None
        elif table == "reports":
            found["K18"] = None
        elif table == "fills":
            found["K19"] = None
        elif table == "trades" and after.state == "closed":
            found["K20"] = None
    return list(found)


__all__ = ["Gone", "ModelPostgres", "OrderRow", "PostgresFaults", "Session", "Tables", "TradeRow"]
