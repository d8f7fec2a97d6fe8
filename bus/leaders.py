"""Who leads, heard from outside: what instances say of themselves once a second, or when they are asked.

The order matters: first the beats are heard, then it is asked, and only then are questions answered here. So an instance never
answers itself, and a server that says "nobody listens" (503) means that no other instance is there at all.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from loguru import logger

from bus.client import NO_RESPONDERS
from bus.connection import Connection
from bus.errors import BusError
from bus.messages.lead import InstanceHeard, NobodyHeard
from bus.messages.plain import from_json
from bus.subjects import HEALTH, STATUS, Prefix


class _Standing(msgspec.Struct):
    """What matters here of a `Status`."""

    instance: str
    epoch: int
    role: str


class _Answer(msgspec.Struct):
    result: _Standing


class Leaders:
    """Finds the leader. For the loop's thread only. say: hears `InstanceHeard` and `NobodyHeard`."""

    def __init__(self, connection: Connection, prefix: Prefix, *, say: Callable[[object], None]) -> None:
        self._connection = connection
        self._prefix = prefix
        self._say = say
        self._inbox = ""
        self._listening: list[int] = []
        self._finding: asyncio.Task[None] | None = None

    def find(self, answer_too: Callable[[], Awaitable[None]]) -> None:
        """Ask who leads, and hear leaders from now on. answer_too: lets questions for our own status in, afterwards."""
        self._finding = asyncio.get_running_loop().create_task(self._find(answer_too))

    async def _find(self, answer_too: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._listen()
            self._connection.post(self._prefix.add(STATUS), b"{}", reply=self._inbox)
            await answer_too()
        except BusError as error:
            # The connection is gone again: whoever asked does so anew when it is back.
            logger.debug("nobody could be asked who leads: {}", error)

    async def _listen(self) -> None:
        if not self._listening:
            self._inbox = self._connection.new_inbox()
            self._listening.append(await self._connection.listen(self._prefix.add(HEALTH), self._hear_beat))
            self._listening.append(await self._connection.listen(self._inbox, self._hear_answer))

    async def close(self) -> None:
        """Hear no more of them."""
        for number in self._listening:
            await self._connection.unlisten(number)
        self._listening.clear()

    def _hear_beat(self, _subject: str, _reply: str, body: bytes, _headers: bytes) -> None:
        self._read(_Standing, body)

    def _hear_answer(self, _subject: str, _reply: str, body: bytes, headers: bytes) -> None:
        if headers.startswith(NO_RESPONDERS):
            self._say(NobodyHeard())
        else:
            self._read(_Answer, body)

    def _read(self, kind: type[_Standing | _Answer], body: bytes) -> None:
        try:
            read = from_json(kind, body)
        except msgspec.DecodeError as error:
            logger.debug("an instance's words cannot be read: {}", error)
            return
        standing = read.result if isinstance(read, _Answer) else read
        self._say(InstanceHeard(instance=standing.instance, epoch=standing.epoch, role=standing.role))
