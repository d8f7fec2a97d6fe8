"""How much of the market went by unheard: a server that cut us off for being slow, and an outage, tell nobody what was lost.

Live ticks carry no sequence, but the stream MARKET counts the same messages. So what it has taken between two looks, and we have not
heard, was missed. A look is not an instant: while the answer comes, the market goes on. So it is taken from both sides, and what
is told is the least that it can be.
"""

from collections.abc import Callable
from typing import NamedTuple

from bus.connection import ApiError, Connection
from bus.streams import NO_STREAM


class _Look(NamedTuple):
    """`heard` messages, when the stream that was made at `created` held at least `least`, and no more than `most`."""

    created: str
    least: int
    most: int
    heard: int


class MissedTicks:
    """Compares what the stream `stream` (with prefix) has taken with what `heard` says. For the loop's thread only."""

    def __init__(self, connection: Connection, stream: str, heard: Callable[[], int]) -> None:
        self._connection = connection
        self._stream = stream
        self._heard = heard
        self._last: _Look | None = None

    async def since_last_look(self) -> int:
        """Return how many were missed at least; 0 at the first look, and where the stream was lost meanwhile. Raises: BusError."""
        before, self._last = self._last, await self._look()
        if before is None or self._last is None or before.created != self._last.created:
            return 0
        return max(0, self._last.least - before.most - (self._last.heard - before.heard))

    async def _look(self) -> _Look | None:
        try:
            created, least = await self._reached()
            # What the stream had taken until then has been heard once this is answered, if it is heard at all.
            await self._connection.flush()
            heard = self._heard()
            again, most = await self._reached()
        except ApiError as error:
            if error.code != NO_STREAM:
                raise
            return None
        return _Look(created, least, most, heard) if again == created else None

    async def _reached(self) -> tuple[str, int]:
        info = await self._connection.api(f"STREAM.INFO.{self._stream}")
        return info["created"], info["state"]["last_seq"]
