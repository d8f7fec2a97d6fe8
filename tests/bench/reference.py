"""The reference lines: what the same machine does at the same time without us."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import msgspec
import psutil
import psycopg

from tests.bench.load import quotes
from tests.bench.process import ROOT, child
from tests.bench.raw import RawClient, publication

_DIRECT: Final = 200
_DIRECT_GAP_S: Final = 0.02
_BARE: Final = "import run, sys; run.room('serve'); sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"


def round_trip_us(url: str, rounds: int = 2000) -> float:
    """F: the median round trip of the raw protocol: publish, echo by another process, receive; microseconds."""
    with child("tests.bench.echo", url), RawClient(url) as client:
        client.subscribe("bench.pong")
        answers = client.messages()
        taken = []
        for _ in range(rounds):
            started_ns = time.perf_counter_ns()
            client.publish("bench.ping", b"x" * 128)
            next(answers)
            taken.append((time.perf_counter_ns() - started_ns) / 1000)
    return statistics.median(taken[rounds // 10 :])


def direct_us(sender: RawClient, arrivals: Iterator[tuple[str, int]], orders: int = _DIRECT) -> float:
    """Publish into ORDERS with no Watchkeeper between: the median until the executor has it, microseconds."""
    taken = []
    for number in range(orders):
        time.sleep(_DIRECT_GAP_S)
        body = {"trade_id": f"direct-{number}", "client_order_id": f"direct-{number}", "padding": "x" * 500}
        command = publication("order.submit.bench.direct", msgspec.json.encode(body))
        sent_ns = time.time_ns()
        sender.send(command)
        taken.append((next(arrivals)[1] - sent_ns) / 1000)
    return statistics.median(taken)


def read_per_s(url: str, ticks: int = 60_000) -> int:
    """Return how many ticks a second a subscriber reads that does nothing with them."""
    chunks = [quotes(100, step) for step in range(ticks // 100)]
    with child("tests.bench.sink", url), RawClient(url) as client:
        client.subscribe("bench.done")
        started = time.monotonic()
        for chunk in chunks:
            client.send(chunk)
        client.send(publication("market.end", b""))
        next(client.messages())
        return round(ticks / (time.monotonic() - started))


def copy_per_s(admin_dsn: str, rows: int) -> int:
    """Return how many rows of a journal's size one bare COPY with its commit writes in a second."""
    row = (1, "trade-00001", 1, "open", "closing", "cause", "", "2025-07-16T17:00:00Z", "0" * 64, "1" * 64)
    with psycopg.connect(admin_dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bench (a bigint, b text, c int, d text, e text, f text, g text, h timestamptz, i text, j text)"
        )
        started = time.monotonic()
        with connection.cursor().copy("COPY bench FROM STDIN") as copy:
            for _ in range(rows):
                copy.write_row(row)
        taken_s = time.monotonic() - started
        connection.execute("DROP TABLE bench")
    return round(rows / taken_s)


def bare_mb() -> float:
    """Return the resident memory of an interpreter that has imported what `serve` does, MB."""
    with subprocess.Popen(
        [sys.executable, "-c", _BARE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        return resident_mb(process.pid)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, MB."""
    return round(psutil.Process(pid).memory_info().rss / 1_000_000, 1)


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used, seconds."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)
