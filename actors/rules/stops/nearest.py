"""How near a rule has come to firing: the least that it was away by each of its settings, when, and what it read then."""

from collections.abc import Callable
from functools import partial

from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.distance import away
from actors.rules.stops.extremes import Fall, Falls
from actors.rules.stops.verdicts import inputs_seen
from bus.messages.stops import Input, Nearest, Rule
from bus.messages.trades import Side
from bus.messages.units import Number


def nearest_of(rule: ArmedRule, now_ns: int) -> dict[str, Nearest]:
    """Return the least by each setting until now; empty if nothing was ever known. now_ns: for a rule that reads the clock."""
    found = dict(rule.nearest)
    if rule.rule is Rule.TIME:
        _keep(found, away(rule, None, now_ns), now_ns, dict)
    elif rule.rule is Rule.TRAILING:
        _keep_falls(rule, found)
    elif rule.seen is not None:
        for reading, at_ns in rule.seen.since().ends():
            _keep(found, away(rule, reading, at_ns), at_ns, partial(inputs_seen, rule, reading, at_ns))
    return found


def _keep(
    found: dict[str, Nearest], far: dict[str, Number], at_ns: int, inputs: Callable[[], dict[str, Input]]
) -> None:
    for setting, by in far.items():
        if setting not in found or by < found[setting].away:
            found[setting] = Nearest(away=by, ts=at_ns, inputs=inputs())


def _keep_falls(rule: ArmedRule, found: dict[str, Nearest]) -> None:
    if rule.falls is None or rule.best_before is None:
        return
    whole = Falls()
    whole.rise(rule.best_before)
    whole.join(rule.falls.since())
    trail, percent = rule.number("trail"), rule.number("trail_percent")
    if trail is not None and (fall := whole.by_amount) is not None:
        _keep(found, {"trail": trail - fall.amount}, fall.at_ns, partial(_read_at, rule, fall))
    if percent is not None and (fall := whole.by_percent) is not None and fall.percent is not None:
        _keep(found, {"trail_percent": percent - fall.percent}, fall.at_ns, partial(_read_at, rule, fall))


def _read_at(rule: ArmedRule, fall: Fall) -> dict[str, Input]:
    sign = -1 if rule.armed.trade.side is Side.SHORT else 1
    return {**inputs_seen(rule, fall.reading, fall.at_ns), "best": Input(value=fall.best * sign)}
