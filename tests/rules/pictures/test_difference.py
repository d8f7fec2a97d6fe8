"""Two runs on one axis: what they brought, and where a trade went otherwise."""

from decimal import Decimal

import pytest

from actors.rules.pictures import difference
from actors.rules.pictures.drawn import Line, Mark, Panel, Role, Span
from bus.messages.units import NS_PER_S
from bus.messages.what_if import Change, Totals, TradeCompared, WhatIf
from tests.rules.pictures.builders import a_ground, compared, ended, points

END = 100


EARLIER = compared("t1", ended(50, "-2", fired=5 * NS_PER_S), ended(30, "-1", fired=3 * NS_PER_S), Change.EARLIER, "1")
FIRED = "closed by price, fired 1970-01-01 00:00:03 UTC, exit $0.40"
SAME = compared("t2", ended(60, "3"), ended(60, "3"), Change.SAME, "0")
NEVER = compared("t3", ended(40, "1"), ended(None, "-4"), Change.NEVER, "-5")
UNKNOWN = compared("t4", ended(40, "1"), None, Change.NOT_OPENED, None)


def a_what_if(*trades: TradeCompared) -> WhatIf:
    return WhatIf(ground=a_ground(), totals=Totals(trades=len(trades), changes={}), trades=trades)


def drawn(*trades: TradeCompared) -> dict[str, Panel]:
    return {panel.key: panel for panel in difference.panels(a_what_if(*trades), END)}


def test_both_runs_are_added_up_on_one_scale() -> None:
    both = drawn(EARLIER, SAME)["both"]

    assert both == Panel(
        key="both",
        name="PnL as recorded, and what if",
        unit="$",
        lines=(
            Line(name="recorded", role=Role.VALUE, points=points((50, "-2"), (60, "1"), (END, "1"))),
            Line(name="what if", role=Role.OTHER_RUN, points=points((30, "-1"), (60, "2"), (END, "2"))),
        ),
        tall=True,
    )


def test_what_ended_first_is_added_first() -> None:
    recorded, _ = drawn(EARLIER, NEVER)["both"].lines

    assert recorded.points == points((40, "1"), (50, "-1"), (END, "-1"))


def test_what_is_open_at_the_end_counts_there() -> None:
    recorded, now = drawn(NEVER)["both"].lines

    assert recorded.points == points((40, "1"), (END, "1"))
    assert now.points == points((END, "-4"), (END, "-4"))


def test_what_is_not_heard_of_or_has_no_worth_brings_nothing() -> None:
    unpriced = compared("t5", ended(20, None), ended(20, "1"), Change.OTHERWISE, None)

    recorded, now = drawn(UNKNOWN, unpriced)["both"].lines

    assert recorded.points == points((40, "1"), (END, "1"))
    assert now.points == points((20, "1"), (END, "1"))


def test_a_trade_that_goes_otherwise_has_its_effect_where_the_first_of_both_ended() -> None:
    effects = drawn(EARLIER, SAME, NEVER, UNKNOWN)["effects"]

    gain = Mark(
        at_ns=30,
        role=Role.GAIN,
        title="t1: stopped earlier by 2 s, $1",
        details=("recorded: closed by price, fired 1970-01-01 00:00:05 UTC, exit $0.40, -$2", f"what if: {FIRED}, -$1"),
        value=Decimal(1),
    )
    assert (effects.key, effects.name, effects.unit) == ("effects", "Effect on each trade", "$")
    assert effects.marks[0] == gain
    assert [(mark.at_ns, mark.value, mark.role) for mark in effects.marks[1:]] == [(40, Decimal(-5), Role.LOSS)]


def test_what_goes_otherwise_at_no_cost_is_neither_a_gain_nor_a_loss() -> None:
    free = compared("t6", ended(50, "1"), ended(70, "1"), Change.OTHERWISE, "0")

    [mark] = drawn(free)["effects"].marks

    assert (mark.at_ns, mark.role, mark.title) == (50, Role.LEVEL, "t6: otherwise, $0")


def test_a_trade_of_unknown_effect_stands_between_both_ends() -> None:
    panel = drawn(UNKNOWN)["otherwise"]

    title = "t4: not opened, unknown effect"
    details = ("recorded: closed by price, exit $0.40, $1", "what if: not heard of")
    span = Span(begin_ns=40, end_ns=END, role=Role.LEVEL, title=title, row="t4", details=details)
    mark = Mark(at_ns=40, role=Role.VALUE, title="t4, recorded", details=("closed by price, exit $0.40, $1",), row="t4")
    assert panel == Panel(key="otherwise", name="Trades that go otherwise", rows=("t4",), spans=(span,), marks=(mark,))


def test_the_largest_effect_comes_first_and_both_ends_are_seen() -> None:
    panel = drawn(EARLIER, NEVER, UNKNOWN)["otherwise"]

    assert panel.rows == ("t3", "t1", "t4")
    assert [(mark.at_ns, mark.role, mark.title) for mark in panel.marks if mark.row == "t1"] == [
        (50, Role.VALUE, "t1, recorded"),
        (30, Role.OTHER_RUN, "t1, what if"),
    ]
    assert [(span.row, span.begin_ns, span.end_ns, span.role) for span in panel.spans] == [
        ("t3", 40, END, Role.LOSS),
        ("t1", 30, 50, Role.GAIN),
        ("t4", 40, END, Role.LEVEL),
    ]


def test_what_ends_behind_the_picture_stands_at_its_edge() -> None:
    late = compared("t7", ended(END + 9, "1"), ended(END, "2"), Change.OTHERWISE, "1")

    [span] = drawn(late)["otherwise"].spans

    assert (span.begin_ns, span.end_ns) == (END, END)


@pytest.mark.parametrize(("count", "name"), [(40, ""), (41, ", the 40 with the largest effect")])
def test_of_many_trades_the_forty_with_the_largest_effect_have_a_row(count: int, name: str) -> None:
    many = [
        compared(f"t{number}", ended(1, "0"), ended(1, "0"), Change.OTHERWISE, str(number)) for number in range(count)
    ]

    panel = drawn(*many)["otherwise"]

    assert panel.name == f"Trades that go otherwise{name}"
    assert panel.rows == tuple(f"t{number}" for number in reversed(range(count)))[:40]


def test_where_nothing_goes_otherwise_only_the_sums_are_drawn() -> None:
    assert list(drawn(SAME)) == ["both"]


def test_the_table_has_what_goes_otherwise_in_words() -> None:
    found = difference.table(a_what_if(SAME, UNKNOWN, EARLIER))

    worth = "closed by price, exit $0.40, $1"
    assert found.title == "Trades that go otherwise"
    assert found.columns == ("trade", "ticker", "side", "change", "effect", "recorded", "what if")
    assert found.rows[0] == ("t4", "T", "yes", "not opened", "unknown", worth, "not heard of")
    assert found.rows[1][:5] == ("t1", "T", "yes", "stopped earlier by 2 s", "$1")
    assert found.rows[1][6] == f"{FIRED}, -$1"


def test_a_table_of_thousands_of_trades_is_cut() -> None:
    found = difference.table(a_what_if(*[UNKNOWN] * 2001))

    assert (len(found.rows), found.left_out) == (2000, 1)


def test_above_two_runs_stands_what_was_changed_and_what_that_brought() -> None:
    totals = Totals(
        trades=1002,
        changes={Change.SAME: 1, Change.NEVER: 1001},
        recorded=Decimal(3),
        now=Decimal(1),
        effect=Decimal(-2),
    )

    found = difference.facts(
        WhatIf(ground=a_ground(("price.confirm_ticks", 4), ("loss.max_loss", 2)), totals=totals, trades=())
    )

    assert list(found.items()) == [
        ("what if", "price.confirm_ticks = 4, loss.max_loss = 2"),
        ("effect", "-$2"),
        ("as recorded", "$3, with what is open at the last quote"),
        ("as it would have been", "$1"),
        ("compared", "1 as recorded, 1,001 never stopped"),
    ]
