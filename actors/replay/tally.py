"""Counts what the house says while the demo runs, and makes of it the document that `demo --json` prints.

It decides nothing and is asked nothing by the house: a listener beside the others. Words reach it on the threads that say them.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from bus.messages.demo import (
    DemoCommits,
    DemoCounts,
    DemoLatency,
    DemoRecording,
    DemoSettings,
    DemoSummary,
    DemoTrade,
    RoundTrip,
    Spread,
)
from bus.messages.envelope import Outgoing
from bus.messages.orders import OrderReport, OrderSubmit, ReportStatus
from bus.messages.records import Commit
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_US, ZERO

_ENDED = (ReportStatus.FILLED, ReportStatus.CANCELLED, ReportStatus.REJECTED, ReportStatus.EXPIRED)


class Tally:
    """What was said. monotonic_ns: real time, for latencies alone."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._lock = threading.Lock()
        self._released_ns: int | None = None
        self._trades: dict[str, Trade] = {}
        self._unprotected_since: dict[str, int] = {}
        self._unprotected_ns = 0
        self._closes: set[str] = set()
        self._close_alive: dict[str, str] = {}
        self._duplicate_closes = 0
        self._tick_to_order_ns: list[int] = []
        self._quarantined = 0

    def released(self) -> None:
        """The sequencer is about to hand a word to the house: whatever leaves from here on leaves because of it."""
        self._released_ns = self._monotonic_ns()

    def hear(self, word: object) -> None:
        """Count a word of the house; others than those it knows do not concern it."""
        with self._lock:
            match word:
                case Trade():
                    self._hear_trade(word)
                case Outgoing(message=OrderSubmit(purpose=Purpose.CLOSE) as order):
                    self._hear_close(order)
                case OrderReport(client_order_id=client_order_id, status=status) if status in _ENDED:
                    self._close_alive.pop(client_order_id.rsplit("-", 2)[0], None)
                case StopCoverage():
                    self._hear_coverage(word)
                case Commit(quarantined=quarantined):
                    self._quarantined += len(quarantined)

    @property
    def trades(self) -> Mapping[str, Trade]:
        """Every trade as it was last said."""
        return self._trades

    def _hear_trade(self, trade: Trade) -> None:
        known = self._trades.get(trade.trade_id)
        if known is None or trade.version >= known.version:
            self._trades[trade.trade_id] = trade
        if trade.state.is_terminal:
            self._protect(trade.trade_id, trade.ts)

    def _hear_close(self, order: OrderSubmit) -> None:
        if order.client_order_id in self._closes or order.trade_id in self._close_alive:
            self._duplicate_closes += 1
        self._closes.add(order.client_order_id)
        self._close_alive[order.trade_id] = order.client_order_id
        if order.attempt == 1 and self._released_ns is not None:
            self._tick_to_order_ns.append(self._monotonic_ns() - self._released_ns)

    def _hear_coverage(self, coverage: StopCoverage) -> None:
        if coverage.coverage is Coverage.UNPROTECTED:
            self._unprotected_since.setdefault(coverage.trade_id, coverage.since)
        else:
            self._protect(coverage.trade_id, coverage.since)

    def _protect(self, trade_id: str, now_ns: int) -> None:
        since_ns = self._unprotected_since.pop(trade_id, None)
        if since_ns is not None:
            self._unprotected_ns += max(0, now_ns - since_ns)

    def document(
        self,
        recording: DemoRecording,
        settings: DemoSettings,
        *,
        round_trips_ns: Sequence[int],
        commits: DemoCommits,
        lost_messages: int,
        now_ns: int,
    ) -> DemoSummary:
        """Return the whole document. now_ns: the recorded clock at the end; lost_messages: of the recording."""
        with self._lock:
            trades = sorted(self._trades.values(), key=lambda trade: (len(trade.trade_id), trade.trade_id))
            still_ns = sum(now_ns - since_ns for since_ns in self._unprotected_since.values())
            return DemoSummary(
                recording=recording,
                settings=settings,
                trades=tuple(_row(trade) for trade in trades),
                counts=_counts(trades),
                pnl=sum((trade.pnl for trade in trades), ZERO),
                latency_us=DemoLatency(
                    tick_to_order=Spread(
                        p50=percentile_us(self._tick_to_order_ns, 50),
                        p99=percentile_us(self._tick_to_order_ns, 99),
                        n=len(self._tick_to_order_ns),
                    ),
                    nats_round_trip=RoundTrip(
                        p50=percentile_us(round_trips_ns, 50), p99=percentile_us(round_trips_ns, 99)
                    ),
                ),
                commits=commits,
                lost_messages=lost_messages,
                duplicate_closes=self._duplicate_closes,
                unprotected_trade_seconds=Decimal(self._unprotected_ns + still_ns).scaleb(-9).normalize() + ZERO,
                quarantined=self._quarantined,
            )


def percentile_us(samples_ns: Sequence[int], percent: int) -> int | None:
    """Return the smallest sample that `percent` of all do not exceed, in microseconds; None without samples."""
    if not samples_ns:
        return None
    rank = -(-len(samples_ns) * percent // 100)
    return sorted(samples_ns)[max(rank, 1) - 1] // NS_PER_US


def _row(trade: Trade) -> DemoTrade:
    return DemoTrade(
        trade_id=trade.trade_id,
        ticker=trade.ticker,
        side=trade.side,
        quantity=trade.quantity,
        entry_price=trade.entry_price,
        entry_ts=trade.entry_ts,
        stops=trade.stops,
        state=trade.state,
        rule=trade.rule,
        exit_price=trade.exit_price,
        exit_ts=trade.exit_ts,
        fees=trade.fees,
        pnl=trade.pnl,
    )


def _counts(trades: Sequence[Trade]) -> DemoCounts:
    states = [trade.state for trade in trades]
    return DemoCounts(
        opened=sum(trade.filled_quantity > 0 for trade in trades),
        stopped=sum(trade.state is TradeState.CLOSED and trade.rule is not None for trade in trades),
        settled=states.count(TradeState.SETTLED),
        expired=states.count(TradeState.EXPIRED),
        open=sum(not state.is_terminal and state is not TradeState.EXPIRED for state in states),
        rejected=states.count(TradeState.REJECTED),
    )
