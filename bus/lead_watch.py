"""Whether the epoch that we took is still the one in force.

ORDERS says so by itself when it refuses an order. That may be long after a takeover, and what else a deposed leader does in the
meantime would be wrong: so the record is looked up whenever it may have changed. When something is said on `order.epoch` (a
process that was paused finds that in its socket when it wakes), after each reconnection, and before the first write to
PostgreSQL after that was away. Another's record ends the process; no record is not another's (the stream was made anew).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from loguru import logger

from bus.connection import Connection
from bus.epoch import Lead, read_epoch
from bus.errors import BusError
from bus.subjects import EPOCH, Prefix

_ANSWER_S: Final = 1.0
_AGAIN_S: Final = 0.25
# What is said on the subject is heard before the stream has stored it: the record may still be the old one.
_STORED_SOON_S: Final = (0.25, 1.0, 3.0)


class LeadWatch:
    """Watches over one lead. For the loop's thread only. on_fenced: called when another epoch leads."""

    def __init__(self, connection: Connection, prefix: Prefix, *, on_fenced: Callable[[str], None]) -> None:
        self._connection = connection
        self._prefix = prefix
        self._on_fenced = on_fenced
        self._lead: Lead | None = None
        self._is_listening = False
        self._looking: asyncio.Task[None] | None = None

    async def begin(self, lead: Lead) -> None:
        """Watch over `lead`, in place of any before. Raises: BusError."""
        self._lead = lead
        if not self._is_listening:
            self._is_listening = True
            await self._connection.listen(self._prefix.add(EPOCH), lambda *_: self.look(_STORED_SOON_S))
        self.look()

    def look(self, again_s: tuple[float, ...] = ()) -> None:
        """Look the record up, again and again until somebody answers. again_s: look again so long after it was still ours."""
        if self._looking is not None:
            # Its question may have been lost with a connection, and its answer be older than what is asked about now.
            self._looking.cancel()
        if self._lead is not None:
            self._looking = asyncio.get_running_loop().create_task(self._look(again_s))

    async def _look(self, again_s: tuple[float, ...]) -> None:
        ours = await self.is_ours()
        if ours is None and self._connection.is_up:
            asyncio.get_running_loop().call_later(_AGAIN_S, self.look, again_s)
        elif ours and again_s:
            asyncio.get_running_loop().call_later(again_s[0], self.look, again_s[1:])

    async def is_ours(self) -> bool | None:
        """Return whether our epoch is in force; None if nobody can say. Another's is told to `on_fenced`."""
        lead = self._lead
        assert lead is not None, "take the lead first"
        try:
            found = await read_epoch(self._connection, self._prefix, timeout_s=_ANSWER_S)
        except BusError as error:
            logger.debug("nobody says who leads: {}", error)
            return None
        if found is None or found.sequence == lead.sequence or found.record.epoch < lead.record.epoch:
            return True
        self._on_fenced(f"{found.record.instance} leads in epoch {found.record.epoch}; ours was {lead.record.epoch}")
        return False
