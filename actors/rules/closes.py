"""How a trade is closed: one close in effect, one attempt at a time, each priced, sent, and proven dead before the next.

A close is latched on the trade (`close_wanted`) and never asks its rule again. An attempt is first WANTED, then priced by a
mark and SENT; being WANTED uses no number up, so a halted market or a missing price only delays it.
"""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules import notices
from actors.rules.draft import Draft, alive, entry_of, last_close
from actors.rules.entries import last_sending_ns
from actors.rules.pricing import Terms, close_terms, to_lot
from actors.rules.steps import LOOKUP, NEXT_ATTEMPT, REST_OVER, CloseWanted
from actors.rules.trade_settings import span_ns
from bus.messages.orders import OrderSubmit
from bus.messages.stops import Mark, MarkWanted
from bus.messages.trades import Attempt, AttemptState, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_MS, NS_PER_S, ZERO

FIRST_DELAY_NS: Final = 250 * NS_PER_MS
LONGEST_DELAY_NS: Final = 5 * NS_PER_S
FAILING_AFTER: Final = 8
"""Tries of one close after which a critical notice says `close_failing`."""
FAILING_DELAY_NS: Final = 30 * NS_PER_S
LOOKUP_AFTER_NS: Final = 2 * NS_PER_S
"""When an unanswered `ioc` close is first looked up: a venue answers within milliseconds."""
MARK_PATIENCE_NS: Final = NS_PER_S
"""When a mark that nobody gave is asked for again."""
NEVER_SENT: Final = "never_sent"
"""Evidence of an attempt that ended before it left."""

_CLOSABLE: Final = (TradeState.OPEN, TradeState.PARTIAL_OPEN, TradeState.CLOSING, TradeState.PARTIAL_CLOSING)
_LATCHING: Final = (*_CLOSABLE, TradeState.PENDING, TradeState.UNKNOWN)


def delay_ns(nth: int) -> int:
    """Return how long after the death of the `nth` try the next one may leave."""
    if nth >= FAILING_AFTER:
        return FAILING_DELAY_NS
    return int(min(FIRST_DELAY_NS * 2 ** (nth - 1), LONGEST_DELAY_NS))


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
    if wanted.rule is not None:
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
    waiting = alive(trade, Purpose.CLOSE)
    if waiting:
        if waiting[-1].state is AttemptState.WANTED and mark is not None:
            price(draft, waiting[-1], mark)
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
        draft.wake(LOOKUP, draft.now_ns + LOOKUP_AFTER_NS)
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
        ask_for_mark(draft, attempt)
    else:
        price(draft, attempt, mark)


def ask_for_mark(draft: Draft, attempt: Attempt) -> None:
    """Ask what closing would bring now. A halted market uses no attempt, so nothing is asked until it resumes."""
    if draft.trade.halted:
        return
    draft.marks.append(
        MarkWanted(trade_id=draft.trade.trade_id, client_order_id=attempt.client_order_id, now_ns=draft.now_ns)
    )
    _try_again(draft, MARK_PATIENCE_NS)


def price(draft: Draft, attempt: Attempt, mark: Mark) -> None:
    """Send a WANTED attempt at the price that `mark` calls for; drop it if it is too late; wait if there is no price."""
    trade = draft.trade
    if trade.halted:
        return
    last_ns = last_sending_ns(trade, draft.context)
    if last_ns is not None and draft.now_ns >= last_ns:
        drop(draft, attempt)
        draft.notices.append(notices.too_late(draft.trade, draft.context))
        return
    quantity = _quantity_now(draft)
    if not quantity:
        _wait_for_the_position(draft, attempt)
        return
    terms = close_terms(trade, mark, attempt.nth, draft.context.venue)
    if terms is None:
        _try_again(draft, FIRST_DELAY_NS)
        return
    _send(draft, replace(attempt, quantity=quantity), terms, last_ns)


def _quantity_now(draft: Draft) -> Decimal:
    trade, held = draft.trade, draft.context.held
    quantity = min(trade.close_wanted or ZERO, trade.open_quantity)
    if held is not None:
        quantity = min(quantity, max(held, ZERO))
    return to_lot(quantity, trade.lot_size)


def _send(draft: Draft, attempt: Attempt, terms: Terms, last_ns: int | None) -> None:
    trade = draft.trade
    expires_ns = draft.now_ns + span_ns(trade, "close_valid_s")
    expires_ns = expires_ns if last_ns is None else min(expires_ns, last_ns)
    sent = replace(
        attempt,
        state=AttemptState.SENT,
        limit_price=terms.limit_price,
        time_in_force=terms.time_in_force,
        side=terms.side,
        sent_ns=draft.now_ns,
        expires_ns=expires_ns,
    )
    draft.put(sent)
    draft.change(next_attempt_ns=None)
    draft.closes.append(_order(draft, sent, terms))
    if terms.time_in_force == "gtc":
        over_ns = draft.now_ns + span_ns(trade, "rest_max_s")
        draft.wake(REST_OVER, over_ns if last_ns is None else min(over_ns, last_ns))
    else:
        draft.wake(LOOKUP, draft.now_ns + LOOKUP_AFTER_NS)


def _order(draft: Draft, attempt: Attempt, terms: Terms) -> OrderSubmit:
    trade = draft.trade
    assert attempt.expires_ns is not None
    return OrderSubmit(
        client_order_id=attempt.client_order_id,
        trade_id=trade.trade_id,
        account=trade.account,
        mode=trade.mode,
        purpose=Purpose.CLOSE,
        attempt=attempt.attempt,
        ticker=trade.ticker,
        side=terms.side,
        action=terms.action,
        quantity=attempt.quantity,
        limit_price=terms.limit_price,
        time_in_force=terms.time_in_force,
        reduce_only=True,
        expires_ts=attempt.expires_ns,
        epoch=draft.context.epoch,
        cause=draft.context.cause,
        decision_id=attempt.decision_id,
        trade_version=draft.version,
        settings_version=trade.settings_version,
        ts=draft.now_ns,
    )


def try_next(draft: Draft) -> None:
    """The wait before the next attempt is over, or a mark did not come."""
    trade = draft.trade
    if trade.close_wanted is None or trade.halted or trade.state not in _CLOSABLE:
        return
    due_ns = trade.next_attempt_ns
    if due_ns is None or draft.now_ns < due_ns:
        return
    waiting = alive(trade, Purpose.CLOSE)
    if waiting:
        if waiting[-1].state is AttemptState.WANTED:
            ask_for_mark(draft, waiting[-1])
        return
    draft.change(next_attempt_ns=None)
    last = last_close(trade)
    if not _is_dust(draft) and not _is_too_late(draft, begins=True):
        start(draft, nth=1 if last is None else last.nth + 1, decision_id=last.decision_id if last else None)


def resume(draft: Draft) -> None:
    """The market trades again: what was latched leaves now, not when its wait would have been over."""
    if draft.trade.next_attempt_ns is not None:
        draft.change(next_attempt_ns=draft.now_ns)
        try_next(draft)
        return
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.state is AttemptState.WANTED:
            ask_for_mark(draft, attempt)


def end_rest(draft: Draft, reason: str) -> None:
    """A resting close has rested long enough, or somebody bids again: cancel it; its end lets the next attempt begin."""
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.time_in_force == "gtc" and attempt.state is not AttemptState.WANTED and not attempt.cancel_requested:
            draft.cancel(attempt, reason)
            draft.wake(LOOKUP, draft.now_ns + LOOKUP_AFTER_NS)


def drop(draft: Draft, attempt: Attempt) -> None:
    """End an attempt that never left."""
    draft.put(replace(attempt, state=AttemptState.DEAD, evidence=NEVER_SENT))
    draft.change(next_attempt_ns=None)


def _withdraw_what_is_not_needed(draft: Draft) -> None:
    if draft.trade.open_quantity or draft.trade.state.is_terminal:
        return
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.state is AttemptState.WANTED:
            drop(draft, attempt)
        elif not attempt.cancel_requested:
            draft.cancel(attempt, "nothing is left to close")
            draft.wake(LOOKUP, draft.now_ns + LOOKUP_AFTER_NS)


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
    if last.nth == FAILING_AFTER:
        draft.notices.append(notices.close_failing(draft.trade, last, draft.context))
    elif last.nth < FAILING_AFTER:
        draft.notices.append(notices.close_retried(draft.trade, last, due_ns, draft.context))


def _wait_for_the_position(draft: Draft, attempt: Attempt) -> None:
    if attempt.quantity:
        draft.put(replace(attempt, quantity=ZERO))
        draft.notices.append(notices.position_mismatch(draft.trade, draft.context))
    _try_again(draft, LONGEST_DELAY_NS)


def _try_again(draft: Draft, after_ns: int) -> None:
    draft.change(next_attempt_ns=draft.now_ns + after_ns)
    draft.wake(NEXT_ATTEMPT, draft.now_ns + after_ns)
