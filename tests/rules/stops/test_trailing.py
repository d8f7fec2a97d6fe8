"""Trailing stops: activation, bests that never loosen, and groups of equal bests."""

from decimal import Decimal

import pytest

from actors.rules.stops.armed import ArmedRule
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Tick, Ticks
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import Watch, a_coin_quote, a_coin_trade, a_quote, a_trade, at, stop, watching


def bids(*prices: str | None) -> list[Tick]:
    """One bid of a yes trade each second."""
    return [a_quote(second, price, None) for second, price in enumerate(prices, start=1)]


def coins(*prices: str, short: bool = False) -> list[Tick]:
    return [
        a_coin_quote(second, None if short else price, price if short else None)
        for second, price in enumerate(prices, start=1)
    ]


@pytest.mark.parametrize(
    ("trade", "ticks", "expected"),
    [
        (a_trade(stop("trailing", trail="0.10")), bids("0.60", "0.70", "0.6001"), False),
        (a_trade(stop("trailing", trail="0.10")), bids("0.60", "0.70", "0.60"), True),
        (a_trade(stop("trailing", trail_percent=10)), bids("0.60", "0.70", "0.6301"), False),
        (a_trade(stop("trailing", trail_percent=10)), bids("0.60", "0.70", "0.63"), True),
        (a_trade(stop("trailing", trail="0.10", activate_at="0.75")), bids("0.60", "0.7499", "0.40"), False),
        (a_trade(stop("trailing", trail="0.10", activate_at="0.75")), bids("0.60", "0.75", "0.65"), True),
        (a_coin_trade(stop("trailing", trail=5)), coins("100", "110", "105.01"), False),
        (a_coin_trade(stop("trailing", trail=5)), coins("100", "110", "105"), True),
        (a_coin_trade(stop("trailing", trail=5), side=Side.SHORT), coins("100", "90", "94.99", short=True), False),
        (a_coin_trade(stop("trailing", trail=5), side=Side.SHORT), coins("100", "90", "95", short=True), True),
        (a_coin_trade(stop("trailing", trail_percent=10), side=Side.SHORT), coins("90", "98.99", short=True), False),
        (a_coin_trade(stop("trailing", trail_percent=10), side=Side.SHORT), coins("90", "99", short=True), True),
        (
            a_coin_trade(stop("trailing", trail=5, activate_at=95), side=Side.SHORT),
            coins("96", "101", short=True),
            False,
        ),
        (
            a_coin_trade(stop("trailing", trail=5, activate_at=95), side=Side.SHORT),
            coins("95", "100", short=True),
            True,
        ),
    ],
)
def test_a_trailing_stop_fires_when_the_exit_has_come_back_from_its_best(
    trade: Trade, ticks: list[Tick], expected: bool
) -> None:
    assert bool(Watch(trade).tick(*ticks).fired) is expected


def test_a_book_without_bids_fires_when_even_its_ask_is_beyond_the_trail() -> None:
    watch = watching(stop("trailing", trail="0.10"))

    watch.tick(*bids("0.60"), a_quote(2, None, "0.51")).tick(a_quote(3, None, "0.50"))

    assert [fired.now_ns for fired in watch.fired] == [at(3)]


def test_a_best_survives_a_restart_and_never_loosens() -> None:
    spec = stop("trailing", trail="0.10")
    before = watching(spec).tick(*bids("0.60", "0.80"))

    after = Watch(*before.engine.progress(), a_trade(spec)).tick(a_quote(3, "0.75", None), a_quote(4, "0.70", None))

    assert [fired.decision.inputs["best"].value for fired in after.fired] == [Decimal("0.80")]


def test_a_best_stays_when_the_trail_is_changed() -> None:
    watch = watching(stop("trailing", trail="0.30")).tick(*bids("0.60", "0.80", "0.70"))

    watch.hear(a_trade(stop("trailing", trail="0.10"), version=4))

    assert watch.rules == ["trailing"]


def test_a_quote_that_the_disagreement_guard_distrusts_moves_no_best() -> None:
    """Lesson 19: a single high glitch must not become the best from which everything has come back."""
    watch = watching(stop("trailing", trail="0.10", max_quote_disagreement="0.18"))

    watch.tick(
        a_quote(1, "0.60", "0.62", no_bid="0.38", no_ask="0.40"),
        a_quote(2, "0.98", "0.99", no_bid="0.38", no_ask="0.40"),
        a_quote(3, "0.60", "0.62", no_bid="0.38", no_ask="0.40"),
        a_quote(4, "0.59", "0.62", no_bid="0.38", no_ask="0.41"),
    )

    assert watch.fired == []


def test_bests_are_kept_at_most_every_quarter_of_a_second() -> None:
    watch = watching(stop("trailing", trail="0.10"))

    for step in range(10):
        watch.tick(a_quote(1 + step / 100, f"0.6{step}", None))
    watch.wait(5)

    assert [(kept.best, kept.active) for kept in watch.progress] == [(Decimal("0.69"), True)]


def a_crowd(count: int) -> list[Trade]:
    spec = stop("trailing", trail="0.30")
    return [a_trade(spec, trade_id=f"t{number}") for number in range(count)]


def test_a_rising_price_does_not_touch_every_trailing_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = StopEngine()
    Watch(*a_crowd(200), engine=engine).tick(a_quote(1, "0.50", None))
    touched = []
    monkeypatch.setattr(ArmedRule, "number", lambda rule, key: touched.append((rule, key)))

    engine.handle(Ticks(batch=(a_quote(2, "0.60", None), a_quote(3, "0.70", None)), received_ns=at(3)))

    assert touched == []


def test_trades_armed_at_different_prices_share_their_best_once_the_price_outruns_them() -> None:
    watch = Watch()
    for number, price in enumerate(("0.50", "0.45", "0.40"), start=1):
        watch.tick(a_quote(number, price, None))
        watch.hear(a_trade(stop("trailing", trail=f"0.{number}5"), trade_id=f"t{number}"))

    watch.tick(a_quote(4, "0.80", None), a_quote(5, "0.56", None), a_quote(6, "0.50", None))

    assert [fired.decision.trade_id for fired in watch.fired] == ["t1", "t2"]


def test_a_trailing_stop_waits_for_its_confirming_tick() -> None:
    spec: StopSpec = stop("trailing", trail="0.10", confirm_ticks=2)

    watch = watching(spec).tick(*bids("0.80", "0.70", "0.69"))

    assert [fired.now_ns for fired in watch.fired] == [at(3)]
