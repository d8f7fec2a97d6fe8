"""The index finds what a scan over all trades finds: the same decisions, in the same order, at the same instants."""

from collections.abc import Callable
from decimal import Decimal
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.rules.stops.engine import StopEngine
from actors.rules.stops.lenses import Lens
from bus.messages.market import StrikeType, Tick
from bus.messages.records import Commit
from bus.messages.trades import Side, StopSpec, Trade, TradeState
from bus.messages.units import NS_PER_MS
from tests.rules.stops.builders import (
    COIN,
    T0,
    Watch,
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    stop,
)
from tests.rules.stops.naive import NaiveEngine, TrailingScan

GAPS_MS = st.sampled_from([0, 1, 200, 500, 1000, 2000, 3000, 16_000, 40_000])
CENTS = st.sampled_from([None, "0", "0.05", "0.20", "0.25", "0.30", "0.45", "0.60", "0.75", "0.90", "0.95", "1"])
COINS = st.sampled_from([None, "80", "90", "95", "100", "105", "110", "120"])
GUARDS = st.fixed_dictionaries(
    {},
    optional={
        "min_age_s": st.sampled_from([0, 5]),
        "min_time_to_close_s": st.sampled_from([0, 3590]),
        "dwell_s": st.sampled_from([0, 1, 3]),
        "confirm_ticks": st.sampled_from([1, 2, 3]),
        "max_quote_disagreement": st.sampled_from(["0.10", "0.18"]),
        "max_divergence": st.sampled_from([10, 50]),
    },
)


def rule(name: str, own: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[StopSpec]:
    return st.builds(lambda guards, values: stop(name, **(guards | values)), GUARDS, own)


def one_of(**choices: list[object]) -> st.SearchStrategy[dict[str, object]]:
    every: dict[str, st.SearchStrategy[object]] = {key: st.sampled_from(values) for key, values in choices.items()}
    return st.fixed_dictionaries({}, optional=every)


def rules(*, linear: bool) -> st.SearchStrategy[list[StopSpec]]:
    prices: list[object] = ["90", "95", "105", "110"] if linear else ["0.20", "0.25", "0.45", "0.75"]
    trails: list[object] = ["0", "5", "15"] if linear else ["0", "0.10", "0.25"]
    amounts: list[object] = ["1", "2", "10"]
    percents: list[object] = ["5", "33.3333"]
    kinds = [
        rule("price", one_of(stop_price=prices)),
        rule("loss", one_of(max_loss=amounts, max_loss_percent=percents)),
        rule("profit", one_of(take_profit_price=prices, take_profit_amount=amounts, take_profit_percent=percents)),
        rule("trailing", one_of(trail=trails, trail_percent=["0", "10", "33.3333"], activate_at=prices)),
        rule("time", one_of(max_age_s=[7, 60], close_before_s=[3580])),
        rule("momentum", one_of(threshold_percent=["0.35", "2"])),
        st.just(stop("stale", policy="close", stale_grace_s=5, feed_restart_grace_s=10, stale_max_closes=1)),
    ]
    if not linear:
        kinds.append(rule("probability", one_of(floor_percent=[20, 25, 50])))
        kinds.append(rule("buffer", one_of(min_buffer=[-50, 0, 100])))
    return st.lists(st.one_of(kinds), max_size=4, unique_by=lambda spec: spec.rule)


FEES: list[dict[str, object]] = [
    {"fee_model": "none"},
    {"fee_model": "kalshi"},
    {"fee_model": "percent", "fee_percent": 7},
]
IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
EVENT_TRADES = st.builds(
    lambda name, specs, side, kind, fees: a_trade(*specs, trade_id=name, side=side, strike_type=kind, general=fees),
    IDS,
    rules(linear=False),
    st.sampled_from([Side.YES, Side.NO]),
    st.sampled_from(list(StrikeType)),
    st.sampled_from(FEES),
)
COIN_TRADES = st.builds(
    lambda name, specs, side, fees: a_coin_trade(*specs, trade_id=name, side=side, general=fees),
    IDS,
    rules(linear=True),
    st.sampled_from([Side.LONG, Side.SHORT]),
    st.sampled_from(FEES),
)
QUOTES = st.builds(
    lambda yes_bid, yes_ask, no_bid, no_ask, source: a_quote(
        0, yes_bid, yes_ask, no_bid=no_bid, no_ask=no_ask, source=source
    ),
    CENTS,
    CENTS,
    CENTS,
    CENTS,
    st.sampled_from(["kalshi", "kalshi", "other", None]),
)
TICKS: st.SearchStrategy[Tick] = st.one_of(
    QUOTES,
    QUOTES,
    st.builds(lambda bid, ask: a_coin_quote(0, bid, ask), COINS, COINS),
    st.builds(lambda percent: a_probability(0, percent), st.sampled_from([5, 20, 24.9, 25, 50, 60, 95])),
    st.builds(
        lambda percent, symbol: a_momentum(0, percent, symbol=symbol),
        st.sampled_from(["-3", "-0.35", "0", "0.35", "3"]),
        st.sampled_from(["BTC", COIN]),
    ),
    st.builds(lambda price: a_price(0, price), st.sampled_from(["119400", "119450", "119500", "119550", "119700"])),
    st.builds(lambda price: a_price(0, price, symbol=COIN), st.sampled_from(["90", "100", "110"])),
    st.builds(lambda silence: a_beat(0, "kalshi", silence), st.sampled_from([5, 30, 60])),
)
STATES = st.tuples(IDS, st.sampled_from([TradeState.CLOSING, TradeState.OPEN, TradeState.OPEN, TradeState.CLOSED]))
STEPS = st.lists(st.tuples(GAPS_MS, st.one_of(TICKS, TICKS, TICKS, EVENT_TRADES, COIN_TRADES, STATES)), max_size=40)
Steps = list[tuple[int, Tick | Trade | tuple[str, TradeState]]]


def decided(make: Callable[[], StopEngine], steps: Steps) -> list[object]:
    """What an engine says to `steps`; what it keeps of counts in no order."""
    watch = Watch(engine=make(), answers=True)
    now_ns = T0
    for gap_ms, step in steps:
        now_ns += gap_ms * NS_PER_MS
        if isinstance(step, tuple):
            _change(watch, *step, now_ns)
        elif isinstance(step, Trade):
            before = watch.trades.get(step.trade_id)
            version = 1 if before is None else before.version + 1
            watch.run_to(now_ns)
            watch.hear(msgspec.structs.replace(step, version=version, ts=now_ns))
        else:
            watch.tick(msgspec.structs.replace(step, ts=now_ns))
    watch.run_to(now_ns + 100_000 * NS_PER_MS)
    return [_in_no_order(word) for word in watch.said]


def _change(watch: Watch, trade_id: str, state: TradeState, now_ns: int) -> None:
    trade = watch.trades.get(trade_id)
    if trade is None or trade.state is TradeState.CLOSED:
        return
    left = Decimal(0) if state is TradeState.CLOSED else trade.open_quantity
    watch.run_to(now_ns)
    watch.hear(
        msgspec.structs.replace(trade, version=trade.version + 1, state=state, open_quantity=left, ts=now_ns),
    )


def _in_no_order(word: object) -> object:
    if isinstance(word, Commit):
        # How near a trailing rule came is kept by the index alone; `test_nearest` has that.
        bare = [msgspec.structs.replace(one, nearest={}) for one in word.progress]
        kept = tuple(sorted(bare, key=lambda each: (each.trade_id, each.rule)))
        return msgspec.structs.replace(word, progress=kept)
    return word


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=STEPS)
def test_the_index_decides_what_a_scan_over_all_trades_decides(steps: Steps) -> None:
    indexed = decided(StopEngine, steps)

    with patch("actors.rules.stops.lenses.TrailingIndex", TrailingScan):
        scanned = decided(NaiveEngine, steps)

    assert indexed == scanned


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    prices=st.lists(st.integers(1, 99), min_size=1, max_size=60),
    trails=st.lists(st.integers(0, 40), min_size=1, max_size=12),
)
def test_trailing_trades_armed_one_after_the_other_fire_as_each_alone_would(
    prices: list[int], trails: list[int]
) -> None:
    def steps() -> Steps:
        each: Steps = []
        for number, price in enumerate(prices):
            each.append((10, a_quote(0, str(Decimal(price) / 100), None)))
            if number < len(trails):
                spec = stop("trailing", trail=Decimal(trails[number]) / 100, trail_percent=trails[-1 - number])
                each.append((0, a_trade(spec, trade_id=f"t{number}")))
        return each

    indexed = decided(StopEngine, steps())

    with patch("actors.rules.stops.lenses.TrailingIndex", TrailingScan):
        scanned = decided(NaiveEngine, steps())

    assert indexed == scanned


@pytest.mark.parametrize("trades", [10, 1000])
def test_a_tick_that_is_nobodys_business_judges_nobody(monkeypatch: pytest.MonkeyPatch, trades: int) -> None:
    specs = (stop("price", stop_price="0.25"), stop("trailing", trail="0.30"), stop("probability", floor_percent=20))
    watch = Watch(*(a_trade(*specs, trade_id=f"t{number}") for number in range(trades)))
    watch.tick(a_quote(1, "0.50", "0.55"))
    judged: list[object] = []
    monkeypatch.setattr("actors.rules.stops.engine.judge", lambda *each: judged.append(each))

    watch.tick(a_quote(2, "0.60", "0.65"), a_quote(3, "0.45", "0.50"))

    assert judged == []


def test_a_tick_judges_only_those_whose_threshold_it_reaches() -> None:
    watch = Watch(
        *(
            a_trade(stop("price", stop_price=f"0.{number:03}", dwell_s=9), trade_id=f"t{number}")
            for number in range(100, 400)
        )
    )
    looked: list[int] = []
    reached = Lens.candidates

    def counted(lens: Lens, reading: object) -> list[object]:
        found = reached(lens, reading)  # type: ignore[arg-type]  # a reading
        looked.append(len(found))
        return found  # type: ignore[return-value]  # rules

    with patch("actors.rules.stops.lenses.Lens.candidates", counted):
        watch.tick(a_quote(1, "0.500", None), a_quote(2, "0.390", None), a_quote(3, "0.385", None))

    assert looked == [0, 10, 25]
