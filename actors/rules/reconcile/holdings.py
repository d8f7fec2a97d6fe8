"""What we hold: the trades of each account, as TradeDesk has last said them, and the fills of others that they stand on."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from actors.rules.memory import remember
from actors.rules.reconcile.terms import AccountKey
from actors.rules.trade.draft import in_flight
from actors.rules.trade.outside import fills_of_others
from bus.messages.trades import Trade, TradeState

_TICKERS_MAX: Final = 50_000


class Holdings:
    """Trades by account. Bounded by the trades that have not ended, and by what is remembered of settled tickers."""

    def __init__(self) -> None:
        self._trades: dict[AccountKey, dict[str, Trade]] = {}
        self.moved_ns: dict[str, int] = {}
        """When what a trade holds, or has on its way, changed last; a close that only waits for its price moves nothing."""
        self._taken: dict[AccountKey, set[str]] = {}
        self._settled: OrderedDict[tuple[AccountKey, str], None] = OrderedDict()

    def hear(self, trade: Trade) -> AccountKey:
        """Take a trade as it now stands; return its account."""
        key = AccountKey(trade.venue, trade.account)
        living = self._trades.setdefault(key, {})
        before = living.get(trade.trade_id)
        if trade.state.is_terminal:
            living.pop(trade.trade_id, None)
            self.moved_ns.pop(trade.trade_id, None)
        else:
            living[trade.trade_id] = trade
            if before is None or _moves(before, trade):
                self.moved_ns[trade.trade_id] = trade.ts
        if trade.state is TradeState.SETTLED:
            remember(self._settled, (key, trade.ticker), None, _TICKERS_MAX)
        if foreign := fills_of_others(trade):
            self._taken.setdefault(key, set()).update(foreign)
        return key

    def of(self, key: AccountKey) -> dict[str, Trade]:
        """Return the trades of an account that have not ended, by id."""
        return self._trades.get(key, {})

    def is_taken(self, key: AccountKey, fill_id: str) -> bool:
        """Whether a fill of somebody else is booked on a trade of ours."""
        return fill_id in self._taken.get(key, ())

    def is_settled(self, key: AccountKey, ticker: str) -> bool:
        """Whether a trade of ours on `ticker` has been settled: a venue may show for a while what it has paid already."""
        return (key, ticker) in self._settled

    def since_ns(self, key: AccountKey) -> int | None:
        """Return when the oldest trade of the account began that has not ended; None without any."""
        return min((_begun_ns(trade) for trade in self.of(key).values()), default=None)


def _moves(before: Trade, trade: Trade) -> bool:
    return before.open_quantity != trade.open_quantity or bool(in_flight(before) or in_flight(trade))


def _begun_ns(trade: Trade) -> int:
    known = [ns for ns in (trade.requested_ts, trade.entry_ts) if ns is not None]
    return min(known, default=trade.ts)


def oldest_first(trades: Iterable[Trade]) -> list[Trade]:
    """Return `trades` in the order of their entries (SPEC 1.3: a shortfall is the oldest entry's first)."""
    return sorted(trades, key=lambda trade: (trade.entry_ts or 0, trade.trade_id))
