"""Random worlds, each from one seed: whatever goes wrong in them, the invariants hold, and afterwards everything settles."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.simulation.reach import Reach
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.run import again
from tests.simulation.seed import Result, run

ROOT = Path(__file__).parents[2]
SEEDS = 300
CHUNK = 20
EVENTS = 1000


@cache
def ran(seed: int) -> Result:
    """What came of a seed, but not the telling."""
    return replace(run(seed, EVENTS), history=[])


def traced(hash_seed: str, seed: int) -> str:
    """The last line of a seed's story, told by a process of its own."""
    command = [sys.executable, "-m", "tests.simulation.run", "--seed", str(seed), "--events", "600"]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return next(line for line in told.stdout.splitlines() if line.startswith("seed "))


@pytest.mark.parametrize("seed", [3, 11])
def test_a_seed_takes_the_same_turns_in_every_process(seed: int) -> None:
    """The order of a set, an address or a clock would show here."""
    first, second = traced("1", seed), traced("20000", seed)

    assert first == second


@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_nothing_is_violated_in_a_random_world(first: int) -> None:
    """S1-S10, S12, L1, L2, L4-L6. Faults 1-7, 9, 10, 15, 16, 18, 20, 23, 24-31, 33, 34, 41, 45, 46, 48, 52, 54, 56."""
    failed = {again(seed, EVENTS): ran(seed).violations for seed in range(first, first + CHUNK)}

    assert {command: broken for command, broken in failed.items() if broken} == {}


def test_a_few_hundred_worlds_reach_every_kill_point_fault_and_common_edge() -> None:
    """What a run never reaches it does not try."""
    reach = Reach()
    for seed in range(1, SEEDS + 1):
        reach.add(ran(seed))

    assert reach.missing() == []


@pytest.mark.parametrize(("seed", "events"), REGRESSIONS)
def test_what_was_violated_once_is_not_violated_again(seed: int, events: int) -> None:
    assert run(seed, events).violations == []
