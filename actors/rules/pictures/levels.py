"""Where the stops of a trade stand, in the unit of what each of them reads. For the eye: the rule itself decides exactly."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from actors.rules.market.marks import entry_value, exit_fee, pnl_percent
from actors.rules.pictures.drawn import Role
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import momentum_sign, trailing_stops
from bus.messages.stops import Rule
from bus.messages.trades import Side, StopSpec, Trade
from bus.messages.units import HUNDRED, ZERO, Money, Number, Price

EXIT: Final = "exit"
PROBABILITY: Final = "probability"
MOMENTUM: Final = "momentum"
BUFFER: Final = "buffer"
READS: Final = {
    Rule.PRICE: EXIT,
    Rule.LOSS: EXIT,
    Rule.PROFIT: EXIT,
    Rule.TRAILING: EXIT,
    Rule.PROBABILITY: PROBABILITY,
    Rule.MOMENTUM: MOMENTUM,
    Rule.BUFFER: BUFFER,
}
"""The panel in whose unit a rule's level stands; those that read the clock have none."""
_STEP: Final = Decimal("0.000001")
_ROUNDS: Final = 7
"""An exit fee changes by less than a tenth of the price, so that each round brings a digit."""


class Level(NamedTuple):
    """One level. panel: one of the names above."""

    panel: str
    name: str
    role: Role
    value: Number


def trailing_levels(rule: ArmedRule) -> list[Level]:
    """Return where a trailing rule stands now, by the nearer of its limits; empty until it is active."""
    best = rule.best
    if not rule.active or best is None:
        return []
    nearest = sorted(trailing_stops(rule, best), key=lambda stop: abs(stop - best))[:1]
    return [Level(EXIT, "trailing stop", Role.TRAIL, stop) for stop in nearest]


def levels(trade: Trade) -> list[Level]:
    """Return the levels that stand still as long as the trade does not change: those of its other rules, and its entry."""
    found = [level for spec in trade.stops for level in _of(trade, spec)]
    if trade.entry_price is not None:
        found.append(Level(EXIT, "entry", Role.ENTRY, trade.entry_price))
    return found


def _of(trade: Trade, spec: StopSpec) -> Iterator[Level]:
    numbers = {key: value for key, value in spec.settings.items() if isinstance(value, Decimal)}
    for key, role, sign in _BY_PRICE.get(spec.rule, ()):
        value = numbers.get(key)
        price = None if value is None else _price_of(trade, key, sign * value)
        if price is not None:
            yield Level(EXIT, _NAMES[key], role, price)
    if spec.rule == Rule.PROBABILITY and "floor_percent" in numbers:
        yield Level(PROBABILITY, "probability floor", Role.STOP, numbers["floor_percent"])
    if spec.rule == Rule.MOMENTUM and "threshold_percent" in numbers:
        yield Level(MOMENTUM, "momentum limit", Role.STOP, momentum_sign(trade) * numbers["threshold_percent"])
    if spec.rule == Rule.BUFFER and "min_buffer" in numbers:
        yield Level(BUFFER, "least buffer", Role.STOP, numbers["min_buffer"])


def _price_of(trade: Trade, key: str, value: Number) -> Price | None:
    if key.endswith("_price"):
        return value
    if key.endswith("_percent"):
        whole = pnl_percent(trade, HUNDRED)
        # 100 dollars are `whole` percent of the cost.
        return None if not whole else price_at_pnl(trade, value * HUNDRED / whole)
    return price_at_pnl(trade, value)


def price_at_pnl(trade: Trade, pnl: Money) -> Price | None:
    """Return the exit price at which the open quantity would bring the trade to `pnl`, to a millionth; None: nothing is open."""
    cost, quantity = entry_value(trade), trade.open_quantity
    if cost is None or not quantity:
        return None
    gain = pnl - trade.pnl
    sign = -1 if trade.side is Side.SHORT else 1
    fee = ZERO
    for _ in range(_ROUNDS):
        price = (cost + sign * (gain + fee)) / quantity
        fee = exit_fee(trade, price, quantity)
    return price.quantize(_STEP).normalize() + 0


_BY_PRICE: Final = {
    "price": (("stop_price", Role.STOP, 1),),
    "loss": (("max_loss", Role.STOP, -1), ("max_loss_percent", Role.STOP, -1)),
    "profit": (
        ("take_profit_price", Role.PROFIT, 1),
        ("take_profit_amount", Role.PROFIT, 1),
        ("take_profit_percent", Role.PROFIT, 1),
    ),
}
_NAMES: Final = {
    "stop_price": "stop price",
    "max_loss": "greatest loss",
    "max_loss_percent": "greatest loss, percent",
    "take_profit_price": "take profit",
    "take_profit_amount": "take profit, dollars",
    "take_profit_percent": "take profit, percent",
}
