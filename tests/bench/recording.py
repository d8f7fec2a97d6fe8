"""The figures of the flight recorder: what it costs the hot path, what it takes on disk, how fast a day is told again and explained."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from actors.replay.importing import live_through
from bus.recorder.filing import Filing
from bus.recorder.lines import LinesReader
from bus.recorder.segments import segments
from config.settings import load
from tests.bench.documents import RecordingCost, RecordingSize, ReplaySpeed
from tests.bench.figures import latency, throughput
from tests.bench.process import ROOT, load_average
from tests.replay.make_slice import SHIPPED

WHOLE_STREAM: Final = ROOT.parent / "shared/data/streams/polymarket_quotes_2026-07-14.jsonl.gz"
_SMALL: Final = ROOT / "tests/replay/histories/netted.wkr"
"""A recording of a few words: what a command takes that has next to nothing to tell."""
_MB: Final = 1024
"""Kilobytes, as the kernel counts them."""


def recording_cost(
    repeats: int = 7, per_second: int = 15_000, duration_s: int = 5, open_trades: int = 1000, orders: int = 200
) -> RecordingCost:
    """With the recorder and without it, `repeats` pairs one after the other, in turns the one and the other first.

    At a rate that the process keeps up with: beyond it ticks are folded, which costs less than deciding them.
    """
    began = load_average()
    cpu_us: dict[bool, list[float]] = {True: [], False: []}
    p99_us: dict[bool, list[float]] = {True: [], False: []}
    for number in range(repeats):
        for records in (False, True) if number % 2 else (True, False):
            with recording_into(records=records):
                cpu_us[records].append(throughput(per_second, duration_s, open_trades).cpu_us)
                p99_us[records].append(latency(open_trades, orders).stored_p99_us)
    rate, slower = _more(cpu_us), _more(p99_us)
    return RecordingCost(
        load=began,
        met=rate <= 15 and slower <= 10,
        repeats=repeats,
        off_cpu_us=statistics.median(cpu_us[False]),
        on_cpu_us=statistics.median(cpu_us[True]),
        rate_percent=rate,
        off_p99_us=statistics.median(p99_us[False]),
        on_p99_us=statistics.median(p99_us[True]),
        p99_percent=slower,
    )


def _more(measured: dict[bool, list[float]]) -> float:
    """Return how much more it is with the recorder, percent: the median over pairs, for a noisy machine is another one after a minute."""
    pairs = zip(measured[False], measured[True], strict=True)
    return round(statistics.median((on - off) / off * 100 for off, on in pairs), 1)


@contextmanager
def recording_into(*, records: bool) -> Iterator[None]:
    """Let each `serve` that is started meanwhile record, or not."""
    name = "WATCHKEEPER_RECORDER_FOLDER"
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-recording-") as folder:
        if records:
            os.environ[name] = folder
        try:
            yield
        finally:
            os.environ.pop(name, None)


def recording_size(stream: Path = WHOLE_STREAM) -> RecordingSize | None:
    """What the ticks of the whole Polymarket stream take on disk; None where that is not beside this checkout."""
    if not stream.exists():
        return None
    began = load_average()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-recording-") as name:
        folder = Path(name)
        filing = Filing(folder)
        life = live_through(LinesReader(stream, "bench").words(), load({}), filing)
        filing.close()
        assert life is not None, "the stream holds nothing that is heard"
        taken = sum(path.stat().st_size for path in segments(folder))
    each = round(taken / life.words, 1)
    return RecordingSize(
        load=began,
        met=each <= 25,
        ticks=life.words,
        packed_bytes=round(stream.stat().st_size / life.words, 1),
        bytes_each=each,
    )


_MEASURED: Final = """
import os, pathlib, subprocess, sys
process = subprocess.Popen([sys.executable, "run.py", *sys.argv[2:]])
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
pathlib.Path(sys.argv[1]).write_text(str(used.ru_maxrss))
sys.exit(process.returncode)
"""
"""Runs run.py and says how large the largest of its processes was, kB: Linux counts what the parent held at the fork, so that one must be small."""


class Ran(NamedTuple):
    """A command that has ended. resident_mb: of its largest process."""

    document: dict[str, Any]
    seconds: float
    resident_mb: float


def replay_speed(repeats: int = 3, recording: Path = SHIPPED, duration_s: float | None = None) -> ReplaySpeed:
    """Record the demo's day, then let `replay` tell it again and `explain` look at its last trade, whole commands."""
    began = load_average()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench-recording-") as folder:
        until = [] if duration_s is None else ["--duration", str(duration_s)]
        words = ["demo", "--speed", "max", "--recording", str(recording), *until]
        trade_id = run(*words, folder=folder).document["trades"][-1]["trade_id"]
        bare_s = statistics.median(run("replay", str(_SMALL)).seconds for _ in range(repeats))
        told = [run("replay", folder) for _ in range(repeats)]
        explained_s = statistics.median(run("explain", trade_id, "--recording", folder).seconds for _ in range(repeats))
    seconds = statistics.median(each.seconds for each in told)
    entries, resident_mb = told[0].document["entries"], max(each.resident_mb for each in told)
    per_s = per_second(entries, seconds, bare_s)
    return ReplaySpeed(
        load=began,
        met=per_s >= 100_000 and resident_mb <= 150 and explained_s <= 1,
        bare_s=round(bare_s, 2),
        deliveries=entries,
        different=told[0].document["different"],
        seconds=round(seconds, 2),
        deliveries_per_s=per_s,
        resident_mb=resident_mb,
        explained_s=round(explained_s, 2),
    )


def per_second(entries: int, seconds: float, bare_s: float) -> int:
    """Return how many a second, start-up left out; of a recording so short that most of it is start-up, with it: a lower bound."""
    return round(entries / (seconds - bare_s if seconds > 2 * bare_s else seconds))


def run(*words: str, folder: str = "") -> Ran:
    """Run one command of ours for its document. folder: where it records."""
    environment = os.environ | ({"WATCHKEEPER_RECORDER_FOLDER": folder} if folder else {})
    with tempfile.NamedTemporaryFile("r", prefix="watchkeeper-bench-resident-") as resident:
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", _MEASURED, resident.name, *words, "--json"],
            check=False,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
        )
        seconds = time.monotonic() - started
        assert ended.returncode == 0, f"run.py {words[0]} ended with {ended.returncode}"
        return Ran(json.loads(ended.stdout), seconds, round(int(resident.read()) / _MB, 1))
