"""What the desk holds back while an account does not agree with its venue, or nobody knows yet whether it does."""

from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.notices import Notice
from bus.messages.orders import Position, VenueFill, VenuePosition
from bus.messages.reconcile import PositionFound, PositionsSeen, ReconcileWanted
from bus.messages.records import Commit
from bus.messages.stops import MarkGiven, MarkWanted
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Side, TradeState
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
    a_standing,
    an_adopt,
    an_open,
    an_unheard_desk,
    closes_of,
    code_of,
    commit_of,
    of_kind,
    opened,
    received,
    reply_of,
    trade_of,
)

UNRESOLVED = ("yes K: the venue holds 3, our trades add up to 0",)


def held(desk: Desk | None = None) -> tuple[Desk, list[object]]:
    """Ask for a trade in an account that no venue has answered for."""
    desk = desk or an_unheard_desk()
    return desk, desk.handle(received(an_open()))


# Entries


def test_an_open_waits_for_its_accounts_first_answer_and_asks_for_it() -> None:
    """S6, fault 53"""
    desk, said = held()

    assert [(w.venue, w.account) for w in of_kind(said, ReconcileWanted)] == [("paper", "acc")]
    assert desk._state.blotter.find("t1") is None


def test_it_begins_once_the_account_agrees() -> None:
    desk, _ = held()

    said = desk.handle(a_standing(now_ns=T0 + S))

    assert reply_of(said).ok
    assert trade_of(desk).state is TradeState.PENDING
    assert [order.expires_ts for order in commit_of(said).orders] == [T0 + 6 * S]


def test_it_is_refused_if_the_answer_does_not_agree() -> None:
    desk, _ = held()

    said = desk.handle(a_standing(unresolved=UNRESOLVED))

    error = reply_of(said).error
    assert error is not None
    assert (error.code, error.retry) == ("unreconciled", True)
    assert UNRESOLVED[0] in error.message


def test_it_is_refused_if_no_answer_comes_in_time() -> None:
    desk, said = held()
    (timer,) = of_kind(said, SetTimer)

    said = desk.handle(TimerFired(owner=timer.owner, key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))

    error = reply_of(said).error
    assert error is not None
    assert (error.code, error.retry) == ("unreconciled", True)


def test_the_same_open_asked_twice_meanwhile_is_opened_once_and_answered_twice() -> None:
    desk, _ = held()
    assert desk.handle(received(an_open())) == []

    said = desk.handle(a_standing())

    assert [commit.answer is not None for commit in of_kind(said, Commit)] == [True, True]
    assert trade_of(desk).version == 1


def test_a_command_waits_too_and_its_refusal_tells_people() -> None:
    desk = an_unheard_desk()
    desk.handle(a_command(an_open(expires_ts=T0 + 60 * S)))

    said = desk.handle(a_standing(unresolved=UNRESOLVED))

    assert [notice.kind for notice in of_kind(said, Notice)] == ["command_refused"]


def test_while_something_is_not_resolved_nothing_is_opened_there_and_elsewhere_all_goes_on() -> None:
    """Fault 53: no entries in that account until it is resolved."""
    desk = a_desk()
    desk.handle(a_standing(unresolved=UNRESOLVED))

    assert code_of(desk.handle(received(an_open()))) == "unreconciled"
    assert code_of(desk.handle(received(an_open("t2", account="other")))) is None


def test_while_nobody_knows_what_became_of_an_order_nothing_is_opened_in_its_account() -> None:
    """Fault 52, S11: an unknown order keeps its exposure."""
    desk = a_desk()
    desk.handle(received(a_live_open()))
    desk.handle(a_command(a_report(status="unknown", ts=T0 + S)))

    assert code_of(desk.handle(received(a_live_open("t2")))) == "unreconciled"
    assert code_of(desk.handle(received(an_open("t3")))) is None


def test_once_there_is_evidence_the_account_is_open_again() -> None:
    desk = a_desk()
    desk.handle(received(a_live_open()))
    desk.handle(a_command(a_report(status="unknown", ts=T0 + S)))
    desk.handle(a_command(a_report(ts=T0 + 2 * S)))

    assert code_of(desk.handle(received(a_live_open("t2")))) is None


def test_after_a_reconnection_opens_wait_again() -> None:
    desk = a_desk()
    desk.handle(a_standing(answered=False, began_ns=T0))

    _, said = held(desk)

    assert len(of_kind(said, ReconcileWanted)) == 1


def test_a_position_that_exists_is_adopted_whatever_does_not_agree() -> None:
    desk = a_desk()
    desk.handle(a_standing(unresolved=UNRESOLVED))

    assert reply_of(desk.handle(received(an_adopt()))).ok


# Closes


def unheard(desk: Desk) -> Desk:
    desk.handle(a_standing(answered=False, began_ns=T0))
    return desk


def marked(desk: Desk, said: list[object], at_ns: int) -> list[object]:
    (wanted,) = of_kind(said, MarkWanted)
    given = MarkGiven(trade_id=wanted.trade_id, client_order_id=wanted.client_order_id, mark=a_mark(), now_ns=at_ns)
    return desk.handle(given)


def timer_fires(desk: Desk, said: list[object]) -> list[object]:
    timer = of_kind(said, SetTimer)[-1]
    return desk.handle(TimerFired(owner=timer.owner, key=timer.key, due_ns=timer.due_ns, now_ns=timer.due_ns))


def test_a_stop_that_fires_before_the_venue_has_answered_waits_for_it() -> None:
    """S6"""
    desk = unheard(opened(a_desk()))

    said = desk.handle(a_fired())

    assert closes_of(said) == []
    assert trade_of(desk).state is TradeState.CLOSING


def test_it_leaves_as_soon_as_the_venue_has_answered_even_if_not_all_agrees() -> None:
    desk = unheard(opened(a_desk()))
    desk.handle(a_fired())

    said = marked(desk, desk.handle(a_standing(unresolved=UNRESOLVED, now_ns=T0 + 6 * S)), T0 + 6 * S)

    assert [(close.client_order_id, close.unreconciled) for close in closes_of(said)] == [("t1-close-1", False)]


def test_without_an_answer_it_leaves_after_ten_seconds_and_says_so() -> None:
    """S6: a close of a trade without an attempt in flight may leave after `reconcile_timeout_s`, flagged."""
    desk = unheard(opened(a_desk()))
    said = desk.handle(a_fired())

    asked = timer_fires(desk, said)
    said = marked(desk, asked, T0 + 10 * S)

    assert of_kind(asked, MarkWanted)[0].now_ns == T0 + 10 * S
    assert [(close.client_order_id, close.unreconciled) for close in closes_of(said)] == [("t1-close-1", True)]


def test_a_persons_close_waits_no_longer_than_that_either() -> None:
    desk = unheard(opened(a_desk()))

    said = marked(desk, desk.handle(received(a_close(), received_ns=T0 + 11 * S)), T0 + 11 * S)

    assert len(closes_of(said)) == 1


def test_after_a_start_the_closes_of_what_is_recovered_wait_for_the_venue() -> None:
    """Fault 53, S6"""
    trade = trade_of(opened(a_desk()))
    desk = an_unheard_desk(trades=(trade,))
    desk.start(T0)

    assert closes_of(desk.handle(a_fired())) == []


@pytest.mark.parametrize("held_there", ["4", "0"])
def test_a_netting_venues_own_word_bounds_a_close(held_there: str) -> None:
    desk = a_desk()
    desk.handle(received(an_adopt(mode="live", venue="kalshi", account="real")))
    seen = Position(account="real", ticker=TICKER, ts=T0 + S, side=Side.YES, quantity=D(held_there))
    desk.handle(PositionsSeen(positions=(seen,), now_ns=T0 + S))

    said = desk.handle(a_fired())

    assert [close.quantity for close in closes_of(said)] == ([D(4)] if held_there == "4" else [])


# Positions of nobody


def a_found(**changes: Any) -> PositionFound:
    fills = tuple(
        VenueFill(
            fill_id=f"m{n}", ticker=TICKER, side=Side.YES, price=D(price), quantity=D(5), ts=T0 - n * S, fees=D(1)
        )
        for n, price in enumerate(("0.50", "0.60"))
    )
    position = VenuePosition(ticker=TICKER, side=Side.YES, quantity=D(10))
    given: dict[str, Any] = {"venue": "plain", "account": "real", "position": position, "fills": fills, "now_ns": T0}
    return PositionFound(**(given | changes))


def test_a_position_of_nobody_is_adopted_at_the_price_of_its_fills() -> None:
    desk = a_desk()

    commit = commit_of(desk.handle(a_found()))

    (trade,) = commit.trades
    assert (trade.state, trade.open_quantity, trade.entry_price, trade.fees) == (
        TradeState.OPEN,
        D(10),
        D("0.55"),
        D(2),
    )
    assert (trade.mode, trade.requested_by, trade.entry_ts) == ("live", "watchkeeper", T0 - S)
    assert [row.fill.fill_id for row in commit.fills] == ["m0", "m1"]


def test_the_same_position_found_again_is_not_adopted_twice() -> None:
    desk = a_desk()
    desk.handle(a_found())

    said = desk.handle(a_found())

    assert commit_of(said).trades == ()
    assert [notice.kind for notice in of_kind(said, Notice)] == ["unmanaged_position"]
