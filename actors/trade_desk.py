"""TradeDesk: each trade's state machine, and the only issuer of orders. `rules.desk.desk` decides."""

from collections.abc import Callable
from typing import Any, Protocol

from actors.inbox import Inbox
from actors.watched import Failed, WatchedActor


class Decider(Protocol):
    """The desk's engine, or what notes it."""

    def decide(self, word: object) -> tuple[list[object], Callable[[], list[object]]]:
        """See `rules.desk.desk.Desk.decide`."""
        ...


class TradeDesk(WatchedActor):
    """Owns every trade's life.

    Hears requests, commands, reports, positions, settlements, lifecycle events, fired stops, marks, timers.
    Says orders (closes at once, entries through their commit), commits, trades, timers, questions, notices.
    """

    def __init__(self, inbox: Inbox, failed: Failed, *, engine: Decider, say: Callable[[object], None]) -> None:
        super().__init__(inbox, failed)
        self._engine = engine
        self._say = say

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Say what may not wait, then let the engine write it down and say the rest, in order."""
        say = self._say
        urgent, conclude = self._engine.decide(message)
        for word in urgent:
            say(word)
        for word in conclude():
            say(word)
