"""How a trade ends by itself: its market closes, the venue says the result, and each contract is paid.

A market's closing is that instrument's own (SPEC 1.3), never a full hour. A live trade settles by `account.settlement`, a
paper trade by the first `determined` or `settled` that has a result. Neither settles while an order is in flight: a fill
dated before the close time may still take the rest.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from actors.rules.trade import closes, entries, notices
from actors.rules.trade.attempts import drop
from actors.rules.trade.draft import Draft, alive, entry_of, in_flight
from actors.rules.trade.fills import EXACT, average, part
from actors.rules.trade.steps import Context
from bus.messages.market import Lifecycle, LifecycleEvent, Result
from bus.messages.notices import Notice
from bus.messages.orders import Settlement
from bus.messages.trades import AttemptState, Mode, Purpose, Side, Trade, TradeState
from bus.messages.units import ONE, ZERO

_OPEN_STATES: Final = (TradeState.OPEN, TradeState.PARTIAL_OPEN, TradeState.CLOSING, TradeState.PARTIAL_CLOSING)
_FLYING: Final = (AttemptState.SENT, AttemptState.RESTING)
_ENDS: Final = (LifecycleEvent.CLOSE, LifecycleEvent.DETERMINED, LifecycleEvent.SETTLED)


def has_closed(trade: Trade, now_ns: int) -> bool:
    """Whether the close time of the trade's own market has come. Linear instruments never close."""
    return trade.side.is_event and trade.close_ts is not None and now_ns >= trade.close_ts


def hear_lifecycle(draft: Draft, event: Lifecycle) -> None:
    """Fold what happened to the trade's market into its facts."""
    _learn_steps(draft, event)
    if event.event == LifecycleEvent.HALTED:
        draft.change(halted=True)
    elif event.event == LifecycleEvent.RESUMED and draft.trade.halted:
        draft.change(halted=False)
        closes.resume(draft)
    elif event.event == LifecycleEvent.CLOSE_TS_CHANGED and event.close_ts is not None:
        if draft.trade.state is not TradeState.EXPIRED:
            _move_close_time(draft, event.close_ts)
    elif event.event in _ENDS and draft.trade.side.is_event:
        _hear_the_end(draft, event)
    expire_if_closed(draft)


def _learn_steps(draft: Draft, event: Lifecycle) -> None:
    if event.tick_size:
        draft.change(tick_size=event.tick_size)
    if event.lot_size:
        draft.change(lot_size=event.lot_size)


def _move_close_time(draft: Draft, close_ts: int) -> None:
    if draft.trade.close_ts != close_ts:
        draft.change(close_ts=close_ts)
        entries.watch_close_time(draft)


def _hear_the_end(draft: Draft, event: Lifecycle) -> None:
    trade = draft.trade
    if trade.close_ts is None or event.ts < trade.close_ts:
        _move_close_time(draft, event.ts)
    if event.event == LifecycleEvent.CLOSE or event.result is None:
        return
    if trade.mode is Mode.PAPER:
        _learn_result(draft, event.result, event.payout, ZERO)
    elif trade.result is not None and trade.result is not event.result:
        draft.notices.append(notices.result_mismatch(trade, event.result, draft.context))


def hear_settlement(draft: Draft, settlement: Settlement) -> None:
    """Fold the venue's settlement into a live trade. `settlement.fees` is this trade's share (`shares`)."""
    trade = draft.trade
    if trade.mode is not Mode.LIVE or not trade.side.is_event:
        return
    if settlement.result not in tuple(Result):
        draft.notices.append(notices.result_unknown(trade, settlement.result, draft.context))
        return
    _learn_result(draft, Result(settlement.result), settlement.payout, settlement.fees or ZERO)
    if trade.close_ts is None:
        _move_close_time(draft, settlement.ts)
    expire_if_closed(draft)


def _learn_result(draft: Draft, result: Result, payout: Decimal | None, fees: Decimal) -> None:
    known = draft.trade.result
    if known is None:
        draft.change(result=result, payout=payout, settlement_fees=fees)
        if own_payout(draft.trade) is None:
            draft.notices.append(notices.result_unknown(draft.trade, f"{result} without a payout", draft.context))
    elif known is not result:
        draft.notices.append(notices.result_mismatch(draft.trade, result, draft.context))
    elif draft.trade.payout is None and payout is not None:
        draft.change(payout=payout)


def expire_if_closed(draft: Draft) -> None:
    """Let the trade expire if its close time has come: nothing is sent any more, what is in flight is looked up."""
    trade = draft.trade
    if not has_closed(trade, draft.now_ns):
        return
    entry = entry_of(trade)
    if trade.state is TradeState.PENDING and entry is not None and entry.state in _FLYING:
        draft.cancel(entry, "the market has closed")
        draft.put(replace(entry, state=AttemptState.UNKNOWN, cancel_requested=True))
        _ask_about_what_flies(draft)
    elif trade.state in _OPEN_STATES:
        for attempt in alive(trade, Purpose.CLOSE):
            if attempt.state is AttemptState.WANTED:
                drop(draft, attempt)
        draft.change(next_attempt_ns=None)
        draft.go(TradeState.EXPIRED)
        _ask_about_what_flies(draft)


def _ask_about_what_flies(draft: Draft) -> None:
    flying = in_flight(draft.trade)
    for attempt in flying:
        draft.ask(attempt)
    if flying:
        draft.expect_an_answer()


def own_payout(trade: Trade) -> Decimal | None:
    """Return what one contract of the trade's side is paid, dollars; None while nobody can tell.

    The venue's `payout` of a split or void is of the YES side.
    """
    match trade.result:
        case Result.YES:
            yes = ONE
        case Result.NO:
            yes = ZERO
        case Result.SPLIT | Result.VOID if trade.payout is not None:
            yes = trade.payout
        case _:
            return None
    return yes if trade.side is Side.YES else ONE - yes


def settle_if_known(draft: Draft) -> None:
    """Settle an expired trade once its result is known and no order is in flight."""
    trade = draft.trade
    paid = own_payout(trade)
    if trade.state is not TradeState.EXPIRED or paid is None or in_flight(trade):
        return
    value = EXACT.add(trade.exit_proceeds, EXACT.multiply(paid, trade.open_quantity))
    priced = trade.filled_quantity - trade.unpriced_quantity
    cost = part(trade.entry_cost, priced, trade.filled_quantity)
    fees = trade.fees + trade.settlement_fees
    draft.change(
        open_quantity=ZERO,
        exit_price=average(value, priced),
        exit_ts=trade.close_ts,
        fees=fees,
        pnl=EXACT.subtract(EXACT.subtract(value, cost), fees),
    )
    draft.go(TradeState.SETTLED)


def outcome(pnl: Decimal) -> str:
    """`win`, `loss` or `draw` by the sign of the profit."""
    if pnl == 0:
        return "draw"
    return "win" if pnl > 0 else "loss"


def shares(settlement: Settlement, trades: Sequence[Trade]) -> dict[str, Settlement]:
    """Return, by trade id, the settlement as each of these trades should hear it: the fees shared by open quantity.

    trades: those of the settled account and ticker with something open. The shares add up to the fees, exactly.
    """
    total = sum((trade.open_quantity for trade in trades), ZERO)
    left = settlement.fees or ZERO
    told: dict[str, Settlement] = {}
    for index, trade in enumerate(sorted(trades, key=lambda one: one.trade_id)):
        is_last = index == len(trades) - 1
        fees = left if is_last else part(settlement.fees or ZERO, trade.open_quantity, total)
        left -= fees
        told[trade.trade_id] = replace(settlement, fees=fees)
    return told


def revenue_differs(settlement: Settlement, trades: Sequence[Trade], context: Context) -> Notice | None:
    """Return an alarm if the venue paid something else than the payouts of our trades of that ticker add up to (Lesson 36).

    trades: as each stood before it heard of the settlement.
    """
    if settlement.result not in tuple(Result):
        return None
    paid = ZERO
    for trade in trades:
        own = own_payout(replace(trade, result=Result(settlement.result), payout=settlement.payout))
        paid = EXACT.add(paid, EXACT.multiply(own or ZERO, trade.open_quantity))
    return None if paid == settlement.revenue else notices.revenue_mismatch(settlement, paid, context)
