"""No threshold hides a rule whose condition holds: not even at the boundary, whatever the fee and the rounding."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import Reading, pnl_at, pnl_percent
from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedRule, ArmedTrade
from actors.rules.stops.conditions import holds
from actors.rules.stops.thresholds import Thresholds, thresholds
from bus.messages.market import StrikeType
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import T0, a_coin_trade, a_trade, exact, stop

D = Decimal
PRICES = st.decimals("0.001", "0.999", places=3)
QUANTITIES = st.decimals("0.01", "500", places=2)
FEES: list[dict[str, object]] = [
    {"fee_model": "none"},
    {"fee_model": "kalshi"},
    {"fee_model": "percent", "fee_percent": 7},
]


def bought(side: Side, price: Decimal, quantity: Decimal, left: Decimal, fees: dict[str, object]) -> Trade:
    """A trade of `quantity` of which `left` (a share) is still open."""
    make = a_trade if side.is_event else a_coin_trade
    trade = make(side=side, general=fees)
    return msgspec.structs.replace(
        trade,
        quantity=quantity,
        filled_quantity=quantity,
        open_quantity=quantity * left,
        entry_price=price,
        entry_cost=price * quantity,
        pnl=Decimal("-0.37"),
    )


def is_reached(trade: Trade, spec: StopSpec, price: Decimal) -> tuple[bool | None, bool]:
    """Whether the condition holds at `price`, and whether the index finds it there."""
    trade = msgspec.structs.replace(trade, stops=(spec,))
    rule = ArmedTrade(trade, Sight(trade, MarketBook(), "sell"), order=1).rules[0]
    reading = Reading("quote", price, price)
    thresholds = Thresholds()
    thresholds.add(rule)
    return holds(rule, reading, T0), rule in thresholds.reached(reading)


@settings(deadline=None, max_examples=400)
@given(
    side=st.sampled_from(list(Side)),
    entry=PRICES,
    exit_price=PRICES,
    quantity=QUANTITIES,
    left=st.sampled_from([Decimal(1), Decimal("0.3"), Decimal(1) / 7]),
    fees=st.sampled_from(FEES),
)
def test_a_rule_whose_pnl_is_exactly_at_its_limit_is_found(
    *, side: Side, entry: Decimal, exit_price: Decimal, quantity: Decimal, left: Decimal, fees: dict[str, object]
) -> None:
    trade = bought(side, entry, quantity, left, fees)
    pnl = pnl_at(trade, exit_price)
    assert pnl is not None
    percent = pnl_percent(trade, pnl)
    assume(pnl != 0 and percent is not None)
    keys = ("max_loss", "max_loss_percent") if pnl < 0 else ("take_profit_amount", "take_profit_percent")
    rule = "loss" if pnl < 0 else "profit"

    found = [
        is_reached(trade, StopSpec(rule=rule, settings={key: abs(limit)}), exit_price)
        for key, limit in zip(keys, (pnl, percent or pnl), strict=True)
    ]

    assert found == [(True, True), (True, True)]


# Where the index looks: as far as need be, and no further


SLACK = Decimal("1E-9")
BY_PERCENT: dict[str, object] = {"fee_model": "percent", "fee_percent": 7}
KALSHI: dict[str, object] = {"fee_model": "kalshi"}
ALL_GONE: dict[str, object] = {"fee_model": "percent", "fee_percent": 100}
YES, COINS = SLACK + SLACK * Decimal("0.6"), SLACK + SLACK * 100
"""How much wider the index looks where it has divided: ten contracts bought at 0.60, two units at 100."""


def short(spec: StopSpec, **changes: Any) -> Trade:
    return a_coin_trade(spec, side=Side.SHORT, **changes)


@pytest.mark.parametrize(
    ("trade", "expected"),
    [
        (a_trade(stop("probability", floor_percent=25)), [(True, D(25))]),
        (a_trade(stop("price", stop_price="0.25")), [(True, D("0.25"))]),
        (short(stop("price", stop_price=105)), [(False, D(105))]),
        (a_trade(stop("loss", max_loss=2)), [(True, D("0.40") + YES)]),
        (a_trade(stop("loss", max_loss=2), pnl=D("-0.5")), [(True, D("0.45") + YES)]),
        (a_trade(stop("loss", max_loss=2, max_loss_percent=50)), [(True, D("0.40") + YES), (True, D("0.30") + YES)]),
        (a_trade(stop("loss", max_loss=2), general=KALSHI), [(True, D("0.4185") + YES)]),
        (a_trade(stop("loss", max_loss=2), general=BY_PERCENT), [(True, D(4) / D("0.93") / 10 + YES)]),
        (a_trade(stop("loss", max_loss=2), general=ALL_GONE), [(True, D("Infinity"))]),
        (short(stop("loss", max_loss=10)), [(False, D(105) - COINS)]),
        (short(stop("loss", max_loss=10), general=BY_PERCENT), [(False, D(210) / D("1.07") / 2 - COINS)]),
        (short(stop("loss", max_loss=10), general=KALSHI), [(False, D(105) - COINS)]),
        (a_trade(stop("profit", take_profit_price="0.80", take_profit_amount=2, take_profit_percent=50)), [(False, D("0.80")), (False, D("0.80") - YES), (False, D("0.90") - YES)]),
        (a_trade(stop("profit", take_profit_amount=2), general=BY_PERCENT), [(False, D("0.80") - YES)]),
        (short(stop("profit", take_profit_price=90, take_profit_amount=10)), [(True, D(90)), (True, D(95) + COINS)]),
        (a_trade(stop("momentum", threshold_percent="0.35")), [(True, D("-0.35"))]),
        (a_trade(stop("momentum", threshold_percent="0.35"), side=Side.NO), [(False, D("0.35"))]),
        (a_trade(stop("buffer", min_buffer=100)), [(True, D(119_600))]),
        (a_trade(stop("buffer", min_buffer=100), side=Side.NO), [(False, D(119_400))]),
        (a_trade(stop("buffer", min_buffer=100), strike_type=StrikeType.BELOW), [(False, D(119_400))]),
        (a_trade(stop("buffer", min_buffer=100), strike_type=StrikeType.BETWEEN), []),
        (a_trade(stop("buffer", min_buffer=100), strike=None), []),
        (a_trade(stop("trailing", trail="0.10")), []),
        (a_trade(stop("loss", max_loss=2), open_quantity=D(0)), []),
    ],
)  # fmt: skip
def test_the_index_looks_where_the_condition_may_begin_to_hold(
    trade: Trade, expected: list[tuple[bool, Decimal]]
) -> None:
    """True: at or below it, False: at or above it. A kalshi fee is at most 0.0175 a contract and a cent."""
    assert thresholds(armed(trade)) == expected


def armed(trade: Trade) -> ArmedRule:
    [rule] = ArmedTrade(trade, Sight(trade, MarketBook(), "sell"), order=1).rules
    return rule


@pytest.mark.parametrize("rule", ["probability", "price", "loss", "profit", "momentum", "buffer"])
def test_a_rule_that_is_off_is_nowhere_looked_for(rule: str) -> None:
    assert thresholds(armed(a_trade(stop(rule)))) == []


def test_the_percent_of_a_trade_that_is_partly_closed_is_of_all_that_it_cost() -> None:
    """Five of ten contracts are left: 50 percent of six dollars are three, which the rest loses at 0."""
    trade = a_trade(stop("loss", max_loss_percent=50), open_quantity=D(5))

    assert thresholds(armed(trade)) == [(True, YES)]


@pytest.mark.parametrize(
    ("ends", "falling", "rising"),
    [
        (("0.20", "0.20"), [0.2, 0.3], []),
        (("0.21", "0.21"), [0.3], []),
        (("0.85", "0.85"), [], [0.8, 0.85]),
        (("0.10", "0.85"), [], []),
        (("0.85", None), [], [0.8, 0.85]),
        ((None, "0.20"), [0.2, 0.3], []),
    ],
)
def test_a_reading_reaches_those_whose_condition_may_hold_over_all_of_it(
    ends: tuple[str | None, str | None], falling: list[float], rising: list[float]
) -> None:
    index = Thresholds()
    for price in ("0.10", "0.20", "0.30"):
        index.add(armed(a_trade(stop("price", stop_price=price))))
    for price in ("0.80", "0.85", "0.90"):
        index.add(armed(a_trade(stop("profit", take_profit_price=price))))

    found = index.reached(Reading("quote", exact(ends[0]), exact(ends[1])))

    def prices(key: str) -> list[float]:
        return sorted(float(value) for rule in found if (value := rule.number(key)) is not None)

    assert (prices("stop_price"), prices("take_profit_price")) == (falling, rising)


def test_a_rule_that_was_let_go_is_not_found_any_more() -> None:
    index, rule = Thresholds(), armed(a_trade(stop("profit", take_profit_price="0.80", take_profit_amount=2)))
    index.add(rule)

    index.discard(rule)

    assert index.reached(Reading("quote", D("0.95"), D("0.95"))) == []
