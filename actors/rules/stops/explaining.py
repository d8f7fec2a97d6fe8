"""How the rules of one trade stand at an instant, for whoever asks why one fired or did not. Decides nothing and counts nothing.

Looking moves nothing either: a lens has seen the tick in force already, so that a best that could follow it has.
"""

from actors.rules.market.marks import Reading
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.conditions import holds
from actors.rules.stops.distance import away
from actors.rules.stops.guards import guard
from actors.rules.stops.lens_index import Lenses
from actors.rules.stops.lenses import Lens
from actors.rules.stops.nearest import nearest_of
from actors.rules.stops.roster import Roster
from actors.rules.stops.verdicts import inputs_of, scene_of
from bus.messages.explain import Capsule, Explained, RuleStanding
from bus.messages.stops import Rule, StopProgress
from bus.messages.trades import StopSpec

_CLOCKED = (Rule.TIME, Rule.STALE)


def standings(roster: Roster, trade_id: str, now_ns: int) -> tuple[RuleStanding, ...]:
    """Return how each rule of a trade stands; nothing of one that is not watched."""
    armed = roster.find(trade_id)
    return () if armed is None else tuple(_standing(roster, rule, now_ns) for rule in armed.rules)


def _standing(roster: Roster, rule: ArmedRule, now_ns: int) -> RuleStanding:
    lens, reading = _seen(roster, rule, now_ns)
    return RuleStanding(
        rule=rule.rule.value,
        holds=holds(rule, reading, now_ns),
        settings=dict(rule.settings),
        inputs=inputs_of(rule, reading, now_ns),
        guards=tuple(guard(rule, scene_of(rule, lens, reading, now_ns)).guards),
        confirms=rule.confirms,
        away=away(rule, reading, now_ns),
        nearest=nearest_of(rule, now_ns),
        unknown_because=_unknown(rule, reading),
        since=rule.since_ns,
    )


def told_by(capsule: Capsule) -> Explained:
    """Return what is kept of a trade, as far as it explains it."""
    trade, known = capsule.trade, {one.rule: one for one in capsule.rules}
    return Explained(
        trade_id=trade.trade_id,
        at=capsule.ts,
        trade=trade,
        watched=False,
        rules=tuple(_kept(spec, known.get(spec.rule)) for spec in trade.stops),
        decisions=capsule.decisions,
        coverage=(),
        settings_version=trade.settings_version,
        gaps=(),
        source="capsule",
        unprotected=capsule.unprotected,
    )


def _kept(spec: StopSpec, known: StopProgress | None) -> RuleStanding:
    return RuleStanding(
        rule=spec.rule,
        holds=None,
        settings=dict(spec.settings),
        inputs={},
        guards=(),
        confirms=0 if known is None else known.confirms,
        away={},
        nearest={} if known is None else dict(known.nearest),
        unknown_because="its process died before it could say" if known is None else "only a recording tells",
        since=None if known is None else known.since,
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
