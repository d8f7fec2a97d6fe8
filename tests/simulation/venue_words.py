"""What an executor of a simulated venue says of its orders: reports, and answers to look-ups, page by page."""

from typing import Any, Final

from bus.messages.orders import (
    OrderReport,
    ReportStatus,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePosition,
    VenuePositions,
)
from bus.messages.orders import (
    VenueFill as FillWord,
)
from bus.messages.orders import (
    VenueOrder as OrderWord,
)
from bus.messages.units import ZERO
from tests.simulation.venue import ModelVenue, VenueOrder

_PAGE: Final = 3


def answer(venue: ModelVenue, kind: str, request: VenueOrdersRequest) -> VenueOrders | VenueFills | VenuePositions:
    """Answer `venue.request.<kind>`, a page at a time."""
    if not (request.after or "0").isdecimal():
        return VenueOrders(error=f"no page begins at {request.after!r}")
    match kind:
        case "orders":
            orders, after = _page([order_word(o) for o in _asked_for(venue, request)], request.after)
            return VenueOrders(orders=tuple(orders), next=after)
        case "fills":
            words = [fill_word(o, f) for o in _asked_for(venue, request) for f in o.fills]
            fills, after = _page(words, request.after)
            return VenueFills(fills=tuple(fills), next=after)
        case _:
            held = [
                VenuePosition(ticker=ticker, side=side, quantity=quantity)
                for (account, ticker, side), quantity in sorted(venue.held.items())
                if account == request.account and quantity
            ]
            positions, after = _page(held, request.after)
            return VenuePositions(positions=tuple(positions), next=after)


def _asked_for(venue: ModelVenue, request: VenueOrdersRequest) -> list[VenueOrder]:
    return [
        order
        for order in venue.every
        if order.sent.account == request.account
        and request.client_order_id in (None, order.sent.client_order_id)
        and (request.since is None or _touched_ns(order) >= request.since)
    ]


def _touched_ns(order: VenueOrder) -> int:
    """Return when an order came, or was last filled."""
    return max([order.at_ns, *(fill.at_ns for fill in order.fills)])


def _page(rows: list[Any], after: str | None) -> tuple[list[Any], str | None]:
    start = int(after or 0)
    more = start + _PAGE < len(rows)
    return rows[start : start + _PAGE], str(start + _PAGE) if more else None


def order_word(order: VenueOrder) -> OrderWord:
    """Return an order as a look-up tells it."""
    cost = sum((fill.price * fill.quantity for fill in order.fills), ZERO)
    return OrderWord(
        client_order_id=order.sent.client_order_id,
        status=order.status,
        cumulative_quantity=order.filled,
        average_price=cost / order.filled if order.fills else None,
        fees=sum((fill.fees for fill in order.fills), ZERO),
    )


def fill_word(order: VenueOrder, fill: Any) -> FillWord:
    """Return a fill as a look-up tells it."""
    return FillWord(
        fill_id=fill.fill_id,
        ticker=order.sent.ticker,
        side=order.sent.side,
        price=fill.price,
        quantity=fill.quantity,
        ts=fill.at_ns,
        client_order_id=fill.client_order_id,
        fees=fill.fees,
    )


def reports_of(order: VenueOrder) -> list[OrderReport]:
    """Return what is to be said of an order, in order: accepted, each fill, its end."""
    name = order.sent.client_order_id
    said = []
    if order.status is not ReportStatus.REJECTED:
        said.append(OrderReport(client_order_id=name, ts=order.at_ns, status=ReportStatus.ACCEPTED))
    total = ZERO
    for fill in order.fills:
        total += fill.quantity
        whole = total >= order.sent.quantity
        said.append(
            OrderReport(
                client_order_id=name,
                ts=fill.at_ns,
                status=ReportStatus.FILLED if whole else ReportStatus.PARTIALLY_FILLED,
                fill_id=fill.fill_id,
                fill_price=fill.price,
                fill_quantity=fill.quantity,
                fees=fill.fees,
                cumulative_quantity=total,
            )
        )
    if order.status in (ReportStatus.REJECTED, ReportStatus.CANCELLED, ReportStatus.EXPIRED):
        counted = [fill for fill in order.fills if not fill.is_ghost]
        said.append(
            OrderReport(
                client_order_id=name,
                ts=max([order.at_ns, *(fill.at_ns for fill in counted)]),
                status=order.status,
                reason="the venue says so",
                cumulative_quantity=sum((fill.quantity for fill in counted), ZERO),
            )
        )
    return said
