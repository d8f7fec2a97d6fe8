"""Unknown is a state (DESIGN idea 7): only evidence about that very order ends it."""

from decimal import Decimal

import pytest

from bus.messages.trades import AttemptState
from bus.messages.trades import TradeState as S
from tests.rules.lifecycle.builders import (
    ENTRY,
    Life,
    a_closing_life,
    a_fill,
    a_person,
    a_report,
    a_trade,
    a_venue_fill,
    an_answer,
    an_open_life,
    at,
)

CLOSE_1 = "t1-close-1"


def _unknown_close() -> Life:
    return a_closing_life().hear(a_report("unknown", CLOSE_1), at_s=11)


def _unknown_entry() -> Life:
    return Life(a_trade()).begin().hear(a_report("unknown"), at_s=1)


def test_an_unknown_order_is_looked_up_by_its_own_id() -> None:
    """Lesson 24"""
    life = _unknown_close()

    assert life.trade.state is S.UNKNOWN
    assert [question.client_order_id for question in life.step.questions] == [CLOSE_1]
    assert "unknown_order" in life.kinds


@pytest.mark.parametrize("seconds", [12, 44, 100, 1000])
def test_an_error_is_evidence_of_nothing_however_often_it_comes(seconds: int) -> None:
    """Fault 54: no answer is not flat."""
    life = _unknown_close().hear(an_answer(CLOSE_1, error="timeout"), at_s=seconds)

    assert life.trade.state is S.UNKNOWN
    assert all(not step.closes for step in life.steps[3:])


@pytest.mark.parametrize(("at_s", "dead"), [("44.999", False), (45, True)])
def test_an_empty_answer_counts_only_once_the_order_can_not_fly(at_s: str | float, dead: bool) -> None:
    """Fault 54: expires_ts (40 s) plus the venue's bound (5 s)."""
    life = _unknown_close().hear(an_answer(CLOSE_1), at_s=at_s)

    assert (life.trade.attempts[-1].state is AttemptState.DEAD) is dead
    assert (life.trade.state is S.OPEN) is dead
    assert (life.trade.next_attempt_ns is not None) is dead


@pytest.mark.parametrize(("at_s", "state"), [("9.9", S.UNKNOWN), (10, S.REJECTED)])
def test_an_empty_answer_rejects_an_entry_only_after_its_bound(at_s: str | float, state: S) -> None:
    assert _unknown_entry().hear(an_answer(), at_s=at_s).trade.state is state


def test_an_empty_answer_says_nothing_of_a_close_that_waits_for_its_price() -> None:
    life = an_open_life().hear(a_person(), at_s=10)
    before = life.trade

    assert life.hear(an_answer("t1-close-1"), at_s=100).trade is before


def test_an_empty_answer_does_not_undo_a_fill_that_was_reported() -> None:
    life = a_closing_life().hear(a_report("filled", CLOSE_1, cumulative="10"), at_s=11)

    life.hear(an_answer(CLOSE_1), at_s=100)

    assert life.trade.attempts[-1].state is not AttemptState.DEAD
    assert life.trade.open_quantity == 10


def test_a_filled_status_without_its_fill_is_looked_up_and_nothing_else_is_sent() -> None:
    """Lesson 25, 26; Fault 27: the gap is asked for, never assumed."""
    life = a_closing_life().hear(a_report("filled", CLOSE_1, cumulative="10"), at_s=11)
    assert (life.trade.state, life.due("lookup")) == (S.CLOSING, at("11.25"))

    life.timer("lookup", at_s="11.25")
    life.hear(an_answer(CLOSE_1, status="filled", cumulative="10", fills=(a_venue_fill("10", "0.40", CLOSE_1, "c1"),)))

    assert life.trade.state is S.CLOSED
    assert life.trade.exit_price == Decimal("0.40")


def test_the_fill_may_come_before_its_acceptance() -> None:
    """Fault 26"""
    life = a_closing_life().hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1")).hear(a_report("accepted", CLOSE_1))

    assert life.trade.state is S.CLOSED


def test_a_gap_in_the_fills_is_asked_for() -> None:
    """Fault 27"""
    life = a_closing_life().hear(a_fill("3", "0.40", CLOSE_1, fill_id="c2", cumulative="7"), at_s=11)

    assert life.due("lookup") == at("11.25")


def test_an_unanswered_close_is_looked_up_soon() -> None:
    life = a_closing_life()
    assert life.due("lookup") == at(12)

    life.timer("lookup", at_s=12)

    assert [question.client_order_id for question in life.step.questions] == [CLOSE_1]
    assert life.trade.state is S.CLOSING


@pytest.mark.parametrize(("at_s", "state"), [("39.999", S.CLOSING), (40, S.UNKNOWN)])
def test_a_close_past_its_last_moment_of_sending_is_unknown(at_s: str | float, state: S) -> None:
    assert a_closing_life().timer("lookup", at_s=at_s).trade.state is state


def test_look_ups_go_on_with_growing_waits() -> None:
    life = a_closing_life()
    waits = []

    for _ in range(5):
        life.now_ns = life.due("lookup") or 0
        life.timer("lookup")
        waits.append(((life.due("lookup") or 0) - life.now_ns) / 1e9)

    assert waits == [2, 4, 5, 5, 5]


def test_look_ups_end_with_the_evidence() -> None:
    life = a_closing_life().hear(a_report("cancelled", CLOSE_1, cumulative="0"), at_s=11)

    assert life.timer("lookup", at_s=12).step.questions == ()
    assert any(timer.key == "t1:lookup" for timer in life.steps[-2].timers)


def test_evidence_of_a_partial_fill_leads_on_to_the_rest() -> None:
    life = _unknown_close()

    life.hear(an_answer(CLOSE_1, status="cancelled", cumulative="4", fills=(a_venue_fill("4", "0.40", CLOSE_1, "c1"),)))

    assert life.trade.state is S.PARTIAL_CLOSING
    assert life.timer("next_attempt", at_s=12).mark().step.closes[0].quantity == 6
    assert "reconciled" in life.kinds


def test_a_fill_that_belongs_to_another_order_is_not_booked() -> None:
    life = _unknown_close()

    life.hear(an_answer(CLOSE_1, status="cancelled", cumulative="0", fills=(a_venue_fill("4", order="t2-close-1"),)))

    assert life.trade.open_quantity == 10


@pytest.mark.parametrize(
    ("status", "state"), [("accepted", S.CLOSING), ("partially_filled", S.CLOSING), ("unknown", S.UNKNOWN)]
)
def test_a_close_that_is_found_at_work_closes_again(status: str, state: S) -> None:
    assert _unknown_close().hear(an_answer(CLOSE_1, status=status)).trade.state is state


def test_an_order_that_works_past_its_last_moment_is_cancelled_and_then_unknown() -> None:
    """Fault 52: an immediate order that a venue keeps would hold back every further attempt."""
    life = _unknown_close().hear(an_answer(CLOSE_1, status="accepted"))

    first, second = life.timer("lookup", at_s=40).trade.state, life.timer("lookup", at_s=45).trade.state

    assert [cancel.client_order_id for step in life.steps for cancel in step.cancels] == [CLOSE_1]
    assert (first, second) == (S.CLOSING, S.UNKNOWN)


def test_an_order_that_was_cancelled_is_not_known_again_because_it_still_works() -> None:
    life = _unknown_close().hear(an_answer(CLOSE_1, status="accepted"))
    life.timer("lookup", at_s=40).timer("lookup", at_s=45)

    assert life.hear(an_answer(CLOSE_1, status="accepted")).trade.state is S.UNKNOWN


@pytest.mark.parametrize(("at_s", "state"), [(20, S.UNKNOWN), (46, S.CLOSED)])
def test_a_venue_that_names_only_sums_is_believed_once_single_fills_can_not_come(at_s: int, state: S) -> None:
    life = _unknown_close().hear(an_answer(CLOSE_1, status="filled", cumulative="10", average="0.41"), at_s=at_s)

    assert life.trade.state is state


def test_a_single_fill_of_what_was_booked_in_sum_is_no_news() -> None:
    answer = an_answer(CLOSE_1, status="cancelled", cumulative="4", average="0.41")
    life = _unknown_close().hear(answer, at_s=46)
    assert life.trade.exit_proceeds == Decimal("1.64")

    life.hear(a_fill("4", "0.41", CLOSE_1, fill_id="c1"), at_s=47)

    assert life.trade.closed_quantity == 4


def test_an_unknown_entry_that_was_filled_opens() -> None:
    life = _unknown_entry()

    life.hear(an_answer(ENTRY, status="filled", cumulative="10", fills=(a_venue_fill("10"),)))

    assert (life.trade.state, life.trade.open_quantity) == (S.OPEN, Decimal(10))


def _second_close() -> Life:
    """Return a trade of ten whose first close sold 2 and whose second flies."""
    life = a_closing_life().hear(a_fill("2", "0.40", CLOSE_1, fill_id="c1", cumulative="2"))
    life.hear(a_report("cancelled", CLOSE_1, cumulative="2"), at_s=11)
    return life.timer("next_attempt", at_s=12).mark()


def _flying(life: Life) -> list[str]:
    return [a.client_order_id for a in life.trade.attempts if a.state not in (AttemptState.DEAD, AttemptState.WANTED)]


def test_a_fill_that_is_missing_of_a_dead_close_makes_no_second_one_live_but_is_asked_for() -> None:
    """S2, Fault 27: one live close order."""
    life = _second_close().hear(a_report("partially_filled", CLOSE_1, cumulative="4"))
    life.timer("lookup", at_s=13)

    assert _flying(life) == ["t1-close-2"]
    assert [question.client_order_id for question in life.step.questions] == ["t1-close-2", CLOSE_1]


def test_no_further_close_leaves_before_a_fill_that_is_missing_is_booked() -> None:
    """Fault 27: it would be too much."""
    life = _second_close().hear(a_report("partially_filled", CLOSE_1, cumulative="4"))
    life.hear(a_report("cancelled", "t1-close-2", cumulative="0"), at_s=13)
    waits = _flying(life)

    life.hear(a_fill("2", "0.40", CLOSE_1, fill_id="c2", cumulative="4"), at_s=14).timer("next_attempt", at_s=20).mark()

    assert waits == [CLOSE_1]
    assert [order.quantity for order in life.step.closes] == [6]
