"""Accounts as wholes: their cash, the drawdown rule, and how each stands (SPEC 1.2, `drawdown`). Words inside the house."""

import msgspec

from bus.messages.envelope import Message
from bus.messages.stops import Guard, Input
from bus.messages.units import Money, Name, Percent, UtcNs

DRAWDOWN = "drawdown"
"""The rule's name. It is an account's, so it is not among `stops.Rule`, which a trade can carry."""


class AccountRules(msgspec.Struct, frozen=True, kw_only=True):
    """The drawdown rule of one account as its layers resolve now; said by TradeDesk at the start and on change.

    ratchet_percent: fires at this percent of the high, None: the rule is off. confirm_wait_ns: an input that has stood so long
    confirms itself, None: never. settle_grace_ns: how long money may be on its way, and a balance that nothing explains is not believed.
    min_transfer_percent: of the high; a smaller change of cash that nothing explains is a gain or a loss, no transfer.
    """

    account: Name
    ratchet_percent: Percent | None
    confirm_ticks: int
    confirm_wait_ns: int | None
    settle_grace_ns: int
    min_transfer_percent: Percent
    settings_version: int
    now_ns: UtcNs


class CashFlow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Dollars that a fill or a settlement brings into the cash (negative: takes out of it).

    key: the fill's id, `settled:<trade_id>`, `outside:<trade_id>:<quantity>`. amount None: somebody else closed it at a price
    that nobody knows.
    """

    key: str
    ts: UtcNs
    amount: Money | None


class StatedBalance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The cash of an account, dollars, as it was stated for `ts`. heard_ns: since when such a balance waits to be explained."""

    balance: Money
    ts: UtcNs
    heard_ns: UtcNs


class AccountProgress(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What the drawdown rule knows of an account and must survive a restart: on change, at most every 250 ms.

    blind: money has moved by an unknown amount, and no balance was stated since. balance, balance_ts: the last cash that was understood. flows: what is not in it. aside: stated since, and not explained.
    high: the highest equity, None: the next known one is it. pending: transfers that move the high once the equity is known.
    confirms, counted: as in `StopProgress`. fired: it has fired, and nobody has resumed or rebased since. fires: how often,
    ever. reset_ns: of the last rebase or resume that it knows of.
    """

    account: Name
    balance: Money | None = None
    balance_ts: UtcNs = 0
    flows: tuple[CashFlow, ...] = ()
    aside: StatedBalance | None = None
    blind: bool = False
    high: Money | None = None
    pending: Money | None = None
    confirms: int = 0
    counted: dict[str, UtcNs] = {}
    fired: bool = False
    fires: int = 0
    reset_ns: UtcNs = 0
    ts: UtcNs = 0
    """When this was written down. Of two of one `reset_ns` the later one counts: each is later than the one before it."""


class DrawdownFired(msgspec.Struct, frozen=True, kw_only=True):
    """AutoStop tells TradeDesk, at once and in this process: close all of this account, then only reduce.

    number: counts the times that it fired on this account. progress: kept in the same transaction as what it leads to.
    """

    account: Name
    number: int
    inputs: dict[str, Input]
    guards: tuple[Guard, ...]
    settings_version: int
    progress: AccountProgress
    now_ns: UtcNs


class EquityStanding(Message, frozen=True, kw_only=True, omit_defaults=True):
    """How an account stands before its drawdown rule, said on change, a few times a second at most.

    drawdown: `off`, `armed`, `fired`, or `not_armed` with the reason in `why` (`no_balance`, `no_equity`, `unknown: ...`).
    equity_low, equity_high: equal where every mark is one value. limit: it fires at or below this equity.
    """

    account: Name
    drawdown: str
    ts: UtcNs
    why: str | None = None
    cash: Money | None = None
    equity_low: Money | None = None
    equity_high: Money | None = None
    high: Money | None = None
    limit: Money | None = None
