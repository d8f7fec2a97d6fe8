"""Where mutants are made: a copy of the house for each round, in `.mutants`, where mutmut may write as it likes."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from tests.house.source import ROOT, files

WORKSHOP: Final = ROOT / ".mutants"
_SECTION: Final = "[tool.mutmut]"


@dataclass(frozen=True, slots=True)
class Round:
    """One run of mutmut. settings: of `[tool.mutmut]`, the round's own among them; folder: its copy of the house.

    only_survivors: it tries what the rounds before it let live.
    """

    name: str
    settings: dict[str, object]
    folder: Path
    only_survivors: bool = False

    def modules(self) -> list[str]:
        """Return the dotted names of the modules that it changes, as they stand in the house."""
        patterns = self.settings["only_mutate"]
        assert isinstance(patterns, list)
        names = (path.relative_to(ROOT).as_posix() for path in files() if path.suffix == ".py")
        return [module_of(name) for name in names if any(fnmatch(name, pattern) for pattern in patterns)]

    def concerns(self, pattern: str) -> bool:
        """Return whether a mutant that `pattern` means may be in one of its modules."""
        return any(fnmatch(f"{module}.x", pattern) or pattern.startswith(f"{module}.") for module in self.modules())


def module_of(path: str) -> str:
    """Return `actors.rules.fees` for `actors/rules/fees.py`."""
    return path.removesuffix(".py").replace("/", ".")


def rounds(pyproject: str, workshop: Path = WORKSHOP) -> list[Round]:
    """Return the rounds of `[tool.mutmut]`, in order."""
    settings = tomllib.loads(pyproject)["tool"]["mutmut"]
    each = settings.pop("rounds")
    return [
        Round(name, settings | own, workshop / name, only_survivors)
        for own in each
        for name, only_survivors in [(own.pop("name"), own.pop("only_survivors", False))]
    ]


def furnish(place: Round) -> None:
    """Bring the copy up to the house as it stands; mutants of functions that did not change keep their verdicts.

    mutmut compares times of change, so a file that is the same is not touched. What tests reach which function is found anew.
    """
    wanted = {path.relative_to(ROOT) for path in files()}
    for name in sorted(wanted):
        _copy(ROOT / name, place.folder / name)
    mutants = place.folder / "mutants"
    for path in [*place.folder.rglob("*.py"), *mutants.rglob("*.meta")]:
        of_house = path.relative_to(mutants if path.is_relative_to(mutants) else place.folder)
        if (of_house if path.suffix == ".py" else of_house.with_suffix("")) not in wanted:
            path.unlink()
    (mutants / "mutmut-stats.json").unlink(missing_ok=True)
    house = (ROOT / "pyproject.toml").read_text()
    (place.folder / "pyproject.toml").write_text(configured(house, place.settings))


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def configured(pyproject: str, settings: dict[str, object]) -> str:
    """Return `pyproject` with these settings of mutmut in place of its own, which stand last."""
    before, _, _ = pyproject.partition(_SECTION)
    return "\n".join([before + _SECTION, *(f"{key} = {json.dumps(value)}" for key, value in settings.items()), ""])


def run(place: Round, children: int, names: Sequence[str]) -> None:
    """Let mutmut try the mutants that `names` mean, or every one that has no verdict. Raises: CalledProcessError."""
    mutmut = Path(sys.executable).with_name("mutmut")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [str(mutmut), "run", "--max-children", str(children), *names]
    subprocess.run(command, cwd=place.folder, env=environment, check=True)
