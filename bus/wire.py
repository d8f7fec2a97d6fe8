"""The NATS side of the house: what `actors.ports.Wire` asks for, and the steps by which a process takes its place.

Two connections on one thread: `money` carries orders, commands, reports and requests; `market` carries ticks, so that a flood
of them never stands in front of an order. The steps, blocking, for run.py alone and in this order:

    wire = NatsWire(settings.nats, clock=clock, say=router.say, ...)
    wire.connect()                             both connections, or ServerUnavailable; or
    wire.begin()                               both, however long it takes: `WireUp` is said, now and after each outage
    wire.find_leader()                         who leads is said, and questions for the status are heard
    facts = wire.ensure_streams(recorded)      or StreamAlarm
    lead = wire.take_lead(instance, known)     the fence: from here older epochs cannot order
    wire.hear_requests()
    wire.hear_orders("paper"), wire.answer_for("paper", answerer)
    wire.hear_market()
    wire.hear_streams(positions)
    wire.close(drain_s)

Everything else may be called from any thread and returns at once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from loguru import logger

from bus.client import DirectClient
from bus.clock import Now
from bus.codec import MSG_ID, Codec
from bus.connection import ClientOf, Connection, ConnectionSettings
from bus.epoch import Lead, read_epoch, take_lead
from bus.errors import BusError
from bus.executor import ExecutorConsumer, InStream
from bus.inbound import Inbound
from bus.lead_watch import LeadWatch
from bus.leaders import Leaders
from bus.loop import LoopThread
from bus.market import MarketCounts, MarketFeed, Tap
from bus.messages import addresses
from bus.messages.envelope import Delivery, Outgoing
from bus.messages.lead import WireDown, WireUp
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueQuestion
from bus.messages.plain import to_json
from bus.messages.reconcile import AccountQuestion
from bus.messages.records import LedgerNews, OrdersTail
from bus.messages.streams import StreamsSeen
from bus.messages.system import Reply, Status
from bus.messages.trades import Mode
from bus.orders import CAUSE, OrderSender, header_text
from bus.publisher import Publisher
from bus.relay import Item, Relays
from bus.streams import StreamFacts, StreamSizes, ensure, look, restore_market
from bus.subjects import HEALTH, Prefix, parse
from bus.tail import read_ledger, read_tail
from bus.venues import TIMEOUT_S, Answerer, VenueDesk, answer_for
from config.settings import Nats

_STEP_S: Final = 30.0
_HAND_S: Final = 0.005
"""A deaf loop must not stop the desk for longer than this at each order."""
PAPER: Final = "paper"
_BEAT_S: Final = 1.0
_LEADS_WITHIN_S: Final = 2.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WireHealth:
    """How the wire does. backlog: outbox messages, orders: orders and cancels, held: inputs, each not settled yet.

    undeliverable: messages that no stream will ever take, since the start.
    """

    is_up: bool
    reconnects: int
    backlog: int
    orders: int
    held: int
    undeliverable: int
    market: MarketCounts


class NatsWire:
    """`actors.ports.Wire`, and how a process takes its place on NATS.

    say: the router. tap: hears inputs instead, one by one with their headers (the demo's sequencer).
    on_fenced: another epoch leads; on_fatal: NATS is lost for good, a stream's consumer is gone, or an input's
    listener failed. Both are called on the wire's thread, with the reason; the process should end.
    thread, client: what it runs on and how it speaks NATS; tests have others.
    """

    def __init__(
        self,
        settings: Nats,
        *,
        clock: Now,
        say: Callable[[object], None],
        on_fenced: Callable[[str], None],
        on_fatal: Callable[[str], None],
        confirm_publish_ms: int = 500,
        venue_timeout_s: float = TIMEOUT_S,
        tap: Tap | None = None,
        thread: LoopThread | None = None,
        client: ClientOf = DirectClient,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._say = say
        self._tap = tap
        self._thread = thread or LoopThread()
        self._prefix = Prefix(settings.prefix)
        self._codec = Codec(self._prefix, max_bytes=settings.max_message_bytes)
        self._money = Connection(
            self._connection_settings("money"),
            on_up=self._money_up,
            on_down=self._down,
            on_fatal=on_fatal,
            client=client,
        )
        self._market = Connection(
            self._connection_settings("market"),
            on_up=self._market_up,
            on_down=self._down,
            on_fatal=on_fatal,
            client=client,
        )
        self._leaders = Leaders(self._money, self._prefix, say=say)
        self._beats: Callable[[], Status] | None = None
        self._beat_timer: asyncio.TimerHandle | None = None
        self._publisher = Publisher(self._money)
        self._lead_watch = LeadWatch(self._money, self._prefix, on_fenced=on_fenced)
        self._orders = OrderSender(
            self._money,
            self._publisher,
            self._prefix,
            clock=clock,
            say=say,
            is_ours=self._lead_watch.is_ours,
            confirm_s=confirm_publish_ms / 1000,
        )
        self._relays = Relays(self._publisher, clock=clock, say=say)
        self._venues = VenueDesk(self._money, self._prefix, clock=clock, say=say, timeout_s=venue_timeout_s)
        self._inbound = Inbound(self._money, self._prefix, self._codec, clock=clock, say=say, on_lost=on_fatal, tap=tap)
        self._feed = MarketFeed(
            self._market, self._prefix, self._codec, clock=clock, say=say, tap=tap, restore=self._restore_market
        )
        self._looking: asyncio.Task[None] | None = None
        self._epoch = 0

    def _connection_settings(self, name: str) -> ConnectionSettings:
        nats = self._settings
        return ConnectionSettings(
            url=nats.url,
            name=f"watchkeeper-{name}",
            connect_timeout_s=nats.connect_timeout_s,
            reconnect_wait_ms=nats.reconnect_wait_ms,
            ping_interval_s=nats.ping_interval_s,
            max_outstanding_pings=nats.max_outstanding_pings,
        )

    def _money_up(self) -> None:
        self._inbound.reconnected()
        self._lead_watch.look()
        self._up()

    def _market_up(self) -> None:
        self._feed.reconnected()
        self._up()

    async def _restore_market(self) -> None:
        await restore_market(self._market, self._prefix, self._sizes)

    def _up(self) -> None:
        if self._money.is_up and self._market.is_up:
            self._say(WireUp(now_ns=self._clock.now_ns()))

    def _down(self, why: str) -> None:
        self._say(WireDown(why=why, now_ns=self._clock.now_ns()))

    # The steps

    def connect(self, *, timeout_s: float | None = None) -> None:
        """Open both connections. Raises: ServerUnavailable after `timeout_s` (default: the setting)."""
        self._thread.start()
        self._run(self._connect(timeout_s or self._settings.connect_timeout_s), _STEP_S + (timeout_s or 0))

    async def _connect(self, timeout_s: float) -> None:
        await self._money.open(timeout_s=timeout_s)
        await self._market.open(timeout_s=timeout_s)
        await self._publisher.open()

    def _run(self, step: Coroutine[Any, Any, T], timeout_s: float = _STEP_S) -> T:
        """Run a step and wait for it. Raises: BusError when NATS leaves it unanswered, and what it raises."""
        try:
            return self._thread.run(step, timeout_s)
        except TimeoutError:
            raise BusError(f"NATS has left a step unanswered for {timeout_s:g} s") from None

    def begin(self) -> None:
        """Open both connections however long it takes; returns at once, `WireUp` is said when they stand."""
        self._thread.start()
        self._thread.call(self._money.begin)
        self._thread.call(self._market.begin)

    def find_leader(self) -> None:
        """Ask who leads, hear leaders and questions for the status from now on; returns at once, `InstanceHeard` is said."""
        self._thread.call(self._leaders.find, self._inbound.hear_status)

    def beat(self, status: Callable[[], Status] | None) -> None:
        """Say how we stand once a second, as long as there is no house that does; None: there is one, or nothing to say."""
        self._thread.call(self._beat_with, status)

    def _beat_with(self, status: Callable[[], Status] | None) -> None:
        self._beats = status
        self._beat()

    def _beat(self) -> None:
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        if self._beats is not None:
            self._post(self._prefix.add(HEALTH), to_json(self._beats()))
            self._beat_timer = self._thread.loop.call_later(_BEAT_S, self._beat)

    def ensure_streams(self, recorded: Mapping[str, str]) -> dict[str, StreamFacts]:
        """Make the streams that are not on record, check the others; see `bus.streams.ensure`."""
        return self._run(ensure(self._money, self._prefix, self._sizes, recorded))

    @property
    def _sizes(self) -> StreamSizes:
        nats = self._settings
        return StreamSizes(
            orders_max_mb=nats.orders_max_mb,
            ledger_max_mb=nats.ledger_max_mb,
            notices_max_mb=nats.notices_max_mb,
            market_max_mb=nats.market_max_mb,
            max_message_bytes=nats.max_message_bytes,
        )

    def read_epoch(self) -> Lead | None:
        """Return the epoch in force in ORDERS, None if nobody ever led. Raises: BusError."""
        return self._run(read_epoch(self._money, self._prefix))

    def take_lead(self, instance: str, known_epoch: int) -> Lead:
        """Take the lead; orders may leave from now on. Raises: EpochLost, BusError (see `bus.epoch.take_lead`)."""
        lead = self._run(self._take_lead(instance, known_epoch))
        self._epoch = lead.record.epoch
        return lead

    async def _take_lead(self, instance: str, known_epoch: int) -> Lead:
        await self._publisher.open()
        now_ns = self._clock.now_ns()
        lead = await take_lead(
            self._money, self._publisher, self._prefix, instance=instance, known_epoch=known_epoch, now_ns=now_ns
        )
        self._orders.lead(lead)
        await self._lead_watch.begin(lead)
        await self._leaders.close()
        return lead

    def still_leads(self) -> bool | None:
        """Return whether the epoch that was taken is in force; None: NATS does not say. Blocking, not for the loop's thread."""
        try:
            return self._run(self._lead_watch.is_ours(), _LEADS_WITHIN_S)
        except BusError:
            return None

    def hear_requests(self) -> None:
        """Hear what others ask."""
        self._run(self._inbound.hear_requests())

    def hear_streams(self, positions: Mapping[str, int]) -> None:
        """Hear commands, account events and reports after `positions`: stream name -> last committed sequence."""
        assert self._epoch, "take the lead first: the consumers are of its epoch"
        self._run(self._inbound.hear_streams(self._epoch, positions, max_ack_pending=self._settings.max_ack_pending))

    def hear_market(self) -> None:
        """Hear market data, after the newest of each subject that was said before."""
        self._run(self._feed.open())

    def hear_orders(self, venue: str) -> None:
        """Hear the orders of `venue` as its executor; each becomes `OrderArrived`."""
        self._run(self._executor(venue).open())

    def read_orders(self, venue: str) -> list[InStream]:
        """Return what ORDERS holds of `venue`, oldest first, and the reports of every order. Raises: BusError."""
        return self._run(self._executor(venue).read_back())

    def read_tail(self, positions: Mapping[str, int]) -> OrdersTail:
        """Return what ORDERS holds after its position, of every venue; see `bus.tail`. Raises: BusError."""
        after = positions.get(self._prefix.stream("ORDERS"), 0)
        return self._run(read_tail(self._money, self._prefix, self._codec, after, self._clock.now_ns()))

    def read_ledger(self, after: int) -> LedgerNews:
        """Return what LEDGER tells of trades and settings after a sequence; see `bus.tail`. Raises: BusError."""
        return self._run(read_ledger(self._money, self._prefix, self._codec, after, self._clock.now_ns()))

    def warn(self, outgoing: Outgoing) -> None:
        """Publish a notice before anybody leads. Raises: BusError."""
        self._run(self._publisher.open())
        self.publish((outgoing,))

    def _executor(self, venue: str) -> ExecutorConsumer:
        return ExecutorConsumer(
            self._money, self._prefix, self._codec, venue, clock=self._clock, say=self._say, tap=self._tap
        )

    def answer_for(self, venue: str, answerer: Answerer) -> None:
        """Answer `venue.request.*.<venue>`; `answerer` is called on the wire's thread."""
        self._run(answer_for(self._money, self._prefix, venue, answerer))

    def stop_inputs(self) -> None:
        """Hear nothing more: no request, no command, no report, no tick. Orders and answers still leave."""
        self._run(self._stop_inputs())

    async def _stop_inputs(self) -> None:
        await self._inbound.close()
        await self._market.close(0.5)

    def close(self, drain_s: float = 2.0) -> None:
        """Send what is waiting and close, within about `drain_s`. Harmless twice."""
        if not self._thread.is_running:
            return
        try:
            self._thread.run(self._close(drain_s), drain_s * 3 + 5)
        except (TimeoutError, BusError) as error:
            logger.warning("NATS was closed without a drain: {!r}", error)
        self._thread.stop()

    async def _close(self, drain_s: float) -> None:
        self._beat_with(None)
        await self._inbound.close()
        await self._money.close(drain_s)
        await self._market.close(0.5)

    # actors.ports.Wire

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish in order. Orders among them go the way of orders; the others' outcome comes as `Published`.

        Returns when an order is on its way: whoever decided it has more to say, and that may not overtake it.
        """
        words = tuple(outgoing)
        if words and isinstance(words[0].message, OrderSubmit | OrderCancel):
            self._thread.hand(_HAND_S, self._publish, words)
        else:
            self._thread.call(self._publish, words)

    def _publish(self, outgoing: tuple[Outgoing, ...]) -> None:
        for one in outgoing:
            if isinstance(one.message, OrderSubmit | OrderCancel):
                self._orders.submit(one.message, _order_subject(one))
                continue
            headers = {MSG_ID: one.msg_id}
            if one.cause:
                headers[CAUSE] = header_text(one.cause)
            item = Item(self._prefix.add(one.subject), one.msg_id, to_json(one.message), headers)
            self._relays.publish(parse(one.subject).route.stream, item)

    def publish_report(self, report: OrderReport) -> None:
        """Publish a venue's report into ORDERS, until it is stored."""
        msg_id = addresses.report_id(report)
        subject = self._prefix.add(addresses.order_report(report.client_order_id))
        item = Item(subject, msg_id, to_json(report), {MSG_ID: msg_id}, tells=False)
        self._thread.call(self._relays.publish, "ORDERS", item)

    def broadcast(self, status: Status) -> None:
        """Tell whoever listens how the house does; not stored."""
        self._thread.call(self._post, self._prefix.add(HEALTH), to_json(status))

    def tell(self, subject: str, body: bytes) -> None:
        """Publish to whoever listens; not stored, not tried again."""
        self._thread.call(self._post, self._prefix.add(subject), body)

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell JetStream that this input has its row. A lost acknowledgement costs a redelivery (see `bus.consumer`)."""
        self._thread.call(self._inbound.acknowledge, delivery.token)

    def reply(self, reply_to: str, reply: Reply) -> None:
        """Answer a request."""
        self._thread.call(self._post, reply_to, to_json(reply))

    def ask_venue(self, question: VenueQuestion) -> None:
        """Ask a venue's adapter about one order; the answer comes as `VenueAnswer`, always."""
        self._thread.call(self._venues.ask, question)

    def ask_account(self, question: AccountQuestion) -> None:
        """Ask a venue's adapter about a whole account; the answer comes as `AccountAnswer`, always."""
        self._thread.call(self._venues.ask_account, question)

    def look_at_streams(self) -> None:
        """Look at the streams on disk; how they stand comes as `StreamsSeen`, unless NATS does not answer."""
        self._thread.call(self._look_at_streams)

    def _look_at_streams(self) -> None:
        if self._looking is not None:
            # Its answers may be older than what is seen now, and come later: streams would seem to have lost messages.
            self._looking.cancel()
        self._looking = asyncio.get_running_loop().create_task(self._tell_of_streams())

    async def _tell_of_streams(self) -> None:
        try:
            streams = await look(self._money, self._prefix, self._sizes)
        except BusError as error:
            logger.debug("the streams could not be looked at: {}", error)
        else:
            self._say(StreamsSeen(streams=streams, now_ns=self._clock.now_ns()))

    def pulse(self, answer: Callable[[], None]) -> None:
        """Have `answer` called on the loop: it moves."""
        self._thread.call(answer)

    def _post(self, subject: str, body: bytes) -> None:
        self._money.post(subject, body)

    # Flow

    def pause_commands(self) -> None:
        """Pull no more commands and account events: LEDGER keeps them. Reports of orders go on."""
        self._thread.call(self._inbound.pause_commands)

    def resume_commands(self) -> None:
        """Pull them again."""
        self._thread.call(self._inbound.resume_commands)

    def health(self) -> WireHealth:
        """Return how the wire does, as far as another thread can see it."""
        return WireHealth(
            is_up=self._money.is_up and self._market.is_up,
            reconnects=self._money.reconnects + self._market.reconnects,
            backlog=self._relays.backlog,
            orders=self._orders.in_flight,
            held=self._inbound.held,
            undeliverable=self._relays.undeliverable,
            market=self._feed.counts,
        )


def _order_subject(one: Outgoing) -> str:
    """Return where an order goes. Whatever anybody says of its venue, a paper order must not reach a real one."""
    order = one.message
    if isinstance(order, OrderSubmit) and order.mode is Mode.PAPER:
        return addresses.order_submit(PAPER, order.trade_id)
    return one.subject
