"""What actors need of the wires. Adapters in `bus` and `db` meet these by shape; run.py introduces them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bus.messages.envelope import Delivery, Outgoing
from bus.messages.orders import (
    EpochRecord,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
    VenueQuestion,
)
from bus.messages.reconcile import AccountQuestion
from bus.messages.records import Commit, LedgerNews, OrdersTail, Place, Query, Recovered, Snapshot
from bus.messages.system import Reply, Status


class Clock(Protocol):
    """Now, for whoever stamps messages: the wires and Timer. Rules never see it."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        ...


class Say(Protocol):
    """The router: hands a word to its local listeners at once, in order."""

    def __call__(self, word: object, /) -> None:
        """Hand `word` to whoever listens for its type."""
        ...


class Wire(Protocol):
    """The NATS side. Every method may be called from any thread and returns at once."""

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish, in order; failures are tried again, the outcome of each comes back as `Published`.

        Orders and cancels go into ORDERS with the epoch header; a submit's outcome is `OrderStored` or `OrderRefused`.
        """
        ...

    def publish_report(self, report: OrderReport) -> None:
        """Publish a venue's report into ORDERS (PaperVenue only)."""
        ...

    def broadcast(self, status: Status) -> None:
        """Tell whoever listens how the house does (`system.health.watchkeeper`, not stored)."""
        ...

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell JetStream that this input has its row."""
        ...

    def reply(self, reply_to: str, reply: Reply) -> None:
        """Answer a request; a lost answer is asked for again."""
        ...

    def ask_venue(self, question: VenueQuestion) -> None:
        """Ask a venue's adapter about one order; the answer comes back as `VenueAnswer`, always, also when nobody answers."""
        ...

    def pulse(self, answer: Callable[[], None]) -> None:
        """Have `answer` called on the wire's own thread, soon: whoever asks learns whether that thread still moves."""
        ...

    def pause_commands(self) -> None:
        """Pull no more commands and account events: the stream keeps them. Reports of orders go on."""
        ...

    def resume_commands(self) -> None:
        """Pull them again."""

    def ask_account(self, question: AccountQuestion) -> None:
        """Ask a venue's adapter about an account, to the last page; the answer comes back as `AccountAnswer`, always."""
        ...

    def look_at_streams(self) -> None:
        """Look at the streams on disk; how they stand comes as `StreamsSeen`, unless NATS does not answer."""
        ...


class Store(Protocol):
    """The PostgreSQL side, owned by the Database actor alone. Blocking; called on that actor's threads only."""

    def recover(self) -> Recovered:
        """Read what the house starts from."""
        ...

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:
        """Write `commits` in order, in one transaction where possible.

        Returns those that were refused, each with its reason: they were quarantined, their neighbours stand.
        Raises `StoreUnavailable` when nothing is known to stand; the whole batch may be written again.
        Raises `Fenced` when another epoch leads: the process must end.
        """
        ...

    def mark_published(self, msg_ids: Sequence[str], now_ns: int, reached: Mapping[str, int] | None = None) -> None:
        """Mark outbox rows as stored by NATS. reached: by stream, up to where everything has had its effect."""
        ...

    def query(self, query: Query) -> object:
        """Answer a read-only question."""
        ...


class Recorder(Protocol):
    """The flight recorder. Every method returns at once, and raises nothing."""

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        """Write down that `actor` has applied `heard`, and what it said. at_ns: now, unless it says otherwise."""
        ...

    def tell(self, say: Callable[[object], None]) -> None:
        """Have `RecorderFailed` and `RecorderWorks` said to `say`."""
        ...


class SnapshotFile(Protocol):
    """Where the snapshot is kept: a file of this machine."""

    def write(self, snapshot: Snapshot) -> None:
        """Replace what is kept, durably. Raises: OSError, ValueError."""
        ...

    def read(self) -> Snapshot:
        """Return what is kept. Raises: SnapshotUnusable."""
        ...

    def read_head(self) -> Snapshot:
        """Return what is kept without its trades, which cost the most to read. Raises: SnapshotUnusable."""
        ...


class StreamFacts(Protocol):
    """A stream as it stands."""

    @property
    def name(self) -> str:
        """Its full name."""
        ...

    @property
    def created(self) -> str:
        """When it was created, as the server says it."""
        ...

    @property
    def last_sequence(self) -> int:
        """The sequence of its newest message."""
        ...


class Lead(Protocol):
    """An epoch in force in ORDERS."""

    @property
    def record(self) -> EpochRecord:
        """Who leads, since when."""
        ...


Answerer = Callable[[str, VenueOrdersRequest], VenueOrders | VenueFills | VenuePositions]
"""Given `orders`, `fills` or `positions` and the request, returns a venue's answer."""


class StartingWire(Wire, Protocol):
    """The NATS side while a process takes its place; blocking, in the order in which the methods stand here."""

    def connect(self) -> None:
        """Open the connections, to servers that are there."""
        ...

    def begin(self) -> None:
        """Open the connections however long it takes; returns at once, `WireUp` is said."""
        ...

    def find_leader(self) -> None:
        """Ask who leads, hear leaders and questions for the status from now on; returns at once, `InstanceHeard` is said."""
        ...

    def beat(self, status: Callable[[], Status] | None) -> None:
        """Say how we stand once a second from now on; None: no more."""
        ...

    def ensure_streams(self, recorded: Mapping[str, str]) -> Mapping[str, StreamFacts]:
        """Make the streams that are not on record, check the others. Raises: StreamAlarm."""
        ...

    def take_lead(self, instance: str, known_epoch: int) -> Lead:
        """Set the next epoch: from here older ones cannot order. Raises: LeadTaken when another instance was faster."""
        ...

    def read_tail(self, positions: Mapping[str, int]) -> OrdersTail:
        """Return the orders and reports that ORDERS holds after its position, and the decisions that the orders name."""
        ...

    def read_ledger(self, after: int) -> LedgerNews:
        """Return the trades and the changes of settings that LEDGER tells of after a sequence."""
        ...

    def warn(self, outgoing: Outgoing) -> None:
        """Publish a notice before anybody leads."""
        ...

    def read_orders(self, venue: str) -> Sequence[OrderSubmit | OrderCancel | OrderReport]:
        """Return what ORDERS holds of a venue."""
        ...

    def hear_requests(self) -> None:
        """Hear what others ask."""
        ...

    def hear_orders(self, venue: str) -> None:
        """Hear the orders of a venue, as its executor."""
        ...

    def answer_for(self, venue: str, answerer: Answerer) -> None:
        """Answer what is asked of a venue."""
        ...

    def hear_market(self) -> None:
        """Hear market data, the newest of each subject first."""
        ...

    def hear_streams(self, positions: Mapping[str, int]) -> None:
        """Hear commands, account events and reports after `positions`: stream -> last sequence that is not wanted."""
        ...

    def stop_inputs(self) -> None:
        """Hear nothing more: no request, no command, no report, no tick."""
        ...

    def close(self, drain_s: float = 2.0) -> None:
        """Send what is waiting, then close."""
        ...


class StartingStore(Store, Protocol):
    """The PostgreSQL side while a process takes its place; blocking."""

    def open(self) -> None:
        """Connect, and check that the schema is the one this program needs."""
        ...

    def streams(self) -> Mapping[str, str]:
        """Return the streams on record: name -> created."""
        ...

    def record_stream(self, name: str, created: str, now_ns: int) -> None:
        """Put a stream on record; inputs received before are of another."""
        ...

    def epoch(self) -> int:
        """Return the highest epoch on record, 0 before the first."""
        ...

    def take_lead(self, epoch: int, instance: str, now_ns: int) -> bool:
        """Let only `epoch` write from now on; return False if a higher one leads."""
        ...

    def seed_settings(self, values: Mapping[str, object], now_ns: int) -> bool:
        """Write version 1 of the stop settings if there is none; return whether."""
        ...

    def places(self) -> Mapping[str, Place]:
        """Return, by stream, how far its inputs have had their effect or are in quarantine."""
        ...

    def unpublished(self, limit: int) -> Sequence[Outgoing]:
        """Return the oldest outbox rows that NATS may not have."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
