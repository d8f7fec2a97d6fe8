"""An inbox outlives its actor."""

from pykka._envelope import Envelope

from actors.activity import Activity
from actors.inbox import Inbox, Tap
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


def test_whoever_waits_for_the_actor_is_rung_once_for_each_word() -> None:
    inbox, rung = an_inbox(), list[Inbox]()
    inbox.ring = rung.append

    inbox.put("a")
    inbox.beat()

    assert rung == [inbox, inbox]


def test_what_was_kept_back_rings_once_it_is_handed_out() -> None:
    inbox, rung = an_inbox(), list[Inbox]()
    inbox.ring = rung.append
    inbox.hold()
    inbox.put("a")
    before = len(rung)

    inbox.release()

    assert (before, len(rung)) == (0, 1)


def test_words_are_counted_as_handled_once_each() -> None:
    inbox = an_inbox()
    for word in "ab":
        inbox.put(word)
    for _ in range(2):
        inbox.take()

    while_the_second_is_in_hand = inbox.handled
    inbox.take(timeout_s=0)

    assert (while_the_second_is_in_hand, inbox.handled) == (1, 2)


def test_a_crash_of_one_word_is_not_held_against_the_next() -> None:
    """Fault 23: two words that crash their actor once each are both worked in the end."""
    inbox = an_inbox()
    for word in "ab":
        inbox.put(word)
    taken = []
    for _ in range(2):
        inbox.take()
        assert inbox.after_crash() is None
        taken.append(inbox.take())

    assert (taken, inbox.crashes) == (["a", "b"], 2)


def test_a_word_that_is_given_up_is_under_way_no_longer() -> None:
    activity = Activity()
    inbox = an_inbox(activity=activity)
    inbox.put("poison")
    for _ in range(2):
        inbox.take()
        inbox.after_crash()

    assert (activity.outstanding, inbox.handled, inbox.waiting()) == (0, 1, 0)


def test_an_actor_that_crashes_without_a_word_in_hand_gives_nothing_up() -> None:
    inbox = an_inbox()
    inbox.put("a")

    assert [inbox.after_crash() for _ in range(3)] == [None, None, None]
    assert (inbox.take(), inbox.crashes) == ("a", 3)


def test_what_cannot_be_said_twice_is_given_up_and_the_rest_stays_to_be_said() -> None:
    """Fault 23, L6: the word that led to it has been worked, and is not worked again."""
    inbox = an_inbox()
    inbox.put("a")
    inbox.take()
    inbox.leave_unsaid(["poison", "notice"])

    given_up = [inbox.after_crash(), inbox.after_crash(), inbox.after_crash()]

    assert given_up == [None, "poison", None]
    assert (list(inbox.unsaid), inbox.in_hand) == (["notice"], "a")


def test_a_crash_while_working_is_not_held_against_what_it_says_then() -> None:
    inbox = an_inbox()
    inbox.put("a")
    inbox.take()
    inbox.after_crash()
    inbox.take()
    inbox.leave_unsaid(["notice"])

    assert inbox.after_crash() is None


def test_an_actor_without_a_deadline_answers_a_beat_and_waits_on() -> None:
    inbox = an_inbox()
    inbox.beat()
    inbox.put("a")

    assert (inbox.take(), inbox.is_answered) == ("a", True)


def test_what_pykka_asks_is_answered_while_words_are_kept_back() -> None:
    inbox = an_inbox()
    inbox.hold()
    question = Envelope[object]("stop")

    Tap(inbox).put(question)

    assert Tap(inbox).get() is question


def test_pykka_finds_nothing_to_throw_away_where_something_waits() -> None:
    """Fault 41: what waits belongs to the next incarnation."""
    inbox = an_inbox()
    inbox.put("a")

    assert Tap(inbox).empty()
    assert Tap(inbox).get().message == "a"
