"""What the desk makes, at its start, of orders that left while their record was lost."""

from msgspec.structs import replace

from actors.rules.trade.late import late_trade_id
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderSubmit, VenueQuestion
from bus.messages.records import Commit, OrdersTail
from bus.messages.trades import Trade, TradeState
from tests.rules.desk.builders import (
    T0,
    D,
    S,
    a_command,
    a_desk,
    a_fired,
    a_report,
    an_adopt,
    an_open,
    closes_of,
    commit_of,
    of_kind,
    opened,
    received,
    trade_of,
)

LATER = T0 + 60 * S


def an_open_trade() -> Trade:
    return trade_of(opened(a_desk()))


def a_lost_close(trade_id: str = "t1") -> OrderSubmit:
    """What a desk sent whose commit never stood."""
    (close,) = closes_of(opened(a_desk(), an_open(trade_id)).handle(a_fired(trade_id)))
    return close


def test_a_close_that_the_record_does_not_know_is_written_down_and_not_sent_again() -> None:
    """K14"""
    said = a_desk(trades=(an_open_trade(),)).start(LATER, OrdersTail(submits=(a_lost_close(),)))

    commit = commit_of(said)
    assert commit.orders == (a_lost_close(),)
    assert [trade.state for trade in commit.trades] == [TradeState.CLOSING]
    assert [type(out.message) for out in (*commit.outbox, *of_kind(said, Outgoing)) if "submit" in out.msg_id] == []


def test_the_rest_of_the_house_hears_of_a_trade_that_is_closing() -> None:
    """Otherwise its stop would fire a second time."""
    said = a_desk(trades=(an_open_trade(),)).start(LATER, OrdersTail(submits=(a_lost_close(),)))

    assert {trade.state for trade in of_kind(said, Trade)} == {TradeState.CLOSING}


def test_a_report_of_a_close_that_was_taken_in_is_no_strangers() -> None:
    """K18"""
    desk = a_desk(trades=(an_open_trade(),))
    desk.start(LATER, OrdersTail(submits=(a_lost_close(),)))

    said = desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))

    assert commit_of(said).quarantined == ()
    assert trade_of(desk).state is TradeState.CLOSED


def test_a_stop_that_fires_after_the_take_over_joins_the_close_in_effect() -> None:
    desk = a_desk(trades=(an_open_trade(),))
    desk.start(LATER, OrdersTail(submits=(a_lost_close(),)))

    assert closes_of(desk.handle(a_fired())) == []


def test_an_order_of_a_trade_that_is_not_on_record_is_told_once_and_urgently() -> None:
    said = a_desk().start(LATER, OrdersTail(submits=(a_lost_close("t8"), a_lost_close("t9"))))

    (notice,) = of_kind(said, Notice)
    assert notice.severity is Severity.CRITICAL
    assert all(name in notice.body for name in ("t8-close-1", "t9-close-1"))


def _ended() -> Trade:
    desk = opened(a_desk())
    desk.handle(a_fired())
    desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))
    return trade_of(desk)


def test_a_close_of_a_late_fill_is_taken_in_as_soon_as_that_fill_is_heard_again() -> None:
    """Fault 28, S10: born, closed and reported while PostgreSQL was away, and then kill -9."""
    late = a_report(fill_id="late", fill_quantity=D(2), cumulative_quantity=D(12))
    order = replace(a_lost_close(late_trade_id("late")), quantity=D(2), decision_id=None)
    name = order.client_order_id
    sold = replace(
        a_report(purpose="close", fill_id="sold", fill_quantity=D(2), cumulative_quantity=D(2)), client_order_id=name
    )
    reports = (
        a_command(late, subject="order.report.t1-entry-1"),
        a_command(sold, subject=f"order.report.{name}"),
    )

    said = a_desk(ended=(_ended(),), ended_ids=frozenset({"t1"})).start(
        LATER, OrdersTail(submits=(order,), reports=reports)
    )

    assert [one.client_order_id for commit in of_kind(said, Commit) for one in commit.orders] == [name]
    assert [notice.kind for notice in of_kind(said, Notice)] == ["late_fill", "trade_opened", "trade_closed"]


def test_a_close_of_a_position_that_is_taken_over_again_is_in_effect_and_asked_about() -> None:
    """Fault 18: taken over and closed while PostgreSQL was away, and then kill -9."""
    desk = a_desk()
    order = replace(a_lost_close("t8"), decision_id=None)
    desk.start(LATER, OrdersTail(submits=(order,)))

    said = desk.handle(received(an_adopt("t8"), subject="trade.request.adopt"))

    assert trade_of(desk, "t8").state is TradeState.CLOSING
    assert [question.client_order_id for question in of_kind(said, VenueQuestion)] == ["t8-close-1"]
    assert closes_of(desk.handle(a_fired("t8"))) == []


def test_a_close_of_a_trade_that_is_not_on_record_is_a_strangers_until_its_trade_is_born_again() -> None:
    """S10: a stranger's order has no row, so the end of ORDERS is read again from there."""
    desk = a_desk()
    desk.start(LATER, OrdersTail(submits=(a_lost_close("t8"),)))
    before = desk.strangers(T0)

    desk.handle(received(an_adopt("t8"), subject="trade.request.adopt"))

    assert [sorted(before), sorted(desk.strangers(T0))] == [["t8-close-1"], []]


def test_an_order_of_a_trade_that_has_ended_is_no_news() -> None:
    said = a_desk(ended_ids=frozenset({"t1"})).start(LATER, OrdersTail(submits=(a_lost_close(),)))

    assert of_kind(said, Notice) == []


def test_the_decision_of_a_lost_close_is_kept_as_ledger_has_it_and_not_said_again() -> None:
    told = a_fired().decision
    said = a_desk(trades=(an_open_trade(),)).start(LATER, OrdersTail(submits=(a_lost_close(),), decisions=(told,)))

    commit = commit_of(said)
    assert commit.decisions == (told,)
    assert [out.msg_id for out in (*commit.outbox, *of_kind(said, Outgoing)) if "decision" in out.msg_id] == []


def test_the_decision_of_a_lost_close_that_ledger_does_not_hold_is_told_by_its_order() -> None:
    said = a_desk(trades=(an_open_trade(),)).start(LATER, OrdersTail(submits=(a_lost_close(),)))

    (decision,) = commit_of(said).decisions
    assert (decision.decision_id, decision.rule, decision.fired) == ("t1-probability-1", "probability", True)
    assert decision.ts == a_lost_close().ts


def test_two_lost_attempts_of_one_decision_have_one_row() -> None:
    first = a_lost_close()
    second = replace(first, client_order_id="t1-close-2", attempt=2, ts=first.ts + S)
    said = a_desk(trades=(an_open_trade(),)).start(LATER, OrdersTail(submits=(first, second)))

    assert [decision.ts for decision in commit_of(said).decisions] == [first.ts]


def test_a_later_attempt_of_a_recorded_decision_brings_none() -> None:
    desk = opened(a_desk())
    desk.handle(a_fired())
    second = replace(a_lost_close(), client_order_id="t1-close-2", attempt=2)

    said = a_desk(trades=(trade_of(desk),)).start(LATER, OrdersTail(submits=(second,)))

    assert commit_of(said).decisions == ()


def test_what_was_reported_of_a_lost_close_is_applied_with_it() -> None:
    """Fault 7: K18, K19, K20"""
    report = a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1")
    desk = a_desk(trades=(an_open_trade(),))

    said = desk.start(LATER, OrdersTail(submits=(a_lost_close(),), reports=(report,)))

    assert trade_of(desk).state is TradeState.CLOSED
    assert [commit.delivery for commit in of_kind(said, Commit)] == [None, report.delivery]
    assert of_kind(said, VenueQuestion) == []


def test_a_desk_that_lost_nothing_takes_nothing_in() -> None:
    desk = opened(a_desk())
    desk.handle(a_fired())

    said = a_desk(trades=(trade_of(desk),)).start(LATER, OrdersTail(submits=(a_lost_close(),)))

    assert of_kind(said, Commit) == []
