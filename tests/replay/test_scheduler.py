"""The scheduler gives turns by a seed and keeps the time; strands block within it; real actors work under it."""

from collections import deque
from collections.abc import Callable
from random import Random

import pytest

from actors.activity import Activity
from actors.inbox import Inbox
from actors.replay.scheduler import Gone, Scheduler
from actors.replay.shuffled import ShuffledTurns
from actors.replay.strands import Strand
from actors.rules.timers import TimerQueue
from actors.timer import Timer
from actors.watched import EngineActor
from bus.messages.timers import SetTimer, TimerFired
from tests.actors.builders import Echo


class Worker:
    """Says its name once for each piece of work that it holds."""

    def __init__(self, name: str, said: list[str], pieces: int) -> None:
        self.name = name
        self._said = said
        self._left = deque(range(pieces))

    def turn(self) -> bool:
        self._said.append(f"{self.name}{self._left.popleft()}")
        return bool(self._left)


class Unwatched:
    """Sees nothing."""

    def before(self, inbox: Inbox, word: object) -> None:
        pass

    def after(self, inbox: Inbox, word: object) -> None:
        pass


def a_scheduler(seed: int = 1, haste: float = 0.0) -> Scheduler:
    return Scheduler(Random(seed), start_ns=1_000, haste=haste)


def run(scheduler: Scheduler) -> None:
    for _ in range(1_000):
        if not scheduler.step():
            return
    pytest.fail("it never comes to rest")


def spoken(seed: int) -> tuple[list[str], int]:
    scheduler, said = a_scheduler(seed), list[str]()
    for name in "abc":
        scheduler.ready(Worker(name, said, 5))
    run(scheduler)
    return said, scheduler.trace


def test_a_seed_takes_the_same_turns_in_every_run() -> None:
    assert spoken(7) == spoken(7)


def test_another_seed_takes_others() -> None:
    assert spoken(7) != spoken(8)


def test_order_within_one_work_is_kept() -> None:
    said, _ = spoken(3)

    assert [word for word in said if word.startswith("b")] == ["b0", "b1", "b2", "b3", "b4"]


def test_time_stands_still_while_anything_can_be_done() -> None:
    scheduler, seen = a_scheduler(), list[int]()
    scheduler.at(5_000, lambda: seen.append(scheduler.now_ns))
    scheduler.ready(Worker("a", [], 3))

    while not scheduler.is_still:
        scheduler.step()

    assert (scheduler.now_ns, seen) == (1_000, [])


def test_deadlines_come_in_order_those_of_one_instant_as_they_were_asked_for() -> None:
    scheduler, seen = a_scheduler(), list[str]()
    for due_ns, name in ((3_000, "c"), (2_000, "a"), (2_000, "b")):
        scheduler.at(due_ns, lambda name=name: seen.append(f"{name}{scheduler.now_ns}"))  # type: ignore[misc]

    run(scheduler)

    assert seen == ["a2000", "b2000", "c3000"]


def test_in_haste_a_deadline_may_pass_work_by() -> None:
    scheduler, said = a_scheduler(haste=0.5), list[str]()
    scheduler.ready(Worker("a", said, 50))
    scheduler.at(2_000, lambda: said.append("deadline"))

    run(scheduler)

    assert said[-1] != "deadline"


def test_the_turn_of_a_process_that_is_gone_ends_quietly() -> None:
    scheduler, said = a_scheduler(), list[str]()

    def die() -> None:
        raise Gone

    scheduler.at(2_000, die)
    scheduler.at(3_000, lambda: said.append("others go on"))
    run(scheduler)

    assert said == ["others go on"]


# Strands


def test_a_strand_that_waits_lets_the_world_go_on() -> None:
    scheduler, said = a_scheduler(), list[str]()
    waits: list[Callable[[], bool]] = [lambda: "deadline" in said]

    def main() -> None:
        said.append("begins")
        assert strand.wait(waits[0], 5)
        said.append("ends")

    strand = Strand(scheduler, "main", main)
    scheduler.at(2_000, lambda: said.append("deadline"))
    run(scheduler)

    assert said == ["begins", "deadline", "ends"]


def test_a_wait_has_its_limit() -> None:
    scheduler, came = a_scheduler(), list[bool]()
    strand = Strand(scheduler, "main", lambda: came.append(strand.wait(lambda: False, 5)))

    run(scheduler)

    assert (came, scheduler.now_ns) == ([False], 1_000 + 5 * 10**9)


def test_a_strand_that_is_cut_ends_where_it_waits() -> None:
    scheduler, said = a_scheduler(), list[str]()

    def main() -> None:
        try:
            strand.wait(lambda: False, 5)
            said.append("goes on")
        finally:
            said.append("unwound")

    strand = Strand(scheduler, "main", main)
    scheduler.step()
    strand.cut()
    run(scheduler)

    assert (said, strand.has_ended) == (["unwound"], True)


def test_what_a_strand_raises_comes_out_of_its_turn() -> None:
    scheduler = a_scheduler()

    def main() -> None:
        raise ValueError("no such luck")

    Strand(scheduler, "main", main)

    with pytest.raises(ValueError, match="no such luck"):
        scheduler.step()


# Actors


class Process:
    """One process with its turns, its activity, and a timer."""

    def __init__(self) -> None:
        self.scheduler = a_scheduler()
        self.activity = Activity()
        self.turns = ShuffledTurns(
            self.scheduler,
            "p",
            clock=self,
            activity=self.activity,
            watcher=Unwatched(),
            wait=self.wait,
        )
        self.heard: list[object] = []
        self.failed: list[str] = []

    def now_ns(self) -> int:
        return self.scheduler.now_ns

    def wait(self, until: Callable[[], bool], _timeout_s: float | None = None) -> bool:
        run(self.scheduler)
        return until()

    def inbox(self, name: str) -> Inbox:
        return Inbox(name, self.activity)

    def echo(self, name: str = "echo") -> Inbox:
        inbox = self.inbox(name)
        self.turns.start(
            EngineActor(inbox, lambda who, _: self.failed.append(who), engine=Echo(), say=self.heard.append)
        )
        return inbox


def test_an_actor_that_was_never_started_works_what_comes() -> None:
    process = Process()
    inbox = process.echo()

    inbox.put("one")
    inbox.put("two")

    assert process.turns.settled(5)
    assert process.heard == ["one", "two"]


def test_a_word_that_crashes_its_actor_is_told_to_the_root() -> None:
    process = Process()
    inbox = process.echo()

    inbox.put("poison")
    run(process.scheduler)

    assert (process.failed, process.turns.alive()) == (["echo"], {"echo": False})


def test_a_new_incarnation_takes_what_waited_for_the_old_one() -> None:
    process = Process()
    inbox = process.echo()
    inbox.put("poison")
    inbox.put("next")
    run(process.scheduler)

    for _ in range(2):
        inbox.after_crash()
        process.turns.start(EngineActor(inbox, lambda *_: None, engine=Echo(), say=process.heard.append))
        run(process.scheduler)

    assert process.heard == ["next"]


def test_the_timer_says_what_is_due_at_its_own_time() -> None:
    process = Process()
    inbox = process.inbox("timer")
    timer = Timer(inbox, lambda *_: None, timers=TimerQueue(), clock=process, say=process.heard.append)
    process.turns.start(timer)

    inbox.put(SetTimer(owner="x", key="k", due_ns=9_000))
    run(process.scheduler)

    assert process.heard == [TimerFired(owner="x", key="k", due_ns=9_000, now_ns=9_000)]


def test_nobody_of_a_process_that_ended_has_a_turn() -> None:
    process = Process()
    inbox = process.echo()
    inbox.put("one")

    process.turns.end()
    run(process.scheduler)

    assert process.heard == []


def test_a_reader_answers_at_a_turn_of_its_own() -> None:
    process, said = Process(), list[int]()
    readers = process.turns.readers(2)

    readers.submit(said.append, 1)
    assert said == []
    run(process.scheduler)

    assert said == [1]


def test_readers_that_were_shut_down_have_no_turn_any_more() -> None:
    process, said = Process(), list[int]()
    readers = process.turns.readers(2)
    readers.submit(said.append, 1)

    readers.shutdown()
    run(process.scheduler)

    assert said == [1]
