"""The conductor works real actors on the thread that waits for them."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from actors.activity import Activity
from actors.inbox import Inbox
from actors.replay.conductor import Conductor
from actors.watched import EngineActor, Failed, WatchedActor
from bus.messages.records import Commit
from tests.actors.builders import FixedClock, a_child, a_supervisor

SOON_S = 10.0


class Scribe:
    """An engine that notes who heard what, and on which thread; `poison` raises; what it says is looked up by word."""

    def __init__(self, name: str, notes: list[tuple[str, object]], says: Mapping[str, list[object]]) -> None:
        self._name = name
        self._notes = notes
        self._says = says
        self.threads: set[int] = set()

    def handle(self, word: Any) -> list[object]:
        self.threads.add(threading.get_ident())
        if word == "poison":
            raise ValueError("poison")
        self._notes.append((self._name, word))
        return self._says.get(str(word), [])


class Stage:
    """Two actors, `a` and `b`. Whatever either says goes to `b`."""

    def __init__(self, **says: list[object]) -> None:
        self.whole = Activity()
        self.in_hand = Activity(within=self.whole)
        self.conductor = Conductor(self.in_hand, self.whole)
        self.notes: list[tuple[str, object]] = []
        self.failed: list[str] = []
        self.scribe = Scribe("a", self.notes, dict(says))
        self.a = Inbox("a", self.in_hand)
        self.b = Inbox("b", self.in_hand)
        self.actors = [self.actor(self.a, self.scribe), self.actor(self.b, Scribe("b", self.notes, dict(says)))]

    def actor(self, inbox: Inbox, engine: Scribe) -> EngineActor:
        return EngineActor(inbox, lambda name, _: self.failed.append(name), engine=engine, say=self.b.put)

    def start(self) -> "Stage":
        for actor in self.actors:
            self.conductor.start(actor)
        return self


def on_another_thread(work: Callable[[], object]) -> None:
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()


def test_actors_work_on_the_thread_that_waits_for_them() -> None:
    stage = Stage().start()
    on_another_thread(lambda: stage.a.put("word"))

    assert stage.conductor.quiet(SOON_S)

    assert stage.scribe.threads == {threading.get_ident()}


def test_turns_are_taken_in_the_order_in_which_words_were_put() -> None:
    stage = Stage(first=["caused"]).start()
    for inbox, word in ((stage.a, "first"), (stage.b, "second"), (stage.a, "third")):
        inbox.put(word)

    stage.conductor.quiet(SOON_S)

    assert stage.notes == [("a", "first"), ("b", "second"), ("a", "third"), ("b", "caused")]


def test_words_that_came_before_an_actor_stood_are_worked() -> None:
    stage = Stage()
    stage.a.put("early")

    stage.start().conductor.quiet(SOON_S)

    assert stage.notes == [("a", "early")]


def test_it_works_what_comes_from_outside_while_it_waits() -> None:
    """An order leaves, and the wire's thread brings back what became of it."""
    stage = Stage().start()
    stage.in_hand.begin()

    def come_back() -> None:
        stage.a.put("answer")
        stage.in_hand.end()

    wire = threading.Timer(0.01, come_back)
    wire.start()

    assert stage.conductor.quiet(SOON_S)
    assert stage.notes == [("a", "answer")]


def test_it_gives_up_when_nothing_comes_back() -> None:
    stage = Stage().start()
    stage.in_hand.begin()

    assert not stage.conductor.quiet(0.01)


def test_the_house_is_quiet_before_the_record_stands_and_settled_after() -> None:
    stage = Stage().start()
    stage.whole.begin()
    stage.a.put("word")

    quiet, settled = stage.conductor.quiet(SOON_S), stage.conductor.settled(0)
    stage.whole.end()

    assert (quiet, settled, stage.conductor.settled(SOON_S)) == (True, False, True)


def test_an_actor_that_crashes_is_reported_and_keeps_its_word_for_the_next_one() -> None:
    """Fault 41"""
    stage = Stage().start()
    for word in ("poison", "after"):
        stage.a.put(word)
    quiet = stage.conductor.quiet(0.01)

    stage.a.after_crash()
    stage.conductor.start(stage.actor(stage.a, Scribe("next", stage.notes, {})))
    stage.conductor.quiet(0.01)

    assert (quiet, stage.failed) == (False, ["a", "a"])
    assert stage.a.in_hand == "poison"


def test_a_supervisor_rebuilds_a_conducted_actor_and_quarantines_what_crashed_it_twice() -> None:
    """Fault 23, Fault 41"""
    stage = Stage()
    said: list[object] = []

    def build(inbox: Inbox, failed: Failed) -> WatchedActor:
        return EngineActor(inbox, failed, engine=stage.scribe, say=said.append)

    child = a_child(stage.a, build)
    root = a_supervisor(
        Inbox("supervisor", stage.in_hand),
        child,
        turns=stage.conductor,
        clock=FixedClock(1_000),
        say=said.append,
        escalate=lambda _code, reason: said.append(reason),
    )
    stage.conductor.start(root)
    for word in ("poison", "after"):
        stage.a.put(word)

    assert stage.conductor.quiet(SOON_S)

    assert stage.notes == [("a", "after")]
    assert [len(word.quarantined) for word in said if isinstance(word, Commit)] == [0, 1]
    stage.conductor.stop(root)
    assert not child.is_alive


def test_an_actor_that_stands_apart_has_a_thread_of_its_own() -> None:
    stage = Stage()
    stage.conductor = Conductor(stage.in_hand, stage.whole, apart=frozenset({"a"}))
    stage.start()
    stage.a.put("word")

    assert stage.conductor.quiet(SOON_S)

    assert stage.scribe.threads.isdisjoint({threading.get_ident()})
    for actor in stage.actors:
        stage.conductor.stop(actor)
