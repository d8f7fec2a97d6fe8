from hypothesis import given
from hypothesis import strategies as st

from actors.rules.timers import TimerQueue
from bus.messages.timers import CancelTimer, SetTimer, TimerFired


def a_timer(key: str, due_ns: int, owner: str = "auto_stop") -> SetTimer:
    return SetTimer(owner=owner, key=key, due_ns=due_ns)


def test_a_deadline_that_has_passed_fires_once() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))

    fired = list(queue.due(12)), list(queue.due(13))

    assert fired == ([TimerFired(owner="auto_stop", key="dwell", due_ns=10, now_ns=12)], [])


def test_a_deadline_fires_at_its_very_instant_and_not_before() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))

    early, on_time = list(queue.due(9)), list(queue.due(10))

    assert (len(early), len(on_time)) == (0, 1)


def test_setting_a_timer_again_moves_it() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))

    queue.set(a_timer("dwell", 30))

    assert (queue.next_due(), list(queue.due(29)), len(queue)) == (30, [], 1)


def test_a_timer_may_move_to_an_earlier_instant() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 30))

    queue.set(a_timer("dwell", 10))

    assert [fired.due_ns for fired in queue.due(100)] == [10]


def test_a_cancelled_timer_never_fires() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))

    queue.cancel(CancelTimer(owner="auto_stop", key="dwell"))

    assert (queue.next_due(), list(queue.due(100))) == (None, [])


def test_cancelling_an_unknown_timer_is_ignored() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))

    queue.cancel(CancelTimer(owner="trade_desk", key="dwell"))

    assert queue.next_due() == 10


def test_a_timer_set_again_after_a_cancel_fires_once() -> None:
    queue = TimerQueue()
    queue.set(a_timer("dwell", 10))
    queue.cancel(CancelTimer(owner="auto_stop", key="dwell"))

    queue.set(a_timer("dwell", 10))

    assert len(list(queue.due(10))) == 1


def test_deadlines_of_one_instant_fire_in_order_of_owner_and_key() -> None:
    queue = TimerQueue()
    for owner, key in (("trade_desk", "a"), ("auto_stop", "b"), ("auto_stop", "a")):
        queue.set(a_timer(key, 10, owner))

    fired = list(queue.due(10))

    assert [(each.owner, each.key) for each in fired] == [("auto_stop", "a"), ("auto_stop", "b"), ("trade_desk", "a")]


def test_taking_the_next_one_fires_it_at_its_own_instant() -> None:
    queue = TimerQueue()
    queue.set(a_timer("late", 30))
    queue.set(a_timer("early", 10))

    fired = queue.take_next()

    assert fired == TimerFired(owner="auto_stop", key="early", due_ns=10, now_ns=10)


def test_moving_one_timer_many_times_does_not_grow_the_heap() -> None:
    queue = TimerQueue()

    for due_ns in range(10_000):
        queue.set(a_timer("dwell", due_ns))

    assert len(queue._heap) < 100


_steps = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 20))), max_size=40)


@given(_steps)
def test_a_queue_fires_what_a_plain_table_of_deadlines_would(steps: list[tuple[str, int | None]]) -> None:
    queue, table = TimerQueue(), dict[str, int]()

    for key, due_ns in steps:
        if due_ns is None:
            queue.cancel(CancelTimer(owner="auto_stop", key=key))
            table.pop(key, None)
        else:
            queue.set(a_timer(key, due_ns))
            table[key] = due_ns

    expected = sorted((due_ns, key) for key, due_ns in table.items() if due_ns <= 10)
    assert [(fired.due_ns, fired.key) for fired in queue.due(10)] == expected
