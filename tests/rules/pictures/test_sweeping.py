"""A sweep as a picture: its axis has the values, and what each would have brought stands beside what was recorded."""

from decimal import Decimal

import pytest

from actors.rules.pictures.drawn import Panel, Picture, Role, place_ns
from actors.rules.pictures.sweeping import picture
from bus.messages.what_if import Change, Ground, Sweep, Swept, Totals


def a_sweep(*effects: str) -> Sweep:
    """One value for each effect on a recorded PnL of 10: 20, 25, and so on."""
    rows = tuple(
        Swept(
            value=Decimal(20 + 5 * number),
            totals=Totals(
                trades=3,
                changes={Change.SAME: 2, Change.EARLIER: 1},
                recorded=Decimal(10),
                now=10 + Decimal(effect),
                effect=Decimal(effect),
            ),
        )
        for number, effect in enumerate(effects)
    )
    ground = Ground(
        place="/recording", begin=None, end=None, settings={"price.confirm_ticks": Decimal(1)}, lives=1, inputs=9,
        skipped=0, lost=0, gaps=("torn",), simulated=(),
    )  # fmt: skip
    return Sweep(ground=ground, key="probability.floor_percent", rows=rows)


def panel(found: Picture, key: str) -> Panel:
    return next(one for one in found.panels if one.key == key)


def test_each_value_has_its_place_on_the_axis() -> None:
    found = picture(a_sweep("0", "2", "-1"))

    assert found.values == ("20", "25", "30")
    assert [found.place_text(place_ns(number)) for number in range(3)] == ["20", "25", "30"]


def test_what_each_value_brings_stands_beside_what_was_recorded() -> None:
    recorded, now = panel(picture(a_sweep("0", "2", "-1")), "pnl").lines

    assert [point.value for point in recorded.points] == [Decimal(10)] * 3
    brought = [(place_ns(number), Decimal(value)) for number, value in enumerate((10, 12, 9))]
    assert [(point.at_ns, point.value) for point in now.points] == brought


def test_an_effect_is_a_gain_a_loss_or_neither() -> None:
    marks = panel(picture(a_sweep("0", "2", "-1")), "effect").marks

    roles = [(Role.LEVEL, Decimal(0)), (Role.GAIN, Decimal(2)), (Role.LOSS, Decimal(-1))]
    assert [(mark.role, mark.value) for mark in marks] == roles


def test_the_best_value_and_what_is_lacking_are_named() -> None:
    found = picture(a_sweep("0", "2", "-1"))

    assert found.facts["best"] == "25: $12"
    assert found.warnings == ("gap: torn",)


@pytest.mark.parametrize(("number", "row"), [(0, ("20", "2", "1", "$10", "$0")), (2, ("30", "2", "1", "$9", "-$1"))])
def test_the_table_tells_of_each_value_how_many_trades_go_otherwise(number: int, row: tuple[str, ...]) -> None:
    (told,) = picture(a_sweep("0", "2", "-1")).tables

    assert told.columns == ("probability.floor_percent", "as recorded", "stopped earlier", "PnL", "effect")
    assert told.rows[number] == row


def test_one_value_alone_can_be_drawn() -> None:
    found = picture(a_sweep("2"))

    assert found.begin_ns < found.end_ns
