"""What all that an account holds would bring if it were closed now: an interval, unknown while any part of it is."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from actors.rules.market.marks import Reading
from actors.rules.trade.fills import EXACT
from bus.messages.units import ZERO, Money

if TYPE_CHECKING:
    from actors.rules.account.holdings import Holding

_NOTHING: Final = (ZERO, ZERO)


class Worth:
    """Two exact sums, moved by what changes. unknown: the holdings without a known price, with the reason."""

    __slots__ = ("high", "low", "unknown")

    def __init__(self) -> None:
        self.low: Money = ZERO
        self.high: Money = ZERO
        self.unknown: dict[Holding, str] = {}

    def add(self, holding: "Holding", quantity: Decimal, reading: Reading) -> None:
        """Count so much of a holding in, at the price that `reading` is."""
        value = _value(quantity, reading)
        if value is None:
            self.unknown[holding] = reading.reason or "unbounded"
        else:
            self.low, self.high = EXACT.add(self.low, value[0]), EXACT.add(self.high, value[1])

    def drop(self, holding: "Holding", quantity: Decimal, reading: Reading) -> None:
        """Take out what `add` has counted in."""
        self.unknown.pop(holding, None)
        low, high = _value(quantity, reading) or _NOTHING
        self.low, self.high = EXACT.subtract(self.low, low), EXACT.subtract(self.high, high)

    def move(self, holding: "Holding", quantity: Decimal, before: Reading, after: Reading) -> None:
        """Let the price of a holding change."""
        self.drop(holding, quantity, before)
        self.add(holding, quantity, after)

    def shift(self, low: Money, high: Money) -> None:
        """Count in, or out, what has no market any more and is only bounded by what it can be paid."""
        self.low, self.high = EXACT.add(self.low, low), EXACT.add(self.high, high)


def _value(quantity: Decimal, reading: Reading) -> tuple[Money, Money] | None:
    if not quantity:
        return _NOTHING
    if reading.low is None or reading.high is None:
        return None
    ends = EXACT.multiply(quantity, reading.low), EXACT.multiply(quantity, reading.high)
    return (ends[0], ends[1]) if quantity > 0 else (ends[1], ends[0])
