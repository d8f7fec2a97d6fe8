"""What the simulated venue remembers, and the draft in which one word's consequences are worked out.

A draft reads through to the state and keeps its changes to itself; only when the whole word has been worked out does `adopt`
make them the state. A word that raises leaves everything as it was.
"""

from collections import ChainMap
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from actors.rules.paper.orders import PaperOrder, Phase, held_side, reduces
from bus.messages.orders import OrderSubmit
from bus.messages.trades import Fill, Purpose, Side, Trade
from bus.messages.units import ZERO

Holding = tuple[str, str, Side]
"""Account, ticker, side."""
Lane = tuple[str, str]
"""Account and ticker: its orders are worked one at a time."""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What lifecycle events have said of one ticker."""

    halted: bool = False
    ended: bool = False
    close_ts: int | None = None

    def is_closed(self, now_ns: int) -> bool:
        """Whether nothing fills any more."""
        return self.ended or (self.close_ts is not None and now_ns >= self.close_ts)


_UNHEARD = Market()


@dataclass(slots=True, kw_only=True)
class VenueState:
    """Orders by id, positions, and what is needed to find them.

    resting, waiting: ids in order of arrival, never an empty tuple for `resting`'s readers to trip over.
    brought: by trade, the part of its position that no order here ever filled (adopted, or older than the ORDERS stream).
    """

    orders: MutableMapping[str, PaperOrder] = field(default_factory=dict)
    held: MutableMapping[Holding, Decimal] = field(default_factory=dict)
    resting: MutableMapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: MutableMapping[Lane, tuple[str, ...]] = field(default_factory=dict)
    markets: MutableMapping[str, Market] = field(default_factory=dict)
    brought: MutableMapping[str, Decimal] = field(default_factory=dict)
    fill_ids: MutableMapping[str, str] = field(default_factory=dict)
    epoch: int = 0
    count: int = 0
    netting: bool = False

    def draft(self) -> "VenueState":
        """Return a state that reads through to this one and writes only to itself."""
        return VenueState(
            orders=ChainMap({}, self.orders),
            held=ChainMap({}, self.held),
            resting=ChainMap({}, self.resting),
            waiting=ChainMap({}, self.waiting),
            markets=ChainMap({}, self.markets),
            brought=ChainMap({}, self.brought),
            fill_ids=ChainMap({}, self.fill_ids),
            epoch=self.epoch,
            count=self.count,
            netting=self.netting,
        )

    def adopt(self, draft: "VenueState") -> None:
        """Make what `draft` worked out the state."""
        for mine, drafted in (
            (self.orders, draft.orders),
            (self.held, draft.held),
            (self.resting, draft.resting),
            (self.waiting, draft.waiting),
            (self.markets, draft.markets),
            (self.brought, draft.brought),
            (self.fill_ids, draft.fill_ids),
        ):
            assert isinstance(drafted, ChainMap), "only a draft can be adopted"
            mine.update(drafted.maps[0])
        self.epoch, self.count = draft.epoch, draft.count

    def market(self, ticker: str) -> Market:
        """Return what is known of `ticker`."""
        return self.markets.get(ticker, _UNHEARD)

    def keep(self, order: PaperOrder) -> None:
        """Write `order`, and keep the lists of waiting and resting orders in step with it."""
        self.orders[order.client_order_id] = order
        if order.submit is None:
            return
        lane = (order.account, order.submit.ticker)
        self.waiting[lane] = _listed(self.waiting.get(lane, ()), order, Phase.WAITING)
        self.resting[lane[1]] = _listed(self.resting.get(lane[1], ()), order, Phase.RESTING)

    def fill(self, order: OrderSubmit, fill_id: str, quantity: Decimal) -> None:
        """Book a fill of `order`: a reduction is taken off, an entry added; a netting venue takes it off the other side first."""
        self.fill_ids[fill_id] = order.client_order_id
        side = held_side(order)
        if reduces(order):
            self._add(order, side, -quantity)
            return
        opposite = self.position(order.account, order.ticker, side.opposite) if self.netting else ZERO
        netted = min(opposite, quantity)
        if netted > ZERO:
            self._add(order, side.opposite, -netted)
        self._add(order, side, quantity - netted)

    def position(self, account: str, ticker: str, side: Side) -> Decimal:
        """Return the quantity held; >= 0."""
        return self.held.get((account, ticker, side), ZERO)

    def allowance(self, order: PaperOrder) -> Decimal:
        """Return how much of `order` may fill: never more than the position less what other reductions rest for."""
        sent = order.sent
        if not reduces(sent):
            return order.remaining
        resting = sum((other.remaining for other in self._resting_beside(order)), ZERO)
        return max(ZERO, min(order.remaining, self.position(sent.account, sent.ticker, held_side(sent)) - resting))

    def hear_trade(self, trade: Trade) -> None:
        """Hold what `trade` brought along: its open quantity less the fills that were booked here; learn its market's close time.

        A fill that the trade has not heard of yet is in neither, so this stays the same until somebody adopts a position.
        """
        market = self.market(trade.ticker)
        if trade.state.is_terminal or market.ended:
            return
        if market.close_ts is None and trade.close_ts is not None:
            self.markets[trade.ticker] = replace(market, close_ts=trade.close_ts)
        brought = trade.open_quantity - sum(
            (_signed(fill) for fill in trade.fills if fill.fill_id in self.fill_ids), ZERO
        )
        more = brought - self.brought.get(trade.trade_id, ZERO)
        if more:
            self.brought[trade.trade_id] = brought
            holding = (trade.account, trade.ticker, trade.side)
            self.held[holding] = max(ZERO, self.held.get(holding, ZERO) + more)

    def settle(self, ticker: str) -> None:
        """Forget the positions of `ticker`: the venue has paid them out."""
        for holding in [holding for holding, quantity in self.held.items() if holding[1] == ticker and quantity]:
            self.held[holding] = ZERO

    def _add(self, order: OrderSubmit, side: Side, quantity: Decimal) -> None:
        holding = (order.account, order.ticker, side)
        self.held[holding] = max(ZERO, self.held.get(holding, ZERO) + quantity)

    def _resting_beside(self, order: PaperOrder) -> Iterator[PaperOrder]:
        mine = order.sent
        for client_order_id in self.resting.get(mine.ticker, ()):
            other = self.orders[client_order_id]
            theirs = other.sent
            same = (theirs.account, held_side(theirs)) == (mine.account, held_side(mine))
            if client_order_id != order.client_order_id and same and reduces(theirs):
                yield other


def _listed(ids: tuple[str, ...], order: PaperOrder, phase: Phase) -> tuple[str, ...]:
    if order.phase is phase:
        return ids if order.client_order_id in ids else (*ids, order.client_order_id)
    return tuple(other for other in ids if other != order.client_order_id) if order.client_order_id in ids else ids


def _signed(fill: Fill) -> Decimal:
    return fill.quantity if fill.purpose is Purpose.ENTRY else -fill.quantity
