"""What accounts hold, and what closing it would bring: kept as sums, so that a tick never walks over trades.

All that is held of one side of one ticker, and seen alike, is one `Holding`: a tick looks at it once, and each account that has
some of it moves its own sum by the change of the price times its quantity. A short counts negative: what it was sold for is in
the cash already.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from actors.rules.account.worth import Worth
from actors.rules.market.book import QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from actors.rules.market.marks import Reading
from actors.rules.market.sight import Sight
from actors.rules.stops.lenses import ExitLens
from bus.messages.units import ZERO

Entry = QuoteInForce | ValueInForce
_NONE: Final[tuple["Holding", ...]] = ()


class Holding:
    """One side of one ticker, seen in one way. quantities: by the worth of the account that holds it, never 0.

    key: names it in timers. view: what makes it the same as another. silent: the feed whose silence was seen at the last look.
    """

    __slots__ = ("entries", "key", "lens", "quantities", "reading", "silent", "view")

    def __init__(self, key: str, sight: Sight) -> None:
        self.key = key
        self.view = _view(sight)
        spot = sight.spot if sight.spot_is_quote else None
        self.lens = ExitLens(key, sight.view, sight.quote, spot)
        self.entries: tuple[Entry, ...] = (sight.quote,) if spot is None else (sight.quote, spot)
        self.quantities: dict[Worth, Decimal] = {}
        self.reading = Reading("quote", reason="never_fed")
        self.silent: Feed | None = None

    @property
    def name(self) -> str:
        """The ticker."""
        return self.lens.quote.name

    def look(self, now_ns: int) -> None:
        """Look at the exit price anew, and move the worth of who holds it."""
        before, after = self.reading, self.lens.look(now_ns)
        self.reading = after
        if (before.low, before.high, before.reason) != (after.low, after.high, after.reason):
            for worth, quantity in self.quantities.items():
                worth.move(self, quantity, before, after)

    def hold(self, worth: Worth, change: Decimal) -> None:
        """Let an account hold so much more of it (negative: less)."""
        quantity = self.quantities.pop(worth, ZERO)
        worth.drop(self, quantity, self.reading)
        if quantity + change:
            self.quantities[worth] = quantity + change
            worth.add(self, quantity + change, self.reading)


class Holdings:
    """Every holding, found by what it looks at, by name for its timers, and by a feed that has fallen silent."""

    def __init__(self) -> None:
        self._by_view: dict[object, Holding] = {}
        self._by_key: dict[str, Holding] = {}
        self._at: dict[Entry, list[Holding]] = {}
        self._silent: dict[Feed, dict[Holding, None]] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def all(self) -> list[Holding]:
        """Return every one, oldest first."""
        return list(self._by_key.values())

    def by_key(self, key: str) -> Holding | None:
        """Return the one that a timer names; None if nobody holds it any more."""
        return self._by_key.get(key)

    def of(self, sight: Sight) -> Holding:
        """Return the holding that `sight` looks at, made if need be."""
        view = _view(sight)
        holding = self._by_view.get(view)
        if holding is None:
            self._count += 1
            holding = self._by_view[view] = Holding(f"account:holding:{self._count}", sight)
            self._by_key[holding.key] = holding
            for entry in holding.entries:
                self._at.setdefault(entry, []).append(holding)
        return holding

    def drop_if_empty(self, holding: Holding) -> bool:
        """Forget what nobody holds any more; say whether it was forgotten."""
        if holding.quantities or holding.key not in self._by_key:
            return False
        del self._by_key[holding.key]
        del self._by_view[holding.view]
        for entry in holding.entries:
            self._at[entry].remove(holding)
            if not self._at[entry]:
                del self._at[entry]
        self.note_silence(holding)
        return True

    def concerned(self, entry: Entry | Feed) -> Iterable[Holding]:
        """Return the holdings that a tick may have changed: those that look at it, and those that its feed had left in the dark."""
        feed = entry if isinstance(entry, Feed) else entry.feed
        found = _NONE if isinstance(entry, Feed) else self._at.get(entry, _NONE)
        waiting = self._silent.get(feed) if feed is not None and self._silent else None
        return dict.fromkeys((*found, *waiting)) if waiting else found

    def note_silence(self, holding: Holding) -> None:
        """Keep the holding among those that a word of its feed would wake, if the feed is silent."""
        if holding.silent is not None:
            waiting = self._silent[holding.silent]
            del waiting[holding]
            if not waiting:
                del self._silent[holding.silent]
            holding.silent = None
        feed = holding.lens.quote_feed
        if holding.key in self._by_key and holding.reading.reason == "feed_silent" and feed is not None:
            holding.silent = feed
            self._silent.setdefault(feed, {})[holding] = None


def _view(sight: Sight) -> tuple[object, ...]:
    return sight.quote, sight.spot if sight.spot_is_quote else None, sight.view
