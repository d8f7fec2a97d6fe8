"""The power of the simulation: bugs planted one by one, and the seed that catches each. `make simulate-power`."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.house import proof, runs
from tests.simulation import bugs_ends, bugs_rules, bugs_wires
from tests.simulation.planting import Bug
from tests.simulation.seed import run

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*bugs_wires.BUGS, *bugs_rules.BUGS, *bugs_ends.BUGS)}
EVENTS = 1500
SEEDS = 2000


@dataclass(frozen=True)
class Catch:
    """Which seed caught a bug, and by what; seed 0: none did."""

    name: str
    seed: int
    words: str


def hunt(name: str, seeds: int = SEEDS, events: int = EVENTS) -> Catch:
    """Plant a bug, and run seeds until one is violated that is not violated without it."""
    bug = BUGS[name]
    for seed in range(1, seeds + 1):
        with bug.plant().planted():
            result = run(seed, events, bug.wakes)
        if result.violations:
            healthy = run(seed, events, bug.wakes)
            if not healthy.violations:
                return Catch(name, seed, result.violations[0].splitlines()[0])
    return Catch(name, 0, f"not within {seeds} seeds")


def section(found: list[Catch], seeds: int, commit: str) -> str:
    """Return what docs/proof.md says of a hunt for every bug."""
    caught = sum(bool(catch.seed) for catch in found)
    rows = [f"| {c.name} | {c.seed or 'none'} | {c.words[:140].replace('|', '/')} |" for c in found]
    return "\n".join(
        [
            f"At {commit}: {caught} of {len(found)} planted bugs caught, each within {seeds:,} seeds of {EVENTS:,} events.",
            "",
            "| bug | first seed that catches it | what it saw |",
            "|---|---|---|",
            *rows,
        ]
    )


def main(arguments: list[str]) -> int:
    """Hunt for every bug, or those named; 1 if one gets away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(BUGS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args(arguments)
    commit, started = runs.commit(), time.monotonic()
    found: list[Catch] = []
    with ProcessPoolExecutor(wanted.workers, initializer=os.nice, initargs=(19,)) as pool:
        for catch in pool.map(hunt, wanted.names, [wanted.seeds] * len(wanted.names)):
            found.append(catch)
            print(f"{catch.name}: seed {catch.seed or 'none'}: {catch.words[:150]}", flush=True)
    caught = sum(bool(catch.seed) for catch in found)
    print(f"{caught} of {len(found)} in {time.monotonic() - started:.0f} s")
    if set(wanted.names) == set(BUGS):
        proof.record({"power": section(found, wanted.seeds, commit)})
    return caught != len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
