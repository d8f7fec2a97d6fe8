"""What a what-if changes: `KEY=VALUE`, a stop setting of every trade or a setting of the simulated venues and the limits of entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec.structs import replace

from actors.replay.retelling import ReadSettings
from actors.rules.catalog import SETTINGS
from actors.rules.settings.layers import OVER_ALL
from actors.rules.settings.values import parse_value, unknown_key
from bus.messages.records import Recovered
from bus.messages.settings import Value
from bus.messages.system import Error
from config.settings import ConfigurationError, Settings, read_one

VALUES_MAX: Final = 200
"""Of a sweep: each is a whole house in memory."""
_PROCESS: Final = ("paper", "venues", "limits", "accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """stops: by key, over every layer and every trade's own. process: as text, by key; see `config.settings.retold`."""

    stops: Mapping[str, Value] = field(default_factory=dict)
    process: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Value]:
        """Every change by its key."""
        return {**self.stops, **self.process}

    def over(self, others: "Changes") -> "Changes":
        """Return `others` with these over them."""
        return Changes(stops={**others.stops, **self.stops}, process={**others.process, **self.process})

    def settings(self, told: Mapping[str, str | int | bool], read: ReadSettings) -> Settings:
        """Return the process settings of a recorded life, changed."""
        return read({**told, **self.process})

    def recovered(self, recovered: Recovered) -> Recovered:
        """Return what a life begins with, changed."""
        if not self.stops:
            return recovered
        layer, name = OVER_ALL
        return replace(recovered, layers={**recovered.layers, (str(layer), name): dict(self.stops)})


def read_changes(assignments: Sequence[str]) -> Changes:
    """Return what `KEY=VALUE`, ... change; a later one wins. Raises: ValueError, which says what is wrong and what would be right."""
    changes = Changes()
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text}: say KEY=VALUE, such as probability.floor_percent=30")
        changes = read_change(key, value).over(changes)
    return changes


def read_change(key: str, value: str) -> Changes:
    """Return one change. Raises: ValueError, as `read_changes`."""
    if key in SETTINGS:
        parsed = parse_value(key, value)
        if isinstance(parsed, Error):
            raise ValueError(parsed.message)
        return Changes(stops={key: parsed})
    if key.partition(".")[0] not in _PROCESS:
        raise ValueError(
            f"{unknown_key(key).message} Beside stop settings a what-if changes {', '.join(_PROCESS)}, such as paper.latency_ms."
        )
    try:
        read_one(key, value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
    return Changes(process={key: value})


def read_sweep(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the key and the values of `KEY=A..B:STEP`, both ends among them. Raises: ValueError, as `read_changes`."""
    key, _, span = text.partition("=")
    ends, _, by = span.partition(":")
    low_text, dots, high_text = ends.partition("..")
    try:
        low, high, step = Decimal(low_text), Decimal(high_text), Decimal(by)
        count = int((high - low) / step) + 1 if dots and step > 0 and low <= high else 0
    except (InvalidOperation, ValueError, OverflowError):
        count = 0
    if not count:
        raise ValueError(f"{text}: say KEY=A..B:STEP, such as probability.floor_percent=20..50:5")
    if count > VALUES_MAX:
        raise ValueError(f"{text}: those are {count:,} values; at most {VALUES_MAX} in one sweep")
    values = tuple(f"{low + step * number:f}" for number in range(count))
    for value in values:
        read_change(key, value)
    return key, values
