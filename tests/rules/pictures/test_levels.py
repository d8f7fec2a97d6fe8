"""Where stops stand, in the unit of what they read."""

from decimal import Decimal

import pytest

from actors.rules.market.marks import pnl_at
from actors.rules.pictures.levels import Level, levels, price_at_pnl
from bus.messages.trades import Side, StopSpec
from tests.rules.stops.builders import a_coin_trade, a_trade, stop

CENT = Decimal("0.01")


def of(spec: StopSpec, **changes: object) -> list[tuple[str, str, str]]:
    found = levels(a_trade(spec, **changes))
    return [(level.panel, level.name, str(level.value)) for level in found if level.name != "entry"]


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        (stop("price", stop_price="0.40"), ("exit", "stop price", "0.40")),
        (stop("profit", take_profit_price="0.80"), ("exit", "take profit", "0.80")),
        (stop("loss", max_loss="2"), ("exit", "greatest loss", "0.4")),
        (stop("loss", max_loss_percent="50"), ("exit", "greatest loss, percent", "0.3")),
        (stop("profit", take_profit_percent="25"), ("exit", "take profit, percent", "0.75")),
        (stop("probability", floor_percent="30"), ("probability", "probability floor", "30")),
        (stop("momentum", threshold_percent="0.35"), ("momentum", "momentum limit", "-0.35")),
        (stop("buffer", min_buffer="25"), ("buffer", "least buffer", "25")),
    ],
)
def test_each_stop_stands_where_it_reads(spec: StopSpec, level: tuple[str, str, str]) -> None:
    assert of(spec) == [level]


def test_what_reads_the_clock_stands_nowhere() -> None:
    assert of(stop("time", max_age_s=60)) == []


@pytest.mark.parametrize("model", ["none", "kalshi", "percent"])
@pytest.mark.parametrize("pnl", ["-3.00", "1.25"])
def test_at_the_level_of_a_loss_the_trade_would_have_lost_that_much(model: str, pnl: str) -> None:
    """To the cent to which Kalshi's fee is rounded."""
    trade = a_trade(general={"fee_model": model, "fee_percent": "2"})

    price = price_at_pnl(trade, Decimal(pnl))

    assert price is not None
    assert abs((pnl_at(trade, price) or 0) - Decimal(pnl)) <= CENT


def test_a_short_loses_above_its_entry() -> None:
    trade = a_coin_trade(stop("loss", max_loss="10"), side=Side.SHORT)

    assert Level("exit", "greatest loss", levels(trade)[0].role, Decimal(105)) in levels(trade)


def test_of_what_is_not_open_no_loss_has_a_price() -> None:
    assert price_at_pnl(a_trade(open_quantity=Decimal(0)), Decimal(-1)) is None
