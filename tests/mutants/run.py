"""Puts one small mistake at a time into the house and sees whether a test notices: `make mutants [ONLY=PATTERN]`.

`[tool.mutmut]` of pyproject.toml says in which rooms, and by which tests. Each room has its row in docs/proof.md, written when
the room is through, with the commit that was tried. A run of all rooms takes hours; interrupted, it goes on where it was, as long
as the commit is the same. With ONLY it is some of them (`actors/rules/trade`, `actors/rules`, `bus/relay.py`), or a part of one
(`actors.rules.fees.x_fee__mutmut_7`, `actors.rules.desk.desk.*`), which is shown and not written down.
"""

import argparse
import os
import sys
from collections import Counter
from fnmatch import fnmatch

from tests.house import proof, runs
from tests.house.source import ROOT
from tests.mutants import verdicts
from tests.mutants.verdicts import Row, Verdicts
from tests.mutants.workshop import Room, furnish, mutants, rooms, run


def tried(room: Room, commit: str, pattern: str, children: int) -> Verdicts:
    """Return the verdict on each mutant of a room that `pattern` means."""
    furnish(room, commit)
    names = [name for name in mutants(room) if fnmatch(name, pattern)]
    found = verdicts.read(run(room, names, children))
    return {name: found[name] for name in names}


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 whatever it finds: how many must die is for the reader to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a room, some of them, or mutants; `*` for anything")
    parser.add_argument("--children", type=int, default=2, help="mutants tried at the same time")
    wanted = parser.parse_args(arguments)
    os.nice(19)
    commit = runs.commit()
    every = rooms((ROOT / "pyproject.toml").read_text())
    for room in every:
        if not wanted.only or room.concerns(wanted.only):
            whole = f"{room.name}/".startswith(f"{wanted.only}/") or not wanted.only
            found = tried(room, commit, "*" if whole else wanted.only, wanted.children)
            alive = verdicts.survivors(found)
            for function, count in sorted(Counter(map(verdicts.function_of, alive)).items()):
                print(f"{count:5} survived in {function}")
            row = Row(len(found) - len(alive), len(found), commit)
            print(f"{room.name}: {row.killed:,} of {row.made:,} killed, {verdicts.percent(row.killed, row.made)}")
            if whole:
                record(room, row, every)
    return 0


def record(room: Room, row: Row, every: list[Room]) -> None:
    """Write a room's row into docs/proof.md; those of the others stay as they are."""
    known = verdicts.rows(runs.kept(proof.DOCUMENT.read_text()).get("mutants", ""))
    lines = verdicts.table(known | {room.name: row}, [each.name for each in every])
    proof.record({"mutants": "\n".join(lines)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
