"""Puts one small mistake at a time into the house and sees whether a test notices: `make mutants [ONLY=PATTERN]`.

`[tool.mutmut]` of pyproject.toml says in which modules, and in which rounds: the quick tests first, what they let live goes on to
the slower ones. A whole run takes hours; interrupted, it goes on where it was as long as the commit is the same. With ONLY it tries
a part (`actors/rules/trade`, `actors.rules.fees*`, `NAME__mutmut_7`), however often; only a whole run is written into docs/proof.md.
"""

import argparse
import os
import shutil
import sys
from collections import Counter
from fnmatch import fnmatch

from tests.house import proof, runs
from tests.house.source import ROOT
from tests.mutants import verdicts
from tests.mutants.verdicts import Verdicts
from tests.mutants.workshop import WORKSHOP, Round, furnish, rounds, run


def begin(commit: str) -> None:
    """Make room for a whole run, unless one of the same commit was interrupted."""
    mark = WORKSHOP / "commit"
    if not mark.is_file() or mark.read_text() != commit:
        for place in rounds((ROOT / "pyproject.toml").read_text()):
            shutil.rmtree(place.folder, ignore_errors=True)
        WORKSHOP.mkdir(exist_ok=True)
        mark.write_text(commit)


def tried(place: Round, children: int, pattern: str | None, so_far: Verdicts) -> Verdicts:
    """Return the verdicts after a round."""
    names = [pattern] if pattern else []
    if place.only_survivors:
        judged = {} if pattern else verdicts.read(place.folder)
        names = [name for name in verdicts.survivors(so_far) if name not in judged]
    if names or not place.only_survivors:
        furnish(place)
        run(place, children, names)
    return verdicts.together(so_far, verdicts.read(place.folder))


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 whatever it finds: how many must die is for the reader to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", help="a module, a room or a mutant; `*` for anything")
    parser.add_argument("--children", type=int, default=2, help="mutants tried at the same time")
    wanted = parser.parse_args(arguments)
    pattern = f"{wanted.only.replace('/', '.').removesuffix('.py')}*" if wanted.only else None
    os.nice(19)
    commit = runs.commit()
    if pattern is None:
        begin(commit)
    found: Verdicts = {}
    for place in rounds((ROOT / "pyproject.toml").read_text()):
        if pattern is None or place.concerns(pattern):
            found = tried(place, wanted.children, pattern, found)
            found = {name: killed for name, killed in found.items() if fnmatch(name, pattern or "*")}
    alive = Counter(verdicts.function_of(name) for name in verdicts.survivors(found))
    print("\n".join(verdicts.table(found, "module")))
    print("\n".join(f"{count:5} survived in {function}" for function, count in sorted(alive.items())))
    if pattern is None:
        proof.record({"mutants": "\n".join([f"At {commit}.", "", *verdicts.table(found, "room")])})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
