"""An open trade as the stop rules hold it: its rules with what each has counted so far."""

from typing import Final

from actors.rules.market.sight import Sight
from actors.rules.stops.extremes import Extremes, Falls
from actors.rules.trade.closes import is_under_way
from bus.messages.stops import Nearest, Rule, StopProgress
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.trades import StopSpec, Trade, TradeState
from bus.messages.units import NS_PER_S, Number, Price

OWNER: Final = "auto_stop"
"""Who asks for timers, and who sends what is committed."""


def is_watched(trade: Trade) -> bool:
    """Whether stops are evaluated for `trade`: something is open, nobody closes it yet, and its market can still take an order."""
    return (
        bool(trade.open_quantity)
        and not is_under_way(trade)
        and not trade.state.is_terminal
        and trade.state is not TradeState.EXPIRED
    )


class ArmedRule:
    """One rule of one trade, with what it has counted.

    confirms, counted, best, active, decisions: as in `StopProgress`, survive a restart. holding_since_ns: when the condition
    began to hold, None while it does not, or nobody knows. held_by: the guards that held it back when a decision last said so.
    kept_ns: when that was written down last. wake_ns: the timer that it has asked for. nearest: as in `StopProgress`, of what was seen
    before `seen` and `falls` began; since_ns: since when that is everything. best_before: the best with which `falls` began.
    """

    __slots__ = (
        "active",
        "armed",
        "best",
        "best_before",
        "confirms",
        "counted",
        "decisions",
        "falls",
        "held_by",
        "holding_since_ns",
        "kept_ns",
        "nearest",
        "position",
        "rule",
        "seen",
        "settings",
        "since_ns",
        "spec",
        "wake_ns",
    )

    def __init__(self, armed: "ArmedTrade", position: int, spec: StopSpec) -> None:
        self.armed = armed
        self.position = position
        self.spec = spec
        self.rule = Rule(spec.rule)
        self.settings = spec.settings
        self.confirms = 0
        self.counted: dict[str, int] = {}
        self.best: Price | None = None
        self.active = False
        self.decisions = 0
        self.kept_ns = 0
        self.holding_since_ns: int | None = None
        self.held_by: tuple[str, ...] = ()
        self.wake_ns: int | None = None
        self.nearest: dict[str, Nearest] = {}
        self.since_ns: int | None = None
        self.seen: Extremes | None = None
        self.falls: Falls | None = None
        self.best_before: Price | None = None

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands among all rules: trades as they were armed, rules as the trade names them."""
        return self.armed.order, self.position

    @property
    def is_resting(self) -> bool:
        """Whether a condition that does not hold would leave it as it is."""
        return self.confirms == 0 and self.holding_since_ns is None and not self.held_by

    def number(self, key: str) -> Number | None:
        """Return an own setting as a number, None where it is off."""
        value = self.settings.get(key)
        return None if isinstance(value, str) else value

    def span_ns(self, key: str) -> int | None:
        """Return an own setting in seconds as nanoseconds, None where it is off."""
        value = self.number(key)
        return None if value is None else int(value * NS_PER_S)

    def restore(self, progress: StopProgress) -> None:
        """Go on from what was counted before."""
        self.confirms = progress.confirms
        self.counted = dict(progress.counted)
        self.best = progress.best
        self.active = progress.active
        self.decisions = max(self.decisions, progress.decisions)
        self.kept_ns = progress.ts
        self.nearest = dict(progress.nearest)
        self.since_ns = progress.since

    def carry_over(self, before: "ArmedRule") -> None:
        """Go on from the same rule of the trade's last version; another threshold begins to count anew, a best stays."""
        self.best = before.best
        self.active = before.active
        self.decisions = before.decisions
        self.kept_ns = before.kept_ns
        self.go_on_from(before)
        if self.settings == before.settings:
            self.confirms = before.confirms
            self.counted = before.counted
            self.holding_since_ns = before.holding_since_ns
            self.held_by = before.held_by

    def go_on_from(self, before: "ArmedRule") -> None:
        """Keep how near it came before; by another threshold, too: what is asked is how near it was to firing."""
        self.nearest = before.nearest
        self.since_ns = before.since_ns

    def progress(self) -> StopProgress:
        """Return what must survive a restart."""
        return StopProgress(
            trade_id=self.armed.trade.trade_id,
            rule=self.rule.value,
            best=self.best,
            active=self.active,
            confirms=self.confirms,
            counted=dict(self.counted),
            decisions=self.decisions,
            ts=self.kept_ns,
            nearest=self.nearest,
            since=self.since_ns,
        )

    def keep(self, now_ns: int) -> StopProgress:
        """Return what must survive a restart, to be written down now."""
        self.kept_ns = max(self.kept_ns + 1, now_ns)
        return self.progress()


class ArmedTrade:
    """One watched trade. order: its place in the order of arming, which is the order of decisions on one tick.

    fired: its stops that fired, while TradeDesk has not answered yet. stale_ns: since when an input that a rule needs is stale.
    """

    __slots__ = ("fired", "order", "rules", "sight", "stale_ns", "timers", "trade")

    def __init__(self, trade: Trade, sight: Sight, order: int) -> None:
        self.trade = trade
        self.sight = sight
        self.order = order
        self.rules = [ArmedRule(self, position, spec) for position, spec in enumerate(trade.stops)]
        self.fired: list[StopSpec] = []
        self.stale_ns: int | None = None
        self.timers: set[str] = set()
        for rule in self.rules:
            rule.decisions = _decided(trade, rule.rule)

    def rule(self, name: str) -> ArmedRule | None:
        """Return its rule `name`, None where it does not carry one."""
        return next((rule for rule in self.rules if rule.rule == name), None)

    def set_timer(self, what: str, due_ns: int) -> SetTimer:
        """Ask to be told at `due_ns`. what: `time`, `stale`, `refire`, `rule:<rule>`; the key is `trade:<what>:<trade_id>`."""
        self.timers.add(what)
        return SetTimer(owner=OWNER, key=f"trade:{what}:{self.trade.trade_id}", due_ns=due_ns)

    def cancel_timer(self, what: str) -> CancelTimer:
        """Forget that timer."""
        self.timers.discard(what)
        return CancelTimer(owner=OWNER, key=f"trade:{what}:{self.trade.trade_id}")

    def cancel_timers(self) -> list[CancelTimer]:
        """Forget every timer."""
        return [self.cancel_timer(what) for what in sorted(self.timers)]


def _decided(trade: Trade, rule: Rule) -> int:
    """Return the highest number of `rule`'s decisions that the trade itself remembers, in its close attempts."""
    start = f"{trade.trade_id}-{rule}-"
    numbers = [
        int(attempt.decision_id.removeprefix(start))
        for attempt in trade.attempts
        if attempt.decision_id is not None and attempt.decision_id.startswith(start)
    ]
    return max(numbers, default=0)
