"""Closes that left while the record of them was lost: a process died, or PostgreSQL was away, between the order and its commit.

DESIGN section 4, Taking over: ORDERS says what left. A close found there that its trade does not know as sent becomes the
attempt that it was, so that its reports find it and no second one leaves beside it. Of several, only the last can still fly:
the desk sends the next one only when the one before is proven dead. Such an earlier one is asked about once, because what
proved it dead may have been a look-up that named fills which no report will bring again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from actors.rules.stops.verdicts import rule_of
from actors.rules.trade import closes
from actors.rules.trade.draft import Draft, alive, find, last_close
from actors.rules.trade.standing import settle_down
from actors.rules.trade.steps import CloseWanted, Context, Step
from actors.rules.trade.unknowns import as_ordered
from bus.messages.addresses import CHECK
from bus.messages.orders import OrderSubmit
from bus.messages.stops import StopDecision
from bus.messages.trades import Attempt, AttemptState, Purpose, Trade

LATER_ATTEMPT: Final = "later_attempt"
"""Evidence of an attempt whose own evidence was lost: a later one left, which happens only after it."""
REASON: Final = "its order was found in ORDERS"


def by_trade(submits: Iterable[OrderSubmit]) -> Mapping[str, tuple[OrderSubmit, ...]]:
    """Return the closes among `submits` by trade, in order of attempt, each once: the first under an id is in effect."""
    found: dict[str, dict[str, OrderSubmit]] = defaultdict(dict)
    for submit in submits:
        if submit.purpose is Purpose.CLOSE and not submit.trade_id.startswith(CHECK):
            found[submit.trade_id].setdefault(submit.client_order_id, submit)
    return {trade_id: tuple(sorted(ids.values(), key=lambda o: o.attempt)) for trade_id, ids in found.items()}


def unrecorded(trade: Trade, submits: Iterable[OrderSubmit]) -> tuple[OrderSubmit, ...]:
    """Return those of `submits` that the trade does not know as sent."""
    return tuple(order for order in submits if not _is_recorded(trade, order))


def _is_recorded(trade: Trade, order: OrderSubmit) -> bool:
    known = find(trade, order.client_order_id)
    return known is not None and known.state is not AttemptState.WANTED


def decisions(trade: Trade, lost: Iterable[OrderSubmit], told: Iterable[StopDecision]) -> list[StopDecision]:
    """Return the decisions that caused the closes `lost` of `trade`, each once, where their rows were lost as well.

    told: what LEDGER holds of them. Of one that is not there the order says that it fired, and when; its inputs are gone.
    """
    recorded = {attempt.decision_id for attempt in trade.attempts}
    known = {decision.decision_id: decision for decision in told}
    found: dict[str, StopDecision] = {}
    for order in lost:
        if order.decision_id is not None and order.decision_id not in recorded:
            found.setdefault(order.decision_id, known.get(order.decision_id) or _decision_of(order, order.decision_id))
    return list(found.values())


def _decision_of(order: OrderSubmit, decision_id: str) -> StopDecision:
    return StopDecision(
        decision_id=decision_id,
        trade_id=order.trade_id,
        rule=rule_of(decision_id, order.trade_id),
        fired=True,
        inputs={},
        guards=(),
        settings_version=order.settings_version,
        ts=order.ts,
    )


def take_in(trade: Trade, orders: Sequence[OrderSubmit], context: Context) -> Step:
    """Return `trade` with its unrecorded closes `orders` (at least one, in order of attempt) in effect: nothing leaves again."""
    draft = Draft(trade, context)
    _latch(draft, orders)
    for order in orders:
        draft.put(_attempt(draft, order))
        draft.taken.append(order)
    for attempt in alive(draft.trade, Purpose.CLOSE):
        if attempt.attempt < orders[-1].attempt:  # The newest of all: of an older one `find` would know.
            draft.put(replace(attempt, state=AttemptState.DEAD, evidence=attempt.evidence or LATER_ATTEMPT))
            draft.ask(attempt)
    draft.change(next_attempt_ns=None)
    settle_down(draft)
    return draft.step()


def _latch(draft: Draft, orders: Sequence[OrderSubmit]) -> None:
    """Let the close be in effect that the orders were of: a rule's is of everything, a person's at least of what was ordered."""
    if draft.trade.close_wanted is not None:
        return
    decided = next((order for order in orders if order.decision_id is not None), None)
    if decided is None or decided.decision_id is None:
        closes.want(draft, CloseWanted(reason=REASON, quantity=max(order.quantity for order in orders)))
        return
    rule = rule_of(decided.decision_id, draft.trade.trade_id)
    closes.want(draft, CloseWanted(reason=f"stop {rule}", rule=rule))


def _attempt(draft: Draft, order: OrderSubmit) -> Attempt:
    known = find(draft.trade, order.client_order_id)
    last = last_close(draft.trade)
    goes_on = draft.before.close_wanted is not None or draft.taken
    nth = last.nth + 1 if last is not None and goes_on else 1
    attempt = Attempt(
        client_order_id=order.client_order_id,
        purpose=Purpose.CLOSE,
        attempt=order.attempt,
        state=AttemptState.SENT,
        quantity=order.quantity,
        nth=known.nth if known is not None else nth,
    )
    return as_ordered(attempt, order)
