"""A threshold that nothing recorded has reached is told: at the start, and the moment somebody sets one."""

from decimal import Decimal

import pytest

from actors.rules.settings.reachability import unreachable
from bus.messages.notices import Notice
from bus.messages.recording import InputRange, RangeKind, RangesRecorded
from bus.messages.settings import Layer, SettingsSet
from tests.rules.desk.builders import a_desk, of_kind, received
from tests.rules.lifecycle.builders import T0

D = Decimal
DAY_NS = 86_400 * 1_000_000_000
MOMENTUM = InputRange(kind=RangeKind.MOMENTUM, name="BTC", low=D("-0.41"), high=D("0.35"))
PROBABILITY = InputRange(kind=RangeKind.PROBABILITY, name="", low=D(1), high=D(99))
EVENTS = InputRange(
    kind=RangeKind.EVENT_EXIT, name="", low=D("0.02"), high=D("0.97"), widest=D("0.9"), widest_percent=D(95)
)
COIN = InputRange(kind=RangeKind.LINEAR_EXIT, name="BTC", low=D(90), high=D(110), widest=D(20), widest_percent=D(18))
ALL = (MOMENTUM, PROBABILITY, EVENTS)


def layers(**values: object) -> dict[tuple[Layer, str], dict[str, object]]:
    """Defaults in which the rule of every key is on."""
    keys = {key.replace("__", "."): value for key, value in values.items()}
    on = {f"{key.partition('.')[0]}.enabled": True for key in keys}
    return {(Layer.DEFAULTS, ""): {**on, **keys}}


@pytest.mark.parametrize(
    ("key", "within", "beyond"),
    [
        ("momentum__threshold_percent", "0.41", "35"),
        ("probability__floor_percent", "1.1", "0.25"),
        ("price__stop_price", "0.02", "0.01"),
        ("profit__take_profit_price", "0.97", "0.98"),
        ("trailing__trail", "0.9", "5"),
        ("trailing__trail_percent", "95", "96"),
    ],
)
def test_a_threshold_is_told_if_nothing_recorded_has_reached_it(key: str, within: str, beyond: str) -> None:
    """Lesson 7"""
    found = [[one.key for one in unreachable(layers(**{key: D(value)}), ALL)] for value in (within, beyond)]  # type: ignore[arg-type]  # parsed values

    assert found == [[], [key.replace("__", ".")]]


def test_a_stop_above_or_below_may_be_a_short_s_or_a_long_s() -> None:
    assert unreachable(layers(price__stop_price=D(120)), [COIN]) == []  # type: ignore[arg-type]  # as above
    assert unreachable(layers(price__stop_price=D(80)), [COIN]) == []  # type: ignore[arg-type]  # as above


def test_a_rule_that_is_off_and_an_input_that_was_never_recorded_are_passed_over() -> None:
    off = {(Layer.DEFAULTS, ""): {"momentum.enabled": False, "momentum.threshold_percent": D(35)}}

    assert unreachable(off, ALL) == []  # type: ignore[arg-type]  # as above
    assert unreachable(layers(momentum__threshold_percent=D(35)), [PROBABILITY]) == []  # type: ignore[arg-type]  # as above


def test_a_symbol_s_layer_is_held_against_that_symbol_alone() -> None:
    other = InputRange(kind=RangeKind.MOMENTUM, name="ETH", low=D(-3), high=D(3))
    values = {
        **layers(momentum__threshold_percent=D("0.3")),
        (Layer.SYMBOL, "BTC"): {"momentum.threshold_percent": D(2)},
    }

    [found] = unreachable(values, [MOMENTUM, other])  # type: ignore[arg-type]  # as above

    assert (found.layer, found.name, found.high) == (Layer.SYMBOL, "BTC", D("0.35"))


def recorded(*ranges: InputRange) -> RangesRecorded:
    return RangesRecorded(begin_ns=T0 - 30 * DAY_NS, end_ns=T0, ranges=ranges, now_ns=T0)


def momentum_of_35() -> SettingsSet:
    changes = {"momentum.enabled": True, "momentum.threshold_percent": "35"}
    return SettingsSet(layer=Layer.DEFAULTS, changes=changes, expected_version=1, reason="r", requested_by="eve")


def test_at_the_start_it_is_told_once_the_recording_is_known() -> None:
    """Lesson 7"""
    desk = a_desk()
    desk.handle(received(momentum_of_35()))

    notices = of_kind(desk.handle(recorded(*ALL)), Notice)

    assert [notice.kind for notice in notices] == ["beyond_reach"]
    assert "between -0.41 and 0.35" in notices[0].body


def test_on_change_it_is_told_beside_the_change() -> None:
    """Lesson 7"""
    desk = a_desk()
    quiet = of_kind(desk.handle(recorded(*ALL)), Notice)

    changed = of_kind(desk.handle(received(momentum_of_35())), Notice)

    assert quiet == []
    assert [notice.kind for notice in changed] == ["settings_changed", "beyond_reach"]
