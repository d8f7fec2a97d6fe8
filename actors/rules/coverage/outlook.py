"""What trades of one kind see of their market: which of their rules could fire now, and why the others could not.

Trades of one ticker, side and settings share an outlook, so that a tick is judged once for all of them, and not at all while it
leaves everything as it was: no side of the quote came or went, the quotes agree as before, and no rule waits for this input.
"""

from collections.abc import Hashable
from typing import Final

from actors.rules.catalog import RULES
from actors.rules.market.book import MarketBook, QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from actors.rules.market.freshness import STALE_REASONS, quote_reason, setting_ns
from actors.rules.market.marks import Reading, view_of
from actors.rules.market.sight import EXIT_RULES, Sight
from actors.rules.stops.guards import quote_disagreement
from actors.rules.stops.lenses import ExitLens, Lens, ProbabilityLens, ValueLens
from bus.messages.stops import Rule
from bus.messages.trades import StopSpec, Trade
from bus.messages.units import Number

Entry = QuoteInForce | ValueInForce
CLOCK_RULES: Final = frozenset({Rule.TIME, Rule.STALE})
"""The rules that read no market data."""

_ENDS_BY_ITSELF: Final = "crossed"
_DISAGREEMENT: Final = "max_quote_disagreement"
_DIVERGENCE: Final = "max_divergence"


class Outlook:
    """The market as trades of one key see it. reasons: by rule, why it could not fire; None: it could.

    waiting: the entries that could change a reason. due_ns: the timer that was asked for. seen: the exit price at the last
    mark snapshot. trades: the ids of those that share it, in order of arrival.
    """

    def __init__(self, name: str, trade: Trade, book: MarketBook, style: str) -> None:
        self.name = name
        self.key = outlook_key(trade, style)
        self.sight = Sight(trade, book, style)
        self.trades: dict[str, None] = {}
        self.reasons: dict[str, str | None] = {}
        self.waiting: set[Entry] = set()
        self.due_ns: int | None = None
        self.seen: Reading | None = None
        self._specs = tuple(spec for spec in trade.stops if spec.rule not in CLOCK_RULES)
        self._lenses = {spec.rule: lens for spec in self._specs if (lens := self._lens(trade, spec)) is not None}
        limits = {_number(spec, _DISAGREEMENT) for spec in self._specs}
        self._limits = tuple(sorted(limit for limit in limits if limit is not None))
        self._shape = self._shape_now()
        self._quote_reason: str | None = None
        self._looked_ns = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that it looks at."""
        sight = self.sight
        found = (sight.quote, sight.probability, sight.spot, sight.momentum)
        return tuple(entry for entry in found if entry is not None)

    @property
    def feed(self) -> Feed | None:
        """The feed of its quote, whose silence ends everything that reads the quote."""
        return self.sight.quote.feed

    @property
    def silent_feed(self) -> Feed | None:
        """The feed that was silent at the last look: any word of it, on whatever ticker, brings the quote back into force.

        Also where no rule waits for the quote: a guard may read it, and a quote in force again may hold a rule back.
        """
        return self.feed if self._quote_reason == "feed_silent" else None

    def is_concerned(self, entry: Entry) -> bool:
        """Whether a change of `entry` may have changed a reason."""
        if entry in self.waiting:
            return True
        probability = self.sight.probability
        if Rule.PROBABILITY in self._lenses and probability is not None and probability.feed is not None:
            return entry is probability or entry is self.sight.quote
        return entry is self.sight.quote and self._shape != self._shape_now()

    def look(self, now_ns: int) -> bool:
        """Judge every rule's input anew; say whether a reason has changed."""
        reasons: dict[str, str | None] = {}
        self.waiting = set()
        for spec in self._specs:
            reason = reasons[spec.rule] = self._reason(spec, now_ns)
            if reason is not None:
                self.waiting.update(self._read_by(spec.rule))
        self._shape = self._shape_now()
        self._quote_reason = self._quote_reason_at(now_ns)
        self._looked_ns = now_ns
        changed, self.reasons = reasons != self.reasons, reasons
        return changed

    def stands(self, now_ns: int) -> bool:
        """Whether a look would tell now what the last one told, if no tick has concerned it since: nothing has ended by itself.

        What is stale already may be so for another reason later: then only a look tells.
        """
        if self._quote_reason is not None or self._quote_reason_at(now_ns) is not None:
            return False
        if not STALE_REASONS.isdisjoint(self.reasons.values()):
            return False
        due_ns = self.next_change_ns(self._looked_ns)
        return due_ns is None or due_ns > now_ns

    def _quote_reason_at(self, now_ns: int) -> str | None:
        return quote_reason(self.sight.quote, self.sight.view.limits, now_ns)

    def next_change_ns(self, now_ns: int) -> int | None:
        """Return the next instant after `now_ns` at which a reason may change without a tick; None: never."""
        earliest_ns: int | None = None
        for lens in self._lenses.values():
            due_ns = lens.next_change_ns(now_ns)
            if due_ns is not None and (earliest_ns is None or due_ns < earliest_ns):
                earliest_ns = due_ns
        return earliest_ns

    def _lens(self, trade: Trade, spec: StopSpec) -> Lens | None:
        sight, view = self.sight, self.sight.view
        if spec.rule in EXIT_RULES:
            return ExitLens(self.name, view, sight.quote, sight.spot if sight.spot_is_quote else None)
        if spec.rule == Rule.PROBABILITY:
            divergence = (_number(spec, _DIVERGENCE), setting_ns(trade.settings, "divergence_max_s"))
            fed = sight.probability
            return None if fed is None else ProbabilityLens(self.name, view, sight.quote, fed, divergence)
        entry = sight.momentum if spec.rule == Rule.MOMENTUM else sight.spot
        return None if entry is None else ValueLens(self.name, view, entry)

    def _reason(self, spec: StopSpec, now_ns: int) -> str | None:
        lens = self._lenses.get(spec.rule)
        if lens is None:
            return "no_such_input"
        reading = lens.look(now_ns)
        if reading.unknown and reading.reason != _ENDS_BY_ITSELF:
            return reading.reason
        return self._held_by(spec, lens, now_ns)

    def _held_by(self, spec: StopSpec, lens: Lens, now_ns: int) -> str | None:
        guards, quote = RULES[Rule(spec.rule)].guards, self.sight.quote
        limit = _number(spec, _DISAGREEMENT) if _DISAGREEMENT in guards else None
        if limit is not None and quote_reason(quote, self.sight.view.limits, now_ns) is None:
            disagreement = quote_disagreement(quote)
            if disagreement is not None and disagreement > limit:
                return f"held_by_{_DISAGREEMENT}"
        if isinstance(lens, ProbabilityLens) and lens.diverging_since_ns is not None and not lens.quote_wins:
            return f"held_by_{_DIVERGENCE}"
        return None

    def _read_by(self, rule: str) -> tuple[Entry, ...]:
        sight = self.sight
        if rule == Rule.PROBABILITY:
            found: tuple[Entry | None, ...] = (sight.quote, sight.probability)
        elif rule in EXIT_RULES:
            found = (sight.quote, sight.spot)
        else:
            found = (sight.momentum if rule == Rule.MOMENTUM else sight.spot,)
        return tuple(entry for entry in found if entry is not None)

    def _shape_now(self) -> tuple[object, ...]:
        """Return what of the quote matters to coverage: who is there, whose feed it is, and which limits it exceeds."""
        quote = self.sight.quote
        exceeded = 0
        if self._limits:
            disagreement = quote_disagreement(quote)
            exceeded = 0 if disagreement is None else sum(disagreement > limit for limit in self._limits)
        return (
            quote.yes_bid is None,
            quote.yes_ask is None,
            quote.no_bid is None,
            quote.no_ask is None,
            quote.bid is None,
            quote.ask is None,
            quote.feed,
            exceeded,
        )


def outlook_key(trade: Trade, style: str) -> Hashable:
    """Return what decides how a trade sees its market: two trades with equal keys see the same."""
    watched = tuple(
        (spec.rule, _number(spec, _DISAGREEMENT), _number(spec, _DIVERGENCE))
        for spec in trade.stops
        if spec.rule not in CLOCK_RULES
    )
    divergence_max_ns = setting_ns(trade.settings, "divergence_max_s")
    return (trade.ticker, trade.symbol, view_of(trade, style), watched, divergence_max_ns)


def _number(spec: StopSpec, key: str) -> Number | None:
    value = spec.settings.get(key)
    return None if value is None or isinstance(value, str | bool) else value
