"""The power of the simulation: bugs planted one by one, and the seed that catches each. `python -m tests.simulation.power`."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.simulation import bugs_rules, bugs_wires
from tests.simulation.planting import Bug
from tests.simulation.seed import run

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*bugs_wires.BUGS, *bugs_rules.BUGS)}
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
            if healthy.violations:
                return Catch(name, 0, f"seed {seed} is violated without it: {healthy.violations[0]}")
            return Catch(name, seed, result.violations[0])
    return Catch(name, 0, f"not within {seeds} seeds")


def main(arguments: list[str]) -> int:
    """Hunt for every bug, or those named; 1 if one gets away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(BUGS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args(arguments)
    started = time.monotonic()
    caught = 0
    with ProcessPoolExecutor(wanted.workers) as pool:
        for catch in pool.map(hunt, wanted.names, [wanted.seeds] * len(wanted.names)):
            caught += bool(catch.seed)
            how = f"seed {catch.seed}: {catch.words[:150]!r}" if catch.seed else f"NOT CAUGHT: {catch.words[:200]!r}"
            print(f"{catch.name}: {how}", flush=True)
    print(f"{caught} of {len(wanted.names)} in {time.monotonic() - started:.0f} s")
    return caught != len(wanted.names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
