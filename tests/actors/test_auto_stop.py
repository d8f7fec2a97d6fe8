"""AutoStop judges the ticks before anybody else sees them, and a close goes before those who only watch."""

from typing import Any

from actors.auto_stop import AutoStop
from bus.messages.market import Ticks
from bus.messages.stops import StopFired
from tests.actors.builders import Heard, an_inbox
from tests.rules.desk.builders import a_fired

TICKS = Ticks(batch=(), received_ns=1)


class Says:
    """An engine that answers every word alike."""

    def __init__(self, *words: object) -> None:
        self._words = list(words)

    def handle(self, _word: Any) -> list[object]:
        return list(self._words)


def an_auto_stop(heard: Heard, *says: object) -> AutoStop:
    return AutoStop(an_inbox("auto_stop"), heard.failed, engine=Says(*says), say=heard)


def test_ticks_are_handed_on_when_they_have_been_judged() -> None:
    heard = Heard()

    an_auto_stop(heard, "timer").on_receive(TICKS)

    assert heard.so_far() == ["timer", TICKS]


def test_whatever_else_a_fired_stop_leads_to_is_said_at_the_next_turn() -> None:
    heard, fired = Heard(), a_fired()
    actor = an_auto_stop(heard, "timer", fired, "progress")

    actor.on_receive(TICKS)
    first = heard.so_far()
    actor.on_receive(actor.inbox.take(0))

    assert first == [fired]
    assert heard.so_far() == ["timer", "progress", TICKS]


def test_what_is_no_tick_stays_here() -> None:
    heard = Heard()

    an_auto_stop(heard).on_receive("a trade")

    assert not any(isinstance(word, StopFired | str) for word in heard.so_far())
