"""What a lens has seen since each of its rules began to look: one comparison or two for a tick, however many rules look.

A span holds the extremes of all readings from one rule's beginning to the next one's; each knows its follower. What a rule has seen is
its own span and all that follow. Whoever asks joins them on the way, so that nobody walks the same way twice; spans from which nobody
began are forgotten with the last rule that could ask.

Trailing stops need the deepest fall from a best instead: `Falls`. Their prices enter as in `trailing`, a short's with its sign turned.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple, Self

from actors.rules.market.marks import Reading
from bus.messages.units import HUNDRED, Number

_NEVER: Final = Decimal("Infinity")


class Span:
    """Readings between two instants. next: the span that follows; None: this is the newest. noted: it has seen something."""

    __slots__ = ("next", "noted")

    def __init__(self) -> None:
        self.next: Self | None = None
        self.noted = False

    def begin(self) -> Self:
        """Return the span of a rule that begins to look now, which is the newest from here on."""
        if not self.noted:
            return self
        self.next = type(self)()
        return self.next

    def since(self) -> Self:
        """Return everything from this span on, in one."""
        way, last = [self], self
        while last.next is not None:
            last = last.next
            way.append(last)
        for earlier, later in zip(way[-3::-1], way[-2:0:-1], strict=True):
            earlier.join(later)
            earlier.next = last
        whole = type(self)()
        whole.join(self)
        if last is not self:
            whole.join(last)
        return whole

    def join(self, later: Self) -> None:
        """Take in what a following span has seen."""
        raise NotImplementedError


class Extremes(Span):
    """The reading with the least high end and the one with the greatest low end, each with its instant."""

    __slots__ = ("greatest", "greatest_seen", "least", "least_seen")

    def __init__(self) -> None:
        super().__init__()
        self.least: Number = _NEVER
        self.greatest: Number = -_NEVER
        self.least_seen: tuple[Reading, int] | None = None
        self.greatest_seen: tuple[Reading, int] | None = None

    def note(self, reading: Reading, now_ns: int) -> None:
        """Take in what is seen now."""
        high, low = reading.high, reading.low
        if high is not None and high < self.least:
            self.least, self.least_seen, self.noted = high, (reading, now_ns), True
        if low is not None and low > self.greatest:
            self.greatest, self.greatest_seen, self.noted = low, (reading, now_ns), True

    def join(self, later: Self) -> None:
        """Take in what a following span has seen."""
        if later.least < self.least:
            self.least, self.least_seen = later.least, later.least_seen
        if later.greatest > self.greatest:
            self.greatest, self.greatest_seen = later.greatest, later.greatest_seen

    def ends(self) -> Iterator[tuple[Reading, int]]:
        """Yield the two readings, as far as there are any."""
        yield from (seen for seen in (self.least_seen, self.greatest_seen) if seen is not None)


class Fall(NamedTuple):
    """How far a price had come back from its best: `amount` in its own unit, `percent` of the best (None: of 0). reading: as it was seen."""

    amount: Number
    percent: Number | None
    best: Number
    reading: Reading
    at_ns: int


def fall_from(best: Number, seen: "Low") -> Fall:
    """Return the fall from `best` to what was seen."""
    amount = best - seen.value
    return Fall(amount, amount * HUNDRED / abs(best) if best else None, best, seen.reading, seen.at_ns)


class Low(NamedTuple):
    """A price at which a trailing rule may fire, with what was seen."""

    value: Number
    reading: Reading
    at_ns: int


class Falls(Span):
    """The best and the lowest price, and the deepest falls from a best before it: by amount, and by percent.

    reach: whatever does not lie below it is no deeper fall, and not the lowest.
    """

    __slots__ = ("best", "by_amount", "by_percent", "lowest", "reach")

    def __init__(self) -> None:
        super().__init__()
        self.best: Number = -_NEVER
        self.reach: Number = _NEVER
        self.lowest: Low | None = None
        self.by_amount: Fall | None = None
        self.by_percent: Fall | None = None

    def rise(self, value: Number) -> None:
        """The best is `value` now, higher than before."""
        self.best, self.noted = value, True
        self._note_reach()

    def fall(self, value: Number, reading: Reading, now_ns: int) -> None:
        """The price is `value` now, below `reach`."""
        self.noted = True
        self._take(Low(value, reading, now_ns))
        self._note_reach()

    def join(self, later: Self) -> None:
        """Take in what a following span has seen: it may have fallen from a best of this one."""
        for fall in (later.by_amount, later.by_percent):
            self._deepen(fall)
        if later.lowest is not None:
            self._take(later.lowest)
        self.best = max(self.best, later.best)

    def _note_reach(self) -> None:
        """What lies below the lowest is a deeper fall, too, for bests only rise."""
        if self.by_amount is None:
            self.reach = _NEVER if self.lowest is None or self.best != -_NEVER else self.lowest.value
        elif (percent := self._percent) is not None:
            by_percent = abs(self.best) * percent / HUNDRED
            self.reach = self.best - min(self.by_amount.amount, by_percent)
        else:
            self.reach = _NEVER

    @property
    def _percent(self) -> Number | None:
        return None if self.by_percent is None else self.by_percent.percent

    def _take(self, low: Low) -> None:
        if self.best != -_NEVER:
            self._deepen(fall_from(self.best, low))
        if self.lowest is None or low.value < self.lowest.value:
            self.lowest = low

    def _deepen(self, fall: Fall | None) -> None:
        if fall is None:
            return
        if self.by_amount is None or fall.amount > self.by_amount.amount:
            self.by_amount = fall
        if fall.percent is not None and (self._percent is None or fall.percent > self._percent):
            self.by_percent = fall
