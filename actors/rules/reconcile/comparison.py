"""What a venue's answer says against what we hold. Pure comparisons: what follows from them is decided in `accounts`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from actors.rules.reconcile.terms import Place
from actors.rules.trade.draft import find, in_flight
from actors.rules.trade.evidence import looked_up
from actors.rules.trade.settlement import has_closed
from bus.messages.addresses import CHECK
from bus.messages.orders import ReportStatus, VenueAnswer, VenueFill, VenueOrder, VenuePosition
from bus.messages.reconcile import AccountAnswer
from bus.messages.trades import Attempt, AttemptState, Purpose, Side, Trade, TradeState
from bus.messages.units import ZERO

Sums = Mapping[Place, Decimal]
_WORKS: Final = (ReportStatus.ACCEPTED, ReportStatus.PARTIALLY_FILLED)
_ENDS: Final = (ReportStatus.REJECTED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.FILLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place where the venue holds something else than our trades add up to."""

    ours: Decimal
    theirs: Decimal

    @property
    def missing(self) -> Decimal:
        """How much less the venue holds; negative: more."""
        return self.ours - self.theirs


def trade_id_of(client_order_id: str | None) -> str | None:
    """Return the trade that an order's id names (`<trade_id>-<purpose>-<attempt>`); None if it is no id of ours."""
    parts = (client_order_id or "").rsplit("-", 2)
    is_ours = (
        not parts[0].startswith(CHECK)
        and len(parts) == 3
        and parts[0]
        and parts[1] in tuple(Purpose)
        and parts[2].isdecimal()
    )
    return parts[0] if is_ours else None


def held_at_venue(positions: Iterable[VenuePosition], *, nets: bool) -> dict[Place, Decimal]:
    """Return what a venue holds by place, flat places left out."""
    return _sums(((Place(one.ticker, one.side), one.quantity) for one in positions), nets=nets)


def held_by_us(trades: Iterable[Trade], *, nets: bool) -> dict[Place, Decimal]:
    """Return what our trades add up to by place, flat places left out."""
    return _sums(((Place(trade.ticker, trade.side), trade.open_quantity) for trade in trades), nets=nets)


def _sums(quantities: Iterable[tuple[Place, Decimal]], *, nets: bool) -> dict[Place, Decimal]:
    total: dict[Place, Decimal] = {}
    for place, quantity in quantities:
        total[place] = total.get(place, ZERO) + quantity
    if nets:
        for place in list(total):
            other = Place(place.ticker, place.side.opposite)
            both = min(total[place], total.get(other, ZERO))
            if both:
                total[place] -= both
                total[other] -= both
    return {place: quantity for place, quantity in total.items() if quantity}


def differences(ours: Sums, theirs: Sums) -> dict[Place, Difference]:
    """Return the places that do not agree, in order."""
    places = sorted({*ours, *theirs})
    return {
        place: Difference(ours=ours.get(place, ZERO), theirs=theirs.get(place, ZERO))
        for place in places
        if ours.get(place, ZERO) != theirs.get(place, ZERO)
    }


def is_moving(trades: Iterable[Trade], answer: AccountAnswer, moved_ns: Mapping[str, int]) -> bool:
    """Whether the position of these trades of one ticker may change by itself, so that nothing can be said of it.

    An order of ours is on its way, what one of them holds changed after the venue was asked (moved_ns: when it did last, by
    trade), or its market has closed: what is open there is the venue's to settle.
    """
    return any(
        in_flight(trade)
        or moved_ns[trade.trade_id] > answer.asked_ns
        or trade.state in (TradeState.PENDING, TradeState.EXPIRED, TradeState.UNKNOWN)
        or has_closed(trade, answer.now_ns)
        for trade in trades
    )


# Orders and fills of ours


def evidence(trades: Mapping[str, Trade], answer: AccountAnswer, told_before: Collection[str]) -> list[VenueAnswer]:
    """Return what the answer proves about orders of ours, as if each had been asked about alone; nothing that is known.

    trades: those that have not ended. Of others each fill is told once (told_before: ids): TradeDesk knows what is booked.
    """
    fills: dict[str, list[VenueFill]] = {}
    orders: dict[str, VenueOrder] = {}
    for fill in answer.fills:
        if fill.client_order_id is not None and trade_id_of(fill.client_order_id) is not None:
            fills.setdefault(fill.client_order_id, []).append(fill)
    for order in answer.orders:
        if trade_id_of(order.client_order_id) is not None:
            orders[order.client_order_id] = order
    told = []
    for client_order_id in sorted({*fills, *orders}):
        trade_id = trade_id_of(client_order_id)
        assert trade_id is not None
        order_, its = orders.get(client_order_id), tuple(fills.get(client_order_id, ()))
        if _is_news(trades.get(trade_id), client_order_id, order_, its, told_before):
            told.append(
                VenueAnswer(
                    client_order_id=client_order_id,
                    trade_id=trade_id,
                    order=order_ or _as_filled(client_order_id, its),
                    error=None,
                    now_ns=answer.now_ns,
                    fills=its,
                    venue=answer.venue,
                    account=answer.account,
                )
            )
    return told


def _is_news(
    trade: Trade | None,
    client_order_id: str,
    order: VenueOrder | None,
    fills: tuple[VenueFill, ...],
    told_before: Collection[str],
) -> bool:
    attempt = find(trade, client_order_id) if trade is not None else None
    if trade is None or attempt is None:
        return any(fill.fill_id not in told_before for fill in fills)
    booked = {fill.fill_id for fill in trade.fills}
    # What was booked in sum stands for each of its fills.
    if looked_up(attempt) not in booked and any(fill.fill_id not in booked for fill in fills):
        return True
    return order is not None and _says_more(order, attempt)


def _says_more(order: VenueOrder, attempt: Attempt) -> bool:
    if order.cumulative_quantity > max(attempt.filled, attempt.reported):
        return True
    if attempt.state is AttemptState.DEAD:
        return False
    if attempt.state is AttemptState.WANTED:
        return True  # It left in an earlier life, of which nothing is on record.
    return order.status in _ENDS or (order.status in _WORKS and attempt.state is AttemptState.UNKNOWN)


def _as_filled(client_order_id: str, fills: tuple[VenueFill, ...]) -> VenueOrder:
    """Return what the fills alone say of an order that the answer does not name: so much is filled, and nobody says it ended."""
    total = sum((fill.quantity for fill in fills), ZERO)
    return VenueOrder(client_order_id=client_order_id, status=ReportStatus.PARTIALLY_FILLED, cumulative_quantity=total)


def newest_vain_close(trade: Trade) -> int:
    """Return the number of the newest close that left and ended with nothing filled; 0: none did."""
    vain = (
        attempt.attempt
        for attempt in trade.attempts
        if attempt.purpose is Purpose.CLOSE and attempt.state is AttemptState.DEAD and not attempt.filled
    )
    return max(vain, default=0)


# What is not ours


def fills_of_others(answer: AccountAnswer) -> list[VenueFill]:
    """Return the fills of orders that are none of ours, oldest first."""
    others = [fill for fill in answer.fills if trade_id_of(fill.client_order_id) is None]
    return sorted(others, key=lambda fill: (fill.ts, fill.fill_id))


def ghosts(trades: Mapping[str, Trade], answer: AccountAnswer) -> tuple[set[str], set[str]]:
    """Return the orders with ids of ours that work at the venue though no trade waits for them; and those that ended."""
    working, ended = set(), set()
    for order in answer.orders:
        trade_id = trade_id_of(order.client_order_id)
        if trade_id is None:
            continue
        trade = trades.get(trade_id)
        attempt = find(trade, order.client_order_id) if trade is not None else None
        is_awaited = attempt is not None and attempt.state is not AttemptState.DEAD
        if order.status in _WORKS and not is_awaited:
            working.add(order.client_order_id)
        else:
            ended.add(order.client_order_id)
    return working, ended


def may_concern(place: Place, fill: VenueFill, *, nets: bool) -> bool:
    """Whether a fill may have changed the position at `place`."""
    sides: tuple[Side, ...] = (place.side, place.side.opposite) if nets or not place.side.is_event else (place.side,)
    return fill.ticker == place.ticker and fill.side in sides
