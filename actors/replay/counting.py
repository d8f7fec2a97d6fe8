"""What is on its way through NATS counts as work in hand, so that the sequencer moves on only when it has come back.

In the demo the house speaks to itself through real streams: an order leaves for ORDERS and comes back to PaperVenue, a report
leaves and comes back to TradeDesk. Each is expected by its message id when it is handed to the wire, and counted off after
the house has taken in what came back.
"""

import threading
from collections.abc import Sequence
from typing import Any

from actors.activity import Activity
from actors.ports import StartingStore, StartingWire
from bus.messages.addresses import cancel_id, report_id, submit_id
from bus.messages.envelope import Outgoing, Received
from bus.messages.orders import OrderArrived, OrderCancel, OrderReport, OrderSubmit, VenueAnswer, VenueQuestion
from bus.messages.records import Commit, OrderStored, Published

_PAPER = ".paper."


class Awaited:
    """Names of what must still come back. Any thread may call."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._lock = threading.Lock()
        self._names: set[str] = set()

    def expect(self, *names: str) -> None:
        """These will come back; a name that is expected already is expected once."""
        with self._lock:
            for name in names:
                if name not in self._names:
                    self._names.add(name)
                    self._activity.begin()

    def hear(self, word: object) -> None:
        """Count off what `word` brings back; call it after the house has taken `word` in."""
        for name in _brings(word):
            with self._lock:
                came = name in self._names
                self._names.discard(name)
            if came:
                self._activity.end()


def _brings(word: object) -> tuple[str, ...]:
    match word:
        case OrderStored(client_order_id=client_order_id):
            return (f"stored submit:{client_order_id}",)
        case Published(msg_ids=msg_ids):
            return tuple(f"stored {msg_id}" for msg_id in msg_ids)
        case OrderArrived(order=order):
            return (f"arrived {_order_id(order)}",)
        case Received(message=OrderReport() as report):
            return (f"heard {report_id(report)}",)
        case VenueAnswer(client_order_id=client_order_id):
            return (f"answer {client_order_id}",)
        case _:
            return ()


def _order_id(order: OrderSubmit | OrderCancel) -> str:
    return submit_id(order) if isinstance(order, OrderSubmit) else cancel_id(order)


class CountedWire:
    """A wire that expects back what it is given. Everything else is the wire's own."""

    def __init__(self, wire: StartingWire, awaited: Awaited) -> None:
        self._wire = wire
        self._awaited = awaited

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # a pass-through
        return getattr(self._wire, name)

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Expect each acknowledgement, and the arrival of orders."""
        for one in outgoing:
            self._awaited.expect(f"stored {one.msg_id}")
            if isinstance(one.message, OrderSubmit | OrderCancel) and _PAPER in one.subject:
                self._awaited.expect(f"arrived {one.msg_id}")
        self._wire.publish(outgoing)

    def publish_report(self, report: OrderReport) -> None:
        """Expect it at TradeDesk."""
        self._awaited.expect(f"heard {report_id(report)}")
        self._wire.publish_report(report)

    def ask_venue(self, question: VenueQuestion) -> None:
        """Expect the answer."""
        self._awaited.expect(f"answer {question.client_order_id}")
        self._wire.ask_venue(question)


class CountedStore:
    """A store that counts what it was given. Everything else is the store's own."""

    def __init__(self, store: StartingStore) -> None:
        self._store = store
        self.rows = 0
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # a pass-through
        return getattr(self._store, name)

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:
        """Write, and count rows and transactions."""
        refused = self._store.commit(commits)
        self.transactions += 1
        self.rows += sum(_rows(commit) for commit in commits)
        return refused


def _rows(commit: Commit) -> int:
    values = (getattr(commit, name) for name in commit.__struct_fields__)
    return sum(len(value) for value in values if isinstance(value, tuple)) + (commit.inbox is not None)
