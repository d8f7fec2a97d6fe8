"""`run.py bench` as people read it, and the figures by name."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.console import RenderableType

from config.pictures import table
from tests.bench import figures, recording
from tests.bench.auditing import auditing
from tests.bench.documents import (
    AuditSpeed,
    Benchmarks,
    DemoSpeed,
    Figure,
    Flood,
    GroupCommit,
    Latency,
    Migration,
    RecordingCost,
    RecordingSize,
    ReplaySpeed,
    Restart,
    ServeStanding,
    Throughput,
)
from tests.bench.flood import flood
from tests.bench.group_commit import group_commit
from tests.bench.migration import migration

_COLUMNS: Final = ("figure", "measured", "target", "met", "reference line of the same run", "load")
Row = tuple[object, ...]


def measure(names: Sequence[Figure], tell: Callable[[str], None], *, flood_s: float, migration_rows: int) -> Benchmarks:
    """Measure the figures of these names, one after the other. tell: hears which one is next. flood_s: how long the flood lasts."""
    measures = _MEASURES | {"flood": lambda: flood(flood_s), "migration": lambda: migration(migration_rows)}
    found: dict[str, object] = {}
    for name in names:
        tell(name)
        found[name] = measures[name]()
    return Benchmarks(**found)  # type: ignore[arg-type]  # each under the name of its field


def picture(measured: Benchmarks) -> RenderableType:
    """Return the table for people."""
    return table("Figures", _COLUMNS, [row for figure in measured.all() for row in _rows(figure)])


def _rows(figure: Any) -> list[Row]:
    rows: list[Row] = _ROWS[type(figure)](figure)
    return rows


def _group_commit(it: GroupCommit) -> list[Row]:
    name, line = f"journal rows, {it.outstanding} outstanding", f"one bare COPY: {it.copy_per_s:,}/s"
    return [(name, f"{it.rows_per_s:,}/s", ">= 30,000/s", it.met, line, it.load)]


def _restart(it: Restart) -> list[Row]:
    name = f"ready after kill -9, {it.open_trades:,} trades, p99 of {it.restarts}"
    taken, line = f"{it.p99_s} s, p50 {it.p50_s} s", f"after a clean stop: {it.clean_s} s"
    return [(name, taken, "<= 5 s", it.met, line, it.load)]


def _demo(it: DemoSpeed) -> list[Row]:
    name, taken = f"demo of {it.events:,} events", f"{it.seconds} s, {it.events_per_s:,}/s"
    return [(name, taken, "<= 90 s", it.met, f"reading them: {it.parsed_s} s", it.load)]


def _size(it: RecordingSize) -> list[Row]:
    name, line = f"a recorded tick, of {it.ticks:,}", f"in the stream, gzipped: {it.packed_bytes} bytes"
    return [(name, f"{it.bytes_each} bytes", "<= 25 bytes", it.met, line, it.load)]


def _audit(it: AuditSpeed) -> list[Row]:
    name, taken = f"audit of {it.lines:,} lines", f"{it.seconds} s, {it.cpu_s} s of CPU"
    return [(name, taken, "<= 60 s", it.met, f"parsing them: {it.parsed_s} s", it.load)]


def _latency(it: Latency) -> list[Row]:
    f, direct = f"F = {it.f_us} us", f"straight into ORDERS: {it.direct_us:g} us"
    half, most = it.stored_p50_in_f, it.stored_p99_in_f
    return [
        ("tick to stored order, p50", f"{it.stored_p50_us:g} us = {half} F", "<= 10 F", half <= 10, f, it.load),
        ("tick to stored order, p99", f"{it.stored_p99_us:g} us = {most} F", "<= 25 F", most <= 25, direct, it.load),
        ("tick to heard order, p50, p99", f"{it.plain_p50_us:g}, {it.plain_p99_us:g} us", "", None, f, it.load),
    ]


def _throughput(it: Throughput) -> list[Row]:
    name = f"ticks, {it.open_trades:,} open trades on {it.markets} markets"
    taken = f"{it.taken_per_s:,}/s, {it.cpu_us} us of CPU each, {it.fired} fired, {it.lost} lost"
    line = f"a reader that does nothing: {it.read_per_s:,}/s"
    return [(name, taken, ">= 30,000/s, none lost", it.met, line, it.load)]


def _standing(it: ServeStanding) -> list[Row]:
    bare, most = f"an interpreter with our imports: {it.bare_mb:g} MB", f"{it.open_trades:,} trades"
    slowest, largest = max(it.ready_s, it.recovered_s), max(it.grown_mb, it.recovered_mb)
    empty = f"with nothing open: {it.ready_s} s"
    return [
        (f"resident, {most}", f"{largest:g} MB", "<= 250 MB", largest <= 250, bare, it.load),
        (
            f"ready, {most} to recover",
            f"{it.recovered_s} s, {it.recovered_cpu_s} s of CPU",
            "<= 3 s",
            slowest <= 3,
            empty,
            it.load,
        ),
        (f"taken over, {most}", f"{it.takeover_s} s", "<= 5 s", it.takeover_s <= 5, "silence: 3 s", it.load),
    ]


def _recording(it: RecordingCost) -> list[Row]:
    cpu, p99 = (f"{on:g} us with it" for on in (it.on_cpu_us, it.on_p99_us))
    return [
        (
            f"recording, CPU of a tick, median of {it.repeats}",
            f"{it.rate_percent:+g} %: {cpu}",
            "<= 15 %",
            it.rate_percent <= 15,
            f"without it: {it.off_cpu_us:g} us",
            it.load,
        ),
        (
            "recording, tick to stored order, p99",
            f"{it.p99_percent:+g} %: {p99}",
            "<= 10 %",
            it.p99_percent <= 10,
            f"without it: {it.off_p99_us:g} us",
            it.load,
        ),
    ]


def _migration(it: Migration) -> list[Row]:
    name = f"rows from SQLite, copied and verified, of {it.rows:,}"
    taken = f"{it.rows_per_s:,}/s, {it.changed} values changed (copy {it.copy_s} s, verify {it.verify_s} s, {it.start_s} s of them to begin)"
    theirs, met = "pgloader is not installed", None
    if it.ratio is not None:
        theirs = f"pgloader: {it.pgloader_per_s:,}/s, {it.pgloader_mib:,} MiB, unverified, {it.pgloader_changed:,} values changed (REAL to float4)"
        taken, met = f"{taken} = {it.ratio} pgloader", it.ratio >= 3
    as_text = f"COPY as text: {it.text_per_s:,}/s"
    return [
        (name, taken, ">= 3 pgloader, 0 changed", met, f"{theirs}; {as_text}", it.load),
        ("resident in it", f"{it.resident_mib} MiB", "<= 64 MiB", it.resident_mib <= 64, "", it.load),
    ]


def _replay(it: ReplaySpeed) -> list[Row]:
    bare, speed = f"a few words: {it.bare_s} s", it.deliveries_per_s
    name, taken = f"replay of {it.deliveries:,} deliveries", f"{it.seconds} s, {speed:,}/s, {it.different:,} different"
    memory = f"{it.resident_mb:g} MB"
    return [
        (name, taken, ">= 100,000/s", speed >= 100_000, bare, it.load),
        ("resident in it, the larger of two processes", memory, "<= 150 MB", it.resident_mb <= 150, "", it.load),
        ("explain of that day's last trade", f"{it.explained_s} s", "<= 1 s", it.explained_s <= 1, bare, it.load),
    ]


def _flood(it: Flood) -> list[Row]:
    name = f"memory in {it.seconds:g} s of flood, {it.open_trades:,} trades, {it.held:,} held back"
    grown = f"{it.begin_mb:g} MB at first, {it.end_mb:g} at last, {it.max_mb:g} at most"
    ticks = f"{it.sent:,} ({it.sent_per_s:,}/s): {it.decided:,} decided, {it.folded:,} folded"
    crossed = f"{it.crossed} crossed by one tick, {it.lost} lost; {it.missed:,} ticks missed on the wire, {it.late:,} read too late"
    return [
        (name, grown, "+-5 MB", it.met, f"before: {it.before_mb:g} MB", it.load),
        (
            "ticks in it",
            f"{ticks}; {crossed}",
            "some folded, none lost by that",
            it.folded > 0 and it.all_fired,
            "",
            it.load,
        ),
    ]


_MEASURES: Final[dict[Figure, Callable[[], object]]] = {
    "latency": figures.latency,
    "throughput": figures.throughput,
    "group_commit": lambda: tuple(group_commit(outstanding) for outstanding in (100, 1000)),
    "standing": figures.standing,
    "restart": figures.restart,
    "demo": figures.demo,
    "audit": auditing,
    "recording": recording.recording_cost,
    "size": recording.recording_size,
    "replay": recording.replay_speed,
}
_ROWS: Final[dict[type, Callable[[Any], list[Row]]]] = {
    Latency: _latency,
    Throughput: _throughput,
    GroupCommit: _group_commit,
    ServeStanding: _standing,
    Restart: _restart,
    Flood: _flood,
    DemoSpeed: _demo,
    AuditSpeed: _audit,
    Migration: _migration,
    RecordingCost: _recording,
    RecordingSize: _size,
    ReplaySpeed: _replay,
}
