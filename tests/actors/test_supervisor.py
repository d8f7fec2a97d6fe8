"""The root rebuilds what dies, up to a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from actors.activity import Activity
from actors.inbox import Inbox
from actors.rules.status import StatusBoard
from actors.supervisor import Child, Supervisor
from actors.turns import OwnThreads
from actors.watched import EngineActor, Failed, WatchedActor
from bus.messages.records import Commit
from bus.messages.system import Status
from bus.messages.timers import SetTimer, TimerFired
from tests.actors.builders import Echo, FixedClock, Heard, an_echo, an_inbox, running


class House:
    """A supervisor with one child called echo."""

    def __init__(self, build: object = None, restart_max: int = 5) -> None:
        self.heard = Heard()
        self.said: SimpleQueue[object] = SimpleQueue()
        self.ended: SimpleQueue[tuple[int, str]] = SimpleQueue()
        self.clock = FixedClock(1_000)
        self.child = Child(name="echo", inbox=an_inbox(), build=build or an_echo(self.heard))  # type: ignore[arg-type]
        self.inbox = an_inbox("supervisor")
        self.board = StatusBoard(instance="test", epoch=1, version="0", live_enabled=False)
        self.supervisor = Supervisor(
            self.inbox,
            children=[self.child],
            turns=OwnThreads(Activity()),
            clock=self.clock,
            say=self.said.put,
            board=self.board,
            escalate=lambda code, why: self.ended.put((code, why)),
            restart_max=restart_max,
            restart_window_ns=60_000_000_000,
            health_interval_ns=1_000_000_000,
        )

    def commit(self) -> Commit:
        while True:
            word = self.said.get(timeout=10)
            if isinstance(word, Commit):
                return word


@contextmanager
def a_house(build: object = None, restart_max: int = 5) -> Iterator[House]:
    house = House(build, restart_max)
    with running(house.supervisor):
        yield house
    if house.child.actor is not None:
        assert house.child.actor.actor_stopped.wait(5)


def test_a_crashed_actor_is_rebuilt_and_serves_what_waited() -> None:
    """Fault 41"""
    with a_house() as house:
        for word in ("a", "poison", "b"):
            house.child.inbox.put(word)

        said = house.heard.wait_for(2)

    assert said == ["a", "b"]
    assert house.child.restarts == 2


def test_the_word_that_crashed_an_actor_twice_is_quarantined() -> None:
    """Fault 23"""
    with a_house() as house:
        house.child.inbox.put("poison")

        commits = [house.commit(), house.commit()]

    assert [len(commit.quarantined) for commit in commits] == [0, 1]
    assert commits[1].quarantined[0].body == b"'poison'"


def test_every_crash_leaves_a_notice_with_its_outbox_row() -> None:
    with a_house() as house:
        house.child.inbox.put("poison")

        commit = house.commit()

    assert commit.notices[0].kind == "actor_restarted"
    assert commit.outbox[0].message == commit.notices[0]


def test_too_many_crashes_within_the_window_end_the_process() -> None:
    with a_house(restart_max=1) as house:
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


def test_health_is_said_when_its_timer_fires_and_the_timer_is_set_again() -> None:
    with a_house() as house:
        house.said.get(timeout=10)
        house.inbox.put(TimerFired(owner="supervisor", key="health", due_ns=1_000, now_ns=5_000))

        status, timer = house.said.get(timeout=10), house.said.get(timeout=10)

    assert isinstance(status, Status)
    assert status.actors[0].alive
    assert timer == SetTimer(owner="supervisor", key="health", due_ns=1_000_005_000)


def test_the_process_is_not_ready_while_an_input_does_not_flow_yet() -> None:
    with a_house() as house:
        house.said.get(timeout=10)  # the children have started
        before = house.supervisor.status(1_000)
        house.board.is_watching = True
        after = house.supervisor.status(1_000)

    assert (before.ready, after.ready) == (False, True)
