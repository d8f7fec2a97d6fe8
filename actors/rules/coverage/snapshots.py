"""What open trades are worth, said a few times a second at most, for people.

Only trades whose exit price has changed since it was last said; a bounded number in one batch, the rest in the next.
"""

from collections.abc import Mapping
from typing import Final

from actors.rules.coverage.outlook import Outlook
from actors.rules.market.marks import Reading, pnl_at
from bus.messages.stops import MarkSnapshot, Rule
from bus.messages.trades import Side, Trade
from bus.messages.units import Number

BATCH_MAX: Final = 500
"""Trades in one batch: more would keep the ticks waiting."""


class MarkSnapshots:
    """Which outlooks have moved since their trades' marks were last said."""

    def __init__(self) -> None:
        self._moved: dict[Outlook, None] = {}
        self._left: list[tuple[str, Outlook]] = []
        self._said: dict[str, MarkSnapshot] = {}
        self._due_ns: int | None = None

    def note(self, outlook: Outlook) -> None:
        """Something that `outlook` sees has changed."""
        self._moved[outlook] = None

    def forget(self, trade_id: str) -> None:
        """A trade has ended."""
        self._said.pop(trade_id, None)

    def ask(self, now_ns: int, interval_ns: int) -> int | None:
        """Return when the next batch is due, if there is something to say and nobody waits for it yet."""
        if self._due_ns is not None or not (self._moved or self._left):
            return None
        self._due_ns = now_ns + interval_ns
        return self._due_ns

    def take(self, trades: Mapping[str, Trade], now_ns: int) -> list[object]:
        """Return the snapshots of this batch."""
        self._due_ns = None
        if not self._left:
            # Whoever moves while the rest waits for its turn has the next: an outlook's trades are listed once a round.
            self._left = [(trade_id, outlook) for outlook in self._moved for trade_id in outlook.trades]
            self._moved = {}
        batch = self._left[:BATCH_MAX]
        del self._left[:BATCH_MAX]
        said: list[object] = []
        for trade_id, outlook in batch:
            trade = trades.get(trade_id)
            if trade is not None and trade_id in outlook.trades:
                said += self._changed(_snapshot(trade, outlook, now_ns))
        return said

    def _changed(self, snapshot: MarkSnapshot) -> list[object]:
        before = self._said.get(snapshot.trade_id)
        self._said[snapshot.trade_id] = snapshot
        same = before is not None and (before.mark, before.pnl, before.probability, before.distance) == (
            snapshot.mark,
            snapshot.pnl,
            snapshot.probability,
            snapshot.distance,
        )
        return [] if same else [snapshot]


def _snapshot(trade: Trade, outlook: Outlook, now_ns: int) -> MarkSnapshot:
    reading = outlook.sight.exit(now_ns)
    worst = reading.high if trade.side is Side.SHORT else reading.low
    probability = outlook.sight.fed_or_quoted_probability(now_ns)
    return MarkSnapshot(
        trade_id=trade.trade_id,
        mark=outlook.sight.mark(trade, now_ns),
        now_ns=now_ns,
        pnl=None if worst is None else pnl_at(trade, worst),
        probability=probability.low if probability.known else None,
        distance=_distance(trade, worst, probability),
    )


def _distance(trade: Trade, worst: Number | None, probability: Reading) -> Number | None:
    """Return how far the exit price stands from the price stop, else the probability from its floor."""
    for spec in trade.stops:
        stop, floor = spec.settings.get("stop_price"), spec.settings.get("floor_percent")
        if spec.rule == Rule.PRICE and worst is not None and stop is not None and not isinstance(stop, str | bool):
            return stop - worst if trade.side is Side.SHORT else worst - stop
        if spec.rule == Rule.PROBABILITY and probability.low is not None and floor is not None:
            return None if isinstance(floor, str | bool) else probability.low - floor
    return None
