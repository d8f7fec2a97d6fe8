"""Whoever can reach the venues again asks each of them at once how its accounts stand: what happened meanwhile may be anything."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from actors.inbox import Inbox
from bus.messages.orders import VenueOrdersRequest
from bus.messages.plain import from_json
from bus.messages.reconcile import VenuesUp
from bus.messages.units import NS_PER_S
from tests.simulation.process import Incarnation

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

_WITHIN_NS: Final = 8 * NS_PER_S


class AgreementOracle:
    """Looks at what is asked of venues after a connection stands again, as long as nothing comes between."""

    def __init__(self, oracle: "Oracle") -> None:
        self._oracle = oracle
        self._world = oracle.world
        self._asked: dict[tuple[str, str], int] = {}
        """When each process last asked about a whole account."""

    def sent(self, owner: Any, subject: str, body: bytes) -> None:
        """A process puts something on its way."""
        if subject.startswith("venue.request."):
            request = from_json(VenueOrdersRequest, body)
            if request.client_order_id is None:
                self._asked[owner.name, request.account] = self._world.now_ns

    def after(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        """Reconciler has heard that venues can be asked."""
        if type(word) is not VenuesUp or inbox.name != "reconciler" or inbox.in_hand is not None:
            return
        accounts = {
            trade.account
            for trade in self._oracle.trades.values()
            if not trade.state.is_terminal and trade.venue in self._world.executors
        }
        troubles, up_ns = self._troubles(), self._world.now_ns
        for account in sorted(accounts):
            self._world.scheduler.after(_WITHIN_NS, partial(self._judge, incarnation, account, up_ns, troubles))

    def _judge(self, incarnation: Incarnation, account: str, up_ns: int, troubles: int) -> None:
        is_calm = incarnation.is_alive and not self._world.scheduler.is_holding and troubles == self._troubles()
        if is_calm and self._is_quick() and not self._world.nats.is_hung:
            asked_ns = self._asked.get((incarnation.name, account), 0)
            self._oracle.demand(
                asked_ns >= up_ns, "L3", f"{incarnation.name} is connected again, and does not ask about {account}"
            )

    def _troubles(self) -> int:
        """Return how much has gone wrong so far with processes and servers."""
        return sum(self._world.faults.values())

    def _is_quick(self) -> bool:
        """Whether venues answer: where they do not, questions wait for one another."""
        return not any(
            executor.faults.no_answer or executor.faults.error_answer for executor in self._world.executors.values()
        )
