"""A fill that no trade waits for any more: it is booked as a trade of its own and closed reduce-only (SPEC 1.3, Fault 28).

An entry's late fill holds the same side; a close's late fill has sold what was not there any more, so it holds the opposite
side: of an event contract at one dollar less its price, of a linear instrument at its price.
"""

import hashlib
from dataclasses import replace as with_changes
from typing import Final

from msgspec.structs import replace

from actors.rules.trade import closes
from actors.rules.trade.draft import Draft
from actors.rules.trade.entries import adopt
from actors.rules.trade.settlement import expire_if_closed
from actors.rules.trade.standing import settle_down
from actors.rules.trade.steps import CloseWanted, Context, Step
from bus.messages.trades import Fill, Purpose, Trade, TradeState
from bus.messages.units import ONE

WATCHKEEPER: Final = "watchkeeper"
REASON: Final = "late fill"
REST: Final = "#rest"
"""Ends the id of the part of a fill that was too much for its own trade."""


def late_trade_id(fill_id: str) -> str:
    """Return the id of the trade that a late fill becomes: `r-` and 16 hex digits of the SHA-256 of its id."""
    return f"r-{hashlib.sha256(fill_id.removesuffix(REST).encode()).hexdigest()[:16]}"


def born_late(origin: Trade, fill: Fill, context: Context) -> tuple[Step, ...]:
    """Return the first two steps of the trade that `fill`, of `origin`'s own side, becomes: adopted, then closing.

    The caller makes sure that the fill was not heard of before (by account and fill_id).
    """
    adopted = adopt(_requested(origin, fill), context)
    held = adopted.trade.fills
    draft = Draft(adopted.trade, context)
    closes.want(draft, CloseWanted(reason=REASON))
    expire_if_closed(draft)
    settle_down(draft, begins=True)
    return (with_changes(adopted, fills=held), draft.step())


def _requested(origin: Trade, fill: Fill) -> Trade:
    side, price = origin.side, fill.price
    if fill.purpose is Purpose.CLOSE:
        side, price = side.opposite, ONE - price if side.is_event else price
    return Trade(
        trade_id=late_trade_id(fill.fill_id),
        state=TradeState.REQUESTED,
        version=0,
        account=origin.account,
        venue=origin.venue,
        mode=origin.mode,
        ticker=origin.ticker,
        side=side,
        quantity=fill.quantity,
        ts=fill.ts,
        symbol=origin.symbol,
        strike_type=origin.strike_type,
        strike=origin.strike,
        cap_strike=origin.cap_strike,
        close_ts=origin.close_ts,
        tick_size=origin.tick_size,
        lot_size=origin.lot_size,
        strategy=origin.strategy,
        requested_by=WATCHKEEPER,
        requested_ts=fill.ts,
        entry_price=price,
        entry_ts=fill.ts,
        fees=fill.fees,
        fills=(replace(fill, purpose=Purpose.ENTRY, price=price),),
        halted=origin.halted,
        result=origin.result,
        payout=origin.payout,
        settings=origin.settings,
        settings_version=origin.settings_version,
    )
