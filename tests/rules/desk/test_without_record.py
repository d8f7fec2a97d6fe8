"""With PostgreSQL away nothing that adds risk is taken on, and nothing that reduces it waits."""

from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.envelope import Received
from bus.messages.records import Commit, RecordAway, RecordBack
from bus.messages.stops import StopArm, StopDisarm, StopSet, StopWaive
from bus.messages.system import SystemCommand
from bus.messages.timers import CancelTimer
from bus.messages.trades import TradeState
from tests.rules.desk.builders import (
    T0,
    D,
    S,
    a_change,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_report,
    an_adopt,
    an_open,
    checked,
    closes_of,
    code_of,
    of_kind,
    opened,
    received,
    reply_of,
    trade_of,
)

BY: dict[str, Any] = {"trade_id": "t1", "reason": "why not", "requested_by": "eve"}


def away(desk: Desk) -> Desk:
    desk.handle(RecordAway(error="gone", now_ns=T0))
    return desk


def back(desk: Desk, now_ns: int = T0 + 60 * S) -> list[object]:
    return desk.handle(RecordBack(now_ns=now_ns))


ADDING = [
    received(an_open("t2")),
    received(StopDisarm(rule="probability", **BY), subject="stop.request.disarm"),
    received(StopSet(settings={"probability.floor_percent": "1"}, **BY), subject="stop.request.set"),
    received(StopWaive(**BY), subject="stop.request.waive"),
    received(a_change(), subject="settings.request.set"),
    received(SystemCommand(reason="r", requested_by="eve"), subject="system.request.resume"),
]
REDUCING = [
    received(a_close(), subject="trade.request.close"),
    received(an_adopt("t2"), subject="trade.request.adopt"),
    received(StopArm(rule="price", settings={"stop_price": "0.4"}, **BY), subject="stop.request.arm"),
    received(SystemCommand(reason="r", requested_by="eve"), subject="system.request.halt"),
    received(SystemCommand(reason="r", requested_by="eve"), subject="system.request.reduce_only"),
]


@pytest.mark.parametrize("word", ADDING, ids=lambda word: word.subject)
def test_a_request_that_adds_risk_is_refused_at_once_and_may_be_asked_again(word: Received[Any]) -> None:
    """Fault 18"""
    said = away(opened(a_desk())).handle(word)

    error = reply_of(said).error
    assert error is not None
    assert (error.code, error.retry) == ("unavailable", True)
    assert of_kind(said, Commit) == []


@pytest.mark.parametrize("word", REDUCING, ids=lambda word: word.subject)
def test_a_request_that_reduces_risk_is_applied(word: Received[Any]) -> None:
    said = away(opened(a_desk())).handle(word)

    assert code_of(said) is None


def test_a_stop_still_closes_its_trade() -> None:
    """Fault 18: closes leave by ORDERS."""
    said = away(opened(a_desk())).handle(a_fired())

    assert [order.client_order_id for order in closes_of(said)] == ["t1-close-1"]


def test_a_report_is_applied_in_memory() -> None:
    """Fault 18"""
    desk = away(opened(a_desk()))
    desk.handle(a_fired())

    desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))

    assert trade_of(desk).state is TradeState.CLOSED


def test_a_command_that_adds_risk_waits_unacknowledged_and_is_heard_again_when_it_is_back() -> None:
    desk = away(a_desk())
    command = a_command(an_open(expires_ts=T0 + 3600 * S))

    meanwhile = desk.handle(command)
    (again,) = back(desk)
    said = desk.handle(again)

    assert meanwhile == []
    assert isinstance(again, Received)
    assert again.delivery == command.delivery
    assert of_kind(said, Commit)[0].trades[0].state is TradeState.PENDING


def test_a_command_that_has_waited_too_long_is_refused_as_any_late_one() -> None:
    desk = away(a_desk())
    desk.handle(a_command(an_open(expires_ts=T0 + S)))

    (again,) = back(desk)
    desk.handle(again)

    assert desk._state.blotter.find("t1") is None


def test_what_waited_is_heard_again_once() -> None:
    desk = away(a_desk())
    desk.handle(a_command(an_open(expires_ts=T0 + 3600 * S)))
    back(desk)
    away(desk)

    assert back(desk) == []


def test_an_open_whose_stops_are_being_checked_is_refused() -> None:
    desk = a_desk()
    said = desk.handle(received(an_open(allow_immediate=False)))

    refused = desk.handle(RecordAway(error="gone", now_ns=T0))
    late = checked(desk, said)

    assert code_of(refused) == "unavailable"
    assert len(of_kind(refused, CancelTimer)) == 1
    assert late == []


def test_trades_are_opened_again_once_it_is_back() -> None:
    desk = away(a_desk())
    back(desk)

    assert code_of(desk.handle(received(an_open()))) is None
