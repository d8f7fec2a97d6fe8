"""`run.py bench` as people read it, and the figures by name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rich.console import RenderableType

from config.pictures import table
from tests.bench import figures
from tests.bench.auditing import auditing
from tests.bench.documents import (
    AuditSpeed,
    Benchmarks,
    DemoSpeed,
    Figure,
    Flood,
    GroupCommit,
    Latency,
    Restart,
    ServeStanding,
    Throughput,
)
from tests.bench.flood import flood
from tests.bench.group_commit import group_commit

_COLUMNS: Final = ("figure", "measured", "target", "met", "reference line of the same run", "load")
Row = tuple[object, ...]


def measure(names: Sequence[Figure], tell: Callable[[str], None], *, flood_s: float) -> Benchmarks:
    """Measure the figures of these names, one after the other. tell: hears which one is next. flood_s: how long the flood lasts."""
    found: dict[str, object] = {}
    for name in names:
        tell(name)
        match name:
            case "latency":
                found[name] = figures.latency()
            case "throughput":
                found[name] = figures.throughput()
            case "group_commit":
                found[name] = tuple(group_commit(outstanding) for outstanding in (100, 1000))
            case "standing":
                found[name] = figures.standing()
            case "restart":
                found[name] = figures.restart()
            case "flood":
                found[name] = flood(flood_s)
            case "demo":
                found[name] = figures.demo()
            case _:
                found[name] = auditing()
    return Benchmarks(**found)  # type: ignore[arg-type]  # each under the name of its field


def picture(measured: Benchmarks) -> RenderableType:
    """Return the table for people."""
    found = (
        measured.latency,
        measured.throughput,
        *measured.group_commit,
        measured.standing,
        measured.restart,
        measured.flood,
        measured.demo,
        measured.audit,
    )
    return table("Figures", _COLUMNS, [row for figure in found if figure is not None for row in _rows(figure)])


def _rows(
    figure: Latency | Throughput | GroupCommit | ServeStanding | Restart | Flood | DemoSpeed | AuditSpeed,
) -> Iterable[Row]:
    match figure:
        case Latency():
            return _latency(figure)
        case Throughput():
            return _throughput(figure)
        case GroupCommit():
            name = f"journal rows, {figure.outstanding} outstanding"
            line = f"one bare COPY: {figure.copy_per_s:,}/s"
            return [(name, f"{figure.rows_per_s:,}/s", ">= 30,000/s", figure.met, line, figure.load)]
        case ServeStanding():
            return _standing(figure)
        case Restart():
            name = f"ready after kill -9, {figure.open_trades:,} trades, p99 of {figure.restarts}"
            taken, line = f"{figure.p99_s} s, p50 {figure.p50_s} s", f"after a clean stop: {figure.clean_s} s"
            return [(name, taken, "<= 5 s", figure.met, line, figure.load)]
        case Flood():
            return _flood(figure)
        case DemoSpeed():
            name, taken = f"demo of {figure.events:,} events", f"{figure.seconds} s, {figure.events_per_s:,}/s"
            return [(name, taken, "<= 90 s", figure.met, f"reading them: {figure.parsed_s} s", figure.load)]
        case AuditSpeed():
            name, taken = f"audit of {figure.lines:,} lines", f"{figure.seconds} s, {figure.cpu_s} s of CPU"
            return [(name, taken, "<= 60 s", figure.met, f"parsing them: {figure.parsed_s} s", figure.load)]


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
