"""PostgreSQL may give way during the demo: Database tries again in real time, while recorded time waits for it."""

import queue

from actors.replay.outside_timers import OutsideTimers
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from tests.actors.builders import FixedClock

NOW = 1_000_000_000


def test_a_deadline_of_the_database_comes_although_the_recordings_clock_stands_still() -> None:
    said: queue.SimpleQueue[TimerFired] = queue.SimpleQueue()
    timers = OutsideTimers(lambda _: None, FixedClock(NOW), said.put)

    timers.keep(SetTimer(owner="database", key="retry", due_ns=NOW + 1))

    assert said.get(timeout=10) == TimerFired(owner="database", key="retry", due_ns=NOW + 1, now_ns=NOW + 1)


def test_every_other_deadline_is_one_of_recorded_time() -> None:
    inside: list[object] = []
    words = [SetTimer(owner="trade_desk", key="k", due_ns=NOW + 1), CancelTimer(owner="trade_desk", key="k")]
    timers = OutsideTimers(inside.append, FixedClock(NOW), lambda _: None)

    for word in words:
        timers.keep(word)

    assert inside == words
