"""The hard limits of new risk (Fault 57): of one entry, of an account's rate, and of what it may have open.

They stand in the process's settings, outside of any strategy, and hold for entries only: nothing here is asked when a trade is
closed or adopted. At a limit an entry passes, beyond it not. A refusal names the limit, its value, and what was asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from actors.rules.account.entries import Entries
from actors.rules.account.exposure import Exposure
from actors.rules.trade.fills import EXACT
from bus.messages.system import Error, ErrorCode
from bus.messages.trades import Side, Trade
from bus.messages.units import HUNDRED, NS_PER_S, ONE, Price

_MINUTE_NS: Final = 60 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLimits:
    """What one account may; 0: no limit. Each name is that of its setting.

    max_quantity, max_notional (dollars): of one entry. price_band (dollars, event contracts), price_band_percent (linear): how far
    beyond the price at which it could be filled now an entry may be limited. max_exposure: dollars, of all that is open or on its
    way. max_repeats: entries on one ticker within repeat_window_s. max_same: trades open on one ticker and side.
    """

    max_quantity: Decimal = Decimal(0)
    max_notional: Decimal = Decimal(0)
    price_band: Decimal = Decimal(0)
    price_band_percent: Decimal = Decimal(0)
    max_entries_per_second: int = 0
    max_entries_per_minute: int = 0
    max_open_trades: int = 0
    max_exposure: Decimal = Decimal(0)
    max_repeats: int = 0
    repeat_window_s: Decimal = Decimal(600)
    max_same: int = 0

    def band(self, side: Side) -> Decimal:
        """Return the band that holds for an instrument; 0: none."""
        return self.price_band if side.is_event else self.price_band_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of accounts without a section of their own, of those with one, and of all accounts together."""

    each: EntryLimits = field(default_factory=EntryLimits)
    accounts: Mapping[str, EntryLimits] = field(default_factory=dict)
    all_per_second: int = 0
    all_per_minute: int = 0

    def of(self, account: str) -> EntryLimits:
        """Return what holds for an account."""
        return self.accounts.get(account, self.each)

    def want_price(self, trade: Trade) -> bool:
        """Whether an entry cannot be judged without the market's price."""
        own = self.of(trade.account)
        return bool(own.band(trade.side)) or (trade.limit_price is None and bool(own.max_notional or own.max_exposure))


def refusal(
    trade: Trade, limits: Limits, entries: Entries, exposure: Exposure, *, same: int, now_ns: int
) -> Error | None:
    """Return why an entry is refused by what is known without the market; None: no limit stands in its way.

    trade: as requested. exposure: of its account, and same: the trades open on its ticker and side, without it.
    """
    own, account = limits.of(trade.account), trade.account
    window_ns = int(own.repeat_window_s * NS_PER_S)
    counts: tuple[tuple[str, int, Callable[[], int]], ...] = (
        ("max_entries_per_second", own.max_entries_per_second, lambda: entries.of(account, now_ns - NS_PER_S)),
        ("max_entries_per_minute", own.max_entries_per_minute, lambda: entries.of(account, now_ns - _MINUTE_NS)),
        ("all_per_second", limits.all_per_second, lambda: entries.of_all(now_ns - NS_PER_S)),
        ("all_per_minute", limits.all_per_minute, lambda: entries.of_all(now_ns - _MINUTE_NS)),
        ("max_repeats", own.max_repeats, lambda: entries.on_ticker(account, trade.ticker, now_ns - window_ns)),
        ("max_same", own.max_same, lambda: same),
        ("max_open_trades", own.max_open_trades, lambda: exposure.trades),
    )
    if own.max_quantity and trade.quantity > own.max_quantity:
        return _refused("max_quantity", account, own.max_quantity, f"{trade.quantity:f}")
    for name, limit, count in counts:
        if limit and (before := count()) >= limit:
            return _refused(name, account, limit, f"number {before + 1}", retry=True)
    return _by_value(trade, own, exposure, trade.limit_price)


def refusal_by_price(trade: Trade, limits: Limits, exposure: Exposure, price: Price | None) -> Error | None:
    """Return why an entry is refused now that it is known what entering would cost.

    price: the own side's ask (short: bid), dollars; None: nobody quotes.
    """
    own = limits.of(trade.account)
    if trade.limit_price is None:
        return _by_value(trade, own, exposure, price, is_known=True)
    band = own.band(trade.side)
    if not band or price is None:
        return None
    reach = band if trade.side.is_event else EXACT.divide(EXACT.multiply(price, band), HUNDRED)
    beyond = price - trade.limit_price if trade.side is Side.SHORT else trade.limit_price - price
    if beyond <= reach:
        return None
    name = "price_band" if trade.side.is_event else "price_band_percent"
    asked = f"a limit of {trade.limit_price:f}, {beyond:f} beyond the market's {price:f}"
    return _refused(name, trade.account, band, asked, retry=True)


def _by_value(
    trade: Trade, own: EntryLimits, exposure: Exposure, price: Price | None, *, is_known: bool = False
) -> Error | None:
    if not (own.max_notional or own.max_exposure):
        return None
    if price is None and trade.side.is_event:
        price = ONE
    if price is None:
        # Asked again once the market has been looked at; an entry at any price is then no entry.
        name = "max_notional" if own.max_notional else "max_exposure"
        limit = own.max_notional or own.max_exposure
        return (
            _refused(name, trade.account, limit, "an entry without a limit_price, and nobody quotes")
            if is_known
            else None
        )
    notional = EXACT.multiply(price, trade.quantity)
    if own.max_notional and notional > own.max_notional:
        return _refused("max_notional", trade.account, own.max_notional, f"{notional:f}")
    after = EXACT.add(exposure.dollars, notional)
    if own.max_exposure and after > own.max_exposure:
        asked = f"{notional:f} more than {exposure.dollars:f}"
        return _refused("max_exposure", trade.account, own.max_exposure, asked, retry=True)
    return None


def _refused(name: str, account: str, limit: Decimal | int, asked: str, *, retry: bool = False) -> Error:
    whose = "all accounts together" if name.startswith("all_") else f"the account {account}"
    message = f"The limit {name} of {whose} is {limit}; asked for: {asked}. Nothing was opened."
    return Error(code=ErrorCode.LIMIT, message=message, retry=retry)
