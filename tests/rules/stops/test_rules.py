"""Every stop rule at its boundary, on event contracts and on linear instruments."""

from decimal import Decimal

import pytest

from bus.messages.market import StrikeType, Tick
from bus.messages.stops import Input
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import (
    COIN,
    Watch,
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


def bid(price: str | None, ask: str | None = None, seconds: float = 1) -> Tick:
    """The own bid of a yes trade."""
    return a_quote(seconds, price, ask)


def coin(price: str, *, short: bool = False, seconds: float = 1) -> Tick:
    """The price at which the linear trade leaves."""
    return a_coin_quote(seconds, None if short else price, price if short else None)


def fires(trade: Trade, *ticks: Tick) -> bool:
    return bool(Watch(trade).tick(*ticks).fired)


PRICE_STOP = stop("price", stop_price="0.25")
COIN_STOP = stop("price", stop_price="95")


@pytest.mark.parametrize(
    ("trade", "tick", "expected"),
    [
        (a_trade(PRICE_STOP), bid("0.26"), False),
        (a_trade(PRICE_STOP), bid("0.25"), True),
        (a_trade(PRICE_STOP, side=Side.NO), a_quote(1, no_bid="0.26"), False),
        (a_trade(PRICE_STOP, side=Side.NO), a_quote(1, no_bid="0.25"), True),
        (a_coin_trade(COIN_STOP), coin("95.01"), False),
        (a_coin_trade(COIN_STOP), coin("95"), True),
        (a_coin_trade(stop("price", stop_price="105"), side=Side.SHORT), coin("104.99", short=True), False),
        (a_coin_trade(stop("price", stop_price="105"), side=Side.SHORT), coin("105", short=True), True),
    ],
)
def test_a_price_stop_fires_at_its_price_and_beyond(trade: Trade, tick: Tick, expected: bool) -> None:
    assert fires(trade, tick) is expected


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        (bid(None, "0.25"), True),
        (bid(None, "0.26"), False),
        (bid(None, None), False),
        (bid("0", "0.05"), True),
    ],
)
def test_a_price_stop_fires_on_a_book_without_bids_only_when_it_holds_over_the_whole_bound(
    quote: Tick, expected: bool
) -> None:
    assert fires(a_trade(PRICE_STOP), quote) is expected


@pytest.mark.parametrize(("lowest", "expected"), [("105", True), ("104.99", False)])
def test_a_short_without_an_ask_fires_when_the_bid_alone_is_beyond_the_stop(lowest: str, expected: bool) -> None:
    trade = a_coin_trade(stop("price", stop_price="105"), side=Side.SHORT)

    assert fires(trade, a_coin_quote(1, lowest, None)) is expected


FLOOR = stop("probability", floor_percent=25)


@pytest.mark.parametrize(
    ("trade", "tick", "expected"),
    [
        (a_trade(FLOOR), a_probability(1, 25), False),
        (a_trade(FLOOR), a_probability(1, "24.999999"), True),
        (a_trade(FLOOR, side=Side.NO), a_probability(1, 75), False),
        (a_trade(FLOOR, side=Side.NO), a_probability(1, "75.000001"), True),
        (a_trade(FLOOR), bid("0.20", "0.30"), False),
        (a_trade(FLOOR), bid("0.20", "0.29"), True),
        (a_trade(FLOOR), bid("0.01", "0.25"), False),
        (a_trade(FLOOR), bid("0.00", "0.25"), True),
        (a_trade(FLOOR), bid("0.00", "0.26"), False),
    ],
)
def test_a_probability_stop_fires_below_its_floor_and_never_at_it(trade: Trade, tick: Tick, expected: bool) -> None:
    assert fires(trade, tick) is expected


@pytest.mark.parametrize(("percent", "expected"), [("25.95", False), ("25.85", True)])
def test_a_floor_is_exact_to_its_last_digit(percent: str, expected: bool) -> None:
    """Lesson 64: 25.9 is not 25."""
    assert fires(a_trade(stop("probability", floor_percent="25.9")), a_probability(1, percent)) is expected


@pytest.mark.parametrize(
    ("trade", "tick", "expected"),
    [
        (a_trade(stop("loss", max_loss=2)), bid("0.4001"), False),
        (a_trade(stop("loss", max_loss=2)), bid("0.40"), True),
        (a_trade(stop("loss", max_loss_percent=50)), bid("0.3001"), False),
        (a_trade(stop("loss", max_loss_percent=50)), bid("0.30"), True),
        (a_trade(stop("loss", max_loss=5, max_loss_percent=50)), bid("0.30"), True),
        (a_trade(stop("loss", max_loss=2), general={"fee_model": "kalshi"}), bid("0.4181"), False),
        (a_trade(stop("loss", max_loss=2), general={"fee_model": "kalshi"}), bid("0.418"), True),
        (a_trade(stop("loss", max_loss=2), general={"fee_model": "percent", "fee_percent": 20}), bid("0.5001"), False),
        (a_trade(stop("loss", max_loss=2), general={"fee_model": "percent", "fee_percent": 20}), bid("0.50"), True),
        (a_trade(stop("loss", max_loss=2)), bid(None, "0.40"), True),
        (a_trade(stop("loss", max_loss=2)), bid(None, "0.41"), False),
        (a_coin_trade(stop("loss", max_loss=10)), coin("95.01"), False),
        (a_coin_trade(stop("loss", max_loss=10)), coin("95"), True),
        (a_coin_trade(stop("loss", max_loss_percent=5), side=Side.SHORT), coin("104.99", short=True), False),
        (a_coin_trade(stop("loss", max_loss_percent=5), side=Side.SHORT), coin("105", short=True), True),
    ],
)
def test_a_loss_stop_fires_at_its_amount_or_percent(trade: Trade, tick: Tick, expected: bool) -> None:
    assert fires(trade, tick) is expected


@pytest.mark.parametrize(
    ("trade", "tick", "expected"),
    [
        (a_trade(stop("profit", take_profit_price="0.80")), bid("0.79"), False),
        (a_trade(stop("profit", take_profit_price="0.80")), bid("0.80"), True),
        (a_trade(stop("profit", take_profit_amount=2)), bid("0.7999"), False),
        (a_trade(stop("profit", take_profit_amount=2)), bid("0.80"), True),
        (a_trade(stop("profit", take_profit_percent=50)), bid("0.8999"), False),
        (a_trade(stop("profit", take_profit_percent=50)), bid("0.90"), True),
        (a_trade(stop("profit", take_profit_amount=2)), bid(None, "0.99"), False),
        (a_coin_trade(stop("profit", take_profit_price=110)), coin("109.99"), False),
        (a_coin_trade(stop("profit", take_profit_price=110)), coin("110"), True),
        (a_coin_trade(stop("profit", take_profit_price=90), side=Side.SHORT), coin("90.01", short=True), False),
        (a_coin_trade(stop("profit", take_profit_price=90), side=Side.SHORT), coin("90", short=True), True),
        (a_coin_trade(stop("profit", take_profit_percent=10), side=Side.SHORT), coin("90.01", short=True), False),
        (a_coin_trade(stop("profit", take_profit_percent=10), side=Side.SHORT), coin("90", short=True), True),
    ],
)
def test_a_profit_target_fires_at_its_price_amount_or_percent(trade: Trade, tick: Tick, expected: bool) -> None:
    assert fires(trade, tick) is expected


THRESHOLD = stop("momentum", threshold_percent="0.35")


@pytest.mark.parametrize("kind", [StrikeType.ABOVE, StrikeType.BELOW])
@pytest.mark.parametrize("side", [Side.YES, Side.NO])
@pytest.mark.parametrize("percent", ["0.35", "0.3499", "-0.35", "-0.3499"])
def test_a_momentum_stop_fires_at_its_threshold_against_the_trade(kind: StrikeType, side: Side, percent: str) -> None:
    rising_hurts = (side is Side.NO) is (kind is StrikeType.ABOVE)
    trade = a_trade(THRESHOLD, side=side, strike_type=kind)

    fired = fires(trade, a_momentum(1, percent))

    assert fired is (percent == ("0.35" if rising_hurts else "-0.35"))


@pytest.mark.parametrize(("side", "percent"), [(Side.LONG, "-0.35"), (Side.SHORT, "0.35")])
def test_a_momentum_stop_fires_on_a_linear_trade(side: Side, percent: str) -> None:
    trade = a_coin_trade(THRESHOLD, side=side)

    assert fires(trade, a_momentum(1, percent, symbol=COIN))
    assert not fires(trade, a_momentum(1, -Decimal(percent), symbol=COIN))  # type: ignore[arg-type]  # exact by str


@pytest.mark.parametrize(
    ("trade", "price", "expected"),
    [
        (a_trade(stop("buffer", min_buffer=100)), "119600", False),
        (a_trade(stop("buffer", min_buffer=100)), "119599.99", True),
        (a_trade(stop("buffer", min_buffer=100), side=Side.NO), "119400", False),
        (a_trade(stop("buffer", min_buffer=100), side=Side.NO), "119400.01", True),
        (a_trade(stop("buffer", min_buffer=100), strike_type=StrikeType.BELOW), "119400", False),
        (a_trade(stop("buffer", min_buffer=100), strike_type=StrikeType.BELOW), "119400.01", True),
        (a_trade(stop("buffer", min_buffer=-50)), "119450", False),
        (a_trade(stop("buffer", min_buffer=-50)), "119449.99", True),
        (a_trade(stop("buffer", min_buffer=100), strike_type=StrikeType.BETWEEN), "1", False),
        (a_trade(stop("buffer", min_buffer=100), strike=None), "1", False),
    ],
)
def test_a_buffer_stop_fires_below_its_limit(trade: Trade, price: str, expected: bool) -> None:
    assert fires(trade, a_price(1, price)) is expected


@pytest.mark.parametrize(
    ("trade", "due"),
    [
        (a_trade(stop("time", max_age_s=60)), 60),
        (a_trade(stop("time", close_before_s=120)), 3480),
        (a_trade(stop("time", max_age_s=60, close_before_s=120)), 60),
        (a_coin_trade(stop("time", max_age_s=60)), 60),
        (a_coin_trade(stop("time", close_before_s=30), close_ts=at(100)), 70),
    ],
)
def test_a_time_stop_fires_at_its_age_or_time_to_close_by_a_timer(trade: Trade, due: int) -> None:
    watch = Watch(trade)

    before = len(watch.wait(due - 0.001).fired)
    after = watch.wait(due).fired

    assert before == 0
    assert [fired.now_ns for fired in after] == [at(due)]


def test_a_time_stop_of_a_trade_without_a_close_time_never_fires() -> None:
    assert watching(stop("time", close_before_s=10), close_ts=None).wait(100_000).fired == []


@pytest.mark.parametrize(
    "spec", [stop("price"), stop("loss"), stop("profit"), stop("trailing"), stop("momentum"), stop("time")]
)
def test_a_rule_without_a_setting_is_off(spec: StopSpec) -> None:
    watch = watching(spec)

    watch.tick(bid("0.01"), bid("0.99", seconds=2), a_momentum(3, -50)).wait(5000)

    assert watch.fired == []


def test_a_decision_lists_its_inputs_with_their_age_and_source() -> None:
    """Lesson 6: a decision names its inputs, and they are the newest seen."""
    watch = watching(stop("price", stop_price="0.25"))
    newest = bid("0.20", seconds=3)

    watch.tick(bid("0.40", seconds=2))
    watch.tick(newest, received=at(3.25))

    said = watch.fired[0].decision.inputs["exit"]
    assert (said.value, said.ts, said.age_ms, said.source) == (Decimal("0.20"), at(3), 250, "kalshi")


@pytest.mark.parametrize(
    ("spec", "tick", "named", "source"),
    [
        (
            stop("price", stop_price="0.25"),
            bid("0.20", "0.24", seconds=3),
            {"exit": "0.20", "yes_bid": "0.20", "yes_ask": "0.24"},
            "kalshi",
        ),
        (
            stop("loss", max_loss=2),
            bid("0.30", "0.34", seconds=3),
            {"exit": "0.30", "pnl": "-3.00", "pnl_percent": "-50", "yes_bid": "0.30", "yes_ask": "0.34"},
            "kalshi",
        ),
        (
            stop("price", stop_price="0.25"),
            bid(None, "0.24", seconds=3),
            {"exit_low": "0", "exit_high": "0.24", "yes_ask": "0.24"},
            "kalshi",
        ),
        (stop("probability", floor_percent=25), a_probability(3, 10), {"probability": "10"}, "model"),
        (stop("momentum", threshold_percent="0.35"), a_momentum(3, -1), {"momentum": "-1"}, "model"),
        (stop("buffer", min_buffer=10), a_price(3, 1000), {"price": "1000", "buffer": "-118500"}, "coinbase"),
    ],
)
def test_a_decision_lists_all_that_its_rule_reads_and_nothing_else(
    spec: StopSpec, tick: Tick, named: dict[str, str], source: str
) -> None:
    """Lesson 6"""
    watch = watching(spec).tick(tick, received=at(3.25))

    assert watch.fired[0].decision.inputs == {
        name: Input(value=Decimal(value), ts=at(3), age_ms=250, source=source) for name, value in named.items()
    }


def test_a_decision_lists_pnl_and_its_percent() -> None:
    watch = watching(stop("loss", max_loss=2)).tick(bid("0.30"))

    inputs = watch.fired[0].decision.inputs

    assert (inputs["pnl"].value, inputs["pnl_percent"].value) == (Decimal("-3.00"), Decimal(-50))


def test_a_fired_stop_carries_the_mark_that_prices_its_close() -> None:
    watch = watching(stop("price", stop_price="0.25")).tick(bid("0.20", "0.24"))

    mark = watch.fired[0].mark

    assert (mark.low, mark.high, mark.sell_ask) == (Decimal("0.20"), Decimal("0.20"), Decimal("0.24"))
