"""Each figure measures the real thing, here under next to no load: that it can, never what it gives."""

import tarfile
from pathlib import Path

import run
from tests.bench import figures
from tests.bench.auditing import auditing
from tests.bench.documents import Benchmarks
from tests.bench.flood import flood
from tests.bench.group_commit import group_commit


def test_the_command_s_document_is_in_the_contract() -> None:
    assert run.DOCUMENTS["bench"] is Benchmarks


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
