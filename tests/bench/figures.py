"""The figures of the benchmark, each beside its reference line, measured on the real process and real servers."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.bench.load import adopt_all, adoption, pace, quote, status
from tests.bench.process import ROOT, Bench, child, serving
from tests.bench.raw import RawClient

Figure = dict[str, float | int | str | bool]

_CALM: Final = Decimal("0.90")
_TOP: Final = Decimal("0.700")
_STEP: Final = Decimal("0.005")
_WHOLE_STREAM: Final = ROOT.parent / "shared/data/streams/polymarket_quotes_2026-07-14.jsonl.gz"


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def reference_us(url: str, rounds: int = 3000) -> float:
    """F: the median round trip of the raw protocol: publish, echo by another process, receive; microseconds."""
    with child("tests.bench.echo", url), RawClient(url) as client:
        client.subscribe("bench.pong")
        answers = client.messages()
        taken = []
        for _ in range(rounds):
            started = time.perf_counter_ns()
            client.publish("bench.ping", b"x" * 128)
            next(answers)
            taken.append((time.perf_counter_ns() - started) / 1000)
    return statistics.median(taken[rounds // 10 :])


@contextmanager
def _arrivals(url: str) -> Iterator[Iterator[tuple[str, int]]]:
    """Yield (trade_id, when it arrived at the executor) as they come."""
    with child("tests.bench.executor", url), RawClient(url) as client:
        client.subscribe("bench.arrived")
        yield (
            (trade_id, arrived_ns) for _, _, body in client.messages() for trade_id, arrived_ns in (json.loads(body),)
        )


def _trades(tickers: int, levels: int) -> list[tuple[str, str, Decimal]]:
    """Return (trade id, ticker, stop): on each ticker a ladder of stops, the highest first."""
    return [(f"b{t:03d}-{n:03d}", f"BENCH-{t:03d}", _TOP - _STEP * n) for n in range(levels) for t in range(tickers)]


def _open(bench: Bench, tickers: int, levels: int) -> list[tuple[str, str, Decimal]]:
    trades = _trades(tickers, levels)
    with RawClient(bench.url) as client:
        for t in range(tickers):
            client.send(quote(f"BENCH-{t:03d}", _CALM))
        client.flush()
    adopt_all(bench.url, (adoption(*trade) for trade in trades))
    return trades


def latency() -> Figure:
    """Tick published -> `order.submit` at a durable consumer in another process, 1,000 open trades, one firing at a time."""
    with serving() as bench:
        reference = reference_us(bench.url)
        trades = _open(bench, tickers=100, levels=10)
        stored, plain = [], []
        with _arrivals(bench.url) as arrivals, RawClient(bench.url) as sender, RawClient(bench.url) as listener:
            listener.subscribe("order.submit.>")
            heard = listener.messages()
            for trade_id, ticker, stop in trades:
                sent_ns = time.time_ns()
                sender.send(quote(ticker, stop))
                next(heard)
                plain.append((time.time_ns() - sent_ns) / 1000)
                arrived, arrived_ns = next(arrivals)
                assert arrived == trade_id, f"{arrived} arrived instead of {trade_id}"
                stored.append((arrived_ns - sent_ns) / 1000)
    p50, p99 = percentile(stored, 0.5), percentile(stored, 0.99)
    return {
        "f_us": round(reference, 1),
        "p50_us": round(p50),
        "p99_us": round(p99),
        "p50_in_f": round(p50 / reference, 1),
        "p99_in_f": round(p99 / reference, 1),
        "plain_p50_us": round(percentile(plain, 0.5)),
        "plain_p99_us": round(percentile(plain, 0.99)),
        "orders": len(stored),
        "met": p50 <= 10 * reference and p99 <= 25 * reference,
    }


def throughput(per_second: int = 30_000, duration_s: int = 10) -> Figure:
    """Sustained ticks with 10,000 open trades on 100 markets, one tick in 1,000 firing, none lost."""
    with serving() as bench:
        trades = iter(_open(bench, tickers=100, levels=100))
        resident_mb = bench.resident_mb()
        ticks, fired = per_second * duration_s, 0
        with _arrivals(bench.url) as arrivals, RawClient(bench.url) as sender:
            started_ns, started = time.monotonic_ns(), time.monotonic()
            for sent in range(0, ticks, 100):
                chunk = [quote(f"BENCH-{n:03d}", _CALM + Decimal(sent // 100 % 5) / 1000) for n in range(100)]
                if sent % 1000 == 0:
                    _, ticker, stop = next(trades)
                    chunk.append(quote(ticker, stop))
                    fired += 1
                sender.send(b"".join(chunk))
                pace(started_ns, sent + 100, per_second)
            sent_s = time.monotonic() - started
            orders = {next(arrivals)[0] for _ in range(fired)}
            taken_s = time.monotonic() - started
        after = status(bench.url)
    return {
        "ticks": ticks,
        "sent_per_s": round(ticks / sent_s),
        "decided_per_s": round(ticks / taken_s),
        "fired": fired,
        "orders": len(orders),
        "lost_messages": int(str(after["lost_messages"])) if "lost_messages" in after else 0,
        "resident_mb": round(resident_mb),
        "ready_s": round(bench.ready_s, 2),
        "met": ticks / taken_s >= 0.97 * per_second and len(orders) == fired,
    }


def demo(recording: Path = _WHOLE_STREAM) -> Figure:
    """`demo --speed max` over the whole Polymarket stream."""
    if not recording.exists():
        return {"skipped": f"{recording.name} is not beside this checkout"}
    started = time.monotonic()
    command = [sys.executable, "run.py", "demo", "--speed", "max", "--json", "--recording", str(recording)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    taken_s = time.monotonic() - started
    document = json.loads(ended.stdout)
    events = document["recording"]["events"]
    return {
        "events": events,
        "seconds": round(taken_s, 1),
        "events_per_s": round(events / taken_s),
        "met": taken_s <= 90,
    }
