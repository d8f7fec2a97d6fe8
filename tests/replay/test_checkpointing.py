"""A recording taken up in the middle tells the same as from its beginning, or is not taken up there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.replay import checkpointing, freezing, resuming
from actors.replay.checkpointing import make_checkpoints
from actors.replay.endings import NothingRecordedError
from actors.replay.explaining import explain
from actors.replay.replaying import Wanted, replay
from actors.replay.retelling import Told
from actors.replay.stops import Watcher, stops
from actors.rules.stops.engine import StopEngine
from bus.messages.explain import Explained
from bus.messages.recording import EntriesLost
from bus.messages.replay import Replayed, Stopped
from bus.recorder import checkpoints
from bus.recorder.reading import last_beginning, read
from bus.recorder.segments import Block, Entry, SegmentWriter, segments
from bus.recorder.words import pack
from config.settings import retold
from tests.replay.recordings import FOLDER

TWO_LIVES = FOLDER / "trailing_over_a_restart.wkr"
ONE_LIFE = FOLDER / "filled_in_parts_and_late.wkr"
ALL = sorted(FOLDER.glob("*.wkr"))
_EACH = 5
"""Entries of a block, so that a checkpoint may stand behind each few of them."""


@pytest.fixture(autouse=True)
def close_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a checkpoint took no place: it takes more than such a short history."""
    monkeypatch.setattr(checkpointing, "apart", lambda _, every: every)


def cut(history: Path, folder: Path, segment: int = 10_000, without: slice = slice(0)) -> Path:
    """Write a history as one is recorded that lives long: in blocks of a few entries, in segments of so many blocks."""
    blocks = [few for part in read(history) if isinstance(part, Block) for few in in_few(part)]
    del blocks[without]
    for first in range(0, len(blocks), segment):
        writer = SegmentWriter(folder, blocks[first].entries[0].at_ns)
        for block in blocks[first : first + segment]:
            writer.append(block)
        writer.close()
    return folder


def in_few(block: Block) -> Iterator[Block]:
    """Yield the entries of a block in blocks of their own, of which none begins before what stands before it, and each life begins one."""
    few: list[Entry] = []
    newest_ns = 0
    for entry in block.entries:
        begins = block.words[entry.heard][0] == "LifeBegun"
        if few and (begins or (len(few) >= _EACH and entry.at_ns >= newest_ns)):
            yield Block(block.words, few)
            few = []
        few.append(entry)
        newest_ns = max(newest_ns, entry.at_ns)
    yield Block(block.words, few)


def instants(place: Path) -> list[int]:
    return sorted({entry.at_ns for part in read(place) if isinstance(part, Block) for entry in part.entries})


def compared(found: Replayed) -> tuple[object, ...]:
    """What was found out, and not how much was heard for it."""
    return found.compared, found.by_actor, found.different, found.skipped, found.gaps


@pytest.mark.parametrize("history", ALL, ids=lambda path: path.stem)
def test_from_any_instant_a_recording_is_compared_as_from_its_beginning(history: Path, tmp_path: Path) -> None:
    place = cut(history, tmp_path, segment=4)
    some = instants(place)[:: max(1, len(instants(place)) // 12)]
    before = [replay(place, Wanted(since_ns=at_ns), retold) for at_ns in some]

    made = make_checkpoints(place, _EACH, retold)
    after = [replay(place, Wanted(since_ns=at_ns), retold) for at_ns in some]

    assert len(made.checkpoints) > 2
    assert list(map(compared, after)) == list(map(compared, before))
    assert sum(found.entries for found in after) < sum(found.entries for found in before)


@pytest.mark.parametrize("history", ALL, ids=lambda path: path.stem)
def test_a_trade_is_explained_the_same_at_any_instant(history: Path, tmp_path: Path) -> None:
    place = cut(history, tmp_path)
    before = list(explained(place))

    make_checkpoints(place, _EACH, retold)

    assert list(explained(place)) == before
    assert before


def explained(place: Path) -> Iterator[Explained]:
    every = instants(place)
    for at_ns in (*every[:: max(1, len(every) // 10)], None):
        try:
            yield explain(place, "t1", at_ns, retold)
        except NothingRecordedError:
            continue


def test_steps_are_the_same_from_an_instant_on(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path)
    since_ns = instants(place)[-20]
    before = [replace(stop, number=0) for stop in stopped(place, since_ns)]

    make_checkpoints(place, _EACH, retold)

    assert [replace(stop, number=0) for stop in stopped(place, since_ns)] == before
    assert before


def stopped(place: Path, since_ns: int) -> Iterator[Stopped]:
    return stops(place, Watcher(Wanted(since_ns=since_ns), None), retold, 2**63 - 1)


def test_the_next_ones_are_made_from_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cut(ONE_LIFE, tmp_path)
    first = make_checkpoints(place, _EACH, retold).checkpoints
    told: list[int] = []
    monkeypatch.setattr(Told, "difference", lambda told_again: told.append(told_again.number))
    first[-1].unlink()

    again = make_checkpoints(place, _EACH, retold).checkpoints

    assert again == first[-1:]
    assert len(told) < 3 * _EACH


def test_they_lie_as_far_apart_as_is_wanted(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path)
    entries = sum(len(part.entries) for part in read(place) if isinstance(part, Block))

    assert len(make_checkpoints(place, entries // 2, retold).checkpoints) == 1
    assert make_checkpoints(place, entries // 2, retold).checkpoints == []


def test_only_the_newest_life_is_told_for_the_first_one(tmp_path: Path) -> None:
    place = cut(TWO_LIVES, tmp_path)
    begins = last_beginning(place)

    made = make_checkpoints(place, 1, retold).checkpoints

    assert begins is not None
    assert begins.begin > 24
    assert min(found.place.begin for path in made if (found := checkpoints.read(path))) > begins.begin


def test_none_is_made_before_all_stands_that_a_life_begins_with(tmp_path: Path) -> None:
    [whole] = (part for part in read(ONE_LIFE) if isinstance(part, Block))
    heard = [whole.words[entry.heard][0] for entry in whole.entries[:4]]
    writer = SegmentWriter(tmp_path, whole.entries[0].at_ns)
    writer.append(Block(whole.words, whole.entries[:3]))
    writer.close()

    assert heard == ["LifeBegun", "Recovered", "OrdersTail", "PaperRestored"]
    assert make_checkpoints(tmp_path, 1, retold).checkpoints == []


def test_none_is_made_behind_a_word_that_is_decided_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cut(FOLDER / "a_flood_is_folded.wkr", tmp_path)
    whole = len(make_checkpoints(place, _EACH, retold).checkpoints)
    for path in checkpoints.checkpoints(place):
        path.unlink()
    monkeypatch.setattr(StopEngine, "_fire", lambda *_: None)

    made = make_checkpoints(place, _EACH, retold)

    assert made.different > 0
    assert 0 < len(made.checkpoints) < whole


def test_none_is_made_behind_what_was_lost(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path, without=slice(4, None))
    rest = cut(ONE_LIFE, tmp_path / "rest")
    later_ns = instants(rest)[4 * _EACH]
    writer = SegmentWriter(place, later_ns)
    writer.append(Block([pack(EntriesLost(count=1))], [Entry("recorder", later_ns, 0)]))
    for block in list(read(rest))[5:]:
        assert isinstance(block, Block)
        writer.append(block)
    writer.close()

    made = make_checkpoints(place, 1, retold).checkpoints

    assert {found.place.segment for path in made if (found := checkpoints.read(path))} == {segments(place)[0].name}


def test_a_checkpoint_of_other_code_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cut(ONE_LIFE, tmp_path)
    make_checkpoints(place, _EACH, retold)
    assert resuming.newest_before(place, 2**63 - 1) is not None

    for module in (resuming, checkpointing):
        monkeypatch.setattr(module, "code_mark", lambda: "of another day")

    assert resuming.newest_before(place, 2**63 - 1) is None
    assert make_checkpoints(place, _EACH, retold).checkpoints


def test_a_checkpoint_of_another_recording_is_not_used(tmp_path: Path) -> None:
    place, other = cut(ONE_LIFE, tmp_path / "one"), cut(FOLDER / "netted.wkr", tmp_path / "other")
    make_checkpoints(place, _EACH, retold)
    [ours], [theirs] = segments(place), segments(other)
    shutil.copy(theirs, ours)

    assert resuming.newest_before(place, 2**63 - 1) is None


def test_one_segment_alone_is_taken_up_by_its_own_checkpoints(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path, segment=8)
    make_checkpoints(place, _EACH, retold)

    found = [resuming.newest_before(path, 2**63 - 1) for path in segments(place)]

    assert [one.place.segment for one in found if one is not None] == [path.name for path in segments(place)]


def test_where_the_beginning_is_gone_it_goes_on_from_the_first_checkpoint(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path, segment=10)
    make_checkpoints(place, 2 * _EACH, retold)
    first, *_ = segments(place)
    first.unlink()

    found = replay(place, Wanted(), retold)

    assert (found.lives, found.different) == (1, 0)
    assert 0 < found.skipped < 6 * _EACH
    assert found.compared > 100


@pytest.mark.parametrize("block", [0, 6])
def test_behind_what_was_damaged_it_goes_on_from_the_next_checkpoint(tmp_path: Path, block: int) -> None:
    place = cut(ONE_LIFE, tmp_path)
    make_checkpoints(place, 4 * _EACH, retold)
    [segment] = segments(place)
    [begin] = (
        part.place.begin for part in list(read(place))[block : block + 1] if isinstance(part, Block) and part.place
    )
    body = bytearray(segment.read_bytes())
    body[begin + 60] ^= 1
    segment.write_bytes(body)

    found = replay(place, Wanted(), retold)

    assert (len(found.gaps), found.lives, found.different) == (1, 1, 0)
    assert 0 < found.skipped < 10 * _EACH < found.compared


@pytest.mark.parametrize("block", [0, 1])
def test_an_explanation_goes_on_behind_a_damaged_block_as_far_as_it_can(tmp_path: Path, block: int) -> None:
    """Damaged is the very block behind which the checkpoint stands, or the one that follows: then the end cannot be told."""
    place = cut(FOLDER / "a_stop_is_changed_in_a_flood.wkr", tmp_path)
    made = [checkpoints.read(path) for path in make_checkpoints(place, 4 * _EACH, retold).checkpoints]
    [newest, *later] = [one for one in made if one is not None and explain(place, "t1", one.until_ns, retold).rules]
    for path in checkpoints.checkpoints(place):
        if checkpoints.behind(path) > newest.place[:2]:
            path.unlink()
    last_ns = later[-1].until_ns
    [segment] = segments(place)
    body = bytearray(segment.read_bytes())
    body[(newest.place.begin, newest.place.end)[block] + 60] ^= 1
    segment.write_bytes(body)

    assert explain(place, "t1", last_ns, retold).watched is (block == 0)


def test_the_instant_of_a_checkpoint_is_never_before_that_of_the_last(tmp_path: Path) -> None:
    """Two actors' words may change places by a moment, also over the border of two blocks."""
    blocks = [part for part in read(cut(ONE_LIFE, tmp_path / "whole")) if isinstance(part, Block)][:12]
    first = 5
    late_ns = blocks[first].entries[1].at_ns + 10**12
    writer = SegmentWriter(tmp_path, blocks[0].entries[0].at_ns)
    for number, block in enumerate(blocks):
        entries = [e._replace(at_ns=late_ns) if (number, n) == (first, 1) else e for n, e in enumerate(block.entries)]
        writer.append(Block(block.words, entries))
        if number >= first:
            made = make_checkpoints(tmp_path, 1, retold).checkpoints
    writer.close()

    assert checkpoints.until_ns(made[-1]) == late_ns


def test_behind_the_beginning_of_a_life_a_checkpoint_of_it_changes_nothing(tmp_path: Path) -> None:
    place = cut(TWO_LIVES, tmp_path, without=slice(0, 1))
    without = replay(place, Wanted(), retold)

    assert make_checkpoints(place, _EACH, retold).checkpoints

    assert replay(place, Wanted(), retold) == without
    assert without.lives == 1


def test_a_difference_in_one_life_is_none_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, first = cut(TWO_LIVES, tmp_path / "both"), cut(TWO_LIVES, tmp_path / "first", without=slice(4, None))
    [path, *_] = make_checkpoints(first, _EACH, retold).checkpoints
    shutil.copy(path, both)
    monkeypatch.setattr(Told, "difference", lambda told_again: True if told_again.number == 1 else None)

    made = make_checkpoints(both, _EACH, retold)

    begins = last_beginning(both)
    assert made.different == 1
    assert begins is not None
    assert min(checkpoints.behind(path) for path in made.checkpoints) > (begins.segment, begins.begin)


def test_without_a_checkpoint_nothing_is_told_where_the_beginning_is_gone(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path, segment=10)
    first, *_ = segments(place)
    first.unlink()

    assert replay(place, Wanted(), retold).compared == 0


def test_what_nobody_has_recorded_has_no_checkpoints(tmp_path: Path) -> None:
    place = cut(ONE_LIFE, tmp_path, without=slice(0, 6))

    assert make_checkpoints(place, 1, retold).checkpoints == []
    assert freezing.code_mark()
