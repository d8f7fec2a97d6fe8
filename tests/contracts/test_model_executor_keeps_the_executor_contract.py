"""The executor and the venue that simulations use pass the suite that every executor must pass."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest

from actors.replay.scheduler import Scheduler
from bus.adapters.story import Page
from bus.adapters.suite import Clause
from bus.messages.addresses import order_cancel, order_submit
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueOrdersRequest
from bus.messages.plain import from_json, to_json
from bus.messages.trades import Mode
from bus.messages.units import NS_PER_S
from tests.contracts.executor_suite import ALL_CLAUSES, keeps
from tests.simulation.executor import Executor
from tests.simulation.kill_points import KillPoints
from tests.simulation.nats_server import ModelNats
from tests.simulation.venue import ModelVenue

_SWEEP_NS = 100_000_000


class ModelUnderTest:
    """The model, on a scheduler of its own."""

    def __init__(self) -> None:
        self._scheduler = Scheduler(Random(1), start_ns=1_780_000_000 * 10**9)
        self._nats = ModelNats(self._scheduler, Random(2), KillPoints())
        self._nats.jetstream.answer("STREAM.CREATE.ORDERS", {"name": "ORDERS", "subjects": ["order.>"]})
        self._venue = ModelVenue("sim", now=lambda: self._scheduler.now_ns)
        self._executor = Executor(self._scheduler, self._nats, self._venue, Random(3), mode=Mode.PAPER)
        self._executor.begin()
        self._advance(1)

    def now_ns(self) -> int:
        return self._scheduler.now_ns

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        self._venue.quote(ticker, *(None if price is None else Decimal(price) for price in (yes_bid, yes_ask)))

    def submit(self, order: OrderSubmit) -> None:
        self._nats.publish(order_submit("sim", order.trade_id), to_json(order))

    def cancel(self, cancel: OrderCancel) -> None:
        self._nats.publish(order_cancel("sim", cancel.trade_id), to_json(cancel))

    def settle(self) -> None:
        self._advance(2 * NS_PER_S)

    def _advance(self, ns: int) -> None:
        end_ns = self._scheduler.now_ns + ns
        self._scheduler.at(end_ns, lambda: None)
        swept_ns = self._scheduler.now_ns
        while self._scheduler.now_ns < end_ns or not self._scheduler.is_still:
            self._scheduler.step()
            if self._scheduler.now_ns - swept_ns >= _SWEEP_NS:
                swept_ns = self._scheduler.now_ns
                self._executor.sweep()
        self._executor.sweep()
        while not self._scheduler.is_still:
            self._scheduler.step()

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        kept = self._nats.jetstream.streams["ORDERS"].kept.values()
        found = [from_json(OrderReport, one.body) for one in kept if one.subject == f"order.report.{client_order_id}"]
        return list({(report.status, report.fill_id): report for report in found}.values())

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        return self._executor.answer(kind, request)


@pytest.mark.parametrize("clause", ALL_CLAUSES, ids=lambda clause: clause.__name__)
def test_the_model_keeps_the_contract(clause: Clause) -> None:
    assert keeps(ModelUnderTest(), clause) is None
