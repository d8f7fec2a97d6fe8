"""What the demo and the feed that plays its recording (`bus.recorded_feed`) tell each other over NATS."""

from typing import Final

import msgspec

READY: Final = "demo.ready"
HORIZON: Final = "demo.horizon"
END: Final = "demo.end"


class Horizon(msgspec.Struct, frozen=True):
    """How far the demo has come: everything up to `line`, whose instant is `ts`, has been applied."""

    line: int
    ts: str


class EndOfRecording(msgspec.Struct, frozen=True):
    """What the publisher has done. events: messages published; lines: read; ignored: left out, by kind."""

    events: int
    lines: int
    first_ts: str
    last_ts: str
    ignored: dict[str, int]
