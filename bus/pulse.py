"""The pulse of a connection: every 2 s it publishes to itself, and an echo that stays out tells that it is deaf.

`is_connected` can stay true while the read loop is dead, and a stopped server looks like a quiet one (fault 10). One that hears a
flood has a little longer, for its echo stands behind it; one that hears, and whose own words go nowhere, has not. A process that
was paused, or got no turn, has not read its echo yet when it goes on: what it missed is no sign of anything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from loguru import logger

from bus.quick_parser import Handler

_PAUSED_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How soon to doubt a connection.

    pulse_s: between two round trips; deaf after one without its echo, or after late_max_s if something else is heard.
    deaf_max: fatal when it was deaf so often in a row. stuck_s: fatal without a try to connect, while there is no connection.
    """

    pulse_s: float
    late_max_s: float
    stuck_s: float
    deaf_max: int


class Line(Protocol):
    """The connection, as far as its pulse needs it."""

    reconnects: int

    @property
    def is_up(self) -> bool:
        """Whether it believes to be connected."""
        ...

    @property
    def heard(self) -> int:
        """How many messages it has heard."""
        ...

    @property
    def tried_at(self) -> float:
        """The loop's time of the newest try to connect."""
        ...

    def new_inbox(self) -> str:
        """Return a subject that nobody else listens to."""
        ...

    async def listen(self, subject: str, handler: Handler) -> int:
        """Hear `subject`."""
        ...

    def post(self, subject: str, body: bytes) -> None:
        """Publish."""
        ...

    async def reconnect(self) -> None:
        """Give the connection up and make it anew."""
        ...


class Pulse:
    """Watches over `line` until `stop`. For the loop's thread only. fatal: called with why nobody can help any more."""

    def __init__(self, line: Line, rhythm: Rhythm, *, fatal: Callable[[str], None]) -> None:
        self._line = line
        self._rhythm = rhythm
        self._fatal = fatal
        self._task: asyncio.Task[None] | None = None
        self._echoed = 0
        self.deaf = 0
        """How often in a row it was deaf."""

    def start(self) -> None:
        """Begin; the line is up."""
        self._task = asyncio.get_running_loop().create_task(self._beat())
        self._task.add_done_callback(self._hear_end)

    async def stop(self) -> None:
        """End; harmless twice, and before the start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _beat(self) -> None:
        line, rhythm, loop = self._line, self._rhythm, asyncio.get_running_loop()
        inbox = line.new_inbox()
        await line.listen(inbox, self._hear_echo)
        sent, answered_at, was_up_at = 0, loop.time(), loop.time()
        while True:
            began, heard, reconnects = loop.time(), line.heard, line.reconnects
            if line.is_up:
                sent, was_up_at = sent + 1, began
                line.post(inbox, str(sent).encode())
            await asyncio.sleep(rhythm.pulse_s)
            now = loop.time()
            was_paused = now - began > rhythm.pulse_s + _PAUSED_S
            if was_paused or not line.is_up or line.reconnects != reconnects or self._echoed >= sent:
                answered_at = now
            elif line.heard == heard or now - answered_at >= rhythm.late_max_s:
                self._echoed = sent
                await self._reconnect()
            if not line.is_up and not was_paused:
                self._demand_tries(now, was_up_at)

    async def _reconnect(self) -> None:
        self.deaf += 1
        logger.warning("NATS does not echo ({} in a row): reconnecting", self.deaf)
        if self.deaf >= self._rhythm.deaf_max:
            self._fatal("deaf: three round trips in a row without an answer")
        await self._line.reconnect()

    def _demand_tries(self, now: float, was_up_at: float) -> None:
        """An outage may last; but somebody must be trying to end it. What stood until now needed no try."""
        silent_s = now - max(self._line.tried_at, was_up_at)
        if silent_s > self._rhythm.stuck_s:
            self._fatal(f"nobody has tried to reconnect for {silent_s:.0f} s")

    def _hear_echo(self, _subject: str, _reply: str, body: bytes, _headers: bytes) -> None:
        self._echoed = int(body)
        self.deaf = 0

    def _hear_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._fatal(f"nobody watches over the connection any more: {task.exception()!r}")
