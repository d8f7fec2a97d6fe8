"""The simulated venue passes the suite that every executor must pass."""

from collections.abc import Sequence

import pytest

from bus.adapters.story import Page
from bus.adapters.suite import Clause
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueOrdersRequest
from tests.contracts.executor_suite import ALL_CLAUSES, keeps
from tests.rules.paper.builders import S, Venue


class PaperUnderTest:
    """`PaperBook` with timers that fire as the test moves its clock; pages of two rows."""

    def __init__(self, style: str = "sell") -> None:
        self._venue = Venue(style=style, page_rows=2)

    def now_ns(self) -> int:
        return self._venue.now_ns

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        prices = {"yes_bid": yes_bid, "yes_ask": yes_ask}
        self._venue.quote(ticker, **{name: price for name, price in prices.items() if price is not None})

    def submit(self, order: OrderSubmit) -> None:
        self._venue.order(order)

    def cancel(self, cancel: OrderCancel) -> None:
        self._venue.order(cancel)

    def settle(self) -> None:
        self._venue.at(self._venue.now_ns + 2 * S)

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        return [report for report in self._venue.reports if report.client_order_id == client_order_id]

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        answer: Page = getattr(self._venue.book, kind)(request)
        return answer


@pytest.mark.parametrize("clause", ALL_CLAUSES, ids=lambda clause: clause.__name__)
def test_the_paper_venue_keeps_the_contract(clause: Clause) -> None:
    assert keeps(PaperUnderTest(), clause) is None
