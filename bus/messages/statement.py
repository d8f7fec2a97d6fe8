"""What `run.py trade export --json` prints: what trades did in a span of time, and how that compares with what venues say."""

import msgspec

from bus.messages.envelope import Message
from bus.messages.trades import Mode, Side
from bus.messages.units import ZERO, Money, Number, Price, Quantity, UtcNs


class StatementRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened.

    kind: `fill`; `adjustment`, a fill that came for a trade that had ended and is booked as a trade of its own; `adopted`, a position
    that was taken over; `settlement`, what the venue paid for contracts that were still held, its `outcome` the market's result;
    `ended`, with everything that a trade came to. price: of the trade's own side, of a settlement what one contract was paid, at
    `ended` the average exit. fees, pnl: of this row alone; `pnl` at `ended` only, fees taken off.
    """

    kind: str
    ts: UtcNs
    account: str
    venue: str
    mode: Mode
    trade_id: str
    ticker: str
    side: Side
    purpose: str | None = None
    fill_id: str | None = None
    client_order_id: str | None = None
    quantity: Quantity
    price: Price | None = None
    fees: Money
    pnl: Money | None = None
    outcome: str | None = None


class StatementDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fill on which we and the venue do not agree. what: `fill`, `quantity`, `price` or `fees`. ours, theirs: None: there is none."""

    venue: str
    account: str
    fill_id: str
    what: str
    ours: Number | None
    theirs: Number | None


class AccountTotals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account's sums. fees: of its fills in the span; pnl: of its trades that ended in it."""

    account: str
    venue: str
    mode: Mode
    fills: int = 0
    ended: int = 0
    settlements: int = 0
    adjustments: int = 0
    fees: Money = ZERO
    pnl: Money = ZERO


class Statement(Message, frozen=True, kw_only=True):
    """The whole document. compared: live accounts whose venue was asked, as `account@venue`; agrees: no difference was found."""

    begin: UtcNs = msgspec.field(name="from")
    end: UtcNs = msgspec.field(name="to")
    agrees: bool
    rows: tuple[StatementRow, ...]
    totals: tuple[AccountTotals, ...]
    compared: tuple[str, ...]
    differences: tuple[StatementDifference, ...]
