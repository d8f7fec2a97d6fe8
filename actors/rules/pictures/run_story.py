"""The picture of a whole run: its trades, what was open and what it brought, and every event on one axis of time."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from actors.rules.pictures import difference, marks
from actors.rules.pictures.bundles import bundle
from actors.rules.pictures.drawn import (
    Line,
    Mark,
    Panel,
    Picture,
    Point,
    Role,
    Table,
    changes,
    clock_text,
    cut,
    money_text,
    span_text,
)
from actors.rules.pictures.run_trades import RunTrade, RunTrades, packed
from actors.rules.pictures.story import Heard, marks_of, notices_in, trades_in
from actors.rules.pictures.thinning import thin_all
from bus.messages.envelope import Received
from bus.messages.market import Lifecycle, Ticks
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import Recovered
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage
from bus.messages.units import NS_PER_S, ZERO
from bus.messages.what_if import WhatIf

_ROWS: Final = {
    Role.FIRED: "stops fired",
    Role.HELD: "held by guards",
    Role.ENTRY_ORDER: "entry orders",
    Role.CLOSE_ORDER: "close orders",
    Role.REPORT: "other reports",
    Role.BOUGHT: "entry fills",
    Role.CLOSED: "close fills",
    Role.UNPROTECTED: "unprotected",
    Role.PERSON: "requests",
    Role.CRITICAL: "critical",
    Role.WARNING: "warnings",
    Role.INFO: "notices",
    Role.MARKET: "market",
    Role.SYSTEM: "system",
    Role.DIFFERENCE: "differences",
}
"""The row of each kind of event, the topmost first."""
_TRADES_MAX: Final = 2000
_NOTICES_MAX: Final = 500
_BINS: Final = 1440
"""Stretches in which ticks are counted: minutes of a day."""


class RunStory:
    """A run, as a recording tells of it. since_ns: what came before is taken in, and not shown."""

    def __init__(self, since_ns: int) -> None:
        self._since_ns = since_ns
        self._begin_ns: int | None = None
        self._last_ns = 0
        self._trades = RunTrades()
        self._marks: list[Mark] = []
        self._noticed: set[str] = set()
        self._ticks: Counter[int] = Counter()
        self._pnl: list[Point] = []
        self._open: list[Point] = []
        self._bare: list[Point] = []

    def recover(self, recovered: Recovered, instance: str, now_ns: int) -> None:
        """A process begins, and knows these trades."""
        self._marks.append(Mark(at_ns=now_ns, role=Role.SYSTEM, title=f"process begins: {instance}"))
        for trade in recovered.trades:
            self._trades.become(trade, now_ns, is_known=True)
        for word in recovered.coverage:
            self._trades.cover(word)
        self._count(now_ns)

    def hear(self, told: Heard) -> None:
        """Hear one entry, the oldest first."""
        self._last_ns = told.at_ns
        if self._begin_ns is None and told.at_ns >= self._since_ns:
            self._begin_ns = told.at_ns
        if isinstance(told.heard, Ticks):
            if told.actor == "auto_stop" and self._begin_ns is not None:
                self._ticks[told.at_ns // NS_PER_S] += len(told.heard.batch)
            if not told.said:
                return
        self._follow(told)
        if told.at_ns >= self._since_ns:
            self._marks += self._events(told)

    def miss(self, why: str) -> None:
        """The recording lacks something here."""
        self._marks.append(Mark(at_ns=self._last_ns, role=Role.WARNING, title=f"gap: {why}"))

    def differ(self, at_ns: int, title: str, details: tuple[str, ...]) -> None:
        """The code says something else now than it said then."""
        self._marks.append(Mark(at_ns=at_ns, role=Role.DIFFERENCE, title=title, details=details))

    def picture(self, place: str, compared: WhatIf | None = None, *, warnings: tuple[str, ...] = ()) -> Picture | None:
        """Return the whole; None: nothing was told. compared: what would have become of its trades stands above all else."""
        begin_ns = self._begin_ns
        if begin_ns is None:
            return None
        end_ns = max(self._last_ns, begin_ns + NS_PER_S)
        shown = [trade for trade in self._trades.by_id.values() if trade.touches(begin_ns)]
        told = {"recording": place, **_facts(shown, begin_ns, end_ns)}
        other = [] if compared is None else list(difference.panels(compared, end_ns))
        return Picture(
            title="Run" if compared is None else "What if",
            subtitle=f"{clock_text(begin_ns)} to {clock_text(end_ns)}",
            begin_ns=begin_ns,
            end_ns=end_ns,
            facts=told if compared is None else difference.facts(compared) | told,
            panels=(*other, *self._panels(shown, begin_ns, end_ns)),
            tables=(
                *(() if compared is None else (difference.table(compared),)),
                *_tables(shown, self._marks, begin_ns, end_ns),
            ),
            warnings=warnings,
        )

    def _follow(self, told: Heard) -> None:
        for trade in trades_in(told):
            self._marks += self._trades.become(trade, told.at_ns)
        for word in told.said:
            if isinstance(word, StopCoverage):
                self._trades.cover(word)
        self._count(told.at_ns)

    def _count(self, now_ns: int) -> None:
        for points, total in zip((self._pnl, self._open, self._bare), self._trades.totals, strict=True):
            if not points or points[-1].value != total:
                points.append(Point(now_ns, total))

    def _events(self, told: Heard) -> Iterator[Mark]:
        for trade_id, mark in marks_of(told):
            row = self._trades.by_id.get(trade_id)
            if row is not None and mark.role is Role.HELD:
                row.held += 1
            yield mark
        for notice in notices_in(told.said):
            if notice.notice_id not in self._noticed:
                self._noticed.add(notice.notice_id)
                yield marks.of_notice(notice, told.at_ns)
        for word in told.said:
            if isinstance(word, StopCoverage) and word.coverage is Coverage.UNPROTECTED:
                why = word.why.replace("_", " ")
                yield Mark(at_ns=told.at_ns, role=Role.UNPROTECTED, title=f"{word.trade_id}: unprotected, {why}")
        heard = told.heard
        if told.actor == "trade_desk" and isinstance(heard, Received) and isinstance(heard.message, Lifecycle):
            yield marks.of_lifecycle(heard.message, told.at_ns)
        if told.actor in ("trade_desk", "life") or isinstance(heard, LifeEnded | EntriesLost):
            happened = marks.of_system(heard, told.at_ns)
            if happened is not None:
                yield happened

    def _panels(self, shown: list[RunTrade], begin_ns: int, end_ns: int) -> Iterator[Panel]:
        time = (begin_ns, end_ns)
        yield _panel("pnl", "Realised PnL", "$", [("PnL", Role.VALUE, self._pnl)], time)
        counted = [("open", Role.OPEN, self._open), ("unprotected", Role.UNPROTECTED, self._bare)]
        yield _panel("open", "Trades open and unprotected", "", counted, time)
        spans = packed(shown, begin_ns, end_ns)
        rows = tuple(sorted({span.row for span in spans}))
        yield Panel(
            key="trades", name="Trades, from their entry to their end", spans=tuple(spans), rows=rows, named=False
        )
        grouped = bundle(self._marks, _ROWS, begin_ns, end_ns)
        used = {mark.row for mark in grouped}
        events = tuple(row for row in _ROWS.values() if row in used)
        yield Panel(key="events", name="Events", marks=tuple(grouped), rows=events)
        ticks = [("ticks", Role.EXIT, list(self._rates(begin_ns, end_ns)))]
        yield _panel("ticks", "Market data, ticks a second", "", ticks, time)

    def _rates(self, begin_ns: int, end_ns: int) -> Iterator[Point]:
        """Yield how many ticks came each second, on the average of a stretch."""
        width_s = max(1, -(-(end_ns - begin_ns) // NS_PER_S // _BINS))
        first = begin_ns // NS_PER_S
        found: Counter[int] = Counter()
        for second, count in self._ticks.items():
            found[(second - first) // width_s] += count
        for stretch in range((end_ns // NS_PER_S - first) // width_s + 1):
            rate = Decimal(found[stretch]) / width_s
            yield Point(max(begin_ns, (first + stretch * width_s) * NS_PER_S), rate.quantize(Decimal("0.01")))


def _panel(key: str, name: str, unit: str, named: list[tuple[str, Role, list[Point]]], time: tuple[int, int]) -> Panel:
    lines = [
        Line(name=line, role=role, points=points) for line, role, given in named if (points := _within(given, *time))
    ]
    return Panel(key=key, name=name, unit=unit, lines=thin_all(lines))


def _within(points: list[Point], begin_ns: int, end_ns: int) -> tuple[Point, ...]:
    """Return what a line shows from `begin_ns` to `end_ns`: it begins with the value that it has there."""
    if not points:
        return ()
    before = [point for point in points if point.at_ns <= begin_ns]
    after = [point for point in points if point.at_ns > begin_ns]
    kept = changes([*(Point(begin_ns, point.value) for point in before[-1:]), *after])
    return (*kept, Point(end_ns, kept[-1].value))


def _facts(shown: list[RunTrade], begin_ns: int, end_ns: int) -> dict[str, str]:
    ended = Counter(trade.how for trade in shown)
    bare_ns = sum(trade.bare_ns(begin_ns, end_ns) for trade in shown)
    return {
        "time": span_text(end_ns - begin_ns),
        "trades": f"{len(shown):,}"
        + (f": {', '.join(f'{n:,} {how}' for how, n in ended.most_common())}" if shown else ""),
        "realised PnL": money_text(sum((trade.gained for trade in shown), ZERO)),
        "unprotected": f"{span_text(bare_ns)}, all trades together" if bare_ns else "never",
    }


def _tables(shown: list[RunTrade], events: list[Mark], begin_ns: int, end_ns: int) -> Iterator[Table]:
    columns = (
        "trade",
        "ticker",
        "side",
        "quantity",
        "entry",
        "at",
        "exit",
        "at",
        "ended by",
        "PnL",
        "held back",
        "unprotected",
    )
    rows = tuple(trade.row(begin_ns, end_ns) for trade in shown)
    yield cut(Table(title="Trades", columns=columns, rows=rows), _TRADES_MAX)
    loud = [mark for mark in events if mark.role in (Role.WARNING, Role.CRITICAL, Role.DIFFERENCE, Role.SYSTEM)]
    told = tuple((clock_text(mark.at_ns), mark.role.value, mark.title, "; ".join(mark.details)) for mark in loud)
    if told:
        yield cut(Table(title="Warnings", columns=("when", "kind", "", "details"), rows=told), _NOTICES_MAX)
