"""Stop settings in layers: defaults < strategy < account < symbol < trade. One schema, `catalog.SETTINGS`, for all of them.

Two decisions stand here. First, a layer that turns a rule on must also hold, over the defaults, the threshold that the rule
needs: the change is refused otherwise, so that no rule is ever on and silently inert (Lesson 9). As layers only add keys to each
other, what resolves is complete too. Second, `stale` protects nothing while its policy is `alert` (coverage raises that alarm by
itself), so it is armed only where its policy is `close`; it then also joins trades that name their own stops, unless one of
them is `stale`.

Resolved settings are shared: ten thousand trades under the same layers hold the same few objects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from actors.rules.catalog import RULES
from actors.rules.settings.values import FALSE, PROFILES, TRUE, parse_changes, parse_value, unknown_key, unknown_rule
from bus.messages.accounts import DRAWDOWN
from bus.messages.settings import Layer, Value
from bus.messages.stops import Rule
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import StopSpec

__all__ = ["PROFILES", "Identity", "Layers", "Resolved", "Resolver", "parse_changes", "parse_value", "unknown_key"]

Values = Mapping[str, Value]
"""Parsed settings by full key."""
Layers = Mapping[tuple[Layer, str], Values]
"""Settings by layer and name; the defaults' name is empty."""
Overrides = dict[str, Decimal | str]
"""A trade's own layer, as the trade carries it: switches as the words `true` and `false`."""

OVER_ALL: Final = (Layer.TRADE, "")
"""What holds for every trade, over its own layer: a what-if has such values. No request can set them: a trade's layer needs a name."""

THRESHOLDS: Final[dict[str, tuple[str, ...]]] = {
    Rule.PROBABILITY: ("floor_percent",),
    Rule.PRICE: ("stop_price",),
    Rule.LOSS: ("max_loss", "max_loss_percent"),
    Rule.PROFIT: ("take_profit_price", "take_profit_amount", "take_profit_percent"),
    Rule.TRAILING: ("trail", "trail_percent"),
    Rule.TIME: ("max_age_s", "close_before_s"),
    Rule.MOMENTUM: ("threshold_percent",),
    Rule.BUFFER: ("min_buffer",),
    Rule.STALE: ("policy",),
    DRAWDOWN: ("ratchet_percent",),
}
"""What a rule needs to be more than a name: one of these."""

_SHARED_MAX: Final = 4096
_ENABLED: Final = ".enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What chooses a trade's layers, and which rules its instrument supports."""

    account: str
    is_event: bool
    strategy: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is in force for a trade: each armed rule with its own settings and guards, and the general ones."""

    stops: tuple[StopSpec, ...]
    settings: dict[str, Decimal | str]


def named_stops(stops: tuple[dict[str, Any], ...], *, is_event: bool) -> Overrides | Error:
    """Return the trade's own layer for a trade that names its stops: exactly these rules are on, with these settings."""
    overrides: Overrides = {f"{rule}{_ENABLED}": FALSE for rule in Rule if rule is not Rule.STALE}
    for stop in stops:
        rule = rule_named(stop.get("rule"), is_event=is_event)
        if isinstance(rule, Error):
            return rule
        own = {f"{rule}.{name}": value for name, value in stop.items() if name != "rule"}
        changes = parse_changes(own | {f"{rule}{_ENABLED}": True})
        if isinstance(changes, Error):
            return changes
        overrides = overridden(overrides, changes)
    return overrides


def rule_named(name: object, *, is_event: bool) -> Rule | Error:
    """Return the rule of that name, or why this instrument cannot have it."""
    if not isinstance(name, str) or name not in RULES:
        return unknown_rule(name)
    rule = Rule(name)
    if not supports(rule, is_event=is_event):
        kind = "an event contract" if is_event else "a linear instrument"
        return Error(code=ErrorCode.MALFORMED, message=f"The rule {rule} cannot watch {kind}; name another rule.")
    return rule


def of_accounts_only(changes: Iterable[str], layer: Layer) -> Error | None:
    """Return the refusal of a layer that cannot hold what belongs to accounts as wholes."""
    wrong = [key for key in changes if key.startswith(f"{DRAWDOWN}.")]
    if not wrong or layer in (Layer.DEFAULTS, Layer.ACCOUNT):
        return None
    message = f"{wrong[0]} is an account's, not a {layer}'s: set it in the defaults or in the layer of an account."
    return Error(code=ErrorCode.SETTING_RANGE, message=message)


def overridden(overrides: Overrides, changes: Mapping[str, Value | None]) -> Overrides:
    """Return a trade's own layer after `changes`, in the form in which the trade carries it."""
    after = dict(overrides)
    for key, value in changes.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = carried(value)
    return after


def carried(value: Value) -> Decimal | str:
    """Return a value as a trade carries it: a switch becomes a word."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return value


def supports(rule: Rule, *, is_event: bool) -> bool:
    """Whether `rule` can watch that kind of instrument."""
    return RULES[rule].event if is_event else RULES[rule].linear


def is_enabled(values: Values, rule: str) -> bool:
    """Whether `rule` is on in merged values."""
    return values.get(f"{rule}{_ENABLED}") in (True, TRUE)


def incomplete(values: Values) -> Error | None:
    """Return the refusal of merged values that turn a rule on without the threshold that it needs."""
    for rule, names in THRESHOLDS.items():
        if is_enabled(values, rule) and not any(f"{rule}.{name}" in values for name in names):
            needs = " or ".join(f"{rule}.{name}" for name in names)
            message = f"The rule {rule} is on without a threshold: it could never fire. Set {needs} with it."
            return Error(code=ErrorCode.SETTING_RANGE, message=message)
    return None


@dataclass(slots=True)
class _Apart:
    """Values in force, taken apart: `own` by rule, `general`, and which rules are `on`. Shared until it is changed."""

    own: dict[str, dict[str, Decimal | str]]
    general: dict[str, Decimal | str]
    on: dict[str, bool]

    def over(self, values: Values) -> "_Apart":
        """Return these values with `values` over them; what those leave alone is the very same object."""
        after = _Apart(own=dict(self.own), general=self.general, on=dict(self.on))
        for key, value in values.items():
            rule, dot, name = key.partition(".")
            if not dot:
                if after.general is self.general:
                    after.general = dict(self.general)
                after.general[key] = carried(value)
            elif name == "enabled":
                after.on[rule] = value in (True, TRUE)
            elif rule != DRAWDOWN:
                if after.own[rule] is self.own[rule]:
                    after.own[rule] = dict(self.own[rule])
                after.own[rule][name] = carried(value)
        return after

    def is_armed(self, rule: Rule, *, is_event: bool) -> bool:
        """Whether `rule` is on, can watch such an instrument, and has what it needs."""
        if not self.on.get(rule) or not supports(rule, is_event=is_event):
            return False
        if rule is Rule.STALE:
            return self.own[rule].get("policy") == "close"
        return any(name in self.own[rule] for name in THRESHOLDS[rule])


_NOTHING: Final = _Apart(own={rule: {} for rule in Rule}, general={}, on={})


class Resolver:
    """Resolves trades against one version of the layers, sharing equal results."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._over_all = layers.get(OVER_ALL, {})
        self._apart: dict[tuple[str, str, str], _Apart] = {}
        self._plain: dict[tuple[tuple[str, str, str], bool], Resolved] = {}
        self._shared: dict[object, Any] = {}

    def resolve(self, identity: Identity, overrides: Overrides) -> Resolved:
        """Return what is in force for a trade with its own layer `overrides`."""
        names = self._names(identity)
        apart = self._apart.get(names)
        if apart is None:
            apart = self._apart[names] = _NOTHING.over(self._merge(names))
            apart.general = self._share_general(apart)
        if overrides:
            own = apart.over({**overrides, **self._over_all} if self._over_all else overrides)
            if own.general is not apart.general:
                own.general = self._share_general(own)
            return self._build(own, is_event=identity.is_event)
        plain = self._plain.get((names, identity.is_event))
        if plain is None:
            plain = self._plain[names, identity.is_event] = self._build(apart, is_event=identity.is_event)
        return plain

    def of_account(self, account: str) -> Values:
        """Return what is in force for an account as a whole."""
        return self._merge(("", account, ""))

    def merged(self, identity: Identity, overrides: Overrides) -> Values:
        """Return every value in force, by full key."""
        return {**self._merge(self._names(identity)), **overrides, **self._over_all}

    def _names(self, identity: Identity) -> tuple[str, str, str]:
        """Return the layers that exist for this trade, so that those without layers share one entry."""
        keys = (
            (Layer.STRATEGY, identity.strategy or ""),
            (Layer.ACCOUNT, identity.account),
            (Layer.SYMBOL, identity.symbol or ""),
        )
        strategy, account, symbol = (name if (layer, name) in self._layers else "" for layer, name in keys)
        return strategy, account, symbol

    def _merge(self, names: tuple[str, str, str]) -> Values:
        merged = dict(self._layers.get((Layer.DEFAULTS, ""), {}))
        for layer, name in zip((Layer.STRATEGY, Layer.ACCOUNT, Layer.SYMBOL), names, strict=True):
            merged.update(self._layers.get((layer, name), {}))
        merged.update(self._over_all)
        return merged

    def _build(self, apart: _Apart, *, is_event: bool) -> Resolved:
        armed = [rule for rule in Rule if apart.is_armed(rule, is_event=is_event)]
        keys = tuple((rule, tuple(sorted(apart.own[rule].items()))) for rule in armed)
        specs = tuple(self._share(("stop", key), StopSpec(rule=key[0], settings=apart.own[key[0]])) for key in keys)
        return Resolved(stops=self._share(("stops", keys), specs), settings=apart.general)

    def _share_general(self, apart: _Apart) -> dict[str, Decimal | str]:
        shared: dict[str, Decimal | str] = self._share(("general", tuple(sorted(apart.general.items()))), apart.general)
        return shared

    def _share(self, key: object, value: Any) -> Any:  # noqa: ANN401  # whatever was built, or its equal from before
        if len(self._shared) >= _SHARED_MAX:
            self._shared.clear()
        return self._shared.setdefault(key, value)
