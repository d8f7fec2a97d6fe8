"""What the book will know of each input when it comes to a tick that waits: which ticks it drops, and since when a quote is crossed."""

from actors.rules.folding.levels import Input, is_crossed, name_of
from actors.rules.market.odd import is_odd
from bus.messages.market import Quote, Tick


class Known:
    """The newest instant of each input, and since when each quote is crossed. All ticks of an inbox pass it, in order."""

    __slots__ = ("_crossed", "_newest")

    def __init__(self) -> None:
        self._newest: dict[Input, int] = {}
        self._crossed: dict[str, int] = {}

    def takes(self, tick: Tick, received_ns: int) -> bool:
        """Take `tick` in; False where the book drops it for a newer one, or rejects it."""
        ts, name = tick.ts, name_of(tick)
        if ts < self._newest.get(name, 0) or is_odd(tick, received_ns):
            return False
        self._newest[name] = ts
        if isinstance(tick, Quote):
            if not is_crossed(tick):
                self._crossed.pop(tick.ticker, None)
            elif tick.ticker not in self._crossed:
                self._crossed[tick.ticker] = ts
        return True

    def crossed_ts(self, ticker: str) -> int:
        """Return since when the quote of `ticker` is crossed; 0: it is not."""
        return self._crossed.get(ticker, 0)
