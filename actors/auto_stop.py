"""AutoStop: the stop rules and the index of thresholds. `rules.stops.engine` decides."""

from collections.abc import Callable
from typing import Any

import msgspec

from actors.inbox import Inbox
from actors.watched import Engine, EngineActor, Failed
from bus.messages.market import Ticks
from bus.messages.stops import MarkWanted, StopFired


class _Later(msgspec.Struct, frozen=True):
    """What else a word led to that fired a stop: said at the next turn, behind the close."""

    words: list[object]


class AutoStop(EngineActor):
    """Fires stops: a tick costs O(log n + fired) in the trades that it concerns.

    Hears ticks (in read batches), trades, timers. Says fired stops, decisions held back, progress, timers; then the ticks, for
    everybody else who looks at the market. Where a stop has fired, all but that waits for the next turn: each word wakes a thread,
    and those would contend with the close for the interpreter.

    Wishes for a mark pass through here, to who watches: behind the ticks that came before them. Else a close that has to wait could
    be priced by what stood before the very tick that fired it.
    """

    def __init__(
        self,
        inbox: Inbox,
        failed: Failed,
        *,
        engine: Engine,
        say: Callable[[object], None],
        watcher: Callable[[object], None],
    ) -> None:
        super().__init__(inbox, failed, engine=engine, say=say)
        self._watcher = watcher

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide, say what it says, and hand ticks on."""
        if type(message) is _Later:
            self._say_all(message.words)
            return
        if type(message) is MarkWanted:
            self._watcher(message)
            return
        said = self._engine.handle(message)
        if type(message) is Ticks:
            said.append(message)
        fired = [word for word in said if type(word) is StopFired]
        if fired:
            self.inbox.put(_Later([word for word in said if type(word) is not StopFired]))
        self._say_all(fired or said)
