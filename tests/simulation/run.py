"""Runs seeds (`make simulate SEEDS=N EVENTS=M`), or tells one in full: `python -m tests.simulation.run --seed 7 --events 2000`."""

import argparse
import faulthandler
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Final

from tests.house import proof, runs
from tests.simulation.reach import Reach
from tests.simulation.seed import Result, run
from tests.simulation.world import START_NS

BROKEN_MAX: Final = 3
"""The interpreter itself broke once in 10,000 seeds; more often than this is a matter of its own."""
RECORDED_FROM: Final = 2000
"""So many seeds at least are worth a section of docs/proof.md."""


def told(result: Result) -> str:
    """Return the history of a seed, in words."""
    lines = [f"{(at_ns - START_NS) / 1e9:9.3f}  {words}" for at_ns, words in result.history]
    return "\n".join(lines)


def again(seed: int, events: int) -> str:
    """Return the command that tells a seed again."""
    return f".venv/bin/python -m tests.simulation.run --seed {seed} --events {events}"


def tell_one(seed: int, events: int) -> bool:
    """Tell one seed; return whether it held."""
    result = run(seed, events)
    print(told(result))
    print(f"seed {result.seed}: {result.turns} turns, trace {result.trace}")
    print("\n".join(result.violations) or "nothing was violated")
    return not result.violations


def _begin() -> None:
    """A worker yields to everybody else, and if the interpreter itself breaks (once in 10,000 seeds so far), it says where."""
    os.nice(19)
    faulthandler.enable()


def run_many(first: int, seeds: int, events: int, workers: int) -> Reach:
    """Run seeds, and say at once of each that fails how to see it again. Those of an interpreter that broke run once more."""
    reach = Reach()
    while reach.seeds < seeds:
        left = range(first + reach.seeds, first + seeds)
        try:
            for result in _run_all(left, events, workers):
                reach.add(result)
                if result.violations:
                    print(f"{again(result.seed, events)}  # {result.violations[0][:300]}", flush=True)
        except BrokenProcessPool as error:
            reach.broken += 1
            if reach.broken > BROKEN_MAX:
                raise
            print(f"between seeds {first + reach.seeds} and {first + reach.seeds + 5 * workers}: {error}", flush=True)
    return reach


def _run_all(seeds: range, events: int, workers: int) -> Iterator[Result]:
    with ProcessPoolExecutor(workers, initializer=_begin) as pool:
        yield from pool.map(partial(run, events=events), seeds, chunksize=5)


def section(reach: Reach, first: int, events: int, seconds: float, commit: str) -> str:
    """Return what docs/proof.md says of a run."""
    missing = reach.missing()
    of = f"seeds {first} to {first + reach.seeds - 1}, {events:,} events of each before its faults stop"
    pace = f"{seconds / 60:.1f} minutes ({reach.turns / seconds:,.0f} events/s)"
    return "\n".join(
        [
            f"At {commit}: {of}, {reach.turns:,} in all, in {pace}.",
            f"{runs.verdict(reach.seeds, len(reach.failed))}.",
            *([f"The interpreter broke {reach.broken} times; its seeds ran again."] if reach.broken else []),
            f"Never reached: {'; '.join(missing)}." if missing else "Everything was reached.",
            *(f"- `{again(seed, events)}`: {words.splitlines()[0][:160]}" for seed, words in reach.failed.items()),
            *reach.table(),
        ]
    )


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 if anything was violated, or never reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args(arguments)
    if wanted.seed is not None:
        return not tell_one(wanted.seed, wanted.events)
    commit, started = runs.commit(), time.monotonic()
    reach = run_many(wanted.first, wanted.seeds, wanted.events, wanted.workers)
    found = section(reach, wanted.first, wanted.events, time.monotonic() - started, commit)
    print(found)
    if wanted.seeds >= RECORDED_FROM:
        proof.record({"simulate": found})
    return bool(reach.failed or reach.missing())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
