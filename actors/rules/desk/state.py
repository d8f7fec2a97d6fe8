"""What the desk holds in memory between two words, and how a word meets a trade. Changed only when a word is concluded."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec.structs import replace

from actors.rules.account.entries import Entries
from actors.rules.account.limits import Limits
from actors.rules.desk.answers import Answers
from actors.rules.desk.blotter import Blotter
from actors.rules.desk.commits import Minutes
from actors.rules.desk.notices import StormGuard
from actors.rules.desk.room import Gate, Room, Rules
from actors.rules.desk.seen import Seen
from actors.rules.reconcile.terms import AccountKey
from actors.rules.settings.layers import Layers
from actors.rules.trade import lifecycle, taken_over
from actors.rules.trade.steps import CloseWanted, Context, Event, Step, VenueTerms
from bus.messages.accounts import AccountRules
from bus.messages.envelope import Received
from bus.messages.orders import OrderSubmit, Settlement
from bus.messages.reconcile import AccountStanding
from bus.messages.recording import RangesRecorded
from bus.messages.settings import SettingsChanged
from bus.messages.stops import StopDecision
from bus.messages.trades import Trade, TradeOpen


@dataclass(slots=True)
class Check:
    """An open that waits: for its account's venue to answer (`account`), or for the word whether its stops would fire at once.

    also: the same request, asked again meanwhile.
    """

    received: Received[TradeOpen]
    account: AccountKey | None = None
    also: list[Received[TradeOpen]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class DeskState:
    """Everything that outlives a word. `checks` by trade id; `accounts` the mode of each account ever used.

    held: commands that wait for PostgreSQL to be back. standings: how each account in use stands with its venue. limits, entries:
    what new risk may be, and when entries began. unheard_ns: how long a close waits for a venue's first answer.
    """

    epoch: int
    answers: Answers
    blotter: Blotter
    seen: Seen
    gate: Gate
    layers: Layers
    rules: Rules
    accounts: dict[str, str]
    unheard_ns: int
    limits: Limits = field(default_factory=Limits)
    entries: Entries = field(default_factory=Entries)
    standings: dict[AccountKey, AccountStanding] = field(default_factory=dict)
    last_change: SettingsChanged | None = None
    recorded: RangesRecorded | None = None
    """Between which ends the inputs of stops have stood in the days that are recorded."""
    checks: dict[str, Check] = field(default_factory=dict)
    held: list[Received[Any]] = field(default_factory=list)
    storm: StormGuard = field(default_factory=StormGuard)
    strangers: dict[str, tuple[OrderSubmit, ...]] = field(default_factory=dict)
    """Closes found in ORDERS at the start whose trade, by id, is not on record: it may be born again."""
    told: tuple[StopDecision, ...] = ()
    """The decisions that those closes name, as LEDGER has them."""
    account_rules: dict[str, AccountRules] = field(default_factory=dict)
    """The drawdown rule of each account, as AutoStop was told last."""

    @property
    def room(self) -> Room:
        """What requests are judged against."""
        return Room(
            gate=self.gate,
            rules=self.rules,
            blotter=self.blotter,
            accounts=self.accounts,
            standings=self.standings,
            limits=self.limits,
            entries=self.entries,
        )

    def context(self, trade: Trade, minutes: Minutes, *, may_close: bool = False) -> Context:
        """Return what surrounds the next decision about `trade`. may_close: a close may leave, so its limit is needed."""
        terms = self.gate.venues.get(trade.venue, VenueTerms(name=trade.venue))
        limited = may_close and terms.netting
        return Context(
            now_ns=minutes.now_ns,
            epoch=self.epoch,
            cause=minutes.cause,
            venue=terms,
            held=self.blotter.held(trade, terms, minutes.trades()) if limited else None,
            unheard_until_ns=self._unheard_until_ns(trade) if may_close else None,
        )

    def _unheard_until_ns(self, trade: Trade) -> int | None:
        standing = self.standings.get(AccountKey(trade.venue, trade.account))
        return None if standing is None or standing.answered else standing.began_ns + self.unheard_ns

    def tell(self, minutes: Minutes, trade: Trade, event: Event) -> Trade:
        """Let `event` happen to `trade`; return the trade after it."""
        may_close = trade.close_wanted is not None or isinstance(event, CloseWanted)
        step = lifecycle.decide(trade, event, self.context(trade, minutes, may_close=may_close))
        self.take(minutes, trade, step)
        return step.trade

    def meet(self, key: AccountKey, now_ns: int) -> None:
        """Take note that an account is in use: until Reconciler says otherwise, its venue has not answered."""
        if key not in self.standings:
            self.standings[key] = AccountStanding(
                venue=key.venue, account=key.account, began_ns=now_ns, answered=False, now_ns=now_ns
            )

    def take(self, minutes: Minutes, before: Trade | None, step: Step) -> None:
        """Take a step, and the trades that were born late in it; those learn at once what they have missed."""
        minutes.take(before, step)
        born: dict[str, Trade] = {}
        for late in step.late:
            trade_id = late.trade.trade_id
            if self.blotter.is_taken(trade_id):
                continue  # The same fill was found by a report and by a lookup.
            minutes.take(born.get(trade_id), late)
            born[trade_id] = late.trade
        for trade in born.values():
            self.catch_up(minutes, trade)

    def catch_up(self, minutes: Minutes, trade: Trade) -> Trade:
        """Tell a trade that begins as an open position of its own orders of an earlier life, and how its market has ended meanwhile."""
        if trade.trade_id in self.strangers:
            minutes.effects.append(partial(self.strangers.__delitem__, trade.trade_id))
            trade = self.take_in(minutes, trade, self.strangers[trade.trade_id])
            minutes.take(trade, lifecycle.recover(trade, self.context(trade, minutes)))
        for event in self.blotter.past_of(trade):
            known = trade
            told = without_fees(event) if isinstance(event, Settlement) else event
            trade = self.tell(minutes, known, told)
        return trade

    def take_in(self, minutes: Minutes, trade: Trade, orders: tuple[OrderSubmit, ...]) -> Trade:
        """Put those closes of `trade` in effect that left while their record was lost; return the trade with them."""
        lost = taken_over.unrecorded(trade, orders)
        if not lost:
            return trade
        step = taken_over.take_in(trade, lost, self.context(trade, minutes))
        minutes.take(trade, step)
        minutes.known += taken_over.decisions(trade, lost, self.told)
        return step.trade

    def conclude(self, minutes: Minutes) -> list[object]:
        """Return what is said because of a word, and only then change memory: whatever can raise has been computed."""
        said = minutes.words()
        for before, step in minutes.changes:
            if step.trade is not before:
                self.blotter.put(step.trade)
                self.accounts.setdefault(step.trade.account, step.trade.mode)
                self.meet(AccountKey(step.trade.venue, step.trade.account), minutes.now_ns)
            for fill in step.fills:
                self.seen.book(step.trade.account, fill.fill_id, step.trade.trade_id)
        if minutes.proof is not None:
            self.seen.remember(minutes.proof.key, minutes.proof.digest)
        for effect in minutes.effects:
            effect()
        return said


def minutes_of(received: Received[Any], *, proves: bool = True) -> Minutes:
    """Return empty minutes about an input; `proves`: its inbox row stands with whatever follows."""
    minutes = Minutes(now_ns=received.received_ns, cause=received.key, source=received)
    if proves:
        minutes.prove(received)
    return minutes


def without_fees(settlement: Settlement) -> Settlement:
    """The fees of a settlement are shared among those who held something when it came."""
    return replace(settlement, fees=None)
