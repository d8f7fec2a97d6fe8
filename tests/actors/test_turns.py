"""Stopping an actor never waits for one that is dead."""

from actors.activity import Activity
from actors.turns import OwnThreads
from tests.actors.builders import Heard, an_echo, an_inbox


def test_a_stopped_actor_has_handled_what_waited_before_it() -> None:
    heard, turns, inbox = Heard(), OwnThreads(Activity()), an_inbox()
    actor = an_echo(heard)(inbox, heard.failed)
    turns.start(actor)
    inbox.put("a")

    turns.stop(actor, 10)

    assert heard.so_far() == ["a"]


def test_an_actor_that_dies_before_it_hears_that_it_should_stop_has_ended_all_the_same() -> None:
    """A question that races a death never resolves: the interpreter hung at its end."""
    heard, turns, inbox = Heard(), OwnThreads(Activity()), an_inbox()
    actor = an_echo(heard)(inbox, heard.failed)
    inbox.put("poison")
    turns.start(actor)

    turns.stop(actor)

    assert actor.ended.is_set()
    assert heard.died.is_set()
