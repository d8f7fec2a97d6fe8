"""A flood that was folded decides as if every tick had been seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from actors.rules.folding.terms import FoldTerms, touched, widened
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Part, Tick, Ticks
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


SEEDS: Final = st.integers(0, 2**32)
FLOODS: Final = st.builds(
    Flood,
    seed=SEEDS,
    inputs=st.sampled_from(("one market", *INPUTS)),
    moves=st.sampled_from((0.1, 0.5, 1)),
    blinks=st.sampled_from((0, 0.1, 0.4)),
    counts=st.lists(st.integers(1, 5) | st.integers(1, 30) | st.integers(1, 80), min_size=1, max_size=8),
    crosses=st.booleans(),
    stays=st.sampled_from((0, 0.3, 0.8)),
    late_s=st.sampled_from((0, 0, 3)),
)


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


THINS: Final = st.sampled_from((1, 7, 50))


@settings(max_examples=120, deadline=None, database=None)
@given(SEEDS, FLOODS, THINS)
def test_a_folded_flood_decides_as_every_tick_would_have_decided(seed: int, flood: Flood, thin_each: int) -> None:
    """Fault 40: the same trades, by the same rules; the same counts and bests; the same markets: values, crossed books, feeds, since when."""
    seen, after = both(seed, flood, thin_each)

    assert (after.fired, after.counted, after.markets) == (seen.fired, seen.counted, seen.markets)


@pytest.mark.parametrize(
    ("seed", "flood"),
    [
        (6, Flood(0, "all inputs", 1, 0, (18,), late_s=3)),
        (0, Flood(459, "all inputs", 0.5, 0, (3,), late_s=3)),
        (2447370757, Flood(2755155085, "all inputs", 1, 0.4, (5,), late_s=3)),
        (4023303485, Flood(3206984639, "all inputs", 1, 0, (3,), late_s=3)),
        (2943917821, Flood(1623357655, "all inputs", 1, 0.4, (5,), late_s=3)),
    ],
)
def test_a_word_of_a_feed_lets_look_at_what_stood_before_the_fold_and_at_no_witness(seed: int, flood: Flood) -> None:
    """Fault 40: a beat within a fold lets look again; the tick that stood then may be gone."""
    seen, after = both(seed, flood, 1)

    assert after.fired == seen.fired


@pytest.mark.parametrize("inputs", INPUTS)
def test_what_a_fold_holds_is_bounded_by_its_inputs_not_by_its_ticks(inputs: str) -> None:
    """Fault 40, S11"""
    walk, fold, held = Walk(Flood(1, inputs, 1, 0.1, ())), Fold(Stops(1).terms, 1000, Known()), []
    for word in walk.reads(20_000):
        fold.add(word)
        held.append(fold.held)

    assert max(held[1000:]) <= max(held[:1000]) <= 2000
    assert fold.held + fold.folded == sum(len(word.batch) for word in Walk(Flood(1, inputs, 1, 0.1, ())).reads(20_000))


def test_few_ticks_stay_as_they_came() -> None:
    words = Walk(Flood(1, "all inputs", 1, 0, ())).reads(30)

    assert folded(Stops(1), words, most=1000) == words


def test_ticks_of_a_fold_keep_their_order_and_their_instants() -> None:
    words = Walk(Flood(1, "all inputs", 1, 0, ())).reads(300)
    came = [(id(tick), word.received_ns) for word in words for tick in word.batch]

    left = [(id(tick), word.received_ns) for word in folded(Stops(1), words) for tick in word.batch]

    assert left == [each for each in came if each in set(left)]


def test_history_within_a_flood_fires_nothing() -> None:
    """Fault 33: it raises bests and ends counts, and is no price to answer."""
    old = Ticks(batch=(a_quote(1, "0.20", "0.21"), a_quote(9, "0.50", "0.51")), received_ns=at(10))

    after = Outcome(Stops(1), folded(Stops(1), [old]))

    assert after.fired == Outcome(Stops(1), [old]).fired


def test_a_bad_quote_in_a_flood_still_marks_its_feed() -> None:
    """Fault 34"""
    bad = [a_quote(1 + step / 100, "40", "41") for step in range(100)]
    words = [
        Ticks(batch=(each, a_quote(1 + number / 100, "0.5", "0.51")), received_ns=each.ts)
        for number, each in enumerate(bad)
    ]

    [(_, _, mark)] = [feed for feed in Outcome(Stops(1), folded(Stops(1), words)).markets[2] if feed[0] == "kalshi"]

    assert mark == "unit_suspect"


def test_a_fold_ends_where_its_last_tick_is() -> None:
    """What adds several inputs up, such as an account's equity, is judged there and not before."""
    words = Walk(Flood(1, "two markets", 1, 0, ())).reads(300)

    fold = Fold(Stops(1).terms, 0, Known())
    for word in words:
        fold.add(word)
    fold.thin()
    *parts, end = fold.words()

    assert end == Ticks(batch=(), received_ns=words[-1].received_ns, part=Part.END)
    assert {word.part for word in parts if isinstance(word, Ticks)} <= {Part.KEPT, Part.WITNESS}


def test_what_comes_after_a_trade_s_word_is_kept_for_it_alone() -> None:
    """Fault 40: what its stop is crossed by after it was armed is told after it, though it was crossed deeper before."""
    trade = a_trade(stop("price", stop_price="0.45", confirm_ticks=1))
    before, after = (
        Walk(Flood(1, "one market", 1, 0, ())).reads(300),
        Walk(Flood(1, "one market", 1, 0, ())).reads(600)[300:],
    )
    fold = Fold(FoldTerms(), 0, Known())
    engine = StopEngine()
    for word in before:
        fold.add(word)
    fold.interpose(trade, touched(trade))
    for word in after:
        fold.add(word)

    said = [each for word in fold.words() for each in engine.handle(word)]

    assert [each.decision.trade_id for each in said if isinstance(each, StopFired)] == ["t1"]


def test_a_trade_that_comes_within_a_flood_is_folded_for_by_what_its_own_stop_asks() -> None:
    """Fault 40: nobody else wants three ticks to confirm."""
    trade = a_trade(stop("price", stop_price="0.45", confirm_ticks=3))
    fold, engine = Fold(FoldTerms(), 0, Known()), StopEngine()
    fold.interpose(trade, touched(trade))
    for word in Walk(Flood(1, "one market", 1, 0, ())).reads(300):
        fold.add(word)

    said = [each for word in fold.words() for each in engine.handle(word)]

    assert [each.decision.trade_id for each in said if isinstance(each, StopFired)] == ["t1"]


def test_what_is_older_than_a_tick_from_before_the_flood_is_not_kept_for_others() -> None:
    """Fault 40: the book drops it, so the ticks that follow decide alone."""
    known, newest = Known(), a_quote(5, "0.50", "0.51")
    known.takes(newest, newest.ts)
    old = [a_quote(1 + step / 100, "0.20", "0.21") for step in range(100)]
    new = [a_quote(6 + step / 100, "0.44", "0.45") for step in range(100)]

    words = folded(Stops(1), [Ticks(batch=(each,), received_ns=at(9)) for each in (*old, *new)], known=known)

    assert {tick.ts for word in words for tick in word.batch} <= {each.ts for each in new}
