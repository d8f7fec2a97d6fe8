"""An inbox outlives its actor."""

from actors.activity import Activity
from actors.inbox import Inbox
from tests.actors.builders import Echo, Heard, an_echo, an_inbox, running


def test_words_are_taken_in_the_order_in_which_they_came() -> None:
    inbox = an_inbox()
    for word in "abc":
        inbox.put(word)

    taken = [inbox.take() for _ in range(3)]

    assert taken == ["a", "b", "c"]


def test_a_word_is_under_way_until_the_next_is_taken() -> None:
    activity = Activity()
    inbox = an_inbox(activity=activity)
    inbox.put("a")

    inbox.take()
    under_way = activity.outstanding
    inbox.done()

    assert (under_way, activity.outstanding) == (1, 0)


def test_the_word_that_crashed_its_actor_is_tried_once_more_before_those_behind_it() -> None:
    inbox = an_inbox()
    inbox.put("a")
    inbox.put("b")
    inbox.take()

    given_up = inbox.after_crash()

    assert given_up is None
    assert inbox.take() == "a"


def test_a_word_that_crashes_twice_is_given_up_and_what_waited_is_served() -> None:
    """Fault 23, L5"""
    inbox = an_inbox()
    inbox.put("poison")
    inbox.put("b")
    inbox.take()
    inbox.after_crash()
    inbox.take()

    given_up = inbox.after_crash()

    assert given_up == "poison"
    assert inbox.take() == "b"


def test_what_waits_for_a_dead_actor_is_served_by_the_next() -> None:
    """Fault 41"""
    inbox, heard = an_inbox(), Heard()
    build = an_echo(heard)
    with running(build(inbox, heard.failed)):
        inbox.put("poison")
        assert heard.died.wait(5)
    inbox.put("late")
    inbox.after_crash()
    inbox.take()
    inbox.after_crash()

    with running(build(inbox, heard.failed)):
        said = heard.wait_for(1)

    assert said == ["late"]


def test_an_empty_inbox_gives_nothing_after_its_timeout() -> None:
    assert an_inbox().take(timeout_s=0) is None


def test_an_engine_that_raises_says_nothing() -> None:
    heard = Heard()
    inbox = an_inbox()
    with running(an_echo(heard)(inbox, heard.failed)):
        inbox.put("poison")
        assert heard.died.wait(5)

    assert heard.so_far() == []
    assert isinstance(heard.why, ValueError)
    assert Echo().handle("a") == ["a"]


def test_a_beat_waits_in_line_and_is_answered_by_taking_it() -> None:
    """Lesson 17: health is a round trip through the actor's inbox."""
    inbox = an_inbox()
    inbox.put("a")
    inbox.beat()
    inbox.put("b")

    first, after_first = inbox.take(), inbox.is_answered
    second = inbox.take()

    assert (first, after_first, second, inbox.is_answered) == ("a", False, "b", True)


def test_nobody_is_asked_again_before_the_answer() -> None:
    inbox = an_inbox()
    for _ in range(3):
        inbox.beat()

    assert inbox.waiting() == 1


def test_whoever_waits_for_a_deadline_looks_at_it_again_after_a_beat() -> None:
    inbox = an_inbox()
    inbox.beat()
    inbox.put("a")

    assert (inbox.take(10), inbox.take(10)) == (None, "a")


def test_a_beat_is_under_way_until_it_is_answered_and_is_no_word() -> None:
    activity = Activity()
    inbox = an_inbox(activity=activity)
    inbox.beat()
    under_way, idle = activity.outstanding, inbox.is_idle()

    inbox.take(0)

    assert (under_way, idle, activity.outstanding, inbox.handled) == (1, True, 0, 0)


def test_an_inbox_is_not_idle_while_a_word_waits_beside_a_beat() -> None:
    inbox = an_inbox()
    inbox.beat()
    inbox.put("a")

    assert not inbox.is_idle()


def test_what_is_kept_back_comes_in_its_order_before_what_follows() -> None:
    inbox = Inbox("desk", Activity())
    inbox.hold()
    for word in ("first", "second"):
        inbox.put(word)
    assert inbox.waiting() == 0

    inbox.release()
    inbox.put("third")

    assert [inbox.take() for _ in range(3)] == ["first", "second", "third"]


def test_a_beat_is_answered_while_words_are_kept_back() -> None:
    activity = Activity()
    inbox = Inbox("desk", activity)
    inbox.hold()
    inbox.put("a word")
    inbox.beat()

    assert inbox.take(0.01) is None
    assert inbox.is_answered
    assert activity.outstanding == 0
