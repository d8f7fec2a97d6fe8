"""What fires and what is covered: no decision on data that must not be used, no open quantity without protection or alarm.

The book here is naive on purpose: the newest quote of each ticker that this process's AutoStop was given, by its `ts`.
"""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actors.inbox import Inbox
from actors.rules.stops.armed import ArmedTrade
from bus.messages.market import FeedBeat, Part, Quote, Ticks
from bus.messages.plain import from_json
from bus.messages.stops import Rule, StopDecision, StopFired, StopProgress
from bus.messages.trades import AttemptState, Coverage, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S, ONE
from tests.simulation.markets import SOURCE
from tests.simulation.process import Incarnation

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

_AHEAD_NS: Final = 2 * NS_PER_S
_SILENT_NS: Final = 31 * NS_PER_S


class Seen:
    """What one process's AutoStop was given."""

    def __init__(self) -> None:
        self.quotes: dict[str, Quote] = {}
        self.all: dict[str, list[Quote]] = {}
        self.young: dict[str, list[Quote]] = {}
        """By ticker, the quotes of the last read that were young when they came: a crossing among them counts."""
        self.feeds: dict[str, int] = {}


class StopsOracle:
    """Looks at the words of AutoStop, and at every open trade whenever a process comes to rest."""

    def __init__(self, oracle: "Oracle") -> None:
        self._oracle = oracle
        self._seen: dict[str, Seen] = defaultdict(Seen)
        self._must_fire: list[ArmedTrade] = []
        self._heard: dict[str, Seen] = defaultdict(Seen)
        self._crossed_unseen: dict[str, dict[str, ArmedTrade]] = defaultdict(dict)
        """By process and trade, what was crossed by a tick that waits for AutoStop, or is folded away there."""
        self._before: tuple[dict[str, Quote], dict[str, int]] = {}, {}
        self._open: Trade | None = None
        """The trade as the desk has it, before it hears that a stop of it has fired."""

    def before(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        """See ticks on their way into AutoStop, and stops that fire on their way into the desk."""
        if type(word) is StopFired and inbox.name == "trade_desk":
            self._open = _as_the_desk_has_it(incarnation, word)
        if type(word) is Ticks and inbox.name == "auto_stop":
            known = self._seen[incarnation.name]
            # Where a witness crosses a stop, a tick that decides does so too.
            self._must_fire = [] if word.part is Part.WITNESS else self._crossed(incarnation, word, known)
            self._before = dict(known.quotes), dict(known.feeds)
            self._take(self._seen[incarnation.name], word)

    def hears(self, incarnation: Incarnation, word: Ticks) -> None:
        """A read is put before AutoStop, which may be behind."""
        heard = self._heard[incarnation.name]
        for armed in self._crossed(incarnation, word, heard):
            self._crossed_unseen[incarnation.name][armed.trade.trade_id] = armed
        self._take(heard, word)

    def _crossed(self, incarnation: Incarnation, word: Ticks, seen: Seen) -> list[ArmedTrade]:
        """Return the armed trades whose price stop is crossed by a young tick of this read, one that needs no confirmation."""
        house = incarnation.house
        if house is None:
            return []
        found, known = [], seen.quotes
        quotes = [tick for tick in word.batch if isinstance(tick, Quote) and tick.source == SOURCE]
        for armed in house._engines.stops._roster.armed():
            rule, limit = armed.rule(Rule.PRICE), stop_price(armed.trade)
            if (
                armed.fired
                or rule is None
                or limit is None
                or rule.number("confirm_ticks") != 1
                or rule.number("dwell_s")
            ):
                continue
            before = known.get(armed.trade.ticker)
            for tick in quotes:
                is_due = tick.ticker == armed.trade.ticker and abs(word.received_ns - tick.ts) <= NS_PER_S
                if is_due and (before is None or tick.ts >= before.ts) and crosses(armed.trade, tick, limit):
                    found.append(armed)
                    break
        return found

    def after(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        """AutoStop has worked a read: what was crossed in it has fired. A read that it died of it has not seen."""
        if type(word) is StopFired and inbox.name == "trade_desk":
            self._closed_by(word.decision, self._open, _as_the_desk_has_it(incarnation, word))
        if inbox.name == "auto_stop" and type(word) is Ticks and inbox.in_hand is not None:
            known = self._seen[incarnation.name]
            known.quotes, known.feeds = self._before
        if inbox.name != "auto_stop":
            return
        unseen = self._crossed_unseen[incarnation.name]
        must_fire, self._must_fire = self._must_fire, []
        if inbox.in_hand is not None:
            # What it dies of twice is given up, and what crossed a stop with it.
            unseen.clear()
        house = incarnation.house
        if inbox.in_hand is not None or house is None:
            return
        if not inbox.waiting():
            must_fire += unseen.values()
            unseen.clear()
        for armed in must_fire:
            name = armed.trade.trade_id
            is_answered = bool(armed.fired) or house._engines.stops._roster.find(name) is not armed
            self._oracle.demand(is_answered, "L1", f"the stop of {name} was crossed by a fresh tick, and does not fire")

    def _on_record(self, incarnation: Incarnation) -> list[StopProgress]:
        """Return what was written down of rules where that process could read it: of two places the later word."""
        told = [] if incarnation.disk is None else list(incarnation.disk.progress())
        if not incarnation.serving.began_without_record:
            told += [from_json(StopProgress, body) for body in self._oracle.world.postgres.tables.progress]
        latest = {(one.trade_id, one.rule): one for one in sorted(told, key=lambda one: one.ts)}
        return list(latest.values())

    def serves(self, incarnation: Incarnation) -> None:
        """A process watches: what rules had counted before it is counted still."""
        house = incarnation.house
        assert house is not None
        self._listen(incarnation, house._inboxes["auto_stop"])
        for progress in self._on_record(incarnation):
            armed = house._engines.stops._roster.find(progress.trade_id)
            rule = None if armed is None else armed.rule(progress.rule)
            if armed is None or rule is None or armed.fired:
                continue
            name = f"{progress.rule} of {progress.trade_id}"
            if progress.best is not None and armed.trade.side is not Side.SHORT:
                kept = rule.best is not None and rule.best >= progress.best
                self._oracle.demand(kept, "S12", f"the best of {name} was {progress.best}, and is {rule.best}")
            self._oracle.demand(
                rule.decisions >= progress.decisions, "S12", f"the decisions of {name} are numbered anew"
            )
            quotes = self._seen[incarnation.name].all.get(armed.trade.ticker, [])
            limit = stop_price(armed.trade)
            stands = limit is not None and all(crosses(armed.trade, quote, limit) for quote in quotes)
            if progress.rule == Rule.PRICE and stands and progress.confirms:
                kept = rule.confirms >= progress.confirms
                self._oracle.demand(kept, "S12", f"{name} had counted {progress.confirms}, and has {rule.confirms}")

    def _listen(self, incarnation: Incarnation, inbox: Inbox) -> None:
        """Hear what is put into `inbox`: a fold may leave ticks out before AutoStop takes them."""
        put = inbox.put

        def put_and_tell(word: object) -> None:
            if type(word) is Ticks:
                self.hears(incarnation, word)
            put(word)

        inbox.put = put_and_tell  # type: ignore[method-assign]  # for as long as this process lives

    def fired(self, incarnation: Incarnation, word: StopFired) -> None:
        """AutoStop says that a stop has fired, just now."""
        self._judge(incarnation, word)

    def _closed_by(self, decision: StopDecision, before: Trade | None, after: Trade | None) -> None:
        """A trade that a price stop closes is closed by the one in force: whoever changed it before has been answered."""
        used, limit = decision.inputs.get("exit"), None if before is None else stop_price(before)
        begins = before is not None and before.close_wanted is None and after is not None and after.close_wanted
        if begins and decision.rule == Rule.PRICE and used is not None and used.value is not None:
            is_crossed = limit is not None and used.value <= limit
            self._oracle.demand(is_crossed, "S7", f"{decision.decision_id} closed at {used.value}, the stop is {limit}")

    def _take(self, seen: Seen, word: Ticks) -> None:
        seen.young = {}
        for tick in word.batch:
            if isinstance(tick, Quote) and word.received_ns - tick.ts <= _AHEAD_NS:
                seen.young.setdefault(tick.ticker, []).append(tick)
            if tick.ts > word.received_ns + _AHEAD_NS:
                continue
            if isinstance(tick, Quote):
                seen.all.setdefault(tick.ticker, []).append(tick)
                known = seen.quotes.get(tick.ticker)
                if known is None or tick.ts >= known.ts:
                    seen.quotes[tick.ticker] = tick
            if isinstance(tick, Quote | FeedBeat):
                source = tick.source or ""
                seen.feeds[source] = max(seen.feeds.get(source, 0), tick.ts)

    def _judge(self, incarnation: Incarnation, word: StopFired) -> None:
        decision = word.decision
        trade = self._oracle.trades.get(decision.trade_id)
        seen = self._seen[incarnation.name]
        quote = None if trade is None else seen.quotes.get(trade.ticker)
        used = decision.inputs.get("exit")
        if trade is None or used is None or decision.rule == Rule.TIME:
            return
        name = decision.decision_id
        # Where a clock stood still there are several of one instant.
        same = [q for q in seen.young.get(trade.ticker, ()) if q.ts == used.ts]
        quote = next((q for q in same if exit_price(trade, q) == used.value), same[0] if same else quote)
        self._oracle.demand(
            quote is not None and used.ts == quote.ts, "S7", f"{name} used {used.ts}, the newest is {quote}"
        )
        last_ns = max(seen.feeds.values(), default=0)
        fresh = decision.ts - last_ns <= _SILENT_NS + _AHEAD_NS
        self._oracle.demand(
            fresh, "S7", f"{name} was decided {(decision.ts - last_ns) // NS_PER_S} s after the last word"
        )
        price = None if quote is None else exit_price(trade, quote)
        if decision.rule == Rule.PRICE and price is not None:
            limit = stop_price(replace(trade, stops=() if word.stop is None else (word.stop,)))
            self._oracle.demand(used.value == price, "S7", f"{name} saw {used.value}, the quote says {price}")
            self._oracle.demand(
                limit is not None and price <= limit, "S7", f"{name} fired at {price}, the stop is {limit}"
            )

    def quiet(self, incarnation: Incarnation) -> None:
        """A process has nothing in hand: each trade that holds something is covered, and not in words alone."""
        house = incarnation.house
        if house is None:
            return
        demand, now_ns = self._oracle.demand, incarnation.clock.now_ns()
        coverage, roster = house._coverage, house._engines.stops._roster
        feeds = self._seen[incarnation.name].feeds
        for trade in house._engines.desk._state.blotter.live.values():
            if not trade.open_quantity:
                continue
            name, said = trade.trade_id, coverage.get(trade.trade_id)
            if said is None:
                self._oracle.broken("S9", f"{name} holds {trade.open_quantity} and nobody says whether it is covered")
                continue
            match said.coverage:
                case Coverage.ARMED:
                    demand(roster.find(name) is not None, "S9", f"{name} is called armed, and no rule watches it")
                    by_clock = any(spec.rule == Rule.TIME for spec in trade.stops)
                    fed = now_ns - max(feeds.values(), default=0) <= _SILENT_NS + _AHEAD_NS
                    demand(by_clock or fed, "S9", f"{name} is called armed on data that is old")
                case Coverage.CLOSING:
                    flies = any(a.purpose is Purpose.CLOSE and a.state is not AttemptState.DEAD for a in trade.attempts)
                    wanted = trade.close_wanted is not None or trade.state is TradeState.EXPIRED or trade.dust
                    demand(wanted or flies, "S9", f"{name} is called closing, and nothing closes it")
                case Coverage.WAIVED:
                    bare = not any(spec.rule != Rule.STALE for spec in trade.stops)
                    demand(trade.waiver is not None or bare, "S9", f"{name} is called waived by nobody")
                case Coverage.UNPROTECTED:
                    pass


def _as_the_desk_has_it(incarnation: Incarnation, word: StopFired) -> Trade | None:
    house = incarnation.house
    return None if house is None else house._engines.desk._state.blotter.find(word.decision.trade_id)


def crosses(trade: Trade, quote: Quote, limit: Decimal) -> bool:
    """Whether a quote with both prices crosses a price stop."""
    price = exit_price(trade, quote)
    return price is not None and quote.yes_bid <= quote.yes_ask and price <= limit  # type: ignore[operator]  # both are there


def exit_price(trade: Trade, quote: Quote) -> Decimal | None:
    """Return what closing would bring by a quote with both prices; None of any other."""
    if quote.yes_bid is None or quote.yes_ask is None:
        return None
    return quote.yes_bid if trade.side is Side.YES else ONE - quote.yes_ask


def stop_price(trade: Trade) -> Decimal | None:
    """Return at which exit price the price rule of a trade fires; None: it has none."""
    for spec in trade.stops:
        value = spec.settings.get("stop_price")
        if spec.rule == Rule.PRICE and isinstance(value, Decimal):
            return value
    return None
