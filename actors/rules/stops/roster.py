"""Who is watched: the armed trades, and through which lens each of their rules looks."""

from collections.abc import Mapping

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import SELL
from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedRule, ArmedTrade
from actors.rules.stops.lens_index import Lenses
from actors.rules.stops.lenses import Lens
from actors.rules.stops.nearest import nearest_of
from bus.messages.stops import StopProgress
from bus.messages.trades import Trade


class Roster:
    """The armed trades in the order of their arming, and those at rest, whose counts are kept until they end.

    styles: the style of each venue, `sell` or `buy_opposite`; `sell` for one that is not named.
    """

    def __init__(self, book: MarketBook, styles: Mapping[str, str]) -> None:
        self.book = book
        self.lenses = Lenses()
        self._styles = dict(styles)
        self._armed: dict[str, ArmedTrade] = {}
        self._resting: dict[str, ArmedTrade] = {}
        self._lens_of: dict[ArmedRule, Lens] = {}
        self._recovered: dict[tuple[str, str], StopProgress] = {}
        self._next_order = 0
        self.moved: list[ArmedRule] = []
        """Rules whose best had moved when they were taken out of the index, or one beside them."""

    def find(self, trade_id: str) -> ArmedTrade | None:
        """Return an armed trade."""
        return self._armed.get(trade_id)

    def armed(self) -> list[ArmedTrade]:
        """Return the armed trades, oldest first."""
        return list(self._armed.values())

    def lens(self, rule: ArmedRule) -> Lens | None:
        """Return the lens through which `rule` looks; None: it reads the clock, has fired, or lacks its instrument."""
        return self._lens_of.get(rule)

    def rule(self, trade_id: str, name: str) -> ArmedRule | None:
        """Return a rule of a trade that has not ended, as it is armed now, or was last."""
        armed = self._armed.get(trade_id) or self._resting.get(trade_id)
        return None if armed is None else armed.rule(name)

    def sighted(self, trade: Trade) -> Sight:
        """Return what `trade` looks at."""
        return Sight(trade, self.book, self._styles.get(trade.venue, SELL))

    def arm(self, trade: Trade, now_ns: int) -> ArmedTrade:
        """Arm `trade` as it is now; what its rules counted before goes on, in a new open phase only bests and numbers do."""
        before = self._armed.get(trade.trade_id)
        resting = self._resting.pop(trade.trade_id, None)
        if before is None:
            self._next_order += 1
            armed = ArmedTrade(trade, self.sighted(trade), self._next_order)
        else:
            self.unlist(before, now_ns)
            armed = ArmedTrade(trade, self.sighted(trade), before.order)
            armed.stale_ns = before.stale_ns
            armed.timers = before.timers
        for rule in armed.rules:
            self._carry_over(rule, before, resting)
            rule.since_ns = rule.since_ns or now_ns
        self._armed[trade.trade_id] = armed
        self.enlist(armed)
        return armed

    def rest(self, trade: Trade, now_ns: int) -> ArmedTrade | None:
        """Stop watching `trade`; return it as it was armed. Its counts are forgotten once it has ended."""
        armed = self._armed.pop(trade.trade_id, None)
        if armed is not None:
            self.unlist(armed, now_ns)
            self._resting[trade.trade_id] = armed
        if trade.state.is_terminal:
            self._resting.pop(trade.trade_id, None)
        return armed

    def enlist(self, armed: ArmedTrade) -> None:
        """Let every rule of `armed` look through its lens."""
        for rule in armed.rules:
            lens = self.lenses.lens_of(rule)
            if lens is not None:
                lens.add(rule)
                self._lens_of[rule] = lens

    def unlist(self, armed: ArmedTrade, now_ns: int) -> None:
        """Take every rule of `armed` out of the index, with its counts up to date, and with how near it has come."""
        for rule in armed.rules:
            lens = self._lens_of.pop(rule, None)
            rule.nearest = nearest_of(rule, now_ns)
            if lens is not None:
                if lens.moved:
                    self.moved += lens.take_moved()
                lens.settle(rule)
                lens.discard(rule)
                if not lens.rules:
                    self.lenses.drop(lens)

    def restore(self, progress: StopProgress) -> None:
        """Go on from what a rule had counted before a restart, whether its trade is armed already or will be."""
        armed = self._armed.get(progress.trade_id)
        rule = None if armed is None else armed.rule(progress.rule)
        if armed is None or rule is None:
            self._recovered[progress.trade_id, progress.rule] = progress
            return
        lens, since_ns = self._lens_of.get(rule), rule.since_ns
        if lens is not None:
            lens.discard(rule)
        rule.restore(progress)
        rule.since_ns = rule.since_ns or since_ns
        if lens is not None:
            lens.add(rule)

    def progress(self, now_ns: int) -> list[StopProgress]:
        """Return everything that must survive an actor: what was counted, and how near each rule has come."""
        kept = []
        for armed in (*self._armed.values(), *self._resting.values()):
            for rule in armed.rules:
                lens = self._lens_of.get(rule)
                if lens is not None:
                    lens.settle(rule)
                rule.nearest = nearest_of(rule, now_ns)
                kept.append(rule.progress())
        return kept

    def _carry_over(self, rule: ArmedRule, before: ArmedTrade | None, resting: ArmedTrade | None) -> None:
        recovered = self._recovered.pop((rule.armed.trade.trade_id, rule.rule), None)
        if recovered is not None:
            rule.restore(recovered)
        earlier = before or resting
        counted = None if earlier is None else earlier.rule(rule.rule)
        if counted is None:
            return
        if before is not None:
            rule.carry_over(counted)
        else:
            rule.best, rule.active = counted.best, counted.active
            rule.decisions = max(rule.decisions, counted.decisions)
            rule.kept_ns = max(rule.kept_ns, counted.kept_ns)
            rule.go_on_from(counted)
