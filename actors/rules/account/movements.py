"""What a change of a trade moves in the cash of its account: its new fills with their fees, and what its settlement pays."""

from actors.rules.trade.fills import EXACT
from actors.rules.trade.settlement import own_payout
from bus.messages.accounts import CashFlow
from bus.messages.trades import Fill, Purpose, Side, Trade, TradeState
from bus.messages.units import ZERO, Money


def movements(before: Trade | None, trade: Trade) -> list[CashFlow]:
    """Return the movements between two versions of a trade; before None: all that it ever had.

    An adopted position was paid for before anybody told us: it moves nothing. A settlement has no instant of its own on the
    trade, so it counts from when it was heard: too late rather than too early, since what is thought to be in a balance that
    does not hold it looks like a loss.
    """
    known = () if before is None else before.fills
    found = []
    if trade.fills != known:
        found = [
            CashFlow(key=fill.fill_id, ts=fill.ts, amount=_of(trade, fill)) for fill in trade.fills if fill not in known
        ]
    unpriced = trade.unpriced_quantity
    if unpriced and (before is None or before.unpriced_quantity != unpriced):
        found.append(CashFlow(key=f"outside:{trade.trade_id}:{unpriced:f}", ts=trade.ts, amount=None))
    if trade.state is TradeState.SETTLED and (before is None or before.state is not TradeState.SETTLED):
        found.append(CashFlow(key=f"settled:{trade.trade_id}", ts=trade.ts, amount=_settled(trade)))
    return found


def _of(trade: Trade, fill: Fill) -> Money:
    value = EXACT.multiply(fill.price, fill.quantity)
    pays = (fill.purpose is Purpose.ENTRY) is not (trade.side is Side.SHORT)
    return EXACT.subtract(-value if pays else value, fill.fees)


def _settled(trade: Trade) -> Money:
    left = trade.filled_quantity - trade.closed_quantity
    return EXACT.subtract(EXACT.multiply(own_payout(trade) or ZERO, left), trade.settlement_fees)
