"""Trades of ours on both sides of one ticker, at a venue where the sides cancel each other (SPEC 1.3, Netting venues).

No entry opens the other side, but a fill that came too late may: its trade is born, and that very fill has closed at the venue as much
of what we held. No order could close any of it any more, so both end in the record as well, at the price of the younger entry.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from actors.rules.reconcile.holdings import oldest_first
from actors.rules.trade.outside import part_id
from bus.messages.orders import VenueFill
from bus.messages.reconcile import ClosedOutside
from bus.messages.trades import Side, Trade
from bus.messages.units import ZERO

Pair = tuple[Trade, Trade, Decimal]


def crossed(trades: Iterable[Trade]) -> Decimal:
    """Return how much `trades`, all of one ticker, hold of both sides."""
    return sum((quantity for _, _, quantity in _pairs(trades)), ZERO)


def cancelled(trades: Iterable[Trade], now_ns: int) -> list[ClosedOutside]:
    """Return what each of `trades`, all of one ticker, has lost to those of the other side, the oldest entries first."""
    lost: dict[str, Decimal] = defaultdict(lambda: ZERO)
    fills: dict[str, list[VenueFill]] = defaultdict(list)
    known = {trade.trade_id: trade for trade in trades}
    for number, (one, other, quantity) in enumerate(_pairs(known.values())):
        _, younger = oldest_first((one, other))
        for trade in (one, other):
            lost[trade.trade_id] += quantity
            if younger.entry_price is not None:
                fills[trade.trade_id].append(
                    VenueFill(
                        fill_id=part_id(f"netted-{number}-{now_ns}", trade.trade_id),
                        ticker=younger.ticker,
                        side=younger.side,
                        price=younger.entry_price,
                        quantity=quantity,
                        ts=younger.entry_ts or now_ns,
                    )
                )
    return [
        ClosedOutside(
            trade_id=trade_id,
            open_quantity=known[trade_id].open_quantity,
            quantity=quantity,
            fills=tuple(fills[trade_id]),
            now_ns=now_ns,
            netted=True,
        )
        for trade_id, quantity in lost.items()
    ]


def _pairs(trades: Iterable[Trade]) -> Iterator[Pair]:
    """Yield who meets whom, and how much of both: the oldest of one side the oldest of the other."""
    sides: dict[bool, list[tuple[Trade, Decimal]]] = {True: [], False: []}
    for trade in reversed(oldest_first(trades)):
        if trade.open_quantity:
            sides[trade.side in (Side.YES, Side.LONG)].append((trade, trade.open_quantity))
    while sides[True] and sides[False]:
        (one, there), (other, here) = sides[True].pop(), sides[False].pop()
        quantity = min(there, here)
        yield one, other, quantity
        if there > quantity:
            sides[True].append((one, there - quantity))
        if here > quantity:
            sides[False].append((other, here - quantity))
