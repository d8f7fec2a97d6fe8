"""What must be so after every event, whoever did whatever: the invariants S1 to S13, looked at where something has changed.

It knows what Watchkeeper does not: what the venues really did, what was really published. It never asks Watchkeeper's rules.
`record` holds what the database must say, `orders` what leaves, `stops` what fires and what is covered.
"""

from collections import Counter
from typing import Any, Final

from actors.inbox import Inbox
from actors.tick_inbox import TickInbox
from bus.messages.orders import OrderSubmit
from bus.messages.plain import from_json
from bus.messages.records import OrderStored
from bus.messages.stops import StopFired
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S
from tests.simulation.agreement_oracle import AgreementOracle
from tests.simulation.jetstream import Consumer, Kept, Stream
from tests.simulation.nats_server import Session
from tests.simulation.orders_oracle import OrdersOracle
from tests.simulation.postgres import Change
from tests.simulation.process import Incarnation
from tests.simulation.record_oracle import RecordOracle
from tests.simulation.stops_oracle import StopsOracle
from tests.simulation.world import World

_WORDS_MOST: Final = 260
_TICKS_MOST: Final = 400
"""Beside ticks, what is never dropped."""
_MINUTE_NS: Final = 60 * NS_PER_S
_DEATHS_MOST: Final = 6


class Oracle:
    """Watches a world. `violations`: what was not as it must be, in words; `edges`: how often each was taken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[str] = []
        self.edges: Counter[tuple[str, str]] = Counter()
        self.trades: dict[str, Trade] = {}
        """Each trade as the database has it."""
        self.first_close: dict[str, int | None] = {}
        """When each trade's market was to close, as it was first said."""
        self.close_at: dict[str, list[tuple[int, int | None]]] = {}
        """When each trade's market was to close, by the versions of the trade."""
        self.record = RecordOracle(self)
        self.orders = OrdersOracle(self)
        self.stops = StopsOracle(self)
        self.agreement = AgreementOracle(self)
        world.nats.on_stored = self._stored
        world.nats.on_ack = self._acknowledged
        world.nats.on_sent = self._sent
        world.nats.on_duplicate = self.orders.duplicate
        world.postgres.on_commit = self._committed
        world.watchers.append(self)

    def close_known(self, order: OrderSubmit) -> int | None:
        """Return when its market was to close as far as its trade knew when it was decided."""
        known = [close for version, close in self.close_at.get(order.trade_id, ()) if version <= order.trade_version]
        return known[-1] if known else None

    def broken(self, invariant: str, words: str) -> None:
        """Note that something is not as it must be."""
        self.violations.append(f"{invariant}: {words}")
        self.world.tell(f"VIOLATED {invariant}: {words}")

    def demand(self, holds: bool, invariant: str, words: str) -> None:  # a claim
        """Note it unless it holds."""
        if not holds:
            self.broken(invariant, words)

    def _stored(self, stream: Stream, kept: Kept, session: Session | None) -> None:
        self.world.tell_of(kept)
        self.orders.stored(stream, kept, session)

    def _sent(self, owner: Any, subject: str, body: bytes) -> None:
        self.orders.sent(owner, subject, body)
        self.agreement.sent(owner, subject, body)

    def _acknowledged(self, consumer: Consumer, sequence: int) -> None:
        if consumer.name.startswith("wk-"):
            self.record.acknowledged(consumer.stream, sequence)

    def _committed(self, noted: list[Change], owner: object) -> None:
        changed: dict[str, tuple[Trade | None, Trade]] = {}
        for table, key, _, row in noted:
            if table == "trades":
                trade = from_json(Trade, row.body)
                self.first_close.setdefault(key, trade.close_ts)
                self.close_at.setdefault(key, []).append((trade.version, trade.close_ts))
                changed[key] = (self.trades.get(key), trade)
        self.record.committed(noted, changed)
        self.orders.committed(changed)
        for trade_id, (_, trade) in changed.items():
            self.trades[trade_id] = trade
        leads = self.world.postgres.tables.leader.rows[0].epoch
        if owner is not None:
            epoch = owner.epoch  # type: ignore[attr-defined]  # an Incarnation
            self.demand(epoch == leads, "S6", f"epoch {epoch} has written while {leads} leads")

    def before(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        """A word is about to be worked."""
        if isinstance(inbox, TickInbox):
            self.demand(inbox.ticks <= _TICKS_MOST, "S11", f"{inbox.ticks} ticks wait for {inbox.name}")
        else:
            self.demand(inbox.waiting() <= _WORDS_MOST, "S11", f"{inbox.waiting()} words wait for {inbox.name}")
        self.stops.before(incarnation, inbox, word)
        if type(word) is OrderStored and inbox.name == "trade_desk":
            self.orders.told_stored(incarnation, word)

    def after(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        """A word was worked."""
        self.stops.after(incarnation, inbox, word)
        self.agreement.after(incarnation, inbox, word)
        if inbox.in_hand is not None:
            self._count_crash(incarnation, inbox.name)
        is_busy = incarnation.activity.outstanding or self.world.scheduler.is_busy(incarnation.name)
        if incarnation.is_serving and not is_busy:
            self.stops.quiet(incarnation)

    def _count_crash(self, incarnation: Incarnation, name: str) -> None:
        """An actor has died: so often within a minute that its process had to end before?"""
        now_ns = self.world.now_ns
        recent = [at_ns for who, at_ns in incarnation.crashes if who == name and now_ns - at_ns <= _MINUTE_NS]
        self.demand(
            len(recent) <= _DEATHS_MOST, "L4", f"{name} died {len(recent)} times in a minute, and its process lives"
        )

    def serves(self, incarnation: Incarnation) -> None:
        """A process watches."""
        self.stops.serves(incarnation)

    def fired(self, incarnation: Incarnation, word: StopFired) -> None:
        """A stop fires."""
        self.stops.fired(incarnation, word)

    def answered(self, subject: str, fields: dict[str, Any], reply: dict[str, Any]) -> None:
        """Somebody got an answer: what it promises stands already."""
        if subject == "settings.request.set" and reply["ok"]:
            followed = reply["result"]["version"] == fields["expected_version"] + 1
            self.demand(followed, "S12", f"settings {reply['result']['version']} after {fields['expected_version']}")
        if subject in ("trade.request.open", "trade.request.adopt") and reply["ok"]:
            known = fields["trade_id"] in self.trades
            self.demand(known, "S5", f"{fields['trade_id']} was promised and is not in the record")
