"""Reconciler: agreement with the venues, and the only one who asks them. `rules.reconcile.reconciler` decides."""

from collections.abc import Callable
from typing import Any

from actors.inbox import Inbox
from actors.ports import Wire
from actors.watched import Engine, EngineActor, Failed
from bus.messages.orders import VenueQuestion
from bus.messages.reconcile import AccountQuestion


class Reconciler(EngineActor):
    """Hears trades, the desk's questions, the venues' answers, timers. Says evidence, corrections, standings, notices."""

    def __init__(
        self, inbox: Inbox, failed: Failed, *, engine: Engine, say: Callable[[object], None], wire: Wire
    ) -> None:
        super().__init__(inbox, failed, engine=engine, say=say)
        self._wire = wire

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide; ask what it asks, and say the rest, in order."""
        for word in self._engine.handle(message):
            match word:
                case VenueQuestion():
                    self._wire.ask_venue(word)
                case AccountQuestion():
                    self._wire.ask_account(word)
                case _:
                    self._say(word)
