"""What leaves: every order under the epoch in force, durable first, one close at a time, never beyond what is there; and what is

believed of an order, held against what its venue really did with it.
"""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from actors.rules.trade.late import late_trade_id
from bus.codec import digest_of
from bus.messages.orders import EpochRecord, OrderSubmit
from bus.messages.plain import from_json
from bus.messages.records import OrderStored
from bus.messages.trades import Attempt, AttemptState, Mode, Purpose, Trade
from bus.messages.units import NS_PER_S, NS_PER_US, ZERO
from tests.simulation.jetstream import Kept, Stream
from tests.simulation.nats_server import Session
from tests.simulation.process import Incarnation
from tests.simulation.record_oracle import Changed
from tests.simulation.venue import ModelVenue
from tests.simulation.world import VENUES

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

_NEVER_LEFT = ("never_sent",)


class OrdersOracle:
    """Looks at what the streams take, and at what trades say of their orders."""

    def __init__(self, oracle: "Oracle") -> None:
        self._oracle = oracle
        self._world = oracle.world
        self.epoch = 0
        self.submits: dict[str, OrderSubmit] = {}
        self.foreign: dict[str, OrderSubmit] = {}
        """Orders that somebody else gave."""
        self._own: dict[tuple[str, str], OrderSubmit] = {}
        self.of_trade: dict[str, list[OrderSubmit]] = defaultdict(list)

    def stored(self, stream: Stream, kept: Kept, session: Session | None) -> None:
        """Judge a message that a stream has taken."""
        if session is None or session.owner is None:
            if kept.subject.startswith("order.submit."):
                order = from_json(OrderSubmit, kept.body)
                self.foreign[order.client_order_id] = order
            return
        if kept.subject == "order.epoch":
            record = from_json(EpochRecord, kept.body)
            self._oracle.demand(record.epoch > self.epoch, "S6", f"epoch {record.epoch} after {self.epoch}")
            self.epoch = record.epoch
        elif kept.subject.startswith("order.submit."):
            self._judge_order(kept, from_json(OrderSubmit, kept.body), session.owner)
        elif kept.subject.startswith(("trade.event.", "settings.event.")):
            msg_id = kept.headers.get("Nats-Msg-Id", "")
            stands = msg_id in self._world.postgres.tables.by_message.rows
            self._oracle.demand(stands, "S10", f"{msg_id} was published and has no outbox row")
        del stream

    def sent(self, owner: Any, subject: str, body: bytes) -> None:
        """A process puts something on its way."""
        if subject.startswith("order.submit."):
            order = from_json(OrderSubmit, body)
            self._own[owner.name, order.client_order_id] = order
            # To read this clock moves it on by a microsecond.
            in_time = owner.clock.now_ns() - NS_PER_US <= order.expires_ts
            self._oracle.demand(in_time, "S6", f"{order.client_order_id} was sent after its last moment")

    def told_stored(self, incarnation: Incarnation, word: OrderStored) -> None:
        """A process is told that ORDERS has its order: or that another stands there under its id."""
        own = self._own.get((incarnation.name, word.client_order_id))
        stands = self.foreign.get(word.client_order_id)
        if own is not None and stands is not None and own.quantity != stands.quantity:
            words = f"{word.client_order_id} of somebody else is taken for our own"
            self._oracle.demand(word.stored is not None, "S5", words)

    def duplicate(self, kept: Kept, subject: str, body: bytes) -> None:
        """A stream has dropped a message for its id: it was the same."""
        if subject.startswith(("order.report.", "account.", "trade.command.")):
            same = digest_of(kept.body) == digest_of(body)
            self._oracle.demand(same, "S3", f"{body[:200]!r} vanished as a duplicate of {kept.body[:200]!r}")

    def _judge_order(self, kept: Kept, order: OrderSubmit, owner: Any) -> None:
        demand, name = self._oracle.demand, order.client_order_id
        demand(name == f"{order.trade_id}-{order.purpose}-{order.attempt}", "S5", f"{name} names another order")
        demand(name not in self.submits, "S5", f"{name} stands in ORDERS twice")
        # An order of an earlier epoch may be handed on by the one in force, which found it in the outbox.
        leads = owner.epoch == self.epoch and order.epoch <= self.epoch
        demand(leads, "S6", f"{name} of epoch {order.epoch} was sent by epoch {owner.epoch}; {self.epoch} is in force")
        is_paper = kept.subject.startswith("order.submit.paper.")
        demand(is_paper == (order.mode is Mode.PAPER), "S6", f"{name} ({order.mode}) went to {kept.subject}")
        if order.purpose is Purpose.ENTRY:
            stands = name in self._world.postgres.tables.orders.rows
            demand(stands, "S5", f"the entry {name} left before its commit")
            self._judge_netting(order, kept.subject.split(".")[2])
        else:
            demand(order.reduce_only, "S2", f"{name} is not reduce-only")
            self._judge_close(order, is_paper=is_paper)
        close_ts = self._oracle.close_known(order)
        if close_ts is not None:
            in_time = order.expires_ts <= close_ts - NS_PER_S
            demand(in_time, "S6", f"{name} may be sent until after its market's close")
        self.submits[name] = order
        self.of_trade[order.trade_id].append(order)

    def _judge_close(self, order: OrderSubmit, *, is_paper: bool) -> None:
        """No attempt leaves before the one before it is dead in truth, nor for more than is there in truth."""
        if is_paper:
            return
        for earlier in self.of_trade[order.trade_id]:
            flies = self._may_fill(earlier)
            self._oracle.demand(
                not flies, "S2", f"{order.client_order_id} left while {earlier.client_order_id} may fill"
            )
        opened, closed = self.truth(order.trade_id)
        demanded = order.quantity <= opened - closed
        self._oracle.demand(demanded, "S2", f"{order.client_order_id} closes {order.quantity} of {opened} - {closed}")

    def _judge_netting(self, order: OrderSubmit, venue: str) -> None:
        """Both sides of one ticker cancel each other there."""
        if not VENUES.get(venue):
            return
        for other in self._oracle.trades.values():
            same = (other.account, other.ticker, other.venue) == (order.account, order.ticker, venue)
            opposite = same and other.side is order.side.opposite and not other.state.is_terminal
            self._oracle.demand(
                not opposite, "S11", f"{order.client_order_id} opposes {other.trade_id} on a netting venue"
            )

    def truth(self, trade_id: str) -> tuple[Decimal, Decimal]:
        """Return how much of a trade its venue has really opened and closed."""
        opened = closed = ZERO
        for executor in self._world.executors.values():
            opened += executor.venue.brought.get(trade_id, (None, ZERO))[1]
            if trade_id.startswith("r-"):
                opened += self._came_late(trade_id, executor.venue)
            for order in executor.venue.of_trade[trade_id]:
                if order.sent.purpose is Purpose.ENTRY:
                    opened += order.filled
                else:
                    closed += sum((fill.quantity for fill in order.fills if not fill.is_ghost), ZERO)
        return opened, closed

    @staticmethod
    def _came_late(trade_id: str, venue: ModelVenue) -> Decimal:
        """Return how much came of the fill, or of the order told in sum, that a late trade was born of."""
        for order in venue.every:
            if late_trade_id(f"{order.sent.client_order_id}-looked-up") == trade_id:
                return order.filled
            for fill in order.fills:
                if late_trade_id(fill.fill_id) == trade_id:
                    return fill.quantity
        return ZERO

    def _may_fill(self, order: OrderSubmit) -> bool:
        """Whether an order can still come to something at its venue, ghosts aside."""
        name = order.client_order_id
        for executor in self._world.executors.values():
            known = executor.venue.orders.get(name)
            if known is not None:
                return not known.has_ended
            if name in executor.disk.said or name in executor.disk.promised:
                return False
        return self._world.now_ns <= order.expires_ts

    def committed(self, changed: Changed) -> None:
        """Hold what is believed of orders against the truth."""
        for before, trade in changed.values():
            known = {} if before is None else {a.client_order_id: a for a in before.attempts}
            for attempt in trade.attempts:
                was = known.get(attempt.client_order_id)
                is_news = was is None or was.state is not AttemptState.DEAD
                if attempt.state is AttemptState.DEAD and is_news and trade.mode is Mode.LIVE:
                    self._judge_death(trade, attempt)

    def _judge_death(self, trade: Trade, attempt: Attempt) -> None:
        name = attempt.client_order_id
        if attempt.evidence in _NEVER_LEFT:
            self._oracle.demand(name not in self.submits, "S8", f"{name} is called never sent, and stands in ORDERS")
            return
        order = self.submits.get(name)
        if order is None:
            # An entry whose order never left is cancelled by its own word: no venue will ever see it.
            return
        flies = self._may_fill(order)
        self._oracle.demand(
            not flies, "S8", f"{name} of {trade.trade_id} is called {attempt.evidence}, and may still fill"
        )
