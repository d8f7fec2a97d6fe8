"""The engine of TradeDesk: each trade's life, and the only issuer of orders.

One word in, everything that follows from it out, in the order of `commits.Minutes`. What a word means for a trade is decided by
`lifecycle`; here it is found out whether the word is new, whom it concerns, and what else it changes. Memory changes last, when
all has been computed: a word that crashes the desk leaves it as it was before that word (`DeskState.conclude`).

A `CommitRefused` means that memory is ahead of the record. There is no way back in memory, since later decisions stand on it:
the desk raises `RecordRefused`, and whoever runs it starts again from the record.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from actors.rules.account.entries import Entries
from actors.rules.account.limits import Limits
from actors.rules.desk import accounts, agreement, beginning, without_record
from actors.rules.desk import asked as desk_requests
from actors.rules.desk import news as desk_news
from actors.rules.desk import notices as desk_notices
from actors.rules.desk import opens as desk_opens
from actors.rules.desk.answers import Answers, close_in_effect
from actors.rules.desk.blotter import Blotter
from actors.rules.desk.commits import Minutes
from actors.rules.desk.reach import hear_ranges
from actors.rules.desk.room import Gate, Rules, refuse
from actors.rules.desk.seen import Seen, Verdict
from actors.rules.desk.state import DeskState, minutes_of
from actors.rules.desk.stop_requests import held_back, was_changed
from actors.rules.settings.changes import read_layers
from actors.rules.settings.layers import Resolver
from actors.rules.trade.steps import CloseWanted, Event, VenueTerms, trade_of
from bus.messages.accounts import DrawdownFired
from bus.messages.envelope import Malformed, Message, Received
from bus.messages.explain import CapsuleGet
from bus.messages.market import Lifecycle
from bus.messages.orders import Balance, OrderReport, Position, Settlement, VenueAnswer
from bus.messages.reconcile import AccountStanding, ClosedOutside, PositionFound, PositionsSeen
from bus.messages.recording import RangesRecorded
from bus.messages.records import CommitRefused, OrderRefused, OrdersTail, OrderStored, RecordAway, RecordBack, Recovered
from bus.messages.settings import HistoryGet, SettingsGet, SettingsSet
from bus.messages.stops import (
    BidReturned,
    MarkGiven,
    StopArm,
    StopCheckGiven,
    StopCoverage,
    StopDisarm,
    StopFired,
    StopSet,
    StopWaive,
)
from bus.messages.system import ErrorCode, SystemCommand
from bus.messages.timers import TimerFired
from bus.messages.trades import Trade, TradeClose, TradeGet, TradeList, TradeOpen
from bus.messages.units import NS_PER_S

_NOTHING: Final = OrdersTail()


class RecordRefused(Exception):  # noqa: N818  # a state of the world: memory is ahead of the record
    """PostgreSQL did not take a decision of the desk: start again from the record."""


class Desk:
    """Owns every trade. venues: by name, `paper` among them. live_enabled: whether live entries may leave at all.

    unheard_ns: how long a close waits for its venue's first answer after a start or a reconnection. limits: of new risk.
    """

    def __init__(
        self,
        recovered: Recovered,
        *,
        epoch: int,
        instance: str,
        live_enabled: bool,
        venues: Mapping[str, VenueTerms],
        unheard_ns: int = 10 * NS_PER_S,
        limits: Limits | None = None,
    ) -> None:
        layers, unreadable = read_layers(recovered.layers)
        self._state = DeskState(
            epoch=epoch,
            answers=Answers(instance=instance, epoch=epoch),
            blotter=Blotter(recovered.trades, recovered.ended, recovered.ended_ids),
            seen=Seen(recovered.seen, recovered.fill_ids),
            gate=Gate(
                live_enabled=live_enabled,
                venues=dict(venues),
                halted=recovered.halted,
                reduce_only=recovered.reduce_only,
                unreadable=unreadable,
            ),
            layers=layers,
            rules=Rules(resolver=Resolver(layers), version=recovered.settings_version),
            accounts=dict(recovered.accounts),
            unheard_ns=unheard_ns,
            limits=limits or Limits(),
            entries=Entries((*recovered.ended, *recovered.trades)),
        )
        for position in recovered.positions:
            self._state.blotter.hear_position(position)
        for settlement in recovered.settlements:
            self._state.blotter.hear_settlement(settlement)

    def start(self, now_ns: int, tail: OrdersTail = _NOTHING) -> list[object]:
        """Say what recovery needs (`beginning.begin`); before any other word. tail: the end of ORDERS."""
        return beginning.begin(self._state, now_ns, tail, self.handle)

    def strangers(self, since_ns: int) -> frozenset[str]:
        """Return the ids of the closes given since then whose trade is not on record; it may be born again."""
        orders = (order for orders in self._state.strangers.values() for order in orders)
        return frozenset(order.client_order_id for order in orders if order.ts >= since_ns)

    def find(self, trade_id: str) -> Trade | None:
        """Return a trade as it stands, also one of the last that have ended."""
        return self._state.blotter.find(trade_id)

    def on(self, ticker: str) -> tuple[Trade, ...]:
        """Return the trades on a ticker that have not ended."""
        return self._state.blotter.on(ticker)

    def decide(self, word: object) -> tuple[list[object], Callable[[], list[object]]]:
        """Return what reduces risk and leaves at once, and what makes the rest of `word`: to be called before the next word.

        The order of a fired stop need not wait until the desk has written down why.
        """
        if isinstance(word, DrawdownFired):
            return [], lambda: accounts.hear_drawdown(self._state, word)
        if not isinstance(word, StopFired):
            return [], lambda: self._handle(word)
        minutes = self._hear_stop(word)
        return minutes.urgent(), lambda: self._state.conclude(minutes)

    def handle(self, word: object) -> list[object]:
        """Return everything that follows from `word`, in the order in which it is to be said."""
        urgent, conclude = self.decide(word)
        return [*urgent, *conclude()]

    def _handle(self, word: object) -> list[object]:
        match word:
            case Received():
                return self._hear(word)
            case Malformed():
                return self._hear_malformed(word)
            case StopCheckGiven() | AccountStanding() | PositionsSeen() | PositionFound():
                return self._hear_what_opens_wait_for(word)
            case VenueAnswer():
                return desk_news.hear_answer(self._state, word)
            case OrderStored() | OrderRefused():
                return self._tell(word.trade_id, word, word.now_ns, f"{type(word).__name__}:{word.client_order_id}")
            case MarkGiven() | BidReturned() | ClosedOutside():
                return self._tell(word.trade_id, word, word.now_ns, f"{type(word).__name__}:{word.now_ns}")
            case TimerFired():
                return self._hear_timer(word)
            case StopCoverage() | RangesRecorded():
                return self._note(word)
            case RecordAway() | RecordBack() | CommitRefused():
                return self._hear_of_record(word)
            case _:
                raise TypeError(f"the desk does not hear {type(word).__name__}")

    # Inputs from outside

    def _hear(self, received: Received[Any]) -> list[object]:
        state, message = self._state, received.message
        if isinstance(message, TradeGet | TradeList | SettingsGet | HistoryGet | CapsuleGet):
            return desk_requests.hear_question(state, received, message)
        if isinstance(message, TradeOpen) and message.trade_id in state.checks:
            return desk_opens.hear_while_checked(state, received)
        match state.seen.judge(received.key, received.digest):
            case Verdict.CONFLICT:
                return desk_opens.conflicting(state, received)
            case Verdict.SAME:
                return self._hear_again(received)
            case Verdict.NEW:
                return self._hear_new(received, message)

    def _hear_new(self, received: Received[Any], message: Message) -> list[object]:
        state = self._state
        if state.gate.record_away and without_record.adds_risk(received):
            return without_record.put_off(state, received)
        match message:
            case OrderReport() | Lifecycle() | Position() | Settlement() | Balance():
                return desk_news.hear_news(state, received, message)
            case TradeOpen():
                return desk_opens.hear_open(state, received)
            case TradeClose():
                return desk_requests.hear_close(state, received)
            case StopArm() | StopDisarm() | StopSet() | StopWaive():
                return desk_requests.hear_stops(state, received, message)
            case SettingsSet():
                return desk_requests.hear_settings(state, received)
            case SystemCommand():
                return desk_requests.hear_system(state, received)
            case _:
                raise TypeError(f"the desk does not hear {type(message).__name__}")

    def _hear_again(self, received: Received[Any]) -> list[object]:
        """The same input again: one effect stands already. Answer by how things are now, acknowledge, keep nothing."""
        state, message, now_ns = self._state, received.message, received.received_ns
        minutes = minutes_of(received, proves=False)
        match message:
            case TradeOpen(trade_id=trade_id):
                trade = state.blotter.find(trade_id)
                if trade is None and state.blotter.is_taken(trade_id):
                    return desk_requests.ask_again_about(state, received, trade_id)
                if trade is None and received.reply_to is not None:
                    return desk_opens.hear_open(state, received, proves=False)
                minutes.reply(state.answers.ok(trade, now_ns))
            case TradeClose(trade_id=trade_id):
                trade = state.blotter.find(trade_id)
                if trade is None:
                    minutes.reply(state.answers.refused(desk_requests.why_gone(state, trade_id), now_ns))
                else:
                    minutes.reply(state.answers.ok(close_in_effect(trade, trade), now_ns))
            case StopArm() | StopDisarm() | StopSet() | StopWaive():
                minutes.reply(state.answers.ok(state.blotter.find(message.trade_id), now_ns))
            case SettingsSet():
                minutes.reply(state.answers.ok(state.last_change, now_ns))
            case _:
                minutes.reply(state.answers.ok(None, now_ns))
        return state.conclude(minutes)

    def _hear_malformed(self, word: Malformed) -> list[object]:
        state = self._state
        minutes = Minutes(now_ns=word.received_ns, cause=f"malformed:{word.subject}:{word.received_ns}", source=word)
        minutes.quarantine(word, word.reason)
        message = f"This could not be read: {word.reason}. Nothing was applied."
        minutes.reply(state.answers.refused(refuse(ErrorCode.MALFORMED, message), word.received_ns))
        notice = desk_notices.malformed(word)
        if state.storm.passes(notice.dedupe_key, word.received_ns):
            minutes.notices.append(notice)
            minutes.effects.append(lambda: state.storm.note(notice.dedupe_key, word.received_ns))
        return state.conclude(minutes)

    # Words of the house

    def _tell(self, trade_id: str, event: Event, now_ns: int, cause: str) -> list[object]:
        trade = self._state.blotter.find(trade_id)
        if trade is None:
            return []
        minutes = Minutes(now_ns=now_ns, cause=cause)
        self._state.tell(minutes, trade, event)
        return self._state.conclude(minutes)

    def _hear_what_opens_wait_for(
        self, word: StopCheckGiven | AccountStanding | PositionsSeen | PositionFound
    ) -> list[object]:
        if isinstance(word, StopCheckGiven):
            said, again = desk_opens.hear_check(self._state, word)
        else:
            said, again = agreement.hear(self._state, word)
        return [*said, *(reply for received in again for reply in self._hear(received))]

    def _hear_stop(self, fired: StopFired) -> Minutes:
        """Close a trade because a rule says so; the decision stands and is told, whatever has become of the trade."""
        decision = fired.decision
        minutes = Minutes(now_ns=fired.now_ns, cause=decision.decision_id)
        trade = self._state.blotter.live.get(decision.trade_id)
        if trade is not None and was_changed(fired, trade):
            minutes.decisions.append(held_back(decision))
            return minutes
        minutes.decisions.append(decision)
        if trade is not None:
            reason = f"stop {decision.rule}"
            wanted = CloseWanted(reason=reason, rule=decision.rule, decision=decision, mark=fired.mark)
            self._state.tell(minutes, trade, wanted)
        return minutes

    def _hear_timer(self, fired: TimerFired) -> list[object]:
        trade_id = trade_of(fired.key)
        if fired.key.endswith(f":{desk_opens.STOP_CHECK}"):
            return desk_opens.give_up_check(self._state, trade_id, fired.now_ns)
        if trade_id not in self._state.blotter.live:
            return []
        return self._tell(trade_id, fired, fired.now_ns, f"timer:{fired.key}:{fired.due_ns}")

    def _note(self, coverage: StopCoverage | RangesRecorded) -> list[object]:
        """Remember coverage on the trade: its next version says so. TradeWatcher has kept and told it already."""
        if isinstance(coverage, RangesRecorded):
            return hear_ranges(self._state, coverage)
        trade = self._state.blotter.live.get(coverage.trade_id)
        if trade is not None:
            self._state.blotter.put(replace(trade, coverage=coverage.coverage, coverage_why=coverage.why))
        return []

    def _hear_of_record(self, word: RecordAway | RecordBack | CommitRefused) -> list[object]:
        match word:
            case RecordAway():
                return without_record.begin(self._state, word)
            case RecordBack():
                return without_record.end(self._state, word)
            case CommitRefused(commit=commit, error=error):
                if commit.trades or commit.settings or commit.system:
                    raise RecordRefused(f"{commit.cause}: {error}")
                return []
