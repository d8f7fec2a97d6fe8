"""AutoStop's decisions: hear market data and trades, find the stops that fire, say so once.

A tick's way: the book takes it in, the lenses that look at its entry find the rules that it may concern, each of these is judged
alone. What fires is said at once as `StopFired`, in the order in which trades were armed, and within a trade in the order of its
stops: the first wins, the others are attached to the same close. A trade that fired is not looked at again until TradeDesk says
that it is open anew, has changed the stop, or has not answered for five seconds. What guards hold back, and what rules have counted, is committed.

After a crash a new engine is fed `progress()`, the trades and `last_ticks()` of the old one; `started_ns` is then the instant of
the rebuilding, so that old data is seen as old.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from actors.rules.account.watch import AccountWatch
from actors.rules.market.book import MarketBook, QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from actors.rules.market.marks import Reading
from actors.rules.stops import notices as stop_notices
from actors.rules.stops import progress_log
from actors.rules.stops.armed import OWNER, ArmedRule, ArmedTrade, is_watched
from actors.rules.stops.backlog import history
from actors.rules.stops.check import checked
from actors.rules.stops.conditions import time_due_ns
from actors.rules.stops.feed_watch import FeedWatch
from actors.rules.stops.guards import Passage
from actors.rules.stops.lenses import Lens
from actors.rules.stops.progress_log import ProgressLog
from actors.rules.stops.roster import Roster
from actors.rules.stops.stale import StaleCloses, closing_rule
from actors.rules.stops.verdicts import decision, judge, refute
from bus.messages.accounts import AccountProgress, AccountRules
from bus.messages.market import Part, Ticks
from bus.messages.orders import Balance
from bus.messages.stops import Rule, StopCheckWanted, StopFired, StopProgress
from bus.messages.system import SystemEvent
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_MS, NS_PER_S

_ANSWER_WITHIN_NS: Final = 5 * NS_PER_S
"""A fired stop that TradeDesk has not answered after this (it may have been rebuilt) is said again."""


class StopEngine:
    """The stop rules over all trades. Pure: time comes with the words."""

    def __init__(
        self,
        progress_interval_ns: int = 250 * NS_PER_MS,
        *,
        styles: Mapping[str, str] | None = None,
        started_ns: int | None = None,
    ) -> None:
        self.book = MarketBook()
        self._roster = Roster(self.book, styles or {})
        self._stale = StaleCloses()
        self._stale.started_ns = started_ns
        self._now_ns = started_ns or 0
        self._feeds = FeedWatch(self._roster.lenses)
        self._log = ProgressLog(self._roster, progress_interval_ns)
        self._accounts = AccountWatch(self.book, progress_interval_ns, styles or {})
        self._said: list[object] = []
        self._may_fire = True
        self._is_stirred = False
        """Whether this read has changed what may be used of a feed, so that accounts are to be valued anew."""
        self._touched: set[QuoteInForce | ValueInForce] = set()
        """What has had ticks within the fold that is going on, some of which are gone."""
        self._woken: dict[Lens, None] = {}
        """Through which a feed's word lets look again at what was touched: once the fold ends, for what stands then."""

    def handle(self, word: object) -> list[object]:
        """Return what `word` makes the stop rules say, in order."""
        self._said = []
        match word:
            case Ticks():
                self._advance(word.received_ns)
                if word.part is Part.END:
                    self._end_fold(word.received_ns)
                else:
                    self._take_ticks(word)
            case Trade():
                self._take_trade(word)
                self._said.extend(self._accounts.hear_trade(word, self._now_ns))
            case TimerFired(owner="auto_stop"):
                # It may have waited behind ticks that came later (`actors.tick_inbox`).
                self._advance(word.now_ns)
                self._take_timer(word.key, self._now_ns)
            case Balance() | AccountRules() | SystemEvent() | AccountProgress():
                self._said.extend(self._accounts.hear(word, self._now_ns))
            case StopCheckWanted():
                self._advance(word.now_ns)
                self._said.append(checked(word.trade, self._roster, word.now_ns))
            case StopProgress():
                self._roster.restore(word)
        return self._said

    @property
    def roster(self) -> Roster:
        """The armed trades, for whoever explains them."""
        return self._roster

    def last_ticks(self) -> list[Ticks]:
        """Return the ticks in force, from which a new engine learns the markets."""
        return self.book.last_ticks()

    def progress(self) -> list[StopProgress | AccountProgress | AccountRules]:
        """Return what rules have counted, from which a new engine goes on."""
        return [*self._roster.progress(self._now_ns), *self._accounts.words()]

    def remember(self, trades: Iterable[Trade]) -> None:
        """Learn what trades on the record have moved in the cash of their accounts, before they are said anew."""
        self._accounts.remember(trades)

    def _advance(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        if self._stale.started_ns is None:
            self._stale.started_ns = now_ns

    # Ticks

    def _take_ticks(self, word: Ticks) -> None:
        now_ns = word.received_ns
        book, lenses_at = self.book, self._roster.lenses.at
        look = self._witness if word.part is Part.WITNESS else self._look
        is_whole = word.part is Part.WHOLE or word.part is Part.PAST
        self._may_fire = word.part is not Part.PAST and word.part is not Part.COUNTED
        gone = history(word) if word.part is Part.WHOLE else ()
        woken: list[Lens] = []
        for tick in word.batch:
            if gone:
                self._may_fire = id(tick) not in gone
            entry = book.apply(tick, now_ns)
            if book.feeds.events:
                woken += self._take_feed_events(now_ns)
            if entry is None:
                continue
            watched = is_whole and self._accounts.holds_anything
            feed: Feed | None
            if isinstance(entry, Feed):
                feed = entry
                woken += self._take_beat(feed, now_ns)
            else:
                feed = entry.feed
                if not is_whole:
                    self._touched.add(entry)
                lenses = lenses_at(entry)
                if lenses:
                    look(lenses, now_ns)
            woken += self._feeds.woken_by(feed)
            if watched:
                self._said.extend(self._accounts.hear_tick(entry, now_ns))
        if woken or self._is_stirred:
            # Only now: the same read may bring a newer quote than the one that is in force again.
            self._look_again(woken, now_ns)
        self._may_fire = True

    def _look_again(self, woken: Iterable[Lens], now_ns: int) -> None:
        self._look(self._untouched(woken), now_ns)
        if self._is_stirred:
            self._is_stirred = False
            self._said.extend(self._accounts.hear_feeds(now_ns))

    def _untouched(self, woken: Iterable[Lens]) -> list[Lens]:
        """Return those that see what stood there; the others wait for the end of the fold, for a tick that is gone may stand there."""
        touched = {lens for entry in self._touched for lens in self._roster.lenses.at(entry)}
        self._woken.update((lens, None) for lens in woken if lens in touched)
        return [lens for lens in woken if lens not in touched]

    def _end_fold(self, now_ns: int) -> None:
        """Look where all inputs stand as they did again."""
        woken, self._woken = self._woken, {}
        self._touched.clear()
        self._look(woken, now_ns)
        self._said.extend(self._accounts.hear_feeds(now_ns))

    def _look(self, lenses: Iterable[Lens], now_ns: int) -> None:
        """Look through `lenses` anew and judge the rules that what is seen may concern."""
        readings: dict[Lens, Reading] = {}
        found: list[ArmedRule] = []
        for lens in lenses:
            reading = self._read(lens, now_ns)
            candidates = self._candidates(lens, reading)
            if candidates:
                readings[lens] = reading
                found.extend(candidates)
        if found:
            self._judge(found, readings, now_ns)

    def _witness(self, lenses: Iterable[Lens], now_ns: int) -> None:
        """Look through `lenses` at a tick that stands for others: bests follow it, counts may end by it, nothing counts or fires."""
        for lens in lenses:
            reading = self._read(lens, now_ns)
            for rule in [rule for rule in lens.hot if refute(rule, lens, reading, now_ns)]:
                self._said.extend(self._log.note(rule, now_ns))
                self._keep_hot(lens, rule)

    def _read(self, lens: Lens, now_ns: int) -> Reading:
        """Look through one lens: whether it is stale, and when to look again."""
        reading = lens.look(now_ns)
        seen, high, low = lens.seen, reading.high, reading.low
        if (high is not None and high < seen.least) or (low is not None and low > seen.greatest):
            seen.note(reading, now_ns)
        if reading.reason is not None or lens.stale_reason is not None:
            self._note_staleness(lens, reading, now_ns)
        if lens.may_change_sooner():
            self._time(lens, now_ns)
        if lens.moved:
            self._said.extend(self._log.ask(now_ns))
        return reading

    def _time(self, lens: Lens, now_ns: int) -> None:
        due_ns = lens.next_change_ns(now_ns)
        if due_ns is not None and (lens.due_ns is None or due_ns < lens.due_ns):
            lens.due_ns = due_ns
            self._said.append(SetTimer(owner=OWNER, key=lens.key, due_ns=due_ns))

    def _candidates(self, lens: Lens, reading: Reading) -> Iterable[ArmedRule]:
        return lens.candidates(reading)

    # Judging

    def _judge(self, rules: Iterable[ArmedRule], readings: dict[Lens, Reading], now_ns: int) -> None:
        fired: dict[ArmedTrade, None] = {}
        for rule in sorted(set(rules), key=lambda rule: rule.order):
            armed = rule.armed
            if armed.fired and armed not in fired:
                continue
            lens = self._roster.lens(rule)
            reading = None if lens is None else readings.get(lens)
            counted = rule.confirms
            passage = judge(rule, lens, reading, now_ns)
            if rule.confirms != counted:
                self._said.extend(self._log.note(rule, now_ns))
            if lens is not None:
                self._keep_hot(lens, rule)
            if passage is None:
                continue
            if passage.passed and not self._may_fire:
                continue
            if passage.passed:
                self._fire(rule, reading, passage, now_ns)
                fired[armed] = None
            else:
                self._hold_back(rule, reading, passage, now_ns)
        for armed in fired:
            self._roster.unlist(armed, now_ns)

    def _keep_hot(self, lens: Lens, rule: ArmedRule) -> None:
        if rule.is_resting:
            lens.hot.pop(rule, None)
        else:
            lens.hot[rule] = None

    def _fire(self, rule: ArmedRule, reading: Reading | None, passage: Passage, now_ns: int) -> None:
        armed = rule.armed
        made = decision(rule, reading, passage, now_ns, fired=True)
        mark = armed.sight.mark(armed.trade, now_ns)
        self._said.append(StopFired(decision=made, mark=mark, now_ns=now_ns, stop=rule.spec))
        self._said.extend(self._log.note(rule, now_ns))
        if not armed.fired:
            self._said.append(armed.set_timer("refire", now_ns + _ANSWER_WITHIN_NS))
        armed.fired.append(rule.spec)

    def _hold_back(self, rule: ArmedRule, reading: Reading | None, passage: Passage, now_ns: int) -> None:
        wake_ns = passage.wake_ns
        if wake_ns is not None and (rule.wake_ns is None or wake_ns < rule.wake_ns):
            rule.wake_ns = wake_ns
            self._said.append(rule.armed.set_timer(f"rule:{rule.rule}", wake_ns))
        held_by = passage.held_by
        if not held_by or held_by == rule.held_by:
            return
        rule.held_by = held_by
        made = decision(rule, reading, passage, now_ns, fired=False)
        self._log.forget(rule)
        self._said.extend(stop_notices.say_held_back(made, held_by, rule.keep(now_ns)))

    # Trades

    def _take_trade(self, trade: Trade) -> None:
        self._now_ns = max(self._now_ns, trade.ts)
        now_ns = self._now_ns
        before = self._roster.find(trade.trade_id)
        if before is not None and trade.version < before.trade.version:
            return
        if not is_watched(trade):
            rested = self._roster.rest(trade, now_ns)
            if rested is not None:
                self._said.extend(rested.cancel_timers())
                self._said.extend(self._log.close(rested, now_ns))
            return
        if before is not None and any(stop in trade.stops for stop in before.fired):
            # It was said before TradeDesk heard of the stop; the close is on its way.
            before.trade = trade
            return
        self._arm(trade, now_ns)

    def _arm(self, trade: Trade, now_ns: int) -> None:
        """Judge `trade` by its stops as they are now. What fired by others does not close it: TradeDesk has changed them."""
        armed = self._roster.arm(trade, now_ns)
        self._set_clock(armed)
        self._look_for(armed, now_ns)

    def _look_for(self, armed: ArmedTrade, now_ns: int) -> None:
        """Judge every rule of one trade by what is in force: it was armed, or changed."""
        lenses = {lens: None for rule in armed.rules if (lens := self._roster.lens(rule)) is not None}
        readings = {lens: self._read(lens, now_ns) for lens in lenses}
        self._judge((rule for rule in armed.rules if self._roster.lens(rule) is not None), readings, now_ns)
        if not armed.fired:
            self._note_stale_trade(armed, now_ns)

    def _set_clock(self, armed: ArmedTrade) -> None:
        rule = armed.rule(Rule.TIME)
        due_ns = None if rule is None else time_due_ns(armed.trade, rule)
        if due_ns is not None:
            self._said.append(armed.set_timer("time", due_ns))
        elif "time" in armed.timers:
            self._said.append(armed.cancel_timer("time"))

    # Timers

    def _take_timer(self, key: str, now_ns: int) -> None:
        if key == progress_log.KEY:
            self._said.extend(self._log.flush(now_ns))
            return
        kind, _, rest = key.partition(":")
        if kind == "account":
            self._said.extend(self._accounts.hear_timer(key, now_ns))
            return
        if kind == "lens":
            lens = self._roster.lenses.by_key(key)
            if lens is not None:
                lens.due_ns = None
                self._look([lens], now_ns)
            return
        what, _, trade_id = rest.rpartition(":")
        armed = self._roster.find(trade_id)
        if armed is not None:
            armed.timers.discard(what)
            self._take_trade_timer(armed, what, now_ns)

    def _take_trade_timer(self, armed: ArmedTrade, what: str, now_ns: int) -> None:
        if what == "refire":
            if armed.fired:
                self._arm(armed.trade, now_ns)
        elif armed.fired:
            return
        elif what == "time":
            self._judge([rule for rule in armed.rules if rule.rule is Rule.TIME], {}, now_ns)
        elif what == "stale":
            self._close_stale(armed, now_ns)
        else:
            rule = armed.rule(what.removeprefix("rule:"))
            lens = None if rule is None else self._roster.lens(rule)
            if rule is not None and lens is not None:
                rule.wake_ns = None
                self._judge([rule], {lens: lens.look(now_ns)}, now_ns)

    # Feeds

    def _take_feed_events(self, now_ns: int) -> Iterable[Lens]:
        """A feed was marked, or may be used again: rare, so everybody, returned, looks again."""
        for event in self.book.feeds.take_events():
            self._said.extend(stop_notices.say(stop_notices.feed_marked(event, now_ns)))
        self._is_stirred = True
        return self._roster.lenses.all()

    def _take_beat(self, feed: Feed, now_ns: int) -> list[Lens]:
        """A beat may announce another silence: then the timers of all who look at that feed's quotes, returned, may be too late."""
        if not feed.silence_changed:
            return []
        feed.silence_changed = False
        self._is_stirred = True
        lenses = [lens for lens in self._roster.lenses.all() if lens.quote_feed is feed]
        for lens in lenses:
            self._time(lens, now_ns)
        return lenses

    def _note_staleness(self, lens: Lens, reading: Reading, now_ns: int) -> None:
        changed, said = self._feeds.note(lens, reading, now_ns)
        self._said.extend(said)
        if not changed:
            return
        for armed in {rule.armed: None for rule in lens.rules}:
            self._note_stale_trade(armed, now_ns)

    def _note_stale_trade(self, armed: ArmedTrade, now_ns: int) -> None:
        lenses = [lens for rule in armed.rules if (lens := self._roster.lens(rule)) is not None]
        self._said.extend(self._stale.note(armed, lenses, now_ns))

    def _close_stale(self, armed: ArmedTrade, now_ns: int) -> None:
        rule = closing_rule(armed)
        due_ns = None if rule is None else self._stale.due_ns(rule, now_ns)
        if rule is None or due_ns is None:
            return
        if due_ns > now_ns:
            self._said.append(armed.set_timer("stale", due_ns))
            return
        self._stale.count(now_ns)
        self._fire(rule, None, Passage(), now_ns)
        self._roster.unlist(armed, now_ns)
