"""Where mutants are made and tried: a copy of the house for each room, below `.mutants`, where mutmut may write as it likes.

A copy holds the house as a commit has it, or as it stands; what is tried there goes on where it was for as long as that is so.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.house.source import ROOT, files

WORKSHOP: Final = ROOT / ".mutants"
_SECTION: Final = "[tool.mutmut]"


@dataclass(frozen=True, slots=True)
class Room:
    """Modules that are tried together. name: their row in docs/proof.md; modules: their paths; tests: those that try them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The room's copy of the house."""
        return WORKSHOP / self.name.replace("/", ".")

    def is_meant(self, pattern: str) -> bool:
        """Return whether all of it is: by no name, by its own, by that of a room around it, or by `ROOM/*.py` without those in it."""
        return not pattern or f"{self.name}/".startswith(f"{pattern}/") or pattern == f"{self.name}/*.py"

    def concerns(self, pattern: str) -> bool:
        """Return whether the room or a mutant in it is meant."""
        mutants = [module.removesuffix(".py").replace("/", ".") + "." for module in self.modules]
        return self.is_meant(pattern) or any(pattern.startswith(module) for module in mutants)


def rooms(pyproject: str) -> list[Room]:
    """Return what `[tool.mutmut]` has mutants of: each room of decisions, each module of wires and deeds."""
    found: list[Room] = []
    for kind in tomllib.loads(pyproject)["tool"]["mutmut"]["rooms"]:
        by_name: dict[str, list[str]] = defaultdict(list)
        for path in sorted(path for pattern in kind["only_mutate"] for path in ROOT.glob(pattern)):
            name = path.relative_to(ROOT)
            by_name[name.parent.as_posix() if kind["by_folder"] else name.as_posix()].append(name.as_posix())
        found += [Room(name, tuple(modules), tuple(kind["tests"])) for name, modules in by_name.items()]
    return found


def furnish(room: Room, commit: str) -> None:
    """Make the copy and its mutants, unless one of the same commit stands there. Raises: CalledProcessError."""
    mark = room.folder / "commit"
    if mark.is_file() and mark.read_text() == commit and "with changes" not in commit:
        return
    shutil.rmtree(room.folder, ignore_errors=True)
    for path in files():
        target = room.folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (room.folder / "pyproject.toml").write_text(configured((ROOT / "pyproject.toml").read_text(), room.modules))
    subprocess.run([sys.executable, "-m", "tests.mutants.make"], cwd=room.folder, check=True, stdout=subprocess.DEVNULL)
    mark.write_text(commit)


def configured(pyproject: str, modules: Sequence[str]) -> str:
    """Return `pyproject` with mutants of these modules only; the section of mutmut stands last."""
    before, _, _ = pyproject.partition(_SECTION)
    settings = tomllib.loads(pyproject)["tool"]["mutmut"] | {"only_mutate": list(modules)}
    del settings["rooms"]
    return "\n".join([before + _SECTION, *(f"{key} = {json.dumps(value)}" for key, value in settings.items()), ""])


def mutants(room: Room) -> list[str]:
    """Return the names of all mutants that were made."""
    made = sorted((room.folder / "mutants").rglob("*.meta"))
    return [name for path in made for name in json.loads(path.read_text())["exit_code_by_key"]]


def run(room: Room, names: Sequence[str], children: int) -> Path:
    """Let tests try the mutants; return the file with the verdict on each. Raises: CalledProcessError."""
    wanted, tried = room.folder / "wanted", room.folder / "tried.jsonl"
    wanted.write_text("\n".join(names))
    # Only the plugins that the tests need: all that is installed is looked for otherwise.
    plugins = (
        "pytest_timeout",
        "_hypothesis_pytestplugin",
        "no:cacheprovider",
        "no:unraisableexception",
        "tests.mutants.trials",
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *(word for plugin in plugins for word in ("-p", plugin))),
            *("-q", "--tb=short", "--assert=plain", "--capture=sys", "--hypothesis-seed=0"),
            # Written as one word each: pytest takes a path that stands alone for a test, and looks for its settings there.
            *(f"--mutants={wanted}", f"--tried={tried}", f"--children={children}", *room.tests),
        ],
        cwd=room.folder / "mutants",
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
    )
    return tried
