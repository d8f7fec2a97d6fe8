"""Which enabled thresholds could never have fired in the days that are recorded: mostly a mistake of unit, 35 where 0.35 percent was meant.

Judged is what the market alone decides. A loss or a gain in dollars depends on the size of a trade, a buffer on its strike, time passes
for every trade: of those nothing is said, nor of an input that was never recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from actors.rules.settings.layers import Layers, is_enabled
from bus.messages.recording import InputRange, RangeKind
from bus.messages.settings import Layer, Value
from bus.messages.units import HUNDRED, Number

_Reached = Callable[[Number, InputRange], bool]


class Unreachable(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that nothing recorded has reached. low, high: between which all that it is compared with has stood."""

    layer: Layer
    name: str
    key: str
    value: Number
    input: RangeKind
    low: Number
    high: Number


def unreachable(
    layers: Layers, ranges: Sequence[InputRange], only: tuple[Layer, str] | None = None
) -> list[Unreachable]:
    """Return them, layer by layer: each where it stands, or where its rule is turned on. only: this layer alone."""
    defaults = layers.get((Layer.DEFAULTS, ""), {})
    found: list[Unreachable] = []
    for (layer, name), values in layers.items():
        if only is not None and only != (layer, name):
            continue
        own = [one for one in ranges if layer is not Layer.SYMBOL or one.name in ("", name)]
        found += _of_layer(layer, name, values, {**defaults, **values}, own)
    return found


def _of_layer(
    layer: Layer, name: str, values: Mapping[str, Value], merged: Mapping[str, Value], ranges: Sequence[InputRange]
) -> list[Unreachable]:
    found = []
    for key, judges in _JUDGES.items():
        rule, value = key.partition(".")[0], merged.get(key)
        is_here = key in values or f"{rule}.enabled" in values
        if not is_here or not is_enabled(merged, rule) or not isinstance(value, Decimal):
            continue
        seen = [(one, judges[one.kind]) for one in ranges if one.kind in judges]
        if seen and not any(reached(value, one) for one, reached in seen):
            found.append(
                Unreachable(
                    layer=layer,
                    name=name,
                    key=key,
                    value=value,
                    input=seen[0][0].kind,
                    low=min(one.low for one, _ in seen),
                    high=max(one.high for one, _ in seen),
                )
            )
    return found


def _moved(by: Number, one: InputRange) -> bool:
    return one.widest >= by


def _moved_percent(by: Number, one: InputRange) -> bool:
    return one.widest_percent >= by


_JUDGES: Final[dict[str, dict[RangeKind, _Reached]]] = {
    "momentum.threshold_percent": {RangeKind.MOMENTUM: lambda value, one: max(abs(one.low), abs(one.high)) >= value},
    # Of the one side it is the complement of the other's.
    "probability.floor_percent": {
        RangeKind.PROBABILITY: lambda value, one: min(one.low, HUNDRED - one.high) < value,
    },
    # A short's stop lies above, a long's below: which it is, a layer does not say.
    "price.stop_price": {
        RangeKind.EVENT_EXIT: lambda value, one: one.low <= value,
        RangeKind.LINEAR_EXIT: lambda value, one: one.low <= value or value <= one.high,
    },
    "profit.take_profit_price": {
        RangeKind.EVENT_EXIT: lambda value, one: value <= one.high,
        RangeKind.LINEAR_EXIT: lambda value, one: value <= one.high or one.low <= value,
    },
    "trailing.trail": {RangeKind.EVENT_EXIT: _moved, RangeKind.LINEAR_EXIT: _moved},
    "trailing.trail_percent": {RangeKind.EVENT_EXIT: _moved_percent, RangeKind.LINEAR_EXIT: _moved_percent},
}
