"""Whether the next transaction waits for ORDERS: both end at the same disk, and a close goes first.

A close is on its way into ORDERS while its commit comes here. A transaction that begins meanwhile costs the close half a
millisecond, in which the order is nowhere; once ORDERS has it, it is durable and the record has time. A few milliseconds at most:
whatever keeps ORDERS from answering must not keep the record from being written.
"""

from typing import Final

from actors.rules.record.outage import OWNER
from bus.messages.orders import OrderSubmit
from bus.messages.records import Commit
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_MS

KEY: Final = "orders_first"
WAIT_NS: Final = 5 * NS_PER_MS


class OrdersFirst:
    """The closes of waiting commits that ORDERS may not have yet."""

    def __init__(self) -> None:
        self._leaving: set[str] = set()

    def __bool__(self) -> bool:
        """Whether to wait."""
        return bool(self._leaving)

    def hear(self, commit: Commit, stored: set[str], now_ns: int) -> list[SetTimer]:
        """Note the closes of `commit`; return the timer that ends the wait. stored: messages that NATS has without a row."""
        leaving = {
            outgoing.msg_id
            for outgoing in commit.outbox
            if outgoing.direct and isinstance(outgoing.message, OrderSubmit)
        } - stored
        begins = bool(leaving) and not self._leaving
        self._leaving |= leaving
        return [SetTimer(owner=OWNER, key=KEY, due_ns=now_ns + WAIT_NS)] if begins else []

    def order_stored(self, msg_id: str) -> None:
        """ORDERS has that one."""
        self._leaving.discard(msg_id)

    def give_up(self) -> None:
        """It has taken long enough."""
        self._leaving.clear()
