"""A replay has nothing to reach the world by, and says in words what it cannot replay."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actors.engines import ACTORS
from actors.replay.freezing import code_mark
from bus.messages.recording import EntriesLost, LifeBegun
from bus.recorder.checkpoints import Checkpoint, write
from bus.recorder.reading import read
from bus.recorder.segments import Block, Entry, SegmentWriter
from bus.recorder.words import pack
from tests.replay.recordings import FOLDER

ROOT = Path(__file__).parents[2]
AWAY = {
    "WATCHKEEPER_NATS_URL": "nats://127.0.0.1:1",
    "WATCHKEEPER_POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/none",
}


def replayed(*words: str) -> "subprocess.CompletedProcess[str]":
    return run_py("replay", *words)


def run_py(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "run.py", *words]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | AWAY, capture_output=True, text=True, check=False, timeout=60
    )


def test_no_code_that_reaches_a_server_or_a_venue_is_in_its_process() -> None:
    """Fault 58"""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, json, actors.replay.process; print(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    rooms = {name.partition(".")[0] for name in json.loads(told.stdout)}
    wires = {name for name in json.loads(told.stdout) if name.startswith("bus.")}
    assert rooms & {"nats", "psycopg", "psycopg_pool", "db", "socket", "asyncio", "ssl", "http"} == set()
    assert {name for name in wires if name.split(".")[1] not in ("messages", "recorder", "subjects")} == set()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("/nowhere",), 2, "holds no recording"),
        ((), 2, "set recorder.folder"),
        (("/nowhere", "--from", "yesterday"), 2, "--from yesterday"),
        (("/nowhere", "--set", "probability.floor=30"), 2, "Did you mean probability.floor_percent"),
        (("/nowhere", "--sweep", "probability.floor_percent=20..50"), 2, "A..B:STEP"),
        (("/nowhere", "--set", "probability.floor_percent=30"), 2, "holds no recording"),
    ],
)
def test_what_cannot_be_meant_is_said_in_words(words: tuple[str, ...], code: int, said: str) -> None:
    ended = replayed(*words)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr


def test_a_recording_without_a_beginning_compares_nothing_and_says_so(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 10)
    writer.append(Block([pack(EntriesLost(count=3))], [Entry("trade_desk", 10, 0)]))
    writer.close()

    ended = replayed(str(tmp_path))

    assert ended.returncode == 1
    assert "nothing to compare" in ended.stderr


def test_a_foreign_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "x.wkr").write_bytes(b"SQLite format 3\x00" + bytes(100))

    ended = replayed(str(tmp_path / "x.wkr"))

    assert ended.returncode == 2
    assert "is no recording of Watchkeeper" in ended.stderr


class Runs:
    """Pickles as a command that a shell would run."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self._command,)


def test_a_checkpoint_that_somebody_made_up_is_refused_in_words(tmp_path: Path) -> None:
    """Fault 58: whoever sends a recording sends what lies beside it."""
    shutil.copy(FOLDER / "netted.wkr", tmp_path / "recording-00000000000000000001-000.wkr")
    [block] = (part for part in read(tmp_path) if isinstance(part, Block) and part.place is not None)
    assert block.place is not None
    begun = LifeBegun(version="", instance="", epoch=1, now_ns=1, settings={}, streams={}, marks=False)
    evil = pickle.dumps(Runs(f"touch {tmp_path}/effect"))
    made_up = Checkpoint(
        code=code_mark(),
        place=block.place,
        until_ns=1,
        newest_ns=1,
        last_ns=1,
        begun=begun,
        engines=dict.fromkeys(ACTORS, evil),
    )
    write(tmp_path, made_up)

    ended = replayed(str(tmp_path), "--from", "2026-01-01T00:00:00Z")

    assert not (tmp_path / "effect").exists()
    assert ended.returncode == 1
    assert "no part of an engine" in ended.stderr
    assert "remove its .wkc files" in ended.stderr
    assert "Traceback" not in ended.stderr
