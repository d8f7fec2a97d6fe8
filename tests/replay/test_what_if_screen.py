"""A what-if as a person reads it."""

from decimal import Decimal

from rich.console import Console, RenderableType

from actors.replay.what_if_screen import render, render_sweep
from bus.messages.trades import Side, TradeState
from bus.messages.units import NS_PER_S, ZERO
from bus.messages.what_if import Change, Ground, Outcome, Sweep, Swept, Totals, TradeCompared, WhatIf

GROUND = Ground(
    place="/var/rec",
    begin=0,
    end=NS_PER_S,
    settings={"probability.floor_percent": Decimal(30)},
    lives=2,
    inputs=1000,
    skipped=0,
    lost=3,
    gaps=("torn",),
    simulated=("kalshi",),
)


def shown(picture: RenderableType) -> str:
    console = Console(width=250, highlight=False)
    with console.capture() as printed:
        console.print(picture)
    return printed.get()


def an_outcome(fired_s: int | None, pnl: str) -> Outcome:
    return Outcome(
        state=TradeState.CLOSED if fired_s else TradeState.SETTLED,
        rule="price" if fired_s else None,
        fired=fired_s and fired_s * NS_PER_S,
        exit_price=Decimal("0.40"),
        exit_ts=None,
        open_quantity=ZERO,
        pnl=Decimal(pnl),
        worth=Decimal(pnl),
    )


def compared(change: Change, recorded: Outcome | None, now: Outcome | None, effect: str | None) -> TradeCompared:
    return TradeCompared(
        trade_id="t-1",
        ticker="T",
        side=Side.YES,
        change=change,
        effect=None if effect is None else Decimal(effect),
        recorded=recorded,
        now=now,
    )


def of_one(trade: TradeCompared) -> str:
    totals = Totals(trades=1, changes={trade.change: 1}, effect=trade.effect or ZERO)
    return shown(render(WhatIf(ground=GROUND, totals=totals, trades=(trade,))))


def test_a_stop_that_fires_earlier_is_said_with_by_how_much() -> None:
    said = of_one(compared(Change.EARLIER, an_outcome(7_200, "-2"), an_outcome(3_540, "-1.50"), "0.50"))

    assert "stopped earlier by 1 h 01 min" in said
    assert "+0.5" in said


def test_an_effect_that_nobody_knows_is_not_shown_as_zero() -> None:
    said = of_one(compared(Change.NEVER, an_outcome(60, "-2"), None, None))

    assert "unknown" in said
    assert "not heard of" in said


def test_what_it_stands_on_is_said() -> None:
    said = of_one(compared(Change.SAME, an_outcome(60, "-2"), an_outcome(60, "-2"), "0"))

    for fact in ("probability.floor_percent 30", "2 processes", "3 entries", "also those of kalshi", "gap: torn"):
        assert fact in said
    assert "t-1" not in said


def test_a_sweep_shows_gains_to_the_right_and_losses_to_the_left() -> None:
    rows = tuple(
        Swept(value=Decimal(value), totals=Totals(trades=1, changes={}, effect=Decimal(effect)))
        for value, effect in ((20, "2"), (30, "-1"), (40, "0"))
    )

    said = shown(render_sweep(Sweep(ground=GROUND, key="probability.floor_percent", rows=rows)))

    bars = [line.partition("|") for line in said.splitlines() if "|" in line][1:]
    assert [(left.count("█"), right.count("█")) for left, _, right in bars] == [(0, 24), (12, 0), (0, 0)]
