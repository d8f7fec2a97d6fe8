"""Changes of the stop settings: read from the record, changed by compare-and-set, told to whoever asks."""

from collections.abc import Mapping

import msgspec

from actors.rules.settings.layers import Layers, Values, incomplete, of_accounts_only
from actors.rules.settings.values import parse_changes, parse_value
from bus.messages.settings import Layer, LayerSettings, SettingsChanged, SettingsGet, SettingsSet, SettingsView, Value
from bus.messages.system import Error, ErrorCode


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted change: what is recorded and said, and the layers after it."""

    changed: SettingsChanged
    layers: Layers


def read_layers(stored: Mapping[tuple[str, str], Mapping[str, object]]) -> tuple[Layers, tuple[str, ...]]:
    """Return the layers as recorded, and what could not be read of them, as `<layer> <name>: <why>` (`defaults: <why>`).

    Whoever starts with something unreadable takes no new risk: nobody knows what that setting was to say.
    """
    layers: dict[tuple[Layer, str], Values] = {}
    unreadable: list[str] = []
    for (layer, name), values in stored.items():
        read: dict[str, Value] = {}
        for key, value in values.items():
            parsed = parse_value(key, value)
            if isinstance(parsed, Error):
                unreadable.append(f"{layer} {name}".strip() + f": {parsed.message}")
            else:
                read[key] = parsed
        layers[Layer(layer), _name(Layer(layer), name)] = read
    return layers, tuple(unreadable)


def change(layers: Layers, version: int, asked: SettingsSet, now_ns: int) -> Change | Error:
    """Return the change, or why it is refused: another version, an unknown key, a value out of range, a rule left inert.

    The trade's layer is not kept here: it stands on the trade (`requests.change_stops`).
    """
    if asked.expected_version != version:
        return _version_changed(asked.expected_version, version)
    if asked.layer is not Layer.DEFAULTS and not asked.name:
        return Error(
            code=ErrorCode.MALFORMED, message=f"The layer {asked.layer} needs a name: whose settings are they?"
        )
    changes = parse_changes(asked.changes)
    if isinstance(changes, Error):
        return changes
    misplaced = of_accounts_only(changes, asked.layer)
    if misplaced is not None:
        return misplaced
    if not changes:
        return Error(code=ErrorCode.MALFORMED, message="There is nothing to change: name a key and its value.")
    key = (asked.layer, _name(asked.layer, asked.name))
    before = layers.get(key, {})
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    changed_layers = {**layers, key: after}
    refusal = _check(changed_layers)
    if refusal is not None:
        return refusal
    return Change(
        changed=SettingsChanged(
            version=version + 1,
            layer=asked.layer,
            name=key[1],
            before={name: before[name] for name in changes if name in before},
            after={name: value for name, value in changes.items() if value is not None},
            reason=asked.reason,
            requested_by=asked.requested_by,
            ts=now_ns,
        ),
        layers=changed_layers,
    )


def is_again(layers: Layers, asked: SettingsSet, last: SettingsChanged) -> bool:
    """Whether `asked` is the last change, which `layers` hold, asked for once more because its answer was lost (Fault 44)."""
    who = (asked.expected_version, asked.layer, _name(asked.layer, asked.name), asked.reason, asked.requested_by)
    if who != (last.version - 1, last.layer, last.name, last.reason, last.requested_by):
        return False
    changes = parse_changes(asked.changes)
    if isinstance(changes, Error):
        return False
    removed = {key for key, value in changes.items() if value is None}
    given = {key: value for key, value in changes.items() if value is not None}
    was_removed = last.before.keys() - last.after.keys()
    present = layers.get((asked.layer, _name(asked.layer, asked.name)), {})
    return given == last.after and was_removed <= removed and removed.isdisjoint(present)


def view(layers: Layers, version: int, asked: SettingsGet) -> SettingsView:
    """Return the layers that `asked` names, all of them without a name, in the order of their precedence."""
    order = list(Layer)
    chosen = [
        LayerSettings(layer=layer, name=name, values=dict(values))
        for (layer, name), values in layers.items()
        if asked.layer in (None, layer) and (not asked.name or name == asked.name)
    ]
    return SettingsView(version=version, layers=tuple(sorted(chosen, key=lambda at: (order.index(at.layer), at.name))))


def _check(layers: Layers) -> Error | None:
    """Every layer over the defaults must be complete (`layers`)."""
    defaults = layers.get((Layer.DEFAULTS, ""), {})
    for values in layers.values():
        refusal = incomplete({**defaults, **values})
        if refusal is not None:
            return refusal
    return None


def _name(layer: Layer, name: str | None) -> str:
    return "" if layer is Layer.DEFAULTS else name or ""


def _version_changed(expected: int, version: int) -> Error:
    message = f"The settings are at version {version}, not {expected}: read them again, then decide again."
    return Error(code=ErrorCode.VERSION_CHANGED, message=message)
