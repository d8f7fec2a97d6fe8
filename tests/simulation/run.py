"""Runs seeds: `python -m tests.simulation.run --seeds 300 --events 1000`, or one, told in full: `--seed 7 --events 2000`."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.seed import Result, run
from tests.simulation.world import START_NS


def told(result: Result) -> str:
    """Return the history of a seed, in words."""
    lines = [f"{(at_ns - START_NS) / 1e9:9.3f}  {words}" for at_ns, words in result.history]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 if anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args(arguments)
    if wanted.seed is not None:
        result = run(wanted.seed, wanted.events)
        print(told(result))
        print(f"seed {result.seed}: {result.turns} turns, trace {result.trace}")
        print("\n".join(result.violations) or "nothing was violated")
        return bool(result.violations)
    started = time.monotonic()
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    failed: list[Result] = []
    faults: Counter[str] = Counter()
    edges: Counter[tuple[str, str]] = Counter()
    reached: Counter[tuple[str, str]] = Counter()
    killed: Counter[tuple[str, str]] = Counter()
    turns = 0
    with ProcessPoolExecutor(wanted.workers) as pool:
        for result in pool.map(partial(run, events=wanted.events), seeds, chunksize=5):
            turns += result.turns
            faults += result.faults
            edges += result.edges
            reached += result.reached
            killed += result.killed
            if result.violations:
                failed.append(result)
                print(f"seed {result.seed}: {result.violations[0][:300]}", flush=True)
    print(f"{len(seeds)} seeds, {turns} turns, {time.monotonic() - started:.1f} s, {len(failed)} failed")
    print("faults:", dict(faults))
    print("edges:", {f"{a}->{b}": n for (a, b), n in sorted(edges.items())})
    print("reached:", {f"{p} {m}": n for (p, m), n in sorted(reached.items())})
    print("killed:", {f"{p} {m}": n for (p, m), n in sorted(killed.items())})
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
