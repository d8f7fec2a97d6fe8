"""Work at the side: it tells what came of it, knows no secret, and ends with whoever asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors.outside.background import work
from actors.replay.apart import environment

ROOT = Path(__file__).parents[3]


def test_it_tells_what_came_of_it(tmp_path: Path) -> None:
    nothing = work("bus.recorder.ranges", [str(tmp_path), "0"])
    wrong = work("bus.recorder.ranges", [])

    assert (nothing.code, nothing.told, nothing.complained) == (1, b"", "")
    assert wrong.code == 1
    assert "ValueError" in wrong.complained


def test_it_is_told_nothing_of_what_we_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_POSTGRES_DSN", "postgresql://watchkeeper:secret@db/watchkeeper")

    assert "secret" not in str(environment())


def test_it_steps_back_and_ends_with_whoever_asked() -> None:
    waits = "import os, sys, threading; from config.background import step_back; step_back(); print(os.nice(0), flush=True); threading.Event().wait()"
    with subprocess.Popen(
        [sys.executable, "-c", waits], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as asked:
        assert asked.stdout is not None
        assert asked.stdin is not None
        assert asked.stdout.readline() == b"19\n"
        asked.stdin.close()
        assert asked.wait(10) == 1
