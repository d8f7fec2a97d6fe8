"""What is answered while PostgreSQL is away: nobody waits in silence, and nobody hears that something stands that does not.

A close is in effect once ORDERS has its order: its answer leaves then. Of everything else is said what is true: it is known
here, and not written down yet.
"""

from collections.abc import Container
from typing import Final

from msgspec.structs import replace

from bus.messages import addresses
from bus.messages.records import Answer, Commit, OrderStored
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import CloseInEffect

_WORDS: Final = "PostgreSQL is away: this is known here and will be written when it returns. Ask the same again to hear when it stands."


class EarlyAnswers:
    """Which answers left before their commit, and which wait for an order; during one outage."""

    def __init__(self) -> None:
        self._given: set[int] = set()
        self._closes: dict[str, list[Commit]] = {}

    def hear(self, commit: Commit, stored: Container[str]) -> list[Answer]:
        """Return what is answered at once for a commit that must wait. stored: ids of messages that NATS has."""
        answer = commit.answer
        if answer is None:
            return []
        close = answer.reply.result
        if isinstance(close, CloseInEffect) and answer.reply.ok:
            if close.client_order_id is None or addresses.submitted(close.client_order_id) not in stored:
                self._closes.setdefault(close.trade_id, []).append(commit)
                return []
        elif answer.reply.ok:
            error = Error(code=ErrorCode.UNAVAILABLE, message=_WORDS, retry=True)
            answer = replace(answer, reply=replace(answer.reply, ok=False, result=None, error=error))
        self._given.add(id(commit))
        return [answer]

    def order_stored(self, order: OrderStored) -> list[Answer]:
        """Return the answers that waited for a close of this trade to be durable."""
        waited = self._closes.pop(order.trade_id, [])
        self._given.update(map(id, waited))
        return [commit.answer for commit in waited if commit.answer is not None]

    def take(self, commit: Commit) -> Answer | None:
        """Return the answer that `commit`, which stands now, still owes."""
        if id(commit) in self._given:
            self._given.remove(id(commit))
            return None
        return commit.answer

    def end(self) -> None:
        """The outage is over: everything that waited has been taken."""
        self._closes.clear()
