"""Two runs on one axis: what they brought, and where a trade went otherwise."""

from decimal import Decimal

from actors.rules.pictures import difference
from actors.rules.pictures.drawn import Panel, Role
from bus.messages.trades import Side, TradeState
from bus.messages.what_if import Change, Ground, Outcome, Totals, TradeCompared, WhatIf

END = 100


def ended(at_ns: int | None, worth: str | None, *, fired: int | None = None) -> Outcome:
    return Outcome(
        state=TradeState.OPEN if at_ns is None else TradeState.CLOSED,
        rule=None if at_ns is None else "price",
        fired=fired,
        exit_price=None if at_ns is None else Decimal("0.40"),
        exit_ts=at_ns,
        open_quantity=Decimal(0),
        pnl=Decimal(0),
        worth=None if worth is None else Decimal(worth),
    )


def compared(
    trade_id: str, recorded: Outcome | None, now: Outcome | None, change: Change, effect: str | None
) -> TradeCompared:
    return TradeCompared(
        trade_id=trade_id,
        ticker="T",
        side=Side.YES,
        change=change,
        effect=None if effect is None else Decimal(effect),
        recorded=recorded,
        now=now,
    )


EARLIER = compared("t1", ended(50, "-2", fired=49), ended(30, "-1", fired=29), Change.EARLIER, "1")
SAME = compared("t2", ended(60, "3"), ended(60, "3"), Change.SAME, "0")
NEVER = compared("t3", ended(40, "1"), ended(None, "-4"), Change.NEVER, "-5")
UNKNOWN = compared("t4", ended(40, "1"), None, Change.NOT_OPENED, None)


def a_what_if(*trades: TradeCompared) -> WhatIf:
    ground = Ground(
        place="x",
        begin=0,
        end=END,
        settings={"price.confirm_ticks": Decimal(4)},
        lives=1,
        inputs=1,
        skipped=0,
        lost=0,
        gaps=(),
        simulated=(),
    )
    return WhatIf(ground=ground, totals=Totals(trades=len(trades), changes={}), trades=trades)


def drawn(*trades: TradeCompared) -> dict[str, Panel]:
    return {panel.key: panel for panel in difference.panels(a_what_if(*trades), END)}


def test_both_runs_are_added_up_on_one_scale() -> None:
    recorded, now = drawn(EARLIER, SAME)["both"].lines

    assert [(at, int(value or 0)) for at, value in recorded.points] == [(50, -2), (60, 1), (END, 1)]
    assert [(at, int(value or 0)) for at, value in now.points] == [(30, -1), (60, 2), (END, 2)]


def test_what_is_open_at_the_end_counts_there() -> None:
    _, now = drawn(NEVER)["both"].lines

    assert [(at, int(value or 0)) for at, value in now.points][-1] == (END, -4)


def test_a_trade_that_goes_otherwise_has_its_effect_where_the_first_of_both_ended() -> None:
    marks = drawn(EARLIER, SAME, NEVER)["effects"].marks

    assert [(mark.at_ns, mark.value, mark.role) for mark in marks] == [
        (30, Decimal(1), Role.GAIN),
        (40, Decimal(-5), Role.LOSS),
    ]


def test_the_largest_effect_comes_first_and_both_ends_are_seen() -> None:
    panel = drawn(EARLIER, NEVER, UNKNOWN)["otherwise"]

    assert panel.rows == ("t3", "t1", "t4")
    assert [(mark.at_ns, mark.role) for mark in panel.marks if mark.row == "t1"] == [
        (50, Role.VALUE),
        (30, Role.OTHER_RUN),
    ]


def test_where_nothing_goes_otherwise_only_the_sums_are_drawn() -> None:
    assert list(drawn(SAME)) == ["both"]


def test_the_table_has_what_goes_otherwise_in_words() -> None:
    [row] = difference.table(a_what_if(SAME, UNKNOWN)).rows

    assert row == ("t4", "T", "yes", "not opened", "unknown", "closed by price, exit $0.40, $1", "not heard of")
