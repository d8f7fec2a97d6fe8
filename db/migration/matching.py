"""Which trade an old fill belongs to. No old fill says it; what the venue and the old trades say together, does, or it stays open. Pure.

A fill is a trade's if that trade alone, of its ticker, was open when the fill happened; and then only if all such fills of the trade add up
to exactly what it bought and sold again, and the order of each is known with its fees. Of a trade of which one fill cannot be told, none
is taken: a part of its fills would add up to something that never happened.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

_CLOCKS_APART: Final = timedelta(seconds=2)
"""The trade's times are of the old machine and whole seconds, the fill's of the venue: more is another moment."""


class OldTrade(NamedTuple):
    """An old trade. opened, closed: None where it does not say. is_own: it is one of those that become Watchkeeper's own.

    expired: nobody closed it: its market did.
    """

    trade_id: str
    ticker: str
    side: str
    quantity: Decimal
    opened: datetime | None
    closed: datetime | None
    is_own: bool
    expired: bool


class OldFill(NamedTuple):
    """A fill, as the venue told it. side: that was bought, with `action` buy."""

    fill_id: str
    order_id: str
    ticker: str
    side: str
    action: str
    quantity: Decimal
    ts: datetime


class OldOrder(NamedTuple):
    """An order, as the venue told it. fees: of all its fills, dollars."""

    client_order_id: str
    filled: Decimal
    fees: Decimal | None


class Match(NamedTuple):
    """What is known of a fill."""

    trade_id: str
    side: str
    purpose: str
    client_order_id: str
    fees: Decimal


class Matches(NamedTuple):
    """Each fill in one of the two. found: by its id. unmatched: by the reason, the ids."""

    found: dict[str, Match]
    unmatched: dict[str, tuple[str, ...]]


def match(trades: Iterable[OldTrade], fills: Sequence[OldFill], orders: Mapping[str, OldOrder]) -> Matches:
    """Return which fill belongs to which trade, and why others belong to none. orders: by the venue's id."""
    by_ticker: dict[str, list[OldTrade]] = defaultdict(list)
    for trade in trades:
        by_ticker[trade.ticker].append(trade)
    of_order = Counter(fill.order_id for fill in fills)
    theirs: dict[OldTrade, list[OldFill]] = defaultdict(list)
    whys: dict[str, str] = {}
    shared: set[OldTrade] = set()
    for fill in fills:
        held = [one for one in by_ticker[fill.ticker] if _was_open(one, fill.ts)]
        if len(held) == 1:
            theirs[held[0]].append(fill)
        else:
            shared.update(held)
            whys[fill.fill_id] = (
                f"{len(held)} trades of its ticker were open then" if held else "no trade of its ticker was open then"
            )
    found: dict[str, Match] = {}
    for trade, its in theirs.items():
        why = (
            "while its trade was open, something was filled that may be another's"
            if trade in shared
            else _doubt(trade, its, orders, of_order)
        )
        if why:
            whys |= {fill.fill_id: why for fill in its}
        else:
            found |= {fill.fill_id: _matched(trade, fill, orders[fill.order_id]) for fill in its}
    unmatched: dict[str, list[str]] = defaultdict(list)
    for fill_id, why in whys.items():
        unmatched[why].append(fill_id)
    return Matches(found, {why: tuple(those) for why, those in unmatched.items()})


def _was_open(trade: OldTrade, when: datetime) -> bool:
    return (trade.opened is None or trade.opened - _CLOCKS_APART <= when) and (
        trade.closed is None or when <= trade.closed + _CLOCKS_APART
    )


def _doubt(trade: OldTrade, its: Sequence[OldFill], orders: Mapping[str, OldOrder], of_order: Mapping[str, int]) -> str:
    """Return why the fills of a trade are not taken for its own; empty if nothing speaks against it."""
    if not trade.is_own:
        return "its trade is none of those that become Watchkeeper's own"
    if any(fill.action != "buy" for fill in its):
        return "its trade has a fill that sells, which the old programs never did"
    bought = sum((fill.quantity for fill in its if fill.side == trade.side), Decimal(0))
    closed = sum((fill.quantity for fill in its if fill.side != trade.side), Decimal(0))
    if bought != trade.quantity or closed != (0 if trade.expired else trade.quantity):
        return "the fills of its trade do not add up to what that bought and closed"
    for fill in its:
        order = orders.get(fill.order_id)
        if order is None:
            return "an order of its trade is not among the orders"
        if not order.client_order_id:
            return "an order of its trade has no client order id: no program of ours sent it"
        if of_order[fill.order_id] != 1 or order.filled != fill.quantity:
            return "an order of its trade has several fills, and tells the fees of all of them together"
        if order.fees is None:
            return "an order of its trade tells no fees"
    return ""


def _matched(trade: OldTrade, fill: OldFill, order: OldOrder) -> Match:
    assert order.fees is not None, "looked at before"
    return Match(
        trade_id=trade.trade_id,
        side=trade.side,
        purpose="entry" if fill.side == trade.side else "close",
        client_order_id=order.client_order_id,
        fees=order.fees,
    )
