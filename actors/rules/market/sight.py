"""Where one trade looks: its own entries of the book, and the marks that they give."""

from actors.rules.market.book import MarketBook
from actors.rules.market.freshness import NEVER_FED
from actors.rules.market.marks import (
    Reading,
    exit_reading,
    exit_sides,
    exit_size,
    fed_probability,
    quote_probability,
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
