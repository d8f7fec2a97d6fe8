"""The figures of the benchmark, each beside its reference line, measured on the real process and real servers."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

from bus.recorded import Recording
from tests.bench import reference
from tests.bench.documents import DemoSpeed, Latency, Restart, ServeStanding, Throughput
from tests.bench.load import adopt_all, adoption, beat, pace, quote, quotes, ticker_of
from tests.bench.process import ROOT, child, kill, load_average, servers, serving, taken_over_s
from tests.bench.raw import RawClient

_TOP: Final = Decimal("0.700")
_STEP: Final = Decimal("0.005")
_WHOLE_STREAM: Final = ROOT.parent / "shared/data/streams/polymarket_quotes_2026-07-14.jsonl.gz"
_GAP_S: Final = 0.02
"""Between two stops of the latency figure: each is measured alone, not behind what the last one set in motion."""

Wanted = tuple[str, str, Decimal]
"""A trade to adopt: its id, ticker and stop price."""


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextmanager
def arrivals_of(url: str) -> Iterator[Iterator[tuple[str, int]]]:
    """Yield (trade_id, when it arrived at the executor) as they come."""
    with child("tests.bench.executor", url), RawClient(url) as client:
        client.subscribe("bench.arrived")
        yield (
            (trade_id, arrived_ns) for _, _, body in client.messages() for trade_id, arrived_ns in (json.loads(body),)
        )


def open_ladder(url: str, count: int, markets: int) -> list[Wanted]:
    """Adopt `count` trades: on each market a ladder of stops, the highest first."""
    trades = [
        (f"b{number:05d}", ticker_of(number % markets), _TOP - _STEP * (number // markets)) for number in range(count)
    ]
    with RawClient(url) as client:
        client.send(beat() + quotes(markets, 0))
        client.flush()
    adopt_all(url, (adoption(*trade) for trade in trades))
    return trades


def latency(open_trades: int = 1000, orders: int = 500, markets: int = 100) -> Latency:
    """Tick published -> `order.submit` at a durable consumer in another process, one stop firing at a time."""
    load = load_average()
    stored, plain = [], []
    with servers() as between, serving(between):
        f_us = reference.round_trip_us(between.url)
        with (
            arrivals_of(between.url) as arrivals,
            RawClient(between.url) as sender,
            RawClient(between.url) as listener,
        ):
            trades = open_ladder(between.url, open_trades + orders, markets)
            direct_us = reference.direct_us(sender, arrivals, min(200, orders))
            listener.subscribe("order.submit.bench.>")
            heard = listener.messages()
            for trade_id, ticker, stop in trades[:orders]:
                time.sleep(_GAP_S)
                tick = quote(ticker, stop)
                sent_ns = time.time_ns()
                sender.send(tick)
                next(heard)
                plain.append((time.time_ns() - sent_ns) / 1000)
                arrived, arrived_ns = next(arrivals)
                assert arrived == trade_id, f"{arrived} arrived instead of {trade_id}"
                stored.append((arrived_ns - sent_ns) / 1000)
    p50, p99 = percentile(stored, 0.5), percentile(stored, 0.99)
    return Latency(
        load=load,
        met=p50 <= 10 * f_us and p99 <= 25 * f_us,
        f_us=round(f_us, 1),
        direct_us=round(direct_us),
        stored_p50_us=round(p50),
        stored_p99_us=round(p99),
        stored_p50_in_f=round(p50 / f_us, 1),
        stored_p99_in_f=round(p99 / f_us, 1),
        plain_p50_us=round(percentile(plain, 0.5)),
        plain_p99_us=round(percentile(plain, 0.99)),
        open_trades=open_trades,
        orders=orders,
    )


def throughput(
    per_second: int = 30_000, duration_s: int = 10, open_trades: int = 10_000, markets: int = 100
) -> Throughput:
    """Sustained ticks, one in a thousand firing, none lost."""
    load = load_average()
    ticks = per_second * duration_s
    with servers() as between, serving(between) as process:
        read_per_s = reference.read_per_s(between.url, min(60_000, 2 * ticks))
        with arrivals_of(between.url) as arrivals, RawClient(between.url) as sender:
            trades = iter(open_ladder(between.url, open_trades, markets))
            fired = []
            used_s = reference.cpu_s(process.pid)
            started_ns = time.monotonic_ns()
            for sent in range(0, ticks, markets):
                chunk = quotes(markets, sent // markets)
                if sent % 1000 < markets:
                    trade_id, ticker, stop = next(trades)
                    chunk += quote(ticker, stop)
                    fired.append(trade_id)
                sender.send(chunk)
                pace(started_ns, sent + markets, per_second)
            sent_s = (time.monotonic_ns() - started_ns) / 1e9
            arrived = _those_of(arrivals, len(fired))
            taken_s = (time.monotonic_ns() - started_ns) / 1e9
            used_s = reference.cpu_s(process.pid) - used_s
    lost = len(set(fired) - arrived)
    return Throughput(
        load=load,
        met=ticks / taken_s >= 0.97 * per_second and not lost,
        read_per_s=read_per_s,
        open_trades=open_trades,
        markets=markets,
        ticks=ticks,
        sent_per_s=round(ticks / sent_s),
        taken_per_s=round(ticks / taken_s),
        cpu_us=round(used_s / ticks * 1e6, 1),
        fired=len(fired),
        lost=lost,
    )


def _those_of(arrivals: Iterator[tuple[str, int]], count: int) -> set[str]:
    """Return the trades of so many orders, or of fewer where no more come: a tick that is read too late fires nothing."""
    arrived: set[str] = set()
    with suppress(TimeoutError):
        arrived.update(trade_id for trade_id, _ in islice(arrivals, count))
    return arrived


def standing(open_trades: int = 10_000, markets: int = 100) -> ServeStanding:
    """How much memory `serve` takes and how soon it is ready, with nothing open and with many trades to recover."""
    load = load_average()
    with servers() as between, ExitStack() as venue:
        with serving(between) as empty:
            # Without its answers a start would wait for them.
            venue.enter_context(child("tests.bench.executor", between.url))
            resident_mb = reference.resident_mb(empty.pid)
            open_ladder(between.url, open_trades, markets)
            grown_mb = reference.resident_mb(empty.pid)
        with serving(between) as full:
            recovered_cpu_s = round(reference.cpu_s(full.pid), 2)
            recovered_mb = reference.resident_mb(full.pid)
            takeover_s = taken_over_s(between, full)
    return ServeStanding(
        load=load,
        met=max(grown_mb, recovered_mb) <= 250 and max(empty.ready_s, full.ready_s) <= 3 and takeover_s <= 5,
        bare_mb=reference.bare_mb(),
        ready_s=empty.ready_s,
        resident_mb=resident_mb,
        open_trades=open_trades,
        grown_mb=grown_mb,
        recovered_s=full.ready_s,
        recovered_cpu_s=recovered_cpu_s,
        recovered_mb=recovered_mb,
        takeover_s=takeover_s,
    )


def restart(open_trades: int = 10_000, restarts: int = 20, markets: int = 100) -> Restart:
    """How soon a killed process watches again when its supervisor starts it at once."""
    load = load_average()
    taken_s = []
    with servers() as between, ExitStack() as venue:
        with serving(between):
            # Without its answers a start would wait for them.
            venue.enter_context(child("tests.bench.executor", between.url))
            open_ladder(between.url, open_trades, markets)
        for _ in range(restarts + 1):
            with serving(between) as process:
                taken_s.append(process.ready_s)
                kill(process)
    # The first one began after a stop that said so.
    clean_s, *killed_s = taken_s
    p99_s = percentile(killed_s, 0.99)
    return Restart(
        load=load,
        met=p99_s <= 5,
        open_trades=open_trades,
        restarts=restarts,
        clean_s=clean_s,
        p50_s=percentile(killed_s, 0.5),
        p99_s=p99_s,
    )


def demo(recording: Path = _WHOLE_STREAM) -> DemoSpeed | None:
    """`demo --speed max` over the whole Polymarket stream; None where that is not beside this checkout."""
    if not recording.exists():
        return None
    load = load_average()
    started = time.monotonic()
    lines = sum(1 for _ in Recording(recording))
    parsed_s = time.monotonic() - started
    command = [sys.executable, "run.py", "demo", "--speed", "max", "--json", "--recording", str(recording)]
    started = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    taken_s = time.monotonic() - started
    events = json.loads(ended.stdout)["recording"]["events"]
    assert events <= lines, "more was played than was recorded"
    return DemoSpeed(
        load=load,
        met=taken_s <= 90,
        recording=recording.name,
        parsed_s=round(parsed_s, 1),
        events=events,
        seconds=round(taken_s, 1),
        events_per_s=round(events / taken_s),
    )
