"""A sweep as a picture: its axis has the values, and what each would have brought stands beside what was recorded."""

from decimal import Decimal

import msgspec

from actors.rules.pictures.drawn import Line, Mark, Panel, Picture, Role, Table, place_ns
from actors.rules.pictures.sweeping import picture
from bus.messages.what_if import Change, Ground, Sweep, Swept, Totals
from tests.rules.pictures.builders import a_ground, points
from tests.rules.stops.builders import at

GROUND = a_ground()
CHANGES = {Change.SAME: 2, Change.EARLIER: 1}


def a_sweep(*effects: str, ground: Ground = GROUND, changes: dict[Change, int] = CHANGES) -> Sweep:
    """One value for each effect on a recorded PnL of 10: 20, 25, and so on."""
    rows = tuple(
        Swept(
            value=Decimal(20 + 5 * number),
            totals=Totals(
                trades=3,
                changes=changes,
                recorded=Decimal(10),
                now=10 + Decimal(effect),
                effect=Decimal(effect),
            ),
        )
        for number, effect in enumerate(effects)
    )
    return Sweep(ground=ground, key="probability.floor_percent", rows=rows)


def panel(found: Picture, key: str) -> Panel:
    return next(one for one in found.panels if one.key == key)


def test_the_axis_of_a_sweep_has_its_values() -> None:
    found = picture(a_sweep("0", "2", "-1"))

    assert (found.title, found.subtitle) == ("What if: probability.floor_percent", "/recording")
    assert (found.begin_ns, found.end_ns) == (0, place_ns(2))
    assert found.values == ("20", "25", "30")
    assert [found.place_text(place_ns(number)) for number in range(3)] == ["20", "25", "30"]


def test_what_each_value_brings_stands_beside_what_was_recorded() -> None:
    found = panel(picture(a_sweep("0", "2", "-1")), "pnl")

    then = points((0, "10"), (place_ns(1), "10"), (place_ns(2), "10"))
    now = points((0, "10"), (place_ns(1), "12"), (place_ns(2), "9"))
    assert found == Panel(
        key="pnl",
        name="PnL by value, and as recorded",
        unit="$",
        lines=(
            Line(name="recorded", role=Role.VALUE, points=then, limit=True),
            Line(name="what if", role=Role.OTHER_RUN, points=now),
        ),
        tall=True,
    )


def test_an_effect_is_a_gain_a_loss_or_neither() -> None:
    found = panel(picture(a_sweep("0", "0.5", "-0.5")), "effect")

    effects = ((Role.LEVEL, "$0", "0"), (Role.GAIN, "$0.5", "0.5"), (Role.LOSS, "-$0.5", "-0.5"))
    marks = tuple(
        Mark(
            at_ns=place_ns(number),
            role=role,
            title=f"{words} beside what was recorded",
            details=("2 as recorded, 1 stopped earlier",),
            value=Decimal(effect),
        )
        for number, (role, words, effect) in enumerate(effects)
    )
    assert found == Panel(key="effect", name="Effect of each value", unit="$", marks=marks)


def test_an_effect_on_no_trade_says_so() -> None:
    [mark] = panel(picture(a_sweep("0", changes={})), "effect").marks

    assert mark.details == ("no trade",)


def test_above_a_sweep_stand_its_best_value_and_what_it_stands_on() -> None:
    ground = a_ground(("price.confirm_ticks", 4), ("loss.max_loss", 2), begin=at(0), end=at(60), gaps=("torn",))

    found = picture(a_sweep("0", "2", "-1", ground=ground))

    assert list(found.facts.items()) == [
        ("best", "25: $12"),
        ("as recorded", "$10, with what is open at the last quote"),
        ("beside it", "price.confirm_ticks = 4, loss.max_loss = 2"),
        ("from", "2025-08-03 12:00:00 UTC"),
        ("to", "2025-08-03 12:01:00 UTC"),
    ]
    assert found.warnings == ("gap: torn",)


def test_above_a_sweep_of_an_endless_recording_no_time_stands() -> None:
    found = picture(a_sweep("0"))

    assert list(found.facts) == ["best", "as recorded"]


def test_the_table_tells_of_each_value_how_many_trades_go_otherwise() -> None:
    (told,) = picture(a_sweep("0", "-1")).tables

    assert told == Table(
        title="What if",
        columns=("probability.floor_percent", "as recorded", "stopped earlier", "PnL", "effect"),
        rows=(("20", "2", "1", "$10", "$0"), ("25", "2", "1", "$9", "-$1")),
    )


def test_the_table_counts_in_thousands_and_has_a_column_for_what_only_one_value_changes() -> None:
    found = a_sweep("0", changes={Change.SAME: 1200, Change.NEVER: 0})
    swept = Swept(value="none", totals=Totals(trades=1, changes={Change.LATER: 1}))

    (told,) = picture(msgspec.structs.replace(found, rows=(*found.rows, swept))).tables

    assert told.columns[1:3] == ("as recorded", "stopped later")
    assert [row[:3] for row in told.rows] == [("20", "1,200", "0"), ("none", "0", "1")]


def test_a_value_that_is_no_number_stands_as_it_is_written_in_a_settings_file() -> None:
    rows = tuple(
        Swept(value=value, totals=Totals(trades=0, changes={})) for value in (True, False, "kalshi", Decimal("1E+1"))
    )

    assert picture(msgspec.structs.replace(a_sweep("0"), rows=rows)).values == ("true", "false", "kalshi", "10")


def test_one_value_alone_can_be_drawn() -> None:
    found = picture(a_sweep("2"))

    assert (found.begin_ns, found.end_ns) == (0, place_ns(1))
