"""Money in: commands and account events from LEDGER, order reports from ORDERS, requests; each becomes one word.

Reports have a consumer of their own: a database that is away holds up commands, never the fills of our own closes. The two
consumers are of one epoch and begin after what PostgreSQL has committed.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bus.client import read_headers
from bus.clock import Now
from bus.codec import Codec
from bus.connection import Connection
from bus.consumer import ConsumerSettings, PullConsumer
from bus.market import Tap
from bus.messages.envelope import Delivery
from bus.subjects import ROUTES, STATUS, Direction, Prefix

REPORTS_PENDING_MAX: Final = 10_000

_HEARD: Final = {
    stream: tuple(dict.fromkeys(r.filter for r in ROUTES if r.stream == stream and r.direction is Direction.HEARD))
    for stream in ("LEDGER", "ORDERS")
}
_ASKED: Final = tuple(dict.fromkeys(r.filter for r in ROUTES if r.direction is Direction.ASKED))
_BEATS: Final = "system.heartbeat.>"


class Inbound:
    """Everything that is heard on the money connection. For the loop's thread only.

    say: hears `Received` and `Malformed`; tap: hears them instead, with the headers. on_lost: a consumer is gone.
    """

    def __init__(
        self,
        connection: Connection,
        prefix: Prefix,
        codec: Codec,
        *,
        clock: Now,
        say: Callable[[object], None],
        on_lost: Callable[[str], None],
        tap: Tap | None = None,
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._codec = codec
        self._clock = clock
        self._say = say
        self._on_lost = on_lost
        self._tap = tap
        self._consumers: list[PullConsumer] = []
        self._listening: list[int] = []
        self._commands_paused = False

    async def hear_status(self) -> None:
        """Hear questions for the status alone: before it leads, an instance answers nothing else. Harmless twice."""
        if not self._listening:
            await self._listen(STATUS)

    async def hear_requests(self) -> None:
        """Hear what others ask, the status among it, and that they live."""
        before, self._listening = self._listening, []
        await self._listen(*_ASKED, _BEATS)
        for number in before:
            await self._connection.unlisten(number)

    async def _listen(self, *subjects: str) -> None:
        for subject in subjects:
            self._listening.append(await self._connection.listen(self._prefix.add(subject), self._hear_request))
        await self._connection.flush()

    async def hear_streams(self, epoch: int, positions: Mapping[str, int], *, max_ack_pending: int) -> None:
        """Hear LEDGER, the first of the consumers, and ORDERS. positions: full stream name -> the last sequence that is committed; absent: none is."""
        for short, pending in (("LEDGER", max_ack_pending), ("ORDERS", REPORTS_PENDING_MAX)):
            stream = self._prefix.stream(short)
            consumer = PullConsumer(
                self._connection,
                ConsumerSettings(
                    stream=stream,
                    name=f"wk-{epoch}",
                    filters=tuple(map(self._prefix.add, _HEARD[short])),
                    start_sequence=positions.get(stream, 0) + 1,
                    max_ack_pending=pending,
                ),
                hear=self._hear_stored,
                on_lost=self._on_lost,
            )
            self._consumers.append(consumer)
            if self._commands_paused:
                self.pause_commands()
            await consumer.open()

    def acknowledge(self, token: str) -> bool:
        """Say that an input has its row; False if none of our consumers holds it."""
        return any(consumer.acknowledge(token) for consumer in self._consumers)

    def pause_commands(self) -> None:
        """Ask for no more from LEDGER; the stream keeps it. Reports go on."""
        self._commands_paused = True
        for consumer in self._consumers[:1]:
            consumer.pause()

    def resume_commands(self) -> None:
        """Ask again."""
        self._commands_paused = False
        for consumer in self._consumers[:1]:
            consumer.resume()

    def reconnected(self) -> None:
        """Ask again on the new connection."""
        for consumer in self._consumers:
            consumer.reconnected()

    async def close(self) -> None:
        """Hear nothing more: no request, nothing from the streams."""
        for number in self._listening:
            await self._connection.unlisten(number)
        self._listening.clear()
        for consumer in self._consumers:
            consumer.close()

    @property
    def held(self) -> int:
        """How many inputs wait for their commit."""
        return sum(consumer.held for consumer in self._consumers)

    def _hear_request(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        self._decode(subject, body, headers, None, reply or None)

    def _hear_stored(self, subject: str, body: bytes, headers: bytes, delivery: Delivery) -> None:
        self._decode(subject, body, headers, delivery, None)

    def _decode(
        self, subject: str, body: bytes, headers: bytes, delivery: Delivery | None, reply_to: str | None
    ) -> None:
        named = read_headers(headers)
        word = self._codec.decode(subject, body, named, self._clock.now_ns(), delivery=delivery, reply_to=reply_to)
        if self._tap is not None:
            self._tap(word, named)
        else:
            self._say(word)
