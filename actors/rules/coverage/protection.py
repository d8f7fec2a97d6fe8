"""Whether what TradeWatcher says of each open trade agrees with what TradeDesk holds, and for how long trades stood unprotected.

Coverage is an invariant (DESIGN idea 8): each open trade is exactly one of armed, closing, waived, or unprotected with a notice.
TradeWatcher says which; here somebody else compares. A watcher that has died in silence, a trade that it never heard of, a word
that was lost: each leaves a trade whose two sides do not agree. They may differ for a moment, because the words of two actors
cross; what differs longer is a mismatch. Only the trades that differ are looked at, so a check costs nothing while all is well.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from actors.rules.coverage import protection_notices
from actors.rules.trade.closes import is_under_way
from bus.messages.notices import Notice
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Trade, TradeState
from bus.messages.units import NS_PER_S

GRACE_NS: Final = 5 * NS_PER_S
"""How long the words of TradeDesk and TradeWatcher may cross."""
_MINUTE_NS: Final = 60 * NS_PER_S
_HOUR_MINUTES: Final = 60


class Protection:
    """Hears what is said of trades and their coverage. allowed_ns: unprotected trade-time in an hour; 0: no objective.

    mismatches: found since the start.
    """

    def __init__(self, allowed_ns: int = 0) -> None:
        self.allowed_ns = allowed_ns
        self.mismatches = 0
        self._open: dict[str, Trade] = {}
        self._said: dict[str, StopCoverage] = {}
        self._untold: dict[str, StopCoverage] = {}
        self._suspects: dict[str, tuple[str, int]] = {}
        self._reported: set[str] = set()
        self._now_ns = 0
        self._counts: Counter[Coverage] = Counter()
        self._reasons: Counter[str] = Counter()
        self._unprotected_ns: Counter[str] = Counter()
        self._minutes: deque[tuple[int, int]] = deque()
        self._is_exceeded = False

    def begin(self, trades: Iterable[Trade], coverage: Iterable[StopCoverage], now_ns: int) -> None:
        """Start from the record: what was said before a restart was told then."""
        self._now_ns = now_ns
        for trade in trades:
            self.note_trade(trade, now_ns)
        for said in coverage:
            self.note_coverage(said, now_ns)
        self._untold = {}
        for trade_id in list(self._suspects):
            self._judge(trade_id, now_ns)

    # What is said

    def note_trade(self, trade: Trade, now_ns: int) -> None:
        """TradeDesk says how a trade stands."""
        self._advance(now_ns)
        if trade.open_quantity and not trade.state.is_terminal:
            self._open[trade.trade_id] = trade
        elif self._open.pop(trade.trade_id, None) is not None:
            self._forget(trade.trade_id)
        self._judge(trade.trade_id, now_ns)

    def note_coverage(self, said: StopCoverage, now_ns: int) -> None:
        """TradeWatcher says how a trade is covered; of one that is not open any more it says nothing new."""
        trade_id = said.trade_id
        if trade_id not in self._open:
            return
        self._advance(now_ns)
        self._forget(trade_id)
        self._said[trade_id] = said
        self._counts[said.coverage] += 1
        if said.coverage is Coverage.UNPROTECTED:
            self._reasons[said.why] += 1
            self._untold[trade_id] = said
        self._judge(trade_id, now_ns)

    def note_notice(self, notice: Notice) -> None:
        """People are told: of one trade, or of all that became unprotected with one word."""
        if notice.kind != "unprotected":
            return
        told = [
            trade_id
            for trade_id, said in self._untold.items()
            if trade_id == notice.trade_id or (notice.trade_id is None and said.since == notice.ts)
        ]
        for trade_id in told:
            del self._untold[trade_id]
            self._judge(trade_id, notice.ts)

    # What it comes to

    def counts(self) -> dict[str, int]:
        """Return the open trades by coverage."""
        return {str(coverage): count for coverage, count in dict(self._counts).items() if count}

    def unprotected(self) -> dict[str, int]:
        """Return the trades that are unprotected now, by reason."""
        return {why: count for why, count in dict(self._reasons).items() if count}

    def unprotected_ns(self, now_ns: int) -> dict[str, int]:
        """Return for how long trades were unprotected since the start, by reason, summed over trades."""
        running_ns = max(0, now_ns - self._now_ns)
        ended, running = dict(self._unprotected_ns), dict(self._reasons)
        summed = {why: ended.get(why, 0) + running.get(why, 0) * running_ns for why in {**ended, **running}}
        return {why: ns for why, ns in summed.items() if ns}

    def last_hour_ns(self, now_ns: int) -> int:
        """Return the same of the last hour, to the minute."""
        since = now_ns // _MINUTE_NS - _HOUR_MINUTES
        running = sum(dict(self._reasons).values()) * max(0, now_ns - self._now_ns)
        return running + sum(ns for minute, ns in tuple(self._minutes) if minute > since)

    def check(self, now_ns: int) -> list[Notice]:
        """Return what people must know now: mismatches that have lasted, and the objective missed or met again."""
        self._advance(now_ns)
        notices = []
        lasting = [
            (self._open[trade_id], fault)
            for trade_id, (fault, since_ns) in self._suspects.items()
            if now_ns - since_ns >= GRACE_NS and trade_id not in self._reported
        ]
        if lasting:
            self.mismatches += len(lasting)
            self._reported.update(trade.trade_id for trade, _ in lasting)
            notices.append(protection_notices.mismatch(lasting, now_ns))
        last_hour_ns = self.last_hour_ns(now_ns)
        is_exceeded = bool(self.allowed_ns) and last_hour_ns > self.allowed_ns
        if is_exceeded is not self._is_exceeded:
            self._is_exceeded = is_exceeded
            say = protection_notices.objective_missed if is_exceeded else protection_notices.objective_met
            notices.append(say(last_hour_ns, self.allowed_ns, self.unprotected(), now_ns))
        return notices

    def _advance(self, now_ns: int) -> None:
        """Sum up until now. A clock that is set back stands still."""
        span_ns = now_ns - self._now_ns
        if span_ns <= 0:
            return
        self._now_ns = now_ns
        passed_ns = 0
        for why, count in self._reasons.items():
            if count:
                self._unprotected_ns[why] += count * span_ns
                passed_ns += count * span_ns
        minute = now_ns // _MINUTE_NS
        if passed_ns:
            last = self._minutes.pop()[1] if self._minutes and self._minutes[-1][0] == minute else 0
            self._minutes.append((minute, last + passed_ns))
        while self._minutes and self._minutes[0][0] <= minute - _HOUR_MINUTES:
            self._minutes.popleft()

    def _forget(self, trade_id: str) -> None:
        said = self._said.pop(trade_id, None)
        self._untold.pop(trade_id, None)
        if said is not None:
            self._counts[said.coverage] -= 1
            if said.coverage is Coverage.UNPROTECTED:
                self._reasons[said.why] -= 1

    def _judge(self, trade_id: str, now_ns: int) -> None:
        fault = self._fault(trade_id)
        if fault is None:
            self._suspects.pop(trade_id, None)
            self._reported.discard(trade_id)
        elif trade_id not in self._suspects or self._suspects[trade_id][0] != fault:
            self._suspects[trade_id] = (fault, now_ns)

    def _fault(self, trade_id: str) -> str | None:
        trade, said = self._open.get(trade_id), self._said.get(trade_id)
        if trade is None:
            return None
        if said is None:
            return "nothing was said of its coverage"
        is_closing = trade.state is TradeState.EXPIRED or trade.dust or is_under_way(trade)
        if said.coverage is Coverage.CLOSING and not is_closing:
            return "it is said to be closing, and nobody closes it"
        if said.coverage in (Coverage.ARMED, Coverage.WAIVED) and is_closing:
            return f"it is being closed, and said to be {said.coverage}"
        return "it is unprotected, and nobody was told" if trade_id in self._untold else None
