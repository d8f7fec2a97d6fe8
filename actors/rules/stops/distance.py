"""How far a rule is from its condition, in the unit of each of its settings: 0 or less while it holds."""

from actors.rules.market.marks import Reading, buffer_of, seconds
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import momentum_sign, percent_reading, pnl_reading, time_due_ns
from bus.messages.stops import Rule
from bus.messages.trades import Side
from bus.messages.units import HUNDRED, Number


def away(rule: ArmedRule, reading: Reading | None, now_ns: int) -> dict[str, Number]:
    """Return how far the rule is from its condition by each setting that is on; empty: unknown, or never.

    Where only a bound is known it is the far end that counts: the condition must hold over all of it.
    """
    if rule.rule is Rule.TIME:
        due_ns = time_due_ns(rule.armed.trade, rule)
        return {} if due_ns is None else {"time": seconds(due_ns - now_ns)}
    if reading is None or reading.unknown:
        return {}
    return {name: far for name, far in _ways(rule, reading).items() if far is not None}


def _ways(rule: ArmedRule, reading: Reading) -> dict[str, Number | None]:
    trade, number = rule.armed.trade, rule.number
    against, along = (_above, _below) if trade.side is Side.SHORT else (_below, _above)
    match rule.rule:
        case Rule.PROBABILITY:
            return {"floor_percent": _below(reading, number("floor_percent"))}
        case Rule.PRICE:
            return {"stop_price": against(reading, number("stop_price"))}
        case Rule.TRAILING:
            return _trails(rule, reading)
        case Rule.LOSS:
            pnl = pnl_reading(trade, reading)
            return {
                "max_loss": _below(pnl, _negative(number("max_loss"))),
                "max_loss_percent": _below(percent_reading(trade, pnl), _negative(number("max_loss_percent"))),
            }
        case Rule.PROFIT:
            pnl = pnl_reading(trade, reading)
            return {
                "take_profit_price": along(reading, number("take_profit_price")),
                "take_profit_amount": _above(pnl, number("take_profit_amount")),
                "take_profit_percent": _above(percent_reading(trade, pnl), number("take_profit_percent")),
            }
        case Rule.MOMENTUM:
            limit, hurts_above = number("threshold_percent"), momentum_sign(trade) > 0
            return {"threshold_percent": _above(reading, limit) if hurts_above else _below(reading, _negative(limit))}
        case Rule.BUFFER:
            ahead = None if reading.low is None else buffer_of(trade, reading.low)
            limit = number("min_buffer")
            return {"min_buffer": None if limit is None or ahead is None else ahead - limit}
        case _:
            return {}


def _negative(limit: Number | None) -> Number | None:
    return None if limit is None else -limit


def _below(reading: Reading, limit: Number | None) -> Number | None:
    """A rule that holds at or below `limit`: how far the highest that it may be is above."""
    return None if limit is None or reading.high is None else reading.high - limit


def _above(reading: Reading, limit: Number | None) -> Number | None:
    """A rule that holds at or above `limit`: how far the lowest that it may be is below."""
    return None if limit is None or reading.low is None else limit - reading.low


def _trails(rule: ArmedRule, reading: Reading) -> dict[str, Number | None]:
    """`trail` in dollars, `trail_percent` in percent of the best."""
    far = _above(reading, rule.best) if rule.armed.trade.side is Side.SHORT else _below(reading, rule.best)
    if not rule.active or rule.best is None or far is None:
        return {}
    trail, percent = rule.number("trail"), rule.number("trail_percent")
    return {
        "trail": None if trail is None else far + trail,
        "trail_percent": None if percent is None or not rule.best else far * HUNDRED / abs(rule.best) + percent,
    }
