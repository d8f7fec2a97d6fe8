"""Where a condition may begin to hold, in the unit of what the rule's lens sees: the numbers that the index keeps sorted.

Each is a superset: a threshold that comes from a PnL leaves room for the largest exit fee and for the rounding of divisions.
The rule itself decides exactly.
"""

from decimal import Decimal
from typing import Any, Final

from sortedcontainers import SortedList

from actors.rules.market.marks import Reading, entry_value
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import momentum_sign
from bus.messages.market import StrikeType
from bus.messages.stops import Rule
from bus.messages.trades import Side, Trade
from bus.messages.units import HUNDRED, ONE, ZERO, Number

_SLACK: Final = Decimal("1E-9")
"""Dollars, and a share of the entry price: widens thresholds that come from a division."""
_KALSHI_FEE_MAX: Final = Decimal("0.0175")
"""0.07 x P x (1 - P) at its highest, a contract; rounding up adds a cent at most."""
_CENT: Final = Decimal("0.01")
_LAST: Final = 1 << 62
"""Sorts behind every order of a rule."""


class Thresholds:
    """The thresholds of many rules on one value: a tick finds those that it reaches by bisection, mostly by one comparison."""

    __slots__ = ("_falling", "_highest", "_lowest", "_rising", "_where")

    def __init__(self) -> None:
        self._falling: SortedList[tuple[Any, ...]] = SortedList()
        self._rising: SortedList[tuple[Any, ...]] = SortedList()
        self._where: dict[ArmedRule, list[tuple[bool, tuple[Any, ...]]]] = {}
        self._highest: Number | None = None
        self._lowest: Number | None = None

    def add(self, rule: ArmedRule) -> None:
        """Take a rule in."""
        where = self._where[rule] = [(falls, (threshold, *rule.order, rule)) for falls, threshold in thresholds(rule)]
        for falls, entry in where:
            (self._falling if falls else self._rising).add(entry)
        self._note_ends()

    def discard(self, rule: ArmedRule) -> None:
        """Let a rule go."""
        for falls, entry in self._where.pop(rule, ()):
            (self._falling if falls else self._rising).remove(entry)
        self._note_ends()

    def reached(self, reading: Reading) -> list[ArmedRule]:
        """Return the rules whose condition may hold over the whole of `reading`; some twice."""
        high, low = reading.high, reading.low
        found: list[ArmedRule] = []
        if self._highest is not None and high is not None and self._highest >= high:
            found.extend(entry[3] for entry in self._falling.irange((high,)))
        if self._lowest is not None and low is not None and self._lowest <= low:
            found.extend(entry[3] for entry in self._rising.irange(None, (low, _LAST)))
        return found

    def _note_ends(self) -> None:
        self._highest = self._falling[-1][0] if self._falling else None
        self._lowest = self._rising[0][0] if self._rising else None


def thresholds(rule: ArmedRule) -> list[tuple[bool, Number]]:
    """Return where the condition of `rule` may begin to hold, in what its lens sees: (falls: at or below it, threshold)."""
    trade, rises_against = rule.armed.trade, rule.armed.trade.side is Side.SHORT
    found: list[tuple[bool, Number | None]] = []
    match rule.rule:
        case Rule.PROBABILITY:
            found = [(True, rule.number("floor_percent"))]
        case Rule.PRICE:
            found = [(not rises_against, rule.number("stop_price"))]
        case Rule.LOSS:
            found = [(not rises_against, price) for price in _exits(rule, "max_loss", "max_loss_percent", -ONE)]
        case Rule.PROFIT:
            by_pnl = _exits(rule, "take_profit_amount", "take_profit_percent", ONE)
            found = [(rises_against, price) for price in (rule.number("take_profit_price"), *by_pnl)]
        case Rule.MOMENTUM:
            threshold = rule.number("threshold_percent")
            against_rise = momentum_sign(trade) > 0
            found = [(not against_rise, threshold if threshold is None or against_rise else -threshold)]
        case Rule.BUFFER:
            found = [_buffer_threshold(rule)]
        case _:
            pass
    return [(falls, threshold) for falls, threshold in found if threshold is not None]


def _buffer_threshold(rule: ArmedRule) -> tuple[bool, Number | None]:
    trade, limit = rule.armed.trade, rule.number("min_buffer")
    if limit is None or trade.strike is None or not trade.side.is_event:
        return True, None
    if trade.strike_type not in (StrikeType.ABOVE, StrikeType.BELOW):
        return True, None
    if (trade.strike_type is StrikeType.ABOVE) is (trade.side is Side.YES):
        return True, trade.strike + limit
    return False, trade.strike - limit


def _exits(rule: ArmedRule, amount_key: str, percent_key: str, sign: Number) -> list[Number]:
    """Return the exit prices at which the PnL may reach `sign` x the amount, or the percent of the entry cost."""
    trade = rule.armed.trade
    amounts = [rule.number(amount_key)]
    percent, total = rule.number(percent_key), trade.entry_cost or entry_value(trade)
    if percent is not None and total:
        amounts.append(percent * total / HUNDRED)
    return [price for amount in amounts if amount is not None for price in _exit_at(trade, sign * amount, sign)]


def _exit_at(trade: Trade, pnl: Number, sign: Number) -> list[Number]:
    """Return the exit price beyond which (downwards for a loss) the PnL may be `pnl`; the widest, whatever the exit fee is."""
    cost, quantity = entry_value(trade), trade.open_quantity
    if cost is None or not quantity:
        return []
    fee_share, fee_fixed = _fee_bounds(trade)
    gain = pnl - trade.pnl
    slack = _SLACK + _SLACK * abs(cost / quantity)
    if trade.side is Side.SHORT:
        # gain = cost - worth - fee: a loss needs worth >= (cost - gain - fixed) / (1 + share), a profit worth <= cost - gain.
        worth = (cost - gain - fee_fixed) / (ONE + fee_share) if sign < 0 else cost - gain
        return [worth / quantity + sign * slack]
    # gain = worth - cost - fee: a loss needs worth <= (cost + gain + fixed) / (1 - share), a profit worth >= cost + gain.
    if sign > 0:
        return [(cost + gain) / quantity - slack]
    if fee_share == ONE:
        return [Decimal("Infinity")]
    return [(cost + gain + fee_fixed) / (ONE - fee_share) / quantity + slack]


def _fee_bounds(trade: Trade) -> tuple[Number, Number]:
    """Return the largest exit fee as a share of the proceeds and as an amount."""
    model, percent = trade.settings.get("fee_model"), trade.settings.get("fee_percent")
    if model == "kalshi" and trade.side.is_event:
        return ZERO, _KALSHI_FEE_MAX * trade.open_quantity + _CENT
    if model == "percent" and percent is not None and not isinstance(percent, str):
        return percent / HUNDRED, ZERO
    return ZERO, ZERO
