"""AutoStop: the stop rules and the index of thresholds. `rules.stops.engine` decides."""

from typing import Any

import msgspec

from actors.watched import EngineActor
from bus.messages.market import Ticks
from bus.messages.stops import StopFired


class _Judged(msgspec.Struct, frozen=True):
    """A batch of which a stop has fired: its turn comes after the close."""

    ticks: Ticks


class AutoStop(EngineActor):
    """Fires stops: a tick costs O(log n + fired) in the trades that it concerns.

    Hears ticks (in read batches), trades, timers. Says fired stops, decisions held back, progress, timers; then the ticks, for
    everybody else who looks at the market: whoever only watches does not contend with a close for the interpreter.
    """

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide, say what it says, then hand the ticks on; behind the close, if there is one."""
        if type(message) is _Judged:
            self._say(message.ticks)
            return
        said = self._engine.handle(message)
        for word in said:
            self._say(word)
        if type(message) is Ticks:
            if any(type(word) is StopFired for word in said):
                self.inbox.put(_Judged(message))
            else:
                self._say(message)
