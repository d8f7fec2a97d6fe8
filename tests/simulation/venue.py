"""A venue of the simulated world: orders, positions, fills, and what it answers. Its state outlives every process.

It deduplicates client ids among open orders only, as real ones do: whoever sends an order again that has ended buys twice. So
`sent_twice` counts what a correct executor never does. An order that only reduces never exceeds the position held.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from bus.messages.orders import Action, OrderSubmit, ReportStatus
from bus.messages.trades import Purpose, Side
from bus.messages.units import ONE, ZERO

Holding = tuple[str, str, Side]
ENDS: Final = (ReportStatus.REJECTED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.FILLED)


@dataclass(slots=True)
class VenueFill:
    """A fill as the venue booked it. price: of the order's side."""

    fill_id: str
    client_order_id: str
    price: Decimal
    quantity: Decimal
    fees: Decimal
    at_ns: int
    is_ghost: bool = False
    """It came after the end of its order was told."""


@dataclass(slots=True)
class VenueOrder:
    """An order that the venue has. late: so much of it fills after its end was told."""

    sent: OrderSubmit
    status: ReportStatus
    at_ns: int
    fills: list[VenueFill] = field(default_factory=list)

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def left(self) -> Decimal:
        return self.sent.quantity - self.filled

    @property
    def has_ended(self) -> bool:
        return self.status in ENDS


@dataclass(slots=True)
class Book:
    """The best prices of one event contract's yes side; None: nobody there."""

    bid: Decimal | None = None
    ask: Decimal | None = None

    def price(self, side: Side, action: Action) -> Decimal | None:
        """Return what an order of `side` meets now, in that side's own price."""
        if side in (Side.YES, Side.LONG):
            return self.ask if action is Action.BUY else self.bid
        if side is Side.SHORT:
            return self.bid if action is Action.SELL else self.ask
        other = self.bid if action is Action.BUY else self.ask
        return None if other is None else ONE - other


class ModelVenue:
    """One venue. netting: both sides of one ticker cancel each other. on_fill: hears of every fill, as it happens."""

    def __init__(self, name: str, *, now: Callable[[], int], netting: bool = False, fee: Decimal = ZERO) -> None:
        self.name = name
        self.netting = netting
        self.orders: dict[str, VenueOrder] = {}
        self.every: list[VenueOrder] = []
        self.of_trade: dict[str, list[VenueOrder]] = defaultdict(list)
        self.held: dict[Holding, Decimal] = {}
        self.brought: dict[str, tuple[Holding, Decimal]] = {}
        self.by_hand: dict[Holding, Decimal] = defaultdict(Decimal)
        """What somebody has bought beside us."""
        self.books: dict[str, Book] = {}
        self.closed: set[str] = set()
        self.halted: set[str] = set()
        self.sent_twice: list[str] = []
        self.on_fill: Callable[[VenueOrder, VenueFill], None] = lambda *_: None
        self.on_order: Callable[[VenueOrder], None] = lambda *_: None
        self._now = now
        self._fee = fee
        self._numbers = 0

    def quote(self, ticker: str, bid: Decimal | None, ask: Decimal | None) -> list[VenueOrder]:
        """Let the market stand so; return the resting orders that were met."""
        self.books[ticker] = Book(bid, ask)
        met = []
        for order in self.resting(ticker):
            if self._price(order.sent) is not None:
                self._fill(order, order.sent.limit_price or ZERO, self.allowance(order))
                if not order.has_ended:
                    # What it was to reduce has been closed by somebody else meanwhile.
                    order.status = ReportStatus.CANCELLED
                met.append(order)
        return met

    def resting(self, ticker: str) -> list[VenueOrder]:
        """Return the open orders of a ticker."""
        return [order for order in self.orders.values() if not order.has_ended and order.sent.ticker == ticker]

    def place(
        self, sent: OrderSubmit, *, part: Decimal | None = None, rejects: bool = False, trickles: bool = False
    ) -> VenueOrder:
        """Take an order. part: fill only so much of it (an `ioc` loses the rest; trickles: only in a while). rejects: say no.

        A client id that is open is answered with the open order.
        """
        known = self.orders.get(sent.client_order_id)
        if known is not None and not known.has_ended:
            return known
        if known is not None:
            self.sent_twice.append(sent.client_order_id)
        order = VenueOrder(sent, ReportStatus.ACCEPTED, self._now())
        self.orders[sent.client_order_id] = order
        self.every.append(order)
        self.of_trade[sent.trade_id].append(order)
        self.on_order(order)
        allowed = self.allowance(order)
        if rejects or sent.ticker in self.closed or (sent.reduce_only and allowed <= ZERO):
            order.status = ReportStatus.REJECTED
            return order
        price = None if sent.ticker in self.halted else self._price(sent)
        if price is not None:
            self._fill(order, price, allowed if part is None else min(part, allowed))
        if trickles and part is not None and order.fills and not order.has_ended:
            return order
        if not order.has_ended and (sent.time_in_force != "gtc" or (sent.reduce_only and order.filled >= allowed)):
            order.status = ReportStatus.CANCELLED
        return order

    def cancel(self, client_order_id: str) -> VenueOrder | None:
        """End an order if it still works; None: never heard of."""
        order = self.orders.get(client_order_id)
        if order is not None and not order.has_ended:
            order.status = ReportStatus.CANCELLED
        return order

    def expire(self, client_order_id: str) -> VenueOrder | None:
        """End a resting order because its time is over."""
        order = self.orders.get(client_order_id)
        if order is not None and not order.has_ended:
            order.status = ReportStatus.EXPIRED
        return order

    def fill_late(self, client_order_id: str) -> VenueFill | None:
        """Fill what is left of an order that has ended: what a venue should not do, and does."""
        order = self.orders.get(client_order_id)
        if (
            order is None
            or not order.has_ended
            or order.left <= ZERO
            or order.status is ReportStatus.REJECTED
            or order.sent.ticker in self.closed
        ):
            return None
        allowed = self.allowance(order)
        price = self.books.get(order.sent.ticker, Book()).price(order.sent.side, order.sent.action)
        if price is None or allowed <= ZERO:
            return None
        status = order.status
        fill = self._fill(order, price, allowed)
        order.status = status
        if fill is not None:
            fill.is_ghost = True
            self._eat(order.sent)
        return fill

    def _eat(self, sent: OrderSubmit) -> None:
        """A close that filled after its end may have sold what somebody has bought by hand; so may that of its late trade.

        What a fill closed too much is closed again on the other side (SPEC 1.3), though a venue that does not net has opened nothing there.
        """
        holding = (sent.account, sent.ticker, held_side(sent))
        if sent.reduce_only and self.by_hand[holding] > self.held.get(holding, ZERO):
            self.by_hand[holding] = self.held.get(holding, ZERO)

    def go_on(self, client_order_id: str, *, fills: bool) -> VenueOrder | None:
        """Let an order that trickles fill what is left, or lose it; None: it has ended already."""
        order = self.orders[client_order_id]
        if order.has_ended:
            return None
        price = self._price(order.sent)
        if fills and price is not None:
            self._fill(order, price, self.allowance(order))
        if not order.has_ended:
            order.status = ReportStatus.CANCELLED
        return order

    def bring(self, holding: Holding, quantity: Decimal, trade_id: str) -> None:
        """A position that no order here has opened; `trade_id` is to take it over."""
        self.held[holding] = self.held.get(holding, ZERO) + quantity
        self.brought[trade_id] = (holding, quantity)

    def buy_by_hand(self, holding: Holding, quantity: Decimal) -> None:
        """Somebody buys beside us; where both sides cancel each other, only what cancels nothing."""
        account, ticker, side = holding
        if not (self.netting and self.held.get((account, ticker, side.opposite), ZERO)):
            self.held[holding] = self.held.get(holding, ZERO) + quantity
            self.by_hand[holding] += quantity

    def take_away(self, account: str, ticker: str, side: Side, quantity: Decimal) -> Decimal:
        """Somebody closes by hand; return how much was there."""
        have = self.held.get((account, ticker, side), ZERO)
        taken = min(have, quantity)
        self.held[account, ticker, side] = have - taken
        return taken

    def close_market(self, ticker: str) -> list[VenueOrder]:
        """Nothing fills any more; return the resting orders that expired."""
        self.closed.add(ticker)
        resting = self.resting(ticker)
        for order in resting:
            order.status = ReportStatus.EXPIRED
        return resting

    def settle(self, ticker: str) -> None:
        """Pay for every position of a ticker: it is gone."""
        for holding in [holding for holding in self.held if holding[1] == ticker]:
            self.held[holding] = ZERO

    def allowance(self, order: VenueOrder) -> Decimal:
        """Return how much of it may still fill: one that reduces, no more than is held and not bespoken by others."""
        sent = order.sent
        if not sent.reduce_only:
            return order.left
        holding = (sent.account, sent.ticker, held_side(sent))
        others = sum(
            (
                other.left
                for other in self.resting(sent.ticker)
                if other is not order and other.sent.reduce_only and other.sent.account == sent.account
                and held_side(other.sent) is held_side(sent)
            ),
            ZERO,
        )  # fmt: skip
        return min(order.left, max(ZERO, self.held.get(holding, ZERO) - others))

    def _price(self, sent: OrderSubmit) -> Decimal | None:
        price = self.books.get(sent.ticker, Book()).price(sent.side, sent.action)
        if price is None or sent.ticker in self.closed:
            return None
        if sent.limit_price is None or sent.order_type == "market":
            return price
        allowed = price <= sent.limit_price if sent.action is Action.BUY else price >= sent.limit_price
        return price if allowed else None

    def _fill(self, order: VenueOrder, price: Decimal, quantity: Decimal) -> VenueFill | None:
        if quantity <= ZERO:
            return None
        self._numbers += 1
        sent = order.sent
        fees = self._fee * quantity
        fill = VenueFill(f"{self.name}-{self._numbers}", sent.client_order_id, price, quantity, fees, self._now())
        order.fills.append(fill)
        self._move(sent, quantity)
        order.status = ReportStatus.FILLED if order.left <= ZERO else ReportStatus.PARTIALLY_FILLED
        self.on_fill(order, fill)
        return fill

    def _move(self, sent: OrderSubmit, quantity: Decimal) -> None:
        holding = (sent.account, sent.ticker, held_side(sent))
        have = self.held.get(holding, ZERO)
        if sent.purpose is Purpose.CLOSE:
            self.held[holding] = have - quantity
            if sent.trade_id.startswith("r-"):
                self._eat(sent)
            return
        opposite = (sent.account, sent.ticker, sent.side.opposite)
        netted = min(self.held.get(opposite, ZERO), quantity) if self.netting else ZERO
        if netted:
            self.held[opposite] -= netted
        self.held[holding] = have + quantity - netted


def held_side(sent: OrderSubmit) -> Side:
    """Return the side whose position an order changes: buying the other side closes one's own."""
    if sent.side.is_event and sent.action is Action.BUY and sent.reduce_only:
        return sent.side.opposite
    return sent.side
