"""Where stops stand, in the unit of what they read."""

from decimal import Decimal

import pytest

from actors.rules.market.marks import pnl_at
from actors.rules.pictures.drawn import Role
from actors.rules.pictures.levels import Level, levels, price_at_pnl, trailing_levels
from bus.messages.trades import Side, StopSpec
from tests.rules.stops.builders import a_coin_trade, a_trade, exact, stop, watching

CENT = Decimal("0.01")


def of(spec: StopSpec, **changes: object) -> list[tuple[str, str, str, str]]:
    found = levels(a_trade(spec, **changes))
    return [(level.panel, level.name, level.role.value, str(level.value)) for level in found if level.name != "entry"]


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        (stop("price", stop_price="0.40"), ("exit", "stop price", "stop", "0.40")),
        (stop("profit", take_profit_price="0.80"), ("exit", "take profit", "profit", "0.80")),
        (stop("profit", take_profit_amount="2"), ("exit", "take profit, dollars", "profit", "0.8")),
        (stop("profit", take_profit_percent="25"), ("exit", "take profit, percent", "profit", "0.75")),
        (stop("loss", max_loss="2"), ("exit", "greatest loss", "stop", "0.4")),
        (stop("loss", max_loss_percent="50"), ("exit", "greatest loss, percent", "stop", "0.3")),
        (stop("probability", floor_percent="30"), ("probability", "probability floor", "stop", "30")),
        (stop("momentum", threshold_percent="0.35"), ("momentum", "momentum limit", "stop", "-0.35")),
        (stop("buffer", min_buffer="25"), ("buffer", "least buffer", "stop", "25")),
    ],
)
def test_each_stop_stands_where_it_reads(spec: StopSpec, level: tuple[str, str, str, str]) -> None:
    assert of(spec) == [level]


def test_the_momentum_of_a_no_may_not_rise() -> None:
    assert of(stop("momentum", threshold_percent="0.35"), side=Side.NO) == [
        ("momentum", "momentum limit", "stop", "0.35")
    ]


@pytest.mark.parametrize("rule", ["price", "loss", "profit", "probability", "momentum", "buffer"])
def test_a_stop_without_its_limit_stands_nowhere(rule: str) -> None:
    assert of(stop(rule, confirm_ticks=2)) == []


def test_what_reads_the_clock_stands_nowhere() -> None:
    assert of(stop("time", max_age_s=60)) == []


def test_all_stops_of_a_trade_stand_and_its_entry_beside_them() -> None:
    trade = a_trade(stop("price", stop_price="0.40"), stop("loss", max_loss="3", max_loss_percent="25"))

    assert levels(trade) == [
        Level("exit", "stop price", Role.STOP, Decimal("0.40")),
        Level("exit", "greatest loss", Role.STOP, Decimal("0.3")),
        Level("exit", "greatest loss, percent", Role.STOP, Decimal("0.45")),
        Level("exit", "entry", Role.ENTRY, Decimal("0.60")),
    ]


def test_a_trade_that_cost_nothing_has_no_entry_and_no_price_of_a_loss() -> None:
    spec = stop("loss", max_loss="2", max_loss_percent="50")

    assert levels(a_trade(spec, entry_price=None, entry_cost=Decimal(0), filled_quantity=Decimal(0))) == []


def test_what_was_realised_already_moves_the_price_of_a_loss() -> None:
    part = {"open_quantity": Decimal(5), "pnl": Decimal(-1)}

    assert of(stop("loss", max_loss="2"), **part) == [("exit", "greatest loss", "stop", "0.4")]
    assert of(stop("loss", max_loss="1"), **part) == [("exit", "greatest loss", "stop", "0.6")]


def test_a_loss_of_all_but_a_hair_stands_at_zero_without_a_sign() -> None:
    assert of(stop("loss", max_loss="6.000001")) == [("exit", "greatest loss", "stop", "0")]


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

    assert levels(trade)[0] == Level("exit", "greatest loss", Role.STOP, Decimal(105))


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "104.040816"), (Side.SHORT, "96.039216")])
def test_a_gain_stands_behind_the_fee_of_its_exit_to_a_millionth(side: Side, price: str) -> None:
    trade = a_coin_trade(side=side, general={"fee_model": "percent", "fee_percent": "2"})

    assert price_at_pnl(trade, Decimal("3.92") if side is Side.LONG else Decimal("4.08")) == Decimal(price)


def test_of_what_is_not_open_no_loss_has_a_price() -> None:
    assert price_at_pnl(a_trade(open_quantity=Decimal(0)), Decimal(-1)) is None


@pytest.mark.parametrize(("active", "best"), [(False, "0.70"), (True, None)])
def test_a_trailing_stop_stands_nowhere_until_it_is_active(*, active: bool, best: str | None) -> None:
    rule = watching(stop("trailing", trail="0.10")).engine.roster.rule("t1", "trailing")
    assert rule is not None

    rule.active, rule.best = active, exact(best)

    assert trailing_levels(rule) == []
