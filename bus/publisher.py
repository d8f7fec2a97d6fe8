"""Publishing into JetStream without waiting: many in flight, one call back for each, with what became of it.

nats-py's own `publish` is a request and a task for each message; here one subscription hears all acknowledgements, and a
message costs a dictionary entry and a timer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from bus.connection import Connection

WRONG_LAST_SEQUENCE = 10071
"""Another epoch leads: the record on `order.epoch` is newer than the one that this message names."""

TOO_LARGE = 10054
"""No stream will ever take it."""

_HEADERS_MAX = 2048
_JSON = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Stored:
    """The stream has it on disk. duplicate: a message with its `Nats-Msg-Id` stood there before, at `sequence`."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """It certainly does not stand in the stream. code: JetStream's, 503 where no stream listens, 0 where it never left."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows whether it was stored. Sent again with the same id, it is stored at most once."""

    words: str = "no acknowledgement"


Outcome = Stored | Refused | Unanswered


class Publisher:
    """Publishes on one connection. For the loop's thread only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox = ""
        self._waiting: dict[str, tuple[Callable[[Outcome], None], asyncio.TimerHandle]] = {}
        self._next = 0

    async def open(self) -> None:
        """Begin to hear acknowledgements. Harmless twice."""
        if self._inbox:
            return
        self._inbox = self._connection.new_inbox()
        await self._connection.listen(f"{self._inbox}.*", self._hear)

    @property
    def in_flight(self) -> int:
        """How many wait for their acknowledgement."""
        return len(self._waiting)

    def send(
        self,
        subject: str,
        body: bytes,
        headers: dict[str, str],
        done: Callable[[Outcome], None],
        *,
        timeout_s: float,
    ) -> None:
        """Publish; `done` is called once, on this thread, within about `timeout_s`."""
        self._next += 1
        token = str(self._next)
        if len(body) + _HEADERS_MAX > self._connection.max_payload:
            asyncio.get_running_loop().call_soon(done, Refused(TOO_LARGE, f"{len(body)} bytes are too many"))
            return
        timer = asyncio.get_running_loop().call_later(timeout_s, self._end, token, Unanswered())
        self._waiting[token] = (done, timer)
        self._connection.post(
            subject,
            body,
            reply=f"{self._inbox}.{token}",
            headers=headers,
            failed=lambda: self._end(token, Refused(0, "not connected")),
        )

    def _hear(self, subject: str, _reply: str, body: bytes, headers: bytes) -> None:
        token = subject[len(self._inbox) + 1 :]
        self._end(token, _read(body, headers))

    def _end(self, token: str, outcome: Outcome) -> None:
        waiting = self._waiting.pop(token, None)
        if waiting is not None:
            done, timer = waiting
            timer.cancel()
            done(outcome)


def _read(body: bytes, headers: bytes) -> Outcome:
    if headers.startswith(b"NATS/1.0 503"):
        return Refused(503, "no stream takes this subject")
    try:
        answer: dict[str, Any] = _JSON.decode(body)
        error = answer.get("error")
        if error is not None:
            return Refused(int(error.get("err_code") or error.get("code") or 0), str(error.get("description", "")))
        return Stored(str(answer["stream"]), int(answer["seq"]), bool(answer.get("duplicate", False)))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        return Unanswered(f"an unreadable acknowledgement: {error!r}")
