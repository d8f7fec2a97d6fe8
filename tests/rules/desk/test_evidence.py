"""What a venue says when it is asked: applied once, wherever else it was heard before."""

from typing import Any

from bus.messages.notices import Notice
from bus.messages.orders import ReportStatus, VenueAnswer, VenueFill, VenueOrder
from bus.messages.records import Commit
from bus.messages.trades import Side, TradeState
from tests.rules.desk.builders import (
    T0,
    TICKER,
    D,
    S,
    a_command,
    a_desk,
    a_fired,
    a_report,
    an_open,
    an_unheard_desk,
    commit_of,
    of_kind,
    opened,
    received,
    trade_of,
)


def an_answer(trade_id: str = "t1", purpose: str = "entry", fill_id: str | None = None, **changes: Any) -> VenueAnswer:
    """Return that an order of ten was filled at 0.60, by one fill."""
    order_id = f"{trade_id}-{purpose}-1"
    fill = VenueFill(
        fill_id=fill_id or f"f-{trade_id}-{purpose}", ticker=TICKER, side=Side.YES, price=D("0.60"), quantity=D(10),
        ts=T0 + S, client_order_id=order_id,
    )  # fmt: skip
    order = VenueOrder(client_order_id=order_id, status=ReportStatus.FILLED, cumulative_quantity=D(10))
    given: dict[str, Any] = {"order": order, "error": None, "now_ns": T0 + 9 * S, "fills": (fill,), "account": "acc"}
    return VenueAnswer(client_order_id=order_id, trade_id=trade_id, **(given | changes))


def closed_desk() -> Any:
    desk = opened(a_desk())
    desk.handle(a_fired())
    desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))
    return desk


def test_a_fill_that_no_report_told_is_booked() -> None:
    """Fault 7, Fault 27: fills are asked for, never assumed to be none."""
    desk = a_desk()
    desk.handle(received(an_open()))

    commit = commit_of(desk.handle(an_answer()))

    assert [row.fill.fill_id for row in commit.fills] == ["f-t1-entry"]
    assert trade_of(desk).state is TradeState.OPEN


def test_a_fill_that_a_report_told_is_booked_once_and_the_other_way_round() -> None:
    """Fault 24, S3"""
    told_first, asked_first = opened(a_desk()), a_desk()
    asked_first.handle(received(an_open()))
    asked_first.handle(an_answer())

    again = told_first.handle(an_answer())
    report = asked_first.handle(a_command(a_report(), subject="order.report.t1-entry-1"))

    assert of_kind(again, Commit) == []
    assert commit_of(report).fills == ()


def test_a_late_fill_of_a_closed_trade_is_born_once_and_told_once() -> None:
    """Fault 28"""
    desk = closed_desk()
    late = an_answer(fill_id="late", purpose="close")

    first, second = desk.handle(late), desk.handle(late)

    assert [notice.kind for notice in of_kind(first, Notice)].count("late_fill") == 1
    assert second == []


def test_a_fill_that_was_booked_before_the_restart_is_not_born_again() -> None:
    trade = trade_of(closed_desk())
    desk = an_unheard_desk(ended=(trade,), fill_ids=frozenset({("acc", "late")}))

    assert desk.handle(an_answer(fill_id="late", purpose="close")) == []


def test_fills_of_an_order_that_no_trade_has_are_an_alarm_and_nothing_else() -> None:
    said = a_desk().handle(an_answer("ghost"))

    assert [(notice.kind, notice.severity) for notice in of_kind(said, Notice)] == [("unknown_order", "critical")]
    assert commit_of(said).fills == ()


def test_such_fills_that_are_on_record_are_no_news() -> None:
    desk = an_unheard_desk(fill_ids=frozenset({("acc", "f-ghost-entry")}))

    assert desk.handle(an_answer("ghost")) == []
