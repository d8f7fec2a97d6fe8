"""Checkpoints on disk: what was written is read, and what was not written whole, or by somebody else, is none."""

from pathlib import Path

import pytest
import zstandard

from bus.messages.recording import LifeBegun
from bus.recorder import checkpoints
from bus.recorder.checkpoints import Checkpoint, apart
from bus.recorder.segments import Block, Place, holds, read_blocks
from tests.bus.recorder.test_segments import a_block, written


def a_checkpoint(begin: int = 24, until_ns: int = 30, engines: dict[str, bytes] | None = None) -> Checkpoint:
    begun = LifeBegun(version="1", instance="one", epoch=1, now_ns=1, settings={}, streams={}, marks=False)
    place = Place("recording-00000000000000000010-000.wkr", begin, 100, 7)
    return Checkpoint(
        code="c",
        place=place,
        until_ns=until_ns,
        newest_ns=20,
        last_ns=29,
        begun=begun,
        engines=engines or {"transport": b"x"},
    )


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = checkpoints.write(tmp_path, a_checkpoint())

    assert checkpoints.read(path) == a_checkpoint()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0


def test_the_instants_until_which_they_go_stand_in_their_names(tmp_path: Path) -> None:
    for begin, until_ns in ((900, 40), (24, 30)):
        checkpoints.write(tmp_path, a_checkpoint(begin, until_ns))

    assert [checkpoints.until_ns(path) for path in checkpoints.checkpoints(tmp_path)] == [30, 40]
    assert checkpoints.until_ns(tmp_path / "mine.wkc") == 0


def test_only_those_of_one_segment_are_found_by_its_name(tmp_path: Path) -> None:
    path = checkpoints.write(tmp_path, a_checkpoint())

    assert checkpoints.checkpoints(tmp_path, a_checkpoint().place.segment) == [path]
    assert checkpoints.checkpoints(tmp_path, "recording-00000000000000000011-000.wkr") == []


@pytest.mark.parametrize("cut", [0, 10, 26, 40, -1])
def test_one_that_is_not_whole_is_none(tmp_path: Path, cut: int) -> None:
    path = checkpoints.write(tmp_path, a_checkpoint())
    path.write_bytes(path.read_bytes()[:cut])

    assert checkpoints.read(path) is None


@pytest.mark.parametrize("at", [0, 24, 26, -3])
def test_one_that_was_damaged_is_none(tmp_path: Path, at: int) -> None:
    path = checkpoints.write(tmp_path, a_checkpoint())
    found = bytearray(path.read_bytes())
    found[at] ^= 1
    path.write_bytes(found)

    assert checkpoints.read(path) is None


def test_one_that_is_gone_is_none(tmp_path: Path) -> None:
    assert checkpoints.read(tmp_path / "gone.wkc") is None


def test_they_lie_the_further_apart_the_larger_they_are(tmp_path: Path) -> None:
    assert apart(tmp_path, 100) == 100

    incompressible = zstandard.compress(bytes(range(256)) * 9) * 90
    path = checkpoints.write(tmp_path, a_checkpoint(engines={"desk": incompressible}))

    assert apart(tmp_path, 1) == path.stat().st_size // 10


def test_a_block_is_known_by_its_place_and_by_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path, a_block(10), a_block(20))
    places = [part.place for part in read_blocks(path) if isinstance(part, Block) and part.place is not None]

    assert all(holds(path, place) for place in places)
    assert places[0].end == places[1].begin
    for other in (
        places[0]._replace(check=1),
        places[0]._replace(begin=25),
        places[0]._replace(end=1),
        places[0]._replace(segment="recording-1-0.wkr"),
        places[1]._replace(begin=places[1].end),
    ):
        assert not holds(path, other)


def test_a_segment_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    assert not holds(tmp_path / "gone.wkr", Place("gone.wkr", 24, 30, 1))
