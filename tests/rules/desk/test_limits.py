"""How the desk holds entries to their limits, and nothing else."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.account.limits import EntryLimits, Limits
from actors.rules.desk.desk import Desk
from bus.messages.stops import StopCheckGiven, StopCheckWanted
from bus.messages.trades import TradeState
from tests.rules.desk.builders import (
    T0,
    S,
    a_close,
    a_command,
    a_desk,
    a_report,
    an_adopt,
    an_open,
    code_of,
    commit_of,
    of_kind,
    received,
    reply_of,
    trade_of,
)

D = Decimal


def limited(**own: Any) -> Desk:
    return a_desk(limits=Limits(each=EntryLimits(**own)))


def opened(desk: Desk, trade_id: str = "t1", price: str | None = "0.60", **changes: Any) -> list[object]:
    """Open a trade, with what entering would cost where it is asked for."""
    said = desk.handle(received(an_open(trade_id, **changes)))
    wanted = of_kind(said, StopCheckWanted)
    if not wanted:
        return said
    cost = None if price is None else D(price)
    return desk.handle(StopCheckGiven(trade_id=trade_id, rules=(), now_ns=wanted[0].now_ns, price=cost))


def test_an_entry_beyond_a_limit_is_refused_and_leaves_nothing() -> None:
    """Fault 57"""
    desk = limited(max_quantity=D(9))

    said = opened(desk)

    assert code_of(said) == "limit"
    assert desk._state.blotter.live == {}


def test_a_command_beyond_a_limit_is_told() -> None:
    desk = limited(max_quantity=D(9))

    commit = commit_of(desk.handle(a_command(an_open(expires_ts=T0 + 9 * S))))

    assert [notice.kind for notice in commit.notices] == ["command_refused"]
    assert "max_quantity" in commit.notices[0].body


def test_neither_an_adoption_nor_a_close_is_held_to_a_limit() -> None:
    """Lesson 20: limits are for entries only."""
    desk = limited(max_quantity=D(1), max_notional=D(1), max_exposure=D(1), max_open_trades=1, max_entries_per_minute=1)
    for trade_id in ("t1", "t2"):
        assert reply_of(desk.handle(received(an_adopt(trade_id)))).ok

    desk.handle(received(a_close("t1"), subject="trade.request.close"))

    assert trade_of(desk, "t1").state is TradeState.CLOSING


def test_each_entry_counts_once_it_has_begun() -> None:
    desk = limited(max_entries_per_minute=2)

    codes = [code_of(opened(desk, trade_id)) for trade_id in ("t1", "t2", "t3")]

    assert codes == [None, None, "limit"]


def test_a_refused_entry_does_not_count() -> None:
    desk = limited(max_entries_per_minute=1, max_quantity=D(10))
    opened(desk, "t1", quantity=D(11))

    assert code_of(opened(desk, "t2")) is None


def test_an_entry_that_nobody_has_answered_holds_its_share_of_the_exposure() -> None:
    """S11"""
    desk = limited(max_exposure=D(10))
    opened(desk, "t1")

    assert code_of(opened(desk, "t2")) == "limit"


def test_what_was_rejected_makes_room() -> None:
    desk = limited(max_exposure=D(10), max_open_trades=1)
    opened(desk, "t1")
    desk.handle(received(a_report("t1", status="rejected"), subject="order.report.t1-entry-1"))

    assert code_of(opened(desk, "t2")) is None


@pytest.mark.parametrize(("price", "code"), [("0.50", None), ("0.49", "limit"), (None, None)])
def test_the_market_is_asked_before_an_entry_is_held_to_its_band(price: str | None, code: str | None) -> None:
    assert code_of(opened(limited(price_band=D("0.10")), price=price)) == code


def test_a_stop_that_would_fire_is_no_matter_where_it_is_allowed_to() -> None:
    desk = limited(price_band=D("0.10"))
    (wanted,) = of_kind(desk.handle(received(an_open())), StopCheckWanted)

    said = desk.handle(StopCheckGiven(trade_id="t1", rules=("price",), now_ns=wanted.now_ns, price=D("0.60")))

    assert reply_of(said).ok


def test_only_one_trade_of_a_ticker_and_side_where_no_duplicates_are_wanted() -> None:
    """Lesson 53"""
    desk = limited(max_same=1)

    codes = [
        code_of(opened(desk, trade_id, **changes))
        for trade_id, changes in (("t1", {}), ("t2", {}), ("t3", {"side": "no"}), ("t4", {"account": "other"}))
    ]

    assert codes == [None, "limit", None, None]


def test_two_entries_that_wait_for_the_market_together_do_not_both_pass_a_limit_of_one() -> None:
    desk = limited(max_open_trades=1, price_band=D("0.10"))
    for trade_id in ("t1", "t2"):
        desk.handle(received(an_open(trade_id)))

    codes = [
        code_of(desk.handle(StopCheckGiven(trade_id=trade_id, rules=(), now_ns=T0, price=D("0.60"))))
        for trade_id in ("t1", "t2")
    ]

    assert codes == [None, "limit"]
