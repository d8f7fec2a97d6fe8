"""Whether a part of the house still moves."""

from actors.rules.pulse import Pulse


def verdicts(*rounds: tuple[bool, int], rounds_max: int = 3) -> list[bool]:
    pulse = Pulse(rounds_max)
    return [pulse.is_stuck(answers=answers, done=done) for answers, done in rounds]


def test_a_part_that_answers_is_not_stuck_although_it_finishes_nothing() -> None:
    assert not any(verdicts(*[(True, 0)] * 10))


def test_a_part_that_finishes_one_word_after_the_other_is_not_stuck_although_its_answer_is_out() -> None:
    """Fault 40: much may wait before the question."""
    assert not any(verdicts(*[(False, done) for done in range(10)]))


def test_a_part_that_does_neither_is_stuck_once_its_rounds_have_passed() -> None:
    """Fault 42"""
    assert verdicts((True, 5), (False, 5), (False, 5), (False, 5)) == [False, False, False, True]


def test_one_move_gives_it_all_its_rounds_again() -> None:
    assert verdicts((False, 5), (False, 5), (False, 5), (False, 6), (False, 6), (False, 6)) == [False] * 6
