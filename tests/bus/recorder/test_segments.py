"""Segments: what was written is read, and what was not written whole, or by somebody else, is said and never believed."""

import struct
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bus.messages.timers import TimerFired
from bus.recorder.segments import (
    MAGIC,
    Block,
    Entry,
    ForeignSegment,
    Gap,
    SegmentWriter,
    read_blocks,
    segments,
)
from bus.recorder.words import pack

HEADER = struct.Struct("<4sIIIIqqI")


def a_block(at_ns: int, entries: int = 1) -> Block:
    word = pack(TimerFired(owner="desk", key=str(at_ns), due_ns=at_ns, now_ns=at_ns))
    return Block([word], [Entry("desk", at_ns + number, 0, (0,)) for number in range(entries)])


def written(folder: Path, *blocks: Block) -> Path:
    writer = SegmentWriter(folder, blocks[0].entries[0].at_ns)
    for block in blocks:
        writer.append(block)
    writer.close()
    return writer.path


def plain(found: object) -> object:
    return [(list(map(tuple, block.words)), list(block.entries)) for block in found if isinstance(block, Block)]  # type: ignore[attr-defined]


def test_what_was_written_is_read_in_its_order(tmp_path: Path) -> None:
    blocks = [a_block(10), a_block(20, entries=3), a_block(30)]

    assert plain(read_blocks(written(tmp_path, *blocks))) == plain(blocks)


def test_only_blocks_that_touch_the_wanted_time_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, a_block(10), a_block(20, entries=5), a_block(30))

    assert plain(read_blocks(path, since_ns=23, until_ns=29)) == plain([a_block(20, entries=5)])


@given(cut=st.integers(1, 200))
def test_a_torn_tail_costs_what_was_not_whole_and_is_said(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = written(tmp_path_factory.mktemp("torn"), a_block(10), a_block(20), a_block(30))
    whole = path.read_bytes()
    ends = block_ends(whole)
    path.write_bytes(whole[: max(len(whole) - cut, len(MAGIC))])

    *blocks, last = [*read_blocks(path), None]
    gaps = [found for found in blocks if isinstance(found, Gap)]

    left = path.stat().st_size
    assert last is None
    assert len(blocks) - len(gaps) == sum(end <= left for end in ends)
    assert bool(gaps) == (left not in (*ends, len(MAGIC)))


def block_ends(whole: bytes) -> list[int]:
    ends, offset = [], len(MAGIC)
    while offset < len(whole):
        offset += HEADER.size + HEADER.unpack_from(whole, offset)[1]
        ends.append(offset)
    return ends


@given(st.data())
def test_a_changed_byte_costs_its_own_block_or_is_said(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("changed"), a_block(10), a_block(20), a_block(30))
    body = bytearray(path.read_bytes())
    where = data.draw(st.integers(len(MAGIC), len(body) - 1))
    body[where] ^= data.draw(st.integers(1, 255))
    path.write_bytes(body)

    found = list(read_blocks(path))

    blocks = [block for block in found if isinstance(block, Block)]
    assert any(isinstance(each, Gap) for each in found)
    assert all(plain([block]) in [plain([a_block(at)]) for at in (10, 20, 30)] for block in blocks)


def test_blocks_that_do_not_name_a_text_are_left_out(tmp_path: Path) -> None:
    blocks = [a_block(10), a_block(20), a_block(30)]

    assert plain(read_blocks(written(tmp_path, *blocks), naming=b"20")) == plain([blocks[1]])


@pytest.mark.parametrize("index", [-1, 1])
def test_an_entry_that_names_no_word_of_its_block_makes_it_unreadable(tmp_path: Path, index: int) -> None:
    for said in ((0, index), ()):
        path = written(
            tmp_path / str(len(said)), Block(a_block(10).words, [Entry("desk", 10, 0 if said else index, said)])
        )

        [gap] = read_blocks(path)

        assert isinstance(gap, Gap)


@pytest.mark.parametrize(
    ("start", "words"),
    [(b"SQLite format 3\x00" + bytes(20), "no recording"), (MAGIC.replace(b"1", b"2"), "another version")],
)
def test_a_foreign_file_is_refused(tmp_path: Path, start: bytes, words: str) -> None:
    path = tmp_path / "recording-1-0.wkr"
    path.write_bytes(start)

    with pytest.raises(ForeignSegment, match=words):
        list(read_blocks(path))


@pytest.mark.parametrize("written_bytes", [0, 1, len(MAGIC) - 1])
def test_a_process_that_died_at_its_first_byte_leaves_a_torn_tail(tmp_path: Path, written_bytes: int) -> None:
    path = tmp_path / "recording-1-0.wkr"
    path.write_bytes(MAGIC[:written_bytes])

    [gap] = read_blocks(path)

    assert isinstance(gap, Gap)
    assert "torn" in gap.why


def test_a_block_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    path = written(tmp_path, a_block(10))
    bomb = zstandard.compress(bytes(300_000_000))
    path.write_bytes(MAGIC + sealed(bomb, 300_000_000))

    [gap] = read_blocks(path)

    assert isinstance(gap, Gap)
    assert "at most" in gap.why


def test_a_block_that_lies_about_its_size_is_a_gap(tmp_path: Path) -> None:
    path = written(tmp_path, a_block(10))
    path.write_bytes(MAGIC + sealed(zstandard.compress(bytes(3_000_000)), 100))

    assert [type(found) for found in read_blocks(path)] == [Gap]


def test_an_entry_that_names_no_word_is_a_gap(tmp_path: Path) -> None:
    path = written(tmp_path, Block([], [Entry("desk", 10, 7)]))

    assert [type(found) for found in read_blocks(path)] == [Gap]


def sealed(packed: bytes, plain_size: int) -> bytes:
    """Return a block whose checksums are right."""
    head = struct.pack("<4sIIIIqq", b"WKRB", len(packed), zlib.crc32(packed), plain_size, 1, 10, 10)
    return head + struct.pack("<I", zlib.crc32(head)) + packed


def test_behind_a_damaged_header_the_next_block_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, a_block(10), a_block(20), a_block(30))
    body = bytearray(path.read_bytes())
    body[block_ends(bytes(body))[0] + 5] ^= 1
    path.write_bytes(body)

    found = list(read_blocks(path))

    assert [type(each) for each in found] == [Block, Gap, Block]
    assert plain(found) == plain([a_block(10), a_block(30)])


def test_no_segment_is_written_over_and_they_are_found_in_their_order(tmp_path: Path) -> None:
    paths = [written(tmp_path, a_block(at)) for at in (30, 30, 4)]

    assert segments(tmp_path) == [paths[2], paths[0], paths[1]]
    assert all(before.name < after.name for before, after in pairwise(segments(tmp_path)))
