"""What actors need of the wires. Adapters in `bus` and `db` meet these by shape; run.py introduces them."""

from collections.abc import Sequence
from typing import Protocol

from bus.messages.envelope import Delivery, Outgoing
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueQuestion
from bus.messages.records import Commit, Query, Recovered
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

    def publish_order(self, order: OrderSubmit | OrderCancel) -> None:
        """Publish into ORDERS with the epoch header; the outcome comes back as `OrderStored` or `OrderRefused`."""
        ...

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish, in order; the outcome of each comes back as `Published`, failures are tried again."""
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

    def mark_published(self, msg_ids: Sequence[str], now_ns: int) -> None:
        """Mark outbox rows as stored by NATS."""
        ...

    def query(self, query: Query) -> object:
        """Answer a read-only question."""
        ...
