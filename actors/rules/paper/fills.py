"""How the simulated venue decides an order, and fills what rests (SPEC 1.3, Paper).

An order is decided once, by the own-side quote in force at its `ts` plus latency: it fills at that quote, whatever its limit
allows beyond it, up to the size where one is known. What an `ioc` leaves is cancelled; what a `gtc` leaves rests, and fills at
its own price when the other side reaches it. Nothing is taken away from the quote: the venue simulates one account's orders,
not the market's answer to them.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from msgspec.structs import replace

from actors.rules.paper.faults import Fault
from actors.rules.paper.orders import PaperOrder, Phase, accepted, ended, filled, limit_allows, reduces
from actors.rules.paper.quotes import Offer, PaperQuotes
from actors.rules.paper.state import VenueState
from bus.messages.orders import ReportStatus
from bus.messages.units import ZERO

FeeOf = Callable[[Decimal, Decimal], Decimal]
"""Price and quantity of a fill -> its fee, dollars."""

_FINEST = Decimal("1E-12")


class Matching:
    """Decides orders against the quotes; writes into the draft that it is given."""

    def __init__(self, quotes: PaperQuotes, fee_of: FeeOf) -> None:
        self._quotes = quotes
        self._fee_of = fee_of

    def decide(self, draft: VenueState, order: PaperOrder, now_ns: int) -> PaperOrder:
        """Return a waiting order as it is after its latency: ended, or resting."""
        refusal = _refusal(draft, order, now_ns)
        if refusal is not None:
            return _kept(draft, ended(order, *refusal, now_ns))
        allowance = draft.allowance(order)
        offer = self._offer(draft, order)
        done = accepted(order, now_ns)
        if offer is not None:
            done = self._fill(draft, done, offer, allowance)
        used_up = done.filled >= allowance
        if done.phase is not Phase.ENDED and (used_up or order.sent.time_in_force != "gtc"):
            done = ended(done, ReportStatus.CANCELLED, _why_left(draft, done, offer, used_up=used_up), now_ns)
        return _kept(draft, done)

    def match(self, draft: VenueState, order: PaperOrder, now_ns: int) -> PaperOrder:
        """Return a resting order after its ticker's quote changed, or its time came."""
        sent = order.sent
        if now_ns > sent.expires_ts or draft.market(sent.ticker).is_closed(now_ns):
            return _kept(draft, ended(order, ReportStatus.EXPIRED, "its time is over", now_ns))
        allowance = draft.allowance(order)
        if allowance <= ZERO:
            return _kept(draft, ended(order, ReportStatus.CANCELLED, "nothing is held any more", now_ns))
        offer = self._offer(draft, order)
        if offer is None:
            return order
        at_its_own = offer._replace(price=sent.limit_price or offer.price)
        return _kept(draft, self._fill(draft, replace(order, touched_ns=now_ns), at_its_own, allowance))

    def _offer(self, draft: VenueState, order: PaperOrder) -> Offer | None:
        sent = order.sent
        if draft.market(sent.ticker).halted:
            return None
        offer = self._quotes.best(sent.ticker, sent.side, sent.action)
        return offer if offer is not None and limit_allows(sent, offer.price) else None

    def _fill(self, draft: VenueState, order: PaperOrder, offer: Offer, allowance: Decimal) -> PaperOrder:
        """Return `order`, touched now, after its fill at `offer`."""
        quantity = allowance if offer.size is None else min(allowance, offer.size)
        if order.fault is Fault.PARTIAL and order.fill_count == 0:
            quantity = _half(quantity)
        fees = self._fee_of(offer.price, quantity)
        done = filled(order, offer.price, quantity, fees)
        fill_id = done.reports[-1].fill_id
        assert fill_id is not None, "the last report of a fill names it"
        draft.fill(order.sent, fill_id, quantity)
        return done


def _refusal(draft: VenueState, order: PaperOrder, now_ns: int) -> tuple[ReportStatus, str] | None:
    sent = order.sent
    if now_ns > sent.expires_ts:
        return ReportStatus.EXPIRED, "it came after its expires_ts"
    if draft.market(sent.ticker).is_closed(now_ns):
        return ReportStatus.REJECTED, "the market is closed"
    if reduces(sent) and draft.allowance(order) <= ZERO:
        return ReportStatus.REJECTED, "nothing is held"
    if order.fault is Fault.REJECT:
        return ReportStatus.REJECTED, "asked to reject it"
    return None


def _why_left(draft: VenueState, order: PaperOrder, offer: Offer | None, *, used_up: bool) -> str:
    if used_up:
        return "no more is held"
    if offer is not None:
        return "no more was offered"
    return "the market is halted" if draft.market(order.sent.ticker).halted else "nobody offers within its limit"


def _half(quantity: Decimal) -> Decimal:
    half = quantity / 2
    exact = half.quantize(Decimal(1), ROUND_DOWN) if half >= 1 else half.quantize(_FINEST, ROUND_DOWN).normalize()
    return exact or quantity


def _kept(draft: VenueState, order: PaperOrder) -> PaperOrder:
    draft.keep(order)
    return order
