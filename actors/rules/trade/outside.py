"""A trade that somebody else closes at the venue, or a part of it (Fault 55), and a position that somebody else opened.

The venue's own fills give the price where they exist and add up; where they do not, the price is unknown and stays so: the part
counts as closed, but no money is booked for it (`Trade.unpriced_quantity`), and people are told.
"""

from decimal import Decimal
from typing import Final

from actors.rules.trade import notices
from actors.rules.trade.draft import Draft, in_flight
from actors.rules.trade.fills import book_fill, realised
from bus.messages.orders import VenueFill
from bus.messages.reconcile import ClosedOutside
from bus.messages.trades import Fill, Purpose, Trade
from bus.messages.units import ONE, ZERO

EXTERNAL: Final = "external"
"""`close_reason` of a trade that somebody else closed at the venue."""
NETTED: Final = "netted"
"""`close_reason` of a trade that one of ours of the other side has closed, where both sides cancel each other."""
_PART: Final = "#"


def order_of_others(trade_id: str) -> str:
    """Return what stands for the order of somebody else on a trade's fills."""
    return f"{trade_id}-{EXTERNAL}"


def fills_of_others(trade: Trade) -> set[str]:
    """Return the fills of others that `trade` stands on, by the ids under which the venue knows them."""
    part = part_id("", trade.trade_id)
    others = order_of_others(trade.trade_id)
    return {fill.fill_id.removesuffix(part) for fill in trade.fills if fill.client_order_id == others}


def part_id(fill_id: str, trade_id: str) -> str:
    """Return the id of that part of a fill which a second trade is closed by: one fill may close parts of several."""
    return f"{fill_id}{_PART}{trade_id}"


def hear_closed_outside(draft: Draft, word: ClosedOutside) -> None:
    """Book what somebody else closed. Void if the trade has changed since it was compared, or an order of ours may explain it."""
    trade = draft.trade
    if trade.open_quantity != word.open_quantity or in_flight(trade) or not ZERO < word.quantity <= trade.open_quantity:
        return
    for found in word.fills:
        book_fill(draft, own_fill(trade, found, Purpose.CLOSE))
    unpriced = word.quantity - sum((found.quantity for found in word.fills), ZERO)
    assert unpriced >= ZERO, "no more is closed than was found missing"
    if unpriced:
        _close_unpriced(draft, unpriced)
    if not draft.trade.open_quantity:
        reasons = [
            reason for reason in (trade.rule or trade.close_reason,) if reason and trade.close_wanted is not None
        ]
        draft.change(rule=None, close_reason=NETTED if word.netted else EXTERNAL, attached=(*reasons, *trade.attached))
    say = notices.netted if word.netted else notices.closed_outside
    draft.notices.append(say(draft.trade, word.quantity, unpriced, draft.context))


def own_fill(trade: Trade, found: VenueFill, purpose: Purpose) -> Fill:
    """Return a fill of somebody else's as one of `trade`. An event contract's other side closes at one dollar less its price."""
    is_other_side = trade.side.is_event and found.side is not trade.side
    return Fill(
        fill_id=found.fill_id,
        client_order_id=order_of_others(trade.trade_id),
        purpose=purpose,
        price=ONE - found.price if is_other_side else found.price,
        quantity=found.quantity,
        fees=found.fees or ZERO,
        ts=found.ts,
    )


def _close_unpriced(draft: Draft, quantity: Decimal) -> None:
    trade = draft.trade
    wanted = trade.close_wanted
    draft.change(
        closed_quantity=trade.closed_quantity + quantity,
        unpriced_quantity=trade.unpriced_quantity + quantity,
        open_quantity=trade.open_quantity - quantity,
        close_wanted=None if wanted is None else max(ZERO, wanted - quantity),
        exit_ts=max(trade.exit_ts or 0, draft.now_ns),
    )
    draft.change(pnl=realised(draft.trade))
