"""Words for the tests of accounts: a rule, balances, trades that were bought, and an engine that hears them."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from actors.rules.stops.engine import StopEngine
from bus.messages.accounts import AccountRules, DrawdownFired, EquityStanding
from bus.messages.orders import Balance
from bus.messages.system import SystemEvent
from bus.messages.trades import Fill, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import TICKER, Watch, a_trade, at

D: Final = Decimal
ACCOUNT: Final = "acc"


def a_rule(ratchet: str | None = "70", **changes: Any) -> AccountRules:
    """Fires at 70 percent, at the first tick that says so unless told otherwise."""
    given: dict[str, Any] = {
        "account": ACCOUNT,
        "ratchet_percent": None if ratchet is None else D(ratchet),
        "confirm_ticks": 1,
        "confirm_wait_ns": 2 * NS_PER_S,
        "settle_grace_ns": 60 * NS_PER_S,
        "min_transfer_percent": D(1),
        "settings_version": 7,
        "now_ns": at(0),
    }
    return AccountRules(**(given | changes))


def a_balance(seconds: float, dollars: str, account: str = ACCOUNT) -> Balance:
    return Balance(account=account, ts=at(seconds), balance=D(dollars))


def a_holding(trade_id: str = "t1", quantity: str = "1000", **changes: Any) -> Trade:
    """An adopted position: nobody has paid for it while we looked."""
    size = {"quantity": D(quantity), "open_quantity": D(quantity), "filled_quantity": D(quantity)}
    given: dict[str, Any] = {"trade_id": trade_id, "account": ACCOUNT, "ticker": TICKER, "stops": ()}
    return a_trade(**(given | size | changes))


def a_fill(
    seconds: float, quantity: str, price: str, purpose: Purpose = Purpose.ENTRY, *, fill_id: str = "f", fees: str = "0"
) -> Fill:
    return Fill(
        fill_id=f"{fill_id}-{purpose}",
        client_order_id="o",
        purpose=purpose,
        price=D(price),
        quantity=D(quantity),
        fees=D(fees),
        ts=at(seconds),
    )


def filled(trade: Trade, *fills: Fill) -> Trade:
    """The trade after these fills."""
    entries = [fill for fill in fills if fill.purpose is Purpose.ENTRY]
    closes = [fill for fill in fills if fill.purpose is Purpose.CLOSE]
    bought = trade.filled_quantity + sum((fill.quantity for fill in entries), D(0))
    sold = trade.closed_quantity + sum((fill.quantity for fill in closes), D(0))
    return msgspec.structs.replace(
        trade,
        version=trade.version + 1,
        fills=(*trade.fills, *fills),
        filled_quantity=bought,
        closed_quantity=sold,
        open_quantity=bought - sold,
        state=TradeState.CLOSED if bought == sold and sold else TradeState.OPEN,
    )


def a_pending(trade_id: str = "t1", **changes: Any) -> Trade:
    """A trade whose entry is on its way."""
    held = a_holding(trade_id, "0", **changes)
    return msgspec.structs.replace(held, quantity=D(1000), state=TradeState.PENDING)


def an_event(kind: str, seconds: float, account: str | None = ACCOUNT) -> SystemEvent:
    return SystemEvent(kind=kind, body="", ts=at(seconds), account=account, requested_by="eve")


class Accounts(Watch):
    """An engine that watches one account; unless told otherwise the rule is on and 1000 dollars are its cash."""

    def __init__(
        self,
        *words: object,
        rule: AccountRules | None = None,
        cash: str | None = "1000",
        engine: StopEngine | None = None,
    ) -> None:
        super().__init__(engine=engine)
        self.hear(rule or a_rule())
        if cash is not None:
            self.hear(a_balance(0, cash))
        for word in words:
            self.hear(word)

    @property
    def drawdowns(self) -> list[DrawdownFired]:
        """What fired."""
        return [word for word in self.said if isinstance(word, DrawdownFired)]

    @property
    def standing(self) -> EquityStanding:
        """How the account was last said to stand, half a second from now."""
        self.run_to(self.now_ns + NS_PER_S // 2)
        return [word for word in self.said if isinstance(word, EquityStanding)][-1]
