"""What older code did not say yet: a recording of it does not differ for that.

Here stands what is said in addition. Where a rule decides otherwise than it did, nothing is excused: that is what a replay is for.
"""

from collections.abc import Iterable

from bus.messages.recording import SPOKEN
from bus.messages.records import Commit


def as_then(spoken: int, actor: str, said: Iterable[object]) -> list[object]:
    """Return of what is `said` now what code could say whose `bus.messages.recording.SPOKEN` was `spoken`."""
    if spoken >= SPOKEN:
        return list(said)
    return [word for word in said if not (spoken < 1 and actor == "auto_stop" and _is_rest(word))]


def _is_rest(word: object) -> bool:
    """Whether it keeps what the rules of a trade have counted that has come to rest: said since capsules are kept."""
    return isinstance(word, Commit) and word.cause.startswith("rest-")
