"""How the desk hears news: reports of orders, lifecycle events of markets, positions, settlements, balances."""

from typing import Any

from msgspec.structs import replace

from actors.rules.desk import notices as desk_notices
from actors.rules.desk.accounts import hear_balance
from actors.rules.desk.commits import Minutes
from actors.rules.desk.state import DeskState, minutes_of, without_fees
from actors.rules.trade.draft import find
from actors.rules.trade.late import late_trade_id
from actors.rules.trade.settlement import revenue_differs, shares
from bus.messages.addresses import CHECK
from bus.messages.envelope import Received
from bus.messages.market import Lifecycle
from bus.messages.orders import Balance, OrderReport, Position, Settlement, VenueAnswer
from bus.messages.trades import Mode, Trade

News = OrderReport | Lifecycle | Position | Settlement | Balance


def hear_news(state: DeskState, received: Received[Any], news: News) -> list[object]:
    """Apply one piece of news, exactly once; the caller knows that it is new."""
    match news:
        case OrderReport():
            return _hear_report(state, received, news)
        case Lifecycle():
            return _hear_lifecycle(state, received, news)
        case Position():
            return _hear_position(state, received, news)
        case Settlement():
            return _hear_settlement(state, received, news)
        case Balance():
            return hear_balance(state, received, news)


def _hear_report(state: DeskState, received: Received[OrderReport], report: OrderReport) -> list[object]:
    trade = _trade_of_order(state, report.client_order_id)
    if trade is None:
        return _hear_stranger(state, received)
    minutes = minutes_of(received)
    minutes.reports.append(report)
    if report.fill_id is None or not _is_booked_elsewhere(state, trade, report.fill_id):
        state.tell(minutes, trade, report)
    return state.conclude(minutes)


def hear_answer(state: DeskState, answer: VenueAnswer) -> list[object]:
    """Apply what a venue said of an order. Fills of an order that no trade has are told to people, once."""
    minutes = Minutes(now_ns=answer.now_ns, cause=f"VenueAnswer:{answer.client_order_id}")
    trade = _trade_of_order(state, answer.client_order_id)
    if trade is not None:
        fills = tuple(fill for fill in answer.fills if not _is_booked_elsewhere(state, trade, fill.fill_id))
        state.tell(minutes, trade, replace(answer, fills=fills))
    elif strange := [fill for fill in answer.fills if state.seen.booked_on(answer.account, fill.fill_id) is None]:
        minutes.notices.append(desk_notices.fills_of_nobody(answer, strange))
    return state.conclude(minutes)


def _trade_of_order(state: DeskState, client_order_id: str) -> Trade | None:
    """Return the trade that issued an order: ids are `<trade_id>-<purpose>-<attempt>`."""
    trade_id = client_order_id.rsplit("-", 2)[0]
    trade = state.blotter.find(trade_id)
    return trade if trade is not None and find(trade, client_order_id) is not None else None


def _is_booked_elsewhere(state: DeskState, trade: Trade, fill_id: str) -> bool:
    """Whether a fill became a trade of its own before, or was booked before the start on a trade that has ended."""
    if any(fill.fill_id == fill_id for fill in trade.fills):
        return False
    booked_on = state.seen.booked_on(trade.account, fill_id)
    return booked_on is not None or state.blotter.is_taken(late_trade_id(fill_id))


def _hear_stranger(state: DeskState, received: Received[OrderReport]) -> list[object]:
    """A report of an order that no trade has: kept with its raw bytes, told, and nothing else. One of a check is nobody's."""
    if received.message.client_order_id.startswith(CHECK):
        return state.conclude(minutes_of(received))
    minutes = minutes_of(received, proves=False)
    minutes.quarantine(received, f"no trade has the order {received.message.client_order_id}")
    minutes.notices.append(desk_notices.unknown_order(received))
    return state.conclude(minutes)


def _hear_lifecycle(state: DeskState, received: Received[Lifecycle], event: Lifecycle) -> list[object]:
    """Tell every trade of that ticker. Without any it costs an inbox row and what is remembered of the market."""
    minutes = minutes_of(received)
    for trade in state.blotter.on(event.ticker):
        state.tell(minutes, trade, event)
    minutes.effects.append(lambda: state.blotter.hear_market(event))
    return state.conclude(minutes)


def _hear_position(state: DeskState, received: Received[Position], position: Position) -> list[object]:
    minutes = minutes_of(received)
    minutes.positions.append(position)
    for trade in state.blotter.on(position.ticker):
        if trade.account == position.account:
            state.tell(minutes, trade, position)
    minutes.effects.append(lambda: state.blotter.hear_position(position))
    return state.conclude(minutes)


def _hear_settlement(state: DeskState, received: Received[Settlement], settlement: Settlement) -> list[object]:
    """Tell the live trades of that account and ticker, the fees shared among those that hold something."""
    minutes = minutes_of(received)
    minutes.settlements.append(settlement)
    concerned = [
        trade
        for trade in state.blotter.on(settlement.ticker)
        if trade.account == settlement.account and trade.mode is Mode.LIVE
    ]
    holding = [trade for trade in concerned if trade.open_quantity]
    told = shares(settlement, holding)
    if holding:
        alarm = revenue_differs(settlement, holding, state.context(holding[0], minutes))
        minutes.notices += [] if alarm is None else [alarm]
    for trade in concerned:
        state.tell(minutes, trade, told.get(trade.trade_id, without_fees(settlement)))
    minutes.effects.append(lambda: state.blotter.hear_settlement(settlement))
    return state.conclude(minutes)
