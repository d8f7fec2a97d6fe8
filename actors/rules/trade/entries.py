"""How a trade begins: with an entry order, by adoption, or not at all."""

from msgspec.structs import replace

from actors.rules.trade import notices
from actors.rules.trade.draft import Draft, entry_of
from actors.rules.trade.fills import EXACT, average
from actors.rules.trade.settings import span_ns
from actors.rules.trade.steps import ENTRY_TIMEOUT, EXPIRY, Context, Step
from bus.messages.orders import Action, OrderSubmit
from bus.messages.trades import Attempt, AttemptState, Purpose, Side, Trade, TradeState
from bus.messages.units import ZERO


def begin(trade: Trade, context: Context) -> Step:
    """Return the trade pending, its entry order on its way after the commit; rejected if it is too late to send one.

    Raises: IllegalMove if the trade is not `requested`.
    """
    last_ns = _last_moment_of_entry(trade, context)
    if context.now_ns >= last_ns:
        return reject(trade, "too late: no order leaves this close to the close time", context)
    draft = Draft(trade, context)
    order = _entry_order(trade, draft, last_ns)
    draft.put(
        Attempt(
            client_order_id=order.client_order_id,
            purpose=Purpose.ENTRY,
            attempt=1,
            state=AttemptState.SENT,
            quantity=order.quantity,
            limit_price=order.limit_price,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            sent_ns=context.now_ns,
            expires_ns=last_ns,
            side=order.side,
        )
    )
    draft.go(TradeState.PENDING)
    draft.entries.append(order)
    draft.wake(ENTRY_TIMEOUT, context.now_ns + span_ns(trade, "entry_timeout_s"))
    # A fill whose report was lost is a position without a stop: it must not stay so until the entry has timed out.
    draft.expect_an_answer()
    watch_close_time(draft)
    return draft.step()


def adopt(trade: Trade, context: Context) -> Step:
    """Return the trade open at its `entry_price`, `entry_ts` and `fees`, which the caller has set, with all its `quantity`.

    Raises: IllegalMove if the trade is not `requested`; ValueError without an entry price.
    """
    if trade.entry_price is None:
        raise ValueError(f"trade {trade.trade_id} is adopted without an entry price")
    draft = Draft(trade, context)
    cost = EXACT.multiply(trade.entry_price, trade.quantity)
    draft.change(
        filled_quantity=trade.quantity,
        open_quantity=trade.quantity,
        entry_cost=cost,
        entry_price=average(cost, trade.quantity),
        entry_ts=context.now_ns if trade.entry_ts is None else trade.entry_ts,
        pnl=ZERO - trade.fees,
    )
    draft.go(TradeState.OPEN)
    draft.notices.append(notices.opened(draft.trade, context, adopted=True))
    watch_close_time(draft)
    return draft.step()


def reject(trade: Trade, reason: str, context: Context) -> Step:
    """Return the trade refused before any order. Raises: IllegalMove if the trade is not `requested`."""
    draft = Draft(trade, context)
    draft.change(close_reason=reason)
    draft.go(TradeState.REJECTED)
    draft.notices.append(notices.rejected(draft.trade, context))
    return draft.step()


def watch_close_time(draft: Draft) -> None:
    """Set the timer of the close time. Linear instruments have none: there `close_ts` is a deadline for the time stop."""
    if draft.trade.side.is_event and draft.trade.close_ts is not None:
        draft.wake(EXPIRY, draft.trade.close_ts)


def time_out(draft: Draft) -> None:
    """The entry has been pending for too long: cancel it and look it up (SPEC 1.3, Entries)."""
    entry = entry_of(draft.trade)
    if entry is None or entry.state is AttemptState.DEAD:
        return
    draft.cancel(entry, "the entry was not answered in time")
    entry = entry_of(draft.trade)
    assert entry is not None
    if entry.expires_ns is None or draft.now_ns >= entry.expires_ns:
        draft.put(replace(entry, state=AttemptState.UNKNOWN))
    draft.ask(entry)
    draft.expect_an_answer()


def last_sending_ns(trade: Trade, context: Context) -> int | None:
    """Return the instant from which no order of this trade may leave; None where the instrument never closes."""
    if not trade.side.is_event or trade.close_ts is None:
        return None
    return trade.close_ts - context.venue.cutoff_ns


def _last_moment_of_entry(trade: Trade, context: Context) -> int:
    limits = [context.now_ns + span_ns(trade, "entry_valid_s")]
    limits += [limit for limit in (last_sending_ns(trade, context), trade.expires_ts) if limit is not None]
    return min(limits)


def _entry_order(trade: Trade, draft: Draft, expires_ns: int) -> OrderSubmit:
    return OrderSubmit(
        client_order_id=f"{trade.trade_id}-{Purpose.ENTRY}-1",
        trade_id=trade.trade_id,
        account=trade.account,
        mode=trade.mode,
        purpose=Purpose.ENTRY,
        attempt=1,
        ticker=trade.ticker,
        side=trade.side,
        action=Action.SELL if trade.side is Side.SHORT else Action.BUY,
        quantity=trade.quantity,
        limit_price=trade.limit_price,
        order_type="market" if trade.limit_price is None else "limit",
        time_in_force="ioc",
        reduce_only=False,
        expires_ts=expires_ns,
        epoch=draft.context.epoch,
        cause=draft.context.cause,
        trade_version=draft.version,
        settings_version=trade.settings_version,
        ts=draft.now_ns,
    )
