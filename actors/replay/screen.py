"""What a person sees of the demo: the settings at its start, a live table while it runs, a summary at its end."""

import threading
from collections.abc import Mapping
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from actors.replay.sidecar import Sidecar
from actors.replay.strategy import Stops
from bus.messages.demo import DemoSummary
from bus.messages.plain import to_plain
from bus.messages.stops import Mark, MarkSnapshot, MarkState
from bus.messages.trades import Coverage, Trade
from bus.messages.units import NS_PER_S, ZERO

_ROWS = 20
_COVERAGE_STYLE = {Coverage.ARMED: "green", Coverage.CLOSING: "yellow", Coverage.UNPROTECTED: "bold red"}


class LiveTable:
    """The open trades as they stand. `hear` may be called from any thread, `render` from one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trades: dict[str, Trade] = {}
        self._marks: dict[str, MarkSnapshot] = {}
        self._ended = 0

    def hear(self, word: object) -> None:
        """Keep the last word about each open trade."""
        with self._lock:
            match word:
                case Trade(trade_id=trade_id, state=state) if state.is_terminal:
                    self._ended += self._trades.pop(trade_id, None) is not None
                    self._marks.pop(trade_id, None)
                case Trade(trade_id=trade_id):
                    self._trades[trade_id] = word
                case MarkSnapshot(trade_id=trade_id) if trade_id in self._trades:
                    self._marks[trade_id] = word

    def render(self, recorded_now: str, events: int, events_per_s: float) -> RenderableType:
        """Return the table. recorded_now: the recording's clock; events_per_s: released in a real second."""
        with self._lock:
            trades, marks, ended = list(self._trades.values()), dict(self._marks), self._ended
        table = Table(expand=True, title=f"{recorded_now}   {events:,} events   {events_per_s:,.0f}/s")
        for name in ("trade", "ticker", "side", "quantity", "entry", "mark", "PnL", "to its stop", "stops", "coverage"):
            table.add_column(
                name, justify="right" if name in ("quantity", "entry", "mark", "PnL", "to its stop") else "left"
            )
        for trade in trades[-_ROWS:]:
            table.add_row(*_cells(trade, marks.get(trade.trade_id)))
        more = f", {len(trades) - _ROWS} of them not shown" if len(trades) > _ROWS else ""
        table.caption = f"{len(trades)} trades under watch{more}; {ended} have ended"
        return table


def _cells(trade: Trade, snapshot: MarkSnapshot | None) -> tuple[RenderableType, ...]:
    pnl = None if snapshot is None else snapshot.pnl
    return (
        trade.trade_id,
        Text(trade.ticker, no_wrap=True, overflow="ellipsis"),
        trade.side,
        f"{trade.quantity:f}",
        _number(trade.entry_price),
        "" if snapshot is None else _mark(snapshot.mark),
        Text(_number(pnl), style="red" if pnl is not None and pnl < 0 else "green"),
        _number(None if snapshot is None else snapshot.distance),
        " ".join(stop.rule for stop in trade.stops),
        Text(
            f"{trade.coverage or trade.state} {trade.coverage_why or ''}".strip(),
            style=_COVERAGE_STYLE.get(trade.coverage, "") if trade.coverage else "",
        ),
    )


def _mark(mark: Mark) -> str:
    match mark.state:
        case MarkState.KNOWN:
            return _number(mark.low)
        case MarkState.BOUNDED:
            return f"{_number(mark.low)} to {_number(mark.high)}"
        case MarkState.UNKNOWN:
            return f"unknown: {mark.reason}"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def opening(name: str, sidecar: Sidecar, stops: Mapping[str, object]) -> RenderableType:
    """Return what the demo is about to play, and the settings that fit it. stops: those that differ from the defaults."""
    lines = [f"[b]{key}[/b] = {escape(str(value))}" for key, value in sorted(stops.items())]
    plan = to_plain(sidecar.strategy)
    assert isinstance(plan, dict)
    lines += [f"[b]strategy.{key}[/b] = {escape(str(value))}" for key, value in plan.items() if key != "stops"]
    lines += [
        f"[b]strategy.stops[/b], plan {number}: {escape(_plan(each))}"
        for number, each in enumerate(sidecar.strategy.stops, 1)
    ]
    if sidecar.credit:
        lines.append(f"Recorded data: {sidecar.credit}")
    return Panel("\n".join(lines), title=f"settings for {name}", expand=False)


def _plan(stops: Stops) -> str:
    return "; ".join(", ".join(f"{name} {value}" for name, value in stop.items()) for stop in stops)


def closing(summary: DemoSummary, elapsed_s: float) -> RenderableType:
    """Return what came of it. elapsed_s: real seconds."""
    counts = summary.counts
    table = Table(
        show_header=False, title=f"{summary.recording.name}: {summary.recording.events:,} events in {elapsed_s:.1f} s"
    )
    rows = {
        "recorded time": _span(summary),
        "trades opened": f"{counts.opened}",
        "stopped": f"{counts.stopped}",
        "settled": f"{counts.settled}",
        "expired, not settled": f"{counts.expired}",
        "still open": f"{counts.open}",
        "rejected": f"{counts.rejected}",
        "PnL": f"{summary.pnl:f} dollars",
        "tick to close order": _spread(summary.latency_us.tick_to_order.p50, summary.latency_us.tick_to_order.p99),
        "NATS round trip": _spread(summary.latency_us.nats_round_trip.p50, summary.latency_us.nats_round_trip.p99),
        "commits": f"{summary.commits.rows} in {summary.commits.transactions} transactions",
        "lost messages": f"{summary.lost_messages}",
        "duplicate closes": f"{summary.duplicate_closes}",
        "unprotected": f"{summary.unprotected_trade_seconds:f} trade-seconds",
        "quarantined": f"{summary.quarantined}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return Group(_by_rule(summary), table)


def _by_rule(summary: DemoSummary) -> Table:
    table = Table(title="trades by what ended them")
    for name in ("ended by", "trades", "PnL"):
        table.add_column(name, justify="left" if name == "ended by" else "right")
    ways: dict[str, list[Decimal]] = {}
    for trade in summary.trades:
        way = trade.rule if trade.rule and trade.state == "closed" else str(trade.state)
        ways.setdefault(way, []).append(trade.pnl)
    for way, pnls in sorted(ways.items()):
        table.add_row(way, str(len(pnls)), f"{sum(pnls, ZERO):f}")
    return table


def _span(summary: DemoSummary) -> str:
    begin, end = summary.recording.begin, summary.recording.end
    return "" if begin is None or end is None else f"{(end - begin) // NS_PER_S:,} s"


def _spread(p50: int | None, p99: int | None) -> str:
    return "none measured" if p50 is None else f"p50 {p50:,} us, p99 {p99:,} us"
