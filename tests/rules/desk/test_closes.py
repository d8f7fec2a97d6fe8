"""Closing: at once, once, and never held back by what holds back entries."""

import pytest

from bus.messages.envelope import Outgoing
from bus.messages.orders import OrderSubmit, Position
from bus.messages.records import Commit, OrderRefused
from bus.messages.stops import MarkGiven, MarkWanted, StopArm, StopSet
from bus.messages.system import SystemCommand
from bus.messages.trades import Side, StopSpec, TradeState
from tests.rules.desk.builders import (
    T0,
    TICKER,
    D,
    S,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_live_open,
    a_mark,
    a_report,
    an_open,
    closes_of,
    code_of,
    commit_of,
    of_kind,
    opened,
    received,
    reply_of,
    trade_of,
)


def test_a_fired_stop_sends_its_close_before_its_commit() -> None:
    said = opened(a_desk()).handle(a_fired())

    assert isinstance(said[0], Outgoing)
    assert isinstance(said[0].message, OrderSubmit)
    assert [type(word) for word in said].index(Commit) > 0


def test_a_fired_stop_stands_with_its_decision_and_its_close_in_one_commit() -> None:
    """Lesson 4, Lesson 23: the intent is recorded with the trade that is closing."""
    commit = commit_of(opened(a_desk()).handle(a_fired()))

    direct = {out.msg_id for out in commit.outbox if out.direct}
    assert direct == {"decision:t1-probability-1", "submit:t1-close-1"}
    assert [trade.state for trade in commit.trades] == [TradeState.CLOSING]
    assert [decision.decision_id for decision in commit.decisions] == ["t1-probability-1"]


def test_a_stop_that_was_changed_meanwhile_closes_nothing() -> None:
    """Lesson 3, S7: ticks that wait for AutoStop are judged by the stop that was in force when they came."""
    desk = opened(a_desk())
    (judged,) = trade_of(desk).stops
    looser = StopSet(
        trade_id="t1", settings={"floor_percent": "5"}, reason="why not", requested_by="eve", rule="probability"
    )
    desk.handle(received(looser, subject="stop.request.set"))

    said = desk.handle(a_fired(stop=judged))

    assert (closes_of(said), trade_of(desk).state) == ([], TradeState.OPEN)


def test_a_decision_that_closes_nothing_stands_as_held_back() -> None:
    desk = opened(a_desk())

    (decision,) = commit_of(desk.handle(a_fired(stop=StopSpec(rule="probability")))).decisions

    assert (decision.fired, [guard.name for guard in decision.guards if not guard.passed]) == (False, ["stop_in_force"])


def test_a_stop_that_is_in_force_closes_whatever_else_was_changed() -> None:
    desk = opened(a_desk())
    (judged,) = trade_of(desk).stops
    other = StopArm(trade_id="t1", rule="time", settings={"max_age_s": 60}, reason="why not", requested_by="eve")
    desk.handle(received(other, subject="stop.request.arm"))

    assert len(closes_of(desk.handle(a_fired(stop=judged)))) == 1


def test_a_second_reason_to_close_joins_the_close_in_effect() -> None:
    """Fault 56: stop, target and operator in one tick are one close."""
    desk = opened(a_desk())

    orders = [
        *closes_of(desk.handle(a_fired())),
        *closes_of(desk.handle(a_fired(rule="loss"))),
        *closes_of(desk.handle(received(a_close(), subject="trade.request.close"))),
    ]

    assert [order.client_order_id for order in orders] == ["t1-close-1"]
    assert trade_of(desk).attached == ("loss", "enough")


def test_a_close_asked_twice_names_the_one_in_effect() -> None:
    desk = opened(a_desk())
    first = desk.handle(received(a_close(), subject="trade.request.close"))

    second = desk.handle(received(a_close(reason="still"), subject="trade.request.close"))

    assert [reply_of(said).result.began for said in (first, second)] == [True, False]
    assert reply_of(second).result.reason == "enough"


def test_the_same_close_again_keeps_nothing_and_answers() -> None:
    """Fault 44"""
    desk = opened(a_desk())
    desk.handle(received(a_close(command_id="c1"), key="command:close:t1:c1"))

    commit = commit_of(desk.handle(received(a_close(command_id="c1"), key="command:close:t1:c1")))

    assert (commit.trades, commit.inbox, commit.answer is not None) == ((), None, True)


def test_a_persons_close_asks_for_a_mark_and_leaves_once_it_is_given() -> None:
    desk = opened(a_desk())
    said = desk.handle(received(a_close(), subject="trade.request.close"))
    (wanted,) = of_kind(said, MarkWanted)

    orders = closes_of(
        desk.handle(
            MarkGiven(trade_id="t1", client_order_id=wanted.client_order_id, mark=a_mark("0.55"), now_ns=T0 + 9 * S)
        )
    )

    assert [(order.quantity, order.limit_price) for order in orders] == [(D(10), D("0.50"))]


def test_a_close_of_an_unknown_trade_is_not_found() -> None:
    assert code_of(a_desk().handle(received(a_close(), subject="trade.request.close"))) == "not_found"


def test_a_close_of_a_closed_trade_says_how_it_ended() -> None:
    """Lesson 22: an old row is never touched again."""
    desk = opened(a_desk())
    desk.handle(a_fired())
    desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))

    said = desk.handle(received(a_close(), subject="trade.request.close"))

    error = reply_of(said).error
    assert error is not None
    assert (error.code, "closed" in error.message) == ("terminal", True)
    assert of_kind(said, Commit) == []


def test_a_close_of_a_trade_that_ended_long_ago_is_refused_as_ended() -> None:
    desk = a_desk(ended_ids=frozenset({"t1"}))

    assert code_of(desk.handle(received(a_close(), subject="trade.request.close"))) == "terminal"


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_a_close_of_nothing_is_refused(quantity: str) -> None:
    said = opened(a_desk()).handle(received(a_close(quantity=D(quantity)), subject="trade.request.close"))

    assert code_of(said) == "malformed"


@pytest.mark.parametrize(("verb", "account"), [("halt", None), ("reduce_only", "acc"), ("reduce_only", None)])
def test_what_holds_back_entries_never_holds_back_a_close(verb: str, account: str | None) -> None:
    """Lesson 20"""
    desk = opened(a_desk())
    command = SystemCommand(reason="storm", requested_by="eve", account=account)
    desk.handle(received(command, subject=f"system.request.{verb}"))

    refused, orders = desk.handle(received(an_open("t2"))), closes_of(desk.handle(a_fired()))

    assert (code_of(refused), len(orders)) == ("halted", 1)


def test_a_close_of_a_live_trade_leaves_though_live_trading_is_off() -> None:
    """Lesson 20: a switch for entries is no switch for exits."""
    trade = trade_of(opened(a_desk(), a_live_open()))
    desk = a_desk(live_enabled=False, trades=(trade,))

    assert len(closes_of(desk.handle(a_fired()))) == 1


def test_a_stop_that_fires_on_an_ended_trade_is_kept_and_sends_nothing() -> None:
    said = a_desk().handle(a_fired())

    assert (len(commit_of(said).decisions), closes_of(said)) == (1, [])


def test_no_close_exceeds_what_the_venue_holds_less_closes_in_flight() -> None:
    """Two trades of ten on one netting ticker, and the venue says fifteen."""
    desk = opened(a_desk(), a_live_open(venue="kalshi"), a_live_open("t2", venue="kalshi"))
    position = Position(account="real", ticker=TICKER, ts=T0 + 4 * S, side=Side.YES, quantity=D(15))
    desk.handle(a_command(position, subject="account.position.real"))

    orders = [*closes_of(desk.handle(a_fired())), *closes_of(desk.handle(a_fired("t2")))]

    assert [order.quantity for order in orders] == [D(10), D(5)]


def test_an_order_that_the_stream_refuses_is_told_at_once() -> None:
    desk = opened(a_desk())
    desk.handle(a_fired())
    refused = OrderRefused(
        client_order_id="t1-close-1", trade_id="t1", error="no space", unknown=False, now_ns=T0 + 6 * S
    )

    said = desk.handle(refused)

    assert [out.subject for out in of_kind(said, Outgoing)] == ["notice.critical.order_refused"]
