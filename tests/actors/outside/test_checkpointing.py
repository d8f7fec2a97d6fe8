"""Checkpoints are asked for as the recording grows, one at a time, and never in vain again and again."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from loguru import logger

from actors.outside import checkpointing
from actors.outside.background import Worked
from actors.outside.checkpointing import Checkpointing
from actors.replay.apart import NOTHING_RECORDED
from config.outcomes import Exit
from config.settings import Recorder

Ended = Callable[[int], None]


class Asked:
    """In place of the process: counts how often it was asked, and ends as it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.code: int = Exit.DONE
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, module: str, words: list[str]) -> Worked:
        assert module == "actors.replay.process"
        assert '"checkpoint_every":100' in words[0]
        self.count += 1
        assert self.may_end.wait(10)
        return Worked(self.code, b"", "what is wrong")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(checkpointing, "work", asked)
    return asked


def recording(folder: Path, every: int = 100) -> Checkpointing:
    return Checkpointing(Recorder(folder=str(folder), segment_mb=1, keep_mb=1, keep_days=1, checkpoint_entries=every))


def write(under_test: Checkpointing, *entries: int) -> None:
    """Have so many entries written, one write after the other, and each process come to its end."""
    for number in entries:
        under_test.written(number)
        if under_test.working is not None:
            under_test.working.join(10)


def test_one_is_asked_for_each_time_enough_was_written(tmp_path: Path, asked: Asked) -> None:
    under_test = recording(tmp_path)

    counts = []
    for entries in (60, 39, 1, 99, 1):
        write(under_test, entries)
        counts.append(asked.count)

    assert counts == [0, 0, 1, 1, 2]


def test_none_is_asked_for_where_none_is_wanted(tmp_path: Path, asked: Asked) -> None:
    write(recording(tmp_path, every=0), 10**6)

    assert asked.count == 0


def test_the_next_one_waits_for_the_process_that_works(tmp_path: Path, asked: Asked) -> None:
    under_test = recording(tmp_path)
    asked.may_end.clear()
    under_test.written(100)
    under_test.written(100)
    assert asked.count <= 1

    asked.may_end.set()
    write(under_test, 0, 1)

    assert asked.count == 2


def test_in_vain_it_asks_half_as_often_each_time_until_one_is_made(tmp_path: Path, asked: Asked) -> None:
    """Behind a gap nothing can be decided again before the next life, and all would be told again each time."""
    under_test = recording(tmp_path)
    asked.code = NOTHING_RECORDED

    counts = []
    for _ in range(8):
        write(under_test, 100)
        counts.append(asked.count)
    asked.code = Exit.DONE
    write(under_test, *[100] * 8)
    again = asked.count
    write(under_test, 100, 100)

    assert counts == [1, 1, 2, 2, 2, 2, 3, 3]
    assert asked.count == again + 2


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (Exit.DONE, []),
        (NOTHING_RECORDED, []),
        (Exit.NO, ["ERROR a replay does not agree: what is wrong"]),
        (-9, ["WARNING no checkpoint of the recording was made: what is wrong"]),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, asked: Asked, code: int, said: list[str]) -> None:
    logged: list[str] = []
    sink = logger.add(lambda line: logged.append(str(line).strip()), format="{level} {message}", level="INFO")
    asked.code = code

    write(recording(tmp_path), 100)

    logger.remove(sink)
    assert logged == said
