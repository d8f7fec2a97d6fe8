"""What the picture of a trade shows."""

from decimal import Decimal

import msgspec
import pytest

from actors.rules.pictures.drawn import Role
from actors.rules.pictures.trade_story import TradeStory
from bus.messages.envelope import Received
from bus.messages.market import Lifecycle
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.records import Recovered
from bus.messages.trades import Coverage, Purpose, TradeClose, TradeState
from tests.rules.pictures.builders import Telling, a_commit, a_fill, covered
from tests.rules.stops.builders import a_momentum, a_price, a_probability, a_quote, a_trade, at, stop

PRICE = stop("price", stop_price="0.40")


def begun(*stops: object) -> Telling:
    return Telling().say(0, a_trade(*stops, fills=(a_fill(),)))  # type: ignore[arg-type]


def received(message: object) -> Received[object]:  # type: ignore[type-var]
    return Received(message=message, subject="x", key="k", digest="", body=b"", received_ns=at(1))  # type: ignore[type-var]


def a_notice(notice_id: str = "n1", trade_id: str | None = "t1", severity: Severity = Severity.WARNING) -> Notice:
    return Notice(
        notice_id=notice_id,
        kind="x",
        severity=severity,
        title="Look",
        body="Why",
        dedupe_key="d",
        ts=at(1),
        trade_id=trade_id,
    )


def test_of_a_trade_that_nobody_speaks_of_there_is_no_picture() -> None:
    assert Telling("other").say(0, a_trade(PRICE)).story.picture() is None


def test_the_price_is_drawn_as_the_trade_sees_it_digit_for_digit() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.580", "0.60")).tick(2, a_quote(2, "0.55", "0.60"))

    assert told.line("exit", "exit price") == [(1, "0.580"), (2, "0.55")]


def test_a_price_that_lasted_only_within_a_read_is_seen() -> None:
    told = begun(PRICE).tick(5, a_quote(3, "0.39", "0.60"), a_quote(4, "0.58", "0.60"))

    assert [value for _, value in told.line("exit", "exit price")] == ["0.39", "0.58"]


def test_what_was_quoted_before_the_trade_stands_at_its_beginning() -> None:
    told = Telling().tick(-1, a_quote(-1, "0.59", "0.61")).say(0, a_trade(PRICE))

    assert told.line("exit", "exit price") == [(0, "0.59")]


def test_where_nobody_bids_the_line_ends_and_a_span_says_why() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).tick(9, a_quote(9, None, "0.60"))

    assert told.line("exit", "exit price") == [(1, "0.58"), (9, None)]
    assert [span.title for span in told.panel("happened").spans if span.role is Role.UNCLEAR][-1:] == [
        "exit price: no bid"
    ] or told.picture().end_ns == at(9)


def test_a_quote_of_another_ticker_is_none_of_its_business() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).tick(2, a_quote(2, "0.10", "0.60", ticker="OTHER"))

    assert told.line("exit", "exit price") == [(1, "0.58")]


def test_a_trailing_stop_is_drawn_behind_the_best_price() -> None:
    told = begun(stop("trailing", trail="0.10"))

    told.tick(1, a_quote(1, "0.60", "0.62")).tick(2, a_quote(2, "0.70", "0.72")).tick(3, a_quote(3, "0.65", "0.67"))

    assert told.line("exit", "trailing stop") == [(1, "0.50"), (2, "0.60")]


def test_a_stop_that_is_moved_is_drawn_from_then_on() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60"))

    told.say(7, a_trade(stop("price", stop_price="0.50"), version=4))

    assert told.line("exit", "stop price") == [(0, "0.40"), (7, "0.50")]


def test_each_input_of_its_rules_has_a_panel_of_its_own() -> None:
    told = begun(PRICE)

    told.tick(1, a_quote(1, "0.58", "0.60"), a_probability(1, 59), a_momentum(1, "0.1"), a_price(1, 119_600))

    assert [panel.key for panel in told.picture().panels] == ["exit", "probability", "momentum", "buffer", "happened"]
    assert told.line("buffer", "buffer") == [(1, "100")]


def test_a_stop_that_fires_is_marked_at_its_price_and_in_its_row_with_all_that_it_saw() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.39", "0.60"))

    [placed] = [mark for mark in told.panel("exit").marks if mark.role is Role.FIRED]
    [listed] = told.marks(lambda mark: mark.role is Role.FIRED)
    assert (placed.at_ns, placed.value, listed.row) == (at(1), Decimal("0.39"), "stops")
    assert "exit 0.39, 0 s old, from kalshi" in listed.details
    assert [span.begin_ns for span in told.picture().shades] == [at(1)]


def test_a_stop_that_a_guard_held_back_is_marked_with_the_guard() -> None:
    told = begun(stop("price", stop_price="0.40", max_quote_disagreement="0.05"))

    told.tick(1, a_quote(1, "0.39", "0.60", no_bid="0.20", no_ask="0.80"))

    [held] = told.marks(lambda mark: mark.role is Role.HELD)
    assert held.title == "t1: price held back by max_quote_disagreement"
    assert any(line.startswith("✗ max quote disagreement") and "limit 0.05" in line for line in held.details)


def test_a_fill_is_marked_once_at_its_price_though_its_trade_is_said_often() -> None:
    told = begun(PRICE)
    closed = a_trade(PRICE, version=4, fills=(a_fill(), a_fill(2, "0.39", Purpose.CLOSE, 8)))

    told.say(8, closed).say(9, msgspec.structs.replace(closed, version=5))

    [fill] = told.marks(lambda mark: mark.row == "fills")
    assert (fill.role, fill.value, fill.title) == (Role.CLOSED, Decimal("0.39"), "t1: sold 10 yes at $0.39")
    assert "fees $0.07" in fill.details


def test_unprotected_spans_are_shaded_until_it_is_protected_again() -> None:
    told = begun(PRICE).say(2, covered(2, Coverage.UNPROTECTED, "empty_book"), actor="trade_watcher")

    told.say(5, covered(5, Coverage.ARMED), actor="trade_watcher").tick(9, a_quote(9, "0.58", "0.60"))

    [shade] = told.picture().shades
    assert (shade.begin_ns, shade.end_ns, shade.title) == (at(2), at(5), "unprotected: empty book")
    assert told.picture().facts["unprotected"] == "3 s"


def test_only_its_own_notices_and_those_of_everybody_are_shown_and_each_once() -> None:
    told = begun(PRICE).say(1, a_notice(), a_notice("n2", "t2"), a_notice("n3", None), a_commit(notices=(a_notice(),)))

    assert len(told.marks(lambda mark: mark.row == "notices")) == 2


def test_what_a_venue_and_a_person_say_is_marked() -> None:
    told = begun(PRICE)

    told.say(
        1,
        heard=received(
            OrderReport(client_order_id="t1-close-1", ts=at(1), status=ReportStatus.REJECTED, reason="closed")
        ),
    )
    told.say(2, heard=received(TradeClose(trade_id="t1", reason="enough", requested_by="anna")))
    told.say(3, heard=received(TradeClose(trade_id="t2", reason="enough", requested_by="anna")))

    assert [(mark.title, mark.row) for mark in told.marks()] == [
        ("t1-close-1: rejected", "orders"),
        ("close t1", "requests"),
    ]


def test_what_happens_to_its_market_is_marked() -> None:
    trade = a_trade(PRICE)
    told = begun(PRICE).say(1, heard=received(Lifecycle(ticker=trade.ticker, ts=at(1), event="halted")))

    told.say(2, heard=received(Lifecycle(ticker="OTHER", ts=at(2), event="halted")))

    assert [mark.title for mark in told.marks()] == [f"{trade.ticker}: halted"]


def test_little_is_shown_of_what_came_after_its_end() -> None:
    ended = a_trade(PRICE, state=TradeState.CLOSED, open_quantity=Decimal(0), version=4)
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).say(400, ended)

    told.tick(450, a_quote(450, "0.70", "0.72")).tick(9000, a_quote(9000, "0.99", "1"))

    assert told.line("exit", "exit price")[-1] == (450, "0.70")
    assert told.picture().end_ns <= at(500)


def test_a_trade_that_was_open_when_its_process_began_is_drawn_from_there() -> None:
    told = Telling()

    told.story.recover(Recovered(trades=(a_trade(PRICE),), coverage=(covered(-9, Coverage.ARMED),)), at(0), told.engine)
    told.tick(3, a_quote(3, "0.58", "0.60"))

    assert told.line("exit", "stop price") == [(0, "0.40")]
    assert [(span.begin_ns, span.row) for span in told.panel("happened").spans if span.row == "coverage"] == [
        (at(0), "coverage")
    ]


@pytest.mark.parametrize("engine", [True, False])
def test_without_stops_that_can_decide_again_the_price_is_drawn_all_the_same(*, engine: bool) -> None:
    told = begun(PRICE)
    if not engine:
        told.engine = type(told.engine)()

    told.tick(1, a_quote(1, "0.58", "0.60"))

    assert told.line("exit", "exit price") == [(1, "0.58")]


def test_gaps_and_differences_are_marked() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60"))

    told.story.miss("torn")
    told.story.differ(at(1), "otherwise", ())

    assert [(mark.title, mark.role) for mark in told.marks()] == [
        ("gap: torn", Role.WARNING),
        ("otherwise", Role.DIFFERENCE),
    ]


def test_a_story_lists_everything_in_order() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.39", "0.60"))

    [table] = told.picture().tables

    assert [row[0] for row in table.rows] == sorted(row[0] for row in table.rows)
    assert TradeStory("t1").picture() is None
