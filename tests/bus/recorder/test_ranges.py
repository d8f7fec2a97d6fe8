"""Between which ends inputs have stood is read off a recording, and of whole segments only once."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from bus.messages.market import Tick, Ticks
from bus.messages.plain import from_json
from bus.messages.recording import RangeKind, RangesRecorded
from bus.recorder.ranges import recorded_ranges
from bus.recorder.recorder import RANGES
from bus.recorder.segments import Block, Entry, SegmentWriter, segments
from bus.recorder.words import pack
from tests.rules.stops.builders import a_coin_quote, a_momentum, a_probability, a_quote, at

ROOT = Path(__file__).parents[3]
D = Decimal


def a_segment(folder: Path, *ticks: Tick) -> None:
    writer = SegmentWriter(folder, ticks[0].ts)
    for tick in ticks:
        heard = pack(Ticks(batch=(tick,), received_ns=tick.ts))
        writer.append(Block([heard], [Entry(actor, tick.ts, 0) for actor in ("auto_stop", "trade_watcher")]))
    writer.close()


def ends(found: RangesRecorded | None) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    assert found is not None
    return {(one.kind.value, one.name): (one.low, one.high) for one in found.ranges}


def test_each_input_has_the_ends_between_which_it_stood(tmp_path: Path) -> None:
    a_segment(tmp_path, a_momentum(1, "-0.2"), a_momentum(2, "0.3"), a_probability(3, 40), a_coin_quote(4, "99", "101"))
    a_segment(tmp_path, a_quote(5, "0.40", "0.44"), a_quote(6, None, "0.10"), a_momentum(7, "0.35"))

    found = recorded_ranges(tmp_path, 0)

    assert found is not None
    assert (found.begin_ns, found.end_ns) == (at(1), at(7))
    assert ends(found) == {
        ("momentum", "BTC"): (D("-0.2"), D("0.35")),
        ("probability", ""): (D(40), D(42)),
        ("linear_exit", "BTC-USD"): (D(99), D(101)),
        ("event_exit", ""): (D("0.40"), D("0.90")),
    }


def test_a_move_is_one_ticker_s_and_one_side_s(tmp_path: Path) -> None:
    a_segment(tmp_path, a_quote(1, "0.90", None), a_quote(2, "0.85", None), a_quote(3, "0.10", None, ticker="OTHER"))

    found = recorded_ranges(tmp_path, 0)

    assert found is not None
    [exits] = [one for one in found.ranges if one.kind is RangeKind.EVENT_EXIT]
    assert (exits.low, exits.high, exits.widest) == (D("0.10"), D("0.90"), D("0.05"))


def test_days_before_are_left_out(tmp_path: Path) -> None:
    a_segment(tmp_path, a_momentum(1, "9"))
    a_segment(tmp_path, a_momentum(100, "0.1"))

    assert ends(recorded_ranges(tmp_path, at(50))) == {("momentum", "BTC"): (D("0.1"), D("0.1"))}


def test_a_whole_segment_is_read_once_and_the_newest_each_time(tmp_path: Path) -> None:
    a_segment(tmp_path, a_momentum(1, "0.1"))
    a_segment(tmp_path, a_momentum(2, "0.2"))
    recorded_ranges(tmp_path, 0)
    first, newest = segments(tmp_path)
    first.write_bytes(b"")

    again = recorded_ranges(tmp_path, 0)

    assert ends(again) == {("momentum", "BTC"): (D("0.1"), D("0.2"))}
    assert [path.with_suffix(RANGES).exists() for path in (first, newest)] == [True, False]


def test_a_recording_that_is_damaged_or_absent_tells_what_it_can(tmp_path: Path) -> None:
    absent = recorded_ranges(tmp_path / "nowhere", 0)
    a_segment(tmp_path, a_momentum(1, "0.1"))
    (tmp_path / "recording-00000000000000000001-000.wkr").write_bytes(b"something else")

    assert absent is None
    assert ends(recorded_ranges(tmp_path, 0)) == {("momentum", "BTC"): (D("0.1"), D("0.1"))}


def test_its_process_tells_the_same(tmp_path: Path) -> None:
    a_segment(tmp_path, a_momentum(1, "0.1"))
    command = [sys.executable, "-m", "bus.recorder.ranges", str(tmp_path), "0"]

    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        assert asked.stdout is not None
        told = asked.stdout.read()

    assert asked.returncode == 0
    assert from_json(RangesRecorded, told) == recorded_ranges(tmp_path, 0)


def test_its_process_ends_with_whoever_asked() -> None:
    command = [sys.executable, "-c", "import bus.recorder.ranges as r; r._end_with_whoever_asked()"]

    ended = subprocess.run(command, cwd=ROOT, input=b"", check=False, timeout=20)

    assert ended.returncode == 1
