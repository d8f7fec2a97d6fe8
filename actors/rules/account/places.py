"""Where each trade of an account with the rule is counted: in a holding, or, once its market has closed, by what it can be paid."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from actors.rules.account.drawdown import Account
from actors.rules.account.holdings import Holding, Holdings
from actors.rules.account.worth import Worth
from actors.rules.market.book import MarketBook
from actors.rules.market.marks import SELL
from actors.rules.market.sight import Sight
from actors.rules.trade.fills import EXACT
from actors.rules.trade.settlement import own_payout
from bus.messages.trades import Side, Trade, TradeState
from bus.messages.units import ONE, ZERO


class _Place(NamedTuple):
    """holding and how much of it; or, without one, the bounds of what the trade will be paid."""

    holding: Holding | None
    quantity: Decimal
    low: Decimal = ZERO
    high: Decimal = ZERO


class Places:
    """Keeps the holdings in step with the trades."""

    def __init__(self, book: MarketBook, styles: Mapping[str, str], holdings: Holdings) -> None:
        self._book = book
        self._styles = styles
        self._holdings = holdings
        self._of: dict[str, _Place] = {}
        self._accounts: dict[Worth, Account] = {}

    def holders(self, holding: Holding) -> list[Account]:
        """Return the accounts that hold some of it."""
        return [self._accounts[worth] for worth in holding.quantities]

    def put(self, account: Account, trade: Trade) -> Holding | None:
        """Count `trade` as it now stands, and no more as it stood; return a holding that is new and has to look."""
        place = self._place_of(trade)
        if place == self._of.get(trade.trade_id):
            return None
        is_new = place is not None and place.holding is not None and not place.holding.quantities
        if place is not None and place.holding is not None:
            # Held before the old place is left: the holding may be the same.
            place.holding.hold(account.worth, place.quantity)
        self._take_out(account, trade.trade_id)
        if place is None:
            return None
        account.worth.shift(place.low, place.high)
        self._accounts[account.worth] = account
        self._of[trade.trade_id] = place
        return place.holding if is_new else None

    def _place_of(self, trade: Trade) -> _Place | None:
        if trade.state.is_terminal or not trade.open_quantity:
            return None
        if trade.state is TradeState.EXPIRED:
            return _paid(trade)
        holding = self._holdings.of(Sight(trade, self._book, self._styles.get(trade.venue, SELL)))
        return _Place(holding, -trade.open_quantity if trade.side is Side.SHORT else trade.open_quantity)

    def clear(self, account: Account) -> None:
        """Count nothing of an account any more."""
        for trade_id in account.trades:
            self._take_out(account, trade_id)

    def _take_out(self, account: Account, trade_id: str) -> None:
        place = self._of.pop(trade_id, None)
        if place is None:
            return
        account.worth.shift(-place.low, -place.high)
        if place.holding is not None:
            place.holding.hold(account.worth, -place.quantity)
            self._holdings.drop_if_empty(place.holding)


def _paid(trade: Trade) -> _Place:
    """An event contract is paid its result; until that is known, something between nothing and a dollar."""
    payout = own_payout(trade)
    low, high = (ZERO, ONE) if payout is None else (payout, payout)
    return _Place(None, ZERO, EXACT.multiply(low, trade.open_quantity), EXACT.multiply(high, trade.open_quantity))
