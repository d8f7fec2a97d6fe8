"""Questions, halts, and what a start says."""

import pytest

from bus.messages.orders import VenueQuestion
from bus.messages.records import Answer, Commit, Query
from bus.messages.settings import HistoryGet
from bus.messages.stops import MarkWanted
from bus.messages.system import SystemCommand
from bus.messages.timers import SetTimer
from bus.messages.trades import Trade, TradeGet, TradeList, TradeState
from tests.rules.desk.builders import (
    T0,
    S,
    a_close,
    a_desk,
    a_fired,
    a_live_open,
    an_open,
    code_of,
    commit_of,
    of_kind,
    opened,
    orders_of,
    received,
    reply_of,
    trade_of,
)

LIVING = (TradeState.PENDING, TradeState.OPEN)


def halting(verb: str, account: str | None = None) -> object:
    return received(
        SystemCommand(reason="storm", requested_by="eve", account=account), subject=f"system.request.{verb}"
    )


def test_an_open_trade_is_told_from_memory_and_nothing_is_kept_of_the_question() -> None:
    said = opened(a_desk()).handle(received(TradeGet(trade_id="t1")))

    assert [type(word) for word in said] == [Answer]
    assert reply_of(said).result.trade_id == "t1"


def test_a_trade_that_never_was_is_not_found() -> None:
    assert code_of(a_desk().handle(received(TradeGet(trade_id="never")))) == "not_found"


def test_a_trade_that_ended_long_ago_is_asked_of_the_record() -> None:
    desk = a_desk(ended_ids=frozenset({"old"}))

    (query,) = of_kind(desk.handle(received(TradeGet(trade_id="old"))), Query)

    assert (query.kind, query.arguments, query.reply_to) == ("trade", {"trade_id": "old"}, "_INBOX.1")


def test_open_trades_are_listed_page_by_page_by_id() -> None:
    desk = opened(a_desk(), *(an_open(f"t{number}") for number in range(3)))

    first = reply_of(desk.handle(received(TradeList(states=LIVING, limit=2)))).result
    second = reply_of(desk.handle(received(TradeList(states=LIVING, limit=2, after=first.next)))).result

    assert [trade.trade_id for trade in first.trades + second.trades] == ["t0", "t1", "t2"]
    assert second.next is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [({"account": "acc"}, ["t1"]), ({"symbol": "BTC"}, ["t1"]), ({"account": "no"}, []), ({"since": T0 + S}, [])],
)
def test_a_list_shows_what_was_asked_for_only(wanted: dict[str, object], found: list[str]) -> None:
    desk = opened(a_desk(), an_open(symbol="BTC"))

    page = reply_of(desk.handle(received(TradeList(states=LIVING, **wanted)))).result  # type: ignore[arg-type]  # any filter

    assert [trade.trade_id for trade in page.trades] == found


@pytest.mark.parametrize("word", [TradeList(), TradeList(states=(TradeState.CLOSED,)), HistoryGet()])
def test_what_has_ended_is_asked_of_the_record(word: TradeList | HistoryGet) -> None:
    assert len(of_kind(a_desk().handle(received(word)), Query)) == 1


def test_a_halt_stands_in_a_commit_with_its_event_and_its_notice() -> None:
    commit = commit_of(a_desk().handle(halting("halt")))

    assert [(event.kind, event.requested_by) for event in commit.system] == [("halt", "eve")]
    assert [out.subject for out in commit.outbox] == ["notice.warning.halt", "system.event.halt"]


def test_two_halts_at_one_instant_are_two_notices() -> None:
    """Fault 14: two streams were found wanting in one look, and the record refused the second halt as a duplicate of the first."""
    desk = a_desk()

    ids = [out.msg_id for _ in range(2) for out in commit_of(desk.handle(halting("halt"))).outbox]

    assert len(set(ids)) == 4


def test_a_halt_survives_a_restart() -> None:
    assert code_of(a_desk(halted=True).handle(received(an_open()))) == "halted"


def test_a_reduce_only_account_survives_a_restart_and_others_open() -> None:
    desk = a_desk(reduce_only=frozenset({"acc"}))

    codes = [code_of(desk.handle(received(word))) for word in (an_open(), an_open("t2", account="other"))]

    assert codes == ["halted", None]


def test_a_resume_of_all_ends_every_halt() -> None:
    desk = a_desk(halted=True, reduce_only=frozenset({"acc"}))
    desk.handle(halting("resume"))

    assert reply_of(desk.handle(received(an_open()))).ok


def test_a_resume_of_one_account_leaves_the_halt_of_all() -> None:
    desk = a_desk(halted=True, reduce_only=frozenset({"acc"}))
    desk.handle(halting("resume", "acc"))

    assert code_of(desk.handle(received(an_open()))) == "halted"


def test_an_unknown_system_verb_is_refused() -> None:
    assert code_of(a_desk().handle(halting("explode"))) == "malformed"


def test_a_start_tells_every_open_trade_and_changes_none() -> None:
    """Lesson 16: who is watched comes from the record, not from a hint."""
    trade = trade_of(opened(a_desk()))

    said = a_desk(trades=(trade,)).start(T0 + 90 * S)

    assert of_kind(said, Trade) == [trade]
    assert of_kind(said, Commit) == []


def test_a_start_sets_the_timer_of_the_close_time_again() -> None:
    trade = trade_of(opened(a_desk(), an_open(close_ts=T0 + 900 * S)))

    said = a_desk(trades=(trade,)).start(T0 + 90 * S)

    assert ("t1:expiry", T0 + 900 * S) in [(timer.key, timer.due_ns) for timer in of_kind(said, SetTimer)]


def test_a_start_asks_the_venue_about_every_order_in_flight_and_sends_none() -> None:
    """Lesson 5, Lesson 24: after a crash an order is looked up, not sent again."""
    desk = opened(a_desk(), a_live_open())
    desk.handle(a_fired())

    said = a_desk(trades=(trade_of(desk),)).start(T0 + 90 * S)

    assert [question.client_order_id for question in of_kind(said, VenueQuestion)] == ["t1-close-1"]
    assert orders_of(said) == []


def test_a_start_wakes_a_close_that_waits_for_a_mark() -> None:
    """Lesson 5: a close that was decided is not forgotten."""
    desk = opened(a_desk())
    said = desk.handle(received(a_close(), subject="trade.request.close"))
    assert of_kind(said, MarkWanted)

    again = a_desk(trades=(trade_of(desk),)).start(T0 + 90 * S)

    assert "t1:next_attempt" in [timer.key for timer in of_kind(again, SetTimer)]


def test_a_request_repeated_after_a_restart_is_answered_by_the_trade_that_it_made() -> None:
    """Lesson 33, Fault 44"""
    desk = a_desk()
    request = received(an_open())
    commit = commit_of(desk.handle(request))
    again = a_desk(trades=(trade_of(desk),), seen={request.key: request.digest})

    answered = commit_of(again.handle(request))

    assert commit.answer is not None
    assert answered.answer is not None
    assert (answered.trades, answered.answer.reply.result) == ((), commit.answer.reply.result)
