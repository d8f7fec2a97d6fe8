"""How a trade is closed (SPEC 1.3, Closes, Netting venues, Halted markets)."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.trade.closes import is_failing
from actors.rules.trade.draft import ENDED_KEPT, find, last_close
from actors.rules.trade.steps import CloseWanted
from bus.messages.market import LifecycleEvent
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.plain import to_json
from bus.messages.records import OrderRefused, OrderStored
from bus.messages.stops import BidReturned, StopDecision
from bus.messages.trades import AttemptState, Purpose, Side
from bus.messages.trades import TradeState as S
from tests.rules.lifecycle.builders import (
    BUY_OPPOSITE,
    ENTRY,
    Life,
    a_closing_life,
    a_fill,
    a_mark,
    a_market_event,
    a_person,
    a_report,
    a_stop,
    an_answer,
    an_open_life,
    at,
)

MESSAGE_MAX_BYTES = 65_536
"""What the streams take: `nats.max_message_bytes`."""
CLOSE_1, CLOSE_2 = "t1-close-1", "t1-close-2"


def _sent(life: Life) -> list[str]:
    return [order.client_order_id for step in life.steps for order in step.closes]


def _cancelled(order: str, filled: str = "0") -> OrderReport:
    return a_report("cancelled", order, cumulative=filled)


def _resting_life() -> Life:
    life = an_open_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=10)
    return life.hear(a_report("accepted", CLOSE_1))


def test_a_fired_stop_sends_its_close_at_once_with_the_mark_it_carries() -> None:
    """Lesson 4: in the same step, before any commit; the ledger says `closing`, no reply is needed."""
    life = an_open_life().hear(a_stop(mark=a_mark("0.40")), at_s=10)

    order = life.step.closes[0]
    assert (order.client_order_id, order.quantity, order.limit_price) == (CLOSE_1, Decimal(10), Decimal("0.35"))
    assert (order.reduce_only, order.time_in_force, order.order_type) == (True, "ioc", "limit")
    assert order.trade_version == life.trade.version
    assert life.trade.state is S.CLOSING


def test_a_persons_close_asks_for_a_mark_first() -> None:
    life = an_open_life().hear(a_person(), at_s=10)

    assert life.step.closes == ()
    assert [wanted.client_order_id for wanted in life.step.marks] == [CLOSE_1]
    assert [order.limit_price for order in life.mark(a_mark("0.50")).step.closes] == [Decimal("0.45")]


def test_a_mark_that_nobody_gave_is_asked_for_again() -> None:
    life = an_open_life().hear(a_person(), at_s=10).timer("next_attempt", at_s=11)

    assert [wanted.client_order_id for wanted in life.step.marks] == [CLOSE_1]


def test_a_mark_prices_an_attempt_once() -> None:
    life = an_open_life().hear(a_person(), at_s=10).mark().mark()

    assert _sent(life) == [CLOSE_1]


@pytest.mark.parametrize(
    ("venue_style", "side", "price"), [("sell", Side.YES, "0.35"), ("buy_opposite", Side.NO, "0.65")]
)
def test_each_venue_style_closes_in_its_own_words(venue_style: str, side: Side, price: str) -> None:
    venue = BUY_OPPOSITE if venue_style == "buy_opposite" else None
    life = an_open_life(venue=venue) if venue else an_open_life()

    order = life.hear(a_stop(), at_s=10).step.closes[0]

    assert (order.side, order.limit_price, order.reduce_only) == (side, Decimal(price), True)


def test_two_reasons_in_one_tick_make_one_close() -> None:
    """Fault 56: stop, target and operator; the others are attached."""
    life = a_closing_life().hear(a_stop("price")).hear(a_person()).hear(a_stop("price"))

    assert _sent(life) == [CLOSE_1]
    assert life.trade.rule == "probability"
    assert life.trade.attached == ("price", "by hand")


def test_a_stop_takes_the_rest_of_a_close_that_wanted_a_part() -> None:
    life = an_open_life().hear(a_person("4"), at_s=10).mark().hear(a_stop(), at_s=10)
    assert life.trade.close_wanted == 10

    life.hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1"), at_s=11).timer("next_attempt", at_s=12).mark()

    assert life.step.closes[0].quantity == 6


@pytest.mark.parametrize(("asked", "sent"), [("4", "4"), ("10", "10"), ("11", "10"), (None, "10")])
def test_a_close_never_asks_for_more_than_is_open(asked: str | None, sent: str) -> None:
    life = an_open_life().hear(a_person(asked), at_s=10).mark()

    assert life.step.closes[0].quantity == Decimal(sent)


def test_the_part_asked_for_leaves_the_rest_open_and_unwanted() -> None:
    """Lesson 26: an exact remainder."""
    life = an_open_life().hear(a_person("4"), at_s=10).mark().hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1"))

    assert life.trade.state is S.OPEN
    assert (life.trade.open_quantity, life.trade.close_wanted) == (Decimal(6), None)


def test_a_later_close_begins_with_the_first_slippage_and_a_new_id() -> None:
    """Lesson 21: ids are unique."""
    life = an_open_life().hear(a_person("4"), at_s=10).mark().hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1"))

    order = life.hear(a_stop(mark=a_mark("0.40")), at_s=20).step.closes[0]

    assert (order.client_order_id, order.attempt, order.limit_price) == (CLOSE_2, 2, Decimal("0.35"))


@pytest.mark.parametrize("status", ["cancelled", "expired", "rejected"])
def test_the_next_attempt_waits_for_proof_and_then_a_quarter_second(status: str) -> None:
    """Lesson 24: no attempt n+1 before attempt n is dead by evidence; Lesson 23: a rejection by its own id."""
    life = a_closing_life().hear(a_stop("price"), at_s=11)
    assert _sent(life) == [CLOSE_1]

    life.hear(a_report(status, CLOSE_1, cumulative="0"), at_s=12)

    assert life.trade.state is S.OPEN
    assert life.due("next_attempt") == at("12.25")
    assert life.timer("next_attempt", at_s="12.25").mark().step.closes[0].client_order_id == CLOSE_2


def test_an_attempt_begins_only_when_its_wait_is_over() -> None:
    life = a_closing_life().hear(_cancelled(CLOSE_1), at_s=12)

    assert life.timer("next_attempt", at_s="12.249").step.marks == ()


def test_a_dead_attempt_is_followed_without_asking_the_rule_again() -> None:
    life = a_closing_life(bid="0.20").hear(_cancelled(CLOSE_1), at_s=12).timer("next_attempt", at_s=13)

    order = life.mark(a_mark("0.90")).step.closes[0]

    assert (order.client_order_id, order.limit_price) == (CLOSE_2, Decimal("0.80"))


def _fail(life: Life, times: int) -> list[float]:
    """Let that many attempts die; return the waits after each, in seconds."""
    waits: list[float] = []
    for _ in range(times):
        life.hear(_cancelled(life.trade.attempts[-1].client_order_id))
        due_ns = life.trade.next_attempt_ns
        assert due_ns is not None
        waits.append((due_ns - life.now_ns) / 1e9)
        life.now_ns = due_ns
        life.timer("next_attempt").mark()
    return waits


def test_waits_double_to_five_seconds_then_a_person_hears_of_it_and_it_goes_on() -> None:
    life = a_closing_life()

    waits = _fail(life, 10)

    assert waits == [0.25, 0.5, 1, 2, 4, 5, 5, 30, 30, 30]
    assert life.kinds.count("close_failing") == 1
    assert life.kinds.count("close_retried") == 7
    assert life.trade.attempts[-1].client_order_id == "t1-close-11"


def test_a_trade_does_not_grow_with_the_tries_of_its_close() -> None:
    """A trade is told whole: one that was tried for days became larger than a message may be, and never left."""
    life = a_closing_life()

    _fail(life, 60)

    numbers = [attempt.attempt for attempt in life.trade.attempts if attempt.purpose is Purpose.CLOSE]
    assert numbers == list(range(61 - ENDED_KEPT, 62))
    assert len(to_json(life.trade)) < MESSAGE_MAX_BYTES


def test_a_fill_of_a_close_that_was_forgotten_is_booked_all_the_same() -> None:
    life = a_closing_life()
    _fail(life, 50)
    assert "t1-close-3" not in {attempt.client_order_id for attempt in life.trade.attempts}

    life.hear(a_fill("10", "0.40", "t1-close-3", fill_id="late"))

    assert [fill.fill_id for fill in life.trade.fills if fill.purpose is Purpose.CLOSE] == ["late"]
    assert life.trade.open_quantity == 0
    assert life.trade.attempts[-1].client_order_id == "t1-close-51"


def test_a_word_about_a_close_that_was_forgotten_begins_nothing() -> None:
    life = a_closing_life()
    _fail(life, 50)

    step = life.hear(_cancelled("t1-close-3")).step

    assert (step.closes, step.marks, step.cancels) == ((), (), ())
    assert last_close(life.trade) == life.trade.attempts[-1]


def test_a_close_whose_number_was_never_used_is_not_the_trades() -> None:
    life = a_closing_life()

    assert [find(life.trade, f"t1-close-{number}") for number in ("0", "2", "x", "01x")] == [None] * 4


@pytest.mark.parametrize(("deaths", "failing"), [(0, False), (7, False), (8, True), (9, True)])
def test_a_close_is_failing_after_eight_dead_attempts(deaths: int, failing: bool) -> None:
    life = a_closing_life()

    _fail(life, deaths)

    assert is_failing(life.trade) is failing


def test_a_partly_filled_attempt_is_followed_by_one_for_the_rest() -> None:
    """Lesson 26: partial fills leave an exact remainder."""
    life = a_closing_life().hear(a_fill("3.7", "0.40", CLOSE_1, fill_id="c1", cumulative="3.7"))
    assert life.edges[-1] == ("open", "closing")

    life.hear(_cancelled(CLOSE_1, "3.7"))
    assert life.edges[-1] == ("closing", "partial_closing")

    life.timer("next_attempt", at_s=11).mark()
    assert life.step.closes[0].quantity == Decimal("6.3")


@pytest.mark.parametrize(("left", "is_dust"), [("0.9", True), ("1", False), ("1.4", False)])
def test_a_remainder_below_the_lot_is_dust(left: str, is_dust: bool) -> None:
    life = a_closing_life(lot_size=Decimal(1))
    filled = str(Decimal(10) - Decimal(left))

    life.hear(a_fill(filled, "0.40", CLOSE_1, fill_id="c1", cumulative=filled)).hear(_cancelled(CLOSE_1, filled))

    assert life.trade.dust is is_dust
    assert (life.trade.next_attempt_ns is None) is is_dust
    assert ("dust" in life.kinds) is is_dust


def test_what_whole_lots_leave_over_is_not_sent() -> None:
    life = an_open_life(quantity="1.5", lot_size=Decimal(1)).hear(a_stop(), at_s=10)
    assert life.step.closes[0].quantity == 1

    life.hear(a_fill("1", "0.40", CLOSE_1, fill_id="c1"))

    assert life.trade.open_quantity == Decimal("0.5")
    assert not _sent(life)[1:]


@pytest.mark.parametrize(("at_s", "leaves"), [("3598.999", True), (3599, False), (3600, False)])
def test_no_close_leaves_at_or_after_the_cutoff(at_s: str | float, leaves: bool) -> None:
    life = an_open_life().hear(a_stop(), at_s=at_s)

    assert bool(life.step.closes) is leaves
    assert ("close_failed" in life.kinds) is not leaves
    assert life.trade.close_wanted == 10


def test_a_mark_that_comes_after_the_cutoff_sends_nothing() -> None:
    life = an_open_life().hear(a_person(), at_s=3598)
    life.now_ns = at(3599)

    life.mark()

    assert _sent(life) == []
    assert life.trade.state is S.OPEN
    assert life.trade.attempts[-1].evidence == "never_sent"


@pytest.mark.parametrize(("at_s", "expires_s"), [(10, 40), (3580, 3599)])
def test_a_close_expires_after_its_validity_or_at_the_cutoff(at_s: float, expires_s: float) -> None:
    order = an_open_life().hear(a_stop(), at_s=at_s).step.closes[0]

    assert order.expires_ts == at(expires_s)


def test_a_linear_close_knows_no_cutoff() -> None:
    life = an_open_life(Side.LONG, price="50000", close_ts=at(5)).hear(a_stop(mark=a_mark("49000")), at_s=10)

    assert life.step.closes[0].expires_ts == at(40)


def test_no_attempt_is_planned_past_the_cutoff() -> None:
    life = an_open_life().hear(a_stop(), at_s=3598).hear(_cancelled(CLOSE_1), at_s="3598.75")

    assert life.trade.next_attempt_ns is None
    assert "close_failed" in life.kinds


def test_no_attempt_begins_at_the_cutoff() -> None:
    life = an_open_life().hear(a_stop(), at_s=3599)

    assert [attempt.client_order_id for attempt in life.trade.attempts] == [ENTRY]


def test_it_is_said_once_that_no_order_may_leave_any_more() -> None:
    life = an_open_life().hear(a_stop(), at_s=3598).hear(_cancelled(CLOSE_1), at_s="3599.5")
    assert life.kinds[-1] == "close_failed"

    life.hear(a_market_event(LifecycleEvent.OPEN, ts=at("3599.6")), at_s="3599.6")

    assert life.kinds.count("close_failed") == 1


def test_a_wait_that_ends_after_the_cutoff_says_that_it_is_too_late() -> None:
    life = an_open_life().hear(a_stop(), at_s=3598).hear(_cancelled(CLOSE_1), at_s="3598.1")

    life.timer("next_attempt", at_s=3599)

    assert (life.kinds[-1], life.trade.next_attempt_ns, life.step.marks) == ("close_failed", None, ())
    assert [attempt.client_order_id for attempt in life.trade.attempts] == [ENTRY, CLOSE_1]


def test_every_attempt_of_a_stop_names_the_decision_that_it_carries_out() -> None:
    decision = StopDecision(
        decision_id="t1-price-1",
        trade_id="t1",
        rule="price",
        fired=True,
        inputs={},
        guards=(),
        settings_version=0,
        ts=at(10),
    )
    life = an_open_life().hear(CloseWanted(reason="price", rule="price", decision=decision, mark=a_mark()), at_s=10)
    life.hear(_cancelled(CLOSE_1), at_s=11).timer("next_attempt", at_s=12).mark()

    assert [order.decision_id for step in life.steps for order in step.closes] == ["t1-price-1"] * 2


def test_a_close_time_that_moves_on_gives_a_latched_close_another_chance() -> None:
    life = an_open_life().hear(a_stop(), at_s="3599.5")

    life.hear(a_market_event(LifecycleEvent.CLOSE_TS_CHANGED, close_ts=at(7200)), at_s="3599.6").mark()

    assert _sent(life) == [CLOSE_1]


def test_a_close_rests_where_nobody_bids() -> None:
    life = an_open_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=10)

    assert (life.step.closes[0].time_in_force, life.step.closes[0].limit_price) == ("gtc", Decimal("0.25"))
    assert life.due("rest_over") == at(15)


def test_a_resting_close_is_known_to_rest() -> None:
    assert _resting_life().trade.attempts[-1].state is AttemptState.RESTING


@pytest.mark.parametrize("ended_by", ["timer", "bid"])
def test_a_rest_ends_by_its_time_or_a_bid_and_the_next_attempt_waits_for_the_proof(ended_by: str) -> None:
    life = _resting_life()

    if ended_by == "timer":
        life.timer("rest_over", at_s=15)
    else:
        life.hear(BidReturned(trade_id="t1", now_ns=at(12)), at_s=12)

    assert [cancel.client_order_id for cancel in life.step.cancels] == [CLOSE_1]
    assert life.trade.next_attempt_ns is None
    assert life.hear(_cancelled(CLOSE_1)).trade.next_attempt_ns == life.now_ns + 250_000_000


def test_a_rest_is_cancelled_once() -> None:
    life = _resting_life().timer("rest_over", at_s=15).hear(BidReturned(trade_id="t1", now_ns=at(15)))

    assert sum(len(step.cancels) for step in life.steps) == 1


def test_a_bid_does_not_end_an_attempt_that_does_not_rest() -> None:
    life = a_closing_life().hear(BidReturned(trade_id="t1", now_ns=at(11)), at_s=11)

    assert life.step.cancels == ()


def test_a_rest_ends_at_the_cutoff() -> None:
    life = an_open_life().hear(a_stop(mark=a_mark(None, "0.30")), at_s=3597)

    assert life.due("rest_over") == at(3599)


def test_a_crossed_book_is_waited_for_without_using_an_attempt() -> None:
    life = an_open_life().hear(a_stop(mark=a_mark(None, reason="crossed")), at_s=10)
    assert _sent(life) == []

    life.timer("next_attempt", at_s="10.25").mark(a_mark("0.40"))

    assert [(order.client_order_id, order.limit_price) for order in life.step.closes] == [(CLOSE_1, Decimal("0.35"))]


def test_a_stop_in_a_halted_market_stays_latched_and_leaves_on_resume() -> None:
    life = an_open_life().hear(a_market_event(LifecycleEvent.HALTED, ts=at(9)), at_s=9).hear(a_stop(), at_s=10)
    assert (_sent(life), life.step.marks) == ([], ())

    life.hear(a_market_event(LifecycleEvent.RESUMED, ts=at(60)), at_s=60).mark()

    assert _sent(life) == [CLOSE_1]
    assert life.trade.rule == "probability"


def test_a_halt_between_two_attempts_uses_none_and_the_resumption_does_not_wait() -> None:
    life = a_closing_life().hear(_cancelled(CLOSE_1), at_s=12)
    life.hear(a_market_event(LifecycleEvent.HALTED, ts=at(12)), at_s="12.1").timer("next_attempt", at_s="12.25")
    assert life.step.marks == ()

    life.hear(a_market_event(LifecycleEvent.RESUMED, ts=at(60)), at_s=60).mark()

    assert _sent(life) == [CLOSE_1, CLOSE_2]


def test_a_mark_given_during_a_halt_sends_nothing() -> None:
    life = an_open_life().hear(a_person(), at_s=10)

    life.hear(a_market_event(LifecycleEvent.HALTED, ts=at(10))).mark()

    assert _sent(life) == []


def test_an_entry_gate_does_not_hold_back_a_close() -> None:
    """Lesson 20: nothing in a close asks whether entries are allowed; it is reduce-only whatever the trade's stops say."""
    life = an_open_life(stops=()).hear(a_person(), at_s=10).mark()

    assert life.step.closes[0].reduce_only


@pytest.mark.parametrize(("held", "sent"), [("10", "10"), ("6", "6"), ("20", "10")])
def test_no_close_exceeds_what_the_venue_holds_of_that_side(held: str, sent: str) -> None:
    life = an_open_life(venue=BUY_OPPOSITE).hear(a_stop(), at_s=10, held=Decimal(held))

    assert life.step.closes[0].quantity == Decimal(sent)


@pytest.mark.parametrize("held", ["0", "-3"])
def test_a_position_that_is_gone_is_not_closed_a_second_time(held: str) -> None:
    """Fault 55: closed by hand at the venue meanwhile; said once, tried again later."""
    life = an_open_life(venue=BUY_OPPOSITE).hear(a_stop(), at_s=10, held=Decimal(held))
    life.timer("next_attempt", at_s=15)

    life.hear(a_stop("price"), held=Decimal(held))

    assert _sent(life) == []
    assert life.kinds.count("position_mismatch") == 1


def test_a_close_that_orders_does_not_take_is_said_once_until_it_is_stored() -> None:
    life = a_closing_life()
    refused = OrderRefused(client_order_id=CLOSE_1, trade_id="t1", error="no space", unknown=False, now_ns=at(10))

    life.hear(refused).hear(refused)
    assert life.trade.attempts[-1].refused
    assert life.kinds.count("order_refused") == 1

    life.hear(OrderStored(client_order_id=CLOSE_1, trade_id="t1", sequence=9, duplicate=False, now_ns=at(11)))
    assert not life.trade.attempts[-1].refused
    assert _sent(life) == [CLOSE_1]


def test_a_stored_order_alone_changes_nothing() -> None:
    life = a_closing_life()
    before = life.trade

    stored = OrderStored(client_order_id=CLOSE_1, trade_id="t1", sequence=9, duplicate=False, now_ns=at(11))

    assert life.hear(stored).trade is before


def test_another_order_that_stands_under_the_id_of_a_close_is_the_one_in_effect() -> None:
    """DESIGN section 4: `duplicate=true` is no success; the stored one counts."""
    life = a_closing_life()
    ours = life.step.closes[0]
    theirs = replace(ours, quantity=Decimal(4), limit_price=Decimal("0.11"), expires_ts=at(99), ts=at(3))
    stored = OrderStored(
        client_order_id=CLOSE_1, trade_id="t1", sequence=9, duplicate=True, now_ns=at(11), stored=theirs
    )

    life.hear(stored)

    attempt = life.trade.attempts[-1]
    assert (attempt.quantity, attempt.limit_price, attempt.expires_ns) == (Decimal(4), Decimal("0.11"), at(99))
    assert "unknown_order" in life.kinds
    assert _sent(life) == [CLOSE_1]


@pytest.mark.parametrize("status", [ReportStatus.ACCEPTED, ReportStatus.PARTIALLY_FILLED, ReportStatus.UNKNOWN])
def test_what_does_not_end_an_attempt_does_not_let_the_next_one_begin(status: ReportStatus) -> None:
    life = a_closing_life().hear(a_report(status, CLOSE_1))

    assert life.trade.next_attempt_ns is None
    assert _sent(life) == [CLOSE_1]


def test_a_critical_notice_says_all_that_a_person_needs() -> None:
    life = a_closing_life()
    _fail(life, 8)

    body = next(n.body for step in life.steps for n in step.notices if n.kind == "close_failing")

    for said in ("t1", "yes 10", "Worst loss left: $6.00", "every 30 s", "python run.py trade close t1"):
        assert said in body


def test_a_close_waits_until_an_unknown_entry_is_known() -> None:
    life = Life(an_open_life().steps[0].trade).hear(a_report("unknown")).hear(a_stop(), at_s=2)
    assert _sent(life) == []
    assert life.trade.close_wanted is not None

    life.hear(an_answer(status="cancelled", cumulative="0"))

    assert life.trade.state is S.REJECTED
