"""The picture of one trade: what it saw, where its stops stood, and all that happened to it."""

from collections.abc import Iterator
from typing import Final

import msgspec

from actors.rules.pictures import marks
from actors.rules.pictures.drawn import (
    Mark,
    Panel,
    Picture,
    Role,
    Span,
    Table,
    clock_text,
    cut,
    lasting,
)
from actors.rules.pictures.levels import READS
from actors.rules.pictures.outcome_words import change_text, outcome_text
from actors.rules.pictures.sightings import SIGHT, Sightings
from actors.rules.pictures.story import Heard, marks_of, notices_in, trades_in
from actors.rules.pictures.trade_facts import ending, facts
from actors.rules.stops.engine import StopEngine
from bus.messages.envelope import Received
from bus.messages.market import Lifecycle, Ticks
from bus.messages.plain import number_text
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import Commit, Recovered
from bus.messages.stops import Rule, StopCoverage, StopDecision, StopFired
from bus.messages.timers import TimerFired
from bus.messages.trades import Coverage, Trade
from bus.messages.units import NS_PER_S
from bus.messages.what_if import TradeCompared

STATE: Final = "state"
COVERAGE: Final = "coverage"
WHAT_IF: Final = "what if"
_ROWS: Final = (
    STATE,
    COVERAGE,
    SIGHT,
    WHAT_IF,
    marks.STOPS,
    marks.ORDERS,
    marks.FILLS,
    marks.PEOPLE,
    marks.NOTICES,
    marks.MARKET,
    marks.SYSTEM,
    marks.DIFFERENCES,
)
_COVERED: Final = {
    Coverage.ARMED: Role.ARMED,
    Coverage.CLOSING: Role.CLOSING,
    Coverage.WAIVED: Role.WAIVED,
    Coverage.UNPROTECTED: Role.UNPROTECTED,
}
_AFTER_LEAST_NS: Final = 60 * NS_PER_S
"""How much is shown of what came after the last event: this, or a quarter of the time until then."""
_AFTER_PART: Final = 4
_ROWS_MAX: Final = 2000


class TradeStory:
    """One trade, as a recording tells of it, from its first word on."""

    def __init__(self, trade_id: str) -> None:
        self._trade_id = trade_id
        self._trade: Trade | None = None
        self._sightings = Sightings()
        self._marks: list[Mark] = []
        self._on_panel: dict[str, list[Mark]] = {}
        self._states: list[tuple[int, Trade]] = []
        self._coverage: list[StopCoverage] = []
        self._noticed: set[str] = set()
        self._ended_ns: int | None = None
        self._imagined: str | None = None
        self._begin_ns = 0
        self._event_ns = 0
        self._last_ns = 0

    def recover(self, recovered: Recovered, now_ns: int, stops: StopEngine) -> None:
        """A process begins, and knows these trades."""
        for trade in recovered.trades:
            if trade.trade_id == self._trade_id:
                self._become(trade, now_ns, stops)
        for word in recovered.coverage:
            if word.trade_id == self._trade_id:
                self._cover(word)

    def hear(self, told: Heard) -> None:
        """Hear one entry, the oldest first."""
        for trade in trades_in(told):
            if trade.trade_id == self._trade_id:
                self._become(trade, told.at_ns, told.stops)
        for trade_id, mark in marks_of(told):
            if trade_id == self._trade_id:
                self._marks.append(mark)
                self._event_ns = told.at_ns
        if self._trade is None or self._is_over(told.at_ns):
            return
        self._last_ns = told.at_ns
        self._see(told)
        self._note(told)

    def miss(self, why: str) -> None:
        """The recording lacks something here."""
        if self._trade is not None and not self._is_over(self._last_ns):
            self._marks.append(Mark(at_ns=self._last_ns, role=Role.WARNING, title=f"gap: {why}", row=marks.SYSTEM))

    def differ(self, at_ns: int, title: str, details: tuple[str, ...]) -> None:
        """The code says something else now than it said then."""
        mark = Mark(at_ns=at_ns, role=Role.DIFFERENCE, title=title, details=details, row=marks.DIFFERENCES)
        self._marks.append(mark)

    def imagine(self, compared: TradeCompared) -> None:
        """Other settings would have made this of it."""
        outcome = compared.now
        if compared.trade_id != self._trade_id or outcome is None:
            return
        self._imagined = f"{change_text(compared)}: {outcome_text(outcome)}"
        for at_ns, what, price in (
            (outcome.fired, f"{outcome.rule} would have fired", None),
            (outcome.exit_ts, "would have ended", outcome.exit_price),
        ):
            if at_ns is not None:
                title = f"{self._trade_id}: {what}"
                details = (outcome_text(outcome),)
                self._marks.append(
                    Mark(at_ns=at_ns, role=Role.OTHER_RUN, title=title, details=details, row=WHAT_IF, value=price)
                )

    def picture(self, *, warnings: tuple[str, ...] = ()) -> Picture | None:
        """Return the whole; None: nothing was told of this trade."""
        trade = self._trade
        if trade is None:
            return None
        quiet_ns = self._tail_ns(max(self._event_ns, self._sightings.changed_ns))
        end_ns = max(min(self._last_ns, quiet_ns), self._begin_ns + NS_PER_S)
        covered = list(self._covered(end_ns))
        return Picture(
            title=f"Trade {trade.trade_id}",
            subtitle=f"{trade.side} {number_text(trade.quantity)} {trade.ticker}: {ending(trade)}",
            begin_ns=self._begin_ns,
            end_ns=end_ns,
            facts=facts(trade, covered, self._imagined),
            panels=(*map(self._with_marks, self._sightings.panels(end_ns)), self._rows(covered, end_ns)),
            shades=(*(span for span in covered if span.role is Role.UNPROTECTED), *self._fired()),
            tables=(self._happened(),),
            warnings=warnings,
        )

    def _is_over(self, now_ns: int) -> bool:
        return self._ended_ns is not None and now_ns > self._tail_ns(self._event_ns)

    def _tail_ns(self, event_ns: int) -> int:
        """Return until when is shown what came after an event."""
        return event_ns + max(_AFTER_LEAST_NS, (event_ns - self._begin_ns) // _AFTER_PART)

    def _become(self, trade: Trade, now_ns: int, stops: StopEngine | None) -> None:
        before = self._trade
        if before is None:
            self._begin_ns = now_ns
        self._trade = trade
        self._last_ns = self._event_ns = now_ns
        if before is None or before.state is not trade.state:
            self._states.append((now_ns, trade))
        if trade.state.is_terminal and self._ended_ns is None:
            self._ended_ns = now_ns
        self._sightings.watch(trade, stops, now_ns)
        for mark in marks.of_fills(before, trade, now_ns) if before is not None else ():
            self._marks.append(mark)

    def _see(self, told: Heard) -> None:
        if told.actor != "auto_stop":
            return
        match told.heard:
            case Ticks(batch=batch):
                if not self._sightings.see(batch, told.at_ns):
                    return
            case TimerFired():
                self._sightings.look(told.at_ns)
        self._sightings.look_at_limits(told.stops, told.at_ns)

    def _note(self, told: Heard) -> None:
        for word in told.said:
            match word:
                case StopCoverage(trade_id=self._trade_id):
                    self._cover(word)
                case StopFired(decision=decision) if decision.trade_id == self._trade_id:
                    self._place(decision, told.at_ns)
                case Commit(decisions=decisions):
                    for decision in decisions:
                        if decision.trade_id == self._trade_id and not decision.fired:
                            self._place(decision, told.at_ns)
        for notice in notices_in(told.said):
            if notice.trade_id in (None, self._trade_id) and notice.notice_id not in self._noticed:
                self._noticed.add(notice.notice_id)
                self._marks.append(marks.of_notice(notice, told.at_ns))
        self._marks += self._around(told)

    def _around(self, told: Heard) -> Iterator[Mark]:
        """Yield what happened to its market and to the process."""
        trade, heard = self._trade, told.heard
        if isinstance(heard, Received) and isinstance(heard.message, Lifecycle):
            if told.actor == "trade_desk" and trade is not None and heard.message.ticker == trade.ticker:
                yield marks.of_lifecycle(heard.message, told.at_ns)
        elif told.actor == "trade_desk" or isinstance(heard, LifeEnded | EntriesLost):
            mark = marks.of_system(heard, told.at_ns)
            if mark is not None:
                yield mark

    def _cover(self, word: StopCoverage) -> None:
        if not self._coverage or self._coverage[-1] != word:
            self._coverage.append(word)
            self._event_ns = max(self._event_ns, word.ts)

    def _place(self, decision: StopDecision, at_ns: int) -> None:
        """Let a decision stand where its rule reads its value, too."""
        panel = READS.get(Rule(decision.rule))
        if panel is None:
            return
        seen = decision.inputs.get(panel)
        mark = msgspec.structs.replace(
            marks.of_decision(decision, at_ns), row=None, value=None if seen is None else seen.value
        )
        self._on_panel.setdefault(panel, []).append(mark)

    def _with_marks(self, panel: Panel) -> Panel:
        placed = list(self._on_panel.get(panel.key, ()))
        if panel.tall:
            rows = (marks.ORDERS, marks.FILLS, WHAT_IF)
            placed += [mark for mark in self._marks if mark.row in rows and mark.value is not None]
        return msgspec.structs.replace(panel, marks=tuple(sorted(placed, key=_when)))

    def _covered(self, end_ns: int) -> Iterator[Span]:
        begun = [(max(word.ts, self._begin_ns), word) for word in self._coverage]
        for begin_ns, until_ns, word in lasting(begun, min(end_ns, self._ended_ns or end_ns)):
            if until_ns > begin_ns:
                yield Span(
                    begin_ns=begin_ns,
                    end_ns=until_ns,
                    role=_COVERED[word.coverage],
                    title=f"{word.coverage}: {word.why.replace('_', ' ')}",
                    row=COVERAGE,
                )

    def _fired(self) -> Iterator[Span]:
        """Yield the instants at which a stop fired, to be seen through all panels."""
        for mark in self._marks:
            if mark.role is Role.FIRED:
                yield Span(begin_ns=mark.at_ns, end_ns=mark.at_ns, role=Role.FIRED, title=mark.title, row=marks.STOPS)

    def _rows(self, covered: list[Span], end_ns: int) -> Panel:
        spans = [*self._stood(end_ns), *covered, *self._sightings.unclear(min(end_ns, self._ended_ns or end_ns))]
        used = {span.row for span in spans} | {mark.row for mark in self._marks}
        return Panel(
            key="happened",
            name="What happened",
            rows=tuple(row for row in _ROWS if row in used),
            spans=tuple(spans),
            marks=tuple(sorted(self._marks, key=_when)),
        )

    def _stood(self, end_ns: int) -> Iterator[Span]:
        for at_ns, until_ns, trade in lasting(self._states, end_ns):
            details = () if trade.rule is None else (f"by {trade.rule}",)
            yield Span(
                begin_ns=at_ns,
                end_ns=until_ns,
                role=Role.STATE if trade.state.is_terminal else Role.OPEN,
                title=trade.state.replace("_", " "),
                row=STATE,
                details=details,
            )

    def _happened(self) -> Table:
        rows = [
            (clock_text(at_ns), row, title, "; ".join(details))
            for at_ns, row, title, details in sorted(
                [(mark.at_ns, mark.row or "", mark.title, mark.details) for mark in self._marks]
                + [(at_ns, STATE, trade.state.replace("_", " "), ()) for at_ns, trade in self._states]
                + [(word.ts, COVERAGE, f"{word.coverage}: {word.why}", ()) for word in self._coverage],
                key=lambda row: row[0],
            )
        ]
        return cut(
            Table(title="What happened, in order", columns=("when", "what", "", "details"), rows=tuple(rows)), _ROWS_MAX
        )


def _when(mark: Mark) -> int:
    return mark.at_ns
