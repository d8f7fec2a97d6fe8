"""Orders, their reports, and what a venue is asked."""

from enum import StrEnum

import msgspec

from bus.messages.envelope import Message
from bus.messages.trades import Mode, Purpose, Side
from bus.messages.units import Money, Name, Price, Quantity, Text, TradeId, UtcNs


class Action(StrEnum):
    """What an order does with its side."""

    BUY = "buy"
    SELL = "sell"


class ReportStatus(StrEnum):
    """What a venue says of an order. A closed list: anything else is quarantined."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class OrderSubmit(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Send this order. Published as `order.submit.<venue>.<trade_id>`, `Nats-Msg-Id` `submit:<client_order_id>`.

    client_order_id: `<trade_id>-<purpose>-<attempt>`. expires_ts: the last moment of sending.
    limit_price: of `side`, dollars. quantity: > 0. unreconciled: a close that left before the venue said what the account holds.
    """

    client_order_id: str
    trade_id: TradeId
    account: Name
    mode: Mode
    purpose: Purpose
    attempt: int
    ticker: Name
    side: Side
    action: Action
    quantity: Quantity
    limit_price: Price | None = None
    order_type: str = "limit"
    time_in_force: str = "ioc"
    reduce_only: bool
    expires_ts: UtcNs
    epoch: int
    cause: str
    decision_id: str | None = None
    trade_version: int
    settings_version: int
    ts: UtcNs
    unreconciled: bool = False


class OrderCancel(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Cancel this order, and never send it. Published as `order.cancel.<venue>.<trade_id>`."""

    client_order_id: str
    trade_id: TradeId
    account: Name
    reason: Text
    epoch: int
    ts: UtcNs


class OrderReport(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an order. Source: `order.report.<client_order_id>`.

    fill_price: of the side named in the order. fees: of this fill, dollars. cumulative_quantity: of the order.
    """

    client_order_id: Name
    ts: UtcNs
    status: ReportStatus
    reason: Text | None = None
    fill_id: Name | None = None
    fill_price: Price | None = None
    fill_quantity: Quantity | None = None
    fees: Money | None = None
    cumulative_quantity: Quantity | None = None


class EpochRecord(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Who leads. Kept for ever on `order.epoch`, changed by compare-and-set."""

    epoch: int
    instance: Name
    ts: UtcNs


class Position(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What the venue says we hold. Source: `account.position.<account>`."""

    account: Name
    ticker: Name
    ts: UtcNs
    side: Side
    quantity: Quantity


class Settlement(Message, frozen=True, kw_only=True, omit_defaults=True):
    """How the venue settled a ticker. Source: `account.settlement.<account>`. revenue: of the whole account, dollars."""

    account: Name
    ticker: Name
    ts: UtcNs
    result: str
    revenue: Money
    payout: Price | None = None
    fees: Money | None = None


class Balance(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The cash of an account, dollars. Source: `account.balance.<account>`."""

    account: Name
    ts: UtcNs
    balance: Money


class VenueOrdersRequest(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Ask a venue's adapter for orders. Published as `venue.request.orders.<venue>`."""

    account: Name
    client_order_id: str | None = None
    since: UtcNs | None = None
    after: str | None = None


class VenueOrder(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An order as the venue knows it."""

    client_order_id: str
    status: ReportStatus
    cumulative_quantity: Quantity
    average_price: Price | None = None
    fees: Money | None = None


class VenueOrders(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `VenueOrdersRequest`. An empty `orders` proves nothing by itself (DESIGN section 5, executor)."""

    orders: tuple[VenueOrder, ...] = ()
    next: str | None = None
    error: Text | None = None


class VenueFill(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A fill as the venue knows it; `side` and `price` of the order."""

    fill_id: Name
    ticker: Name
    side: Side
    price: Price
    quantity: Quantity
    ts: UtcNs
    client_order_id: str | None = None
    fees: Money | None = None


class VenueFills(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `venue.request.fills.<venue>`."""

    fills: tuple[VenueFill, ...] = ()
    next: str | None = None
    error: Text | None = None


class VenuePosition(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A position as the venue knows it."""

    ticker: Name
    side: Side
    quantity: Quantity


class VenuePositions(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `venue.request.positions.<venue>`."""

    positions: tuple[VenuePosition, ...] = ()
    next: str | None = None
    error: Text | None = None


class VenueQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """TradeDesk asks, over the wire, what the venue knows of one order. The answer is `VenueAnswer`."""

    venue: Name
    account: Name
    client_order_id: str
    trade_id: TradeId
    now_ns: UtcNs


class VenueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `VenueQuestion`. order None and error None: the venue looked and does not know that order.

    error: nobody answered, or the venue could not say: evidence of nothing.
    """

    client_order_id: str
    trade_id: TradeId
    order: VenueOrder | None
    error: str | None
    now_ns: UtcNs
    fills: tuple[VenueFill, ...] = ()
    venue: str = ""
    account: str = ""


class OrderArrived(msgspec.Struct, frozen=True, kw_only=True):
    """An order or a cancel reached PaperVenue through ORDERS; `token` acknowledges it, `sequence` is its place there."""

    order: OrderSubmit | OrderCancel
    token: str
    sequence: int
    now_ns: UtcNs
