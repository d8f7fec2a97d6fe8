"""Whichever part of the real process hangs: it says so and ends, and the next one watches."""

from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import between
from tests.acceptance.harness import CONFIG
from tests.chaos.hanging import PARTS

QUICK = """
[actors]
beat_interval_ms = 200
stuck_after_s = 3
"""


@pytest.mark.parametrize("part", PARTS)
def test_a_process_with_a_part_that_hangs_ends_with_70_and_the_stacks_of_all_threads(
    postgres_server: EmbeddedPostgres, tmp_path: Path, part: str
) -> None:
    """Fault 42, Lesson 17"""
    signal = tmp_path / "hang"
    with between(postgres_server, tmp_path, CONFIG + QUICK) as watchkeeper:
        watchkeeper.entry = ("-m", "tests.chaos.hanging", part, str(signal))
        watchkeeper.start()

        signal.touch()
        watchkeeper.quote("HANG", "0.60", "0.62")
        code = watchkeeper.await_end()

    assert code == 70
    assert "in may_hang" in (tmp_path / "serve.log").read_text()
