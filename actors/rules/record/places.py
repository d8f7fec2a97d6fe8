"""Up to which sequence of each stream everything has had its effect: where the next process must begin to read.

Inputs are heard in the order of the stream and settle in any order: an open waits for its stop check, a command for PostgreSQL.
So what counts is the last settled input in front of the oldest unsettled one. Our own orders stand in ORDERS between the reports:
whatever was decided before a report was heard was committed before that report's commit, so it stands as well once the report
is settled; of what lies behind the last settled one nothing is known. Not so an order whose trade was lost with its process: it
is waited for like an input until its row stands.

Heard on the wire's thread, settled on the Database actor's: each step is one atomic operation on a dict.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from bus.messages.envelope import Malformed, Received
from bus.messages.records import OrdersTail, Place
from bus.messages.units import NS_PER_S

_NOTED_EACH_NS: Final = NS_PER_S


class Places:
    """Follows each stream from where it stood at the start. known: by full stream name."""

    def __init__(self, known: Mapping[str, Place] | None = None) -> None:
        self._reached = {stream: place.reached for stream, place in (known or {}).items()}
        self._noted = dict(self._reached)
        self._noted_ns = 0
        self._outstanding: dict[str, dict[int, None]] = {}
        self._settled: dict[str, set[int]] = {}
        """Beyond what is reached."""
        self._strangers: dict[str, tuple[str, int]] = {}
        """Where the orders of trades that are not on record stand."""

    def heard(self, stream: str, sequence: int) -> None:
        """An input has come, perhaps again."""
        self._outstanding.setdefault(stream, {})[sequence] = None

    def settled(self, stream: str, sequence: int) -> None:
        """An input has its row. One that was only read at the start does not count before it comes: others may be missing still."""
        outstanding = self._outstanding.get(stream, {})
        if sequence in outstanding:
            self._settled.setdefault(stream, set()).add(sequence)
            del outstanding[sequence]

    def awaited(self, stream: str, sequence: int, client_order_id: str) -> None:
        """An order of ours has left, and its trade is not on record: it has had its effect once it has its row."""
        self._strangers[client_order_id] = (stream, sequence)
        self.heard(stream, sequence)

    def stands(self, client_order_id: str) -> None:
        """An order has its row."""
        if (place := self._strangers.pop(client_order_id, None)) is not None:
            self.settled(*place)

    def reached(self) -> dict[str, int]:
        """Return, by stream, the last settled input before which everything is settled; it never falls."""
        for stream, outstanding in self._outstanding.copy().items():
            oldest = min(tuple(outstanding), default=None)
            settled = self._settled.get(stream, set())
            passed = {sequence for sequence in settled if oldest is None or sequence < oldest}
            settled -= passed
            self._reached[stream] = max(self._reached.get(stream, 0), *passed, 0)
        return dict(self._reached)

    def on_record(self) -> dict[str, int]:
        """Return what was written down last."""
        return dict(self._noted)

    def to_note(self, now_ns: int) -> dict[str, int]:
        """Return what is to be written down now: once in a second at most, and only what has moved."""
        if now_ns - self._noted_ns < _NOTED_EACH_NS:
            return {}
        return {stream: reached for stream, reached in self.reached().items() if reached != self._noted.get(stream)}

    def noted(self, reached: Mapping[str, int], now_ns: int) -> None:
        """It is written down."""
        self._noted.update(reached)
        self._noted_ns = now_ns


def unsettled(tail: OrdersTail, places: Mapping[str, Place]) -> OrdersTail:
    """Return `tail` without the reports that have had their effect."""

    def has_had_it(word: Received[Any] | Malformed) -> bool:
        assert word.delivery is not None
        return places.get(word.delivery.stream, Place()).holds(word.delivery.sequence)

    return replace(tail, reports=tuple(word for word in tail.reports if not has_had_it(word)))
