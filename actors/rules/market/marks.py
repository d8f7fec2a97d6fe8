"""What is known of an open trade right now: exit price, probability, momentum, buffer, each with its bounds or the reason why not.

Every mark is an interval. A book that has lost its bids still says something (an exit below the ask), and a stop fires when
its condition holds over the whole of it. Unknown is an answer with a reason: never zero, never another instrument's value.
SPEC 1.1 has the formulas.
"""

from decimal import Decimal
from typing import Final

import msgspec

from actors.rules.fees import fee
from actors.rules.market.book import QuoteInForce, ValueInForce
from actors.rules.market.freshness import (
    FreshnessLimits,
    limits_of,
    quote_reason,
    setting_ns,
    value_reason,
)
from bus.messages.market import StrikeType
from bus.messages.trades import Side, Trade
from bus.messages.units import HUNDRED, ONE, ZERO, Money, Number, Price, Quantity

SELL: Final = "sell"
BUY_OPPOSITE: Final = "buy_opposite"


class Reading(msgspec.Struct, frozen=True):
    """An interval with the input that it came from: `low <= value <= high`, an open end is not reached, None has no end.

    input: `quote`, `price`, `probability` or `momentum`. reason: why it is unknown or only bounded. ts: the input's own instant.
    """

    input: str
    low: Number | None = None
    high: Number | None = None
    low_open: bool = False
    high_open: bool = False
    reason: str | None = None
    ts: int = 0
    source: str | None = None

    @property
    def unknown(self) -> bool:
        """Whether nothing is known."""
        return self.low is None and self.high is None

    @property
    def known(self) -> bool:
        """Whether it is one value, not an interval."""
        return self.low is not None and self.low == self.high

    @property
    def value(self) -> Number | None:
        """The value, or what bounds it: the high end, for a lack of it the low one. None while unknown."""
        return self.low if self.high is None else self.high


class View(msgspec.Struct, frozen=True):
    """How a trade looks at the market: trades with equal views of a ticker see the same marks."""

    side: Side
    style: str
    limits: FreshnessLimits
    crossed_max_ns: int
    max_spread: Number | None


def view_of(trade: Trade, style: str) -> View:
    """Return the view of `trade` at a venue of `style` (`sell` or `buy_opposite`)."""
    spread = trade.settings.get("max_spread")
    return View(
        trade.side,
        style,
        limits_of(trade.settings),
        setting_ns(trade.settings, "crossed_max_s") or 0,
        None if isinstance(spread, str) else spread,
    )


def exit_reading(quote: QuoteInForce, spot: ValueInForce | None, view: View, now_ns: int) -> Reading:
    """Return what closing one contract now would bring.

    spot: the underlying's price, for a linear instrument whose ticker is its symbol; it counts while nobody has ever quoted.
    """
    if quote.feed is None and spot is not None:
        return value_reading(spot, view, now_ns)
    reason = quote_reason(quote, view.limits, now_ns)
    if reason is None and quote.crossed_ts and now_ns - quote.crossed_ts < view.crossed_max_ns:
        reason = "crossed"
    if reason is not None:
        return _unknown("quote", reason, quote)
    bid, ask = exit_sides(quote, view)
    return _short_exit(quote, bid, ask) if view.side is Side.SHORT else _long_exit(quote, bid, ask)


def _long_exit(quote: QuoteInForce, bid: Price | None, ask: Price | None) -> Reading:
    source = quote.feed.source if quote.feed else None
    if bid is None:
        if ask is None:
            return _unknown("quote", "empty_book", quote)
        return Reading("quote", ZERO, ask, high_open=True, reason="no_bid", ts=quote.ts, source=source)
    if ask is not None and quote.crossed_ts and ask < bid:
        bid = ask
    return Reading("quote", bid, bid, ts=quote.ts, source=source)


def _short_exit(quote: QuoteInForce, bid: Price | None, ask: Price | None) -> Reading:
    source = quote.feed.source if quote.feed else None
    if ask is None:
        if bid is None:
            return _unknown("quote", "empty_book", quote)
        return Reading("quote", bid, None, low_open=True, reason="no_ask", ts=quote.ts, source=source)
    if bid is not None and quote.crossed_ts and bid > ask:
        ask = bid
    return Reading("quote", ask, ask, ts=quote.ts, source=source)


def exit_sides(quote: QuoteInForce, view: View) -> tuple[Price | None, Price | None]:
    """Return the bid at which the trade's side can be sold, by the venue's style, and the ask at which others offer it."""
    if view.side is Side.YES:
        own_bid, own_ask, other_bid, other_ask = quote.yes_bid, quote.yes_ask, quote.no_bid, quote.no_ask
    elif view.side is Side.NO:
        own_bid, own_ask, other_bid, other_ask = quote.no_bid, quote.no_ask, quote.yes_bid, quote.yes_ask
    else:
        return quote.bid, quote.ask
    bid = _bid_by_style(own_bid, other_ask, view.style)
    if own_ask is None and other_bid is not None:
        own_ask = ONE - other_bid
    return bid, own_ask


def _bid_by_style(own_bid: Price | None, other_ask: Price | None, style: str) -> Price | None:
    if other_ask is None:
        return own_bid
    return ONE - other_ask if style == BUY_OPPOSITE or own_bid is None else own_bid


def quote_probability(quote: QuoteInForce, view: View, now_ns: int) -> Reading:
    """Return the probability of the trade's side as the yes quote has it: the mid while the spread is narrow, else its bounds."""
    reason = quote_reason(quote, view.limits, now_ns)
    if reason is None and quote.crossed_ts and now_ns - quote.crossed_ts < view.crossed_max_ns:
        reason = "crossed"
    if reason is not None:
        return _unknown("quote", reason, quote)
    bid, ask = quote.yes_bid, quote.yes_ask
    if bid is None and quote.no_ask is not None:
        bid = ONE - quote.no_ask
    if ask is None and quote.no_bid is not None:
        ask = ONE - quote.no_bid
    if bid is None and ask is None:
        return _unknown("quote", "empty_book", quote)
    if bid is not None and ask is not None:
        if bid > ask:
            bid = ask = bid if view.side is Side.NO else ask
        elif view.max_spread is None or ask - bid <= view.max_spread:
            bid = ask = (bid + ask) / 2
    return _side_probability(quote, bid, ask, view.side)


def _side_probability(quote: QuoteInForce, bid: Price | None, ask: Price | None, side: Side) -> Reading:
    low, high = (ZERO if bid is None else bid * HUNDRED), (HUNDRED if ask is None else ask * HUNDRED)
    low_open, high_open = bid is not None and ask is None, ask is not None and bid is None
    if side is Side.NO:
        low, high, low_open, high_open = HUNDRED - high, HUNDRED - low, high_open, low_open
    reason = None if bid == ask else "no_bid" if bid is None else "no_ask" if ask is None else "wide_spread"
    source = quote.feed.source if quote.feed else None
    return Reading("quote", low, high, low_open, high_open, reason, quote.ts, source)


def fed_probability(entry: ValueInForce, view: View, now_ns: int) -> Reading:
    """Return the probability of the trade's side as the feed of that very ticker has it."""
    reading = value_reading(entry, view, now_ns)
    if reading.low is None or view.side is not Side.NO:
        return reading
    other = HUNDRED - reading.low
    return Reading("probability", other, other, ts=reading.ts, source=reading.source)


def value_reading(entry: ValueInForce, view: View, now_ns: int) -> Reading:
    """Return an underlying price or a model output as it stands."""
    reason = value_reason(entry, view.limits, now_ns)
    source = entry.feed.source if entry.feed else None
    if reason is not None:
        return Reading(entry.kind, reason=reason, ts=entry.ts, source=source)
    return Reading(entry.kind, entry.value, entry.value, ts=entry.ts, source=source)


def _unknown(name: str, reason: str, quote: QuoteInForce) -> Reading:
    return Reading(name, reason=reason, ts=quote.ts, source=quote.feed.source if quote.feed else None)


def buffer_of(trade: Trade, price: Price) -> Number | None:
    """Return how far the underlying stands on the winning side of the strike, in its own units; None where undefined."""
    if trade.strike is None or not trade.side.is_event:
        return None
    if trade.strike_type is StrikeType.ABOVE:
        ahead = price - trade.strike
    elif trade.strike_type is StrikeType.BELOW:
        ahead = trade.strike - price
    else:
        return None
    return ahead if trade.side is Side.YES else -ahead


def exit_fee(trade: Trade, price: Price, quantity: Quantity) -> Money:
    """Return the estimated fee of closing `quantity` at `price`, dollars. Kalshi's model is one of event contracts only."""
    model, percent = trade.settings.get("fee_model"), trade.settings.get("fee_percent", ZERO)
    if model == "kalshi" and not trade.side.is_event:
        return ZERO
    return fee(model, ZERO if isinstance(percent, str) else percent, price, quantity)


def entry_value(trade: Trade) -> Money | None:
    """Return what the open quantity cost at entry, dollars: exact while nothing is closed. None without an entry."""
    if trade.filled_quantity:
        if trade.filled_quantity == trade.open_quantity:
            return trade.entry_cost
        return trade.entry_cost * trade.open_quantity / trade.filled_quantity
    return None if trade.entry_price is None else trade.entry_price * trade.open_quantity


def pnl_at(trade: Trade, price: Price) -> Money | None:
    """Return the PnL of `trade` if it closed at `price`: realised, unrealised, less fees booked and the estimated exit fee."""
    cost = entry_value(trade)
    if cost is None:
        return None
    worth = price * trade.open_quantity
    gain = cost - worth if trade.side is Side.SHORT else worth - cost
    # `Trade.pnl` is realised, with the fees booked already taken off.
    return trade.pnl + gain - exit_fee(trade, price, trade.open_quantity)


def pnl_percent(trade: Trade, pnl: Money) -> Number | None:
    """Return `pnl` as a percent of the total entry cost; None without a cost."""
    cost = trade.entry_cost or entry_value(trade)
    return pnl / cost * HUNDRED if cost else None


def seconds(span_ns: int) -> Number:
    """Return `span_ns` as exact seconds."""
    return Decimal(span_ns).scaleb(-9)


def time_to_close_ns(trade: Trade, now_ns: int) -> int | None:
    """Return the time left until the venue's close time (never guessed from the entry); None without one."""
    return None if trade.close_ts is None else trade.close_ts - now_ns


def age_ns(trade: Trade, now_ns: int) -> int | None:
    """Return the time since entry; None before it."""
    return None if trade.entry_ts is None else now_ns - trade.entry_ts


def exit_size(entry: QuoteInForce, view: View) -> Quantity | None:
    """Return how much the level that prices the exit would take; None where the size is not known."""
    quote = entry.quote
    if quote is None:
        return None
    if not view.side.is_event:
        return quote.ask_size if view.side is Side.SHORT else quote.bid_size
    yes = view.side is Side.YES
    own_bid, other_ask = (entry.yes_bid, entry.no_ask) if yes else (entry.no_bid, entry.yes_ask)
    own_size, other_size = (quote.yes_bid_size, quote.no_ask_size) if yes else (quote.no_bid_size, quote.yes_ask_size)
    by_other = other_ask is not None and (view.style == BUY_OPPOSITE or own_bid is None)
    return other_size if by_other else own_size
