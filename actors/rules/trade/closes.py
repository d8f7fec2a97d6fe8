"""How a trade is closed: one close in effect, one attempt at a time, each priced, sent, and proven dead before the next.

A close is latched on the trade (`close_wanted`) and never asks its rule again. An attempt is first WANTED, then priced by a
mark and SENT; being WANTED uses no number up, so a halted market or a missing price only delays it.
"""

from decimal import Decimal
from typing import Final

from actors.rules.trade import attempts, notices
from actors.rules.trade.attempts import FIRST_DELAY_NS, LONGEST_DELAY_NS
from actors.rules.trade.draft import Draft, alive, entry_of, last_close, reopen
from actors.rules.trade.entries import last_sending_ns
from actors.rules.trade.pricing import to_lot
from actors.rules.trade.steps import NEXT_ATTEMPT, CloseWanted
from bus.messages.accounts import DRAWDOWN
from bus.messages.stops import Mark
from bus.messages.trades import Attempt, AttemptState, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_S, ZERO

FAILING_AFTER: Final = 8
"""Tries of one close after which a critical notice says `close_failing`."""
FAILING_DELAY_NS: Final = 30 * NS_PER_S

_CLOSABLE: Final = (TradeState.OPEN, TradeState.PARTIAL_OPEN, TradeState.CLOSING, TradeState.PARTIAL_CLOSING)
_LATCHING: Final = (*_CLOSABLE, TradeState.PENDING, TradeState.UNKNOWN)


def delay_ns(nth: int) -> int:
    """Return how long after the death of the `nth` try the next one may leave."""
    if nth >= FAILING_AFTER:
        return FAILING_DELAY_NS
    return int(min(FIRST_DELAY_NS * 2 ** (nth - 1), LONGEST_DELAY_NS))


def is_under_way(trade: Trade) -> bool:
    """Whether `trade` is being closed: a close is wanted, or one that counted as dead may have filled more than is booked."""
    return trade.close_wanted is not None or trade.state in (TradeState.CLOSING, TradeState.PARTIAL_CLOSING)


def is_failing(trade: Trade) -> bool:
    """Whether the close in effect has failed so often that the trade counts as unprotected(close_failing)."""
    last = last_close(trade)
    if trade.close_wanted is None or last is None:
        return False
    return last.nth > FAILING_AFTER or (last.nth == FAILING_AFTER and last.state is AttemptState.DEAD)


def want(draft: Draft, wanted: CloseWanted) -> bool:
    """Latch a close, or attach a second reason to the one in effect; return whether a close begins (Fault 56)."""
    trade = draft.trade
    if trade.state not in _LATCHING:
        return False
    name = wanted.rule or wanted.reason
    quantity = _wanted_quantity(trade, wanted.quantity)
    if trade.close_wanted is not None:
        known = name in (trade.rule, trade.close_reason, *trade.attached)
        draft.change(
            close_wanted=max(trade.close_wanted, quantity),
            attached=trade.attached if known else (*trade.attached, name),
        )
        return False
    draft.change(close_wanted=quantity, rule=wanted.rule, close_reason=wanted.reason, attached=())
    if wanted.rule is not None and wanted.rule != DRAWDOWN:  # One notice speaks for a whole account.
        draft.notices.append(notices.stop_fired(draft.trade, wanted.rule, draft.context))
    return True


def _wanted_quantity(trade: Trade, quantity: Decimal | None) -> Decimal:
    entry = entry_of(trade)
    most = trade.open_quantity
    if entry is not None and entry.state is not AttemptState.DEAD:
        most = max(most, trade.quantity)
    return most if quantity is None else min(quantity, most)


def advance(draft: Draft, *, begins: bool = False, mark: Mark | None = None, decision_id: str | None = None) -> None:
    """Say what the close in effect still lacks: a cancel, an attempt, a price, a timer; nothing if it waits for evidence.

    begins: the close was latched in this step, so whatever attempts there are belong to an earlier one.
    """
    _withdraw_what_is_not_needed(draft)
    trade = draft.trade
    if trade.close_wanted is None or trade.state not in _LATCHING:
        return
    if cancel_entry(draft) or trade.state not in _CLOSABLE:
        return
    reopen(draft, Purpose.CLOSE)
    waiting = alive(draft.trade, Purpose.CLOSE)
    if waiting:
        flies = any(attempt.state is not AttemptState.WANTED for attempt in waiting)
        if waiting[-1].state is AttemptState.WANTED and mark is not None and not flies:
            attempts.price(draft, waiting[-1], mark)
        return
    if trade.next_attempt_ns is not None or _is_dust(draft) or _is_too_late(draft, begins=begins):
        return
    last = last_close(trade)
    if begins or last is None:
        start(draft, nth=1, mark=mark, decision_id=decision_id)
    else:
        _wait_for_the_next(draft, last)


def cancel_entry(draft: Draft) -> bool:
    """Cancel what is left of the entry; return whether the close must wait for it."""
    entry = entry_of(draft.trade)
    if entry is None or entry.state is AttemptState.DEAD:
        return False
    if not entry.cancel_requested:
        draft.cancel(entry, "a close is wanted")
        draft.expect_an_answer()
    return True


def start(draft: Draft, *, nth: int, mark: Mark | None = None, decision_id: str | None = None) -> None:
    """Begin the next attempt: priced and sent at once where the mark is at hand, else the mark is asked for."""
    trade = draft.trade
    last = last_close(trade)
    number = 1 if last is None else last.attempt + 1
    attempt = Attempt(
        client_order_id=f"{trade.trade_id}-{Purpose.CLOSE}-{number}",
        purpose=Purpose.CLOSE,
        attempt=number,
        state=AttemptState.WANTED,
        quantity=to_lot(trade.close_wanted or ZERO, trade.lot_size),
        decision_id=decision_id,
        nth=nth,
    )
    draft.put(attempt)
    draft.change(next_attempt_ns=None)
    if mark is None:
        attempts.ask_for_mark(draft, attempt)
    else:
        attempts.price(draft, attempt, mark)


def try_next(draft: Draft) -> None:
    """The wait before the next attempt is over, or a mark did not come."""
    trade = draft.trade
    if trade.close_wanted is None or trade.halted or trade.state not in _CLOSABLE:
        return
    due_ns, last = trade.next_attempt_ns, last_close(trade)
    if due_ns is None or last is None or draft.now_ns < due_ns:
        return
    waiting = alive(trade, Purpose.CLOSE)
    if waiting:
        if waiting[-1].state is AttemptState.WANTED:
            attempts.ask_for_mark(draft, waiting[-1])
        return
    draft.change(next_attempt_ns=None)
    if not _is_dust(draft) and not _is_too_late(draft, begins=True):
        start(draft, nth=last.nth + 1, decision_id=last.decision_id)


def resume(draft: Draft) -> None:
    """The market trades again: what was latched leaves now, not when its wait would have been over."""
    if draft.trade.next_attempt_ns is not None:
        draft.change(next_attempt_ns=draft.now_ns)
        try_next(draft)
        return
    release(draft)


def release(draft: Draft) -> None:
    """What kept a wanted attempt from leaving may be over: price it now."""
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.state is AttemptState.WANTED:
            attempts.ask_for_mark(draft, attempt)


def end_rest(draft: Draft, reason: str) -> None:
    """A resting close has rested long enough, or somebody bids again: cancel it; its end lets the next attempt begin."""
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.time_in_force == "gtc" and attempt.state is not AttemptState.WANTED and not attempt.cancel_requested:
            draft.cancel(attempt, reason)
            draft.expect_an_answer()


def _withdraw_what_is_not_needed(draft: Draft) -> None:
    if draft.trade.open_quantity or draft.trade.state.is_terminal:
        return
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.state is AttemptState.WANTED:
            attempts.drop(draft, attempt)
        elif not attempt.cancel_requested:
            draft.cancel(attempt, "nothing is left to close")
            draft.expect_an_answer()


def _is_dust(draft: Draft) -> bool:
    trade = draft.trade
    if to_lot(trade.close_wanted or ZERO, trade.lot_size):
        return False
    if not trade.dust:
        draft.change(dust=True)
        draft.notices.append(notices.dust(draft.trade, draft.context))
    return True


def _is_too_late(draft: Draft, *, begins: bool) -> bool:
    last_ns = last_sending_ns(draft.trade, draft.context)
    if last_ns is None or draft.now_ns < last_ns:
        return False
    if begins or alive(draft.before, Purpose.CLOSE):
        draft.notices.append(notices.too_late(draft.trade, draft.context))
    return True


def _wait_for_the_next(draft: Draft, last: Attempt) -> None:
    due_ns = draft.now_ns + delay_ns(last.nth)
    last_ns = last_sending_ns(draft.trade, draft.context)
    if last_ns is not None and due_ns >= last_ns:
        if alive(draft.before, Purpose.CLOSE):
            draft.notices.append(notices.too_late(draft.trade, draft.context))
        return
    draft.change(next_attempt_ns=due_ns)
    draft.wake(NEXT_ATTEMPT, due_ns)
    if last.nth < FAILING_AFTER:
        draft.notices.append(notices.close_retried(draft.trade, last, due_ns, draft.context))
    elif last.nth == FAILING_AFTER:
        draft.notices.append(notices.close_failing(draft.trade, last, draft.context))
