"""A decision, whole: what its rule read, of whom and how old, which guards looked at it, under which number."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.stops.verdicts import rule_of
from bus.messages.stops import Guard, Input, StopDecision
from bus.messages.trades import Side, StopSpec
from tests.rules.stops.builders import (
    Watch,
    a_coin_quote,
    a_coin_trade,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
    watching,
)

D = Decimal
OFF = tuple(Guard(name=name, passed=True) for name in ("min_time_to_close_s", "dwell_s", "confirm_ticks", "max_quote_disagreement"))  # fmt: skip


def read(seconds: float, age_ms: int, source: str = "kalshi", **values: str) -> dict[str, Input]:
    """Inputs of one instant and one source."""
    return {name: Input(value=D(value), ts=at(seconds), age_ms=age_ms, source=source) for name, value in values.items()}


@pytest.mark.parametrize(("min_age", "fired"), [(1, True), (600, False)])
def test_a_decision_stands_alike_whether_it_fired_or_was_held_back(min_age: int, fired: bool) -> None:
    """Lesson 6"""
    watch = watching(stop("price", stop_price="0.25", min_age_s=min_age)).tick(
        a_quote(3, "0.20", "0.24"), received=at(3.25)
    )

    [made] = [*watch.held, *(word.decision for word in watch.fired)]
    assert made == StopDecision(
        decision_id="t1-price-1", trade_id="t1", rule="price", fired=fired, settings_version=7, ts=at(3.25),
        inputs=read(3, 250, exit="0.20", yes_bid="0.20", yes_ask="0.24"),
        guards=(Guard(name="min_age_s", passed=fired, value=D("3.25"), limit=D(min_age)), *OFF),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "due", "values"),
    [
        (stop("time", max_age_s=60), 60, {"age_s": "60", "time_to_close_s": "3540"}),
        (stop("time", close_before_s=600), 3000, {"age_s": "3000", "time_to_close_s": "600"}),
    ],
)
def test_a_clock_decides_by_the_age_and_by_what_is_left(spec: StopSpec, due: int, values: dict[str, str]) -> None:
    """Lesson 6"""
    [fired] = watching(spec).wait(due).fired

    assert fired.decision.inputs == read(due, 0, "clock", **values)


def test_a_stale_close_says_for_how_long_its_input_was_stale() -> None:
    """Lesson 6"""
    stale = stop("stale", policy="close", stale_grace_s=30, feed_restart_grace_s=0, stale_max_closes=1)
    watch = watching(stop("price", stop_price="0.25"), stale).tick(a_quote(1, "0.40", "0.45")).wait(100)

    [fired] = watch.fired
    found = {name: read.value for name, read in fired.decision.inputs.items()}
    assert (found, fired.decision.guards) == ({"age_s": D("61.000000001"), "time_to_close_s": D("3538.999999999"), "stale_s": D(30)}, ())  # fmt: skip


def test_a_price_decides_beside_all_four_sides_of_its_book() -> None:
    watch = watching(stop("price", stop_price="0.25", max_quote_disagreement="0.18"))

    [fired] = watch.tick(a_quote(1, "0.20", "0.24", no_bid="0.76", no_ask="0.80")).fired

    sides = {"yes_bid": "0.20", "yes_ask": "0.24", "no_bid": "0.76", "no_ask": "0.80"}
    assert fired.decision.inputs == read(1, 0, exit="0.20", **sides)


def test_a_trailing_stop_decides_beside_its_best() -> None:
    trade = a_coin_trade(stop("trailing", trail=5), side=Side.SHORT)

    [fired] = Watch(trade).tick(a_coin_quote(1, "89", "90"), a_coin_quote(2, "94", "95")).fired

    assert fired.decision.inputs == read(2, 0, "spot", exit="95") | {"best": Input(value=D(90))}


def test_a_profit_decides_beside_what_it_amounts_to() -> None:
    [fired] = Watch(a_coin_trade(stop("profit", take_profit_amount=20))).tick(a_coin_quote(1, "110", "111")).fired

    assert fired.decision.inputs == read(1, 0, "spot", exit="110", pnl="20", pnl_percent="10")


def test_a_fed_probability_decides_beside_the_quote_that_could_contradict_it() -> None:
    watch = watching(stop("probability", floor_percent=25)).tick(a_quote(1, "0.40", "0.44"))

    [fired] = watch.tick(a_probability(2, 10)).fired

    quoted = read(1, 1000, yes_bid="0.40", yes_ask="0.44")
    assert fired.decision.inputs == read(2, 0, "model", probability="10") | quoted


def test_a_quote_that_is_not_in_force_any_more_is_no_input() -> None:
    watch = watching(stop("probability", floor_percent=25)).tick(a_quote(1, "0.40", "0.44")).wait(35)

    [fired] = watch.tick(a_probability(35, 10)).fired

    assert fired.decision.inputs == read(35, 0, "model", probability="10")


@pytest.mark.parametrize("trade_id", ["t1", "rain-1-2"])
def test_a_decision_s_rule_is_read_from_its_id(trade_id: str) -> None:
    assert rule_of(f"{trade_id}-price-12", trade_id) == "price"


def test_an_input_is_counted_as_often_as_asked_for_and_no_more() -> None:
    """What is committed says how far a count has come, not how many ticks followed."""
    trade = a_trade(stop("price", stop_price="0.25", confirm_ticks=2, min_age_s=600))
    watch = Watch(trade).tick(*(a_quote(1 + number / 10, "0.20", "0.24") for number in range(5))).wait(2)

    assert [(kept.confirms, kept.counted) for kept in watch.engine.roster.progress(at(2))] == [(2, {"quote": at(1.1)})]
    assert replace(watch.progress[-1], nearest={}).confirms == 2
