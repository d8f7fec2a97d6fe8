"""The figure of the flood: memory by time, while more ticks come than the process can decide (FAULTS 40)."""

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from threading import Event, Thread
from typing import Any, Final

from tests.bench import reference
from tests.bench.documents import Flood
from tests.bench.figures import arrivals_of, open_ladder
from tests.bench.load import adopt_all, adoption, beat, pace, quote, quotes, ticker_of
from tests.bench.process import Serve, load_average, request, servers, serving
from tests.bench.raw import RawClient

_HELD: Final = Decimal("0.850")
"""Below what is bid in calm, above what is bid in the flood: a stop there is beyond its price at every tick, and must not fire yet."""
_FLOODED: Final = Decimal("0.800")
_WARM_SHARE: Final = 0.1
_WARM_MAX_S: Final = 60.0
_FLAT_MB: Final = 5.0
_ENDS_WITHIN_S: Final = 120.0


def flood(
    duration_s: float = 600,
    per_second: int = 5000,
    open_trades: int = 10_000,
    held: int = 2000,
    markets: int = 100,
) -> Flood:
    """Send ticks that each concern stops held back by `min_age_s`, and now and then one that crosses a stop for itself alone."""
    load = load_average()
    with servers() as between, serving(between) as process, arrivals_of(between.url) as arrivals:
        *ladder, end = open_ladder(between.url, open_trades - held, markets)
        trades = iter(ladder)
        adopt_all(between.url, (_held_back(number, markets) for number in range(held)))
        watch = _Memory(process, min(_WARM_SHARE * duration_s, _WARM_MAX_S))
        crossed, sent = [], 0
        arrived: dict[str, int] = {}
        # The lowest of all, which no tick before crosses: whose order comes then has had all that was sent before.
        has_ended = Event()
        # Read all along: a client that is silent for minutes is cut off by the server.
        reader = Thread(target=_note, args=(arrivals, arrived, end[0], has_ended), daemon=True)
        reader.start()
        with RawClient(between.url) as sender:
            sender.send(beat())
            started_ns = time.monotonic_ns()
            while (now_s := (time.monotonic_ns() - started_ns) / 1e9) < duration_s:
                chunk = quotes(markets, sent // markets, _FLOODED)
                if watch.look(now_s):
                    trade_id, ticker, stop = next(trades)
                    # Gone again with the next read: only who saw this one tick knows of it.
                    chunk = quote(ticker, stop) + chunk
                    crossed.append(trade_id)
                    sent += 1
                sender.send(chunk)
                sent += markets
                pace(started_ns, sent, per_second)
            sent_s = (time.monotonic_ns() - started_ns) / 1e9
            sender.send(quote(end[1], end[2]))
            has_ended.wait(_ENDS_WITHIN_S)
        folded, missed, late = _status(between.url)
    lost = len(set(crossed) - arrived.keys())
    grown_mb = round(max(watch.seen_mb) - watch.seen_mb[0], 1)
    return Flood(
        load=load,
        met=grown_mb <= _FLAT_MB
        and abs(watch.seen_mb[-1] - watch.seen_mb[0]) <= _FLAT_MB
        and folded > 0
        and (not lost or missed + late > 0),
        seconds=round(sent_s, 1),
        open_trades=open_trades,
        held=held,
        markets=markets,
        sent=sent,
        sent_per_s=round(sent / sent_s),
        decided=sent - folded - missed,
        folded=folded,
        crossed=len(crossed),
        lost=lost,
        missed=missed,
        late=late,
        before_mb=watch.before_mb,
        begin_mb=watch.seen_mb[0],
        end_mb=watch.seen_mb[-1],
        max_mb=max(watch.seen_mb),
    )


def _note(arrivals: Iterator[tuple[str, int]], arrived: dict[str, int], end: str, has_ended: Event) -> None:
    with suppress(OSError):
        for trade_id, arrived_ns in arrivals:
            arrived[trade_id] = arrived_ns
            if trade_id == end:
                has_ended.set()


class _Memory:
    """The resident memory of a process, once a second. before_mb: before the load; seen_mb: from the end of the warm-up on."""

    def __init__(self, process: Serve, warm_s: float) -> None:
        self.before_mb = reference.resident_mb(process.pid)
        self.seen_mb: list[float] = []
        self._pid = process.pid
        self._warm_s = warm_s
        self._next_s = 0.0

    def look(self, now_s: float) -> bool:
        """Look if a second has passed since the last time; say whether one had."""
        if now_s < self._next_s:
            return False
        self._next_s += 1
        if now_s >= self._warm_s:
            self.seen_mb.append(reference.resident_mb(self._pid))
        return True


def _held_back(number: int, markets: int) -> dict[str, object]:
    trade = adoption(f"h{number:05d}", ticker_of(number % markets), _HELD)
    rule: dict[str, Any] = {"rule": "price", "stop_price": str(_HELD), "confirm_ticks": "1", "min_age_s": "31536000"}
    return {**trade, "stops": [rule]}


def _status(url: str) -> tuple[int, int, int]:
    """Return how many ticks AutoStop never saw, how many went by on the wire, and how many it saw when they were gone again."""
    reply = request(url, "system.request.status", {})
    assert reply is not None, "nobody tells how it stands"
    status = reply["result"]
    [stops] = [actor for actor in status["actors"] if actor["name"] == "auto_stop"]
    return stops.get("folded", 0), status.get("missed_ticks", 0), stops.get("late", 0)
