"""The real process between real servers, killed, paused and cut off while trades are opened and closed: nothing is lost, nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.chaos.round import run
from tests.chaos.run import again, main
from tests.fixtures.postgres import throwaway_server

ROUNDS = (
    "K5 after",
    "K6 before",
    "K14 after",
    "K16 after",
    "process killed again and again",
    "leader stopped beside a standby",
    "PostgreSQL killed",
    "line to NATS cut",
    "poison",
)
"""Nine of the faults, and one more by the command; `make chaos ROUNDS=300` tries them all."""


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[EmbeddedPostgres]:
    """A server that only the rounds use, one after the other."""
    with throwaway_server() as server:
        yield server


@pytest.mark.parametrize("fault", ROUNDS)
def test_a_round_ends_with_every_trade_closed_once(
    mortal_postgres: EmbeddedPostgres, tmp_path: Path, fault: str
) -> None:
    """K5, K6, K14, K16. Faults 2, 4-6, 8, 16, 19, 23, 36, 45, 46. S1-S6, S8, S10, S12, L1, L2, L4-L6. Lessons 5, 23, 24, 38, 42."""
    result = run(1, mortal_postgres, tmp_path, fault=fault)

    assert result.violations == [], again(1, fault)
    assert fault in result.reached


def test_the_command_tells_a_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """K10"""
    code = main(["--rounds", "1", "--fault", "K10 after", "--folder", str(tmp_path)])

    assert code == 0
    assert "| K10 after | 1 | 1 | 0 |" in capsys.readouterr().out
