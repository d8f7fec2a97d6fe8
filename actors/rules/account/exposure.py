"""How much an account has at risk: what it holds, and what its entries may still buy, those of unknown fate among them (S11)."""

from typing import Final

import msgspec

from actors.rules.trade.draft import entry_of
from actors.rules.trade.fills import EXACT
from bus.messages.trades import AttemptState, Trade
from bus.messages.units import ONE, ZERO, Money, Price


class Exposure(msgspec.Struct, frozen=True):
    """trades: that have not ended. dollars: what they cost, or may cost yet."""

    trades: int = 0
    dollars: Money = ZERO


NOTHING: Final = Exposure()


class Exposures:
    """The sum for each account, moved by every trade that changes."""

    def __init__(self) -> None:
        self._of: dict[str, Exposure] = {}
        self._counted: dict[str, tuple[str, Money]] = {}

    def of(self, account: str) -> Exposure:
        """Return the exposure of an account."""
        return self._of.get(account, NOTHING)

    def note(self, trade: Trade) -> None:
        """Count a trade as it now stands, and no more as it stood."""
        known = self._counted.get(trade.trade_id)
        if trade.state.is_terminal:
            if known is not None:
                del self._counted[trade.trade_id]
                self._move(trade.account, -1, -known[1])
            return
        dollars = at_risk(trade)
        if known is None:
            self._move(trade.account, 1, dollars)
        elif known[1] != dollars:
            self._move(trade.account, 0, EXACT.subtract(dollars, known[1]))
        self._counted[trade.trade_id] = (trade.account, dollars)

    def _move(self, account: str, trades: int, dollars: Money) -> None:
        before = self.of(account)
        self._of[account] = Exposure(before.trades + trades, EXACT.add(before.dollars, dollars))
        if not self._of[account].trades:
            del self._of[account]


def at_risk(trade: Trade) -> Money:
    """Return what a trade has cost for what is still open, and what the rest of its entry may cost, dollars.

    An entry that is not proven dead may still be filled whole, whatever nobody has said.
    """
    entry = entry_of(trade)
    coming = ZERO
    if entry is not None and entry.state is not AttemptState.DEAD:
        coming = max(ZERO, entry.quantity - entry.filled)
    held = EXACT.multiply(trade.entry_price or ZERO, trade.open_quantity)
    return EXACT.add(held, EXACT.multiply(price_of(trade), coming))


def price_of(trade: Trade) -> Price:
    """Return the most that one contract of an entry may cost: its limit, else a dollar; of a linear one without limit, its average."""
    if trade.limit_price is not None:
        return trade.limit_price
    return ONE if trade.side.is_event else trade.entry_price or ZERO
