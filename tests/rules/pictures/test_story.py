"""What a recording tells, entry by entry: which words become marks, and of which trade."""

import pytest

from actors.rules.pictures import marks
from actors.rules.pictures.story import Heard, marks_of, notices_in, trade_of, trades_in
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.stops import StopFired
from bus.messages.trades import TradeClose
from tests.rules.paper.builders import a_cancel, an_order
from tests.rules.pictures.builders import a_commit, a_decision, a_notice, received
from tests.rules.pictures.runs import SEEN
from tests.rules.stops.builders import a_trade, at

CLOSE = TradeClose(trade_id="t1", reason="enough", requested_by="anna")


def told(*said: object, heard: object = None, actor: str = "trade_desk") -> Heard:
    return Heard(at(1), actor, heard, said, None)


def a_report(status: ReportStatus) -> OrderReport:
    return OrderReport(client_order_id="t-1-close-1", ts=at(1), status=status)


def test_what_a_venue_says_is_a_mark_of_the_order_s_trade_and_a_fill_is_not() -> None:
    rejected, filled = a_report(ReportStatus.REJECTED), a_report(ReportStatus.FILLED)

    assert list(marks_of(told(heard=received(rejected)))) == [("t-1", marks.of_report(rejected, at(1)))]
    assert list(marks_of(told(heard=received(filled)))) == []


def test_what_a_person_asks_is_a_mark_of_its_trade() -> None:
    assert list(marks_of(told(heard=received(CLOSE)))) == [("t1", marks.of_request(CLOSE, at(1)))]


@pytest.mark.parametrize(
    "heard", [received(a_report(ReportStatus.REJECTED)), received(CLOSE), received(a_notice()), None]
)
def test_what_others_hear_is_no_mark(heard: object) -> None:
    assert list(marks_of(told(heard=heard, actor="trade_watcher"))) == []


def test_what_a_commit_keeps_is_marked_but_for_the_stop_that_was_said_as_it_fired() -> None:
    fired, held = a_decision("t1"), a_decision("t2", fired=False)
    order, cancel = an_order(trade_id="t3"), a_cancel(an_order(trade_id="t4"))

    assert list(marks_of(told(StopFired(decision=fired, mark=SEEN, now_ns=at(1)), a_notice()))) == [
        ("t1", marks.of_decision(fired, at(1)))
    ]
    assert list(marks_of(told(a_commit(decisions=(fired, held), orders=(order,), cancels=(cancel,))))) == [
        ("t2", marks.of_decision(held, at(1))),
        ("t3", marks.of_order(order, at(1))),
        ("t4", marks.of_cancel(cancel, at(1))),
    ]


def test_notices_are_those_that_are_said_and_those_that_are_kept() -> None:
    said, kept = a_notice("n1"), (a_notice("n2"), a_notice("n3"))

    assert list(notices_in((a_trade(), said, a_commit(notices=kept)))) == [said, *kept]


def test_a_trade_is_as_trade_desk_says() -> None:
    trade = a_trade()

    assert list(trades_in(told(trade, a_notice()))) == [trade]
    assert list(trades_in(told(trade, actor="trade_watcher"))) == []


@pytest.mark.parametrize(("order", "trade"), [("t-1-close-2", "t-1"), ("demo-7-entry-1", "demo-7")])
def test_an_order_s_id_names_its_trade(order: str, trade: str) -> None:
    assert trade_of(order) == trade
