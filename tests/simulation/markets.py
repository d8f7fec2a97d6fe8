"""The markets of a simulated world: event contracts whose price walks, jumps, empties and ends, and the feed that tells of them."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Final

from bus.messages.units import NS_PER_S

SOURCE: Final = "feed"
ACCOUNTS: Final = {"sim": "live-1", "net": "live-2", "paper": "paper-1"}
"""Our account at each venue."""
_CENT: Final = Decimal("0.01")


@dataclass(slots=True)
class Market:
    """One event contract. mid: cents. close_ns: when it closes; None: not in this world's time."""

    ticker: str
    random: Random
    volatility: float
    mid: float = 55.0
    spread: int = 2
    close_ns: int | None = None
    is_halted: bool = False
    is_closed: bool = False
    result: str | None = None
    floor: int | None = None
    """Where it is held, once everything is to be closed."""
    said: list[tuple[int, Decimal | None, Decimal | None]] = field(default_factory=list)
    """What was published: ts, bid, ask."""

    def move(self) -> tuple[Decimal | None, Decimal | None]:
        """Let the price go on; return bid and ask. None: nobody there."""
        random = self.random
        if self.floor is not None:
            return self.floor * _CENT, (self.floor + 2) * _CENT
        if random.random() < self.volatility:
            self.mid += random.choice((-25, -15, 15, 20))
        self.mid += random.gauss(0, 100 * self.volatility / 2)
        self.mid = min(92.0, max(8.0, self.mid))
        self.spread = random.choice((1, 2, 2, 4))
        bid, ask = self._prices()
        drawn = random.random()
        if drawn < self.volatility / 2:
            return None, ask
        if drawn < self.volatility * 0.7:
            return None, None
        return bid, ask

    def _prices(self) -> tuple[Decimal, Decimal]:
        bid = max(1, min(97, int(self.mid) - self.spread // 2))
        return bid * _CENT, (bid + self.spread) * _CENT

    def ends_in(self, seconds: float, now_ns: int) -> None:
        """Let it close after so many seconds."""
        self.close_ns = now_ns + int(seconds) * NS_PER_S
