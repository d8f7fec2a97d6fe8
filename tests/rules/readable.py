"""What is said must be readable: whoever hears a word finds in it what its type promises, over the wire and after a restart."""

from collections.abc import Iterable
from functools import cache
from typing import TypeVar

import msgspec

from actors.rules.trade.steps import Step
from bus.messages.envelope import Outgoing
from bus.messages.plain import from_json, to_json
from bus.messages.records import Answer, Commit, Query

Said = TypeVar("Said", bound=Iterable[object])


def readable(said: Said) -> Said:
    """Return `said`. Raises: whatever finds out that a word of it cannot be written, or not be read again."""
    for word in said:
        _read(word)
    return said


def readable_step(step: Step) -> Step:
    """Return `step`, as `readable` does."""
    readable((step.trade, *step.edges, *step.entries, *step.closes, *step.cancels, *step.taken, *step.timers))
    readable((*step.marks, *step.questions, *step.notices, *step.fills))
    for late in step.late:
        readable_step(late)
    return step


def _read(word: object) -> None:
    match word:
        case Outgoing(message=message, cause=cause):
            assert cause, "nobody could tell why it left"
            _read(message)
        case Answer(reply=reply):
            _read(reply.result)
        case Commit(outbox=outbox, answer=answer):
            readable((*outbox, answer))
        case _:
            pass
    if isinstance(word, msgspec.Struct) and _can_be_read(type(word)):
        from_json(type(word), to_json(word))


@cache
def _can_be_read(kind: type) -> bool:
    """Some words of the house hold what msgspec does not read, a union or any object; nobody writes those."""
    if kind is Query:
        return False
    try:
        from_json(kind, b"0")
    except msgspec.DecodeError:
        return True
    except TypeError:
        return False
    return True
