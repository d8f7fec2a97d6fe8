"""What is answered: every reply says who answers, in which epoch, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from actors.rules.trade.draft import last_close
from bus.messages.system import Error, ErrorCode, Reply
from bus.messages.trades import CloseInEffect, Trade, TradeList, Trades, TradeState

LIST_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Makes replies for one instance in one epoch."""

    instance: str
    epoch: int

    def ok(self, result: object, now_ns: int) -> Reply:
        """Return the answer that brings `result`."""
        return Reply(ok=True, result=result, instance=self.instance, epoch=self.epoch, ts=now_ns)

    def refused(self, error: Error, now_ns: int) -> Reply:
        """Return the answer that says why not."""
        return Reply(ok=False, error=error, instance=self.instance, epoch=self.epoch, ts=now_ns)


def close_in_effect(before: Trade, after: Trade) -> CloseInEffect:
    """Return the one close in effect, and whether the step from `before` to `after` began it."""
    order = last_close(after)
    return CloseInEffect(
        trade_id=after.trade_id,
        state=after.state,
        began=before.close_wanted is None and after is not before and after.close_reason is not None,
        reason=after.close_reason,
        client_order_id=order.client_order_id if order is not None else None,
    )


def not_found(trade_id: str) -> Error:
    """Return the refusal of an id that no trade has."""
    message = f"There is no trade {trade_id}: `run.py trade list` shows those there are."
    return Error(code=ErrorCode.NOT_FOUND, message=message)


def has_ended(trade_id: str, state: TradeState | None) -> Error:
    """Return the refusal of a close that comes after the end. state: None where only the end itself is remembered."""
    how = f"is {state}" if state is not None else "has ended"
    return Error(code=ErrorCode.TERMINAL, message=f"The trade {trade_id} {how}: there is nothing left to close.")


def lists_the_living_only(asked: TradeList) -> bool:
    """Whether memory can answer: ended trades stand in PostgreSQL alone."""
    return asked.states is not None and not any(state.is_terminal for state in asked.states)


def page(trades: Iterable[Trade], asked: TradeList) -> Trades:
    """Return one page of `trades` as asked, by id."""
    limit = max(1, min(asked.limit, LIST_MAX))
    chosen = sorted((trade for trade in trades if _is_asked_for(trade, asked)), key=lambda trade: trade.trade_id)
    shown = tuple(chosen[:limit])
    return Trades(trades=shown, next=shown[-1].trade_id if len(chosen) > limit else None)


def _is_asked_for(trade: Trade, asked: TradeList) -> bool:
    return (
        (asked.states is None or trade.state in asked.states)
        and (asked.account is None or trade.account == asked.account)
        and (asked.symbol is None or trade.symbol == asked.symbol)
        and (asked.since is None or trade.ts >= asked.since)
        and (asked.after is None or trade.trade_id > asked.after)
    )
