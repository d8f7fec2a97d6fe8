"""What the simulated venue answers when it is asked, a page at a time. A page's `next` is the `after` of the following one."""

from decimal import ROUND_HALF_EVEN, Decimal

from actors.rules.paper.orders import PaperOrder
from actors.rules.paper.state import VenueState
from bus.messages.orders import (
    OrderReport,
    VenueFill,
    VenueFills,
    VenueOrder,
    VenueOrders,
    VenueOrdersRequest,
    VenuePosition,
    VenuePositions,
)
from bus.messages.trades import Side

_FINEST = Decimal("1E-12")
"""Prices have twelve decimals at most on the wire."""


def orders(state: VenueState, request: VenueOrdersRequest, page_rows: int) -> VenueOrders:
    """Return the orders of an account in order of arrival, at most `page_rows`."""
    if request.after is not None and request.after not in state.orders:
        return VenueOrders(error=f"no order {request.after!r} to go on after")
    start = 0 if request.after is None else state.orders[request.after].number
    found = [order for order in _asked_for(state, request) if order.number > start]
    rest = len(found) > page_rows
    page = found[:page_rows]
    return VenueOrders(
        orders=tuple(_order(order) for order in page),
        next=page[-1].client_order_id if rest else None,
    )


def fills(state: VenueState, request: VenueOrdersRequest, page_rows: int) -> VenueFills:
    """Return the fills of an account in order of arrival of their orders, at most `page_rows`."""
    found = [
        _fill(order, report)
        for order in _asked_for(state, request)
        for report in order.reports
        if report.fill_id is not None and (request.since is None or report.ts >= request.since)
    ]
    if request.after is not None:
        places = [place for place, fill in enumerate(found) if fill.fill_id == request.after]
        if not places:
            return VenueFills(error=f"no fill {request.after!r} to go on after")
        found = found[places[0] + 1 :]
    page = found[:page_rows]
    return VenueFills(fills=tuple(page), next=page[-1].fill_id if len(found) > page_rows else None)


def positions(state: VenueState, request: VenueOrdersRequest, page_rows: int) -> VenuePositions:
    """Return what an account holds by ticker and side, at most `page_rows`; flat ones are left out."""
    held = {
        f"{ticker} {side}": VenuePosition(ticker=ticker, side=side, quantity=quantity)
        for (account, ticker, side), quantity in state.held.items()
        if account == request.account and quantity
    }
    if request.after is not None and request.after.rpartition(" ")[2] not in tuple(Side):
        return VenuePositions(error=f"no position {request.after!r} to go on after")
    keys = sorted(key for key in held if request.after is None or key > request.after)
    page = keys[:page_rows]
    return VenuePositions(
        positions=tuple(held[key] for key in page),
        next=page[-1] if len(keys) > page_rows else None,
    )


def _asked_for(state: VenueState, request: VenueOrdersRequest) -> list[PaperOrder]:
    if request.client_order_id is not None:
        order = state.orders.get(request.client_order_id)
        candidates = [] if order is None else [order]
    else:
        candidates = sorted(state.orders.values(), key=lambda order: order.number)
    return [
        order
        for order in candidates
        if order.account == request.account and (request.since is None or order.touched_ns >= request.since)
    ]


def _order(order: PaperOrder) -> VenueOrder:
    average = (order.cost / order.filled).quantize(_FINEST, ROUND_HALF_EVEN) if order.filled else None
    return VenueOrder(
        client_order_id=order.client_order_id,
        status=order.status,
        cumulative_quantity=order.filled,
        average_price=average,
        fees=order.fees if order.filled else None,
    )


def _fill(order: PaperOrder, report: OrderReport) -> VenueFill:
    assert report.fill_id is not None, "only fills are asked for"
    assert report.fill_price is not None, "a fill has a price"
    assert report.fill_quantity is not None, "a fill has a quantity"
    return VenueFill(
        fill_id=report.fill_id,
        ticker=order.sent.ticker,
        side=order.sent.side,
        price=report.fill_price,
        quantity=report.fill_quantity,
        ts=report.ts,
        client_order_id=order.client_order_id,
        fees=report.fees,
    )
