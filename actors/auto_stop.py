"""AutoStop: the stop rules and the index of thresholds. `rules.stops.engine` decides."""

from typing import Any

import msgspec

from actors.watched import EngineActor
from bus.messages.market import Ticks
from bus.messages.stops import StopFired


class _Later(msgspec.Struct, frozen=True):
    """What else a word led to that fired a stop: said at the next turn, behind the close."""

    words: list[object]


class AutoStop(EngineActor):
    """Fires stops: a tick costs O(log n + fired) in the trades that it concerns.

    Hears ticks (in read batches), trades, timers. Says fired stops, decisions held back, progress, timers; then the ticks, for
    everybody else who looks at the market. Where a stop has fired, all but that waits for the next turn: each word wakes a thread,
    and those would contend with the close for the interpreter.
    """

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide, say what it says, and hand ticks on."""
        if type(message) is _Later:
            self._say_all(message.words)
            return
        said = self._engine.handle(message)
        if type(message) is Ticks:
            said.append(message)
        fired = [word for word in said if type(word) is StopFired]
        if fired:
            self.inbox.put(_Later([word for word in said if type(word) is not StopFired]))
        self._say_all(fired or said)
