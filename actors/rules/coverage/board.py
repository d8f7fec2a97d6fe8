"""`CoverageBoard`: whether each open trade is protected at this moment, and what it is worth (SPEC 1.4, DESIGN idea 8).

The set of watched trades is what TradeDesk has said of them, nothing else. Trades that see their market alike share an
`Outlook`; a tick asks the outlooks on its ticker whether it concerns them, which for nearly every tick is a comparison, and
only an outlook whose reasons have changed walks its trades. Inputs go stale by timers: each outlook keeps one for the earliest
instant at which a reason may change by itself, lazily, so that a tick that moves the instant later costs nothing.

Timers of the owner `trade_watcher`: `outlook:<n>`, `trade:<trade_id>` (guards of age, the end of a waiver), `marks`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from actors.rules.coverage.changes import Change, tell
from actors.rules.coverage.outlook import Entry, Outlook
from actors.rules.coverage.outlooks import Outlooks
from actors.rules.coverage.snapshots import MarkSnapshots
from actors.rules.coverage.verdict import Verdict, verdict
from actors.rules.market.book import MarketBook
from actors.rules.market.feeds import Feed
from actors.rules.market.sight import Sight
from bus.messages.market import Ticks
from bus.messages.stops import BidReturned, Mark, MarkGiven, MarkState, MarkWanted, StopCoverage
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import AttemptState, Trade
from bus.messages.units import NS_PER_US

OWNER: Final = "trade_watcher"
_MARKS: Final = "marks"

Said = list[object]


class CoverageBoard:
    """The engine of TradeWatcher.

    mark_interval_ns: at most one batch of mark snapshots in this time; 0: none. styles: how each venue closes event contracts,
    `sell` or `buy_opposite`; `sell` where none is named.
    """

    def __init__(self, mark_interval_ns: int, *, styles: Mapping[str, str] | None = None) -> None:
        self._styles = dict(styles or {})
        self._mark_interval_ns = mark_interval_ns
        self._book = MarketBook()
        self._now_ns = 0
        self._trades: dict[str, Trade] = {}
        self._told: dict[str, StopCoverage] = {}
        self._outlooks = Outlooks(self._book)
        self._trade_timers: dict[str, int] = {}
        self._returned: dict[str, str] = {}
        self._resting: dict[str, str] = {}
        self._snapshots = MarkSnapshots()

    def handle(self, word: object) -> Said:
        """Return what is said to `word`: changes of coverage, marks, timers. Words that are not its own it does not hear."""
        match word:
            case Ticks():
                return self._hear_ticks(word)
            case Trade():
                self._now_ns = max(self._now_ns, word.ts)
                return self._hear_trade(word)
            case MarkWanted():
                self._now_ns = max(self._now_ns, word.now_ns)
                return [self._mark_given(word)]
            case TimerFired(owner=owner) if owner == OWNER:
                self._now_ns = max(self._now_ns, word.now_ns)
                return self._hear_timer(word)
            case StopCoverage():
                self._told[word.trade_id] = word
                return []
            case _:
                return []

    def last_ticks(self) -> list[Ticks]:
        """Return the ticks in force, from which a new board learns the markets."""
        return self._book.last_ticks()

    # Market data

    def _hear_ticks(self, ticks: Ticks) -> Said:
        now_ns = self._now_ns = max(self._now_ns, ticks.received_ns)
        entries: dict[Entry, None] = {}
        feeds: dict[Feed, None] = {}
        for tick in ticks.batch:
            changed = self._book.apply(tick, now_ns)
            if isinstance(changed, Feed):
                feeds[changed] = None
            elif changed is not None:
                entries[changed] = None
        said = self._returned_bids(entries) if self._resting else []
        concerned = self._outlooks.concerned(entries, feeds)
        if concerned:
            said += self._look_again(concerned, now_ns)
        return said + self._snapshot_timer(entries) if self._mark_interval_ns else said

    def _look_again(self, outlooks: Iterable[Outlook], now_ns: int) -> Said:
        said: Said = []
        touched: list[str] = []
        for outlook in outlooks:
            if outlook.look(now_ns):
                touched += outlook.trades
            said += self._await_change(outlook, now_ns)
        return self._judge(touched, now_ns) + said

    def _await_change(self, outlook: Outlook, now_ns: int) -> Said:
        """Keep the outlook's timer, and its place among those that a word of their feed would wake."""
        self._outlooks.note_silence(outlook)
        due_ns = outlook.next_change_ns(now_ns)
        if due_ns is None or (outlook.due_ns is not None and outlook.due_ns <= due_ns):
            return []
        outlook.due_ns = due_ns
        return [SetTimer(owner=OWNER, key=outlook.name, due_ns=due_ns)]

    def _returned_bids(self, entries: Mapping[Entry, None]) -> Said:
        said: Said = []
        for trade_id in self._resting:
            if any(entry in entries for entry in self._outlooks.of(trade_id).entries):
                said += self._returned_bid(trade_id)
        return said

    def _returned_bid(self, trade_id: str) -> Said:
        """Say once for each resting attempt that its trade can be closed at a known price again."""
        attempt = self._resting.get(trade_id)
        if attempt is None or self._returned.get(trade_id) == attempt:
            return []
        if not self._outlooks.of(trade_id).sight.exit(self._now_ns).known:
            return []
        self._returned[trade_id] = attempt
        return [BidReturned(trade_id=trade_id, now_ns=self._now_ns)]

    # Trades

    def _hear_trade(self, trade: Trade) -> Said:
        trade_id = trade.trade_id
        if trade.state.is_terminal or not trade.open_quantity:
            return self._let_go(trade)
        self._trades[trade_id] = trade
        said = self._place(trade)
        self._note_resting(trade)
        said += self._judge((trade_id,), self._now_ns)
        said += self._returned_bid(trade_id)
        return said + self._snapshot_timer((self._outlooks.of(trade_id).sight.quote,))

    def _place(self, trade: Trade) -> Said:
        """Let the trade share the outlook of its kind."""
        style = self._styles.get(trade.venue, "sell")
        if self._outlooks.is_placed(trade, style):
            return []
        said = self._leave(trade.trade_id)
        outlook, is_new = self._outlooks.place(trade, style)
        if is_new:
            outlook.look(self._now_ns)
            said += self._await_change(outlook, self._now_ns)
        return said

    def _leave(self, trade_id: str) -> Said:
        gone = self._outlooks.leave(trade_id)
        return [] if gone is None or gone.due_ns is None else [CancelTimer(owner=OWNER, key=gone.name)]

    def _let_go(self, trade: Trade) -> Said:
        """Nothing is open any more, or not yet: there is nothing to cover."""
        trade_id = trade.trade_id
        self._told.pop(trade_id, None)
        self._trades.pop(trade_id, None)
        self._resting.pop(trade_id, None)
        self._returned.pop(trade_id, None)
        self._snapshots.forget(trade_id)
        said = self._leave(trade_id)
        if self._trade_timers.pop(trade_id, None) is not None:
            said.append(CancelTimer(owner=OWNER, key=f"trade:{trade_id}"))
        return said

    def _note_resting(self, trade: Trade) -> None:
        resting = [
            attempt.client_order_id
            for attempt in trade.attempts
            if attempt.state is AttemptState.RESTING and attempt.time_in_force == "gtc" and not attempt.cancel_requested
        ]
        if resting:
            self._resting[trade.trade_id] = resting[-1]
        else:
            self._resting.pop(trade.trade_id, None)

    # Coverage

    def _judge(self, trade_ids: Iterable[str], now_ns: int) -> Said:
        """Compare the verdict of each trade with what was said of it last; say what has changed, all in one commit."""
        found_new: list[tuple[Trade, StopCoverage | None, Verdict]] = []
        timers: Said = []
        for trade_id in trade_ids:
            trade = self._trades[trade_id]
            found = verdict(trade, self._outlooks.of(trade_id).reasons, now_ns)
            timers += self._await_verdict(trade_id, found)
            told = self._told.get(trade_id)
            if told is None or (told.coverage, told.why) != (found.coverage, found.why):
                found_new.append((trade, told, found))
        # Words may come with an instant that is not later than the last one's, and what is said is known by its instant.
        at_ns = max([now_ns, *(told.since + NS_PER_US for _, told, _ in found_new if told is not None)])
        changes = [Change(trade, told, _said_of(trade, found, at_ns)) for trade, told, found in found_new]
        said = tell(changes, at_ns)
        for change in changes:
            self._told[change.trade.trade_id] = change.after
        return said + timers

    def _await_verdict(self, trade_id: str, found: Verdict) -> Said:
        key = f"trade:{trade_id}"
        if found.until_ns is None:
            return [] if self._trade_timers.pop(trade_id, None) is None else [CancelTimer(owner=OWNER, key=key)]
        if self._trade_timers.get(trade_id) == found.until_ns:
            return []
        self._trade_timers[trade_id] = found.until_ns
        return [SetTimer(owner=OWNER, key=key, due_ns=found.until_ns)]

    # Timers and marks

    def _hear_timer(self, fired: TimerFired) -> Said:
        kind, _, trade_id = fired.key.partition(":")
        if fired.key == _MARKS:
            return self._say_marks()
        if kind == "trade" and trade_id in self._trades:
            self._trade_timers.pop(trade_id, None)
            return self._judge((trade_id,), self._now_ns)
        outlook = self._outlooks.named(fired.key)
        if outlook is None:
            return []
        outlook.due_ns = None
        if outlook.stands(self._now_ns):
            # As nearly every time: ticks have put off what it waited for.
            return self._await_change(outlook, self._now_ns)
        return self._look_again((outlook,), self._now_ns)

    def _snapshot_timer(self, entries: Iterable[Entry]) -> Said:
        if not self._mark_interval_ns:
            return []
        for entry in entries:
            for outlook in self._outlooks.at(entry):
                self._snapshots.note(outlook)
        due_ns = self._snapshots.ask(self._now_ns, self._mark_interval_ns)
        return [] if due_ns is None else [SetTimer(owner=OWNER, key=_MARKS, due_ns=due_ns)]

    def _say_marks(self) -> Said:
        said = self._snapshots.take(self._trades, self._now_ns)
        due_ns = self._snapshots.ask(self._now_ns, self._mark_interval_ns)
        return said if due_ns is None else [*said, SetTimer(owner=OWNER, key=_MARKS, due_ns=due_ns)]

    def _mark_given(self, wanted: MarkWanted) -> MarkGiven:
        trade = self._trades.get(wanted.trade_id)
        if trade is None:
            mark = Mark(state=MarkState.UNKNOWN, reason="no_open_trade")
        else:
            sight: Sight = self._outlooks.of(trade.trade_id).sight
            mark = sight.mark(trade, self._now_ns)
        return MarkGiven(
            trade_id=wanted.trade_id, client_order_id=wanted.client_order_id, mark=mark, now_ns=self._now_ns
        )


def _said_of(trade: Trade, found: Verdict, now_ns: int) -> StopCoverage:
    return StopCoverage(trade_id=trade.trade_id, coverage=found.coverage, why=found.why, since=now_ns, ts=now_ns)
