"""AutoStop judges the ticks before anybody else sees them, and a close goes before those who only watch."""

from typing import Any

from actors.auto_stop import AutoStop
from bus.messages.market import Ticks
from bus.messages.stops import MarkWanted, StopFired
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
    return AutoStop(an_inbox("auto_stop"), heard.failed, engine=Says(*says), say=heard, watcher=heard)


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


def test_a_wish_for_a_mark_is_handed_on_behind_the_tick_that_fired() -> None:
    """Fault 30: a close that has to wait is priced by what its stop has seen, or by what came later."""
    heard, wanted = Heard(), MarkWanted(trade_id="t1", client_order_id="t1-close-1", now_ns=1)
    actor = an_auto_stop(heard, a_fired())

    actor.on_receive(TICKS)
    actor.inbox.put(wanted)
    for _ in range(2):
        actor.on_receive(actor.inbox.take(0))

    assert heard.so_far()[1:] == [TICKS, wanted]


def test_what_is_no_tick_stays_here() -> None:
    heard = Heard()

    an_auto_stop(heard).on_receive("a trade")

    assert not any(isinstance(word, StopFired | str) for word in heard.so_far())
