"""A small synchronous NATS client for commands that people type: ask, gather, listen. The process itself never uses it.

It connects once, does not reconnect, and gives up with `NoAnswer`: the outcome is then unknown, and asking again with the same
words is safe.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from bus.messages.envelope import Message
from bus.messages.plain import from_json, to_json
from bus.messages.system import Reply
from bus.subjects import Prefix
from config.command_line import NoAnswer
from config.fields import mask
from config.settings import Nats

T = TypeVar("T")

ANSWER_WITHIN_S: Final = 5.0
GATHER_S: Final = 0.5
AT_ONCE: Final = 50
"""Requests of many on their way together: well under what an inbox holds, and enough to keep it from running dry."""
_TRY_AGAIN_S: Final = 0.1
_NOBODY: Final = "503"
_STATUS_HEADER: Final = "Status"
_CUT: Final = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came: its subject without the prefix, and its bytes."""

    subject: str
    body: bytes


class NatsClient:
    """A connection for the length of a `with` block; every method blocks.

    Raises: NoAnswer from `__enter__` if no server answers.
    """

    def __init__(self, settings: Nats) -> None:
        self._settings = settings
        self._prefix = Prefix(settings.prefix)
        self._loop = asyncio.Runner()
        self._client = Client()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()

    def __enter__(self) -> Self:
        try:
            self._loop.run(self._connect())
        except NoAnswer:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(NatsError):
            self._loop.run(self._client.close())
        self._loop.close()

    def ask(self, subject: str, message: Message, *, within_s: float = ANSWER_WITHIN_S) -> Reply:
        """Return the one reply to `message`. Raises: NoAnswer."""
        return self._loop.run(self._ask(self._prefix.add(subject), to_json(message), within_s))

    def ask_each(
        self, subject: str, messages: Sequence[Message], *, at_once: int = AT_ONCE, within_s: float = ANSWER_WITHIN_S
    ) -> list[Reply | NoAnswer]:
        """Return the reply to each of `messages`, in their order, at most `at_once` of them on their way.

        One that nobody answers must not keep the others from being asked: its place holds why.
        """
        return self._loop.run(self._ask_each(self._prefix.add(subject), messages, asyncio.Semaphore(at_once), within_s))

    def gather(self, subject: str, message: Message, *, for_s: float = GATHER_S) -> list[Reply]:
        """Return every reply that arrives within `for_s` seconds; empty if nobody listens."""
        return self._loop.run(self._gather(self._prefix.add(subject), to_json(message), for_s))

    def listen(self, subjects: Sequence[str]) -> Iterator[Heard]:
        """Yield what is published on `subjects` from now on, for as long as the caller takes. Raises: NoAnswer when cut off."""
        self._loop.run(self._subscribe([self._prefix.add(subject) for subject in subjects]))
        while (message := self._loop.run(self._arrived.get())) is not _CUT:
            yield Heard(message.subject.removeprefix(self._prefix.add("")), message.data)
        raise NoAnswer("the connection to NATS was cut: start the server, then this command again")

    def flush(self) -> None:
        """Return once the server has taken all that was sent."""
        self._loop.run(self._client.flush())

    def run(self, question: Callable[[Client], Coroutine[object, object, T]]) -> T:
        """Run `question` with the library's own client, for probes that need more than the above."""
        return self._loop.run(question(self._client))

    async def _connect(self) -> None:
        wrong: list[str] = []

        async def note(error: Exception) -> None:
            wrong.append(mask(str(error)) or type(error).__name__)

        async def cut() -> None:
            await self._arrived.put(_CUT)

        try:
            self._client = await asyncio.wait_for(
                nats.connect(
                    self._settings.url.split(","),
                    connect_timeout=self._settings.connect_timeout_s,
                    allow_reconnect=False,
                    # Also the first connection is tried so often; 0 would mean without end.
                    max_reconnect_attempts=1,
                    reconnect_time_wait=_TRY_AGAIN_S,
                    error_cb=note,
                    closed_cb=cut,
                    name="watchkeeper command",
                ),
                self._settings.connect_timeout_s + 1,
            )
        except (NatsError, OSError, TimeoutError) as error:
            why = wrong[-1] if wrong else mask(str(error)) or type(error).__name__
            where = mask(self._settings.url)
            raise NoAnswer(
                f"NATS does not answer at {where} ({why}): start the server, or correct WATCHKEEPER_NATS_URL"
            ) from error

    async def _ask(self, subject: str, body: bytes, within_s: float) -> Reply:
        try:
            answer = await self._client.request(subject, body, timeout=within_s)
        except NoRespondersError as error:
            raise NoAnswer(
                f"nobody answers {subject}: start `run.py serve`, or see whether nats.prefix is right"
            ) from error
        except (NatsError, TimeoutError) as error:
            raise NoAnswer(
                f"no answer to {subject} within {within_s:g} s: whether it was done is unknown; asking again is safe"
            ) from error
        return read_reply(answer.data)

    async def _ask_each(
        self, subject: str, messages: Sequence[Message], free: asyncio.Semaphore, within_s: float
    ) -> list[Reply | NoAnswer]:
        async def ask(message: Message) -> Reply | NoAnswer:
            async with free:
                try:
                    return await self._ask(subject, to_json(message), within_s)
                except NoAnswer as error:
                    return error

        return await asyncio.gather(*(ask(message) for message in messages))

    async def _gather(self, subject: str, body: bytes, for_s: float) -> list[Reply]:
        answers: list[bytes] = []
        nobody = asyncio.Event()

        async def hear(answer: Msg) -> None:
            if answer.headers and answer.headers.get(_STATUS_HEADER) == _NOBODY:
                nobody.set()
            else:
                answers.append(answer.data)

        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=hear)
        await self._client.publish(subject, body, reply=inbox)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(nobody.wait(), for_s)
        await subscription.unsubscribe()
        return [read_reply(answer) for answer in answers]

    async def _subscribe(self, subjects: list[str]) -> None:
        for subject in subjects:
            await self._client.subscribe(subject, cb=self._arrived.put)
        await self._client.flush()


def read_reply(body: bytes) -> Reply:
    """Return the reply that `body` holds. Raises: NoAnswer if it holds none: nobody knows what was done."""
    try:
        return from_json(Reply, body)
    except msgspec.DecodeError as error:
        raise NoAnswer(f"the answer is no Watchkeeper reply ({error}): see who else answers this subject") from error
