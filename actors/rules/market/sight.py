"""Where one trade looks: its own entries of the book, the marks that they give, and when those go stale by themselves."""

from actors.rules.market.book import MarketBook
from actors.rules.market.freshness import (
    NEVER_FED,
    STALE_REASONS,
    quote_reason,
    quote_stale_ns,
    value_reason,
    value_stale_ns,
)
from actors.rules.market.marks import (
    Reading,
    exit_reading,
    exit_sides,
    exit_size,
    fed_probability,
    quote_probability,
    value_reading,
    view_of,
)
from bus.messages.stops import Mark, MarkState, Rule
from bus.messages.trades import Side, Trade
from bus.messages.units import Quantity

EXIT_RULES = frozenset({Rule.PRICE, Rule.LOSS, Rule.PROFIT, Rule.TRAILING})
"""The rules whose condition reads the exit price."""


class Sight:
    """All that one trade looks at: its view, and the entries of the book, which are changed in place."""

    __slots__ = ("momentum", "probability", "quote", "spot", "spot_is_quote", "view")

    def __init__(self, trade: Trade, book: MarketBook, style: str) -> None:
        symbol = trade.symbol if trade.side.is_event else trade.symbol or trade.ticker
        self.view = view_of(trade, style)
        self.quote = book.quote(trade.ticker)
        self.probability = book.probability(trade.ticker) if trade.side.is_event else None
        self.spot = book.price(symbol) if symbol else None
        self.momentum = book.momentum(symbol) if symbol else None
        self.spot_is_quote = not trade.side.is_event and symbol == trade.ticker

    def exit(self, now_ns: int) -> Reading:
        """Return the exit price's reading."""
        return exit_reading(self.quote, self.spot if self.spot_is_quote else None, self.view, now_ns)

    def fed_or_quoted_probability(self, now_ns: int) -> Reading:
        """Return the probability of the trade's side: the feed's while it is fresh, else the quote's."""
        if self.probability is None:
            return Reading("probability", reason="not_an_event")
        fed = fed_probability(self.probability, self.view, now_ns)
        if not fed.unknown:
            return fed
        quoted = quote_probability(self.quote, self.view, now_ns)
        return fed if quoted.reason == NEVER_FED and fed.reason != NEVER_FED else quoted

    def mark(self, trade: Trade, now_ns: int) -> Mark:
        """Return the exit price as everybody else sees it, with the sizes and the ask at which a close could rest."""
        reading = self.exit(now_ns)
        ask = None
        if reading.input == "quote" and reading.reason in (None, "no_bid", "no_ask", "empty_book"):
            bid, ask = exit_sides(self.quote, self.view)
            ask = bid if trade.side is Side.SHORT else ask
        state = MarkState.UNKNOWN if reading.unknown else MarkState.KNOWN if reading.known else MarkState.BOUNDED
        return Mark(
            state=state,
            low=reading.low,
            high=reading.high,
            high_open=reading.high_open,
            reason=reading.reason,
            covered=self._covered(trade) if state is MarkState.KNOWN and reading.input == "quote" else None,
            sell_ask=ask,
            ts=reading.ts or None,
            source=reading.source,
        )

    def _covered(self, trade: Trade) -> Quantity | None:
        size = exit_size(self.quote, self.view)
        return size if size is not None and size < trade.open_quantity else None

    def reading(self, rule: str, now_ns: int) -> Reading | None:
        """Return what `rule` reads of the market; None for a rule that reads only the clock."""
        if rule in EXIT_RULES:
            return self.exit(now_ns)
        if rule == Rule.PROBABILITY:
            return self.fed_or_quoted_probability(now_ns)
        entry = self.momentum if rule == Rule.MOMENTUM else self.spot if rule == Rule.BUFFER else None
        if entry is not None:
            return value_reading(entry, self.view, now_ns)
        return Reading(rule, reason=NEVER_FED) if rule in (Rule.MOMENTUM, Rule.BUFFER) else None

    def stale_reason(self, rule: str, now_ns: int) -> str | None:
        """Say why the input of `rule`, which was fed once, must not be used now; None where it may, or was never fed."""
        reading = self.reading(rule, now_ns)
        return reading.reason if reading is not None and reading.reason in STALE_REASONS else None

    def has_been_fed(self, rule: str) -> bool:
        """Whether the input of `rule` has ever arrived: before that the rule is not armed."""
        if rule in (Rule.TIME, Rule.STALE):
            return True
        if rule == Rule.MOMENTUM:
            return self.momentum is not None and self.momentum.ts > 0
        if rule == Rule.BUFFER:
            return self.spot is not None and self.spot.ts > 0
        by_value = self.probability if rule == Rule.PROBABILITY else self.spot if self.spot_is_quote else None
        return self.quote.ts > 0 or (by_value is not None and by_value.ts > 0)

    def next_stale_ns(self, rule: str, now_ns: int) -> int | None:
        """Return the instant after `now_ns` at which the input of `rule` goes stale if nothing arrives; None: never.

        A probability goes stale twice: the feed's first, and then that of the quote which stands in for it.
        """
        limits = self.view.limits
        if rule in EXIT_RULES and not (self.quote.feed is None and self.spot_is_quote):
            return None if quote_reason(self.quote, limits, now_ns) else quote_stale_ns(self.quote, limits)
        entry = {
            Rule.PROBABILITY: self.probability,
            Rule.MOMENTUM: self.momentum,
            Rule.TIME: None,
            Rule.STALE: None,
        }.get(Rule(rule), self.spot)
        if entry is not None and value_reason(entry, limits, now_ns) is None:
            return value_stale_ns(entry, limits)
        if rule == Rule.PROBABILITY and quote_reason(self.quote, limits, now_ns) is None:
            return quote_stale_ns(self.quote, limits)
        return None
