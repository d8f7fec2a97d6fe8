"""The stop rules: does the condition hold, over everything that the input may be? One function for each row of SPEC 1.2.

True: it holds over the whole bound. False: it holds nowhere in it. None: unknown, or only a part of the bound. None neither
confirms nor refutes: counts stay, a dwell begins anew.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from actors.rules.market.marks import (
    Reading,
    buffer_of,
    pnl_at,
    pnl_percent,
)
from actors.rules.stops.armed import ArmedRule
from bus.messages.market import StrikeType
from bus.messages.stops import Rule
from bus.messages.trades import Side, Trade
from bus.messages.units import HUNDRED, Number

Holds = bool | None


def at_or_below(reading: Reading, limit: Number) -> Holds:
    """Whether `reading <= limit`."""
    if reading.high is not None and reading.high <= limit:
        return True
    if reading.low is None or (reading.low < limit or (reading.low == limit and not reading.low_open)):
        return None
    return False


def at_or_above(reading: Reading, limit: Number) -> Holds:
    """Whether `reading >= limit`."""
    if reading.low is not None and reading.low >= limit:
        return True
    if reading.high is None or (reading.high > limit or (reading.high == limit and not reading.high_open)):
        return None
    return False


def below(reading: Reading, limit: Number) -> Holds:
    """Whether `reading < limit`."""
    above = at_or_above(reading, limit)
    return None if above is None else not above


def any_of(claims: list[Holds]) -> Holds:
    """Whether one of `claims` holds; False without any."""
    if True in claims:
        return True
    return None if None in claims else False


def holds(rule: ArmedRule, reading: Reading | None, now_ns: int) -> Holds:
    """Whether the condition of `rule` holds. reading: what its lens sees, None for a rule that reads only the clock."""
    if rule.rule is Rule.TIME:
        return _time(rule.armed.trade, rule, now_ns)
    if reading is None or (reading.low is None and reading.high is None):
        return None
    return _CONDITIONS[rule.rule](rule, reading)


def _probability(rule: ArmedRule, reading: Reading) -> Holds:
    floor = rule.number("floor_percent")
    return False if floor is None else below(reading, floor)


def _price(rule: ArmedRule, reading: Reading) -> Holds:
    stop = rule.number("stop_price")
    if stop is None:
        return False
    return at_or_above(reading, stop) if rule.armed.trade.side is Side.SHORT else at_or_below(reading, stop)


def pnl_reading(trade: Trade, reading: Reading) -> Reading:
    """Return the PnL over the whole of an exit price's reading, dollars."""
    low = None if reading.low is None else pnl_at(trade, reading.low)
    high = None if reading.high is None else pnl_at(trade, reading.high)
    if trade.side is Side.SHORT:
        return Reading("pnl", high, low, reading.high_open, reading.low_open, source=reading.source)
    return Reading("pnl", low, high, reading.low_open, reading.high_open, source=reading.source)


def percent_reading(trade: Trade, pnl: Reading) -> Reading:
    """Return a PnL reading as percent of the total entry cost."""
    return msgspec.structs.replace(
        pnl,
        low=None if pnl.low is None else pnl_percent(trade, pnl.low),
        high=None if pnl.high is None else pnl_percent(trade, pnl.high),
    )


def _loss(rule: ArmedRule, reading: Reading) -> Holds:
    pnl = pnl_reading(rule.armed.trade, reading)
    amount, percent = rule.number("max_loss"), rule.number("max_loss_percent")
    claims = [] if amount is None else [at_or_below(pnl, -amount)]
    if percent is not None:
        claims.append(at_or_below(percent_reading(rule.armed.trade, pnl), -percent))
    return any_of(claims)


def _profit(rule: ArmedRule, reading: Reading) -> Holds:
    trade = rule.armed.trade
    price = rule.number("take_profit_price")
    claims: list[Holds] = []
    if price is not None:
        claims.append(at_or_below(reading, price) if trade.side is Side.SHORT else at_or_above(reading, price))
    amount, percent = rule.number("take_profit_amount"), rule.number("take_profit_percent")
    if amount is None and percent is None:
        return any_of(claims)
    pnl = pnl_reading(trade, reading)
    if amount is not None:
        claims.append(at_or_above(pnl, amount))
    if percent is not None:
        claims.append(at_or_above(percent_reading(trade, pnl), percent))
    return any_of(claims)


def trailing_stops(rule: ArmedRule, best: Number) -> list[Number]:
    """Return the exit prices at which a trade with this best closes."""
    sign = 1 if rule.armed.trade.side is Side.SHORT else -1
    trail, percent = rule.number("trail"), rule.number("trail_percent")
    stops = [] if trail is None else [best + sign * trail]
    if percent is not None:
        stops.append(best + sign * best * percent / HUNDRED)
    return stops


def _trailing(rule: ArmedRule, reading: Reading) -> Holds:
    if not rule.active or rule.best is None:
        return False
    claim = at_or_above if rule.armed.trade.side is Side.SHORT else at_or_below
    return any_of([claim(reading, stop) for stop in trailing_stops(rule, rule.best)])


def momentum_sign(trade: Trade) -> int:
    """Return the sign of the momentum that hurts `trade`: +1 for no and short, -1 for yes and long, mirrored for `below`."""
    sign = 1 if trade.side in (Side.NO, Side.SHORT) else -1
    return -sign if trade.strike_type is StrikeType.BELOW else sign


def _momentum(rule: ArmedRule, reading: Reading) -> Holds:
    threshold = rule.number("threshold_percent")
    if threshold is None:
        return False
    if momentum_sign(rule.armed.trade) > 0:
        return at_or_above(reading, threshold)
    return at_or_below(reading, -threshold)


def _buffer(rule: ArmedRule, reading: Reading) -> Holds:
    limit = rule.number("min_buffer")
    ahead = None if reading.low is None else buffer_of(rule.armed.trade, reading.low)
    if limit is None or ahead is None:
        return None
    return ahead < limit


def _time(trade: Trade, rule: ArmedRule, now_ns: int) -> Holds:
    due_ns = time_due_ns(trade, rule)
    return due_ns is not None and now_ns >= due_ns


def time_due_ns(trade: Trade, rule: ArmedRule) -> int | None:
    """Return the instant at which the time rule fires: the age or the time to close, whichever comes first; None: never."""
    age, left = rule.span_ns("max_age_s"), rule.span_ns("close_before_s")
    dues = []
    if age is not None and trade.entry_ts is not None:
        dues.append(trade.entry_ts + age)
    if left is not None and trade.close_ts is not None:
        dues.append(trade.close_ts - left)
    return min(dues, default=None)


_CONDITIONS: Final[dict[Rule, Callable[[ArmedRule, Reading], Holds]]] = {
    Rule.PROBABILITY: _probability,
    Rule.PRICE: _price,
    Rule.LOSS: _loss,
    Rule.PROFIT: _profit,
    Rule.TRAILING: _trailing,
    Rule.MOMENTUM: _momentum,
    Rule.BUFFER: _buffer,
}
