"""Where a trade stands, read off its facts; and what follows from having come there."""

from typing import Final

from actors.rules.trade import closes, notices, settlement
from actors.rules.trade.draft import Draft, alive, entry_of, in_flight, last_close
from actors.rules.trade.steps import ENTRY_TIMEOUT, EXPIRY, LOOKUP, NEXT_ATTEMPT, REST_OVER
from bus.messages.stops import Mark
from bus.messages.trades import AttemptState, Purpose, Trade, TradeState
from bus.messages.units import ZERO

_ENTERING: Final = (TradeState.PENDING, TradeState.PARTIAL_OPEN, TradeState.UNKNOWN)
_TRYING: Final = (TradeState.CLOSING, TradeState.PARTIAL_CLOSING, TradeState.UNKNOWN)


def standing(trade: Trade, now_ns: int) -> TradeState:
    """Return the state that the trade's facts call for. What has ended stays; what has expired only settles or closes."""
    if trade.state.is_terminal or trade.state is TradeState.REQUESTED:
        return trade.state
    nothing_left = trade.filled_quantity > 0 and not trade.open_quantity and not alive(trade)
    if trade.state is TradeState.EXPIRED:
        return TradeState.CLOSED if nothing_left else TradeState.EXPIRED
    if any(attempt.state is AttemptState.UNKNOWN for attempt in trade.attempts):
        return TradeState.UNKNOWN
    if not trade.filled_quantity:
        return TradeState.PENDING if alive(trade, Purpose.ENTRY) else TradeState.REJECTED
    if nothing_left:
        return TradeState.CLOSED
    if trade.state is TradeState.UNKNOWN and settlement.has_closed(trade, now_ns):
        return TradeState.EXPIRED
    if alive(trade, Purpose.ENTRY) and trade.state in _ENTERING:
        return TradeState.PARTIAL_OPEN
    if alive(trade, Purpose.CLOSE):
        return TradeState.CLOSING
    last = last_close(trade)
    if last is not None and last.filled and trade.close_wanted is not None and trade.state in _TRYING:
        return TradeState.PARTIAL_CLOSING
    return TradeState.OPEN


def settle_down(
    draft: Draft, *, begins: bool = False, mark: Mark | None = None, decision_id: str | None = None
) -> None:
    """Bring the trade to where its facts put it, and say what follows: the next order, a settlement, notices, timers."""
    _finish_the_close(draft)
    if not _closes_at_once(draft):
        draft.go(standing(draft.trade, draft.now_ns))
    closes.advance(draft, begins=begins, mark=mark, decision_id=decision_id)
    draft.go(standing(draft.trade, draft.now_ns))
    settlement.settle_if_known(draft)
    if draft.trade.state.is_terminal and not draft.before.state.is_terminal:
        _clear(draft)
    _tell(draft)
    _let_timers_sleep(draft)


def _closes_at_once(draft: Draft) -> bool:
    """Whether the rest of the entry has just ended for the sake of a close: the trade is never open in between."""
    trade = draft.trade
    waits = trade.state is TradeState.PARTIAL_OPEN and trade.close_wanted is not None
    return waits and standing(trade, draft.now_ns) is TradeState.OPEN


def _finish_the_close(draft: Draft) -> None:
    trade = draft.trade
    if trade.close_wanted is None or alive(trade, Purpose.ENTRY):
        return
    wanted = min(trade.close_wanted, trade.open_quantity)
    if wanted:
        draft.change(close_wanted=wanted)
    elif not alive(trade, Purpose.CLOSE) and trade.filled_quantity:
        draft.change(close_wanted=None, next_attempt_ns=None)
    else:
        draft.change(close_wanted=ZERO)


def _clear(draft: Draft) -> None:
    """A trade that has ended waits for nothing; what was heard of a settlement does not concern one that was closed before."""
    settled = draft.trade.state is TradeState.SETTLED
    trade = draft.trade
    draft.change(
        close_wanted=None,
        next_attempt_ns=None,
        halted=False,
        result=trade.result if settled else None,
        payout=trade.payout if settled else None,
        settlement_fees=trade.settlement_fees if settled else ZERO,
    )
    if trade.filled_quantity and not trade.unpriced_quantity:
        draft.change(outcome=settlement.outcome(draft.trade.pnl))


def _tell(draft: Draft) -> None:
    """Say the notices that belong to the edges taken."""
    trade, context = draft.trade, draft.context
    for edge in draft.edges:
        match edge.to_state:
            case TradeState.OPEN if edge.from_state in (TradeState.PENDING, TradeState.PARTIAL_OPEN):
                draft.notices.append(notices.opened(trade, context))
            case TradeState.CLOSING if edge.from_state is TradeState.PARTIAL_OPEN:
                draft.notices.append(notices.opened(trade, context))
            case TradeState.REJECTED:
                draft.notices.append(notices.rejected(trade, context))
            case TradeState.CLOSED:
                draft.notices.append(notices.closed(trade, context))
            case TradeState.EXPIRED:
                draft.notices.append(notices.expired(trade, context))
            case TradeState.SETTLED:
                draft.notices.append(notices.settled(trade, context))
            case TradeState.UNKNOWN:
                draft.notices.append(notices.unknown_order(trade, context))
            case _:
                pass
        if edge.from_state is TradeState.UNKNOWN:
            draft.notices.append(notices.reconciled(trade, context))


def _let_timers_sleep(draft: Draft) -> None:
    before, trade = draft.before, draft.trade
    if trade.state.is_terminal and not before.state.is_terminal:
        draft.let_sleep(ENTRY_TIMEOUT, NEXT_ATTEMPT, REST_OVER, LOOKUP, EXPIRY)
        return
    entry, entry_before = entry_of(trade), entry_of(before)
    if entry and entry_before and entry.state is AttemptState.DEAD and entry_before.state is not AttemptState.DEAD:
        draft.let_sleep(ENTRY_TIMEOUT)
    if in_flight(before) and not in_flight(trade):
        draft.let_sleep(LOOKUP, REST_OVER)
    if before.next_attempt_ns is not None and trade.next_attempt_ns is None:
        draft.let_sleep(NEXT_ATTEMPT)
