"""Reading one stop setting: exactly, against the one schema `catalog.SETTINGS`, or a refusal that says what would be right."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Final

from actors.rules.catalog import SETTINGS, Kind, Setting
from bus.messages.settings import Value
from bus.messages.stops import Rule
from bus.messages.system import Error, ErrorCode

PROFILES: Final[dict[str, dict[str, Value]]] = {"rec_io": {"momentum.enabled": True}}
"""Named sets of changes; a change of the key `profile` stands for them."""

TRUE: Final = "true"
FALSE: Final = "false"
"""Switches where only numbers and words can stand."""

_NUMBER_LENGTH_MAX: Final = 40


def parse_value(key: str, value: object) -> Value | Error:
    """Return `value` as the setting `key` understands it, exactly, or why it does not.

    value: as JSON brings it: a number, a text, a switch. Floats are read by their shortest text.
    """
    setting = SETTINGS.get(key)
    if setting is None:
        return unknown_key(key)
    match setting.kind:
        case Kind.SWITCH:
            return _switch(key, value)
        case Kind.WORD:
            if isinstance(value, str) and value in setting.words:
                return value
            return _out_of_range(setting, value, f"one of {', '.join(setting.words)}")
        case _:
            return _number(setting, value)


def unknown_key(key: str) -> Error:
    """Return the refusal of a key that is not in the catalog, naming the nearest that are."""
    near = get_close_matches(key, SETTINGS, n=3, cutoff=0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "`run.py settings get` lists every key."
    return Error(code=ErrorCode.UNKNOWN_SETTING, message=f"There is no setting {key[:80]!r}. {hint}")


def unknown_rule(rule: object) -> Error:
    """Return the refusal of a rule that does not exist."""
    names = ", ".join(Rule)
    return Error(code=ErrorCode.UNKNOWN_SETTING, message=f"There is no rule {str(rule)[:80]!r}. The rules are {names}.")


def parse_changes(changes: Mapping[str, object]) -> dict[str, Value | None] | Error:
    """Return parsed changes, profiles unfolded; None removes a key. The first one that cannot be read refuses all."""
    parsed: dict[str, Value | None] = {}
    for key, value in changes.items():
        if key == "profile":
            if not isinstance(value, str) or value not in PROFILES:
                names = ", ".join(PROFILES)
                return Error(code=ErrorCode.SETTING_RANGE, message=f"There is no profile {value!r}. Profiles: {names}.")
            parsed |= PROFILES[value]
            continue
        if value is None and key in SETTINGS:
            parsed[key] = None
            continue
        read = parse_value(key, value)
        if isinstance(read, Error):
            return read
        parsed[key] = read
    return parsed


def _switch(key: str, value: object) -> bool | Error:
    if isinstance(value, bool):
        return value
    if value in (TRUE, FALSE):
        return value == TRUE
    return Error(code=ErrorCode.SETTING_RANGE, message=f"{key} is true or false, not {str(value)[:40]!r}.")


def _number(setting: Setting, value: object) -> Decimal | Error:
    limits = f"a number of {setting.kind} from {setting.low:f} to {setting.high:f}"
    text = str(value).strip() if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool) else ""
    if not text.isascii() or len(text) > _NUMBER_LENGTH_MAX or "_" in text:
        return _out_of_range(setting, value, limits)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _out_of_range(setting, value, limits)
    low, high = setting.low, setting.high
    if not number.is_finite() or (low is not None and number < low) or (high is not None and number > high):
        return _out_of_range(setting, value, limits)
    if setting.kind is Kind.COUNT and number != number.to_integral_value():
        return _out_of_range(setting, value, f"{limits}, whole")
    return number


def _out_of_range(setting: Setting, value: object, limits: str) -> Error:
    return Error(code=ErrorCode.SETTING_RANGE, message=f"{setting.key} must be {limits}, not {str(value)[:40]!r}.")
