"""What an answer about a whole account leads to: evidence, corrections, alarms, and how the account stands."""

import dataclasses
from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.reconcile.reconciler import ReconcileEngine
from bus.messages.notices import Notice, Severity
from bus.messages.orders import Position, VenueAnswer
from bus.messages.reconcile import (
    AccountQuestion,
    ClosedOutside,
    PositionFound,
    PositionsSeen,
    ReconcileWanted,
    VenuesUp,
)
from bus.messages.records import Commit
from bus.messages.trades import AttemptState, Purpose, Side, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.desk.builders import received
from tests.rules.reconcile.builders import (
    T0,
    TERMS,
    D,
    Room,
    a_fill,
    a_position,
    a_trade,
    a_venue_fill,
    a_venue_order,
    an_attempt,
    at,
    later,
    of_kind,
)

ADOPTING = dataclasses.replace(TERMS, adopt_unknown=True)


def closed(said: list[object]) -> list[tuple[str, Decimal, list[tuple[str, Decimal]]]]:
    return [
        (word.trade_id, word.quantity, [(fill.fill_id, fill.quantity) for fill in word.fills])
        for word in of_kind(said, ClosedOutside)
    ]


# Standing


def test_an_account_agrees_once_the_venue_holds_what_our_trades_add_up_to() -> None:
    room = Room(a_trade("t1", "4"), a_trade("t2", "6"))

    room.answers(a_position("10"))

    assert (room.standing.answered, room.standing.unresolved) == (True, ())
    assert room.standing.reconciled_ns is not None


def test_nothing_is_agreed_before_the_venue_has_answered() -> None:
    room = Room(a_trade())

    assert (room.standing.answered, room.standing.reconciled_ns) == (False, None)
    assert room.standing.unresolved == ("the venue has not answered yet",)


def test_an_account_that_nobody_traded_in_is_looked_at_when_it_is_wanted() -> None:
    room = Room()

    room.hear(ReconcileWanted(venue="sim", account="new", now_ns=T0))
    room.answers(account="new")

    assert (room.standing.account, room.standing.answered, room.standing.unresolved) == ("new", True, ())


def test_a_reconnection_seeks_agreement_anew() -> None:
    room = Room(a_trade())
    room.answers(a_position())

    room.hear(VenuesUp(now_ns=at(100)))

    assert (room.standing.answered, room.standing.began_ns) == (False, at(100))
    assert room.question().now_ns == at(100)


def test_an_answer_of_before_a_reconnection_proves_nothing_after_it() -> None:
    room = Room(a_trade())
    asked = room.question()
    room.now_ns = at(1)
    room.hear(VenuesUp(now_ns=at(1)))
    again = room.question()

    room.all_said.append(asked)
    room.answers(a_position())

    assert again.now_ns == at(1)
    assert not room.standing.answered


def test_an_account_is_looked_at_again_on_schedule() -> None:
    room = Room(a_trade())
    room.answers(a_position())
    first = room.question()

    room.passes(60)

    assert room.question().now_ns == first.now_ns + TERMS.interval_ns


def test_a_position_told_unasked_that_differs_brings_the_next_look_forward() -> None:
    room = Room(a_trade())
    room.answers(a_position())
    told = Position(account="acc", ticker="K", ts=at(3), side=Side.YES, quantity=D(4))

    said = room.hear(received(told, received_ns=at(3)))

    assert [question.now_ns for question in of_kind(said, AccountQuestion)] == [at(3)]


def test_a_position_told_unasked_that_agrees_asks_nothing() -> None:
    room = Room(a_trade())
    room.answers(a_position())

    assert room.hear(received(Position(account="acc", ticker="K", ts=at(3), side=Side.YES, quantity=D(10)))) == []


def test_a_close_that_took_nothing_brings_the_next_look_forward() -> None:
    """Fault 55: there may have been nothing to take."""
    trade = a_trade(state=TradeState.CLOSING, attempts=(an_attempt(),))
    room = Room(trade)
    room.answers(a_position())
    dead = replace(an_attempt(), state=AttemptState.DEAD, evidence="rejected")

    said = room.hear(later(trade, attempts=(dead,), ts=at(3)))

    assert len(of_kind(said, AccountQuestion)) == 1


# Empty and failing answers


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_no_answer_is_not_flat(looks: int) -> None:
    """Fault 54, Fault 52: however often a venue fails, nothing of ours counts as closed."""
    room = Room(a_trade())
    for _ in range(looks):
        room.answers(error="HTTP 503")
        room.passes(30)

    assert of_kind(room.all_said, ClosedOutside) == []
    assert (room.standing.answered, room.standing.unresolved) == (False, ("the venue does not answer: HTTP 503",))


def test_an_account_that_agreed_stays_so_for_two_missed_answers_and_not_for_three() -> None:
    room = Room(a_trade())
    room.answers(a_position())
    unresolved = []
    for _ in range(3):
        room.passes(60)
        room.answers(error="timeout")
        unresolved.append(bool(room.standing.unresolved))

    assert unresolved == [False, False, True]


def test_people_are_told_once_of_a_venue_that_does_not_answer_and_once_that_it_does_again() -> None:
    room = Room(a_trade())
    for _ in range(6):
        room.answers(error="timeout")
        room.passes(60)
    room.answers(a_position())

    assert room.notices == ["service_down", "reconciled"]


def test_an_empty_answer_while_an_order_is_on_its_way_proves_nothing() -> None:
    """Fault 54"""
    flying = a_trade(state=TradeState.CLOSING, attempts=(an_attempt(),))
    room = Room(flying)

    said = [*room.agrees_after(), *room.agrees_after()]

    assert closed(said) == []


def test_one_look_at_a_lagging_position_closes_nothing() -> None:
    """Lesson 25: positions lag behind fills; a row that is missing once is not zero."""
    room = Room(a_trade())
    room.answers()
    room.passes(5)

    said = room.answers(a_position())

    assert closed(room.all_said) == []
    assert room.standing.unresolved == ()
    assert of_kind(said, Notice) == []


# Closed outside


def test_a_close_at_the_venue_by_somebody_else_is_found_with_its_price() -> None:
    """Fault 55"""
    room = Room(a_trade())

    said = room.agrees_after(fills=(a_venue_fill("m1", "6", "0.45"), a_venue_fill("m2", "4", "0.44")))

    assert closed(said) == [("t1", D(10), [("m1", D(6)), ("m2", D(4))])]


def test_without_fills_that_add_up_the_price_is_unknown_and_never_invented() -> None:
    """Fault 55: a fill too many may have bought what another sold."""
    room = Room(a_trade())

    said = room.agrees_after(fills=(a_venue_fill("m1", "10"), a_venue_fill("m2", "2")), for_s=60)

    assert closed(said) == [("t1", D(10), [])]


def test_what_no_fill_explains_closes_nothing_at_first_and_people_are_told_once() -> None:
    """Fault 54, Lesson 25: a row that is missing is not zero."""
    room = Room(a_trade())

    room.agrees_after(for_s=55)

    assert closed(room.all_said) == []
    assert room.notices == ["position_mismatch"]
    assert room.standing.unresolved == ("yes K: the venue holds 0, our trades add up to 10",)


def test_a_list_that_comes_back_in_time_has_closed_nothing() -> None:
    """Fault 54"""
    room = Room(a_trade())
    room.agrees_after(for_s=50)
    room.passes(5)

    room.answers(a_position())

    assert closed(room.all_said) == []
    assert room.notices == ["position_mismatch", "reconciled"]


def test_a_venue_that_lists_nothing_at_all_closes_no_book_however_long_it_does() -> None:
    """Fault 54: one failing list must not end every trade of an account."""
    room = Room(a_trade("t1"), a_trade("t2", ticker="L"))

    room.agrees_after(for_s=600)

    assert closed(room.all_said) == []
    assert [notice.title for notice in of_kind(room.all_said, Notice)] == [
        "acc at sim lacks 2 positions of what our trades hold"
    ]


def flat(ticker: str, at_s: float = 3, quantity: str = "0") -> Position:
    return Position(account="acc", ticker=ticker, ts=at(at_s), side=Side.YES, quantity=D(quantity))


def test_a_venue_that_lists_nothing_and_says_so_of_each_position_has_closed_them() -> None:
    """Fault 55, Fault 54: a word that names the position and the quantity 0 is no list that failed."""
    room = Room(a_trade("t1"), a_trade("t2", ticker="L"))
    for ticker in ("K", "L"):
        room.hear(received(flat(ticker), received_ns=at(3)))

    said = room.agrees_after(for_s=60)

    assert closed(said) == [("t1", D(10), []), ("t2", D(10), [])]


def test_of_what_the_venue_says_nothing_an_empty_list_closes_nothing() -> None:
    """Fault 54"""
    room = Room(a_trade("t1"), a_trade("t2", ticker="L"))
    room.hear(received(flat("K"), received_ns=at(3)))
    room.agrees_after(for_s=60)
    room.hear(later(a_trade("t1"), state=TradeState.CLOSED, open_quantity=D(0)))

    room.agrees_after(for_s=300)

    assert {trade_id for trade_id, _, _ in closed(room.all_said)} == {"t1"}


@pytest.mark.parametrize("word", [flat("K", at_s=-51), flat("K", quantity="4")])
def test_a_word_of_before_the_last_fill_or_of_another_quantity_confirms_no_empty_list(word: Position) -> None:
    """Fault 54, Lesson 25: what was filled since may still be held."""
    room = Room(a_trade("t1"), a_trade("t2", ticker="L"))
    room.hear(received(word, received_ns=at(3)))

    room.agrees_after(for_s=300)

    assert closed(room.all_said) == []


def test_what_was_bought_and_sold_since_the_word_confirms_the_empty_list_with_it() -> None:
    """Fault 55: a close of a trade that was taken away sells what the next one has bought."""
    gone, next_one = a_trade("t1"), a_trade("t2", "2", ticker="L")
    room = Room(gone, next_one)
    room.hear(received(flat("K", at_s=-10), received_ns=at(3)))
    room.hear(received(flat("L", at_s=-55), received_ns=at(3)))
    sold = a_fill("t9-close-1", "f9", "2", at_s=4)
    room.hear(
        a_trade("t9", "2", ticker="L", state=TradeState.CLOSED, open_quantity=D(0), fills=(sold,), entry_ts=at(-99))
    )

    said = room.agrees_after(for_s=60)

    assert closed(said) == [("t1", D(10), []), ("t2", D(2), [])]


def test_what_a_venue_said_before_a_restart_still_confirms_its_empty_list() -> None:
    """Fault 55"""
    room = Room()
    trades = (a_trade("t1"), a_trade("t2", ticker="L"))
    room.engine = ReconcileEngine(TERMS, trades, T0, stated=(flat("K", at_s=-3), flat("L", at_s=-2)))
    room.hear(VenuesUp(now_ns=T0))

    said = room.agrees_after(for_s=60)

    assert [trade_id for trade_id, _, _ in closed(said)] == ["t1", "t2"]


def test_where_it_lists_others_the_one_that_is_missing_is_closed_in_the_end() -> None:
    room = Room(a_trade("t1"), a_trade("t2", ticker="L"))

    said = room.agrees_after(a_position(), for_s=60)

    assert closed(said) == [("t2", D(10), [])]


def test_a_part_that_was_closed_by_somebody_else_leaves_the_rest() -> None:
    room = Room(a_trade())

    said = room.agrees_after(a_position("7"), for_s=60)

    assert closed(said) == [("t1", D(3), [])]


def test_a_shortfall_is_the_oldest_entrys_first_with_a_notice() -> None:
    """Lesson 62: two trades on one ticker and side."""
    young, old = a_trade("young", "6", entry_ts=at(-10)), a_trade("old", "4", entry_ts=at(-40))
    room = Room(young, old)

    said = room.agrees_after(a_position("3"), for_s=60)

    assert closed(said) == [("old", D(4), []), ("young", D(3), [])]
    assert [notice.title for notice in of_kind(said, Notice)] == [
        "7 yes K missing in acc at sim are taken off the oldest entry first"
    ]


def test_a_fill_that_closed_parts_of_two_trades_is_booked_once_for_each_part() -> None:
    room = Room(a_trade("t1", "4", entry_ts=at(-40)), a_trade("t2", "6", entry_ts=at(-10)))

    said = room.agrees_after(fills=(a_venue_fill("m1", "10"),))

    assert closed(said) == [("t1", D(4), [("m1", D(4))]), ("t2", D(6), [("m1#t2", D(6))])]
    assert [fill.fees for word in of_kind(said, ClosedOutside) for fill in word.fills] == [D("0.07"), None]


def test_what_a_trade_leaves_of_a_fill_is_the_next_ones_before_a_later_fill_is() -> None:
    room = Room(a_trade("t1", "4", entry_ts=at(-40)), a_trade("t2", "6", entry_ts=at(-10)))

    said = room.agrees_after(fills=(a_venue_fill("m1", "5"), a_venue_fill("m2", "5")))

    assert closed(said) == [("t1", D(4), [("m1", D(4))]), ("t2", D(6), [("m1#t2", D(1)), ("m2", D(5))])]


def test_what_is_missing_of_a_single_trade_is_no_question_of_whose_it_is() -> None:
    room = Room(a_trade())

    room.agrees_after(a_position("4"), fills=(a_venue_fill("m1", "6"),))

    assert room.notices == []


@pytest.mark.parametrize(("side", "other", "explains"), [(Side.YES, Side.NO, False), (Side.LONG, Side.SHORT, True)])
def test_a_fill_of_the_other_side_closes_what_is_long_but_no_event_contract(
    side: Side, other: Side, explains: bool
) -> None:
    """Fault 55: who buys the other side of an event where nothing nets holds both."""
    room = Room(a_trade(side=side))

    said = room.agrees_after(fills=(a_venue_fill("m1", "10", side=other),))

    assert bool(closed(said)) is explains


def test_a_fill_of_somebody_else_that_is_booked_already_explains_nothing_again() -> None:
    room = Room(a_trade())
    (word,) = of_kind(room.agrees_after(a_position("4"), fills=(a_venue_fill("m1", "6"),)), ClosedOutside)
    booked = replace(a_trade().fills[0], fill_id="m1", client_order_id="t1-external", quantity=D(6))
    trade = a_trade()
    room.hear(later(trade, open_quantity=D(4), fills=(*trade.fills, booked)))

    said = room.agrees_after(fills=(a_venue_fill("m1", "6"),), for_s=60)

    assert word.fills
    assert closed(said) == [("t1", D(4), [])]


def test_what_goes_next_is_not_explained_by_the_fill_that_explained_as_much_before() -> None:
    """S1: a fill of somebody else is booked once, also where the next loss is of the same size."""
    room, trade = Room(a_trade()), a_trade()
    fill = a_venue_fill("m1", "5")
    before = closed(room.agrees_after(a_position("5"), fills=(fill,)))
    booked = replace(trade.fills[0], fill_id="m1", client_order_id="t1-external", quantity=D(5))
    room.hear(later(trade, open_quantity=D(5), fills=(*trade.fills, booked)))

    said = room.agrees_after(fills=(fill,), for_s=60)

    assert before == [("t1", D(5), [("m1", D(5))])]
    assert closed(said) == [("t1", D(5), [])]


def test_each_of_two_sales_by_somebody_else_is_explained_by_its_own_fill() -> None:
    """Fault 55: a person who sells in parts; the fill of the first is read again with the second's."""
    room, trade = Room(a_trade()), a_trade()
    first, second = a_venue_fill("m1", "4"), a_venue_fill("m2", "6")
    room.agrees_after(a_position("6"), fills=(first,))
    booked = replace(trade.fills[0], fill_id="m1", client_order_id="t1-external", quantity=D(4))
    room.hear(later(trade, open_quantity=D(6), fills=(*trade.fills, booked)))

    said = room.agrees_after(fills=(first, second))

    assert closed(said) == [("t1", D(6), [("m2", D(6))])]


def test_a_trade_whose_market_has_closed_is_left_to_settlement() -> None:
    room = Room(a_trade(state=TradeState.EXPIRED, close_ts=at(-1)))

    assert closed(room.agrees_after()) == []


def test_what_changed_after_the_question_is_compared_with_the_next_answer() -> None:
    room = Room(a_trade())
    room.hear(later(a_trade(), ts=at(0.1), open_quantity=D(4)))

    room.answers(a_position("10"))
    room.passes(5)
    room.answers(a_position("4"))

    assert closed(room.all_said) == []
    assert room.notices == []


def test_a_fill_that_is_booked_in_sum_keeps_no_position_from_being_compared() -> None:
    """L1: it was told with every look, and whatever a look tells something of is not judged by it."""
    entry = an_attempt("t1-entry-1", AttemptState.DEAD, purpose=Purpose.ENTRY, evidence="filled", filled=D(10))
    room = Room(a_trade(attempts=(entry,), fills=(a_fill(fill_id="t1-entry-1-looked-up"),)))

    said = room.agrees_after(fills=(a_venue_fill("f1", client_order_id="t1-entry-1"),), for_s=60)

    assert [name for name, _, _ in closed(said)] == ["t1"]


def test_a_close_that_only_waits_for_its_price_keeps_no_position_from_being_compared() -> None:
    """L1: it is tried again every few seconds, and so is the look."""
    trade = a_trade(state=TradeState.CLOSING, attempts=(an_attempt(state=AttemptState.WANTED),))
    room = Room(trade)
    for _ in range(0, 60, 5):
        room.passes(5)
        room.hear(later(trade, ts=room.now_ns + 1))
        room.answers()

    assert {name for name, _, _ in closed(room.all_said)} == {"t1"}


def test_an_order_at_the_venue_is_told_where_its_close_waits_for_a_price() -> None:
    """S10: it left in an earlier life, and nothing is on record of it."""
    room = Room(a_trade(state=TradeState.CLOSING, attempts=(an_attempt(state=AttemptState.WANTED),)))

    said = room.answers(a_position(), orders=(a_venue_order(status="rejected"),))

    assert [word.client_order_id for word in of_kind(said, VenueAnswer)] == ["t1-close-1"]


# Netting


def test_both_sides_of_a_netting_venue_cancel_each_other() -> None:
    ours = a_trade(venue="net"), a_trade("t2", "4", venue="net", side=Side.NO)
    room = Room(*ours)

    room.answers(a_position("6"))

    assert room.standing.unresolved == ()


def test_a_netting_venue_that_lists_both_sides_holds_the_difference() -> None:
    room = Room(a_trade("t1", "6", venue="net"))

    room.answers(a_position("10"), a_position("4", side=Side.NO))

    assert room.standing.unresolved == ()


def test_trades_of_both_sides_that_a_netting_venue_has_cancelled_end_with_as_much_of_each() -> None:
    """L1: a late fill of the other side has closed what no order can close any more."""
    older = a_trade(venue="net")
    younger = a_trade("t2", "4", venue="net", side=Side.NO, entry_ts=at(-20), entry_price=D("0.30"))
    room = Room(older, younger)

    said = room.agrees_after(a_position("6"))

    assert [(word.trade_id, word.quantity, word.netted) for word in of_kind(said, ClosedOutside)] == [
        ("t1", D(4), True),
        ("t2", D(4), True),
    ]
    assert {(fill.side, fill.price) for word in of_kind(said, ClosedOutside) for fill in word.fills} == {
        (Side.NO, D("0.30"))
    }


def test_the_oldest_of_each_side_cancel_each_other_first() -> None:
    ours = (
        a_trade("t1", "3", venue="net", entry_ts=at(-50)),
        a_trade("t2", "3", venue="net", entry_ts=at(-40)),
        a_trade("t3", "4", venue="net", side=Side.NO, entry_ts=at(-30), entry_price=D("0.30")),
    )
    room = Room(*ours)

    said = room.agrees_after(a_position("2"))

    assert [(name, quantity) for name, quantity, _ in closed(said)] == [("t1", D(3)), ("t3", D(4)), ("t2", D(1))]


def test_one_look_does_not_prove_that_both_sides_have_cancelled_each_other() -> None:
    room = Room(a_trade(venue="net"), a_trade("t2", "4", venue="net", side=Side.NO))

    assert closed(room.answers(a_position("6"))) == []


def test_what_a_venue_that_does_not_net_holds_of_both_sides_stays_open() -> None:
    room = Room(a_trade(), a_trade("t2", "4", side=Side.NO))

    assert closed(room.agrees_after(a_position(), a_position("4", Side.NO))) == []


def test_nothing_has_cancelled_while_an_order_of_ours_is_on_its_way() -> None:
    """S8"""
    flying = a_trade("t2", "4", venue="net", side=Side.NO, attempts=(an_attempt("t2-close-1"),))
    room = Room(a_trade(venue="net"), flying)

    assert closed(room.agrees_after(a_position("6"))) == []


def test_buying_the_other_side_at_a_netting_venue_closes_ours() -> None:
    room = Room(a_trade(venue="net"))

    said = room.agrees_after(fills=(a_venue_fill("m1", "10", "0.55", side=Side.NO),))

    assert closed(said) == [("t1", D(10), [("m1", D(10))])]


def test_a_netting_venue_bounds_the_closes_of_what_we_hold() -> None:
    room = Room(a_trade(venue="net"))

    said = room.answers(a_position("6"))

    (seen,) = of_kind(said, PositionsSeen)
    assert [(p.ticker, p.side, p.quantity, p.ts) for p in seen.positions] == [("K", Side.YES, D(6), T0)]


def test_what_a_netting_venue_does_not_list_bounds_nothing() -> None:
    """Fault 54: a list that failed must not hold back a stop."""
    room = Room(a_trade(venue="net"))

    assert of_kind(room.answers(), PositionsSeen) == []


# Unmanaged


def test_a_position_that_nobody_told_us_of_is_unmanaged_and_alarms_once() -> None:
    """Fault 53"""
    room = Room(a_trade())
    manual = a_position("3", ticker="M")

    for _ in range(4):
        room.agrees_after(a_position(), manual)

    assert room.notices == ["unmanaged_position"]
    assert room.standing.unresolved == ("yes M: the venue holds 3, our trades add up to 0",)
    assert of_kind(room.all_said, PositionFound) == []


def test_at_the_start_a_difference_keeps_entries_away_before_it_is_confirmed() -> None:
    """Fault 53: no entries in that account until it is resolved."""
    room = Room(a_trade())

    room.answers(a_position("12"))

    assert (room.standing.answered, bool(room.standing.unresolved)) == (True, True)


def test_later_on_a_difference_keeps_entries_away_once_it_is_confirmed() -> None:
    room = Room(a_trade())
    room.answers(a_position())
    room.passes(60)

    room.answers(a_position("12"))
    before = room.standing.unresolved
    room.passes(5)
    room.answers(a_position("12"))

    assert (before, bool(room.standing.unresolved)) == ((), True)


def test_a_position_that_a_person_has_taken_over_is_resolved_at_once() -> None:
    room = Room()
    room.hear(ReconcileWanted(venue="sim", account="acc", now_ns=T0))
    room.agrees_after(a_position("3", ticker="M"))
    room.now_ns += NS_PER_S

    said = room.hear(a_trade("mine", "3", ticker="M", ts=room.now_ns))
    room.now_ns += NS_PER_S
    room.answers(a_position("3", ticker="M"))

    assert len(of_kind(said, AccountQuestion)) == 1
    assert room.notices == ["unmanaged_position", "reconciled"]


def test_a_position_of_nobody_is_adopted_where_that_is_wanted_and_its_fills_add_up() -> None:
    room = Room(terms=ADOPTING)
    room.hear(ReconcileWanted(venue="sim", account="acc", now_ns=T0))

    said = room.agrees_after(a_position("3", ticker="M"), fills=(a_venue_fill("m1", "3", ticker="M"),))

    (found,) = of_kind(said, PositionFound)
    assert (found.position.quantity, [fill.fill_id for fill in found.fills]) == (D(3), ["m1"])
    assert room.notices == []


def test_a_position_without_a_price_is_not_adopted_however_much_it_is_wanted() -> None:
    room = Room(terms=ADOPTING)
    room.hear(ReconcileWanted(venue="sim", account="acc", now_ns=T0))

    said = room.agrees_after(a_position("3", ticker="M"))

    assert of_kind(said, PositionFound) == []
    assert room.notices == ["unmanaged_position"]


def test_what_a_venue_still_shows_of_a_settled_ticker_is_nobodys_alarm() -> None:
    room = Room(a_trade(state=TradeState.SETTLED, open_quantity=D(0)))

    room.agrees_after(a_position())

    assert room.notices == []


# Orders and fills of ours


def test_an_unheard_fill_of_an_order_of_ours_is_told_to_the_desk() -> None:
    """Fault 7, Fault 27, Lesson 25"""
    flying = a_trade(state=TradeState.CLOSING, attempts=(an_attempt(),))
    room = Room(flying)
    fill = a_venue_fill("c1", "10", client_order_id="t1-close-1")

    said = room.answers(a_position(), orders=(a_venue_order("t1-close-1", "filled", "10"),), fills=(fill,))

    (told,) = of_kind(said, VenueAnswer)
    assert (told.client_order_id, told.trade_id, told.fills) == ("t1-close-1", "t1", (fill,))


def test_an_unheard_end_of_an_order_of_ours_is_told_to_the_desk() -> None:
    """Fault 27: a close that died unheard holds back the next one."""
    room = Room(a_trade(state=TradeState.CLOSING, attempts=(an_attempt(),)))

    said = room.answers(a_position(), orders=(a_venue_order("t1-close-1", "cancelled"),))

    assert [(told.client_order_id, told.fills) for told in of_kind(said, VenueAnswer)] == [("t1-close-1", ())]


def test_what_is_booked_is_not_told_again() -> None:
    room = Room(a_trade())
    known = a_venue_fill("t1-f", "10", client_order_id="t1-entry-1")

    said = room.answers(a_position(), orders=(a_venue_order("t1-entry-1", "filled", "10"),), fills=(known,))

    assert of_kind(said, VenueAnswer) == []


def test_a_fill_of_a_trade_that_has_ended_is_told_too() -> None:
    """Fault 28"""
    room = Room(a_trade("t2"))
    fill = a_venue_fill("late", "10", client_order_id="t9-close-1")

    said = room.answers(a_position(), fills=(fill,))

    assert [told.trade_id for told in of_kind(said, VenueAnswer)] == ["t9"]


def test_an_order_that_works_though_it_counts_as_dead_is_an_alarm() -> None:
    dead = an_attempt("t1-close-1", AttemptState.DEAD, evidence="empty_lookup")
    trade = a_trade()
    room = Room(replace(trade, attempts=(*trade.attempts, dead)))

    said = room.answers(a_position(), orders=(a_venue_order("t1-close-1", "accepted"),))

    assert [(note.kind, note.severity) for note in of_kind(said, Notice)] == [("unknown_order", Severity.CRITICAL)]
    assert room.standing.unresolved == ("t1-close-1 works at the venue though no trade waits for it",)


def test_an_order_that_an_open_trade_has_never_heard_of_is_an_alarm() -> None:
    room = Room(a_trade())

    room.answers(a_position(), orders=(a_venue_order("t1-close-9", "accepted"),))

    assert room.notices == ["unknown_order"]


def test_such_an_order_is_resolved_once_it_has_ended() -> None:
    room = Room(a_trade())
    room.answers(a_position(), orders=(a_venue_order("t9-close-1", "accepted"),))
    room.passes(60)

    room.answers(a_position(), orders=(a_venue_order("t9-close-1", "cancelled"),))

    assert room.standing.unresolved == ()
    assert room.notices == ["unknown_order", "reconciled"]


def test_what_differed_before_a_reconnection_must_be_found_twice_after_it() -> None:
    room = Room(a_trade())
    room.answers(a_position("4"))
    room.now_ns = at(600)
    room.hear(VenuesUp(now_ns=at(600)))

    room.answers(a_position("4"))

    assert room.notices == []


def test_a_rebuilt_engine_asks_about_every_account_that_was_known() -> None:
    room = Room()
    room.hear(ReconcileWanted(venue="sim", account="new", now_ns=T0))

    again = ReconcileEngine(TERMS, (), at(9), room.engine.accounts)

    assert [q.account for q in of_kind(again.handle(VenuesUp(now_ns=at(9))), AccountQuestion)] == ["new"]


def test_a_rebuilt_engine_knows_what_the_venue_has_said_of_each_position() -> None:
    """Fault 41, Fault 55"""
    room = Room()
    for ticker in ("K", "L"):
        room.hear(received(flat(ticker, at_s=-2), received_ns=at(-1)))
    trades = (a_trade("t1"), a_trade("t2", ticker="L"))

    room.engine = ReconcileEngine(TERMS, trades, T0, room.engine.accounts, room.engine.stated)
    room.hear(VenuesUp(now_ns=T0))

    assert [trade_id for trade_id, _, _ in closed(room.agrees_after(for_s=60))] == ["t1", "t2"]


def test_what_is_read_begins_where_the_oldest_open_trade_began_or_a_day_ago() -> None:
    recent, old = Room(a_trade()), Room(a_trade(requested_ts=at(-900_000)))

    assert recent.question().since_ns == at(-86_400)
    assert old.question().since_ns == at(-900_000)


def test_orders_and_fills_of_an_adapters_check_are_none_of_ours() -> None:
    room = Room(a_trade())
    fill = a_venue_fill("c", "1", client_order_id="wk-check-6925f0aa-3-close-2")

    said = room.answers(a_position(), orders=(a_venue_order("wk-check-6925f0aa-3-close-2", "accepted"),), fills=(fill,))

    assert of_kind(said, VenueAnswer) == []
    assert room.notices == []


def test_a_later_look_reads_on_from_a_little_before_the_last_one() -> None:
    """Lesson 42: the mark moves only after what was read has been told."""
    room = Room(a_trade())
    room.answers(error="timeout")
    room.passes(1)
    failed = room.question()
    room.answers(a_position())
    room.passes(60)

    assert failed.since_ns < at(-80_000)
    assert room.question().since_ns == failed.now_ns - TERMS.overlap_ns


def test_notices_are_kept_in_a_commit_and_a_critical_one_leaves_at_once() -> None:
    room = Room(a_trade())

    said = room.answers(a_position(), orders=(a_venue_order("t9-close-1", "accepted"),))

    (commit,) = of_kind(said, Commit)
    assert (commit.sender, [notice.kind for notice in commit.notices]) == ("reconciler", ["unknown_order"])
    assert [(out.subject, out.direct) for out in commit.outbox] == [("notice.critical.unknown_order", True)]


def test_a_fill_of_a_trade_that_has_ended_is_told_once_however_often_it_is_read() -> None:
    room = Room(a_trade("t2"))
    fill = a_venue_fill("late", "10", client_order_id="t9-close-1")
    room.answers(a_position(), fills=(fill,))
    room.passes(60)

    assert of_kind(room.answers(a_position(), fills=(fill,)), VenueAnswer) == []
