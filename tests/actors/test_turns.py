"""Stopping an actor never waits for one that is dead; actors that belong together share a thread."""

import threading
from threading import Event
from typing import Any

from actors.activity import Activity
from actors.inbox import MAX_TRIES, Inbox
from actors.turns import OwnThreads
from actors.watched import WatchedActor
from tests.actors.builders import Heard, an_echo, an_inbox


class Pair:
    """Two actors that share a thread, `desk` going first; both note what they hear. `hold` keeps the thread until the end."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, object]] = []
        self.threads: set[int] = set()
        self.gate, self.holds = Event(), Event()
        self.heard = Heard()
        self.turns = OwnThreads(Activity(), ("desk", "stops"))
        self.desk, self.stops = an_inbox("desk"), an_inbox("stops")
        self.actors = [self.start(self.desk), self.start(self.stops)]

    def start(self, inbox: Inbox) -> WatchedActor:
        actor = an_echo(lambda word: self.note(inbox.name, word))(inbox, self.heard.failed)
        self.turns.start(actor)
        return actor

    def note(self, name: str, word: Any) -> None:
        self.threads.add(threading.get_ident())
        if word == "hold":
            self.holds.set()
            assert self.gate.wait(10)
        self.notes.append((name, word))

    def hold(self) -> None:
        """Let everything wait that is put from now on."""
        self.stops.put("hold")
        assert self.holds.wait(10)

    def stop(self) -> list[tuple[str, object]]:
        self.gate.set()
        for actor in reversed(self.actors):
            self.turns.stop(actor, 10)
        return self.notes


def test_actors_that_belong_together_share_a_thread() -> None:
    pair = Pair()
    pair.desk.put("a")
    pair.stops.put("b")

    notes = pair.stop()

    assert sorted(notes) == [("desk", "a"), ("stops", "b")]
    assert len(pair.threads) == 1


def test_the_first_of_them_goes_before_what_waited_longer() -> None:
    """A stop that fired is closed before the next batch of ticks is looked at."""
    pair = Pair()
    pair.hold()
    for inbox, word in ((pair.stops, "ticks"), (pair.desk, "fired")):
        inbox.put(word)

    assert pair.stop() == [("stops", "hold"), ("desk", "fired"), ("stops", "ticks")]


def test_a_flood_for_the_first_lets_the_other_have_its_turn() -> None:
    pair = Pair()
    pair.hold()
    pair.stops.put("ticks")
    for number in range(100):
        pair.desk.put(number)

    notes = pair.stop()

    assert notes.index(("stops", "ticks")) < 20


def test_one_that_dies_leaves_the_thread_to_the_other_and_to_its_successor() -> None:
    """Fault 41."""
    pair = Pair()
    pair.stops.put("poison")
    for _ in range(MAX_TRIES):
        assert pair.heard.died.wait(10)
        pair.heard.died.clear()
        pair.stops.after_crash()
        pair.actors[1] = pair.start(pair.stops)
    pair.stops.put("b")
    pair.desk.put("a")

    assert sorted(pair.stop()) == [("desk", "a"), ("stops", "b")]


def test_the_thread_ends_with_its_last_actor_and_begins_again_with_the_next() -> None:
    pair = Pair()
    pair.stop()
    pair.actors = [pair.start(pair.desk)]
    pair.desk.put("again")

    assert pair.stop() == [("desk", "again")]


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
