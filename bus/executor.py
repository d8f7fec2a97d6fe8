"""Orders to an executor of our own (PaperVenue): a durable push consumer on ORDERS with explicit acknowledgement.

An order is acknowledged as soon as it was handed over: PaperVenue rebuilds itself from the stream at start (`read_back`), so a
redelivery would tell it nothing that it does not read there. What cannot be read is ended with `+TERM` and logged: Watchkeeper
itself wrote it.
"""

from collections.abc import Callable
from typing import Final

from loguru import logger

from bus.client import read_headers
from bus.clock import Now
from bus.codec import Codec
from bus.connection import Connection
from bus.consumer import read_delivery
from bus.market import Tap
from bus.messages.addresses import escape
from bus.messages.envelope import Message, Received
from bus.messages.orders import OrderArrived, OrderCancel, OrderReport, OrderSubmit
from bus.reading import read_stream
from bus.subjects import Prefix

_NS: Final = 10**9

InStream = OrderSubmit | OrderCancel | OrderReport


class ExecutorConsumer:
    """Hears the orders of one venue. For the loop's thread only. say: hears `OrderArrived`; tap: hears it instead."""

    def __init__(
        self,
        connection: Connection,
        prefix: Prefix,
        codec: Codec,
        venue: str,
        *,
        clock: Now,
        say: Callable[[object], None],
        tap: Tap | None = None,
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._codec = codec
        self._venue = venue
        self._clock = clock
        self._say = say
        self._tap = tap

    @property
    def _filters(self) -> list[str]:
        return [f"order.{verb}.{escape(self._venue)}.>" for verb in ("submit", "cancel")]

    async def open(self) -> None:
        """Begin where the durable consumer stands; the very first time, with the oldest order in the stream.

        Raises: BusError.
        """
        stream = self._prefix.stream("ORDERS")
        name = f"executor-{escape(self._venue).replace('%', '_')}"
        deliver = self._prefix.add(f"executor.deliver.{escape(self._venue)}")
        await self._connection.listen(deliver, self._hear, queue=name)
        await self._connection.api(
            f"CONSUMER.CREATE.{stream}.{name}",
            {
                "stream_name": stream,
                "config": {
                    "durable_name": name,
                    "deliver_subject": deliver,
                    # A group: a second process that stands by must not hear each order twice.
                    "deliver_group": name,
                    "filter_subjects": [self._prefix.add(subject) for subject in self._filters],
                    "deliver_policy": "all",
                    "ack_policy": "explicit",
                    "ack_wait": 30 * _NS,
                    "max_deliver": -1,
                    "max_ack_pending": 10_000,
                    "replay_policy": "instant",
                },
            },
        )

    def _hear(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        if not reply.startswith("$JS.ACK."):
            return
        delivery = read_delivery(reply)
        now_ns = self._clock.now_ns()
        read = self._codec.decode(subject, body, {}, now_ns, delivery=delivery)
        message = read.message if isinstance(read, Received) else None
        if not isinstance(message, OrderSubmit | OrderCancel):
            logger.error("an order in ORDERS cannot be read ({}): {}", subject, getattr(read, "reason", "no order"))
            self._connection.post(reply, b"+TERM")
            return
        word = OrderArrived(order=message, token=reply, sequence=delivery.sequence, now_ns=now_ns)
        if self._tap is not None:
            self._tap(word, read_headers(headers))
        else:
            self._say(word)
        self._connection.post(reply, b"+ACK")

    async def read_back(self) -> list[InStream]:
        """Return all that ORDERS holds of this venue, in its order, and the reports of every order. Raises: BusError."""
        filters = [*self._filters, "order.report.>"]
        return await read_orders(self._connection, self._prefix, self._codec, filters, self._clock.now_ns())


async def read_orders(
    connection: Connection, prefix: Prefix, codec: Codec, filters: list[str], now_ns: int
) -> list[InStream]:
    """Return what ORDERS holds under `filters` (without prefix), oldest first; what cannot be read is left out.

    Raises: BusError.
    """
    found: list[InStream] = []
    wanted = [prefix.add(subject) for subject in filters]
    for kept in await read_stream(connection, prefix.stream("ORDERS"), wanted):
        read = codec.decode(kept.subject, kept.body, {}, now_ns)
        message: Message | None = read.message if isinstance(read, Received) else None
        if isinstance(message, OrderSubmit | OrderCancel | OrderReport):
            found.append(message)
    return found
