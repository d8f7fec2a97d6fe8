"""Runs chaos rounds (`make chaos ROUNDS=N`): the real process between real servers, and one fault or two in each round."""

import argparse
import logging
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.chaos.faults import FAULTS, IMPOSSIBLE
from tests.chaos.reach import Reach
from tests.chaos.round import Result, run
from tests.fixtures.postgres import throwaway_server
from tests.house import proof, runs

RECORDED_FROM: Final = len(FAULTS)
"""So many rounds try each fault once, and are worth a section of docs/proof.md; none of the faults may be missing in them."""


def again(seed: int, fault: str | None = None) -> str:
    """Return the command that tells a round again."""
    wanted = f" --fault '{fault}'" if fault else ""
    return f".venv/bin/python -m tests.chaos.run --rounds 1 --first {seed}{wanted}"


def run_many(seeds: range, fault: str | None, folder: Path, workers: int) -> Reach:
    """Run rounds, so many at a time, and say at once of each that fails how to see it again. What it logged is kept.

    Ctrl-C lets those end that have begun.
    """
    reach, left, is_over = Reach(), iter(seeds), threading.Event()

    def work() -> None:
        # A server for each: rounds kill it.
        with throwaway_server() as postgres:
            while not is_over.is_set() and (seed := next(left, None)) is not None:
                place, started = folder / str(seed), time.monotonic()
                shutil.rmtree(place, ignore_errors=True)
                result = run(seed, postgres, place, fault=fault)
                reach.add(result)
                print(told(result, time.monotonic() - started), flush=True)
                if result.violations:
                    print(f"{again(seed, fault)}  # {place}", *result.violations, sep="\n  ", flush=True)
                else:
                    shutil.rmtree(place)

    with ThreadPoolExecutor(workers) as pool:
        working = [pool.submit(work) for _ in range(workers)]
        try:
            for each in working:
                each.result()
        except KeyboardInterrupt:
            is_over.set()
    return reach


def told(result: Result, seconds: float) -> str:
    """Return a round in one line."""
    return f"{result.seed}: {' and '.join(result.planned)}; {result.trades} trades, {len(result.ends) + 1} starts, {seconds:.1f} s"


def section(reach: Reach, first: int, seconds: float, commit: str) -> str:
    """Return what docs/proof.md says of a run."""
    missing = reach.missing() if reach.rounds >= RECORDED_FROM else []
    of = f"{reach.rounds} rounds from seed {first} on, {reach.trades:,} trades, {reach.starts:,} starts of `serve`"
    return "\n".join(
        [
            f"At {commit}: {of}, in {seconds / 60:.1f} minutes.",
            f"{runs.verdict(reach.rounds, len(reach.failed))}.",
            *([f"Never came about: {'; '.join(missing)}."] if missing else []),
            *([f"This machine does not allow: {'; '.join(sorted(IMPOSSIBLE))}."] if IMPOSSIBLE else []),
            *(f"- `{again(seed)}`: {words[0].splitlines()[0][:160]}" for seed, words in reach.failed.items()),
            *reach.table(),
        ]
    )


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 if anything was violated, or missing in a full run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fault", choices=FAULTS, help="the first one of every round (default: another one in each)")
    parser.add_argument(
        "--folder", type=Path, help="where the logs of failed rounds stay (default: a new temporary one)"
    )
    wanted = parser.parse_args(arguments)
    # Whatever an executor loses is no news here.
    logging.getLogger("nats.aio.client").setLevel(logging.CRITICAL)
    folder = wanted.folder or Path(tempfile.mkdtemp(prefix="watchkeeper-chaos-"))
    commit, started = runs.commit(), time.monotonic()
    reach = run_many(range(wanted.first, wanted.first + wanted.rounds), wanted.fault, folder, wanted.workers)
    found = section(reach, wanted.first, time.monotonic() - started, commit)
    print(found)
    is_full = reach.rounds >= RECORDED_FROM and not wanted.fault
    if is_full:
        proof.record({"chaos": found})
    return bool(reach.failed or (is_full and reach.missing()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
