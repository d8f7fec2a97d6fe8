"""The NATS wire for tests: ears that remember what was said, a peer that is nobody's friend, messages of each kind."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import nats
from nats.aio.client import Client

from bus.loop import LoopThread
from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.lead import WireDown, WireUp
from bus.messages.orders import Action, OrderCancel, OrderReport, OrderSubmit, ReportStatus
from bus.messages.trades import Mode, Purpose, Side
from bus.wire import NatsWire
from config.settings import Nats

T = TypeVar("T")
S = 1_000_000_000
WITHIN_S = 10.0


class WallClock:
    """The real clock, in whole microseconds."""

    def now_ns(self) -> int:
        return time.time_ns() // 1000 * 1000


class Ears:
    """Hears words on any thread; tests wait for what they expect, not for time to pass."""

    def __init__(self) -> None:
        self.words: list[Any] = []
        self.headers: list[Mapping[str, str]] = []
        self._changed = threading.Condition()

    def hear(self, word: object) -> None:
        with self._changed:
            self.words.append(word)
            self._changed.notify_all()

    def hear_with(self, word: object, headers: Mapping[str, str]) -> None:
        self.headers.append(headers)
        self.hear(word)

    def of(self, kind: type[T]) -> list[T]:
        with self._changed:
            return [word for word in self.words if isinstance(word, kind)]

    def wait_for(self, kind: type[T], count: int = 1) -> list[T]:
        """Return all words of `kind` once there are `count`."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: sum(isinstance(word, kind) for word in self.words) >= count, WITHIN_S
            ), f"heard only {self.words}"
        return self.of(kind)

    def wait_until(self, holds: Callable[[list[Any]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self.words), WITHIN_S), f"heard only {self.words}"


def nats_settings(url: str, **changes: Any) -> Nats:
    given: dict[str, Any] = {
        "url": url,
        "prefix": "",
        "connect_timeout_s": 5,
        "reconnect_wait_ms": 50,
        "ping_interval_s": 5,
        "max_outstanding_pings": 2,
        "max_message_bytes": 65536,
        "orders_max_mb": 16,
        "ledger_max_mb": 16,
        "notices_max_mb": 16,
        "market_max_mb": 16,
        "max_ack_pending": 64,
        "stream_check_s": 10,
        "stream_alarm_percent": 70,
    } | changes
    return Nats(**given)


class WireUnderTest:
    """A wire with ears; `states` hears whether it stands."""

    def __init__(self, url: str, **changes: Any) -> None:
        self.ears = Ears()
        self.states = Ears()
        self.fenced: list[str] = []
        self.fatal: list[str] = []
        tap = changes.pop("tap", None)
        self.wire = NatsWire(
            nats_settings(url, **changes),
            clock=WallClock(),
            say=lambda word: (self.states if isinstance(word, WireUp | WireDown) else self.ears).hear(word),
            on_fenced=lambda why: self._note(self.fenced, why),
            on_fatal=lambda why: self._note(self.fatal, why),
            venue_timeout_s=0.5,
            tap=tap,
        )

    def _note(self, where: list[str], why: str) -> None:
        where.append(why)
        self.ears.hear(why)

    def publish_order(self, order: OrderSubmit | OrderCancel, venue: str = "kalshi") -> None:
        """Say an order, as TradeDesk does."""
        if isinstance(order, OrderSubmit):
            subject, msg_id = addresses.order_submit(venue, order.trade_id), addresses.submit_id(order)
        else:
            subject, msg_id = addresses.order_cancel(venue, order.trade_id), addresses.cancel_id(order)
        self.wire.publish((Outgoing(subject=subject, msg_id=msg_id, message=order, direct=True),))

    def lead(self, known_epoch: int = 0) -> None:
        self.wire.connect()
        self.wire.ensure_streams({})
        self.wire.take_lead("test", known_epoch)


@contextmanager
def a_wire(url: str, **changes: Any) -> Iterator[WireUnderTest]:
    """A wire that leads."""
    under_test = WireUnderTest(url, **changes)
    try:
        under_test.lead()
        yield under_test
    finally:
        under_test.wire.close(1)


class Peer:
    """A plain NATS client with a thread of its own, used with blocking calls."""

    def __init__(self, url: str) -> None:
        self._thread = LoopThread("peer")
        self._thread.start()
        self.client: Client = self.run(nats.connect(url))
        self.ears = Ears()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._thread.run(coroutine, WITHIN_S)

    def publish(self, subject: str, body: bytes, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.run(self._publish(subject, body, named))

    async def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        await self.client.publish(subject, body, headers=headers or None)
        await self.client.flush()

    def store(self, subject: str, body: bytes, **headers: str) -> int:
        """Publish into a stream; returns its sequence."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        ack = self.run(self.client.jetstream().publish(subject, body, headers=named or None))
        return int(ack.seq)

    def ask(self, subject: str, body: bytes = b"{}") -> bytes:
        return bytes(self.run(self.client.request(subject, body, timeout=5)).data)

    def stored(self, stream: str) -> list[Any]:
        """Everything in a stream, with subject, data, headers."""
        return list(self.run(self._stored(stream)))

    async def _stored(self, stream: str) -> list[Any]:
        streams = self.client.jetstream()
        info = await streams.stream_info(stream)
        return [await streams.get_msg(stream, seq=number + 1) for number in range(info.state.last_seq)]

    def listen(self, subject: str) -> None:
        """Note every message in `ears`."""

        async def note(message: Any) -> None:
            self.ears.hear(message)

        async def subscribe() -> None:
            await self.client.subscribe(subject, cb=note)
            await self.client.flush()

        self.run(subscribe())

    def answer(self, subject: str, answer: Callable[[bytes], bytes]) -> None:
        """Answer requests on `subject`."""

        async def respond(message: Any) -> None:
            await message.respond(answer(message.data))

        async def subscribe() -> None:
            await self.client.subscribe(subject, cb=respond)
            await self.client.flush()

        self.run(subscribe())

    def close(self) -> None:
        self.run(self.client.close())
        self._thread.stop()


@contextmanager
def a_peer(url: str) -> Iterator[Peer]:
    peer = Peer(url)
    try:
        yield peer
    finally:
        peer.close()


def on_a_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def an_order(number: int = 1, **changes: Any) -> OrderSubmit:
    """A close of ten contracts that may be sent for the next 30 s."""
    now_ns = WallClock().now_ns()
    given: dict[str, Any] = {
        "client_order_id": f"T1-close-{number}",
        "trade_id": "T1",
        "account": "acc",
        "mode": Mode.PAPER,
        "purpose": Purpose.CLOSE,
        "attempt": number,
        "ticker": "KX-1.5",
        "side": Side.YES,
        "action": Action.SELL,
        "quantity": Decimal(10),
        "limit_price": Decimal("0.25"),
        "reduce_only": True,
        "expires_ts": now_ns + 30 * S,
        "epoch": 1,
        "cause": "stop:T1",
        "trade_version": 3,
        "settings_version": 1,
        "ts": now_ns,
    } | changes
    return OrderSubmit(**given)


def a_cancel(order: OrderSubmit) -> OrderCancel:
    return OrderCancel(
        client_order_id=order.client_order_id,
        trade_id=order.trade_id,
        account=order.account,
        reason="test",
        epoch=1,
        ts=order.ts,
    )


def a_report(order: OrderSubmit, status: ReportStatus = ReportStatus.ACCEPTED) -> OrderReport:
    return OrderReport(client_order_id=order.client_order_id, ts=WallClock().now_ns(), status=status)
