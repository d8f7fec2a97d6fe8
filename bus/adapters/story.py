"""The stage of a check: the executor behind its wires, the ground on which small orders may stand, and their words.

A check never asks the executor how it does what it does. It publishes orders, reads reports, asks `venue.request.*`, and leaves
nothing behind: what it bought it sells again.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from msgspec.structs import replace

from bus.messages import addresses
from bus.messages.orders import (
    Action,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    ReportStatus,
    VenueFill,
    VenueFills,
    VenueOrder,
    VenueOrders,
    VenueOrdersRequest,
    VenuePosition,
    VenuePositions,
)
from bus.messages.trades import Mode, Purpose, Side
from bus.messages.units import NS_PER_S, ONE, ZERO

ENDS: Final = (ReportStatus.FILLED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.REJECTED)
_PAGES_MAX: Final = 1_000
_VALID_NS: Final = 30 * NS_PER_S

Page = VenueOrders | VenueFills | VenuePositions
P = TypeVar("P", VenueOrders, VenueFills, VenuePositions)
KINDS: Final[dict[type[Page], str]] = {VenueOrders: "orders", VenueFills: "fills", VenuePositions: "positions"}


class Broken(Exception):  # noqa: N818  # an outcome of a check
    """The executor does not keep a clause; the text says what it did, and what it must do instead."""


def demand(kept: bool, words: str) -> None:  # noqa: FBT001  # a claim
    """Raise `Broken` with `words` unless the claim holds."""
    if not kept:
        raise Broken(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where the orders of a check may stand, and at what prices.

    side: the one that is bought and sold again; nothing of it is held before. quantity: of one order; no order is of more than
    twice that. buy_at: a price at which a purchase is filled at once; sell_at: the same of a sale; a purchase at `sell_at` and a
    sale at `buy_at` find nobody. style: how the venue closes. epoch: the one in force.
    """

    account: str
    ticker: str
    mode: Mode
    quantity: Decimal
    buy_at: Decimal
    sell_at: Decimal
    side: Side = Side.YES
    style: str = "sell"
    epoch: int = 1


class ExecutorUnderTest(Protocol):
    """An executor with its venue, and the ORDERS stream between it and the check."""

    def now_ns(self) -> int:
        """Return the executor's present."""
        ...

    def submit(self, order: OrderSubmit) -> None:
        """Publish `order` into ORDERS; one that was published before is delivered once more."""
        ...

    def cancel(self, cancel: OrderCancel) -> None:
        """Publish `cancel` into ORDERS."""
        ...

    def settle(self) -> None:
        """Return once everything that was published has been answered, or should have been long ago."""
        ...

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        """Return what was published about an order, oldest first."""
        ...

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        """Ask `venue.request.<kind>` for one page. Raises: Broken if nobody answers, or the answer cannot be read."""
        ...


@dataclass(slots=True)
class Story:
    """Says the orders of one trade to an executor, in the words of the contract. name: of the trade."""

    executor: ExecutorUnderTest
    ground: Ground
    name: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _waiting: list[OrderSubmit] = field(default_factory=list)

    # Orders

    def buys(self, **changes: Any) -> OrderSubmit:  # noqa: ANN401  # any field of an order
        """Return an entry that is filled at once, unless `changes` say otherwise."""
        action = Action.SELL if self.ground.side is Side.SHORT else Action.BUY
        return self._order(Purpose.ENTRY, self.ground.side, action, self.ground.buy_at, changes)

    def sells(self, **changes: Any) -> OrderSubmit:  # noqa: ANN401  # as above
        """Return a close of one order's quantity that is filled at once, unless `changes` say otherwise.

        A `limit_price` among them is of the trade's own side.
        """
        ground = self.ground
        price = changes.pop("limit_price", ground.sell_at)
        if ground.style == "buy_opposite" and ground.side.is_event:
            return self._order(Purpose.CLOSE, ground.side.opposite, Action.BUY, ONE - price, changes)
        action = Action.BUY if ground.side is Side.SHORT else Action.SELL
        return self._order(Purpose.CLOSE, ground.side, action, price, changes)

    def rests(self) -> OrderSubmit:
        """Return a close that finds nobody, and waits."""
        return self.sells(limit_price=self.ground.buy_at, time_in_force="gtc")

    def _order(
        self, purpose: Purpose, side: Side, action: Action, price: Decimal, changes: dict[str, Any]
    ) -> OrderSubmit:
        now_ns, attempt = self.executor.now_ns(), next(self._numbers)
        given: dict[str, Any] = {
            "client_order_id": f"{self.name}-{purpose}-{attempt}",
            "trade_id": self.name,
            "account": self.ground.account,
            "mode": self.ground.mode,
            "purpose": purpose,
            "attempt": attempt,
            "ticker": self.ground.ticker,
            "side": side,
            "action": action,
            "quantity": self.ground.quantity,
            "limit_price": price,
            "reduce_only": purpose is Purpose.CLOSE,
            "expires_ts": now_ns + _VALID_NS,
            "epoch": self.ground.epoch,
            "cause": "check",
            "trade_version": 1,
            "settings_version": 1,
            "ts": now_ns,
        } | changes
        return OrderSubmit(**given)

    def sends(self, order: OrderSubmit) -> OrderSubmit:
        """Publish an order, and wait until it is answered."""
        self.executor.submit(order)
        if order.time_in_force == "gtc":
            self._waiting.append(order)
        self.executor.settle()
        return order

    def cancels(self, order: OrderSubmit) -> None:
        """Publish a cancel, and wait until it is answered."""
        cancel = OrderCancel(
            client_order_id=order.client_order_id,
            trade_id=order.trade_id,
            account=order.account,
            reason="check",
            epoch=order.epoch,
            ts=self.executor.now_ns(),
        )
        self.executor.cancel(cancel)
        self.executor.settle()

    def holds(self) -> OrderSubmit:
        """Buy one order's quantity; return the order. Raises: Broken if it is not filled."""
        order = self.sends(self.buys())
        demand(
            self.filled(order) == order.quantity,
            f"an order to buy {order.quantity:f} at {order.limit_price:f} ended {self.statuses(order)} with"
            f" {self.filled(order):f} filled: nothing can be checked without a purchase; choose a price that meets the market",
        )
        return order

    # What became of them

    def reports(self, order: OrderSubmit) -> list[OrderReport]:
        """Return the reports of an order, each once, in the order in which they came first."""
        once = {
            addresses.report_id(report): report for report in reversed(self.executor.reports(order.client_order_id))
        }
        return list(reversed(once.values()))

    def statuses(self, order: OrderSubmit) -> list[str]:
        """Return what was reported of an order, in order."""
        return [report.status.value for report in self.reports(order)]

    def end(self, order: OrderSubmit) -> OrderReport:
        """Return the report that ended an order. Raises: Broken if there is none, or more than one."""
        ends = [report for report in self.reports(order) if report.status in ENDS]
        demand(
            len(ends) == 1,
            f"{order.client_order_id} must end once, by one report filled, cancelled, expired or rejected; it had"
            f" {self.statuses(order) or 'none at all'}",
        )
        return ends[0]

    def filled(self, order: OrderSubmit) -> Decimal:
        """Return what the fills that were reported add up to, each fill_id once."""
        fills = {report.fill_id: report.fill_quantity or ZERO for report in self.reports(order) if report.fill_id}
        return sum(fills.values(), ZERO)

    # Look-ups

    def look_up(self, client_order_id: str) -> VenueOrder | None:
        """Return an order as `venue.request.orders` knows it."""
        found = self.all_orders(client_order_id=client_order_id)
        return next((order for order in found if order.client_order_id == client_order_id), None)

    def all_orders(self, **asked: Any) -> list[VenueOrder]:  # noqa: ANN401  # fields of the request
        """Return every order that the venue tells, all pages."""
        return [one for page in self._pages(VenueOrders, asked) for one in page.orders]

    def all_fills(self, **asked: Any) -> list[VenueFill]:  # noqa: ANN401  # as above
        """Return every fill that the venue tells, all pages."""
        return [one for page in self._pages(VenueFills, asked) for one in page.fills]

    def all_positions(self) -> list[VenuePosition]:
        """Return every position that the venue tells, all pages."""
        return [one for page in self._pages(VenuePositions, {}) for one in page.positions]

    def held(self) -> Decimal:
        """Return how much of the ground's side the venue holds."""
        own = (self.ground.ticker, self.ground.side)
        return sum((one.quantity for one in self.all_positions() if (one.ticker, one.side) == own), ZERO)

    def _pages(self, kind: type[P], asked: dict[str, Any]) -> Iterator[P]:
        name = KINDS[kind]
        request = VenueOrdersRequest(account=self.ground.account, **asked)
        for _ in range(_PAGES_MAX):
            page = self.executor.ask(name, request)
            demand(page.error is None, f"venue.request.{name} answered with an error: {page.error}")
            assert isinstance(page, kind), f"asked for {name}"
            yield page
            if page.next is None:
                return
            request = replace(request, after=page.next)
        raise Broken(
            f"venue.request.{name} has told {_PAGES_MAX} pages and names a next one: the last page must have none"
        )

    def leaves_nothing(self) -> None:
        """Cancel what still rests and sell what is still held. Raises: Broken if something is left."""
        for order in self._waiting:
            if not any(report.status in ENDS for report in self.reports(order)):
                self.cancels(order)
        held = self.held()
        if held > ZERO:
            self.sends(self.sells(quantity=held))
            left = self.held()
            demand(
                left == ZERO,
                f"{left:f} {self.ground.side} {self.ground.ticker} are left of this check: sell them yourself",
            )
