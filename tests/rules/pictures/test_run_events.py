"""The events of a run: none of them is lost, however close they lie."""

from actors.rules.pictures.drawn import Table
from bus.messages.market import Lifecycle
from bus.messages.notices import Severity
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import RecordAway, Recovered
from bus.messages.stops import StopFired
from bus.messages.trades import Coverage, Purpose, TradeClose
from tests.rules.paper.builders import a_cancel, an_order
from tests.rules.pictures.builders import a_commit, a_decision, a_fill, a_notice, covered, received
from tests.rules.pictures.runs import DAY, PRICE, SEEN, Run, a_closed
from tests.rules.stops.builders import a_trade, at


def test_ticks_that_make_a_stop_fire_are_counted_and_what_they_made_is_told() -> None:
    run = Run().say(0).tick(1, 3, StopFired(decision=a_decision(), mark=SEEN, now_ns=at(1))).say(2)

    assert run.line("ticks")[1] == (1, "3.00")
    assert run.events() == [(1, "stops fired", "t1: price fired")]


def test_each_kind_of_event_has_a_row_of_its_own() -> None:
    order, cancel = an_order(), a_cancel(an_order())
    run = Run().say(
        0, a_trade(PRICE), a_commit(orders=(order,), cancels=(cancel,), decisions=(a_decision(fired=False),))
    )

    run.say(
        1,
        a_notice("n1", severity=Severity.INFO),
        heard=received(TradeClose(trade_id="t1", reason="x", requested_by="ann")),
    )
    run.say(2, a_closed("0"), a_notice("n2"), a_notice("n3", severity=Severity.CRITICAL))
    run.say(
        3,
        a_commit(orders=(an_order(purpose=Purpose.CLOSE),)),
        heard=received(Lifecycle(ticker="T", ts=at(3), event="halted")),
    )
    run.say(4, covered(4, Coverage.UNPROTECTED), heard=LifeEnded())
    run.story.differ(at(4), "otherwise", ())
    run.tick(5, 1, StopFired(decision=a_decision(), mark=SEEN, now_ns=at(5)))

    assert run.panel("events").rows == (
        *(
            "stops fired",
            "held by guards",
            "entry orders",
            "close orders",
            "other reports",
            "entry fills",
            "close fills",
        ),
        *("unprotected", "requests", "critical", "warnings", "notices", "market", "system", "differences"),
    )
    assert (run.panel("events").key, run.panel("events").name) == ("events", "Events")


def test_a_stop_that_guards_held_back_is_an_event_and_is_counted_only_where_its_trade_is_known() -> None:
    held = a_commit(decisions=(a_decision("t9", fired=False),))

    run = Run().say(0, a_trade(PRICE)).say(1, held, actor="auto_stop")

    assert run.events() == [(1, "held by guards", "t9: price held back by min_age_s")]
    assert run.table("Trades").rows[0][10] == ""


def test_a_notice_is_an_event_once_however_often_it_is_said() -> None:
    run = (
        Run().say(0).say(1, a_notice("n1"), a_notice("n2")).say(2, a_commit(notices=(a_notice("n1"),)), a_notice("n3"))
    )

    assert [(at_s, row) for at_s, row, _ in run.events()] == [(1, "warnings"), (2, "warnings")]
    assert [row[0] for row in run.table("Warnings").rows] == [f"{DAY} 12:00:0{n} UTC" for n in (1, 1, 2)]


def test_that_a_trade_is_unprotected_is_an_event_with_its_reason() -> None:
    run = Run().say(0, a_trade(PRICE)).say(1, covered(1, Coverage.UNPROTECTED, "never_fed"), actor="trade_watcher")

    run.say(2, covered(2, Coverage.ARMED), actor="trade_watcher")

    assert run.events() == [(1, "unprotected", "t1: unprotected, never fed")]


def test_what_happens_to_a_market_or_to_the_process_is_an_event_of_who_decides_by_it() -> None:
    halted, lost = received(Lifecycle(ticker="T", ts=at(1), event="halted")), EntriesLost(count=7)
    away = RecordAway(error="gone", now_ns=at(1))

    run = Run().say(0).say(1, heard=halted).say(2, heard=halted, actor="auto_stop").say(3, heard=away, actor="life")
    run.say(4, heard=away, actor="auto_stop").say(5, heard=lost, actor="recorder").say(6, heard=away).say(7)

    assert run.events() == [
        (1, "market", "T: halted"),
        (3, "critical", "PostgreSQL is away: gone"),
        (5, "warnings", "the recorder lost 7 entries"),
        (6, "critical", "PostgreSQL is away: gone"),
    ]


def test_a_process_that_begins_a_gap_and_a_difference_are_events() -> None:
    run = Run().say(0)
    run.story.recover(Recovered(), "one, epoch 2", at(1))

    run.say(3).story.miss("torn")
    run.story.differ(at(2), "otherwise", ("then", "now"))

    assert run.events() == [
        (1, "system", "process begins: one, epoch 2"),
        (2, "differences", "otherwise"),
        (3, "warnings", "gap: torn"),
    ]
    assert run.table("Warnings") == Table(
        title="Warnings",
        columns=("when", "kind", "", "details"),
        rows=(
            (f"{DAY} 12:00:01 UTC", "system", "process begins: one, epoch 2", ""),
            (f"{DAY} 12:00:03 UTC", "warning", "gap: torn", ""),
            (f"{DAY} 12:00:02 UTC", "difference", "otherwise", "then; now"),
        ),
    )


def test_what_is_no_warning_is_not_listed_as_one() -> None:
    run = (
        Run()
        .say(0, a_trade(PRICE))
        .say(1, a_notice(severity=Severity.INFO))
        .say(2, a_notice("n2", severity=Severity.CRITICAL))
    )

    assert [row[1:3] for row in run.table("Warnings").rows] == [("critical", "Look")]


def test_a_table_of_hundreds_of_warnings_is_cut() -> None:
    run = Run().say(0, *(a_notice(f"n{number}") for number in range(501)))

    assert run.table("Warnings").left_out == 1


def test_events_before_the_wanted_time_are_not_told() -> None:
    run = Run(since=5).say(4, a_notice("n1"), a_trade(PRICE, fills=(a_fill(),)))

    run.say(5, a_notice("n2"), a_closed("0")).say(9)

    assert [(at_s, row) for at_s, row, _ in run.events()] == [(5, "close fills"), (5, "warnings")]


def test_a_trade_that_is_known_when_a_process_begins_brings_its_coverage_and_no_fill() -> None:
    run = Run()
    known = Recovered(trades=(a_trade(PRICE, fills=(a_fill(),)),), coverage=(covered(-9, Coverage.UNPROTECTED),))

    run.story.recover(known, "one", at(0))
    run.say(1).say(4)

    assert run.line("open", 1) == [(1, "1"), (4, "1")]
    assert [(bar.begin_ns, bar.end_ns) for bar in run.panel("trades").spans] == [(at(1), at(4))]
    assert run.panel("events").rows == ()
