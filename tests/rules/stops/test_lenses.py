"""Who sees what: each trade its own ticker by its own limits, no more often than need be, and no later."""

from decimal import Decimal

import pytest

from bus.messages.market import Part, Tick, Ticks
from bus.messages.timers import SetTimer
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import (
    COIN,
    Watch,
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
    watching,
)

D = Decimal
OTHER = "KXBTCD-OTHER"
LOW = ("0.20", "0.24")


@pytest.mark.parametrize(
    ("spec", "here", "there"),
    [
        (stop("price", stop_price="0.25"), a_quote(1, *LOW), a_quote(1, *LOW, ticker=OTHER)),
        (stop("probability", floor_percent=25), a_probability(1, 10), a_probability(1, 10, ticker=OTHER)),
        (stop("momentum", threshold_percent=1), a_momentum(1, -2), a_momentum(1, -2, symbol="ETH")),
        (stop("buffer", min_buffer=10), a_price(1, 1000), a_price(1, 1000, symbol="ETH")),
    ],
)
def test_a_trade_sees_nothing_of_another_ticker(spec: StopSpec, here: Tick, there: Tick) -> None:
    """Lesson 12"""
    watch = Watch(a_trade(spec), a_trade(spec, trade_id="other", ticker=OTHER, symbol="ETH"), answers=True)

    first = [fired.decision.trade_id for fired in watch.tick(there).fired]
    both = [fired.decision.trade_id for fired in watch.tick(here).fired]

    assert (first, both) == (["other"], ["other", "t1"])


@pytest.mark.parametrize(
    ("spec", "tick"),
    [
        (stop("probability", floor_percent=5), a_probability(1, 50)),
        (stop("momentum", threshold_percent=9), a_momentum(1, 0)),
        (stop("buffer", min_buffer=1), a_price(1, 120_000)),
    ],
)
def test_each_trade_goes_by_its_own_limit_of_age(spec: StopSpec, tick: Tick) -> None:
    patient = a_trade(spec, trade_id="patient", general={"max_input_age_s": 25})
    watch = Watch(a_trade(spec), patient).tick(tick)

    told = [len([kind for kind in watch.wait(seconds).notices if kind == "feed_stale"]) for seconds in (15, 17, 27)]

    bodies = [notice.body for commit in watch.commits for notice in commit.notices if notice.kind == "feed_stale"]
    assert told == [0, 1, 1]
    assert bodies == ["Stops of these trades are not fed: t1."]


def test_two_trades_that_bear_another_divergence_are_fed_each_by_its_own_limit() -> None:
    tight, wide = (stop("probability", floor_percent=25, max_divergence=points) for points in (10, 90))
    watch = Watch(a_trade(tight), a_trade(wide, trade_id="wide"), answers=True)

    watch.tick(a_probability(1, 50), a_quote(1, *LOW)).wait(7)

    assert [fired.decision.trade_id for fired in watch.fired] == ["t1"]


def test_a_linear_stop_fires_by_the_price_of_its_symbol_while_nobody_quotes() -> None:
    watch = Watch(a_coin_trade(stop("price", stop_price=95))).tick(a_price(1, 95, symbol=COIN))

    assert watch.rules == ["price"]


@pytest.mark.parametrize(("side", "bounded"), [(Side.LONG, (None, "112")), (Side.SHORT, ("88", None))])
def test_a_bound_that_leaves_a_trailing_stop_open_judges_nobody(
    monkeypatch: pytest.MonkeyPatch, side: Side, bounded: tuple[str | None, str | None]
) -> None:
    watch = Watch(a_coin_trade(stop("trailing", trail=10), side=side)).tick(a_coin_quote(1, "100", "100"))
    watch.tick(a_coin_quote(2, "110", "110") if side is Side.LONG else a_coin_quote(2, "90", "90"))
    judged: list[object] = []
    monkeypatch.setattr("actors.rules.stops.engine.judge", lambda *each: judged.append(each))

    watch.tick(a_coin_quote(3, *bounded))

    assert judged == []


def test_a_quote_of_another_feed_goes_stale_by_the_silence_which_that_one_announced() -> None:
    """Fault 32"""
    watch = watching(stop("price", stop_price="0.05")).tick(a_beat(1, "other", 5), a_quote(1, "0.60", "0.62"))

    watch.tick(a_quote(2, "0.60", "0.62", source="other")).wait(7.1)

    assert watch.notices == ["feed_stale"]


def test_a_probability_that_is_only_quoted_goes_stale_with_its_quote() -> None:
    watch = watching(stop("probability", floor_percent=5)).tick(a_quote(1, "0.60", "0.62")).wait(31.1)

    assert watch.notices == ["feed_stale"]


def test_a_probability_goes_on_by_the_quote_of_a_crossed_book_once_that_has_stood() -> None:
    watch = watching(stop("probability", floor_percent=25)).tick(a_quote(1, "0.24", "0.20")).wait(5)

    assert [fired.now_ns for fired in watch.fired] == [at(3)]


@pytest.mark.parametrize("word", [a_beat(40, "spot", 60), a_quote(40, "0.90", "0.92", ticker=OTHER, source="far")])
def test_a_feed_that_is_back_wakes_its_trades_though_the_same_read_brings_news_of_another(word: Tick) -> None:
    """Fault 32: first the quote of another ticker of the feed that was silent, then a word of another feed."""
    watch = Watch(a_coin_trade(trade_id="c"), answers=True).tick(a_quote(1, *LOW))
    watch.hear(a_trade(stop("price", stop_price="0.25"), ts=at(35)))

    watch.hear(Ticks(batch=(a_quote(40, "0.90", "0.92", ticker=OTHER), word), received_ns=at(40)))

    assert [fired.now_ns for fired in watch.fired] == [at(40)]


def test_a_feed_s_word_in_a_fold_lets_look_at_its_end_at_what_the_fold_has_touched() -> None:
    """Fault 40, Fault 32: the model's word was heard while the quote was not in force, and the quote contradicts it."""
    watch = Watch().tick(a_quote(1, "0.10", "0.10"))
    watch.hear(a_trade(stop("probability", floor_percent=25, max_divergence=50), ts=at(60)))

    watch.hear(Ticks(batch=(a_probability(60, 90), a_beat(61)), received_ns=at(61), part=Part.KEPT))
    watch.hear(Ticks(batch=(), received_ns=at(61), part=Part.END))

    assert [fired.now_ns for fired in watch.wait(70).fired] == [at(66)]


def test_a_crossed_book_whose_feed_falls_silent_goes_stale_before_it_would_count() -> None:
    watch = watching(stop("price", stop_price="0.25"), general={"crossed_max_s": 60})

    watch.tick(a_quote(1, "0.24", "0.20")).wait(31.1)

    assert (watch.notices, watch.wait(100).fired) == (["feed_stale"], [])


def timers(watch: Watch) -> list[tuple[str, int]]:
    return [(word.key, word.due_ns) for word in watch.said if isinstance(word, SetTimer)]


@pytest.mark.parametrize(
    ("trade", "ticks", "due"),
    [
        (a_trade(stop("price", stop_price="0.05")), [a_quote(second, "0.60", "0.62") for second in (1, 2, 3)], 31),
        (
            a_trade(stop("probability", floor_percent=5)),
            [a_probability(second, 50 + second) for second in (1, 2, 3)],
            16,
        ),
        (a_trade(stop("momentum", threshold_percent=9)), [a_momentum(second, second) for second in (1, 2, 3)], 16),
        (a_trade(stop("buffer", min_buffer=1)), [a_price(second, 120_000 + second) for second in (1, 2, 3)], 16),
    ],
)
def test_a_value_that_comes_again_and_again_costs_one_timer(trade: Trade, ticks: list[Tick], due: int) -> None:
    """Fault 40"""
    assert timers(Watch(trade).tick(*ticks)) == [("lens:1", at(due) + 1)]


def test_a_lens_through_which_nobody_looks_any_more_is_forgotten() -> None:
    trade = a_trade(
        stop("price", stop_price="0.25"), stop("probability", floor_percent=5), stop("buffer", min_buffer=1)
    )
    watch = Watch(trade)
    seen = len(watch.engine.roster.lenses.all())

    watch.hear(a_trade(version=9))

    assert (seen, watch.engine.roster.lenses.all()) == (3, [])
