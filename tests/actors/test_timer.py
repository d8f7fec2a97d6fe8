"""Timer turns deadlines into messages."""

import time

from actors.rules.timers import TimerQueue
from actors.timer import Timer
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from tests.actors.builders import FixedClock, Heard, an_inbox, running


class RealClock:
    def now_ns(self) -> int:
        return time.time_ns()


def a_timer(key: str, due_ns: int) -> SetTimer:
    return SetTimer(owner="desk", key=key, due_ns=due_ns)


def test_a_deadline_that_has_passed_fires_at_once() -> None:
    heard, inbox = Heard(), an_inbox("timer")
    with running(Timer(inbox, heard.failed, timers=TimerQueue(), clock=FixedClock(100), say=heard)):
        inbox.put(a_timer("k", 50))

        said = heard.wait_for(1)

    assert said == [TimerFired(owner="desk", key="k", due_ns=50, now_ns=100)]


def test_deadlines_fire_in_their_own_order_without_another_word() -> None:
    heard, inbox = Heard(), an_inbox("timer")
    now_ns = time.time_ns()
    with running(Timer(inbox, heard.failed, timers=TimerQueue(), clock=RealClock(), say=heard)):
        inbox.put(a_timer("later", now_ns + 30_000_000))
        inbox.put(a_timer("sooner", now_ns + 15_000_000))

        said = heard.wait_for(2)

    assert [word.key for word in said if isinstance(word, TimerFired)] == ["sooner", "later"]


def test_a_cancelled_deadline_never_fires() -> None:
    heard, inbox = Heard(), an_inbox("timer")
    clock = FixedClock(0)
    with running(Timer(inbox, heard.failed, timers=TimerQueue(), clock=clock, say=heard)):
        inbox.put(a_timer("a", 1_000_000_000_000))
        inbox.put(CancelTimer(owner="desk", key="a"))
        inbox.put(a_timer("b", 0))

        said = heard.wait_for(1)

    assert isinstance(said[0], TimerFired)
    assert said[0].key == "b"


def test_deadlines_outlive_the_actor() -> None:
    """Fault 41"""
    heard, inbox, timers, clock = Heard(), an_inbox("timer"), TimerQueue(), FixedClock(0)
    with running(Timer(inbox, heard.failed, timers=timers, clock=clock, say=heard)):
        inbox.put(a_timer("k", 10))
    clock.ns = 20

    with running(Timer(inbox, heard.failed, timers=timers, clock=clock, say=heard)):
        said = heard.wait_for(1)

    assert said == [TimerFired(owner="desk", key="k", due_ns=10, now_ns=20)]
