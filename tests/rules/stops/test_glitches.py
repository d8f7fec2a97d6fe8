"""A corpus of single-tick glitches: none closes a trade, and a true stop is late by the ticks that confirm it, no more.

Each glitch stands between healthy quotes that are half a second apart.
"""

import pytest

from bus.messages.market import Tick
from tests.rules.stops.builders import (
    Watch,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
)

CONFIRMED = {"confirm_ticks": 2, "max_quote_disagreement": "0.18"}
TRADE = a_trade(
    stop("probability", floor_percent=25, max_divergence=50, **CONFIRMED),
    stop("price", stop_price="0.25", **CONFIRMED),
    stop("loss", max_loss=3, **CONFIRMED),
    stop("profit", take_profit_price="0.90", max_quote_disagreement="0.18"),
    stop("trailing", trail="0.20", **CONFIRMED),
    stop("buffer", min_buffer=10, confirm_ticks=2),
)


def healthy(seconds: float) -> list[Tick]:
    return [
        a_quote(seconds, "0.60", "0.62", no_bid="0.38", no_ask="0.40"),
        a_probability(seconds, 60 + seconds / 10),
        a_price(seconds, 120_000 + seconds),
    ]


GLITCHES: dict[str, Tick] = {
    "the yes bid vanishes to a cent": a_quote(1.2, "0.01", "0.62", no_bid="0.38", no_ask="0.40"),
    "the whole yes quote collapses": a_quote(1.2, "0.01", "0.02", no_bid="0.38", no_ask="0.40"),
    "both quotes collapse together": a_quote(1.2, "0.01", "0.02", no_bid="0.98", no_ask="0.99"),
    "the yes quote leaps up": a_quote(1.2, "0.97", "0.98", no_bid="0.38", no_ask="0.40"),
    "the book empties": a_quote(1.2, "0", "1", no_bid="0", no_ask="1"),
    "only an ask is left, at one cent": a_quote(1.2, None, "0.01"),
    "the book crosses": a_quote(1.2, "0.62", "0.05", no_bid="0.95", no_ask="0.40"),
    "prices come in cents": a_quote(1.2, "1", "2", no_bid="98", no_ask="99"),
    "the feed says nothing is left": a_probability(1.2, 0),
    "the feed says a fraction for a percent": a_probability(1.2, "0.6"),
    "the underlying loses a digit": a_price(1.2, 12_000),
    "the underlying is nothing": a_price(1.2, 0),
    "a quote from a minute ago": a_quote(-60, "0.01", "0.02", no_bid="0.98", no_ask="0.99"),
    "a quote from the future": a_quote(3600, "0.01", "0.02", no_bid="0.98", no_ask="0.99"),
    "momentum of nobody": a_momentum(1.2, -99),
}


@pytest.mark.parametrize("glitch", GLITCHES.values(), ids=GLITCHES.keys())
def test_a_single_glitch_closes_nothing(glitch: Tick) -> None:
    """Lesson 19: no false stop."""
    watch = Watch(TRADE).tick(*healthy(0.5), *healthy(1))

    watch.tick(glitch, received=at(1.2))
    watch.tick(*healthy(1.5), *healthy(2), *healthy(2.5)).wait(10)

    assert watch.fired == []


@pytest.mark.parametrize("glitch", GLITCHES.values(), ids=GLITCHES.keys())
def test_a_true_stop_after_a_glitch_is_late_by_the_confirming_tick_at_most(glitch: Tick) -> None:
    """Lesson 19: a true stop is delayed by k ticks at most."""
    watch = Watch(TRADE).tick(*healthy(0.5), *healthy(1))
    watch.tick(glitch, received=at(1.2))
    watch.tick(*healthy(1.5))

    watch.tick(*(a_quote(2 + step / 2, "0.20", "0.22", no_bid="0.78", no_ask="0.80") for step in range(2)))

    assert watch.rules == ["price", "loss", "trailing"]
    assert watch.fired[0].now_ns == at(2.5)
