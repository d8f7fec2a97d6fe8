"""The table of SPEC 1.3: which state may follow which, and why. docs/specification.md prints it."""

from typing import Final

from msgspec.structs import replace

from bus.messages.trades import Trade, TradeState

S = TradeState

EDGES: Final[dict[TradeState, dict[TradeState, str]]] = {
    S.REQUESTED: {
        S.PENDING: "the entry order is decided",
        S.REJECTED: "refused before any order",
        S.OPEN: "a position that exists already is adopted",
    },
    S.PENDING: {
        S.OPEN: "the entry has ended with something filled",
        S.PARTIAL_OPEN: "a part is filled, the rest still works",
        S.REJECTED: "the entry was rejected, cancelled or expired with nothing filled",
        S.UNKNOWN: "nobody knows what became of the entry",
    },
    S.PARTIAL_OPEN: {
        S.OPEN: "the entry has ended",
        S.CLOSING: "a close began once the rest of the entry was cancelled",
        S.EXPIRED: "the market has closed",
        S.UNKNOWN: "nobody knows what became of the rest of the entry",
    },
    S.OPEN: {
        S.CLOSING: "a close attempt begins",
        S.EXPIRED: "the market has closed",
    },
    S.CLOSING: {
        S.CLOSED: "nothing is left",
        S.PARTIAL_CLOSING: "the attempt has ended and filled a part",
        S.OPEN: "the attempt is proven dead with nothing filled, or the part asked for is filled",
        S.EXPIRED: "the market has closed",
        S.UNKNOWN: "nobody knows what became of the attempt",
    },
    S.PARTIAL_CLOSING: {
        S.CLOSING: "the next attempt begins",
        S.CLOSED: "nothing is left",
        S.EXPIRED: "the market has closed",
        S.UNKNOWN: "nobody knows what became of an attempt",
    },
    S.EXPIRED: {
        S.SETTLED: "the venue's result is in",
        S.CLOSED: "a late fill took the rest",
    },
    S.UNKNOWN: {
        S.REJECTED: "evidence: the entry ended with nothing filled",
        S.PENDING: "evidence: the entry works",
        S.PARTIAL_OPEN: "evidence: a part of the entry is filled, the rest works",
        S.OPEN: "evidence: every order has ended, something is open",
        S.CLOSING: "evidence: a close works",
        S.PARTIAL_CLOSING: "evidence: the attempt has ended and filled a part",
        S.CLOSED: "evidence: nothing is left",
        S.EXPIRED: "evidence: something is left, and the market has closed",
    },
    S.REJECTED: {},
    S.CLOSED: {},
    S.SETTLED: {},
}
"""From -> to -> meaning. Terminal states have no way out."""

_PASSED_THROUGH: Final = (S.OPEN, S.CLOSING)
"""States that one piece of news may pass on its way to another: an entry filled and closed at once has been open."""


class IllegalMove(Exception):  # noqa: N818  # a broken program, named after what it tried
    """The table has no such edge. The trade is unchanged; nothing was said."""


def move(trade: Trade, to: TradeState) -> Trade:
    """Return `trade` in the state `to`. Raises: IllegalMove if the table has no such edge."""
    if to not in EDGES[trade.state]:
        raise IllegalMove(f"trade {trade.trade_id}: {trade.state} -> {to} is not in the table")
    return replace(trade, state=to)


def way(start: TradeState, end: TradeState) -> tuple[TradeState, ...]:
    """Return the states to enter, in order, to come from `start` to `end`: one edge if there is one, else the shortest way.

    Raises: IllegalMove if there is none.
    """
    if start is end:
        return ()
    ways: list[tuple[TradeState, ...]] = [(start,)]
    for _ in range(len(_PASSED_THROUGH) + 1):
        for walked in ways:
            if end in EDGES[walked[-1]]:
                return (*walked[1:], end)
        ways = [(*walked, via) for walked in ways for via in _PASSED_THROUGH if via in EDGES[walked[-1]]]
    raise IllegalMove(f"no way from {start} to {end}")
