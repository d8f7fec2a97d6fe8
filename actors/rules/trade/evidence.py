"""What reports and look-ups prove about one order. Only this module ends an attempt that has left.

Facts about an order only grow: the fills booked (`filled`), the most the venue said it has filled (`reported`), the first
word that ends it (`evidence`). It is DEAD once there is such a word and every reported fill is booked, whatever came first.
"""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules.trade import closes, notices
from actors.rules.trade.attempts import note_found
from actors.rules.trade.draft import Draft, entry_of, find, reopen
from actors.rules.trade.fills import EXACT, average, book, own_price
from actors.rules.trade.late import REST, born_late
from actors.rules.trade.steps import LOOKUP, CloseWanted
from bus.messages.orders import OrderReport, ReportStatus, VenueAnswer, VenueFill, VenueOrder
from bus.messages.trades import Attempt, AttemptState, Fill, Purpose
from bus.messages.units import NS_PER_MS, ZERO

EMPTY_LOOKUP: Final = "empty_lookup"
"""Evidence of an order that the venue does not know, asked when it could no longer be on its way."""

MISSING_FILL_PATIENCE_NS: Final = 250 * NS_PER_MS
"""How long a fill may lag behind the report that counts it before the venue is asked."""

_ENDS: Final = (ReportStatus.REJECTED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.FILLED)


def hear_report(draft: Draft, report: OrderReport) -> None:
    """Fold one report: its fill, then its word about the order."""
    attempt = find(draft.trade, report.client_order_id)
    if attempt is None:
        return
    attempt = note_found(draft, attempt)
    if report.fill_id is not None and report.fill_price is not None and report.fill_quantity:
        take_fill(
            draft,
            attempt,
            Fill(
                fill_id=report.fill_id,
                client_order_id=report.client_order_id,
                purpose=attempt.purpose,
                price=own_price(draft.trade, attempt, report.fill_price),
                quantity=report.fill_quantity,
                fees=report.fees or ZERO,
                ts=report.ts,
            ),
        )
    note_word(draft, report.client_order_id, report.status, report.cumulative_quantity)


def hear_answer(draft: Draft, answer: VenueAnswer) -> None:
    """Fold what a look-up found. An error is evidence of nothing; an empty answer only once the order cannot fly any more."""
    attempt = find(draft.trade, answer.client_order_id)
    if attempt is None or answer.error is not None:
        return
    if answer.order is not None or answer.fills:
        attempt = note_found(draft, attempt)
    for found in answer.fills:
        if found.client_order_id == answer.client_order_id:
            take_fill(draft, attempt, _own_fill(draft, attempt, found))
    if answer.order is not None:
        note_word(draft, answer.client_order_id, answer.order.status, answer.order.cumulative_quantity)
        _fill_the_gap(draft, answer.order)
    elif _cannot_fly(draft, attempt):
        _end(draft, answer.client_order_id, EMPTY_LOOKUP)


def take_fill(draft: Draft, attempt: Attempt, fill: Fill) -> None:
    """Book a fill once.

    What a close filled beyond what was open, and any fill of a trade that has ended, becomes a trade of its own. A fill that
    is none of this trade's stays on it with quantity 0, so that hearing of it again is no news.
    """
    trade = draft.trade
    if any(known.fill_id in (fill.fill_id, looked_up(attempt)) for known in trade.fills if _same_order(known, fill)):
        return
    if trade.state.is_terminal:
        draft.late += born_late(trade, fill, draft.context)
        draft.notices.append(notices.late_fill(trade, fill, draft.context))
        return
    if _sold_what_is_not_known_yet(draft, attempt, fill):
        return
    own = min(fill.quantity, trade.open_quantity) if fill.purpose is Purpose.CLOSE else fill.quantity
    current = find(trade, attempt.client_order_id) or attempt
    book(draft, current, replace(fill, quantity=own, fees=fill.fees if own else ZERO))
    if own < fill.quantity:
        fees = ZERO if own else fill.fees
        rest = replace(fill, fill_id=f"{fill.fill_id}{REST}", quantity=fill.quantity - own, fees=fees)
        draft.put(replace(current, filled=current.filled + fill.quantity))
        draft.late += born_late(trade, rest, draft.context)
        draft.notices.append(notices.overfill(trade, rest.quantity, fill, draft.context))
    if fill.purpose is Purpose.ENTRY:
        _cover_the_unexpected(draft, current, fill)
    _judge(draft, attempt.client_order_id)


def _sold_what_is_not_known_yet(draft: Draft, attempt: Attempt, fill: Fill) -> bool:
    """Whether a close sold what its entry has filled unheard, as an earlier life knew: both are asked about, and it is booked then."""
    trade, entry = draft.trade, entry_of(draft.trade)
    if fill.purpose is not Purpose.CLOSE or entry is None or entry.state is AttemptState.DEAD:
        return False
    if not trade.open_quantity < fill.quantity <= trade.open_quantity + entry.quantity - entry.filled:
        return False
    close = find(trade, attempt.client_order_id) or attempt
    draft.put(replace(close, reported=max(close.reported, close.filled + fill.quantity)))
    draft.ask(entry)
    _judge(draft, attempt.client_order_id)
    return True


def _same_order(known: Fill, fill: Fill) -> bool:
    return known.client_order_id == fill.client_order_id or known.fill_id == fill.fill_id


def looked_up(attempt: Attempt) -> str:
    """Return the id of the fill that stands for all fills of an order whose venue names only its average."""
    return f"{attempt.client_order_id}-looked-up"


def _cover_the_unexpected(draft: Draft, before: Attempt, fill: Fill) -> None:
    """Close what an entry filled beyond its size, and what it filled after it counted as dead while a close is in effect."""
    trade = draft.trade
    excess = min(fill.quantity, max(ZERO, before.filled + fill.quantity - before.quantity))
    if excess:
        draft.notices.append(notices.overfill(trade, excess, fill, draft.context))
        wanted = (trade.close_wanted or ZERO) + excess
        closes.want(draft, CloseWanted(reason="overfill", quantity=wanted))
    elif before.state is AttemptState.DEAD:
        draft.notices.append(notices.late_fill(trade, fill, draft.context))
        if trade.close_wanted is not None:
            draft.change(close_wanted=trade.close_wanted + fill.quantity)


def note_word(draft: Draft, client_order_id: str, status: ReportStatus, cumulative: Decimal | None) -> None:
    """Fold what the venue says of an order."""
    attempt = find(draft.trade, client_order_id)
    if attempt is None or draft.trade.state.is_terminal:
        return
    said = attempt.quantity if status is ReportStatus.FILLED and cumulative is None else (cumulative or ZERO)
    state = attempt.state
    if attempt.evidence is None:
        if status is ReportStatus.UNKNOWN and state is not AttemptState.UNKNOWN:
            state = AttemptState.UNKNOWN
            draft.ask(attempt)
            draft.expect_an_answer()
        elif status in (ReportStatus.ACCEPTED, ReportStatus.PARTIALLY_FILLED) and _is_known_to_work(attempt):
            state = AttemptState.RESTING
    draft.put(replace(attempt, state=state, reported=max(attempt.reported, said), refused=False))
    if status in _ENDS:
        _end(draft, client_order_id, status.value)
    else:
        _judge(draft, client_order_id)


def _is_known_to_work(attempt: Attempt) -> bool:
    """Whether the word that a venue has an order is news: of one that rests, and of one that nobody knew of, until it is cancelled."""
    was_unknown = attempt.state is AttemptState.UNKNOWN and not attempt.cancel_requested
    return attempt.time_in_force == "gtc" or was_unknown


def _end(draft: Draft, client_order_id: str, word: str) -> None:
    attempt = find(draft.trade, client_order_id)
    if attempt is not None and attempt.evidence is None:
        draft.put(replace(attempt, evidence=word))
    _judge(draft, client_order_id)


def _judge(draft: Draft, client_order_id: str) -> None:
    """End the attempt if it is proven dead; ask soon if a fill that was reported is missing."""
    attempt = find(draft.trade, client_order_id)
    if attempt is None or draft.trade.state.is_terminal:
        return
    if attempt.filled >= attempt.quantity > ZERO:
        attempt = replace(attempt, evidence=ReportStatus.FILLED.value)
    if attempt.filled < attempt.reported:
        draft.put(attempt)
        reopen(draft, attempt.purpose)
        draft.wake(LOOKUP, draft.now_ns + MISSING_FILL_PATIENCE_NS)
    elif attempt.evidence is not None:
        draft.put(replace(attempt, state=AttemptState.DEAD, reported=attempt.filled, refused=False))


def _own_fill(draft: Draft, attempt: Attempt, found: VenueFill) -> Fill:
    return Fill(
        fill_id=found.fill_id,
        client_order_id=attempt.client_order_id,
        purpose=attempt.purpose,
        price=own_price(draft.trade, attempt, found.price),
        quantity=found.quantity,
        fees=found.fees or ZERO,
        ts=found.ts,
    )


def _cannot_fly(draft: Draft, attempt: Attempt) -> bool:
    """Whether an empty look-up proves that the order was never taken (DESIGN section 5, An executor)."""
    if attempt.expires_ns is None:
        return False  # It has not left.
    return draft.now_ns >= attempt.expires_ns + draft.context.venue.settle_bound_ns


def _fill_the_gap(draft: Draft, order: VenueOrder) -> None:
    """Book what a venue says only in sum: once the order has ended, long enough ago for its fills to have come singly.

    From then on a single fill of that order is one of those counted here. A trade that has ended counts nothing any more, so a
    sum would hold again what has become a trade of its own: what is told only in sum then is found as a position.
    """
    attempt = find(draft.trade, order.client_order_id)
    if attempt is None or draft.trade.state.is_terminal or order.average_price is None or order.status not in _ENDS:
        return
    missing = order.cumulative_quantity - attempt.filled
    if missing <= ZERO or not _cannot_fly(draft, attempt):
        return
    mine = [fill for fill in draft.trade.fills if fill.client_order_id == order.client_order_id]
    total = EXACT.multiply(own_price(draft.trade, attempt, order.average_price), order.cumulative_quantity)
    booked = sum((EXACT.multiply(fill.price, fill.quantity) for fill in mine), ZERO)
    price = average(EXACT.subtract(total, booked), missing)
    assert price is not None
    fees = (order.fees or ZERO) - sum((fill.fees for fill in mine), ZERO)
    take_fill(
        draft,
        attempt,
        Fill(
            fill_id=looked_up(attempt),
            client_order_id=order.client_order_id,
            purpose=attempt.purpose,
            price=max(ZERO, price),
            quantity=missing,
            fees=max(ZERO, fees),
            ts=attempt.sent_ns or draft.now_ns,
        ),
    )
