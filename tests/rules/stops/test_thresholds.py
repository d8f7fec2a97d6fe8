"""No threshold hides a rule whose condition holds: not even at the boundary, whatever the fee and the rounding."""

from decimal import Decimal

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import Reading, pnl_at, pnl_percent
from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedTrade
from actors.rules.stops.conditions import holds
from actors.rules.stops.thresholds import Thresholds
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import T0, a_coin_trade, a_trade

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
