"""The old system's preference files as settings of Watchkeeper: what each key meant beside what it becomes.

A key that a file does not have is asked for. The old programs each took a default of their own, and not the same one: none of them is
what a person wanted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from db.migration.plan_words import Plan, Question, SettingMove


class PreferencesRefused(Exception):  # noqa: N818  # an outcome, not a fault
    """A preference file cannot be read as one. Its text says why."""


@dataclass(frozen=True)
class Preference:
    """One key. divided: what its number is divided by. took: what the old programs took where it was missing."""

    meant: str
    setting: str = ""
    means: str = ""
    divided: int = 1
    took: str = ""


_ENTRIES: Final = "Watchkeeper opens no trades by itself: give it to the service that does"
FILES: Final[dict[str, dict[str, Preference]]] = {
    "auto_stop_settings.json": {
        "current_probability": Preference(
            "close below this probability, in percent, cut to a whole number",
            "probability.floor_percent",
            "fires below this probability",
            took="25; later versions 40",
        ),
        "min_ttc_seconds": Preference(
            "named after the time to close, but compared with the age of the trade: no stop before it is this old",
            "probability.min_age_s",
            "the rule is held back until the trade is this old; for the time left there is probability.min_time_to_close_s, which the old system had not",
            took="60",
        ),
        "momentum_spike_enabled": Preference(
            "close all trades against a momentum spike, also with auto_stop off",
            "momentum.enabled",
            "whether the rule is armed on trades that name no stops of their own",
            took="true",
        ),
        "momentum_spike_threshold": Preference(
            "hundredths of a percent, compared with percent until 2025-08-07: 35 never fired",
            "momentum.threshold_percent",
            "percent: fires at this momentum against the trade",
            divided=100,
            took="35",
        ),
    },
    "trade_preferences.json": {
        "auto_stop": Preference(
            "whether trades are closed below current_probability",
            "probability.enabled",
            "whether the rule is armed on trades that name no stops of their own",
            took="false in the supervisor, true on the page",
        ),
    },
    "auto_entry_settings.json": {},
}


def with_preferences(plan: Plan, files: Sequence[Path], answers: Mapping[str, str]) -> Plan:
    """Return the plan with what becomes of every key of these files, and what must be asked. Raises: PreferencesRefused."""
    found = [one for file in files for one in _of_file(file)]
    asked = tuple(replace(one, answer=answers.get(one.name, "")) for _, one in found if one is not None)
    return replace(plan, settings=(*plan.settings, *(move for move, _ in found)), questions=(*plan.questions, *asked))


def _of_file(file: Path) -> Iterator[tuple[SettingMove, Question | None]]:
    known = FILES.get(file.name)
    if known is None:
        raise PreferencesRefused(f"{file} is no preference file that is known here: {', '.join(FILES)}")
    held = _read(file)
    for key, preference in known.items():
        if key in held:
            yield _moved(file, key, preference, held[key]), None
        else:
            yield _asked(file, key, preference)
    for key in sorted(held.keys() - known.keys()):
        yield (
            SettingMove(file=file.name, key=key, old=str(held[key]), meant="of the old programs", means=_ENTRIES),
            None,
        )


def _read(file: Path) -> dict[str, object]:
    try:
        held = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        raise PreferencesRefused(f"{file} cannot be read: {error}") from error
    if not isinstance(held, dict):
        raise PreferencesRefused(f"{file} holds no keys with values")
    return held


def _moved(file: Path, key: str, preference: Preference, value: object) -> SettingMove:
    is_switch = preference.setting.endswith(".enabled")
    if isinstance(value, bool) != is_switch or not isinstance(value, bool | int | Decimal):
        raise PreferencesRefused(
            f"{file}: {key} is {value!r}, where {'true or false' if is_switch else 'a number'} is meant"
        )
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else format((Decimal(value) / preference.divided).normalize(), "f")
    )
    return SettingMove(
        file=file.name,
        key=key,
        old=str(value).lower(),
        meant=preference.meant,
        setting=preference.setting,
        value=text,
        means=preference.means,
    )


def _asked(file: Path, key: str, preference: Preference) -> tuple[SettingMove, Question]:
    name = f"settings.{preference.setting}"
    question = Question(
        name=name,
        kind="text",
        asks=f"{file.name} has no {key}: what is {preference.setting} to be ({preference.means})?",
        hint=f"where it was missing, the old programs took {preference.took}",
    )
    move = SettingMove(
        file=file.name,
        key=key,
        old="missing",
        meant=preference.meant,
        setting=preference.setting,
        value=f"?{name}",
        means=preference.means,
    )
    return move, question
