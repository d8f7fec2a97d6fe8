"""What is on its way through NATS counts as work in hand, so that the sequencer moves on only when it has come back.

In the demo the house speaks to itself through real streams: an order leaves for ORDERS and comes back to PaperVenue, a report
leaves and comes back to TradeDesk. Each is expected by its message id as soon as it is certain to leave, and counted off after
the house has taken in what came back. An entry order is certain to leave when the commit that it waits for is said.

What can change no decision is expected too, but for the record alone: a row that stands, an event that is stored.
"""

import threading
from collections.abc import Sequence
from typing import Any

from actors.activity import Activity
from actors.ports import StartingStore, StartingWire
from bus.messages.addresses import cancel_id, report_id, submit_id
from bus.messages.envelope import Outgoing, Received
from bus.messages.orders import OrderArrived, OrderCancel, OrderReport, OrderSubmit, VenueAnswer, VenueQuestion
from bus.messages.reconcile import AccountAnswer, AccountQuestion
from bus.messages.records import Commit, OrderStored, Published

_PAPER = ".paper."


class Awaited:
    """Names of what must still come back. Any thread may call. in_hand: counts what decisions hang on; record: the rest."""

    def __init__(self, in_hand: Activity, record: Activity) -> None:
        self._in_hand = in_hand
        self._record = record
        self._lock = threading.Lock()
        self._names: dict[str, Activity] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """What has not come back yet, the longest awaited first."""
        with self._lock:
            return tuple(self._names)

    def expect(self, *names: str) -> None:
        """These will come back, and decisions hang on them; a name that is expected already is expected once."""
        self._expect(names, self._in_hand)

    def expect_outgoing(self, outgoing: Sequence[Outgoing]) -> None:
        """Each will be stored; orders will also arrive at the paper venue."""
        for one in outgoing:
            if _is_paper_order(one):
                self.expect(f"stored {one.msg_id}", f"arrived {one.msg_id}")
            else:
                self._expect((f"stored {one.msg_id}",), self._record)

    def hear_commit(self, commit: Commit) -> None:
        """Expect the orders that leave once `commit` stands."""
        self.expect_outgoing([one for one in commit.outbox if not one.direct and _is_paper_order(one)])

    def _expect(self, names: Sequence[str], activity: Activity) -> None:
        with self._lock:
            for name in names:
                if name not in self._names:
                    self._names[name] = activity
                    activity.begin()

    def hear(self, word: object) -> None:
        """Count off what `word` brings back; call it after the house has taken `word` in."""
        for name in _brings(word):
            with self._lock:
                activity = self._names.pop(name, None)
            if activity is not None:
                activity.end()


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
        case AccountAnswer(venue=venue, account=account):
            return (f"account {venue} {account}",)
        case _:
            return ()


def _is_paper_order(one: Outgoing) -> bool:
    return isinstance(one.message, OrderSubmit | OrderCancel) and _PAPER in one.subject


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
        self._awaited.expect_outgoing(outgoing)
        self._wire.publish(outgoing)

    def publish_report(self, report: OrderReport) -> None:
        """Expect it at TradeDesk."""
        self._awaited.expect(f"heard {report_id(report)}")
        self._wire.publish_report(report)

    def ask_venue(self, question: VenueQuestion) -> None:
        """Expect the answer."""
        self._awaited.expect(f"answer {question.client_order_id}")
        self._wire.ask_venue(question)

    def ask_account(self, question: AccountQuestion) -> None:
        """Expect the answer."""
        self._awaited.expect(f"account {question.venue} {question.account}")
        self._wire.ask_account(question)


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
