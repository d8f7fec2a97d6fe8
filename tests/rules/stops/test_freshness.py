"""An input is unknown once it is too old, by the rules of its kind, and the trade is told of it."""

import pytest

from actors.rules.market.book import MarketBook
from actors.rules.market.marks import value_reading
from actors.rules.market.sight import Sight
from bus.messages.envelope import Outgoing
from bus.messages.market import Tick, Ticks
from bus.messages.trades import Side, Trade
from tests.rules.stops.builders import (
    COIN,
    GENERAL,
    SYMBOL,
    Watch,
    a_beat,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    numbers,
    stop,
    watching,
)

ALL = a_trade(
    stop("price", stop_price="0.25"),
    stop("probability", floor_percent=25),
    stop("momentum", threshold_percent="0.35"),
    stop("buffer", min_buffer=10),
)


def reason(rule: str, *ticks: Tick, now: float, trade: Trade = ALL) -> str | None:
    book = MarketBook()
    for tick in ticks:
        book.apply(tick, tick.ts)
    sight = Sight(trade, book, "sell")
    if rule == "price":
        return sight.exit(at(now)).reason
    if rule == "probability":
        return sight.fed_or_quoted_probability(at(now)).reason
    entry = sight.momentum if rule == "momentum" else sight.spot
    assert entry is not None
    return value_reading(entry, sight.view, at(now)).reason


@pytest.mark.parametrize(
    ("rule", "tick"),
    [("momentum", a_momentum(1, 1)), ("buffer", a_price(1, 100)), ("probability", a_probability(1, 50))],
)
@pytest.mark.parametrize(("now", "why"), [(16, None), (16.000000001, "stale")])
def test_a_model_output_is_stale_after_its_age(rule: str, tick: Tick, now: float, why: str | None) -> None:
    """Lesson 11, Fault 30"""
    assert reason(rule, tick, now=now) == why


@pytest.mark.parametrize(("now", "why"), [(31, None), (31.000000001, "frozen")])
def test_a_price_that_stands_still_for_too_long_is_frozen_though_it_keeps_arriving(now: float, why: str | None) -> None:
    """Lesson 11: staleness by value freeze."""
    ticks = [a_price(second, 100) for second in range(1, 32)]

    assert reason("buffer", *ticks, now=now) == why


@pytest.mark.parametrize(("now", "why"), [(31, None), (31.000000001, "feed_silent")])
def test_a_quote_is_in_force_while_its_feed_lives(now: float, why: str | None) -> None:
    assert reason("price", a_quote(1, "0.40", "0.45"), now=now) == why


def test_another_tickers_quote_of_the_same_feed_keeps_a_quote_in_force() -> None:
    assert reason("price", a_quote(1, "0.40", "0.45"), a_quote(30, "0.1", "0.2", ticker="OTHER"), now=60) is None


def test_a_beat_keeps_a_quote_in_force_and_announces_how_long() -> None:
    ticks = (a_quote(1, "0.40", "0.45"), a_beat(2, max_silence_s=120))

    assert reason("price", *ticks, now=122) is None
    assert reason("price", *ticks, now=122.000000001) == "feed_silent"


def test_a_ticker_without_a_source_is_not_kept_alive_by_others() -> None:
    """Fault 32: a feed dead for one symbol is never masked by the others."""
    ticks = (a_quote(1, "0.40", "0.45", source=None), a_quote(30, "0.1", "0.2", ticker="OTHER", source=None))

    assert reason("price", *ticks, now=32) == "feed_silent"


def test_a_ticker_may_have_a_limit_of_its_own() -> None:
    """Fault 32"""
    trade = a_trade(stop("price", stop_price="0.25"), settings={**GENERAL, **numbers({"max_quote_silence_s": 10})})
    ticks = (a_quote(1, "0.40", "0.45"), a_quote(11, "0.1", "0.2", ticker="OTHER"))

    assert reason("price", *ticks, now=11, trade=trade) is None
    assert reason("price", *ticks, now=11.000000001, trade=trade) == "quote_silent"


def test_a_quote_never_freezes() -> None:
    ticks = [a_quote(second, "0.40", "0.45") for second in range(1, 100)]

    assert reason("price", *ticks, now=100) is None


def test_a_price_of_a_source_whose_clock_is_ahead_is_not_used() -> None:
    """Fault 31"""
    book = MarketBook()
    book.apply(a_price(1, 100), at(1))
    book.apply(a_price(60, 100), at(2))

    sight = Sight(ALL, book, "sell")

    assert value_reading(book.price(SYMBOL), sight.view, at(2)).reason == "clock_ahead"


def test_a_price_that_may_be_of_any_age_still_freezes() -> None:
    watch = Watch(a_trade(stop("buffer", min_buffer=10), settings={**numbers({"max_frozen_s": 30})}))

    watch.tick(a_price(1, 120_000)).wait(32)

    assert watch.notices == ["feed_stale"]


def test_a_linear_trade_without_quotes_lives_by_the_age_of_the_price() -> None:
    trade = a_coin_trade(stop("price", stop_price=90), side=Side.LONG)

    assert reason("price", a_price(1, 100, symbol=COIN), now=16, trade=trade) is None
    assert reason("price", a_price(1, 100, symbol=COIN), now=17, trade=trade) == "stale"


def test_a_stale_probability_gives_way_to_the_quote_and_fires_by_it() -> None:
    watch = watching(stop("probability", floor_percent=25))

    watch.tick(a_probability(1, 50), a_quote(1, "0.15", "0.17")).wait(20)

    assert [fired.now_ns for fired in watch.fired] == [at(16) + 1]


def test_what_a_late_read_brings_fires_nothing_where_the_same_read_knows_better() -> None:
    """Fault 33, Fault 46: a process that was stopped hears at once what came meanwhile."""
    watch = watching(stop("price", stop_price="0.25"))

    watch.hear(Ticks(batch=(a_quote(1, "0.20", "0.24"), a_quote(9, "0.58", "0.60")), received_ns=at(12)))

    assert watch.fired == []


def test_the_newest_of_a_late_read_fires() -> None:
    """Fault 33: the price that is in force is acted on, however late it was heard."""
    watch = watching(stop("price", stop_price="0.25"))

    watch.hear(Ticks(batch=(a_quote(1, "0.58", "0.60"), a_quote(9, "0.20", "0.24")), received_ns=at(12)))

    assert watch.rules == ["price"]


def test_a_quote_that_is_in_force_again_gives_way_to_a_newer_one_of_the_same_read() -> None:
    """Fault 32, Fault 33: the feed's first word after a silence is a beat, and the new quote comes right behind it."""
    watch = Watch().tick(a_quote(1, "0.20", "0.24"))
    watch.hear(a_trade(stop("price", stop_price="0.25"), ts=at(60)))

    watch.hear(Ticks(batch=(a_beat(60), a_quote(60, "0.40", "0.42")), received_ns=at(60)))

    assert watch.fired == []


def test_a_feed_that_may_be_used_again_lets_look_at_the_newest_of_the_read_that_says_so() -> None:
    """Fault 32: a source whose clock ran ahead is right again, and the quote from before the mark is not the newest one."""
    watch = Watch().tick(a_quote(1, "0.20", "0.24"))
    watch.hear(Ticks(batch=(a_quote(9, "0.20", "0.24"),), received_ns=at(2)))
    watch.hear(a_trade(stop("price", stop_price="0.25"), ts=at(3)))

    watch.hear(Ticks(batch=(a_beat(4), a_quote(4, "0.40", "0.42")), received_ns=at(4)))

    assert watch.fired == []


def test_a_crossing_within_a_fresh_read_fires_though_the_price_came_back() -> None:
    watch = watching(stop("price", stop_price="0.25"))

    watch.hear(Ticks(batch=(a_quote(1, "0.20", "0.24"), a_quote(1.001, "0.58", "0.60")), received_ns=at(1.01)))

    assert watch.rules == ["price"]


def test_a_backlog_after_a_reconnect_fires_nothing() -> None:
    """Fault 33, Fault 30: no action on what was true a minute ago."""
    watch = watching(stop("price", stop_price="0.25"), stop("momentum", threshold_percent="0.35"))

    watch.tick(a_quote(1, "0.05", "0.10"), a_momentum(1, -5), received=at(90))

    assert watch.fired == []


def test_a_silent_feed_is_said_once_and_once_again_when_it_is_back() -> None:
    """Lesson 10, Fault 30, Fault 32"""
    watch = Watch(a_trade(stop("price", stop_price="0.25")), a_trade(stop("price", stop_price="0.20"), trade_id="t2"))

    watch.tick(a_quote(1, "0.40", "0.45")).wait(100)
    watch.tick(a_quote(101, "0.40", "0.45"))

    assert watch.notices == ["feed_stale", "feed_back"]


def test_a_quote_is_in_force_again_when_its_feed_beats_again() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=40)).tick(a_quote(1, "0.20", "0.24")).wait(60)

    watch.tick(*(a_beat(second) for second in range(61, 120, 10)))

    assert [fired.now_ns for fired in watch.fired] == [at(101)]


def test_a_feed_that_beats_as_ever_again_lets_look_at_what_it_left_in_the_dark() -> None:
    """Fault 32: the beat announces nothing new."""
    watch = Watch().tick(a_beat(0.5), a_quote(1, "0.20", "0.24"))
    watch.hear(a_trade(stop("price", stop_price="0.25"), ts=at(60)))

    watch.tick(a_beat(61))

    assert [fired.now_ns for fired in watch.fired] == [at(61)]


def test_a_book_that_becomes_crossed_is_looked_at_when_it_has_stood_for_long_enough() -> None:
    watch = watching(stop("price", stop_price="0.25")).tick(a_quote(1, "0.40", "0.45"), a_quote(5, "0.24", "0.20"))

    assert [fired.now_ns for fired in watch.wait(10).fired] == [at(7)]


def test_a_shorter_silence_that_is_announced_counts_from_then_on() -> None:
    watch = watching(stop("price", stop_price="0.25")).tick(a_quote(1, "0.40", "0.45"))

    watch.tick(a_beat(2, max_silence_s=5)).wait(7.1)

    assert watch.notices == ["feed_stale"]


def test_a_suspect_source_is_not_used_and_said_critically_at_once() -> None:
    watch = watching(stop("price", stop_price="0.25"))

    watch.tick(*(a_quote(second, "20", "24") for second in (1, 2, 3)), a_quote(4, "0.20", "0.24"))

    direct = [word.subject for word in watch.said if isinstance(word, Outgoing)]
    assert direct == ["notice.critical.feed_suspect"]
    assert watch.fired == []


def test_a_source_whose_clock_is_ahead_is_not_used_until_it_is_right() -> None:
    """Fault 31"""
    watch = watching(stop("price", stop_price="0.25", dwell_s=2)).tick(a_quote(1, "0.20", "0.24"))

    watch.tick(a_quote(60, "0.20", "0.24"), received=at(2))
    watch.wait(4)
    watch.tick(a_quote(5, "0.20", "0.24")).wait(8)

    assert [fired.now_ns for fired in watch.fired] == [at(7)]


CLOSING = {"policy": "close", "stale_grace_s": 30, "feed_restart_grace_s": 60, "stale_max_closes": 1}


def test_a_stale_input_only_alerts_by_default() -> None:
    watch = watching(stop("price", stop_price="0.25"), stop("stale", policy="alert")).tick(a_quote(1, "0.40", "0.45"))

    watch.wait(1000)

    assert (watch.fired, watch.notices) == ([], ["feed_stale"])


@pytest.mark.parametrize(("restart_grace", "due"), [(60, 61), (70, 71), (0, 61)])
def test_policy_close_waits_for_its_grace_and_for_that_of_a_restart(restart_grace: int, due: int) -> None:
    stale = stop("stale", **(CLOSING | {"feed_restart_grace_s": restart_grace}))
    watch = watching(stop("price", stop_price="0.25"), stale).tick(a_quote(1, "0.40", "0.45"))

    watch.wait(200)

    assert watch.rules == ["stale"]
    assert watch.fired[0].now_ns // 1_000 == at(due) // 1_000


def test_a_feed_that_comes_back_within_the_grace_closes_nothing() -> None:
    watch = watching(stop("price", stop_price="0.25"), stop("stale", **CLOSING)).tick(a_quote(1, "0.40", "0.45"))

    watch.wait(59)
    watch.tick(*(a_quote(second, "0.40", "0.45") for second in range(60, 120, 20)))

    assert watch.fired == []


def test_one_dead_feed_does_not_flatten_a_book() -> None:
    trades = [a_trade(stop("price", stop_price="0.25"), stop("stale", **CLOSING), trade_id=f"t{n}") for n in range(4)]

    watch = Watch(*trades, answers=True).tick(a_quote(1, "0.40", "0.45")).wait(200)

    closes = [fired.now_ns // 1_000_000_000 - at(0) // 1_000_000_000 for fired in watch.fired]
    assert closes == [61, 121, 181]


def test_a_rule_that_was_never_fed_is_not_stale() -> None:
    watch = watching(stop("price", stop_price="0.25"), stop("stale", **CLOSING)).wait(1000)

    assert (watch.fired, watch.notices) == ([], [])
