"""Time as messages: whoever needs to act later asks `Timer`, and hears `TimerFired`."""

import msgspec

from bus.messages.units import UtcNs


class SetTimer(msgspec.Struct, frozen=True, kw_only=True):
    """Tell `owner` at `due_ns`. The same (owner, key) again moves it."""

    owner: str
    key: str
    due_ns: UtcNs


class CancelTimer(msgspec.Struct, frozen=True, kw_only=True):
    """Forget that timer; unknown ones are ignored."""

    owner: str
    key: str


class TimerFired(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline has passed. now_ns >= due_ns: the only "now" that rules see."""

    owner: str
    key: str
    due_ns: UtcNs
    now_ns: UtcNs
