"""What a stream holds, read once, from its beginning or the newest of each subject."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bus.connection import Connection
from bus.consumer import read_delivery
from bus.errors import BusError

_NS: Final = 10**9
_PAGE: Final = 500
_PAGE_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in a stream. subject: with prefix. headers: the raw block."""

    sequence: int
    subject: str
    body: bytes
    headers: bytes


async def read_stream(
    connection: Connection, stream: str, filters: list[str], *, newest_only: bool = False, after: int = 0
) -> list[Kept]:
    """Return what `stream` holds under `filters` (with prefix), oldest first.

    newest_only: one for each subject. after: only what stands behind this sequence.

    Reads through a consumer of its own, which is gone afterwards. What is stored meanwhile is not read.
    Raises: BusError, ApiError among them for a stream that does not exist.
    """
    config = {
        "deliver_policy": "last_per_subject" if newest_only else "by_start_sequence",
        **({} if newest_only else {"opt_start_seq": after + 1}),
        "ack_policy": "none",
        "mem_storage": True,
        "inactive_threshold": 10 * _NS,
        "filter_subjects": filters,
    }
    made = await connection.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
    reader = _Reader(connection, f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{made['name']}")
    try:
        return await reader.read(int(made["num_pending"]))
    finally:
        await connection.api(f"CONSUMER.DELETE.{stream}.{made['name']}")


class _Reader:
    def __init__(self, connection: Connection, pull: str) -> None:
        self._connection = connection
        self._pull = pull
        self._found: list[Kept] = []
        self._has_page = asyncio.Event()
        self._left = 0

    async def read(self, wanted: int) -> list[Kept]:
        inbox = self._connection.new_inbox()
        number = await self._connection.listen(inbox, self._hear)
        try:
            while len(self._found) < wanted and await self._read_page(inbox, wanted - len(self._found)):
                pass
        finally:
            await self._connection.unlisten(number)
        return self._found

    async def _read_page(self, inbox: str, wanted: int) -> bool:
        """Say whether anything came: less may be left than was counted, if the stream's limits removed some."""
        before = len(self._found)
        self._left = min(_PAGE, wanted)
        self._has_page.clear()
        question: dict[str, Any] = {"batch": self._left, "expires": 5 * _NS}
        self._connection.post(self._pull, msgspec.json.encode(question), reply=inbox)
        try:
            await asyncio.wait_for(self._has_page.wait(), _PAGE_WITHIN_S)
        except TimeoutError:
            raise BusError(f"no answer on {self._pull}") from None
        return len(self._found) > before

    def _hear(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        if reply.startswith("$JS.ACK."):
            self._found.append(Kept(read_delivery(reply).sequence, subject, body, headers))
            self._left -= 1
        if self._left <= 0 or not reply:
            self._has_page.set()
