"""The guards: what may hold back a rule whose condition holds. Each is named and typed, and stands in the decision.

A guard whose input the instrument does not have passes, and so does one whose setting is off. `dwell_s` and `confirm_ticks`
end by themselves; the others make the trade unprotected while they alone hold a rule back. `max_quote_disagreement` also keeps
a trailing best from following a quote that it distrusts.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from actors.rules.catalog import RULES
from actors.rules.market.book import QuoteInForce
from actors.rules.market.freshness import setting_ns
from actors.rules.market.marks import Reading, age_ns, seconds, time_to_close_ns
from actors.rules.stops.armed import ArmedRule
from bus.messages.stops import Guard
from bus.messages.units import NS_PER_S, ONE, Number, Price

TRANSIENT: Final = frozenset({"dwell_s", "confirm_ticks"})


class Scene:
    """What the guards look at beside the rule: the rule's reading, the quote if it is in force, the divergence, and now.

    divergence: between the probability feed and the quote, points; None where one is missing. quote_wins: it has lasted.
    divergence_ends_ns: when the quote will win.
    """

    __slots__ = ("divergence", "divergence_ends_ns", "now_ns", "quote", "quote_wins", "reading")

    def __init__(self, reading: Reading | None, quote: QuoteInForce | None, now_ns: int) -> None:
        self.reading = reading
        self.quote = quote
        self.now_ns = now_ns
        self.divergence: Number | None = None
        self.quote_wins = False
        self.divergence_ends_ns: int | None = None


class Passage:
    """How the guards of one rule stand. wake_ns: the earliest instant at which one that holds back now passes by itself."""

    __slots__ = ("guards", "wake_ns")

    def __init__(self) -> None:
        self.guards: list[Guard] = []
        self.wake_ns: int | None = None

    def wake(self, due_ns: int) -> None:
        """Ask to be looked at again at `due_ns`."""
        self.wake_ns = due_ns if self.wake_ns is None else min(self.wake_ns, due_ns)

    @property
    def passed(self) -> bool:
        """Whether nothing holds the rule back."""
        return all(guard.passed for guard in self.guards)

    @property
    def held_by(self) -> tuple[str, ...]:
        """The guards that alone hold it back: empty while one that ends by itself does so too."""
        failed = tuple(guard.name for guard in self.guards if not guard.passed)
        return () if TRANSIENT.intersection(failed) else failed


def guard(rule: ArmedRule, scene: Scene) -> Passage:
    """Let every guard of `rule` look at `scene`. The rule's count and dwell must include the present input already."""
    passage = Passage()
    for name in RULES[rule.rule].guards:
        limit = rule.number(name)
        if limit is None:
            passage.guards.append(Guard(name=name, passed=True))
        else:
            passage.guards.append(_GUARDS[name](rule, scene, limit, passage))
    return passage


def quote_disagreement(quote: QuoteInForce) -> Price | None:
    """Return how far the yes quote and the no quote disagree, dollars; None where not both are quoted."""
    by_bid = by_ask = None
    if quote.yes_bid is not None and quote.no_ask is not None:
        by_bid = abs(quote.yes_bid - (ONE - quote.no_ask))
    if quote.yes_ask is not None and quote.no_bid is not None:
        by_ask = abs(quote.yes_ask - (ONE - quote.no_bid))
    if by_bid is None or by_ask is None:
        return by_ask if by_bid is None else by_bid
    return max(by_bid, by_ask)


def _min_age(rule: ArmedRule, scene: Scene, limit: Number, passage: Passage) -> Guard:
    age = age_ns(rule.armed.trade, scene.now_ns)
    limit_ns = int(limit * NS_PER_S)
    # Without a limit nothing is held back, not even of a trade that a clock ahead of ours calls younger than now.
    is_held = age is not None and age < limit_ns and limit_ns > 0
    if age is not None and is_held:
        passage.wake(scene.now_ns - age + limit_ns)
    return Guard(
        name="min_age_s",
        passed=not is_held,
        value=None if age is None else seconds(age),
        limit=limit,
    )


def _min_time_to_close(rule: ArmedRule, scene: Scene, limit: Number, _passage: Passage) -> Guard:
    left = time_to_close_ns(rule.armed.trade, scene.now_ns)
    return Guard(
        name="min_time_to_close_s",
        passed=left is None or left >= limit * NS_PER_S,
        value=None if left is None else seconds(left),
        limit=limit,
    )


def _dwell(rule: ArmedRule, scene: Scene, limit: Number, passage: Passage) -> Guard:
    since_ns = scene.now_ns if rule.holding_since_ns is None else rule.holding_since_ns
    held_ns, limit_ns = scene.now_ns - since_ns, int(limit * NS_PER_S)
    if held_ns < limit_ns:
        passage.wake(since_ns + limit_ns)
    return Guard(name="dwell_s", passed=held_ns >= limit_ns, value=seconds(held_ns), limit=limit)


def _confirm(rule: ArmedRule, scene: Scene, limit: Number, passage: Passage) -> Guard:
    stood = False
    wait_ns = setting_ns(rule.armed.trade.settings, "confirm_max_wait_s")
    if scene.reading is not None and wait_ns is not None:
        stood = scene.now_ns - scene.reading.ts >= wait_ns
    passed = stood or rule.confirms >= limit
    if not passed and scene.reading is not None and wait_ns is not None:
        passage.wake(scene.reading.ts + wait_ns)
    return Guard(name="confirm_ticks", passed=passed, value=Decimal(rule.confirms), limit=limit)


def _disagreement(_rule: ArmedRule, scene: Scene, limit: Number, _passage: Passage) -> Guard:
    value = None if scene.quote is None else quote_disagreement(scene.quote)
    return Guard(name="max_quote_disagreement", passed=value is None or value <= limit, value=value, limit=limit)


def _divergence(_rule: ArmedRule, scene: Scene, limit: Number, passage: Passage) -> Guard:
    value = scene.divergence
    passed = value is None or value <= limit or scene.quote_wins
    if not passed and scene.divergence_ends_ns is not None:
        passage.wake(scene.divergence_ends_ns)
    return Guard(name="max_divergence", passed=passed, value=value, limit=limit)


_GUARDS: Final[dict[str, Callable[[ArmedRule, Scene, Number, Passage], Guard]]] = {
    "min_age_s": _min_age,
    "min_time_to_close_s": _min_time_to_close,
    "dwell_s": _dwell,
    "confirm_ticks": _confirm,
    "max_quote_disagreement": _disagreement,
    "max_divergence": _divergence,
}
