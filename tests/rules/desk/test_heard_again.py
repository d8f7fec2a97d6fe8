"""The same input again, word for word: its one effect stands, so it is answered by how things are now and nothing is kept."""

from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.envelope import Received
from bus.messages.records import Commit, Query
from bus.messages.stops import StopArm, StopDisarm, StopSet, StopWaive
from bus.messages.system import SystemCommand
from bus.messages.trades import TradeOpen, TradeState
from tests.rules.desk.builders import (
    a_change,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_live_open,
    a_report,
    an_open,
    code_of,
    commit_of,
    of_kind,
    opened,
    received,
    reply_of,
    trade_of,
)

WHY: dict[str, Any] = {"trade_id": "t1", "reason": "why not", "requested_by": "eve"}


def of_old(word: TradeOpen, **given: Any) -> tuple[Desk, Received[Any]]:
    """A desk that has forgotten everything of `word` but that its trade ended, and the word as it came then."""
    again = a_command(word, **given) if given else received(word)
    return a_desk(seen={again.key: again.digest}, ended_ids=frozenset({word.trade_id})), again


@pytest.mark.parametrize(
    "word",
    [
        StopArm(rule="probability", **WHY),
        StopDisarm(rule="probability", **WHY),
        StopSet(settings={"probability.floor_percent": "30"}, **WHY),
        StopWaive(**WHY),
    ],
)
def test_a_change_of_stops_is_answered_by_the_trade_as_it_stands(word: StopArm | StopDisarm) -> None:
    desk = opened(a_desk())
    asked = received(word)
    desk.handle(asked)
    desk.handle(a_fired())

    said = desk.handle(asked)

    assert reply_of(said).result == trade_of(desk)
    assert (commit_of(said).trades, commit_of(said).inbox) == ((), None)


def test_a_change_of_settings_is_answered_by_the_change_in_force() -> None:
    desk = a_desk()
    asked = received(a_change())
    made = reply_of(desk.handle(asked)).result

    assert reply_of(desk.handle(asked)).result == made


def test_a_halt_is_answered_and_says_nothing_again() -> None:
    desk = a_desk()
    asked = received(SystemCommand(reason="storm"), subject="system.request.halt")
    desk.handle(asked)

    said = desk.handle(asked)

    assert (reply_of(said).ok, reply_of(said).result, commit_of(said).system) == (True, None, ())


def test_a_close_is_answered_by_the_one_in_effect() -> None:
    desk = opened(a_desk())
    asked = received(a_close())
    desk.handle(asked)

    answer = reply_of(desk.handle(asked)).result

    assert (answer.trade_id, answer.state, answer.client_order_id) == ("t1", TradeState.CLOSING, "t1-close-1")
    assert (answer.began, answer.reason) == (False, "enough")


def test_a_close_of_what_has_ended_meanwhile_says_how_it_ended() -> None:
    desk = opened(a_desk())
    asked = received(a_close())
    desk.handle(asked)
    desk.handle(a_fired())
    desk.handle(a_command(a_report(purpose="close"), subject="order.report.t1-close-1"))

    assert reply_of(desk.handle(asked)).result.state is trade_of(desk).state


@pytest.mark.parametrize(("ended", "code"), [({"t1"}, "terminal"), (set(), "not_found")])
def test_a_close_of_what_memory_has_forgotten_is_refused(ended: set[str], code: str) -> None:
    asked = received(a_close())
    desk = a_desk(seen={asked.key: asked.digest}, ended_ids=frozenset(ended))

    assert code_of(desk.handle(asked)) == code


def test_an_open_that_ended_long_ago_is_answered_from_the_record() -> None:
    desk, asked = of_old(an_open("old"))

    (query,) = of_kind(desk.handle(asked), Query)

    assert (query.kind, query.arguments, query.reply_to) == ("trade", {"trade_id": "old"}, "_INBOX.1")


def test_a_command_of_long_ago_is_acknowledged_and_no_more() -> None:
    desk, again = of_old(an_open("old"), subject="trade.command.open")

    (commit,) = desk.handle(again)

    assert isinstance(commit, Commit)
    assert (commit.delivery, commit.inbox, commit.outbox) == (again.delivery, None, ())


def test_what_was_refused_as_a_command_may_be_asked_as_a_request() -> None:
    desk = a_desk(live_enabled=False)
    word = a_live_open(no_stop_reason="testing", expires_ts=2_000_000_000 * 1_000_000_000)
    desk.handle(a_command(word))
    desk._state.gate = a_desk()._state.gate

    said = desk.handle(received(word))

    assert reply_of(said).result.state is TradeState.PENDING
    assert commit_of(said).inbox is None
