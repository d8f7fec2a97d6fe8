"""The clock that stamps what the wires say."""

from typing import Protocol


class Now(Protocol):
    """Now (`actors.ports.Clock`)."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        ...
