"""Each figure measures the real thing, here under next to no load: that it can, never what it gives."""

import shutil
import tarfile
from pathlib import Path

import pytest

import run
from tests.bench import figures, report
from tests.bench.auditing import auditing
from tests.bench.documents import Benchmarks, RecordingCost, RecordingSize, ReplaySpeed
from tests.bench.flood import flood
from tests.bench.group_commit import group_commit
from tests.bench.migration import migration
from tests.bench.recording import per_second, recording_cost, recording_size, replay_speed
from tests.replay.make_slice import SHIPPED


def test_the_command_s_document_is_in_the_contract() -> None:
    assert run.documents()["bench"] is Benchmarks


def test_the_group_commit_writes_every_row() -> None:
    measured = group_commit(outstanding=10, rows=50)

    assert measured.rows == 50


def test_each_stop_of_the_latency_figure_reaches_the_executor() -> None:
    measured = figures.latency(open_trades=4, orders=4, markets=2)

    assert measured.orders == 4
    assert 0 < measured.plain_p50_us <= measured.plain_p99_us


def test_each_restart_of_the_restart_figure_follows_a_kill() -> None:
    measured = figures.restart(open_trades=2, restarts=1, markets=2)

    assert (measured.open_trades, measured.restarts) == (2, 1)
    assert 0 < measured.p50_s <= measured.p99_s


def test_every_stop_that_the_flood_crosses_reaches_the_executor() -> None:
    """Fault 40: ticks of the flood are folded away, and what crossed is not."""
    measured = flood(duration_s=5, per_second=10_000, open_trades=60, held=40, markets=2)

    assert measured.folded > 0
    assert (measured.all_fired, measured.crossed >= 4) == (True, True)


def test_the_audit_reads_as_many_lines_as_it_says(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "tree.tar.gz", "w:gz") as packed:
        (tmp_path / "a.py").write_text("import sqlite3\nsqlite3.connect('x.db')\n")
        packed.add(tmp_path / "a.py", "tree/a.py")

    measured = auditing(lines=10, trees=tmp_path)

    assert measured is not None
    assert measured.lines >= 10
    assert measured.findings >= measured.files


def test_no_audit_is_measured_where_no_tree_is(tmp_path: Path) -> None:
    assert auditing(trees=tmp_path) is None


def test_the_cost_of_recording_is_measured_with_and_without_it() -> None:
    measured = recording_cost(repeats=1, per_second=1000, duration_s=1, open_trades=4, orders=4)

    assert min(measured.off_cpu_us, measured.on_cpu_us, measured.off_p99_us, measured.on_p99_us) > 0


def test_a_recorded_tick_of_the_stream_takes_less_than_a_line_of_it() -> None:
    measured = recording_size(SHIPPED)

    assert measured is not None
    assert measured.ticks > 40_000
    assert measured.met


def test_a_stream_that_is_not_there_is_not_measured(tmp_path: Path) -> None:
    assert recording_size(tmp_path / "nothing.jsonl.gz") is None


def test_the_replay_that_is_measured_decides_the_recorded_day_again() -> None:
    measured = replay_speed(repeats=1, duration_s=1800)

    assert measured.deliveries > 1000
    assert measured.different == 0
    assert measured.resident_mb <= 150


@pytest.mark.parametrize(("seconds", "bare_s", "each"), [(3.0, 1.0, 500), (1.5, 1.0, 667), (0.8, 1.0, 1250)])
def test_start_up_is_left_out_of_a_rate_where_it_is_the_lesser_part(seconds: float, bare_s: float, each: int) -> None:
    assert per_second(1000, seconds, bare_s) == each


def test_a_person_sees_each_figure_of_recordings_with_its_target() -> None:
    measured = Benchmarks(
        recording=RecordingCost(
            load=1, met=False, repeats=3, off_cpu_us=20, on_cpu_us=24, rate_percent=20, off_p99_us=1, on_p99_us=1,
            p99_percent=0,
        ),
        size=RecordingSize(load=1, met=True, ticks=9, packed_bytes=30, bytes_each=24),
        replay=ReplaySpeed(
            load=1, met=True, bare_s=1, deliveries=9, different=0, seconds=2, deliveries_per_s=120_000, resident_mb=40,
            explained_s=0.9,
        ),
    )  # fmt: skip

    assert not measured.met
    assert [row[3] for figure in measured.all() for row in report._rows(figure)] == [
        False,
        True,
        True,
        True,
        True,
        True,
    ]


def test_every_row_of_the_migration_figure_is_copied_and_verified() -> None:
    measured = migration(rows=300)

    assert (measured.rows, measured.changed) == (300, 0)
    assert 0 < measured.start_s < measured.copy_s + measured.verify_s
    assert (measured.ratio is None) == (shutil.which("pgloader") is None)
    assert measured.pgloader_changed != 0, "float4 holds few of these numbers"
