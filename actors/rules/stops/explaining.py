"""How the rules of one trade stand at an instant, for whoever asks why one fired or did not. Decides nothing and counts nothing.

Looking moves nothing either: a lens has seen the tick in force already, so that a best that could follow it has.
"""

from actors.rules.market.marks import Reading, buffer_of, seconds
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import (
    holds,
    momentum_sign,
    percent_reading,
    pnl_reading,
    time_due_ns,
    trailing_stops,
)
from actors.rules.stops.guards import guard
from actors.rules.stops.lens_index import Lenses
from actors.rules.stops.lenses import Lens
from actors.rules.stops.roster import Roster
from actors.rules.stops.verdicts import inputs_of, scene_of
from bus.messages.explain import Nearest, RuleStanding
from bus.messages.stops import Rule
from bus.messages.trades import Side
from bus.messages.units import Number

_CLOCKED = (Rule.TIME, Rule.STALE)


class Approach:
    """The least that each rule of one trade was away from its condition, and when."""

    def __init__(self, trade_id: str) -> None:
        self._trade_id = trade_id
        self._least: dict[str, dict[str, Nearest]] = {}

    def look(self, roster: Roster, now_ns: int) -> None:
        """Note how far the rules are away now."""
        armed = roster.find(self._trade_id)
        for rule in () if armed is None else armed.rules:
            least = self._least.setdefault(rule.rule, {})
            for setting, far in away(rule, _seen(roster, rule, now_ns)[1], now_ns).items():
                if setting not in least or far < least[setting].away:
                    least[setting] = Nearest(away=far, ts=now_ns)

    def of(self, rule: str) -> dict[str, Nearest]:
        """Return the least by each setting; empty if nothing was ever known."""
        return dict(self._least.get(rule, {}))


def standings(roster: Roster, trade_id: str, approach: Approach, now_ns: int) -> tuple[RuleStanding, ...]:
    """Return how each rule of a trade stands; nothing of one that is not watched."""
    armed = roster.find(trade_id)
    return () if armed is None else tuple(_standing(roster, rule, approach, now_ns) for rule in armed.rules)


def _standing(roster: Roster, rule: ArmedRule, approach: Approach, now_ns: int) -> RuleStanding:
    lens, reading = _seen(roster, rule, now_ns)
    return RuleStanding(
        rule=rule.rule.value,
        holds=holds(rule, reading, now_ns),
        settings=dict(rule.settings),
        inputs=inputs_of(rule, reading, now_ns),
        guards=tuple(guard(rule, scene_of(rule, lens, reading, now_ns)).guards),
        confirms=rule.confirms,
        away=away(rule, reading, now_ns),
        nearest=approach.of(rule.rule),
        unknown_because=_unknown(rule, reading),
    )


def _unknown(rule: ArmedRule, reading: Reading | None) -> str | None:
    if rule.rule in _CLOCKED:
        return None
    if reading is None:
        return "nothing that it could read"
    return reading.reason if not reading.known else None


def _seen(roster: Roster, rule: ArmedRule, now_ns: int) -> tuple[Lens | None, Reading | None]:
    """Return what the rule looks through, and sees; of one that has fired as if it had not."""
    lens = roster.lens(rule) or Lenses().lens_of(rule)
    if lens is None:
        return None, None
    lens.settle(rule)
    return lens, lens.look(now_ns)


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
            stops = trailing_stops(rule, rule.best) if rule.active and rule.best is not None else []
            return {f"trail to {stop:f}": against(reading, stop) for stop in stops}
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
