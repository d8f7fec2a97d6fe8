"""The executor of a simulated venue: what DESIGN asks of one, and everything that may happen to it.

It takes orders from ORDERS by a durable consumer, looks each up before it sends, works one order of an account and ticker at a
time, reports, and acknowledges last. What it remembers beyond that (the highest epoch, what it promised never to send) stands
on its disk. Its crashes lose what is in its hands; the stream gives it back. `VenueFaults` says how often what goes wrong.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Final

from actors.replay.scheduler import Gone, Scheduler
from bus.messages.orders import (
    OrderCancel,
    OrderReport,
    OrderSubmit,
    ReportStatus,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
)
from bus.messages.plain import from_json, to_json, to_plain
from bus.messages.trades import Mode
from bus.messages.units import NS_PER_MS, NS_PER_S, ONE, ZERO
from tests.simulation.nats_server import Message, ModelNats, Session
from tests.simulation.reporter import Reporter
from tests.simulation.venue import ModelVenue, VenueOrder
from tests.simulation.venue_faults import Disk, VenueFaults
from tests.simulation.venue_words import answer, reports_of

_TIMEOUT_NS: Final = 2 * NS_PER_S


class Executor:
    """Between ORDERS and one venue. points: where it may be killed (K16, K17)."""

    def __init__(
        self,
        scheduler: Scheduler,
        nats: ModelNats,
        venue: ModelVenue,
        random: Random,
        *,
        mode: Mode = Mode.LIVE,
        faults: VenueFaults | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.scheduler = scheduler
        self.nats = nats
        self.venue = venue
        self.random = random
        self.mode = mode
        self.faults = faults or VenueFaults()
        self.note = note
        self.disk = Disk()
        self.name = f"executor-{venue.name}"
        self.is_alive = False
        self.reporter = Reporter(self)
        self._life = 0
        self.session: Session | None = None
        self._lanes: dict[tuple[str, str], list[tuple[OrderSubmit, str]]] = {}
        self._busy: dict[tuple[str, str], str] = {}

    # Life

    def begin(self) -> None:
        """Start, or start again."""
        self.is_alive = True
        self._life += 1
        self._lanes.clear()
        self._busy.clear()
        self.reporter = Reporter(self)
        self._connect()

    def die(self) -> None:
        """Crash: what is in hand is lost."""
        self.is_alive = False
        self._life += 1
        if self.session is not None:
            self.nats.disconnect(self.session)
            self.session = None

    def lost(self) -> None:
        """The session with NATS has ended."""
        self.session = None
        self.later(250 * NS_PER_MS, self._connect)

    def _connect(self) -> None:
        self.session = session = self.nats.connect(self.name, self, None)
        if session is None:
            self.later(250 * NS_PER_MS, self._connect)
            return
        name = self.venue.name
        deliver = f"executor.deliver.{name}"
        subjects = [deliver, *(f"venue.request.{kind}.{name}" for kind in ("orders", "fills", "positions"))]
        for sid, subject in enumerate(subjects, 1):
            session.send(lambda sid=sid, subject=subject: self.nats.subscribe(session, sid, subject, ""))  # type: ignore[misc]
        self._make_consumer(session, deliver)

    def _make_consumer(self, session: Session, deliver: str) -> None:
        name = self.venue.name
        config = {
            "durable_name": self.name,
            "deliver_subject": deliver,
            "filter_subjects": [f"order.submit.{name}.>", f"order.cancel.{name}.>"],
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": 5 * NS_PER_S,
            "max_deliver": -1,
        }
        body = to_json({"stream_name": "ORDERS", "config": config})
        session.send(lambda: self.nats.publish(f"$JS.API.CONSUMER.CREATE.ORDERS.{self.name}", body, {}, "", session))
        if "ORDERS" not in self.nats.jetstream.streams:
            self.later(NS_PER_S, lambda: self._make_consumer(session, deliver) if session.is_open else None)

    def later(self, delay_ns: int, act: Callable[[], object]) -> None:
        """Do something later, if it still lives the same life."""
        life = self._life

        def come() -> None:
            if self._life == life:
                act()

        self.scheduler.after(delay_ns, come)

    def draw(self, rate: float, what: str) -> bool:
        if self.random.random() < rate:
            self.note(what)
            return True
        return False

    # What it hears

    def hear_pong(self, number: int) -> None: ...

    def hear(self, message: Message) -> None:
        if message.subject.startswith("venue.request."):
            self._hear_question(message.subject.split(".")[2], message)
        elif message.subject.startswith("order.submit."):
            self._hear_submit(from_json(OrderSubmit, message.body), message.reply)
        elif message.subject.startswith("order.cancel."):
            self._hear_cancel(from_json(OrderCancel, message.body), message.reply)

    def _acknowledge(self, token: str) -> None:
        session = self.session
        if session is not None and token:
            session.send(lambda: self.nats.publish(token, b"+ACK", {}, "", session))

    def _hear_submit(self, order: OrderSubmit, token: str) -> None:
        lane = (order.account, order.ticker)
        waiting = self._lanes.setdefault(lane, [])
        if any(known.client_order_id == order.client_order_id for known, _ in waiting):
            return
        waiting.append((order, token))
        self._work(lane)

    def _work(self, lane: tuple[str, str]) -> None:
        waiting = self._lanes.get(lane)
        if not waiting or lane in self._busy:
            return
        closes_first = min(range(len(waiting)), key=lambda place: (not waiting[place][0].reduce_only, place))
        order, token = waiting.pop(closes_first)
        self._busy[lane] = order.client_order_id
        self._take_up(order, token)

    def _done(self, order: OrderSubmit, token: str) -> None:
        """This order needs nothing more from here: acknowledge, go on with the next of its lane."""
        self._acknowledge(token)
        lane = (order.account, order.ticker)
        if self._busy.get(lane) == order.client_order_id:
            del self._busy[lane]
        self._work(lane)

    def _take_up(self, order: OrderSubmit, token: str) -> None:
        known = self.venue.orders.get(order.client_order_id)
        told = self.disk.said.get(order.client_order_id) or (
            [self.disk.promised[order.client_order_id]] if order.client_order_id in self.disk.promised else None
        )
        if known is not None:
            self.reporter.tell(known)
            self._done(order, token)
        elif told is not None:
            for report in told:
                self.reporter.publish(report)
            self._done(order, token)
        elif order.client_order_id in self.disk.sent:
            self._look_again(order, token)
        else:
            self._begin_order(order, token)

    def _begin_order(self, order: OrderSubmit, token: str) -> None:
        refusal = self._refusal(order)
        if refusal is not None:
            self._say_own(order, *refusal)
            self._done(order, token)
            return
        self.disk.epoch = max(self.disk.epoch, order.epoch)
        self._send(order, token)

    def _refusal(self, order: OrderSubmit) -> tuple[ReportStatus, str] | None:
        if order.mode is not self.mode:
            return ReportStatus.REJECTED, f"mode {order.mode} is not this venue's"
        if order.epoch < self.disk.epoch:
            return ReportStatus.REJECTED, f"epoch {order.epoch} is older than {self.disk.epoch}"
        if self.scheduler.now_ns > order.expires_ts:
            return ReportStatus.EXPIRED, "it came after its expires_ts"
        return None

    def _say_own(self, order: OrderSubmit, status: ReportStatus, reason: str) -> None:
        report = OrderReport(
            client_order_id=order.client_order_id,
            ts=self.scheduler.now_ns,
            status=status,
            reason=reason,
            cumulative_quantity=ZERO,
        )
        self.disk.said[order.client_order_id] = [report]
        self.reporter.publish(report)

    # The request to the venue

    def _send(self, order: OrderSubmit, token: str) -> None:
        if self._kill("K16", "before"):
            return
        faults, now_ns = self.faults, self.scheduler.now_ns
        self.disk.sent[order.client_order_id] = now_ns
        if self.draw(faults.lost_request, "lost_request"):
            self.later(_TIMEOUT_NS, lambda: self._look_again(order, token))
            return
        delay_ns = faults.latency_ns
        if self.draw(faults.late_request, "late_request"):
            delay_ns = int(self.random.uniform(0.5, 0.95) * faults.bound_ns)
        is_lost = self.draw(faults.lost_reply, "lost_reply")
        # The venue works it whatever becomes of us meanwhile.
        life = self._life
        self.scheduler.after(delay_ns, lambda: self._venue_takes(order, token, life, is_lost=is_lost))
        if is_lost or delay_ns > _TIMEOUT_NS:
            self.later(_TIMEOUT_NS, lambda: self._look_again(order, token))
        self._kill("K16", "after")

    def _venue_takes(self, order: OrderSubmit, token: str, life: int, *, is_lost: bool) -> None:
        part: Decimal | None = None
        trickles = self.draw(self.faults.trickle, "trickle")
        if trickles or self.draw(self.faults.partial, "partial"):
            half = (order.quantity / 2).to_integral_value(ROUND_DOWN)
            part = self.random.choice((min(ONE, half), half)) or None
        placed = self.venue.place(
            order, part=part, rejects=self.draw(self.faults.rejects, "rejects"), trickles=trickles
        )
        if not placed.has_ended and order.time_in_force != "gtc":
            self.scheduler.after(int(self.random.uniform(0.3, 9) * NS_PER_S), lambda: self._trickle_on(placed))
        self._haunt(placed)
        if life != self._life or is_lost or self._busy.get((order.account, order.ticker)) != order.client_order_id:
            return
        if self._kill("K17", "before"):
            return
        self._fill_beside(placed)
        self.reporter.tell(placed)
        if self._kill("K17", "after"):
            return
        self._done(order, token)

    def _haunt(self, placed: VenueOrder) -> None:
        """Let it fill after its end, perhaps; or its entry, beside a close that took a part."""
        if self.draw(self.faults.ghost, "ghost"):
            delay_ns = int(self.random.uniform(0.1, self.random.choice((1, 20))) * NS_PER_S)
            self.scheduler.after(delay_ns, lambda: self._fill_late(placed, max(self.faults.counted, 0.5)))
        entry = self.venue.of_trade[placed.sent.trade_id][0]
        is_beside = placed.sent.reduce_only and placed.fills and placed.left and entry.has_ended and entry.left
        if is_beside and entry is not placed and self.draw(0.7 if self.faults.ghost else 0.0, "ghost"):
            delay_ns = int(self.random.uniform(0.05, 0.6) * NS_PER_S)
            self.scheduler.after(delay_ns, lambda: self._fill_late(entry, 1.0))

    def _fill_beside(self, close: VenueOrder) -> None:
        """Let an entry that could not be sent any more fill beside a close that takes a part, and tell that in the sum before the close."""
        entry = self.venue.of_trade[close.sent.trade_id][0]
        is_part = close.sent.reduce_only and close.fills and close.left
        is_old = not entry.sent.reduce_only and self.scheduler.now_ns > entry.sent.expires_ts
        if self.faults.beside and is_part and is_old and self.draw(self.faults.beside, "beside"):
            self._fill_late(entry, 1.0)

    def _trickle_on(self, order: VenueOrder) -> None:
        self.venue.go_on(order.sent.client_order_id, fills=self.random.random() < 0.5)
        if self.is_alive:
            self.reporter.tell(order)

    def _fill_late(self, order: VenueOrder, counted: float) -> None:
        """A ghost is always told: nobody would look for it. counted: how often in the sum first."""
        fill = self.venue.fill_late(order.sent.client_order_id)
        if fill is not None:
            report = next(report for report in reports_of(order) if report.fill_id == fill.fill_id)
            if not self.reporter.count_first(report, counted):
                self.reporter.publish_now(report)

    def _look_again(self, order: OrderSubmit, token: str) -> None:
        """Nobody knows whether the venue has it: look it up until it is there, or cannot come any more."""
        if self._busy.get((order.account, order.ticker)) != order.client_order_id:
            return
        known = self.venue.orders.get(order.client_order_id)
        if known is not None:
            self.reporter.tell(known)
            self._done(order, token)
        elif self.scheduler.now_ns > self.disk.sent[order.client_order_id] + self.faults.bound_ns:
            self._say_own(order, ReportStatus.REJECTED, "the venue never had it")
            self._done(order, token)
        else:
            self.reporter.publish(
                OrderReport(
                    client_order_id=order.client_order_id, ts=self.scheduler.now_ns, status=ReportStatus.UNKNOWN
                )
            )
            self.later(NS_PER_S, lambda: self._look_again(order, token))

    def _hear_cancel(self, cancel: OrderCancel, token: str) -> None:
        self._acknowledge(token)
        if cancel.epoch < self.disk.epoch:
            return
        self.disk.epoch = cancel.epoch
        client_order_id = cancel.client_order_id
        order = self.venue.cancel(client_order_id)
        if order is not None:
            self.reporter.tell(order)
            return
        if client_order_id in self.disk.sent and client_order_id not in self.disk.said:
            # It may be on its way: a promise would be a lie. It is looked up once more, and cancelled then.
            self.later(NS_PER_S, lambda: self._cancel_again(cancel))
            return
        report = OrderReport(
            client_order_id=client_order_id,
            ts=self.scheduler.now_ns,
            status=ReportStatus.CANCELLED,
            reason=cancel.reason,
            cumulative_quantity=ZERO,
        )
        self.disk.promised.setdefault(client_order_id, report)
        self.reporter.publish(report)

    def _cancel_again(self, cancel: OrderCancel) -> None:
        order = self.venue.cancel(cancel.client_order_id)
        if order is not None:
            self.reporter.tell(order)
        elif cancel.client_order_id not in self.disk.said:
            self.later(NS_PER_S, lambda: self._cancel_again(cancel))

    def sweep(self) -> None:
        """End what rests beyond its time, and tell what has filled meanwhile."""
        for order in list(self.venue.orders.values()):
            if not order.has_ended and self.scheduler.now_ns > order.sent.expires_ts:
                self.venue.expire(order.sent.client_order_id)
            if self.is_alive:
                self.reporter.tell(order)

    # What it is asked

    def _hear_question(self, kind: str, message: Message) -> None:
        faults = self.faults
        if self.draw(faults.no_answer, "no_answer"):
            return
        if self.draw(faults.error_answer, "error_answer"):
            self._answer(message.reply, to_json({"error": "the venue says 503"}))
        elif self.draw(faults.empty_answer, "empty_answer"):
            self._answer(message.reply, b"{}")
        else:
            answer = self.answer(kind, from_json(VenueOrdersRequest, message.body))
            plain = to_plain(answer)
            assert isinstance(plain, dict)
            self._answer(message.reply, to_json({answer.__struct_fields__[0]: [], **plain}))

    def _answer(self, reply: str, body: bytes) -> None:
        session = self.session
        if session is not None:
            session.send(lambda: self.nats.publish(reply, body, {}, "", session))

    def answer(self, kind: str, request: VenueOrdersRequest) -> VenueOrders | VenueFills | VenuePositions:
        """Return what the venue answers."""
        return answer(self.venue, kind, request)

    # Where it may be killed

    kill: Callable[[str, str], bool] = staticmethod(lambda *_: False)

    def _kill(self, point: str, moment: str) -> bool:
        """Whether it was killed here; whatever it was doing ends."""
        return self.kill(point, moment)


__all__ = ["Executor", "Gone"]
