"""Floods by chance, the stops that they meet, and how these end with every tick and with what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from random import Random
from typing import Final

from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from actors.rules.folding.levels import seen, value_of
from actors.rules.folding.path import Heard
from actors.rules.folding.terms import FoldTerms, widened
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Part, Quote, Tick, Ticks
from bus.messages.stops import StopFired, StopProgress
from bus.messages.trades import Side, Trade
from tests.rules.stops.builders import (
    COIN,
    TICKER,
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_quote,
    a_trade,
    at,
    stop,
)

TRADES: Final = 60
"""Of an example."""


class Stops:
    """Trades with one stop each, of every kind, at levels that a walk may reach or not; seen through a crossed book after a while each."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # an example
        self._confirms = self._random.choice(((1,), (2,), (3,), (1, 3)))
        self._limits = self._random.choice(((None,), ("0.01",), (None, "0.03")))
        self._patiences = self._random.choice((("2",), ("0",), ("0.01", "0.03")))
        self.trades = [self._trade(number) for number in range(TRADES)]
        self.terms = reduce(widened, self.trades, FoldTerms())

    def _trade(self, number: int) -> Trade:
        side = self._random.choice((Side.YES, Side.YES, Side.NO, Side.LONG, Side.SHORT))
        make = a_trade if side.is_event else a_coin_trade
        rule, settings = self._event() if side.is_event else self._linear()
        if rule not in ("profit", "momentum"):
            settings["confirm_ticks"] = self._random.choice(self._confirms)
        limit = self._random.choice(self._limits)
        if limit is not None and rule not in ("momentum", "buffer"):
            settings["max_quote_disagreement"] = limit
        general = {
            "crossed_max_s": self._random.choice(self._patiences),
            "max_spread": self._random.choice(("0.20", "0.01")),
        }
        return make(stop(rule, **settings), trade_id=f"t{number}", side=side, general=general)

    def _event(self) -> tuple[str, dict[str, object]]:
        cents = Decimal(self._random.randint(40, 60)) / 100
        options: tuple[tuple[str, dict[str, object]], ...] = (
            ("price", {"stop_price": cents}),
            ("loss", {"max_loss": self._random.randint(0, 20) / Decimal(10)}),
            ("probability", {"floor_percent": cents * 100}),
            ("profit", {"take_profit_price": cents}),
            ("trailing", {"trail": Decimal(self._random.randint(1, 18)) / 100, **self._from(cents)}),
            ("trailing", {"trail_percent": self._random.randint(2, 35), **self._from(cents)}),
            ("momentum", {"threshold_percent": self._random.randint(1, 6)}),
            ("buffer", {"min_buffer": self._random.randint(-2, 12)}),
        )
        return self._random.choice(options)

    def _linear(self) -> tuple[str, dict[str, object]]:
        options: tuple[tuple[str, dict[str, object]], ...] = (
            ("price", {"stop_price": self._random.randint(92, 108)}),
            ("trailing", {"trail": self._random.randint(1, 12), **self._from(self._random.randint(92, 108))}),
            ("trailing", {"trail_percent": self._random.randint(1, 12), **self._from(self._random.randint(92, 108))}),
            ("profit", {"take_profit_price": self._random.randint(92, 108)}),
        )
        return self._random.choice(options)

    def _from(self, best: Decimal | int) -> dict[str, object]:
        return {"activate_at": best} if self._random.random() < 0.5 else {}


INPUTS: Final = {
    "one market": ("quote",),
    "two markets": ("quote", "coin"),
    "all inputs": ("quote",) * 6 + ("coin", "coin", "price", "momentum", "old", "beat"),
}


@dataclass(frozen=True)
class Flood:
    """Reads of a market, in folds whose boundaries lie anywhere; small to print.

    moves: how often a value does; blinks: how often it is not there; stays: how often a tick has the instant of the one before;
    crosses: whether bid and ask may; late_s: how long after their instants ticks come.
    """

    seed: int
    inputs: str
    moves: float
    blinks: float
    counts: Sequence[int]
    crosses: bool = False
    stays: float = 0
    late_s: int = 0

    def folds(self) -> list[list[Ticks]]:
        """Return the reads, fold by fold."""
        walk = Walk(self)
        return [walk.reads(count) for count in self.counts]


class Walk:
    """Values that wander, tick by tick."""

    def __init__(self, flood: Flood) -> None:
        self._random = Random(flood.seed)  # a walk
        self._flood = flood
        self._inputs = INPUTS[flood.inputs]
        self._narrowest = -1 if flood.crosses else 0
        self._second = Decimal("0.1")
        self._at = {"bid": 50, "wide": 1, "apart": 0, "coin": 100, "price": 5, "momentum": 0}

    def reads(self, count: int) -> list[Ticks]:
        """Return so many reads, of one to three ticks each."""
        return [self._read() for _ in range(count)]

    def _read(self) -> Ticks:
        batch = tuple(self._tick() for _ in range(self._random.randint(1, 3)))
        return Ticks(batch=batch, received_ns=at(str(self._second + self._flood.late_s)))

    def _tick(self) -> Tick:
        if self._random.random() >= self._flood.stays:
            self._second += Decimal("0.001")
        second = float(self._second)
        match self._random.choice(self._inputs):
            case "quote":
                return self._quote(second)
            case "coin":
                bid = self._moved("coin", 94, 106)
                return a_coin_quote(second, str(bid), str(bid + 1 + self._moved("wide", self._narrowest, 2)))
            case "price":
                return a_price(second, 119_500 + self._moved("price", 0, 10))
            case "momentum":
                return a_momentum(second, self._moved("momentum", -5, 5))
            case "beat":
                return a_beat(second, max_silence_s=self._random.choice((30, 40)))
            case _:
                return a_quote(max(0, second - 0.05), "0.43", "0.44")

    def _quote(self, second: float) -> Tick:
        bid, wide, apart = (
            self._moved("bid", 41, 58),
            self._moved("wide", self._narrowest, 2),
            max(0, self._moved("apart", -4, 5)),
        )
        return a_quote(
            second,
            self._there(bid),
            self._there(bid + wide),
            no_bid=self._there(98 - bid),
            no_ask=self._there(100 - bid + apart),
        )

    def _moved(self, name: str, low: int, high: int) -> int:
        if self._random.random() < self._flood.moves:
            self._at[name] = min(high, max(low, self._at[name] + self._random.randint(-3, 3)))
        return self._at[name]

    def _there(self, cents: int) -> str | None:
        return None if self._random.random() < self._flood.blinks else str(Decimal(cents) / 100)


FIRST: Final = Ticks(
    batch=(a_quote(0.1, "0.50", "0.51", no_bid="0.49", no_ask="0.50"), a_coin_quote(0.1, "100", "101")),
    received_ns=at(0.1),
)


def an_engine(trades: Sequence[Trade]) -> StopEngine:
    """Return an engine that watches `trades`, each price known."""
    engine = StopEngine()
    engine.handle(FIRST)
    for trade in trades:
        engine.handle(trade)
    return engine


class Outcome:
    """What an engine has decided in the end, and what it goes on with."""

    def __init__(self, stops: Stops, words: Sequence[Ticks]) -> None:
        engine = an_engine(stops.trades)
        said = [each for word in words for each in engine.handle(word)]
        self.fired = {(each.decision.trade_id, each.decision.rule) for each in said if isinstance(each, StopFired)}
        armed = {progress.trade_id: progress for progress in engine.progress() if isinstance(progress, StopProgress)}
        self.counted = {
            trade_id: counted
            for trade_id, progress in armed.items()
            if (trade_id, progress.rule) not in self.fired
            and (counted := (progress.best, progress.active, progress.confirms)) != (None, False, 0)
        }
        book = engine.book
        quotes, prices = (book.quote(TICKER), book.quote(COIN)), (book.price("BTC"), book.momentum("BTC"))
        self.markets = (
            [(quote.quote, quote.received_ns, quote.crossed_ts) for quote in quotes],
            [(value.tick, value.received_ns, value.changed_ts) for value in prices],
            {(feed.name, feed.last_ts, feed.mark) for feed in book.feeds.named()},
        )


def folded(
    stops: Stops, words: Sequence[Ticks], *, most: int = 0, thin_each: int = 50, known: Known | None = None
) -> list[Ticks]:
    """Return what is said in the place of `words`. thin_each: after how many of them everything is thinned out, beside what must be."""
    fold = Fold(stops.terms, most, known or Known())
    for number, word in enumerate(words, 1):
        fold.add(word)
        if fold.held > most and (number % thin_each == 0 or number == len(words)):
            fold.thin()
    return [word for word in fold.words() if isinstance(word, Ticks)]


def both(seed: int, flood: Flood, thin_each: int) -> tuple[Outcome, Outcome]:
    """Return how the same stops end that have seen every tick, and those that have seen the folds."""
    stops, folds, known = Stops(seed), flood.folds(), Known()
    for tick in FIRST.batch:
        known.takes(tick, FIRST.received_ns)
    after = [word for fold in folds for word in folded(stops, fold, thin_each=thin_each, known=known)]
    return Outcome(stops, [word for fold in folds for word in fold]), Outcome(stops, after)


def heard(*ticks: Tick, part: Part = Part.KEPT) -> list[Heard]:
    """Return the path of one input, each tick of which came by itself and at its own instant."""
    known, path = Known(), []
    for number, tick in enumerate(ticks):
        known.takes(tick, tick.ts)
        stands = known.crossed_ts(tick.ticker) if isinstance(tick, Quote) else value_of(tick)
        path.append(Heard(number, number, tick.ts, tick, seen(tick), part, stands))
    return path


def prices(*values: int) -> list[Heard]:
    """Return the path of a price."""
    return heard(*(a_price(second, value) for second, value in enumerate(values, 1)))
