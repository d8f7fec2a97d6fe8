"""The outbox relay: publishes in order, many in flight, until each is stored.

When one fails, nothing new is sent; the rest of what is in flight is awaited, then what failed goes again, in order, under
the same id. So an outage delays everything behind it and swaps only what was in flight at that moment; consumers see one
effect for each id, and trade events carry versions.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from loguru import logger

from bus.clock import Now
from bus.messages.records import Published
from bus.publisher import TOO_LARGE, Outcome, Publisher, Refused, Stored

_PAUSE_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Item:
    """One message as it goes over the wire. subject: with prefix. tells: whether `Published` is said once it is stored."""

    subject: str
    msg_id: str
    body: bytes
    headers: dict[str, str]
    tells: bool = True


class Relay:
    """Publishes into streams. For the loop's thread only. in_flight_max: unacknowledged at one time. confirm_s: of one."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        clock: Now,
        say: Callable[[object], None],
        in_flight_max: int = 256,
        confirm_s: float = 2.0,
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._say = say
        self._in_flight_max = in_flight_max
        self._confirm_s = confirm_s
        self._waiting: deque[tuple[int, Item]] = deque()
        self._in_flight: dict[int, Item] = {}
        self._failed: dict[int, Item] = {}
        self._confirmed: list[str] = []
        self._next = 0
        self._failures = 0
        self.undeliverable = 0

    @property
    def backlog(self) -> int:
        """How many are not known to be stored."""
        return len(self._waiting) + len(self._in_flight) + len(self._failed)

    def publish(self, item: Item) -> None:
        """Publish after everything before it."""
        self._waiting.append((self._next, item))
        self._next += 1
        self._pump()

    def _pump(self) -> None:
        while self._waiting and not self._failed and len(self._in_flight) < self._in_flight_max:
            number, item = self._waiting.popleft()
            self._in_flight[number] = item
            self._publisher.send(
                item.subject, item.body, item.headers, partial(self._hear, number), timeout_s=self._confirm_s
            )

    def _hear(self, number: int, outcome: Outcome) -> None:
        item = self._in_flight.pop(number)
        match outcome:
            case Stored():
                self._failures = 0
                if item.tells:
                    self._confirm(item.msg_id)
            case Refused(code=code, words=words) if code == TOO_LARGE:
                # Trying again would stop everything behind it for ever. Its row stays unpublished.
                self.undeliverable += 1
                logger.bind(action="relay.undeliverable").critical("{} will not be published: {}", item.msg_id, words)
            case _:
                if not self._failed:
                    logger.bind(action="relay.retry").warning("{} is not stored: {}", item.msg_id, outcome)
                self._failed[number] = item
        if self._failed and not self._in_flight:
            self._pause()
        elif not self._failed:
            self._pump()

    def _confirm(self, msg_id: str) -> None:
        """Collect what one read of the socket confirmed: one word for many."""
        if not self._confirmed:
            asyncio.get_running_loop().call_soon(self._tell)
        self._confirmed.append(msg_id)

    def _tell(self) -> None:
        confirmed, self._confirmed = self._confirmed, []
        self._say(Published(msg_ids=tuple(confirmed), now_ns=self._clock.now_ns()))

    def _pause(self) -> None:
        pause_s = _PAUSE_S[min(self._failures, len(_PAUSE_S) - 1)]
        self._failures += 1
        asyncio.get_running_loop().call_later(pause_s, self._again)

    def _again(self) -> None:
        self._waiting.extendleft(sorted(self._failed.items(), reverse=True))
        self._failed.clear()
        self._pump()


class Relays:
    """A relay for each stream: one that takes nothing, because it is full, holds up no other (fault 15).

    For the loop's thread only.
    """

    def __init__(self, publisher: Publisher, *, clock: Now, say: Callable[[object], None]) -> None:
        self._make = partial(Relay, publisher, clock=clock, say=say)
        self._by_stream: dict[str | None, Relay] = {}

    def publish(self, stream: str | None, item: Item) -> None:
        """Publish after everything before it that goes into `stream`."""
        relay = self._by_stream.get(stream)
        if relay is None:
            relay = self._by_stream[stream] = self._make()
        relay.publish(item)

    @property
    def backlog(self) -> int:
        """How many are not known to be stored."""
        return sum(relay.backlog for relay in self._by_stream.values())

    @property
    def undeliverable(self) -> int:
        """How many no stream will ever take."""
        return sum(relay.undeliverable for relay in self._by_stream.values())
