"""Market data in: one plain connection, one word for each read of the socket.

The client hands messages over as it parses them, a whole read without a pause; the word leaves with the loop's next turn. So
the hop to the actors' threads is paid for each batch, and all messages of a batch carry one `received_ns`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from loguru import logger

from bus.client import read_headers
from bus.clock import Now
from bus.codec import Codec
from bus.connection import ApiError, Connection
from bus.errors import BusError
from bus.messages.envelope import Malformed
from bus.messages.lead import TicksMissed
from bus.messages.market import Tick, Ticks
from bus.missed import MissedTicks
from bus.reading import read_stream
from bus.streams import NO_STREAM
from bus.subjects import ROUTES, TICKS, Prefix

Tap = Callable[[object, Mapping[str, str]], None]
"""Hears each word at once and alone, with the headers of its message: the demo's sequencer."""

SUBJECTS: Final = tuple(route.filter for route in ROUTES if route.message in TICKS)
_BAD_PER_S: Final = 10
_AGAIN_S: Final = 0.5


@dataclass(slots=True)
class MarketCounts:
    """Since the start. malformed: all of them, quarantined: those that became a word (at most 10 a second)."""

    ticks: int = 0
    batches: int = 0
    malformed: int = 0
    quarantined: int = 0


class MarketFeed:
    """Hears market data on its own connection. For the loop's thread only. tap: hears instead of `say`, unbatched.

    restore: makes the stream MARKET again where a restarted server has lost it.
    """

    def __init__(
        self,
        connection: Connection,
        prefix: Prefix,
        codec: Codec,
        *,
        clock: Now,
        say: Callable[[object], None],
        tap: Tap | None = None,
        restore: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._codec = codec
        self._clock = clock
        self._say = say
        self._tap = tap
        self._restore = restore
        self._is_open = False
        self._heard = 0
        self._missed = MissedTicks(connection, prefix.stream("MARKET"), lambda: self._heard)
        self._catching_up: asyncio.Task[None] | None = None
        self._batch: list[Tick] = []
        self._batch_ns = 0
        self._bad_second = 0
        self._bad_in_second = 0
        self.counts = MarketCounts()

    async def open(self) -> None:
        """Hear live data, then the newest of each subject from MARKET for what was said before.

        In this order nothing falls between the two; rules drop what is older than they know (fault 33).
        """
        for subject in SUBJECTS:
            await self._connection.listen(self._prefix.add(subject), self._hear_live)
        await self._connection.flush()
        await self._catch_up()
        await self._missed.since_last_look()
        self._is_open = True

    def reconnected(self) -> None:
        """Learn what was said meanwhile: a quote stands until the next one, and that may not come for minutes."""
        if self._catching_up is not None:
            self._catching_up.cancel()
        if self._is_open:
            self._catching_up = asyncio.get_running_loop().create_task(self._come_back())

    async def _come_back(self) -> None:
        try:
            if self._restore is not None:
                await self._restore()
            await self._catch_up()
            missed = await self._missed.since_last_look()
            if missed:
                logger.warning("at least {} ticks went by while NATS was away", missed)
                self._say(TicksMissed(count=missed))
        except BusError as error:
            logger.warning("what the market said meanwhile could not be read yet: {}", error)
            if self._connection.is_up:
                asyncio.get_running_loop().call_later(_AGAIN_S, self.reconnected)

    def _hear_live(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        self._heard += 1
        self._hear(subject, reply, body, headers)

    def _hear(self, subject: str, _reply: str, body: bytes, headers: bytes) -> None:
        if self._tap is not None:
            self._hear_alone(subject, body, headers)
            return
        if not self._batch:
            # The first of a read: the clock is asked once for each batch.
            self._batch_ns = self._clock.now_ns()
        tick = self._codec.tick(subject, body, self._batch_ns)
        if type(tick) is Malformed:
            self._quarantine(tick)
            return
        if not self._batch:
            asyncio.get_running_loop().call_soon(self._flush)
        self._batch.append(tick)  # type: ignore[arg-type]  # not Malformed, see above

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self.counts.ticks += len(batch)
        self.counts.batches += 1
        self._say(Ticks(batch=tuple(batch), received_ns=self._batch_ns))

    def _hear_alone(self, subject: str, body: bytes, headers: bytes) -> None:
        assert self._tap is not None
        word = self._codec.tick(subject, body, self._clock.now_ns())
        self.counts.ticks += 1
        self._tap(word, read_headers(headers))

    def _quarantine(self, word: Malformed) -> None:
        """Hand on what could not be read, but not a flood of it."""
        self.counts.malformed += 1
        second = int(asyncio.get_running_loop().time())
        if second != self._bad_second:
            self._bad_second, self._bad_in_second = second, 0
        self._bad_in_second += 1
        if self._bad_in_second <= _BAD_PER_S:
            self.counts.quarantined += 1
            self._say(word)

    async def _catch_up(self) -> None:
        subjects = [self._prefix.add(subject) for subject in SUBJECTS]
        try:
            newest = await read_stream(self._connection, self._prefix.stream("MARKET"), subjects, newest_only=True)
        except ApiError as error:
            if error.code != NO_STREAM:
                raise
            logger.info("no MARKET stream: what was said before now is not known")
            return
        for kept in newest:
            self._hear(kept.subject, "", kept.body, kept.headers)
