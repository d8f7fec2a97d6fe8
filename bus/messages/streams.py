"""The streams on disk: whoever watches over them asks, the wire looks and tells."""

import msgspec

from bus.messages.units import UtcNs


class StreamsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Look at the streams. The answer is `StreamsSeen`, unless NATS does not answer."""

    now_ns: UtcNs


class StreamStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One stream on disk as it stands.

    created: as the server says it; None: there is no such stream. fill_percent: of what it may hold. drift: what differs
    from its definition, in words.
    """

    name: str
    created: str | None
    last_sequence: int = 0
    fill_percent: int = 0
    drift: tuple[str, ...] = ()


class StreamsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Every stream on disk that Watchkeeper relies on."""

    streams: tuple[StreamStanding, ...]
    now_ns: UtcNs
