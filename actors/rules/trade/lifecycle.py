"""The life of a trade: the one door through which everything happens to it.

Theory of operation. What happens to a trade is folded into facts: fills, what is known of each order, whether a close is
wanted, the close time, the result. Facts only grow, so it does not matter in which order, how often or how late the news
comes. Where the trade stands is then read off the facts (`standing`), and the way there leads along the edges of the table
(`edges`), each one journal entry. Last is said what is still lacking: the next close attempt, a cancel, a question, a timer.
"""

from typing import assert_never

from actors.rules.trade import closes, entries, evidence, outside, settlement, steps, unknowns
from actors.rules.trade.draft import Draft, entry_of, in_flight
from actors.rules.trade.edges import EDGES, IllegalMove, move
from actors.rules.trade.entries import adopt, begin, reject
from actors.rules.trade.settings import span_ns
from actors.rules.trade.standing import settle_down
from actors.rules.trade.steps import (
    ENTRY_TIMEOUT,
    NEXT_ATTEMPT,
    REST_OVER,
    CloseWanted,
    Context,
    Event,
    Step,
)
from bus.messages.market import Lifecycle
from bus.messages.orders import OrderReport, Position, Settlement, VenueAnswer
from bus.messages.reconcile import AccountStanding, ClosedOutside
from bus.messages.records import OrderRefused, OrderStored
from bus.messages.stops import BidReturned, Mark, MarkGiven
from bus.messages.timers import TimerFired
from bus.messages.trades import AttemptState, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_MS

__all__ = ["EDGES", "IllegalMove", "adopt", "begin", "decide", "move", "recover", "reject"]


def decide(trade: Trade, event: Event, context: Context) -> Step:
    """Return what `event` makes of `trade`, and everything to be said because of it.

    The step holds the very same trade if nothing about it changed. A trade that has ended never changes; a fill for it is
    born as a trade of its own (`Step.late`).
    """
    draft = Draft(trade, context)
    if trade.state is TradeState.REQUESTED:
        return draft.step()
    if trade.state.is_terminal:
        _hear_of_the_ended(draft, event)
        return draft.step()
    match event:
        case CloseWanted(mark=mark, decision=decision):
            begins = closes.want(draft, event)
            decision_id = None if decision is None else decision.decision_id
            settle_down(draft, begins=begins, mark=mark, decision_id=decision_id)
        case MarkGiven():
            settle_down(draft, mark=_mark_for(trade, event))
        case AccountStanding():
            closes.release(draft)
            settle_down(draft)
        case _:
            _hear(draft, event)
            settle_down(draft)
    return draft.step()


def _hear(
    draft: Draft,
    event: OrderReport
    | VenueAnswer
    | BidReturned
    | TimerFired
    | Lifecycle
    | Settlement
    | Position
    | OrderStored
    | OrderRefused
    | ClosedOutside,
) -> None:
    match event:
        case OrderReport():
            evidence.hear_report(draft, event)
        case VenueAnswer():
            evidence.hear_answer(draft, event)
        case BidReturned():
            closes.end_rest(draft, "a bid has returned")
        case TimerFired():
            _hear_timer(draft, event)
        case Lifecycle():
            settlement.hear_lifecycle(draft, event)
        case Settlement():
            settlement.hear_settlement(draft, event)
        case OrderStored() | OrderRefused():
            unknowns.note_outcome(draft, event)
        case ClosedOutside():
            outside.hear_closed_outside(draft, event)
        case Position():
            pass  # It bounds closes on netting venues, which `Context.held` says; it is no evidence about an order.
        case _:
            assert_never(event)


def _hear_of_the_ended(draft: Draft, event: Event) -> None:
    """A trade that has ended hears of its fills, and of a result that contradicts the one it was settled by."""
    match event:
        case OrderReport():
            evidence.hear_report(draft, event)
        case VenueAnswer():
            evidence.hear_answer(draft, event)
        case _:
            pass


def _hear_timer(draft: Draft, fired: TimerFired) -> None:
    match fired.key.partition(":")[2]:
        case steps.ENTRY_TIMEOUT:
            entries.time_out(draft)
        case steps.NEXT_ATTEMPT:
            closes.try_next(draft)
        case steps.REST_OVER:
            closes.end_rest(draft, "it has rested long enough")
        case steps.LOOKUP:
            unknowns.look_up(draft)
        case steps.EXPIRY:
            settlement.expire_if_closed(draft)
        case _:
            pass  # A timer of Desk's own.


def _mark_for(trade: Trade, given: MarkGiven) -> Mark | None:
    """Return the mark if it still prices an attempt that waits for it."""
    waits = any(a.client_order_id == given.client_order_id and a.state is AttemptState.WANTED for a in trade.attempts)
    return given.mark if waits else None


def recover(trade: Trade, context: Context) -> Step:
    """Return what a trade needs said again after a start: its timers, its questions, the marks it waits for. Nothing changes."""
    draft = Draft(trade, context)
    if trade.state.is_terminal or trade.state is TradeState.REQUESTED:
        return draft.step()
    if trade.state is not TradeState.EXPIRED:
        entries.watch_close_time(draft)
    entry = entry_of(trade)
    if entry is not None and entry.state in (AttemptState.SENT, AttemptState.RESTING) and entry.sent_ns is not None:
        draft.wake(ENTRY_TIMEOUT, entry.sent_ns + span_ns(trade, "entry_timeout_s"))
    for attempt in in_flight(trade):
        draft.ask(attempt)
        if attempt.purpose is Purpose.CLOSE and attempt.time_in_force == "gtc" and attempt.sent_ns is not None:
            draft.wake(REST_OVER, attempt.sent_ns + span_ns(trade, "rest_max_s"))
    if in_flight(trade):
        draft.expect_an_answer()
    if trade.next_attempt_ns is not None:
        draft.wake(NEXT_ATTEMPT, max(trade.next_attempt_ns, context.now_ns + NS_PER_MS))
    return draft.step()
