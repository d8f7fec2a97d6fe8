"""What fits a recording: a small TOML file beside it, or in tests/replay/sidecars, under the recording's name.

A feed that is polled every 124 s is not stale after 15 s, so each recording brings the stop settings and the strategy that suit it. The
demo prints them.
"""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from actors.replay.strategy import EntryPlan

SHELF: Final = Path(__file__).parents[2] / "tests" / "replay" / "sidecars"
"""Where the sidecars of recordings that are not shipped stand."""
_SUFFIXES: Final = (".gz", ".jsonl")


class Sidecar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: the feed's name, for lines that carry none. stops: stop settings by key, in place of those of defaults.toml."""

    source: str = ""
    credit: str = ""
    stops: dict[str, str | bool] = {}
    strategy: EntryPlan = EntryPlan()


def recording_name(recording: Path) -> str:
    """Return the name of a recording: its file's, without `.jsonl` and `.gz`."""
    name = recording.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def sidecar_of(recording: Path) -> Path | None:
    """Return where the sidecar of `recording` stands, None if it has none."""
    name = f"{recording_name(recording)}.toml"
    return next((path for path in (recording.with_name(name), SHELF / name) if path.is_file()), None)


def read_sidecar(recording: Path) -> Sidecar:
    """Return what fits `recording`; without a sidecar, the defaults. Raises: ValueError naming the file and what is wrong."""
    path = sidecar_of(recording)
    if path is None:
        return Sidecar()
    try:
        facts = tomllib.loads(path.read_text())
        return msgspec.convert(facts, Sidecar)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as failure:
        raise ValueError(f"{path}: {failure}") from failure
