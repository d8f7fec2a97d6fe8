"""One attempt of a close on its way out: the mark it waits for, its size and price, its order.

An attempt is WANTED until it is priced. Whatever keeps it from leaving (a halted market, a book that names no price, a
position that is not there, a venue that has not said yet what the account holds) uses no number up: it is asked about again.
"""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules.trade import notices
from actors.rules.trade.draft import Draft
from actors.rules.trade.entries import last_sending_ns
from actors.rules.trade.pricing import Terms, close_terms, to_lot, way_out
from actors.rules.trade.settings import span_ns
from actors.rules.trade.steps import NEXT_ATTEMPT, REST_OVER
from bus.messages.orders import Action, OrderSubmit
from bus.messages.stops import Mark, MarkWanted
from bus.messages.trades import Attempt, AttemptState, Purpose
from bus.messages.units import NS_PER_MS, NS_PER_S, ZERO

FIRST_DELAY_NS: Final = 250 * NS_PER_MS
LONGEST_DELAY_NS: Final = 5 * NS_PER_S
MARK_PATIENCE_NS: Final = NS_PER_S
"""When a mark that nobody gave is asked for again."""
NEVER_SENT: Final = "never_sent"
"""Evidence of an attempt that ended before it left."""


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
    unheard_until_ns = draft.context.unheard_until_ns
    if unheard_until_ns is not None and draft.now_ns < unheard_until_ns:
        _try_again(draft, unheard_until_ns - draft.now_ns)
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
    draft.closes.append(_order(draft, sent, terms.action))
    if terms.time_in_force == "gtc":
        over_ns = draft.now_ns + span_ns(trade, "rest_max_s")
        draft.wake(REST_OVER, over_ns if last_ns is None else min(over_ns, last_ns))
    else:
        draft.expect_an_answer()


def note_found(draft: Draft, attempt: Attempt) -> Attempt:
    """Return a close that a venue tells of, though here it waits for its price: it left in an earlier life, of which nothing is on record.

    So it is in flight, and no other leaves beside it. Its terms stand in ORDERS; its row says what is known here.
    """
    if attempt.state is not AttemptState.WANTED:
        return attempt
    trade = draft.trade
    side, action = way_out(trade, draft.context.venue)
    found = replace(
        attempt,
        state=AttemptState.SENT,
        quantity=attempt.quantity or trade.open_quantity,
        side=side,
        sent_ns=draft.now_ns,
        expires_ns=draft.now_ns + span_ns(trade, "close_valid_s"),
    )
    draft.put(found)
    draft.change(next_attempt_ns=None)
    draft.taken.append(_order(draft, found, action))
    draft.expect_an_answer()
    return found


def _order(draft: Draft, attempt: Attempt, action: Action) -> OrderSubmit:
    trade = draft.trade
    assert attempt.expires_ns is not None
    assert attempt.side is not None
    return OrderSubmit(
        client_order_id=attempt.client_order_id,
        trade_id=trade.trade_id,
        account=trade.account,
        mode=trade.mode,
        purpose=Purpose.CLOSE,
        attempt=attempt.attempt,
        ticker=trade.ticker,
        side=attempt.side,
        action=action,
        quantity=attempt.quantity,
        limit_price=attempt.limit_price,
        time_in_force=attempt.time_in_force,
        reduce_only=True,
        expires_ts=attempt.expires_ns,
        epoch=draft.context.epoch,
        cause=draft.context.cause,
        decision_id=attempt.decision_id,
        trade_version=draft.version,
        settings_version=trade.settings_version,
        ts=draft.now_ns,
        unreconciled=draft.context.unheard_until_ns is not None,
    )


def drop(draft: Draft, attempt: Attempt) -> None:
    """End an attempt that never left."""
    draft.put(replace(attempt, state=AttemptState.DEAD, evidence=NEVER_SENT))
    draft.change(next_attempt_ns=None)


def _wait_for_the_position(draft: Draft, attempt: Attempt) -> None:
    if attempt.quantity:
        draft.put(replace(attempt, quantity=ZERO))
        draft.notices.append(notices.position_mismatch(draft.trade, draft.context))
    _try_again(draft, LONGEST_DELAY_NS)


def _try_again(draft: Draft, after_ns: int) -> None:
    draft.change(next_attempt_ns=draft.now_ns + after_ns)
    draft.wake(NEXT_ATTEMPT, draft.now_ns + after_ns)
