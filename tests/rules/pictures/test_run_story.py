"""What the picture of a run shows: what it brought, what was open and how fast the ticks came."""

from decimal import Decimal

import pytest

from actors.rules.pictures.drawn import Line, Panel, Role
from actors.rules.pictures.run_story import RunStory
from bus.messages.records import Recovered
from bus.messages.trades import Coverage
from bus.messages.what_if import Totals, WhatIf
from tests.rules.pictures.builders import a_ground, covered, moments
from tests.rules.pictures.runs import DAY, PRICE, Run, a_closed
from tests.rules.stops.builders import a_trade, at


def test_of_nothing_there_is_no_picture() -> None:
    assert RunStory(0).picture("somewhere") is None


def test_a_run_is_named_by_its_recording_and_its_time() -> None:
    found = Run().say(0).say(90).story.picture("somewhere", warnings=("torn",))

    assert found is not None
    assert (found.title, found.begin_ns, found.end_ns) == ("Run", at(0), at(90))
    assert found.subtitle == f"{DAY} 12:00:00 UTC to {DAY} 12:01:30 UTC"
    assert found.warnings == ("torn",)
    assert [panel.key for panel in found.panels] == ["pnl", "open", "trades", "events", "ticks"]
    assert [table.title for table in found.tables] == ["Trades"]


def test_a_run_of_an_instant_is_drawn_as_a_second() -> None:
    assert Run().say(5).picture().end_ns == at(6)


def test_above_a_run_of_no_trade_stands_little() -> None:
    found = Run().say(0).say(90).picture()

    assert list(found.facts.items()) == [
        ("recording", "somewhere"),
        ("time", "1 min 30 s"),
        ("trades", "0"),
        ("realised PnL", "$0"),
        ("unprotected", "never"),
    ]


def test_above_a_run_stands_what_became_of_its_trades() -> None:
    run = Run().say(0, a_trade(PRICE), a_trade(PRICE, trade_id="t2"), a_trade(PRICE, trade_id="t3"))

    run.say(8, a_closed("-2.10"), a_closed("1", "t2")).say(9)

    assert run.picture().facts["trades"] == "3: 2 price, 1 open"


def test_a_what_if_stands_above_the_run_that_it_changes() -> None:
    ground = a_ground(("price.confirm_ticks", 4))
    compared = WhatIf(ground=ground, totals=Totals(trades=0, changes={}), trades=())

    found = Run().say(0).say(9).story.picture("somewhere", compared)

    assert found is not None
    assert found.title == "What if"
    assert list(found.facts)[:2] == ["what if", "effect"]
    assert found.facts["recording"] == "somewhere"
    assert [panel.key for panel in found.panels][:2] == ["both", "pnl"]
    assert found.panels[0].lines[0].points == moments((9, "0"))
    assert [table.title for table in found.tables] == ["Trades that go otherwise", "Trades"]


def test_what_trades_brought_adds_up_over_time() -> None:
    run = Run().say(0, a_trade(PRICE), a_trade(PRICE, trade_id="t2"))

    run.say(8, a_closed("-2.10")).say(9, a_closed("0.50", "t2")).say(20)

    brought = moments((0, "0"), (8, "-2.10"), (9, "-1.60"), (20, "-1.60"))
    line = Line(name="PnL", role=Role.VALUE, points=brought)
    assert run.panel("pnl") == Panel(key="pnl", name="Realised PnL", unit="$", lines=(line,))
    assert run.picture().facts["realised PnL"] == "-$1.60"


def test_what_the_entry_of_a_trade_costs_counts() -> None:
    run = Run().say(0).say(2, a_trade(PRICE, pnl=Decimal("-0.07")))

    assert run.line("pnl") == [(0, "0"), (2, "-0.07"), (2, "-0.07")]


def test_what_a_trade_brings_in_parts_is_counted_once() -> None:
    run = Run().say(0, a_trade(PRICE)).say(5, a_trade(PRICE, version=4, pnl=Decimal("-1.10"))).say(8, a_closed("-2.10"))

    assert run.line("pnl") == [(0, "0"), (5, "-1.10"), (8, "-2.10"), (8, "-2.10")]


def test_what_a_trade_had_brought_before_the_recording_is_not_counted() -> None:
    run = Run()
    run.story.recover(Recovered(trades=(a_trade(PRICE, pnl=Decimal("1.00")),)), "one", at(0))

    run.say(0).say(8, a_closed("-2.10"))

    assert run.line("pnl")[-1] == (8, "-3.10")


def test_how_many_trades_are_open_and_unprotected_is_drawn() -> None:
    run = Run().say(0, a_trade(PRICE)).say(2, covered(2, Coverage.UNPROTECTED), actor="trade_watcher")

    run.say(5, covered(5, Coverage.ARMED), actor="trade_watcher").say(8, a_closed("0")).say(9)

    lines = (
        Line(name="open", role=Role.OPEN, points=moments((0, "1"), (8, "0"), (9, "0"))),
        Line(name="unprotected", role=Role.UNPROTECTED, points=moments((0, "0"), (2, "1"), (5, "0"), (9, "0"))),
    )
    assert run.panel("open") == Panel(key="open", name="Trades open and unprotected", lines=lines)
    assert run.picture().facts["unprotected"] == "3 s, all trades together"


def test_what_came_before_the_wanted_time_is_taken_in_and_not_shown() -> None:
    run = Run(since=5).say(0, a_trade(PRICE)).say(6).say(9)

    assert run.line("open") == [(6, "1"), (9, "1")]
    assert run.picture().begin_ns == at(6)


def test_the_rate_of_ticks_is_their_number_by_the_second() -> None:
    run = Run().say(0).tick(1, 3).tick(1.5, 1).say(3)

    line = Line(name="ticks", role=Role.EXIT, points=moments((0, "0.00"), (1, "4.00"), (2, "0.00"), (3, "0.00")))
    assert run.panel("ticks") == Panel(key="ticks", name="Market data, ticks a second", lines=(line,))


def test_over_a_long_time_the_rate_is_the_average_of_a_stretch() -> None:
    run = Run(since=0.5).tick(0.25, 9).say(0.75).tick(1, 1).tick(2, 1).tick(3601, 2).say(3601.5)

    assert run.line("ticks") == [(0.75, "0.67"), (3, "0.00"), (3600, "0.67"), (3601.5, "0.67")]


@pytest.mark.parametrize(("end", "rate"), [(1440, "1.00"), (1440.25, "0.50")])
def test_a_day_has_as_many_stretches_as_it_has_minutes(end: float, rate: str) -> None:
    run = Run().say(0).tick(2, 1).say(end)

    assert [value for at, value in run.line("ticks") if at == 2] == [rate]


def test_ticks_are_counted_where_stops_read_them() -> None:
    run = Run().say(0).tick(1, 3, actor="trade_watcher").say(2)

    assert run.line("ticks") == [(0, "0.00"), (2, "0.00")]
