"""What is known of the markets: the quote, price, probability and momentum in force, and the feeds that said so.

Everything that is judged here is judged once, so that no rule sees data that it must not use: ticks that are older than
what is in force, instants that cannot be, contract prices above one dollar, sources that are marked. A tick costs a few
microseconds, so entries are changed in place and `apply` returns the entry itself. Whoever holds an entry sees the newest
value; an entry with `ts` 0 has never been fed.
"""

from typing import Final

import msgspec

from actors.rules.market.feeds import AHEAD_NS, OLDEST_NS, Feed, Feeds, usable
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick, Ticks
from bus.messages.units import HUNDRED, NS_PER_S, ONE, ZERO, Number, Price

__all__ = ("Change", "Feed", "MarketBook", "QuoteInForce", "ValueInForce")


class QuoteInForce:
    """The quote of one ticker; a side where nobody is stands as None. crossed_ts: since when a bid is above its ask, 0: not."""

    __slots__ = (
        "ask",
        "bid",
        "crossed_ts",
        "feed",
        "name",
        "no_ask",
        "no_bid",
        "quote",
        "received_ns",
        "ts",
        "version",
        "yes_ask",
        "yes_bid",
    )
    kind: Final = "quote"

    def __init__(self, name: str) -> None:
        self.name = name
        self.ts = 0
        self.received_ns = 0
        self.version = 0
        self.crossed_ts = 0
        self.feed: Feed | None = None
        self.quote: Quote | None = None
        self.yes_bid: Price | None = None
        self.yes_ask: Price | None = None
        self.no_bid: Price | None = None
        self.no_ask: Price | None = None
        self.bid: Price | None = None
        self.ask: Price | None = None


class ValueInForce:
    """A price, probability or momentum. changed_ts: the first instant of the present value."""

    __slots__ = ("changed_ts", "feed", "kind", "name", "received_ns", "tick", "ts", "value", "version")

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.ts = 0
        self.received_ns = 0
        self.version = 0
        self.changed_ts = 0
        self.feed: Feed | None = None
        self.tick: SpotPrice | Probability | Momentum | None = None
        self.value: Number = ZERO


Change = QuoteInForce | ValueInForce | Feed
"""What a tick changed: the entry, or the feed that only said that it lives."""


class MarketBook:
    """All that is known of the markets. Feed it by `apply`; read it by `quote`, `price`, `probability`, `momentum`.

    dropped_old: ticks older than what was in force, since the start.
    """

    __slots__ = (
        "_momentum",
        "_prices",
        "_probabilities",
        "_quotes",
        "dropped_old",
        "feeds",
    )

    def __init__(self) -> None:
        self._quotes: dict[str, QuoteInForce] = {}
        self._prices: dict[str, ValueInForce] = {}
        self._probabilities: dict[str, ValueInForce] = {}
        self._momentum: dict[str, ValueInForce] = {}
        self.feeds = Feeds()
        self.dropped_old = 0

    def quote(self, ticker: str) -> QuoteInForce:
        """Return the entry of `ticker`, for good: it is changed in place."""
        entry = self._quotes.get(ticker)
        if entry is None:
            entry = self._quotes[ticker] = QuoteInForce(ticker)
        return entry

    def price(self, symbol: str) -> ValueInForce:
        """Return the entry of the underlying's price."""
        return _value(self._prices, "price", symbol)

    def probability(self, ticker: str) -> ValueInForce:
        """Return the entry of the probability that YES wins, percent."""
        return _value(self._probabilities, "probability", ticker)

    def momentum(self, symbol: str) -> ValueInForce:
        """Return the entry of the underlying's momentum, percent."""
        return _value(self._momentum, "momentum", symbol)

    def apply(self, tick: Tick, now_ns: int) -> Change | None:
        """Take `tick` in, if it may be; return the entry that it changed, None where it was dropped or rejected."""
        kind = type(tick)
        if kind is Quote:
            return self._apply_quote(tick, now_ns)  # type: ignore[arg-type]  # mypy does not narrow by `type() is`
        if kind is SpotPrice:
            value = tick.price  # type: ignore[union-attr]  # as above
            return self._apply_value(self.price(tick.symbol), tick, value, value > 0, now_ns)  # type: ignore[union-attr,arg-type]
        if kind is Probability:
            value = tick.probability  # type: ignore[union-attr]  # as above
            possible = ZERO <= value <= HUNDRED
            return self._apply_value(self.probability(tick.ticker), tick, value, possible, now_ns)  # type: ignore[union-attr,arg-type]
        if kind is Momentum:
            return self._apply_value(self.momentum(tick.symbol), tick, tick.momentum, True, now_ns)  # type: ignore[union-attr,arg-type]  # noqa: FBT003
        return self._apply_beat(tick, now_ns)  # type: ignore[arg-type]  # as above

    def last_ticks(self) -> list[Ticks]:
        """Return ticks which, handed to a new book in this order, leave it as this one (marks and counters apart)."""
        said: list[tuple[int, Tick]] = []
        for entry in self._quotes.values():
            if entry.quote is not None:
                if entry.crossed_ts not in (0, entry.ts):
                    said.append((entry.received_ns, msgspec.structs.replace(entry.quote, ts=entry.crossed_ts)))
                said.append((entry.received_ns, entry.quote))
        for values in (self._prices, self._probabilities, self._momentum):
            for value in values.values():
                if value.tick is not None:
                    if value.changed_ts != value.ts:
                        said.append((value.received_ns, msgspec.structs.replace(value.tick, ts=value.changed_ts)))
                    said.append((value.received_ns, value.tick))
        for feed in self.feeds.named():
            if feed.silence_ns is not None:
                beat = FeedBeat(source=feed.name, ts=feed.last_ts, max_silence_s=feed.silence_ns / NS_PER_S)
                said.append((feed.last_ts, beat))
        said.sort(key=lambda pair: pair[0])
        return [Ticks(batch=(tick,), received_ns=received_ns) for received_ns, tick in said]

    def _apply_quote(self, tick: Quote, now_ns: int) -> QuoteInForce | None:
        entry = self._quotes.get(tick.ticker)
        if entry is None:
            entry = self.quote(tick.ticker)
        feed = entry.feed
        if feed is None or feed.source != tick.source:
            feed = self.feeds.feed(tick.source, tick.ticker)
        ts = tick.ts
        if (feed.clock_ahead or not OLDEST_NS < ts <= now_ns + AHEAD_NS) and not self.feeds.instant_stands(
            feed, ts, now_ns
        ):
            return None
        yes_bid, yes_ask, no_bid, no_ask = tick.yes_bid, tick.yes_ask, tick.no_bid, tick.no_ask
        bad = (
            (yes_bid is not None and yes_bid > ONE)
            or (yes_ask is not None and yes_ask > ONE)
            or (no_bid is not None and no_bid > ONE)
            or (no_ask is not None and no_ask > ONE)
        )
        if (bad or feed.bad_units) and not self.feeds.units_stand(feed, bad=bad):
            return None
        if ts < entry.ts and usable(entry.feed):
            self.dropped_old += 1
            return None
        feed.last_ts = max(feed.last_ts, ts)
        entry.feed = feed
        entry.quote = tick
        entry.ts = ts
        entry.received_ns = now_ns
        entry.version += 1
        # A zero Decimal is false: nobody is there. Neither is anybody at an ask of one dollar.
        entry.yes_bid = yes_bid = yes_bid or None
        entry.no_bid = no_bid = no_bid or None
        entry.yes_ask = yes_ask = None if yes_ask is None or yes_ask == ONE else yes_ask or None
        entry.no_ask = no_ask = None if no_ask is None or no_ask == ONE else no_ask or None
        entry.bid = bid = tick.bid or None
        entry.ask = ask = tick.ask or None
        if (
            (yes_bid is not None and yes_ask is not None and yes_bid > yes_ask)
            or (no_bid is not None and no_ask is not None and no_bid > no_ask)
            or (bid is not None and ask is not None and bid > ask)
        ):
            entry.crossed_ts = entry.crossed_ts or ts
        else:
            entry.crossed_ts = 0
        return entry

    def _apply_value(
        self,
        entry: ValueInForce,
        tick: SpotPrice | Probability | Momentum,
        value: Number,
        possible: bool,  # noqa: FBT001  # a keyword costs on the hot path
        now_ns: int,
    ) -> ValueInForce | None:
        feed = entry.feed
        if feed is None or feed.source != tick.source:
            feed = self.feeds.feed(tick.source, entry.name)
        ts = tick.ts
        if not self.feeds.instant_stands(feed, ts, now_ns):
            return None
        if not possible or feed.unit_suspect:
            self.feeds.rejected_values += 1
            return None
        if ts < entry.ts and usable(entry.feed):
            self.dropped_old += 1
            return None
        feed.last_ts = max(feed.last_ts, ts)
        if entry.ts == 0 or value != entry.value:
            entry.value = value
            entry.changed_ts = ts
        entry.feed = feed
        entry.tick = tick
        entry.ts = ts
        entry.received_ns = now_ns
        entry.version += 1
        return entry

    def _apply_beat(self, beat: FeedBeat, now_ns: int) -> Feed | None:
        feed = self.feeds.feed(beat.source, beat.source)
        if not self.feeds.instant_stands(feed, beat.ts, now_ns):
            return None
        if beat.ts < feed.last_ts and feed.silence_ns is not None:
            self.dropped_old += 1
            return None
        feed.last_ts = max(feed.last_ts, beat.ts)
        silence_ns = round(beat.max_silence_s * NS_PER_S)
        feed.silence_changed |= silence_ns != feed.silence_ns
        feed.silence_ns = silence_ns
        return feed


def _value(values: dict[str, ValueInForce], kind: str, name: str) -> ValueInForce:
    entry = values.get(name)
    if entry is None:
        entry = values[name] = ValueInForce(kind, name)
    return entry
