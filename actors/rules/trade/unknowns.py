"""Unknown is a state: an order that nobody answered is asked about until there is evidence, and never assumed dead."""

from typing import Final

from msgspec.structs import replace

from actors.rules.trade import notices
from actors.rules.trade.draft import Draft, find, in_flight, lacking
from actors.rules.trade.steps import LOOKUP
from bus.messages.orders import OrderSubmit
from bus.messages.records import OrderRefused, OrderStored
from bus.messages.trades import Attempt, AttemptState, Purpose
from bus.messages.units import NS_PER_MS, NS_PER_S

_SHORTEST_WAIT_NS: Final = 250 * NS_PER_MS
_LONGEST_WAIT_NS: Final = 5 * NS_PER_S


def look_up(draft: Draft) -> None:
    """Ask about every order that should have been answered by now; one past its last moment of sending is UNKNOWN.

    The waits between two questions double: each is as long as the order has been away, between 0.25 s and 5 s.
    """
    waits: list[int] = []
    for attempt in (*in_flight(draft.trade), *lacking(draft.trade)):
        if attempt.time_in_force == "gtc" and not (attempt.cancel_requested or attempt.evidence):
            continue  # It rests as it should; `rest_max_s` ends that.
        _judge_its_time(draft, attempt)
        draft.ask(attempt)
        away_ns = draft.now_ns - (attempt.sent_ns or draft.now_ns)
        waits.append(min(_LONGEST_WAIT_NS, max(_SHORTEST_WAIT_NS, away_ns)))
    if waits:
        draft.wake(LOOKUP, draft.now_ns + min(waits))


def _judge_its_time(draft: Draft, attempt: Attempt) -> None:
    """Of an order past its last moment nobody knows what became of it; one that was found to work then is cancelled first."""
    if attempt.state in (AttemptState.UNKNOWN, AttemptState.DEAD) or draft.now_ns < (attempt.expires_ns or 0):
        return
    works = attempt.state is AttemptState.RESTING and attempt.evidence is None
    if works and not attempt.cancel_requested:
        draft.cancel(attempt, "it works past its last moment")
    else:
        draft.put(replace(attempt, state=AttemptState.UNKNOWN))


def note_outcome(draft: Draft, outcome: OrderStored | OrderRefused) -> None:
    """Take note of what ORDERS said of an order: that it has it, or has it not taken so far."""
    if isinstance(outcome, OrderRefused):
        _note_refused(draft, outcome)
    else:
        _note_stored(draft, outcome)


def _note_stored(draft: Draft, stored: OrderStored) -> None:
    """Whatever was said of its being refused is over. Another order stored under its id is in effect."""
    attempt = find(draft.trade, stored.client_order_id)
    if attempt is None or attempt.state is AttemptState.DEAD:
        return
    if stored.stored is not None:
        draft.put(as_ordered(attempt, stored.stored))
        draft.notices.append(notices.other_order(draft.trade, stored.stored, draft.context))
    elif attempt.refused:
        draft.put(replace(attempt, refused=False))


def as_ordered(attempt: Attempt, order: OrderSubmit) -> Attempt:
    """Return `attempt` on the terms of an order that left under its id."""
    return replace(
        attempt,
        quantity=order.quantity,
        limit_price=order.limit_price,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        side=order.side,
        sent_ns=order.ts,
        expires_ns=order.expires_ts,
        decision_id=order.decision_id,
        refused=False,
    )


def _note_refused(draft: Draft, refused: OrderRefused) -> None:
    """ORDERS has not taken the order so far. The wire publishes it again under the same id; people hear of it once."""
    attempt = find(draft.trade, refused.client_order_id)
    if attempt is None or attempt.refused or attempt.state not in (AttemptState.SENT, AttemptState.UNKNOWN):
        return
    draft.put(replace(attempt, refused=True))
    if attempt.purpose is Purpose.CLOSE:
        draft.notices.append(notices.order_refused(draft.trade, attempt, refused.error, draft.context))
