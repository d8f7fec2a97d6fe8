"""The real process between real servers, killed, paused and cut off while trades are opened and closed: nothing is lost, nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.chaos.round import run
from tests.chaos.run import again
from tests.fixtures.postgres import throwaway_server

ROUNDS = 10


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[EmbeddedPostgres]:
    """A server that only the rounds use, one after the other."""
    with throwaway_server() as server:
        yield server


@pytest.mark.parametrize("seed", range(1, ROUNDS + 1))
def test_a_round_ends_with_every_trade_closed_once(
    mortal_postgres: EmbeddedPostgres, tmp_path: Path, seed: int
) -> None:
    """K1-K20. Faults 1-10, 16, 19, 45, 46. S1-S6, S8, S10, S12, L1, L2, L4-L6. Lessons 5, 23, 24, 38, 42."""
    result = run(seed, mortal_postgres, tmp_path)

    assert result.violations == [], again(seed)
