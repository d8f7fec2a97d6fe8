"""What is wrong with a recording is said, by the real command: a gap, or a clear error; exit codes as the README has them."""

import struct
import zlib
from pathlib import Path

import pytest
import zstandard

from actors.replay.changes import read_changes
from actors.replay.explaining import explain
from actors.replay.replaying import Wanted, replay
from actors.replay.what_if import what_if
from bus.messages.recording import EntriesLost
from bus.messages.stops import BidReturned
from bus.recorder.segments import MAGIC, PLAIN_MAX, Block, Entry, SegmentWriter, read_blocks
from bus.recorder.words import outgoing, pack
from config.settings import retold
from tests.replay.recordings import FOLDER
from tests.replay.test_process import replayed, run_py
from tests.replay.test_retelling import a_house_s_recording
from tests.rules.stops.builders import at
from tests.simulation.builders import TRADE

WHOLE = FOLDER / "trailing_over_a_restart.wkr"


def a_recording(folder: Path, body: bytes, name: str = "recording-1-000.wkr") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


def a_bomb() -> bytes:
    """A block whose bytes are whole, and of which nobody should ever see the inside."""
    packed = zstandard.ZstdCompressor().compress(bytes(PLAIN_MAX + 1))
    head = struct.pack("<4sIIIIqq", b"WKRB", len(packed), zlib.crc32(packed), PLAIN_MAX + 1, 1, 1, 1)
    return MAGIC + head + struct.pack("<I", zlib.crc32(head)) + packed


def flipped(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


@pytest.mark.parametrize(
    ("body", "said", "code"),
    [
        (WHOLE.read_bytes()[:-100], "a torn tail", 1),
        (flipped(WHOLE.read_bytes(), 200), "the checksum of", 1),
        (a_bomb() + WHOLE.read_bytes()[len(MAGIC) :], "a block has at most", 0),
    ],
    ids=["truncated", "corrupted", "a bomb"],
)
def test_what_cannot_be_read_is_a_gap_and_said(tmp_path: Path, body: bytes, said: str, code: int) -> None:
    """Fault 58"""
    ended = replayed(str(a_recording(tmp_path, body)))

    assert f"gap: recording-1-000.wkr, byte {len(MAGIC) if 'torn' not in said else ''}" in ended.stdout
    assert said in ended.stdout
    assert ended.returncode == code


def test_segments_that_have_changed_places_are_a_gap(tmp_path: Path) -> None:
    for name, at_ns in (("recording-1-000.wkr", 20), ("recording-2-000.wkr", 10)):
        writer = SegmentWriter(tmp_path, at_ns)
        writer.append(Block([pack(EntriesLost(count=3))], [Entry("recorder", at_ns, 0)]))
        writer.close()
        writer.path.rename(tmp_path / name)

    assert any("goes back in time" in gap for gap in replay(tmp_path, Wanted(), retold).gaps)


@pytest.fixture
def two_in_one(tmp_path: Path) -> Path:
    """Two recordings of one span in one folder, as two processes that were given the same one would leave them."""
    for number in (1, 2):
        a_recording(tmp_path, WHOLE.read_bytes(), f"recording-{number}-000.wkr")
    return tmp_path


def test_two_recordings_of_one_span_are_told_one_behind_the_other_and_said(two_in_one: Path) -> None:
    alone, both = (replay(place, Wanted(), retold) for place in (WHOLE, two_in_one))

    assert (both.lives, both.compared, both.different) == (2 * alone.lives, 2 * alone.compared, 0)
    assert [gap.partition(",")[0] for gap in both.gaps] == ["recording-2-000.wkr"]
    assert "two recordings lie in one folder" in both.gaps[0]


def test_an_explanation_from_two_recordings_of_one_span_says_so(two_in_one: Path) -> None:
    assert any("two recordings" in gap for gap in explain(two_in_one, TRADE, None, retold).gaps)


def test_a_what_if_of_two_recordings_of_one_span_says_so(two_in_one: Path) -> None:
    found = what_if(two_in_one, Wanted(), read_changes(()), retold)

    assert any("two recordings" in gap for gap in found.ground.gaps)


def test_lines_of_two_recordings_of_one_span_say_so(two_in_one: Path) -> None:
    ended = run_py("events", "export", str(two_in_one))

    assert "two recordings" in ended.stderr


def test_a_recording_that_is_decided_otherwise_ends_with_1(tmp_path: Path) -> None:
    """Lesson 7"""
    place = a_house_s_recording(tmp_path, BidReturned(trade_id="t1", now_ns=at(1)))

    assert replayed(str(place)).returncode == 1


def test_the_help_of_replay_tells_how_it_ends() -> None:
    told = " ".join(replayed("--help").stdout.split())

    assert "Exit 0: nothing is decided otherwise. 1: something is" in told


def test_a_foreign_segment_beside_ours_is_a_gap(tmp_path: Path) -> None:
    """Fault 58"""
    a_recording(tmp_path, WHOLE.read_bytes())
    a_recording(tmp_path, b"SQLite format 3\x00" + bytes(100), "recording-2-000.wkr")

    ended = replayed(str(tmp_path))

    assert (ended.returncode, "is no recording of Watchkeeper" in ended.stdout) == (0, True), ended.stdout


def test_a_segment_of_another_version_is_named(tmp_path: Path) -> None:
    ended = replayed(str(a_recording(tmp_path, WHOLE.read_bytes().replace(b"RECORDING 1", b"RECORDING 9", 1))))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "was written by another version of Watchkeeper: WATCHKEEPER RECORDING 9" in ended.stderr


def test_a_range_without_data_compares_nothing_and_says_so() -> None:
    ended = replayed(str(WHOLE), "--from", "2040-01-01T00:00:00Z")

    assert ended.returncode == 1
    assert "nothing to compare" in ended.stderr


def test_an_order_in_a_recording_is_decided_again_and_goes_nowhere() -> None:
    """Fault 58: the recording holds a live close; the process that decides it again has no wire, whoever forged it."""
    live = [
        subject
        for part in read_blocks(WHOLE)
        if isinstance(part, Block)
        for word in part.words
        for subject, _ in outgoing(word)
        if subject.startswith("order.submit.")
    ]

    ended = replayed(str(WHOLE), "--json")

    assert len(live) > 1
    assert (ended.returncode, ended.stderr) == (0, "")
