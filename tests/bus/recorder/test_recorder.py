"""The recorder writes what it is handed, holds up nobody, and says what it has lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bus.messages.recording import EntriesLost, LifeBegun, LifeContinues, LifeEnded, RecorderFailed, RecorderWorks
from bus.messages.timers import TimerFired
from bus.recorder import recorder as recording
from bus.recorder.reading import read
from bus.recorder.recorder import RANGES, Keep, Recorder
from bus.recorder.segments import Block, SegmentWriter, segments
from bus.recorder.words import unpack

NOW_NS = 1_752_685_200_000_000_000
DAY_NS = 24 * 3600 * 10**9
ALL = Keep(segment_bytes=10**9, total_bytes=10**9, age_ns=DAY_NS)


class Clock:
    def __init__(self) -> None:
        self.ns = NOW_NS

    def now_ns(self) -> int:
        self.ns += 1000
        return self.ns


def a_word(number: int) -> TimerFired:
    return TimerFired(owner="desk", key=f"{number}", due_ns=NOW_NS, now_ns=NOW_NS)


class Heard:
    """What the recorder says, and a wait for it."""

    def __init__(self) -> None:
        self.words: list[object] = []
        self._changed = threading.Condition()

    def __call__(self, word: object) -> None:
        with self._changed:
            self.words.append(word)
            self._changed.notify_all()

    def wait_for(self, kind: type) -> Any:
        with self._changed:
            assert self._changed.wait_for(lambda: any(isinstance(word, kind) for word in self.words), 10)
            return next(word for word in self.words if isinstance(word, kind))


@contextmanager
def recording_into(folder: Path, keep: Keep = ALL) -> Iterator[tuple[Recorder, Heard]]:
    under_test, heard = Recorder(folder, Clock(), keep), Heard()
    under_test.tell(heard)
    yield under_test, heard
    under_test.close(10)


def recorded(folder: Path) -> list[tuple[str, object, tuple[object, ...]]]:
    return [
        (entry.actor, unpack(part.words[entry.heard]), tuple(unpack(part.words[index]) for index in entry.said))
        for part in read(folder)
        if isinstance(part, Block)
        for entry in part.entries
    ]


def test_what_is_noted_is_recorded_in_its_order_and_the_end_is_said(tmp_path: Path) -> None:
    with recording_into(tmp_path) as (under_test, _):
        under_test.note("auto_stop", a_word(1), (a_word(2), a_word(3)))
        under_test.note("trade_desk", a_word(2))

    assert recorded(tmp_path) == [
        ("auto_stop", a_word(1), (a_word(2), a_word(3))),
        ("trade_desk", a_word(2), ()),
        ("recorder", LifeEnded(), ()),
    ]


def test_what_does_not_go_into_a_full_block_stands_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_BLOCK_BYTES", 1)
    with recording_into(tmp_path) as (under_test, _):
        for number in range(20):
            under_test.note("auto_stop", a_word(number))

    assert [word for _, word, _ in recorded(tmp_path)] == [*map(a_word, range(20)), LifeEnded()]
    assert len(list(read(tmp_path))) == 21


def test_a_word_that_several_actors_hear_stands_in_a_block_once(tmp_path: Path) -> None:
    word = a_word(1)
    with recording_into(tmp_path) as (under_test, _):
        for actor in ("auto_stop", "trade_watcher", "paper_venue"):
            under_test.note(actor, word)

    [block] = read(tmp_path)
    assert isinstance(block, Block)
    assert [name for name, _ in block.words].count("TimerFired") == 1


def test_without_an_end_in_order_what_was_noted_a_moment_ago_stands(tmp_path: Path) -> None:
    """Killed: nobody closes it."""
    under_test, stands = Recorder(tmp_path, Clock(), ALL), threading.Event()

    under_test.note("auto_stop", a_word(1))
    for _ in range(100):
        if any(tmp_path.glob("*")) and any(isinstance(part, Block) for part in read(tmp_path)):
            break
        stands.wait(0.05)

    assert recorded(tmp_path) == [("auto_stop", a_word(1), ())]
    under_test.close(10)


def test_a_disk_that_is_full_costs_entries_which_are_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 18: of our own disk."""
    real = SegmentWriter.append
    full = threading.Event()
    full.set()

    def append(self: SegmentWriter, block: Block) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        real(self, block)

    monkeypatch.setattr(SegmentWriter, "append", append)
    with recording_into(tmp_path) as (under_test, heard):
        under_test.note("auto_stop", a_word(1))
        failed = heard.wait_for(RecorderFailed)
        full.clear()
        under_test.note("auto_stop", a_word(2))
        works = heard.wait_for(RecorderWorks)

    assert "No space left" in failed.error
    assert works.lost == 1
    assert recorded(tmp_path)[:2] == [
        ("recorder", EntriesLost(count=1), ()),
        ("auto_stop", a_word(2), ()),
    ]


def test_a_recorder_that_cannot_keep_up_holds_up_nobody_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, hangs = SegmentWriter.append, threading.Event()

    def append(self: SegmentWriter, block: Block) -> None:
        hangs.wait(10)
        real(self, block)

    monkeypatch.setattr(SegmentWriter, "append", append)
    monkeypatch.setattr(recording, "_WAITING_MAX", 5)
    with recording_into(tmp_path) as (under_test, heard):
        for number in range(500):
            under_test.note("auto_stop", a_word(number))
        hangs.set()
        works = heard.wait_for(RecorderWorks)

    kept = [word for _, word, _ in recorded(tmp_path) if isinstance(word, TimerFired)]
    lost = sum(word.count for _, word, _ in recorded(tmp_path) if isinstance(word, EntriesLost))
    assert works.lost > 0
    assert len(kept) + lost == 500


def test_a_word_that_cannot_be_packed_costs_itself_alone(tmp_path: Path) -> None:
    with recording_into(tmp_path) as (under_test, heard):
        under_test.note("auto_stop", object())
        under_test.note("auto_stop", a_word(1))
        heard.wait_for(RecorderWorks)

    assert ("auto_stop", a_word(1), ()) in recorded(tmp_path)


def test_a_full_segment_is_followed_by_the_next_and_the_oldest_are_removed(tmp_path: Path) -> None:
    keep = Keep(segment_bytes=100, total_bytes=1000, age_ns=DAY_NS)
    with recording_into(tmp_path, keep) as (under_test, _):
        for number in range(40):
            under_test.note("auto_stop", a_word(number))
            wait_written(tmp_path, number)
            for beside in (RANGES, ".000000000024.00000000000000000001.wkc"):
                segments(tmp_path)[-1].with_suffix(beside).touch()

    kept = segments(tmp_path)
    assert 2 < len(kept) < 30
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {path.stem for path in kept}
    assert recorded(tmp_path)[-2] == ("auto_stop", a_word(39), ())


def wait_written(folder: Path, number: int) -> None:
    pause = threading.Event()
    for _ in range(200):
        if any(folder.glob("*")) and any(word == a_word(number) for _, word, _ in recorded(folder)):
            return
        pause.wait(0.01)
    raise AssertionError(number)


def test_segments_older_than_what_is_kept_are_removed(tmp_path: Path) -> None:
    old = SegmentWriter(tmp_path, NOW_NS - 3 * DAY_NS)
    old.close()
    younger = SegmentWriter(tmp_path, NOW_NS - 2 * DAY_NS)
    younger.close()

    with recording_into(tmp_path) as (under_test, _):
        under_test.note("auto_stop", a_word(1))

    assert old.path not in segments(tmp_path)
    assert younger.path in segments(tmp_path), "its last entry may be as young as the next segment"


def test_each_later_segment_says_whose_life_it_continues(tmp_path: Path) -> None:
    begun = LifeBegun(version="1", instance="one", epoch=7, now_ns=NOW_NS, settings={}, streams={}, marks=False)
    with recording_into(tmp_path, Keep(segment_bytes=100, total_bytes=10**9, age_ns=DAY_NS)) as (under_test, _):
        under_test.note("life", begun)
        for number in range(3):
            under_test.note("auto_stop", a_word(number))
            wait_written(tmp_path, number)

    first, *later = [[word for _, word, _ in recorded(path)] for path in segments(tmp_path)]
    assert first[0] == begun
    assert {words[0] for words in later} == {LifeContinues(instance="one", epoch=7)}


def test_what_lies_beside_a_segment_counts_as_well(tmp_path: Path) -> None:
    old = SegmentWriter(tmp_path, NOW_NS - 1)
    old.close()
    old.path.with_suffix(RANGES).write_bytes(bytes(1001))

    with recording_into(tmp_path, Keep(segment_bytes=100, total_bytes=1000, age_ns=DAY_NS)) as (under_test, _):
        under_test.note("auto_stop", a_word(1))

    assert old.path not in segments(tmp_path)


def test_how_much_was_written_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    under_test = Recorder(tmp_path, Clock(), ALL, told.append)
    for number in range(3):
        under_test.note("auto_stop", a_word(number))
    under_test.close(10)

    assert sum(told) == 4  # with the word that it has ended
