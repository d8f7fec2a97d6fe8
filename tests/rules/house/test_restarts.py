"""When a crashed actor is built anew."""

from hypothesis import given
from hypothesis import strategies as st

from actors.rules.restarts import RestartLimits, Restarts
from bus.messages.units import NS_PER_S

LIMITS = RestartLimits(count_max=5, window_ns=60 * NS_PER_S, second_ns=200, longest_ns=1000)


def waits(*at_s: int, cause: str = "c") -> list[int | None]:
    history = Restarts(LIMITS)
    return [history.crashed(second * NS_PER_S, f"{cause}{second}") for second in at_s]


def test_the_first_rebuilding_is_at_once() -> None:
    """Fault 41: within a second."""
    assert waits(0) == [0]


def test_each_further_one_waits_twice_as_long_up_to_the_longest() -> None:
    found = waits(0, 1, 2, 3, 4)[1:]

    assert [
        longest // 2 <= (wait or 0) <= longest for wait, longest in zip(found, (200, 400, 800, 1000), strict=True)
    ] == [True] * 4


def test_more_crashes_than_allowed_within_the_window_are_not_mended() -> None:
    """L4: then the process exits."""
    assert waits(0, 1, 2, 3, 4, 5)[-1] is None


def test_crashes_that_lie_outside_the_window_are_forgotten() -> None:
    assert waits(0, 1, 2, 3, 4, 65, 130)[-1] == 0


def test_actors_that_die_together_do_not_rise_together() -> None:
    assert len({waits(0, 1, 2, cause=name)[-1] for name in ("auto_stop", "trade_watcher", "paper_venue")}) == 3


@given(st.lists(st.integers(0, 300), max_size=30).map(sorted))
def test_the_same_crashes_wait_equally_long(at_s: list[int]) -> None:
    assert waits(*at_s) == waits(*at_s)
