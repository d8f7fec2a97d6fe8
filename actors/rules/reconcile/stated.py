"""What venues have said unasked of single positions: the one word that says "nothing is held" of a place by its name.

A list from which a place is missing may be a list that failed (Fault 54). A word that names the place, its side and the quantity 0 is
none; and what it said, with all that our own orders have filled there since, must give what the list shows.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from actors.rules.reconcile.terms import Place
from bus.messages.orders import Position
from bus.messages.trades import Purpose, Trade
from bus.messages.units import ZERO

_KEPT_MAX: Final = 50_000
_ADOPTED: Final = ""
"""Stands for the fills of a position that was taken over: nobody knows them."""


@dataclass(slots=True)
class _Said:
    """moved: what filled there since, by trade and fill; sold is negative."""

    position: Position
    moved: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def hear(self, trade: Trade) -> None:
        since_ns = self.position.ts
        for fill in trade.fills:
            if fill.ts > since_ns:
                sign = 1 if fill.purpose is Purpose.ENTRY else -1
                self.moved[trade.trade_id, fill.fill_id] = sign * fill.quantity
        is_adopted = not any(fill.purpose is Purpose.ENTRY for fill in trade.fills)
        if is_adopted and (trade.entry_ts or trade.ts) > since_ns:
            self.moved[trade.trade_id, _ADOPTED] = trade.filled_quantity


class Stated:
    """The newest word of each place, by the venue's own `ts`. Bounded: the ones said longest ago are forgotten."""

    def __init__(self, known: Iterable[Position] = ()) -> None:
        self._newest: OrderedDict[tuple[str, Place], _Said] = OrderedDict()
        for position in known:
            self.hear(position, ())

    def hear(self, position: Position, trades: Iterable[Trade]) -> None:
        """Take a word, unless a newer one is known. trades: those of its account, for what was filled before it was heard."""
        key = (position.account, Place(position.ticker, position.side))
        known = self._newest.get(key)
        if known is not None and known.position.ts > position.ts:
            return
        self._newest[key] = _Said(position)
        self._newest.move_to_end(key)
        for trade in trades:
            self.hear_trade(trade)
        if len(self._newest) > _KEPT_MAX:
            self._newest.popitem(last=False)

    def hear_trade(self, trade: Trade) -> None:
        """Take what a trade has filled since the word about its place."""
        said = self._newest.get((trade.account, Place(trade.ticker, trade.side)))
        if said is not None:
            said.hear(trade)

    def confirms(self, account: str, place: Place, quantity: Decimal) -> bool:
        """Whether the venue's own word, with what was filled since, says that so much is held at `place`."""
        said = self._newest.get((account, place))
        return said is not None and said.position.quantity + sum(said.moved.values(), ZERO) == quantity

    def all(self) -> tuple[Position, ...]:
        """Return every word, for the engine that takes over."""
        return tuple(said.position for said in self._newest.values())
