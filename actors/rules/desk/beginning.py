"""How the desk begins: with what the record holds, what left without a record, and what settings changed meanwhile."""

from collections.abc import Callable

from actors.rules.desk import asked, notices
from actors.rules.desk.commits import Minutes
from actors.rules.desk.state import DeskState
from actors.rules.reconcile.terms import AccountKey
from actors.rules.trade import lifecycle, taken_over
from bus.messages.records import OrdersTail


def begin(state: DeskState, now_ns: int, tail: OrdersTail, hear: Callable[[object], list[object]]) -> list[object]:
    """Say what recovery needs: each open trade, its timers, questions and marks; what settings changed for it since.

    tail: the end of ORDERS. Closes whose record was lost are taken in first, then what was reported meanwhile is heard. Orders
    that NATS may not have are the outbox relay's: it has their very words.
    """
    for trade in state.blotter.live.values():
        state.meet(AccountKey(trade.venue, trade.account), now_ns)
    found = _take_in(state, tail, now_ns)
    for report in tail.reports:
        found += hear(report)
    minutes = Minutes(now_ns=now_ns, cause=f"start:{state.epoch}")
    if strangers := [order for orders in state.strangers.values() for order in orders]:
        minutes.notices.append(notices.orders_of_nobody(strangers, now_ns))
    living = list(state.blotter.live.values())
    if state.gate.unreadable:
        minutes.notices.append(notices.settings_unreadable(state.gate.unreadable, now_ns))
    else:
        asked.refresh(state, minutes, state.rules)
    newest = {trade.trade_id: trade for trade in minutes.trades()}
    for trade in living:
        known = newest.get(trade.trade_id, trade)
        minutes.take(known, lifecycle.recover(known, state.context(known, minutes)))
    return [*found, *living, *state.conclude(minutes)]


def _take_in(state: DeskState, tail: OrdersTail, now_ns: int) -> list[object]:
    """Take in the closes of trades that are on record; those of others wait for their trade to be born again."""
    minutes = Minutes(now_ns=now_ns, cause=f"taken over:{state.epoch}")
    state.told = tail.decisions
    for trade_id, orders in taken_over.by_trade(tail.submits).items():
        trade = state.blotter.live.get(trade_id)
        if trade is not None:
            state.take_in(minutes, trade, orders)
        elif not state.blotter.is_taken(trade_id):
            state.strangers[trade_id] = orders
    return state.conclude(minutes)
