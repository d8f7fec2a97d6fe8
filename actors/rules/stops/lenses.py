"""The index of thresholds: which rules may have to be looked at now that an input has changed.

A `Lens` is one way to look at one entry of the book: all trades that see the same value of the same ticker share it. It keeps
their thresholds sorted, in the unit of what it sees, so that a tick finds by bisection those whose condition may hold, and
remembers the "hot" ones that have begun to count. Everything else is where it was: a condition that did not hold, had counted
nothing and does not hold now. The index gives a superset; the rule decides exactly.

A reading also changes without a tick: it goes stale, a crossed book has stood long enough, a divergence has lasted. So each lens
knows the next such instant and asks for one timer, lazily: a tick that moves the instant later costs nothing.
"""

from actors.rules.market.book import QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from actors.rules.market.freshness import NEVER_FED, STALE_REASONS, quote_reason, quote_stale_ns, value_stale_ns
from actors.rules.market.marks import Reading, View, exit_reading, fed_probability, quote_probability, value_reading
from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.extremes import Extremes
from actors.rules.stops.guards import quote_disagreement
from actors.rules.stops.thresholds import Thresholds
from actors.rules.stops.trailing import TrailingIndex
from bus.messages.stops import Rule
from bus.messages.trades import Side
from bus.messages.units import ZERO, Number


class Lens:
    """One way to look at one entry of the book. key: names it in timers, the same after a restart with the same trades.

    moved: a trailing best has moved since `take_moved`. hot: rules that have counted something. rules: all that look through it. stale_reason: why its input must not be used.
    due_ns: the timer that it has asked for. seen: the extremes since the last rule was taken in.
    """

    def __init__(self, key: str, view: View) -> None:
        self.key = key
        self.view = view
        self.rules: dict[ArmedRule, None] = {}
        self.hot: dict[ArmedRule, None] = {}
        self.stale_reason: str | None = None
        self.stale_since_ns = 0
        self.due_ns: int | None = None
        self.moved = False
        self.thresholds = Thresholds()
        self.seen = Extremes()

    def look(self, now_ns: int) -> Reading:
        """Return what is seen."""
        raise NotImplementedError

    def next_change_ns(self, now_ns: int) -> int | None:
        """Return the next instant after `now_ns` at which what is seen changes without a tick; None: never."""
        raise NotImplementedError

    def add(self, rule: ArmedRule) -> None:
        """Take a rule in."""
        self.rules[rule] = None
        self.thresholds.add(rule)
        rule.seen = self.seen = self.seen.begin()

    def discard(self, rule: ArmedRule) -> None:
        """Let a rule go."""
        self.rules.pop(rule, None)
        self.hot.pop(rule, None)
        self.thresholds.discard(rule)
        rule.seen = None

    def settle(self, rule: ArmedRule) -> None:
        """Bring what `rule` has counted up to date, before it is judged or kept."""

    @property
    def quote_feed(self) -> Feed | None:
        """The feed whose silence would end what is seen; None where only the value's own age counts."""
        return None

    @property
    def name(self) -> str:
        """What it looks at, for people."""
        raise NotImplementedError

    def candidates(self, reading: Reading) -> list[ArmedRule]:
        """Return the rules whose condition may hold, or that have counted something; some twice, in no order."""
        return [*self.hot, *self.thresholds.reached(reading)]

    def take_moved(self) -> list[ArmedRule]:
        """Return the rules whose best has moved since the last call."""
        return []

    def may_change_sooner(self) -> bool:
        """Whether what is seen may change by itself before `due_ns`: usually each tick puts that off."""
        return self.due_ns is None

    def note_staleness(self, reading: Reading, now_ns: int) -> bool:
        """Keep whether the input is stale; say whether that has changed."""
        reason = reading.reason if reading.reason in STALE_REASONS else None
        changed = (reason is None) is not (self.stale_reason is None)
        if changed:
            self.stale_since_ns = now_ns
        self.stale_reason = reason
        return changed


class ExitLens(Lens):
    """The exit price, for one side, venue style and set of limits."""

    def __init__(self, key: str, view: View, quote: QuoteInForce, spot: ValueInForce | None) -> None:
        super().__init__(key, view)
        self.quote = quote
        self.spot = spot
        self.trailing: dict[Number | None, TrailingIndex] = {}
        self._timed_feed: Feed | None = None

    def look(self, now_ns: int) -> Reading:
        """Return the exit price; trailing bests follow it, unless the two quotes disagree."""
        reading = exit_reading(self.quote, self.spot, self.view, now_ns)
        if self.trailing:
            certain = reading.high if self.view.side is Side.SHORT else reading.low
            for limit, index in self.trailing.items():
                if certain is not None and index.moves_at(certain) and self._trusts(limit):
                    self.moved |= index.raise_to(certain)
                index.note_fall(reading, now_ns)
        return reading

    def candidates(self, reading: Reading) -> list[ArmedRule]:
        """As `Lens.candidates`, with the trailing rules."""
        found = super().candidates(reading)
        bound = reading.low if self.view.side is Side.SHORT else reading.high
        if bound is not None:
            for index in self.trailing.values():
                found.extend(index.candidates(bound))
        return found

    def add(self, rule: ArmedRule) -> None:
        """Take a rule in."""
        super().add(rule)
        if rule.rule is Rule.TRAILING and (
            rule.number("trail") is not None or rule.number("trail_percent") is not None
        ):
            limit = rule.number("max_quote_disagreement")
            index = self.trailing.get(limit)
            if index is None:
                index = self.trailing[limit] = self._index()
            index.add(rule)

    def discard(self, rule: ArmedRule) -> None:
        """Let a rule go."""
        super().discard(rule)
        limit = rule.number("max_quote_disagreement")
        index = self.trailing.get(limit)
        if index is not None and rule.rule is Rule.TRAILING:
            index.discard(rule)
            if not len(index):
                del self.trailing[limit]

    def settle(self, rule: ArmedRule) -> None:
        """Write the present best to a trailing rule, before it is judged."""
        index = self.trailing.get(rule.number("max_quote_disagreement"))
        if index is not None:
            index.settle(rule)

    def may_change_sooner(self) -> bool:
        """Also while the book is crossed, or another feed quotes."""
        quote = self.quote
        if self.due_ns is not None and quote.feed is self._timed_feed and not quote.crossed_ts:
            return False
        self._timed_feed = quote.feed
        return True

    def next_change_ns(self, now_ns: int) -> int | None:
        """Return when the exit price changes by itself."""
        if self.quote.feed is None and self.spot is not None:
            return _later(now_ns, value_stale_ns(self.spot, self.view.limits))
        return _quote_change_ns(self.quote, self.view, now_ns)

    def take_moved(self) -> list[ArmedRule]:
        """Return the trailing rules whose best has moved since the last call, each brought up to date."""
        self.moved = False
        return [rule for index in self.trailing.values() for rule in index.take_changed()]

    @property
    def quote_feed(self) -> Feed | None:
        """The feed of the quote."""
        return self.quote.feed

    @property
    def name(self) -> str:
        """`quote of <ticker>`."""
        return f"quote of {self.quote.name}"

    def _trusts(self, limit: Number | None) -> bool:
        disagreement = None if limit is None else quote_disagreement(self.quote)
        return limit is None or disagreement is None or disagreement <= limit

    def _index(self) -> TrailingIndex:
        return TrailingIndex(-1 if self.view.side is Side.SHORT else 1)


class ProbabilityLens(Lens):
    """The probability of one side: the feed's, or the quote's where the feed is missing, stale or has diverged for too long."""

    def __init__(
        self,
        key: str,
        view: View,
        quote: QuoteInForce,
        probability: ValueInForce,
        divergence: tuple[Number | None, int | None],
    ) -> None:
        super().__init__(key, view)
        self.quote = quote
        self.probability = probability
        self.limit, self.max_ns = divergence
        self._timed_feed: Feed | None = None
        self.divergence: Number | None = None
        self.diverging_since_ns: int | None = None
        self.quote_wins = False

    def look(self, now_ns: int) -> Reading:
        """Return the probability, and keep how far feed and quote are apart, and since when."""
        quoted = quote_probability(self.quote, self.view, now_ns)
        if self.probability.feed is None:
            self._agree()
            return quoted
        fed = fed_probability(self.probability, self.view, now_ns)
        if fed.low is None:
            self._agree()
            return fed if quoted.reason == NEVER_FED else quoted
        if quoted.low is None or quoted.high is None:
            self._agree()
            return fed
        self.divergence = max(quoted.low - fed.low, fed.low - quoted.high, ZERO)
        if self.limit is None or self.divergence <= self.limit:
            self.diverging_since_ns = None
            self.quote_wins = False
            return fed
        if self.diverging_since_ns is None:
            self.diverging_since_ns = now_ns
        self.quote_wins = self.max_ns is not None and now_ns - self.diverging_since_ns >= self.max_ns
        return quoted if self.quote_wins else fed

    def _agree(self) -> None:
        self.divergence = None
        self.diverging_since_ns = None
        self.quote_wins = False

    @property
    def quote_feed(self) -> Feed | None:
        """The feed of the quote that stands in."""
        return self.quote.feed

    @property
    def name(self) -> str:
        """`probability of <ticker>`."""
        return f"probability of {self.quote.name}"

    @property
    def divergence_ends_ns(self) -> int | None:
        """When the quote wins over the feed; None while they agree, or for ever."""
        if self.diverging_since_ns is None or self.max_ns is None:
            return None
        return self.diverging_since_ns + self.max_ns

    def may_change_sooner(self) -> bool:
        """Also while feed and quote diverge, the book is crossed, or another feed quotes."""
        quote = self.quote
        if (
            self.due_ns is not None
            and quote.feed is self._timed_feed
            and not quote.crossed_ts
            and self.diverging_since_ns is None
        ):
            return False
        self._timed_feed = quote.feed
        return True

    def next_change_ns(self, now_ns: int) -> int | None:
        """Return when the probability changes by itself."""
        fed_ns = _later(now_ns, value_stale_ns(self.probability, self.view.limits))
        quote_ns = _quote_change_ns(self.quote, self.view, now_ns)
        return _earliest(fed_ns, quote_ns, _later(now_ns, self.divergence_ends_ns))


class ValueLens(Lens):
    """A momentum, or the underlying's price."""

    def __init__(self, key: str, view: View, entry: ValueInForce) -> None:
        super().__init__(key, view)
        self.entry = entry

    def look(self, now_ns: int) -> Reading:
        """Return the value."""
        return value_reading(self.entry, self.view, now_ns)

    @property
    def name(self) -> str:
        """`momentum of <symbol>` or `price of <symbol>`."""
        return f"{self.entry.kind} of {self.entry.name}"

    def next_change_ns(self, now_ns: int) -> int | None:
        """Return when the value goes stale."""
        return _later(now_ns, value_stale_ns(self.entry, self.view.limits))


def _later(now_ns: int, due_ns: int | None) -> int | None:
    return due_ns if due_ns is not None and due_ns > now_ns else None


def _earliest(*dues: int | None) -> int | None:
    return min((due for due in dues if due is not None), default=None)


def _quote_change_ns(quote: QuoteInForce, view: View, now_ns: int) -> int | None:
    if quote_reason(quote, view.limits, now_ns) is not None:
        return None
    stale_ns = _later(now_ns, quote_stale_ns(quote, view.limits))
    if not quote.crossed_ts:
        return stale_ns
    return _earliest(stale_ns, _later(now_ns, quote.crossed_ts + view.crossed_max_ns))
