"""When entries were begun: by account, by ticker, and of all, so that a loop gone wild is seen.

Counted by the instants of the words, so that the same words give the same answer; bounded: the oldest are forgotten. After a
restart they are counted again from the trades on the record.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from actors.rules.trade.draft import entry_of
from bus.messages.trades import Trade

KEPT_MAX: Final = 100_000
"""Instants kept of all accounts together: what no limit on a rate could exceed."""
_PLACES_MAX: Final = 50_000
_ALL: Final = ("", "")


class Entries:
    """The instants of entries, oldest first."""

    def __init__(self, trades: Iterable[Trade] = ()) -> None:
        self._at: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()
        begun = [trade for trade in trades if trade.requested_ts is not None and entry_of(trade) is not None]
        for trade in sorted(begun, key=lambda trade: (trade.requested_ts or 0, trade.trade_id)):
            self.note(trade, trade.requested_ts or 0)

    def note(self, trade: Trade, now_ns: int) -> None:
        """An entry has begun."""
        for place in (_ALL, (trade.account, ""), (trade.account, trade.ticker)):
            instants = self._at.get(place)
            if instants is None:
                instants = self._at[place] = deque(maxlen=KEPT_MAX)
            # A clock that was set back must not make the past look empty.
            instants.append(max(now_ns, instants[-1]) if instants else now_ns)
            self._at.move_to_end(place)
        while len(self._at) > _PLACES_MAX:
            self._at.popitem(last=False)

    def of_all(self, since_ns: int) -> int:
        """Return how many entries were begun after `since_ns`."""
        return self._since(_ALL, since_ns)

    def of(self, account: str, since_ns: int) -> int:
        """Return how many of them in an account."""
        return self._since((account, ""), since_ns)

    def on_ticker(self, account: str, ticker: str, since_ns: int) -> int:
        """Return how many of them on one ticker in an account."""
        return self._since((account, ticker), since_ns)

    def _since(self, place: tuple[str, str], since_ns: int) -> int:
        instants = self._at.get(place)
        return 0 if instants is None else len(instants) - bisect_right(instants, since_ns)
