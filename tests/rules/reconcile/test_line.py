"""Asking a venue about one account: how many questions at once, and how long it is left alone after it failed."""

from actors.rules.reconcile.line import ASKED_MAX, Line
from actors.rules.reconcile.terms import AccountKey
from bus.messages.orders import VenueQuestion
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_S
from tests.rules.reconcile.builders import T0, at, of_kind

LONGEST_NS = 15 * NS_PER_S


def a_line(*, up: bool = True) -> Line:
    return Line(AccountKey("sim", "acc"), LONGEST_NS, is_up=up)


def a_question(number: int = 1) -> VenueQuestion:
    return VenueQuestion(venue="sim", account="acc", client_order_id=f"t{number}-close-1", trade_id="t", now_ns=T0)


def asked(said: list[object]) -> list[str]:
    return [question.client_order_id for question in of_kind(said, VenueQuestion)]


def fails(line: Line, number: int, at_s: float) -> list[object]:
    return line.hear_answer(a_question(number).client_order_id, failed=True, now_ns=at(at_s))


def test_a_question_waits_until_the_venue_can_be_asked() -> None:
    line = a_line(up=False)

    before = line.ask(a_question(), T0)

    assert (asked(before), asked(line.come_up(at(3)))) == ([], ["t1-close-1"])


def test_what_is_asked_already_is_not_asked_twice() -> None:
    line = a_line()
    line.ask(a_question(), T0)

    assert line.ask(a_question(), at(1)) == []


def test_no_more_is_asked_at_once_than_a_venue_can_bear_and_the_rest_follows_its_answers() -> None:
    line = a_line()
    first = [said for number in range(ASKED_MAX + 5) for said in asked(line.ask(a_question(number), T0))]

    next_one = line.hear_answer("t3-close-1", failed=False, now_ns=at(1))

    assert len(first) == ASKED_MAX
    assert asked(next_one) == [f"t{ASKED_MAX}-close-1"]


def test_after_a_failure_nothing_is_asked_until_the_pause_is_over() -> None:
    """Fault 52: a venue that answers 429 is left alone."""
    line = a_line()
    line.ask(a_question(1), T0)
    fails(line, 1, 0)

    during = line.ask(a_question(2), at(0.5))

    assert (asked(during), asked(line.end_pause(at(1)))) == ([], ["t2-close-1"])


def test_each_failure_in_a_row_doubles_the_pause_up_to_the_longest() -> None:
    line, now_s, pauses = a_line(), 0.0, []
    for number in range(8):
        line.ask(a_question(number), at(now_s))
        (timer,) = of_kind(fails(line, number, now_s), SetTimer)
        pauses.append((timer.due_ns - at(now_s)) // NS_PER_S)
        now_s = (timer.due_ns - T0) / NS_PER_S
        line.end_pause(timer.due_ns)

    assert pauses == [1, 2, 4, 8, 15, 15, 15, 15]


def test_what_was_asked_together_fails_together() -> None:
    line = a_line()
    line.ask(a_question(1), T0)
    line.ask(a_question(2), T0)

    assert (len(fails(line, 1, 0)), fails(line, 2, 0.1), line.failures) == (1, [], 1)


def test_a_venue_that_failed_is_tried_with_one_question_and_then_with_all() -> None:
    line = a_line()
    line.ask(a_question(1), T0)
    fails(line, 1, 0)
    for number in (2, 3, 4):
        line.ask(a_question(number), at(0.5))

    trial = asked(line.end_pause(at(1)))
    after = asked(line.hear_answer("t2-close-1", failed=False, now_ns=at(1.1)))

    assert (trial, after) == (["t2-close-1"], ["t3-close-1", "t4-close-1"])


def test_a_reconnection_ends_the_pause() -> None:
    line = a_line()
    line.ask(a_question(1), T0)
    fails(line, 1, 0)
    line.ask(a_question(2), at(0.1))

    assert asked(line.come_up(at(0.2))) == ["t2-close-1"]


def test_an_answer_to_what_was_asked_before_a_reconnection_is_no_failure_of_now() -> None:
    line = a_line()
    line.ask(a_question(1), T0)
    line.come_up(at(1))

    assert (fails(line, 1, 2), line.failures) == ([], 0)
