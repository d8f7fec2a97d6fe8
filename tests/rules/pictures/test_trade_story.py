"""What the picture of a trade shows."""

from decimal import Decimal

import msgspec
import pytest

from actors.rules.pictures.drawn import Mark as Drawn
from actors.rules.pictures.drawn import Panel, Role, Span, Table
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Lifecycle, Ticks
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import RecordBack, Recovered
from bus.messages.stops import Mark, MarkState, StopFired
from bus.messages.trades import Coverage, Purpose, TradeClose, TradeState
from tests.rules.paper.builders import an_order
from tests.rules.pictures.builders import (
    Telling,
    a_commit,
    a_decision,
    a_fill,
    a_notice,
    compared,
    covered,
    ended,
    received,
)
from tests.rules.stops.builders import TICKER, a_momentum, a_price, a_probability, a_quote, a_trade, at, stop

PRICE = stop("price", stop_price="0.40")
CLOSED = a_trade(PRICE, state=TradeState.CLOSED, rule="price", open_quantity=Decimal(0), version=6, fills=(a_fill(),))
DAY = "2025-08-03"


def begun(*stops: object) -> Telling:
    return Telling().say(0, a_trade(*stops, fills=(a_fill(),)))  # type: ignore[arg-type]


def test_of_a_trade_that_nobody_speaks_of_there_is_no_picture() -> None:
    assert Telling("other").say(0, a_trade(PRICE)).story.picture() is None


def test_the_price_is_drawn_as_the_trade_sees_it_digit_for_digit() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.580", "0.60")).tick(2, a_quote(2, "0.55", "0.60"))

    assert told.line("exit", "exit price") == [(1, "0.580"), (2, "0.55")]


def test_a_price_that_lasted_only_within_a_read_is_seen() -> None:
    told = begun(PRICE).tick(5, a_quote(3, "0.39", "0.60"), a_quote(4, "0.58", "0.60"))

    assert [value for _, value in told.line("exit", "exit price")] == ["0.39", "0.58"]


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


def test_the_picture_of_a_trade_is_named_by_what_it_holds_and_how_it_stands() -> None:
    told = begun(PRICE).say(8, CLOSED)

    found = told.story.picture(warnings=("torn",))

    assert found is not None
    assert (found.title, found.subtitle) == ("Trade t1", f"yes 10 {TICKER}: closed by price")
    assert (found.begin_ns, found.end_ns, found.warnings) == (at(0), at(8), ("torn",))
    assert found.facts["stops"] == "price (stop price 0.40)"


def test_a_picture_of_an_instant_is_drawn_as_a_second() -> None:
    assert begun(PRICE).picture().end_ns == at(1)


def test_what_became_of_a_trade_is_a_row_of_its_states() -> None:
    partial = a_trade(PRICE, state=TradeState.PARTIAL_CLOSING, rule="price", version=4, fills=(a_fill(),))
    told = begun(PRICE).say(5, partial).say(6, msgspec.structs.replace(partial, version=5)).say(8, CLOSED).say(9)

    by_price = ("by price",)
    assert told.panel("happened") == Panel(
        key="happened",
        name="What happened",
        rows=("state", "price unclear"),
        spans=(
            Span(begin_ns=at(0), end_ns=at(5), role=Role.OPEN, title="open", row="state"),
            Span(begin_ns=at(5), end_ns=at(8), role=Role.OPEN, title="partial closing", row="state", details=by_price),
            Span(begin_ns=at(8), end_ns=at(9), role=Role.STATE, title="closed", row="state", details=by_price),
            Span(begin_ns=at(0), end_ns=at(8), role=Role.UNCLEAR, title="exit price: never fed", row="price unclear"),
        ),
    )


def test_whether_it_is_protected_is_a_row_until_it_ends_and_is_shaded_where_it_is_not() -> None:
    told = begun(PRICE).cover(2, Coverage.UNPROTECTED, "empty_book").cover(5, Coverage.ARMED)

    told.say(8, CLOSED).say(9)

    bare = Span(begin_ns=at(2), end_ns=at(5), role=Role.UNPROTECTED, title="unprotected: empty book", row="coverage")
    armed = Span(begin_ns=at(5), end_ns=at(8), role=Role.ARMED, title="armed: price", row="coverage")
    assert [span for span in told.panel("happened").spans if span.row == "coverage"] == [bare, armed]
    assert told.picture().shades == (bare,)
    assert told.picture().facts["unprotected"] == "3 s"


@pytest.mark.parametrize(
    ("coverage", "role"),
    [(Coverage.CLOSING, Role.CLOSING), (Coverage.WAIVED, Role.WAIVED), (Coverage.ARMED, Role.ARMED)],
)
def test_protection_that_goes_on_is_one_span_however_often_it_is_said(coverage: Coverage, role: Role) -> None:
    told = begun(PRICE).cover(2, coverage).cover(2, coverage).say(9)

    assert [
        (span.begin_ns, span.end_ns, span.role) for span in told.panel("happened").spans if span.row == "coverage"
    ] == [(at(2), at(9), role)]


def test_of_what_changes_twice_in_an_instant_the_last_is_drawn() -> None:
    told = begun(PRICE).cover(2, Coverage.UNPROTECTED).cover(2, Coverage.ARMED).say(9)

    assert [span.role for span in told.panel("happened").spans if span.row == "coverage"] == [Role.ARMED]


def test_the_protection_of_another_trade_is_none_of_its_business() -> None:
    other = msgspec.structs.replace(covered(2, Coverage.UNPROTECTED), trade_id="t2")
    told = begun(PRICE).say(2, other, actor="trade_watcher")

    told.story.recover(Recovered(trades=(a_trade(trade_id="t2", version=9),), coverage=(other,)), at(3), StopEngine())

    assert "coverage" not in told.panel("happened").rows
    assert told.picture().facts["settings"] == "version 7"


def test_a_trade_that_was_open_when_its_process_began_is_drawn_from_there() -> None:
    told = Telling()

    told.story.recover(
        Recovered(trades=(a_trade(PRICE),), coverage=(covered(-9, Coverage.ARMED),)), at(0), StopEngine()
    )
    told.tick(3, a_quote(3, "0.58", "0.60"))

    assert told.line("exit", "stop price") == [(0, "0.40")]
    assert [span for span in told.panel("happened").spans if span.row == "coverage"] == [
        Span(begin_ns=at(0), end_ns=at(3), role=Role.ARMED, title="armed: price", row="coverage")
    ]


def test_a_process_that_begins_knows_what_was_quoted_last() -> None:
    told, engine = Telling(), StopEngine()
    engine.handle(Ticks(batch=(a_quote(-1, "0.58", "0.60"),), received_ns=at(-1)))

    told.story.recover(Recovered(trades=(a_trade(PRICE),)), at(0), engine)

    assert told.line("exit", "exit price") == [(0, "0.58")]


def test_a_stop_that_fires_is_marked_at_its_price_and_in_its_row_and_seen_through_all_panels() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.39", "0.60"))

    [listed] = told.marks()
    assert (listed.at_ns, listed.role, listed.row, listed.value) == (at(1), Role.FIRED, "stops", None)
    assert "exit 0.39, 0 s old, from kalshi" in listed.details
    assert told.panel("exit").marks == (msgspec.structs.replace(listed, row=None, value=Decimal("0.39")),)
    line = Span(begin_ns=at(1), end_ns=at(1), role=Role.FIRED, title="t1: price fired", row="stops")
    assert told.picture().shades == (line,)


def test_decisions_stand_where_their_rule_reads_its_value_in_the_order_of_time() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60"), a_probability(1, 59), a_momentum(1, "0.1"))
    held = a_decision(fired=False)
    unseen = msgspec.structs.replace(a_decision(rule="momentum", fired=False), inputs={})

    told.say(2, a_commit(decisions=(held, unseen, a_decision("t2", fired=False), a_decision(rule="time", fired=False))))
    told.say(2, a_commit(decisions=(a_decision(),)), a_commit(orders=(an_order(limit_price=Decimal("0.50")),)))

    placed = [(mark.title, mark.value) for mark in told.panel("exit").marks]
    assert placed == [
        ("t1: price held back by min_age_s", Decimal("0.39")),
        ("t1-entry-1: buy 10 yes at 0.50", Decimal("0.50")),
    ]
    assert [(mark.title, mark.value) for mark in told.panel("momentum").marks] == [
        ("t1: momentum held back by min_age_s", None)
    ]
    assert told.panel("probability").marks == ()


def test_what_another_trade_s_stop_decides_is_none_of_its_business() -> None:
    fired = StopFired(decision=a_decision("t2"), mark=Mark(state=MarkState.UNKNOWN), now_ns=at(2))
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).say(2, fired, actor="auto_stop")

    assert told.marks() == []
    assert told.panel("exit").marks == ()


def test_only_its_own_notices_and_those_of_everybody_are_shown_and_each_once() -> None:
    told = begun(PRICE).say(1, a_notice(), a_notice("n2", "t2"), a_notice("n3", None), a_commit(notices=(a_notice(),)))

    told.say(2, a_notice("n3", None), a_notice("n4"), a_commit(notices=(a_notice("n5"),)))

    assert [(mark.at_ns, mark.row) for mark in told.marks()] == [(at(1), "notices")] * 2 + [(at(2), "notices")] * 2


def test_what_happens_to_its_market_and_to_the_process_is_marked() -> None:
    halted = received(Lifecycle(ticker=TICKER, ts=at(1), event="halted"))
    other = received(Lifecycle(ticker="OTHER", ts=at(2), event="halted"))
    told = begun(PRICE).say(1, heard=halted).say(2, heard=other).say(3, heard=halted, actor="auto_stop")

    told.say(4, heard=RecordBack(now_ns=at(4))).say(5, heard=RecordBack(now_ns=at(5)), actor="auto_stop")
    told.say(6, heard=EntriesLost(count=7), actor="recorder").say(7, heard=LifeEnded(), actor="life")

    assert [(mark.at_ns, mark.row, mark.title) for mark in told.marks()] == [
        (at(1), "market", f"{TICKER}: halted"),
        (at(4), "system", "PostgreSQL is back, and everything is written"),
        (at(6), "system", "the recorder lost 7 entries"),
        (at(7), "system", "process ends, in order"),
    ]


def test_of_what_came_after_the_last_event_a_minute_is_shown() -> None:
    told = begun(PRICE).say(100, a_trade(PRICE, version=4)).say(2000)

    assert told.picture().end_ns == at(160)


def test_after_a_long_trade_a_quarter_of_its_time_is_shown() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).say(400, CLOSED)

    told.tick(450, a_quote(450, "0.70", "0.72")).tick(500, a_quote(500, "0.71", "0.72"))
    told.tick(500.5, a_quote(500.5, "0.99", "1"))

    assert told.line("exit", "exit price")[-1] == (500, "0.71")
    assert told.picture().end_ns == at(500)


def test_of_a_trade_that_is_over_no_gap_and_no_notice_is_shown() -> None:
    told = begun(PRICE).say(8, CLOSED).say(60)
    told.story.miss("torn")

    told.say(70, a_notice()).say(80, heard=LifeEnded())

    assert [(mark.at_ns, mark.title) for mark in told.marks()] == [(at(60), "gap: torn")]


def test_what_is_asked_of_a_trade_that_has_ended_is_shown_however_late() -> None:
    asked = received(TradeClose(trade_id="t1", reason="enough", requested_by="anna"))

    told = begun(PRICE).say(8, CLOSED).say(5000, heard=asked)

    assert [(mark.at_ns, mark.title) for mark in told.marks()] == [(at(5000), "close t1")]


def test_a_gap_before_the_trade_is_none_of_its_business() -> None:
    told = Telling()
    told.story.miss("torn")

    assert told.say(0, a_trade(PRICE)).marks() == []


def test_gaps_and_differences_are_marked() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60"))

    told.story.miss("torn")
    told.story.differ(at(1), "otherwise", ("then", "now"))

    assert told.marks() == [
        Drawn(at_ns=at(1), role=Role.WARNING, title="gap: torn", row="system"),
        Drawn(at_ns=at(1), role=Role.DIFFERENCE, title="otherwise", details=("then", "now"), row="differences"),
    ]


def test_what_would_have_become_of_it_is_marked_and_stands_above_it() -> None:
    told = begun(PRICE).tick(1, a_quote(1, "0.58", "0.60")).say(9)

    told.story.imagine(compared("t1", None, ended(at(3), "-1", fired=at(2))))

    words = "closed by price, fired 2025-08-03 12:00:02 UTC, exit $0.40, -$1"
    fired, ends = (
        Drawn(at_ns=at(2), role=Role.OTHER_RUN, title="t1: price would have fired", details=(words,), row="what if"),
        Drawn(
            at_ns=at(3),
            role=Role.OTHER_RUN,
            title="t1: would have ended",
            details=(words,),
            row="what if",
            value=Decimal("0.40"),
        ),
    )
    assert told.marks() == [fired, ends]
    assert told.panel("exit").marks == (ends,)
    assert told.picture().facts["what if"] == f"newly stopped: {words}"


def test_what_would_have_stayed_open_has_no_mark_and_another_trade_none_at_all() -> None:
    told = begun(PRICE).say(9)

    told.story.imagine(compared("t2", None, ended(at(3), "-1", fired=at(2))))
    told.story.imagine(compared("t1", None, None))
    assert "what if" not in told.picture().facts

    told.story.imagine(compared("t1", None, ended(None, "-1")))
    assert told.marks() == []
    assert told.picture().facts["what if"] == "newly stopped: open, -$1"


def test_a_story_lists_everything_in_order() -> None:
    told = begun(PRICE).say(3, covered(1, Coverage.UNPROTECTED, "empty_book"), actor="trade_watcher")
    told.say(4, a_notice()).say(5, a_trade(PRICE, version=4, state=TradeState.PARTIAL_CLOSING))

    told.story.differ(at(2), "otherwise", ("then", "now"))
    told.story.differ(at(2), "again", ())

    assert told.picture().tables == (
        Table(
            title="What happened, in order",
            columns=("when", "what", "", "details"),
            rows=(
                (f"{DAY} 12:00:00 UTC", "state", "open", ""),
                (f"{DAY} 12:00:01 UTC", "coverage", "unprotected: empty_book", ""),
                (f"{DAY} 12:00:02 UTC", "differences", "otherwise", "then; now"),
                (f"{DAY} 12:00:02 UTC", "differences", "again", ""),
                (f"{DAY} 12:00:04 UTC", "notices", "Look", "warning x; Why"),
                (f"{DAY} 12:00:05 UTC", "state", "partial closing", ""),
            ),
        ),
    )


def test_a_list_of_thousands_is_cut() -> None:
    told = begun(PRICE).say(1, *(a_notice(f"n{number}") for number in range(2001)))

    [table] = told.picture().tables

    assert (len(table.rows), table.left_out) == (2000, 2)
