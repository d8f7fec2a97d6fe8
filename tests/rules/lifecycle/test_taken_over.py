"""Closes found in ORDERS whose record was lost become the attempts that they were, and nothing leaves a second time."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from actors.rules.trade import lifecycle, taken_over
from actors.rules.trade.steps import VenueTerms
from bus.messages.orders import OrderSubmit, VenueFill
from bus.messages.trades import Attempt, AttemptState, Mode, Purpose, Side, Trade, TradeState
from tests.rules.lifecycle.builders import (
    BUY_OPPOSITE,
    SELL,
    TICKER,
    Life,
    a_closing_life,
    a_context,
    a_fill,
    a_mark,
    a_person,
    a_report,
    a_stop,
    a_trade,
    a_venue_fill,
    an_answer,
    an_open_life,
    at,
)

D = Decimal


def a_close(attempt: int = 1, **changes: Any) -> OrderSubmit:
    """The close of `t1` that a probability stop sent at ten seconds."""
    given: dict[str, Any] = {
        "client_order_id": f"t1-close-{attempt}",
        "trade_id": "t1",
        "account": "demo",
        "mode": Mode.PAPER,
        "purpose": Purpose.CLOSE,
        "attempt": attempt,
        "ticker": TICKER,
        "side": Side.YES,
        "action": "sell",
        "quantity": D(10),
        "limit_price": D("0.35"),
        "reduce_only": True,
        "expires_ts": at(40),
        "epoch": 2,
        "cause": "t1-probability-1",
        "decision_id": "t1-probability-1",
        "trade_version": 3,
        "settings_version": 1,
        "ts": at(10),
    }
    return OrderSubmit(**(given | changes))


def found(*fills: VenueFill, status: str, venue: VenueTerms = SELL) -> Life:
    """A close that waits for its price, and that the venue says it has."""
    life = an_open_life(venue=venue).hear(a_person(), at_s=10)
    quantity = str(sum(fill.quantity for fill in fills))
    return life.hear(an_answer("t1-close-1", status=status, cumulative=quantity, fills=fills), at_s=11)


def taken(life: Life, *orders: OrderSubmit) -> Life:
    life.now_ns = at(20)
    found = taken_over.unrecorded(life.trade, orders)
    return life.take(taken_over.take_in(life.trade, found, a_context(at(20), life.venue)))


def states(trade: Trade) -> list[tuple[str, AttemptState]]:
    return [(a.client_order_id, a.state) for a in trade.attempts if a.purpose is Purpose.CLOSE]


def test_a_close_whose_record_was_lost_is_in_flight_and_none_leaves_beside_it() -> None:
    """K14"""
    life = taken(an_open_life(), a_close())

    assert life.trade.state is TradeState.CLOSING
    assert states(life.trade) == [("t1-close-1", AttemptState.SENT)]
    assert (life.step.closes, life.step.taken) == ((), (a_close(),))


def test_its_attempt_is_the_one_that_the_desk_had_made_of_it() -> None:
    lost = a_closing_life()
    (sent,) = lost.step.closes

    life = taken(an_open_life(), replace(sent, decision_id=None))

    assert life.trade.attempts == lost.trade.attempts


def test_its_attempt_has_the_terms_of_its_order() -> None:
    order = a_close(side=Side.NO, limit_price=D("0.65"), order_type="market", time_in_force="gtc", quantity=D(9))
    life = taken(an_open_life(), order)

    assert life.trade.attempts[-1] == Attempt(
        client_order_id="t1-close-1", purpose=Purpose.CLOSE, attempt=1, state=AttemptState.SENT, quantity=D(9),
        limit_price=D("0.65"), order_type="market", time_in_force="gtc", sent_ns=at(10), expires_ns=at(40),
        decision_id="t1-probability-1", side=Side.NO, nth=1,
    )  # fmt: skip


def test_its_rule_is_the_one_that_decided_it() -> None:
    life = taken(an_open_life(), a_close())

    assert (life.trade.rule, life.trade.close_wanted, life.kinds[-1]) == ("probability", D(10), "stop_fired")
    assert life.trade.close_reason == "stop probability"


def test_its_fill_closes_the_trade() -> None:
    life = taken(an_open_life(), a_close())

    life.hear(a_fill("10", "0.36", "t1-close-1", fill_id="f2", cumulative="10", status="filled"), at_s=21)

    assert life.trade.state is TradeState.CLOSED
    assert life.trade.exit_price == D("0.36")


def test_when_it_ends_the_next_attempt_has_the_next_number() -> None:
    life = taken(an_open_life(), a_close())

    life.hear(a_report("cancelled", "t1-close-1", cumulative="0"), at_s=21).timer("next_attempt", at_s=22).mark()

    assert [order.client_order_id for order in life.step.closes] == ["t1-close-2"]
    assert life.trade.attempts[-1].nth == 2


def test_a_persons_close_of_a_part_stays_one_of_a_part() -> None:
    life = taken(an_open_life(), a_close(quantity=D(4), decision_id=None))

    assert (life.trade.close_wanted, life.trade.rule) == (D(4), None)
    assert life.trade.close_reason == "its order was found in ORDERS"


def test_the_try_that_waited_for_its_price_keeps_its_number() -> None:
    life = a_closing_life().hear(a_report("rejected", "t1-close-1"), at_s=11).timer("next_attempt", at_s=12)
    assert [(a.state, a.nth) for a in life.trade.attempts[2:]] == [(AttemptState.WANTED, 2)]

    taken(life, a_close(2))

    assert [(a.state, a.nth) for a in life.trade.attempts[2:]] == [(AttemptState.SENT, 2)]


def test_a_close_after_one_that_was_over_begins_with_the_first_try() -> None:
    life = an_open_life().hear(a_person("4"), at_s=5).mark()
    life.hear(a_fill("4", "0.36", "t1-close-1", fill_id="f2", cumulative="4", status="filled"), at_s=6)
    assert life.trade.close_wanted is None

    taken(life, a_close(2, quantity=D(6)))

    assert [a.nth for a in life.trade.attempts[1:]] == [1, 1]


def test_an_attempt_that_waited_for_its_price_when_the_record_ends_has_left() -> None:
    life = an_open_life().hear(a_person(), at_s=9)

    taken(life, a_close(decision_id=None))

    assert states(life.trade) == [("t1-close-1", AttemptState.SENT)]
    assert life.trade.next_attempt_ns is None


def test_of_several_lost_attempts_only_the_last_can_fly() -> None:
    """A later attempt leaves only when the one before is proven dead."""
    life = taken(an_open_life(), a_close(1), a_close(2), a_close(3))

    dead, sent = AttemptState.DEAD, AttemptState.SENT
    assert [state for _, state in states(life.trade)] == [dead, dead, sent]
    assert [a.nth for a in life.trade.attempts[1:]] == [1, 2, 3]


def test_the_recorded_attempt_before_a_lost_one_is_dead_and_asked_about_once() -> None:
    life = taken(a_closing_life(), a_close(1), a_close(2))

    assert states(life.trade) == [("t1-close-1", AttemptState.DEAD), ("t1-close-2", AttemptState.SENT)]
    assert [question.client_order_id for question in life.step.questions] == ["t1-close-1"]


def test_an_earlier_attempt_is_dead_by_its_own_evidence_where_there_was_some() -> None:
    """Its fill is still missing, so it was not dead yet."""
    life = a_closing_life().hear(a_report("cancelled", "t1-close-1", cumulative="3"), at_s=11)

    taken(life, a_close(2), a_close(3))

    assert [a.evidence for a in life.trade.attempts[1:]] == ["cancelled", "later_attempt", None]


def test_a_close_before_the_newest_on_record_was_forgotten_not_lost() -> None:
    trade = a_closing_life().trade
    newer = replace(trade.attempts[-1], client_order_id="t1-close-2", attempt=2)

    assert taken_over.unrecorded(replace(trade, attempts=(trade.attempts[0], newer)), [a_close(1), a_close(2)]) == ()


def test_fills_of_an_earlier_lost_attempt_are_booked_when_their_reports_come() -> None:
    life = taken(an_open_life(), a_close(1), a_close(2, quantity=D(7)))

    life.hear(a_fill("3", "0.36", "t1-close-1", fill_id="f2", cumulative="3"), at_s=21)
    life.hear(a_report("cancelled", "t1-close-1", cumulative="3"), at_s=22)
    life.hear(a_fill("7", "0.34", "t1-close-2", fill_id="f3", cumulative="7", status="filled"), at_s=23)

    assert life.trade.state is TradeState.CLOSED
    assert life.trade.closed_quantity == D(10)


def test_an_entry_that_was_filled_in_the_lost_minutes_is_followed_by_its_close() -> None:
    entering = Life(an_open_life().steps[0].trade)
    life = taken(entering, a_close(), a_close(2))
    assert life.trade.attempts[0].state is AttemptState.SENT

    life.hear(a_fill("10", "0.60", status="filled", cumulative="10"), at_s=21)
    life.hear(a_fill("10", "0.36", "t1-close-2", fill_id="f2", cumulative="10", status="filled"), at_s=22)

    assert life.trade.state is TradeState.CLOSED


def test_it_is_dead_only_by_evidence() -> None:
    """An empty look-up before its last moment of sending proves nothing."""
    life = taken(an_open_life(), a_close())

    life.hear(an_answer("t1-close-1"), at_s=30)

    assert states(life.trade) == [("t1-close-1", AttemptState.SENT)]


def test_what_the_trade_knows_as_sent_is_not_lost() -> None:
    assert taken_over.unrecorded(a_closing_life().trade, [a_close()]) == ()


@pytest.mark.parametrize("orders", [(a_close(2), a_close(1)), (a_close(1), a_close(2), a_close(1, quantity=D(3)))])
def test_orders_are_read_by_trade_and_attempt_and_the_first_under_an_id_stands(orders: tuple[OrderSubmit, ...]) -> None:
    assert taken_over.by_trade(orders) == {"t1": (a_close(1), a_close(2))}


def test_an_entry_needs_no_taking_over() -> None:
    """It leaves only after its commit."""
    assert taken_over.by_trade([a_close(client_order_id="t1-entry-1", purpose=Purpose.ENTRY)]) == {}


def test_recovery_asks_about_the_order_that_was_taken_in() -> None:
    life = taken(an_open_life(), a_close())

    step = lifecycle.recover(life.trade, a_context(at(20)))

    assert [question.client_order_id for question in step.questions] == ["t1-close-1"]


def test_what_a_close_sold_of_an_entry_that_nobody_has_heard_of_is_booked_once_the_entry_is() -> None:
    """Fault 18, S2: a life without PostgreSQL knew of that fill by a look-up, and closed it."""
    life = taken(Life(a_trade()).begin(), a_close())
    sold = a_fill("10", "0.40", "t1-close-1", fill_id="c1", status="filled", cumulative="10")

    early = life.hear(sold).step
    life.hear(an_answer(status="filled", cumulative="10", fills=(a_venue_fill("10"),)))
    life.hear(
        an_answer(
            "t1-close-1", status="filled", cumulative="10", fills=(a_venue_fill("10", "0.40", "t1-close-1", "c1"),)
        )
    )

    assert (early.late, [question.client_order_id for question in early.questions]) == ((), ["t1-entry-1"])
    assert (life.trade.state, life.trade.closed_quantity) == (TradeState.CLOSED, D(10))
    assert [order for step in life.steps for order in step.closes] == []


def test_a_close_that_the_venue_has_though_it_waits_for_its_price_left_in_an_earlier_life_and_gets_its_row() -> None:
    """S10: whatever left has a row."""
    life = found(a_venue_fill("10", "0.45", "t1-close-1", "m1"), status="filled")

    assert [(order.client_order_id, order.side, order.quantity) for order in life.step.taken] == [
        ("t1-close-1", Side.YES, D(10))
    ]
    assert (life.trade.state, life.trade.exit_price) == (TradeState.CLOSED, D("0.45"))


def test_no_other_order_leaves_beside_a_close_that_the_venue_was_found_to_have() -> None:
    """S2"""
    life = found(status="accepted").hear(a_stop(mark=a_mark()), at_s=12)

    assert life.trade.attempts[-1].state is AttemptState.SENT
    assert [step.closes for step in life.steps] == [()] * len(life.steps)


def test_a_close_that_was_found_at_work_is_asked_about() -> None:
    assert found(status="accepted").due("lookup") is not None


def test_a_close_found_where_the_other_side_is_bought_has_brought_one_dollar_less_its_price() -> None:
    life = found(a_venue_fill("10", "0.45", "t1-close-1", "m1"), status="filled", venue=BUY_OPPOSITE)

    assert life.trade.exit_price == D("0.55")


def test_a_report_of_a_close_that_waits_for_its_price_is_one_of_an_earlier_life() -> None:
    life = an_open_life().hear(a_person(), at_s=10)

    life.hear(a_fill("10", "0.45", "t1-close-1", fill_id="m1", status="filled", cumulative="10"), at_s=11)

    assert [order.client_order_id for order in life.step.taken] == ["t1-close-1"]
