"""Stop settings as PostgreSQL keeps them, and back: exact numbers as texts, words as texts, switches as booleans."""

from collections.abc import Mapping

from bus.messages import plain
from bus.messages.settings import SettingsChanged


def row(change: SettingsChanged) -> str:
    """Return one change as a JSON array of one object, for `settings_history`."""
    return f"[{plain.to_json(change).decode()}]"


def values_json(values: Mapping[str, object]) -> str:
    """Return a layer's values, or some of them, as one JSON object."""
    return plain.to_json(dict(values)).decode()


def read_values(stored: Mapping[str, object]) -> dict[str, object]:
    """Return a layer's values as they were written: what looks like a number is an exact one."""
    return {key: plain.read_setting(value) for key, value in stored.items()}
