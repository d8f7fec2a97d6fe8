"""Puts one small mistake at a time into the house and sees whether a test notices: `make mutants [ONLY=PATTERN] [SAMPLE=N]`.

`[tool.mutmut]` of pyproject.toml says in which rooms, and by which tests: those nearest to a room, so that what a table says is the
least that all of them together catch. Each room has its row in docs/proof.md, written when
the room is through, with the commit that was tried. A run of all rooms takes hours: interrupted, it goes on where it was, as long
as the commit is the same; and with SAMPLE so many of each room are tried, chosen by chance: others at each commit, or tests that
were written for the survivors of a sample would be judged by that sample. With ONLY it is some rooms
(`actors/rules/trade`, `actors/rules` with all in it, `actors/rules/*.py` without, `bus/relay.py`), or a part of one
(`actors.rules.fees.x_fee__mutmut_7`, `actors.rules.desk.desk.*`), which is shown and not written down.
"""

import argparse
import os
import sys
from collections import Counter
from fnmatch import fnmatch
from zlib import crc32

from tests.house import proof, runs
from tests.house.source import ROOT
from tests.mutants import verdicts
from tests.mutants.verdicts import Row, Verdicts
from tests.mutants.workshop import Room, furnish, mutants, rooms, run


def tried(room: Room, names: list[str], children: int) -> Verdicts:
    """Return the verdict on each of these mutants of a room."""
    found = verdicts.read(run(room, names, children))
    return {name: found[name] for name in names}


def by_chance(names: list[str], commit: str) -> list[str]:
    """Return mutants in an order that says nothing of them, and is the same for a commit: any number from the front is a sample."""
    return sorted(names, key=lambda name: crc32(f"{commit} {name}".encode()))


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 whatever it finds: how many must die is for the reader to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a room, some of them, or mutants; `*` for anything")
    parser.add_argument("--sample", type=int, help="how many of each room; all unless given")
    parser.add_argument("--children", type=int, default=2, help="mutants tried at the same time")
    wanted = parser.parse_args(arguments)
    os.nice(19)
    commit = runs.commit()
    every = rooms((ROOT / "pyproject.toml").read_text())
    for room in every:
        if room.concerns(wanted.only):
            whole = room.is_meant(wanted.only)
            furnish(room, commit)
            made = mutants(room)
            meant = [name for name in by_chance(made, commit) if whole or fnmatch(name, wanted.only)]
            found = tried(room, meant[: wanted.sample], wanted.children)
            alive = verdicts.survivors(found)
            for function, count in sorted(Counter(map(verdicts.function_of, alive)).items()):
                print(f"{count:5} survived in {function}")
            row = Row(len(found) - len(alive), len(found), len(made), commit)
            print(f"{room.name}: {row.killed:,} of {row.tried:,} killed, {verdicts.percent(row.killed, row.tried)}")
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
