"""A durable pull consumer: our own inputs, taken at our own speed.

A new one for each epoch, from the sequence that PostgreSQL has committed: what a dead instance had pulled comes at once, and
not after its `ack_wait`. The inbox table decides what has had its effect; acknowledgements are flow control. So they are sent
without waiting for their confirmation: a lost one costs a redelivery, which the inbox drops and acknowledges again (fault 3).
What waits for its commit for long is kept by in-progress acknowledgements. Backpressure is `max_ack_pending`: the server stops
by itself when that many are not acknowledged; `pause` stops asking for more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from loguru import logger

from bus.client import read_headers
from bus.connection import ApiError, Connection
from bus.errors import BusError
from bus.messages.envelope import Delivery
from bus.streams import NO_STREAM

Hear = Callable[[str, bytes, bytes, Delivery], None]
"""Called with subject, body, raw headers and what acknowledges the message."""

_NS: Final = 10**9
_CHECK_S: Final = 5.0
_SILENT_MAX_S: Final = 10.0
_HELD_S: Final = 10.0
_NAME: Final = "wk-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSettings:
    """Which messages, from where. start_sequence: the first one wanted. filters: with prefix."""

    stream: str
    name: str
    filters: tuple[str, ...]
    start_sequence: int
    max_ack_pending: int
    ack_wait_s: int = 30


class PullConsumer:
    """Asks for messages and hands them on. For the loop's thread only.

    on_lost: called when the consumer is gone and its stream is not: a new process makes its own. A stream that is gone, or was
    made anew, has no more to give, and no new process would take it (fault 14): this one goes on without it, for all else works.
    """

    def __init__(
        self, connection: Connection, settings: ConsumerSettings, *, hear: Hear, on_lost: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._hear_message = hear
        self._on_lost = on_lost
        self._inbox = ""
        self._pull = 0
        self._left = 0
        self._is_paused = False
        self._heard_at = 0.0
        self._held: dict[str, float] = {}
        self._check: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._stream_created = ""
        self.delivered = 0
        self.redelivered = 0

    async def open(self) -> None:
        """Make the consumer, remove those of earlier epochs, and begin. Raises: BusError."""
        wanted = self._settings
        self._stream_created = (await self._connection.api(f"STREAM.INFO.{wanted.stream}"))["created"]
        await self._remove_older()
        await self._connection.api(
            f"CONSUMER.CREATE.{wanted.stream}.{wanted.name}",
            {"stream_name": wanted.stream, "config": self._config(), "action": "create"},
        )
        self._inbox = self._connection.new_inbox()
        await self._connection.listen(f"{self._inbox}.*", self._hear)
        self._begin_pull()
        self._watch()

    def _config(self) -> dict[str, Any]:
        wanted = self._settings
        return {
            "durable_name": wanted.name,
            "filter_subjects": list(wanted.filters),
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(1, wanted.start_sequence),
            "ack_policy": "explicit",
            "ack_wait": wanted.ack_wait_s * _NS,
            "max_deliver": -1,
            "max_ack_pending": wanted.max_ack_pending,
            "replay_policy": "instant",
        }

    async def _remove_older(self) -> None:
        names = await self._connection.api(f"CONSUMER.NAMES.{self._settings.stream}")
        for name in names.get("consumers") or ():
            if name.startswith(_NAME) and name != self._settings.name:
                await self._connection.api(f"CONSUMER.DELETE.{self._settings.stream}.{name}")

    def close(self) -> None:
        """Ask for nothing more; what was not acknowledged comes again, to the next epoch."""
        self._is_paused = True
        self._left = 0
        self._pull += 1
        if self._check is not None:
            self._check.cancel()

    @property
    def held(self) -> int:
        """How many were delivered and are not acknowledged."""
        return len(self._held)

    def acknowledge(self, token: str) -> bool:
        """Say that a message has its row; False if it was not delivered here, or is acknowledged already."""
        if self._held.pop(token, None) is None:
            return False
        self._connection.post(token, b"+ACK")
        return True

    def pause(self) -> None:
        """Ask for nothing more until `resume`; what was asked for still comes."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        if self._is_paused:
            self._is_paused = False
            if self._left <= 0:
                self._begin_pull()

    def reconnected(self) -> None:
        """The old pull died with its connection."""
        if self._inbox:
            self._begin_pull()

    def _begin_pull(self) -> None:
        if self._is_paused:
            return
        wanted = self._settings
        self._pull += 1
        self._left = wanted.max_ack_pending
        self._heard_at = asyncio.get_running_loop().time()
        question = {"batch": self._left, "expires": 30 * _NS, "idle_heartbeat": int(_CHECK_S) * _NS}
        self._connection.post(
            f"$JS.API.CONSUMER.MSG.NEXT.{wanted.stream}.{wanted.name}",
            msgspec.json.encode(question),
            reply=f"{self._inbox}.{self._pull}",
        )

    def _hear(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._heard_at = now
        if reply.startswith("$JS.ACK."):
            self._take(subject, reply, body, headers, now)
        elif subject == f"{self._inbox}.{self._pull}":
            self._hear_status(read_headers(headers))

    def _take(self, subject: str, token: str, body: bytes, headers: bytes, now: float) -> None:
        delivery = read_delivery(token)
        self._held[token] = now
        self.delivered += 1
        self.redelivered += delivery.attempt > 1
        self._left -= 1
        if self._left == 0:
            self._begin_pull()
        self._hear_message(subject, body, headers, delivery)

    def _hear_status(self, headers: dict[str, str]) -> None:
        status, words = headers.get("Status", ""), headers.get("Description", "")
        if status == "100":
            return
        if status == "409" and "delet" in words.lower():
            self._begin_asking(words)
            return
        if status != "408":
            logger.debug("{}: {} {}", self._settings.stream, status, words)
        self._left = 0
        # A pull that ended by time is followed at once; whatever refuses gets a moment.
        asyncio.get_running_loop().call_later(0.0 if status == "408" else 0.25, self._again, self._pull)

    def _again(self, pull: int) -> None:
        if pull == self._pull:
            self._begin_pull()

    def _watch(self) -> None:
        """Every 5 s: keep what is held from being redelivered, and ask again where not even heartbeats come."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for token, since in self._held.items():
            if now - since >= _HELD_S:
                self._connection.post(token, b"+WPI")
        if now - self._heard_at > _SILENT_MAX_S and not self._is_paused and self._connection.is_up:
            logger.warning("{} is silent: asking again", self._settings.stream)
            self._begin_asking("it is silent")
            self._begin_pull()
        self._check = loop.call_later(_CHECK_S, self._watch)

    def _begin_asking(self, why: str) -> None:
        self._asking = asyncio.get_running_loop().create_task(self._ask_whether_it_stands(why))

    async def _ask_whether_it_stands(self, why: str) -> None:
        wanted = self._settings
        try:
            found = await self._connection.api(f"STREAM.INFO.{wanted.stream}")
            if found["created"] != self._stream_created:
                self._do_without("was made anew")
                return
            await self._connection.api(f"CONSUMER.INFO.{wanted.stream}.{wanted.name}")
        except ApiError as error:
            if error.code == NO_STREAM:
                self._do_without("is gone")
            else:
                self._on_lost(f"consumer {wanted.name} of {wanted.stream} is gone ({why}): {error}")
        except BusError as error:
            logger.debug("{}: {}", wanted.stream, error)

    def _do_without(self, what: str) -> None:
        logger.critical("stream {} {}: nothing is heard from it any more", self._settings.stream, what)
        self.close()


def read_delivery(token: str) -> Delivery:
    """Return what a JetStream reply subject tells. Raises: ValueError, IndexError for anything else."""
    parts = token.split(".")
    # `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>...`; the newer form has domain and account before the stream.
    first = 2 if len(parts) == 9 else 4
    return Delivery(stream=parts[first], sequence=int(parts[first + 3]), token=token, attempt=int(parts[first + 2]))
