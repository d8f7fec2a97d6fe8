"""Stop settings: their layers and versions. They live in PostgreSQL alone and are changed by compare-and-set."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bus.messages.envelope import Message
from bus.messages.units import Name, Number, SettingValue, Text, UtcNs

if TYPE_CHECKING:
    Value = Number | str | bool
    """A setting's value: exact number, word, or switch."""
else:
    # msgspec refuses a union of a marker and a text, also when it only describes the message.
    Value = SettingValue


class Layer(StrEnum):
    """Who a setting holds for; a later one wins. `trade` is kept on the trade itself."""

    DEFAULTS = "defaults"
    STRATEGY = "strategy"
    ACCOUNT = "account"
    SYMBOL = "symbol"
    TRADE = "trade"


class SettingsGet(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for a layer, or for everything. Source: `settings.request.get`."""

    layer: Layer | None = None
    name: Name | None = None


class SettingsSet(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Change a layer if its version is still `expected_version`. A null value removes the key. Source: `settings.request.set`."""

    layer: Layer
    changes: dict[str, Any]
    expected_version: int
    reason: Text
    requested_by: Name
    name: Name | None = None


class SettingsChanged(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What was changed, by whom, why. Published as `settings.event.changed`; one row in PostgreSQL.

    version: of all settings together, +1 with each change. before, after: the changed keys only; absent means unset.
    """

    version: int
    layer: Layer
    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: Text
    requested_by: Name
    ts: UtcNs


class LayerSettings(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One layer as it stands."""

    layer: Layer
    name: str
    values: dict[str, Any]


class SettingsView(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `SettingsGet`; `version` is what `expected_version` must say."""

    version: int
    layers: tuple[LayerSettings, ...]


class HistoryGet(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for a page of history, newest first, at most `limit` (1-1000). Source: `history.request.<kind>`; kinds: `settings`."""

    limit: int = 50
    after: Name | None = None


class SettingsHistory(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `history.request.settings`; `next` is the `after` of the next page."""

    changes: tuple[SettingsChanged, ...]
    next: Name | None = None
