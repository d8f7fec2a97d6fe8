"""The root rebuilds what dies, up to a limit, and ends the process where something is stuck."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event
from typing import Any

import pytest

from actors.activity import Activity
from actors.inbox import Inbox
from actors.turns import OwnThreads
from actors.watched import EngineActor, Failed, WatchedActor
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice
from bus.messages.records import Commit
from bus.messages.system import Status
from bus.messages.timers import SetTimer, TimerFired
from tests.actors.builders import (
    STUCK_ROUNDS,
    Echo,
    FixedClock,
    Heard,
    a_child,
    a_supervisor,
    an_echo,
    an_inbox,
    running,
)

Build = Callable[[Inbox, Failed], WatchedActor]


class House:
    """A supervisor with one child, called echo unless named."""

    def __init__(self, build: Build | None = None, crashes_max: int = 5, name: str = "echo") -> None:
        self.heard = Heard()
        self.said: SimpleQueue[object] = SimpleQueue()
        self.ended: SimpleQueue[tuple[int, str]] = SimpleQueue()
        self.rounds: SimpleQueue[None] = SimpleQueue()
        self.wire_answers = True
        self.clock = FixedClock(1_000)
        self.child = a_child(an_inbox(name), build or an_echo(self.heard), crashes_max=crashes_max)
        self.inbox = an_inbox("supervisor")
        self.supervisor = a_supervisor(
            self.inbox,
            self.child,
            turns=OwnThreads(Activity()),
            clock=self.clock,
            say=self.said.put,
            escalate=lambda code, why: self.ended.put((code, why)),
            ask_wire=lambda answer: answer() if self.wire_answers else None,
            moves=lambda: self.rounds.put(None),
        )

    def next(self, kind: type) -> Any:
        """Return the next word of that kind that is said."""
        while True:
            word = self.said.get(timeout=10)
            if isinstance(word, kind):
                return word

    def round(self) -> None:
        """Let a round of beats pass."""
        self.inbox.put(TimerFired(owner="supervisor", key="beat", due_ns=1_000, now_ns=5_000))
        self.rounds.get(timeout=10)

    def busy_round(self) -> None:
        """Let a round pass in which the child has worked a word: rounds of a test follow each other faster than threads do."""
        self.child.inbox.put("a")
        self.heard.wait_for(1)
        self.round()


@contextmanager
def a_house(build: Build | None = None, crashes_max: int = 5) -> Iterator[House]:
    house = House(build, crashes_max)
    with running(house.supervisor):
        house.rounds.get(timeout=10)  # it has begun
        yield house
    if house.child.actor is not None:
        assert house.child.actor.actor_stopped.wait(5)


class Held:
    """An engine that works on `hold` until `gate` opens."""

    def __init__(self) -> None:
        self.gate, self.entered = Event(), Event()

    def handle(self, word: object) -> list[object]:
        if word == "hold":
            self.entered.set()
            assert self.gate.wait(10)
        return []


@contextmanager
def a_held_house() -> Iterator[House]:
    """A house whose child is in the middle of a word."""
    engine = Held()

    def build(inbox: Inbox, failed: Failed) -> WatchedActor:
        return EngineActor(inbox, failed, engine=engine, say=print)

    with a_house(build) as house:
        house.child.inbox.put("hold")
        assert engine.entered.wait(10)
        house.round()
        yield house
        engine.gate.set()


def test_a_crashed_actor_is_rebuilt_and_serves_what_waited() -> None:
    """Fault 41, Lesson 13, L4"""
    with a_house() as house:
        for word in ("a", "poison", "b"):
            house.child.inbox.put(word)

        said = house.heard.wait_for(2)

    assert said == ["a", "b"]
    assert house.child.restarts == 2


def test_timer_is_rebuilt_at_once_each_time_for_nobody_else_says_that_it_is_time() -> None:
    """Fault 41, L4"""
    house = House(name="timer")
    house.supervisor._say = house.said.put  # no restart timer fires
    with running(house.supervisor):
        for word in ("poison", "poison", "b"):
            house.child.inbox.put(word)

        assert house.heard.wait_for(1) == ["b"]


def test_children_are_stopped_in_the_reverse_order_of_their_start() -> None:
    """Fault 48: what a child says as it ends is heard by those that were there before it."""
    ended: list[str] = []

    class Ending(EngineActor):
        def on_stop(self) -> None:
            ended.append(self.inbox.name)
            super().on_stop()

    def build(inbox: Inbox, failed: Failed) -> WatchedActor:
        return Ending(inbox, failed, engine=Echo(), say=print)

    children = [a_child(an_inbox(name), build) for name in ("database", "desk", "stops")]
    root = a_supervisor(
        an_inbox("supervisor"),
        *children,
        turns=OwnThreads(Activity()),
        clock=FixedClock(),
        say=lambda _: None,
        escalate=print,
    )
    with running(root):
        pass
    assert root.ended.wait(5)

    assert ended == ["stops", "desk", "database"]


def test_the_word_that_crashed_an_actor_twice_is_quarantined() -> None:
    """Fault 23, L5"""
    with a_house() as house:
        house.child.inbox.put("poison")

        commits = [house.next(Commit), house.next(Commit)]

    assert [len(commit.quarantined) for commit in commits] == [0, 1]
    assert commits[1].quarantined[0].body == b"'poison'"


def test_every_crash_leaves_a_notice_with_its_outbox_row() -> None:
    with a_house() as house:
        house.child.inbox.put("poison")

        commit = house.next(Commit)

    assert commit.notices[0].kind == "actor_restarted"
    assert commit.outbox[0].message == commit.notices[0]


def test_people_hear_of_a_word_that_was_given_up_before_its_record_stands() -> None:
    """DESIGN, idea 6: a critical notice leaves at once."""
    with a_house() as house:
        house.child.inbox.put("poison")

        direct = house.next(Outgoing)
        notice = house.next(Notice)

    assert (direct.direct, direct.message) == (True, notice)


def test_too_many_crashes_within_the_window_end_the_process() -> None:
    with a_house(crashes_max=1) as house:
        house.child.inbox.put("poison")

        code, why = house.ended.get(timeout=10)

    assert code == 70
    assert "echo died 2 times" in why


def test_an_actor_that_fails_in_on_start_is_restarted_too() -> None:
    """Fault 41"""
    tries: SimpleQueue[int] = SimpleQueue()
    heard = Heard()

    class Stumbling(EngineActor):
        def begin(self) -> None:
            tries.put(1)
            if tries.qsize() < 2:
                raise RuntimeError("not yet")

    def build(inbox: Inbox, failed: Failed) -> WatchedActor:
        return Stumbling(inbox, failed, engine=Echo(), say=heard)

    with a_house(build) as house:
        house.child.inbox.put("a")

        said = heard.wait_for(1)

    assert said == ["a"]


def test_to_fail_in_being_rebuilt_counts_as_a_crash() -> None:
    """Fault 41"""
    heard = Heard()

    def build(inbox: Inbox, failed: Failed) -> WatchedActor:
        if inbox.crashes == 1:
            raise RuntimeError("the state does not fit")
        return an_echo(heard)(inbox, failed)

    with a_house(build) as house:
        for word in ("poison", "after"):
            house.child.inbox.put(word)

        said = heard.wait_for(1)

    assert (said, house.child.restarts) == (["after"], 3)


def test_what_an_actor_could_not_say_is_said_by_the_next_and_its_cause_not_worked_again() -> None:
    """L6: no notice is dropped by a crash."""
    heard, worked = Heard(), list[object]()
    failures = iter([RuntimeError("no room")])

    class Threefold:
        def handle(self, word: object) -> list[object]:
            worked.append(word)
            return [f"{word}{number}" for number in range(3)]

    def say(word: object) -> None:
        if word == "a1" and (failure := next(failures, None)):
            raise failure
        heard(word)

    with a_house(lambda inbox, failed: EngineActor(inbox, failed, engine=Threefold(), say=say)) as house:
        for word in "ab":
            house.child.inbox.put(word)

        said = heard.wait_for(6)

    assert said == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert worked == ["a", "b"]


def test_what_crashes_every_actor_that_says_it_is_quarantined_and_the_rest_said() -> None:
    """Fault 23, L5"""
    heard = Heard()

    class Pair:
        def handle(self, word: object) -> list[object]:
            return [word, "after"]

    def say(word: object) -> None:
        if word == "bad":
            raise RuntimeError("bad")
        heard(word)

    with a_house(lambda inbox, failed: EngineActor(inbox, failed, engine=Pair(), say=say)) as house:
        house.child.inbox.put("bad")

        said, commits = heard.wait_for(1), [house.next(Commit), house.next(Commit)]

    assert said == ["after"]
    assert [row.body for row in commits[1].quarantined] == [b"'bad'"]


def test_an_actor_that_stops_without_a_word_is_rebuilt() -> None:
    """pykka ends every actor in silence when one of them raises what is no Exception."""
    with a_house() as house:
        house.child.inbox.put("a")
        house.heard.wait_for(1)
        actor = house.child.actor
        assert actor is not None
        OwnThreads(Activity()).stop(actor, 10)

        house.round()
        house.child.inbox.put("b")
        said = house.heard.wait_for(1)

    assert (said, house.child.restarts) == (["b"], 1)


def test_health_is_said_when_its_timer_fires_and_the_timer_is_set_again() -> None:
    with a_house() as house:
        house.inbox.put(TimerFired(owner="supervisor", key="health", due_ns=1_000, now_ns=5_000))

        status, timer = house.next(Status), house.next(SetTimer)

    assert status.actors[0].alive
    assert timer == SetTimer(owner="supervisor", key="health", due_ns=1_000_005_000)


def test_the_process_is_not_ready_while_an_input_does_not_flow_yet() -> None:
    with a_house() as house:
        house.child.inbox.put("a")
        house.heard.wait_for(1)  # the child has begun
        before = house.supervisor.status(1_000)
        house.supervisor._board.is_watching = True
        after = house.supervisor.status(1_000)

    assert (before.ready, after.ready) == (False, True)


def test_the_process_is_not_ready_before_a_beat_has_come_back_through_each_inbox() -> None:
    """Lessons 13, 17: an actor that stands and hears nothing is as good as none."""
    gate = Event()

    class Slow(EngineActor):
        def begin(self) -> None:
            assert gate.wait(10)

    heard = Heard()
    with a_house(lambda inbox, failed: Slow(inbox, failed, engine=Echo(), say=heard)) as house:
        house.round()  # the child has been started
        house.supervisor._board.is_watching = True
        before = house.supervisor.status(1_000)
        gate.set()
        house.child.inbox.put("a")
        heard.wait_for(1)
        after = house.supervisor.status(1_000)

    assert (before.ready, before.why_not_ready) == (False, ("echo has not answered yet",))
    assert after.ready


def test_a_rebuilt_actor_has_answered_only_once_it_has_begun_itself() -> None:
    """Lessons 13, 17: what the dead one answered says nothing of it."""
    gate, begins, heard = Event(), Event(), Heard()

    class Slow(EngineActor):
        def begin(self) -> None:
            if self.inbox.crashes:
                begins.set()
                assert gate.wait(10)

    with a_house(lambda inbox, failed: Slow(inbox, failed, engine=Echo(), say=heard)) as house:
        house.child.inbox.put("a")
        heard.wait_for(1)
        house.round()
        house.child.inbox.put("poison")
        assert begins.wait(10)
        [actor] = house.supervisor.status(1_000).actors
        gate.set()

    assert (actor.alive, actor.answers) == (True, False)


def test_an_actor_that_stays_in_one_word_ends_the_process_with_the_stacks_of_all_threads() -> None:
    """Fault 42, Lesson 17"""
    with a_held_house() as house:
        for _ in range(STUCK_ROUNDS):
            house.round()

        code, why = house.ended.get(timeout=10)

    assert code == 70
    assert why.startswith("echo is stuck")
    assert "in handle" in why


def test_an_actor_is_not_stuck_before_all_its_rounds_have_passed() -> None:
    with a_held_house() as house:
        for _ in range(STUCK_ROUNDS - 1):
            house.round()

    assert house.ended.empty()


def test_an_actor_with_nothing_to_do_is_never_stuck() -> None:
    with a_house() as house:
        for _ in range(3 * STUCK_ROUNDS):
            house.busy_round()

    assert house.ended.empty()


def test_a_wire_whose_thread_does_not_move_ends_the_process() -> None:
    """Fault 42"""
    with a_house() as house:
        house.wire_answers = False
        for _ in range(STUCK_ROUNDS + 2):
            house.busy_round()

        code, why = house.ended.get(timeout=10)

    assert (code, why.splitlines()[0]) == (70, "the NATS thread is stuck")


@pytest.mark.parametrize("words", [0, 3])
def test_a_stop_lets_every_child_finish_what_waits(words: int) -> None:
    """Fault 48"""
    with a_house() as house:
        for word in range(words):
            house.child.inbox.put(word)

    assert house.heard.so_far() == list(range(words))
