"""The simulated venue passes the suite that every executor must pass."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueOrder, VenueOrdersRequest
from bus.messages.trades import Side
from tests.contracts.executor_suite import CLAUSES, ExecutorUnderTest
from tests.rules.paper.builders import Venue


class PaperUnderTest:
    """`PaperBook` with timers that fire as the test moves its clock."""

    def __init__(self) -> None:
        self._venue = Venue()

    def now_ns(self) -> int:
        return self._venue.now_ns

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        prices = {"yes_bid": yes_bid, "yes_ask": yes_ask}
        self._venue.quote(ticker, **{name: price for name, price in prices.items() if price is not None})

    def submit(self, order: OrderSubmit) -> None:
        self._venue.order(order)

    def cancel(self, cancel: OrderCancel) -> None:
        self._venue.order(cancel)

    def redeliver(self, order: OrderSubmit) -> None:
        self._venue.order(order)

    def advance(self, ns: int) -> None:
        self._venue.at(self._venue.now_ns + ns)

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        return [report for report in self._venue.reports if report.client_order_id == client_order_id]

    def look_up(self, account: str, client_order_id: str) -> VenueOrder | None:
        found = self._venue.book.orders(VenueOrdersRequest(account=account, client_order_id=client_order_id)).orders
        return found[0] if found else None

    def held(self, account: str, ticker: str, side: Side) -> Decimal:
        positions = self._venue.book.positions(VenueOrdersRequest(account=account)).positions
        return sum((held.quantity for held in positions if (held.ticker, held.side) == (ticker, side)), Decimal(0))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_paper_venue_keeps_the_contract(clause: Callable[[ExecutorUnderTest], None]) -> None:
    clause(PaperUnderTest())
