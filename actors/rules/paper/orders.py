"""An order as the simulated venue knows it: each step returns the order after it, with one more report in its list.

Reports are a function of what happened to the order, so that a redelivered order is answered with the very same words.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from actors.rules.paper.faults import Fault
from bus.messages.orders import Action, OrderCancel, OrderReport, OrderSubmit, ReportStatus
from bus.messages.trades import Side
from bus.messages.units import ZERO


class Phase(StrEnum):
    """Where an order stands at the venue.

    WAITING: on its way, decided at its `ts` plus latency. RESTING: accepted and in the book. ENDED: nothing more can happen.
    """

    WAITING = "waiting"
    RESTING = "resting"
    ENDED = "ended"


class PaperOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. submit is None where a cancel came first: then it is never sent.

    number: its place among all orders seen. cost: sum of price x quantity of its fills. touched_ns: its last change.
    """

    client_order_id: str
    account: str
    number: int
    phase: Phase
    touched_ns: int
    submit: OrderSubmit | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    reports: tuple[OrderReport, ...] = ()
    cancel: OrderCancel | None = None
    fault: Fault | None = None

    @property
    def sent(self) -> OrderSubmit:
        """The order itself; only a promise (see `promised`) has none."""
        assert self.submit is not None, "an order that was cancelled before it came is never worked"
        return self.submit

    @property
    def remaining(self) -> Decimal:
        """What may still fill."""
        return ZERO if self.submit is None or self.phase is Phase.ENDED else self.submit.quantity - self.filled

    @property
    def fill_count(self) -> int:
        """How many fills it has had."""
        return sum(report.fill_id is not None for report in self.reports)

    @property
    def status(self) -> ReportStatus:
        """What a lookup says. An order that waits for its latency is in the venue's hands: accepted."""
        return self.reports[-1].status if self.reports else ReportStatus.ACCEPTED


def arrived(submit: OrderSubmit, number: int, now_ns: int, fault: Fault | None) -> PaperOrder:
    """Return the order as it begins."""
    return PaperOrder(
        client_order_id=submit.client_order_id,
        account=submit.account,
        number=number,
        phase=Phase.WAITING,
        touched_ns=now_ns,
        submit=submit,
        fault=fault,
    )


def promised(cancel: OrderCancel, number: int, now_ns: int) -> PaperOrder:
    """Return the order that will never be sent, because its cancel came first."""
    order = PaperOrder(
        client_order_id=cancel.client_order_id,
        account=cancel.account,
        number=number,
        phase=Phase.WAITING,
        touched_ns=now_ns,
    )
    return ended(order, ReportStatus.CANCELLED, cancel.reason, now_ns)


def accepted(order: PaperOrder, now_ns: int) -> PaperOrder:
    """Return `order` in the venue's book."""
    report = OrderReport(client_order_id=order.client_order_id, ts=now_ns, status=ReportStatus.ACCEPTED)
    return replace(order, phase=Phase.RESTING, touched_ns=now_ns, reports=(*order.reports, report))


def filled(order: PaperOrder, price: Decimal, quantity: Decimal, fees: Decimal) -> PaperOrder:
    """Return `order`, touched now, after a fill of `quantity` at `price`; ended where nothing remains."""
    assert ZERO < quantity <= order.remaining, "a fill never exceeds the order"
    total = order.filled + quantity
    whole = total == order.sent.quantity
    report = OrderReport(
        client_order_id=order.client_order_id,
        ts=order.touched_ns,
        status=ReportStatus.FILLED if whole else ReportStatus.PARTIALLY_FILLED,
        fill_id=f"{order.client_order_id}-f{order.fill_count + 1}",
        fill_price=price,
        fill_quantity=quantity,
        fees=fees,
        cumulative_quantity=total,
    )
    return replace(
        order,
        phase=Phase.ENDED if whole else order.phase,
        filled=total,
        cost=order.cost + price * quantity,
        fees=order.fees + fees,
        reports=(*order.reports, report),
    )


def ended(order: PaperOrder, status: ReportStatus, reason: str, now_ns: int) -> PaperOrder:
    """Return `order` after its end by `status`: cancelled, expired or rejected."""
    report = OrderReport(
        client_order_id=order.client_order_id,
        ts=now_ns,
        status=status,
        reason=reason,
        cumulative_quantity=order.filled,
    )
    return replace(order, phase=Phase.ENDED, touched_ns=now_ns, reports=(*order.reports, report))


def reported(order: PaperOrder, report: OrderReport) -> PaperOrder:
    """Return `order` after a report that was said in an earlier life of the venue."""
    ends = report.status not in (ReportStatus.ACCEPTED, ReportStatus.PARTIALLY_FILLED, ReportStatus.UNKNOWN)
    quantity = report.fill_quantity or ZERO
    return replace(
        order,
        phase=Phase.ENDED if ends else Phase.RESTING,
        touched_ns=report.ts,
        filled=order.filled + quantity,
        cost=order.cost + (report.fill_price or ZERO) * quantity,
        fees=order.fees + (report.fees or ZERO),
        reports=(*order.reports, report),
    )


def reduces(order: OrderSubmit) -> bool:
    """Whether `order` makes a position smaller: a short is opened by selling it and closed by buying it."""
    if order.side.is_event:
        return order.action is Action.SELL or order.reduce_only
    return (order.side is Side.LONG) == (order.action is Action.SELL)


def held_side(order: OrderSubmit) -> Side:
    """Return the side whose position `order` changes: buying the other side closes one's own."""
    if order.side.is_event and order.action is Action.BUY and order.reduce_only:
        return order.side.opposite
    return order.side


def limit_allows(order: OrderSubmit, price: Decimal) -> bool:
    """Whether `order` may fill at `price` (of its own side)."""
    if order.limit_price is None or order.order_type == "market":
        return True
    return price <= order.limit_price if order.action is Action.BUY else price >= order.limit_price
