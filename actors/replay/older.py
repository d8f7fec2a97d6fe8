"""What older code did not say yet: a recording of it does not differ for that.

Here stands what is said in addition. Where a rule decides otherwise than it did, nothing is excused: that is what a replay is for.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from bus.messages.accounts import DrawdownFired
from bus.messages.recording import SPOKEN
from bus.messages.records import Commit


def as_then(spoken: int, actor: str, said: Iterable[object]) -> list[object]:
    """Return of what is `said` now what code could say whose `bus.messages.recording.SPOKEN` was `spoken`."""
    if spoken >= SPOKEN:
        return list(said)
    if actor != "auto_stop":
        return list(said)
    return [_undated(word) for word in said if spoken >= 1 or not _is_rest(word)]


def _undated(word: object) -> object:
    """Return it without the instant at which what is known of an account was written down: said since 2."""
    match word:
        case Commit(account_progress=kept) if kept:
            return replace(word, account_progress=tuple(replace(one, ts=0) for one in kept))
        case DrawdownFired(progress=progress):
            return replace(word, progress=replace(progress, ts=0))
        case _:
            return word


def _is_rest(word: object) -> bool:
    """Whether it keeps what the rules of a trade have counted that has come to rest: said since capsules are kept."""
    return isinstance(word, Commit) and word.cause.startswith("rest-")
