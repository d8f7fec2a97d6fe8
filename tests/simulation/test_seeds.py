"""Random worlds, each from one seed: whatever goes wrong in them, the invariants hold, and afterwards everything settles.

`python -m tests.simulation.run --seed N --events M` tells one in full.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.seed import run

ROOT = Path(__file__).parents[2]
FEW = 20
EVENTS = 1000


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


@pytest.mark.parametrize("seed", range(1, FEW + 1))
def test_nothing_is_violated_in_a_random_world(seed: int) -> None:
    """S1-S10, S12, L1, L2, L4, L6. Faults 1-7, 9, 10, 15, 16, 18, 20, 23, 24-31, 33, 34, 41, 45, 46, 48, 52, 54, 56."""
    result = run(seed, EVENTS)

    assert result.violations == []
