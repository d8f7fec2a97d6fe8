"""Agreement with venues: what is asked of a whole account, how it stands, and what is corrected by it."""

from decimal import Decimal

import msgspec

from bus.messages.orders import Position, VenueFill, VenueOrder, VenuePosition
from bus.messages.units import Name, Text, TradeId, UtcNs


class VenuesUp(msgspec.Struct, frozen=True, kw_only=True):
    """Venues can be asked, for the first time or again: whatever was agreed before may not hold any more."""

    now_ns: UtcNs


class AccountQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Reconciler asks, over the wire, what a venue knows of a whole account. The answer is `AccountAnswer`.

    since_ns: of orders touched, and fills made, before it nothing need be told; positions are told whole.
    """

    venue: Name
    account: Name
    since_ns: UtcNs
    now_ns: UtcNs


class AccountAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `AccountQuestion`, each list read to its last page, positions last.

    error: nobody answered, or the venue could not say: evidence of nothing, whatever the lists hold.
    asked_ns: when the question was asked.
    """

    venue: Name
    account: Name
    asked_ns: UtcNs
    now_ns: UtcNs
    error: str | None = None
    orders: tuple[VenueOrder, ...] = ()
    fills: tuple[VenueFill, ...] = ()
    positions: tuple[VenuePosition, ...] = ()


class ReconcileWanted(msgspec.Struct, frozen=True, kw_only=True):
    """TradeDesk wants to trade in an account that nobody has asked about yet."""

    venue: Name
    account: Name
    now_ns: UtcNs


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How an account stands with its venue, said on change.

    began_ns: when agreement was last sought anew (a start, a reconnection). answered: the venue has answered since then.
    unresolved: what does not agree, in words; while there is anything, no entry leaves there.
    reconciled_ns: since when everything agrees; None while something does not.
    """

    venue: Name
    account: Name
    began_ns: UtcNs
    answered: bool
    now_ns: UtcNs
    unresolved: tuple[Text, ...] = ()
    reconciled_ns: UtcNs | None = None


class PositionsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What a netting venue holds of the tickers of our trades: it bounds their closes."""

    positions: tuple[Position, ...]
    now_ns: UtcNs


class ClosedOutside(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a trade, or all of it, was closed at the venue by somebody else.

    open_quantity: of the trade, as it was compared; if it is another by now, the comparison is void.
    fills: those that closed it, with `side` and `price` of the venue's order; none where nobody knows the price.
    netted: not by somebody else, but by a trade of ours of the other side, which it has closed as much of.
    """

    trade_id: TradeId
    open_quantity: Decimal
    quantity: Decimal
    fills: tuple[VenueFill, ...]
    now_ns: UtcNs
    netted: bool = False


class PositionFound(msgspec.Struct, frozen=True, kw_only=True):
    """A position that nobody told us of is to be adopted (`reconcile.adopt_unknown`). fills: those that made it."""

    venue: Name
    account: Name
    position: VenuePosition
    fills: tuple[VenueFill, ...]
    now_ns: UtcNs
