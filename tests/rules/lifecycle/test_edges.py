"""The table of SPEC 1.3, and every edge of it taken by the events that mean it."""

from collections.abc import Callable

import pytest

from actors.rules.trade import lifecycle
from actors.rules.trade.edges import EDGES, IllegalMove, move, way
from bus.messages.market import LifecycleEvent
from bus.messages.trades import TradeState as S
from tests.rules.lifecycle.builders import (
    ENTRY,
    Life,
    a_closing_life,
    a_context,
    a_fill,
    a_market_event,
    a_report,
    a_stop,
    a_trade,
    a_venue_fill,
    an_adopted_life,
    an_answer,
    an_open_life,
    at,
    determined,
)

CLOSE_1 = "t1-close-1"
CLOSING_TIME = 3600


def _partly_open() -> Life:
    return Life(a_trade()).begin().hear(a_fill("4", cumulative="4"))


def _partly_closed() -> Life:
    life = a_closing_life().hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1", cumulative="4"))
    return life.hear(a_report("cancelled", CLOSE_1, cumulative="4"))


def _partly_closed_of_a_part() -> Life:
    """Return a trade of which an entry filled 4 of 10, and a close 2 of those."""
    life = _partly_open().hear(a_report("cancelled", cumulative="4")).hear(a_stop(), at_s=10)
    return life.hear(a_fill("2", "0.40", CLOSE_1, fill_id="c1")).hear(a_report("cancelled", CLOSE_1, cumulative="2"))


def _a_late_count(life: Life) -> Life:
    """The venue counts more for an entry that counted as dead; the fill itself has not come."""
    return life.hear(a_report("partially_filled", ENTRY, cumulative="10"), at_s=11)


def _unknown_entry() -> Life:
    return Life(a_trade()).begin().hear(a_report("unknown"))


def _unknown_close() -> Life:
    return a_closing_life().hear(a_report("unknown", CLOSE_1))


def _expired() -> Life:
    return an_open_life().timer("expiry", at_s=CLOSING_TIME)


def _found(life: Life, order: str, quantity: str, status: str) -> Life:
    fills = (a_venue_fill(quantity, order=order, fill_id=f"{order}-f"),) if quantity != "0" else ()
    return life.hear(an_answer(order, status=status, cumulative=quantity, fills=fills))


TAKEN: list[tuple[S, S, Callable[[], Life]]] = [
    (S.REQUESTED, S.PENDING, lambda: Life(a_trade()).begin()),
    (S.REQUESTED, S.OPEN, an_adopted_life),
    (S.REQUESTED, S.REJECTED, lambda: Life(a_trade(expires_ts=at(0))).begin()),
    (S.PENDING, S.OPEN, an_open_life),
    (S.PENDING, S.PARTIAL_OPEN, _partly_open),
    (S.PENDING, S.REJECTED, lambda: Life(a_trade()).begin().hear(a_report("rejected"))),
    (S.PENDING, S.REJECTED, lambda: Life(a_trade()).begin().hear(a_report("cancelled", cumulative="0"))),
    (S.PENDING, S.REJECTED, lambda: Life(a_trade()).begin().hear(a_report("expired"))),
    (S.PENDING, S.UNKNOWN, _unknown_entry),
    (S.PARTIAL_OPEN, S.OPEN, lambda: _partly_open().hear(a_report("cancelled", cumulative="4"))),
    (S.PARTIAL_OPEN, S.EXPIRED, lambda: _partly_open().timer("expiry", at_s=CLOSING_TIME)),
    (S.PARTIAL_OPEN, S.UNKNOWN, lambda: _partly_open().hear(a_report("unknown"))),
    (
        S.PARTIAL_OPEN,
        S.CLOSING,
        lambda: _partly_open().hear(a_stop(), at_s=2).hear(a_report("cancelled", cumulative="4")),
    ),
    (S.OPEN, S.CLOSING, a_closing_life),
    (S.OPEN, S.EXPIRED, _expired),
    (S.CLOSING, S.CLOSED, lambda: a_closing_life().hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1"))),
    (S.CLOSING, S.PARTIAL_CLOSING, _partly_closed),
    (S.CLOSING, S.OPEN, lambda: a_closing_life().hear(a_report("rejected", CLOSE_1))),
    (S.CLOSING, S.EXPIRED, lambda: a_closing_life().timer("expiry", at_s=CLOSING_TIME)),
    (S.CLOSING, S.UNKNOWN, _unknown_close),
    (S.PARTIAL_CLOSING, S.CLOSING, lambda: _partly_closed().timer("next_attempt", at_s=11)),
    (S.PARTIAL_CLOSING, S.EXPIRED, lambda: _partly_closed().timer("expiry", at_s=CLOSING_TIME)),
    (
        S.PARTIAL_CLOSING,
        S.CLOSED,
        lambda: _partly_closed().hear(a_fill("6", "0.40", CLOSE_1, fill_id="c2", cumulative="10")),
    ),
    (S.PARTIAL_CLOSING, S.UNKNOWN, lambda: _a_late_count(_partly_closed_of_a_part()).timer("lookup", at_s=12)),
    (S.EXPIRED, S.SETTLED, lambda: _expired().hear(determined())),
    (
        S.EXPIRED,
        S.CLOSED,
        lambda: (
            a_closing_life()
            .timer("expiry", at_s=CLOSING_TIME)
            .hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1", at_s=3599))
        ),
    ),
    (S.UNKNOWN, S.REJECTED, lambda: _found(_unknown_entry(), ENTRY, "0", "cancelled")),
    (S.UNKNOWN, S.PENDING, lambda: _found(_unknown_entry(), ENTRY, "0", "accepted")),
    (S.UNKNOWN, S.PARTIAL_OPEN, lambda: _found(_unknown_entry(), ENTRY, "4", "partially_filled")),
    (S.UNKNOWN, S.CLOSING, lambda: _found(_unknown_close(), CLOSE_1, "0", "accepted")),
    (S.UNKNOWN, S.OPEN, lambda: _found(_unknown_entry(), ENTRY, "4", "cancelled")),
    (S.UNKNOWN, S.CLOSED, lambda: _found(_unknown_close(), CLOSE_1, "10", "filled")),
    (S.UNKNOWN, S.PARTIAL_CLOSING, lambda: _found(_unknown_close(), CLOSE_1, "4", "cancelled")),
    (
        S.UNKNOWN,
        S.EXPIRED,
        lambda: _found(_unknown_close().timer("expiry", at_s=CLOSING_TIME), CLOSE_1, "4", "cancelled"),
    ),
]


@pytest.mark.parametrize(("start", "end", "live"), TAKEN, ids=[f"{a}-{b}-{i}" for i, (a, b, _) in enumerate(TAKEN)])
def test_an_edge_is_taken_and_journaled_with_its_cause(start: S, end: S, live: Callable[[], Life]) -> None:
    """Lesson 27"""
    life = live()

    assert life.edges[-1] == (str(start), str(end))
    assert life.trade.state is end
    assert life.step.edges[-1].version == life.trade.version
    assert life.step.edges[-1].cause == life.trade.cause


@pytest.mark.parametrize("start", list(S))
@pytest.mark.parametrize("end", list(S))
def test_a_move_is_what_the_table_allows_and_nothing_else(start: S, end: S) -> None:
    """Lesson 32: a closed list of states."""
    trade = a_trade(state=start)

    if end in EDGES[start]:
        assert move(trade, end).state is end
    else:
        with pytest.raises(IllegalMove):
            move(trade, end)
        assert trade.state is start


SPECIFIED = """
requested: pending rejected open
pending: open partial_open rejected unknown
partial_open: open closing expired unknown
open: closing expired
closing: closed partial_closing open expired unknown
partial_closing: closing closed expired unknown
expired: settled closed
"""


def test_the_table_is_the_one_of_the_specification() -> None:
    rows = [line.split(": ") for line in SPECIFIED.strip().splitlines()]

    for start, ends in rows:
        assert {str(end) for end in EDGES[S(start)]} == set(ends.split())
    assert S.SETTLED not in EDGES[S.UNKNOWN]


@pytest.mark.parametrize("state", [S.REJECTED, S.CLOSED, S.SETTLED])
def test_nothing_leads_out_of_a_terminal_state(state: S) -> None:
    """Lesson 37, 38"""
    assert state.is_terminal
    assert EDGES[state] == {}


def test_a_way_passes_through_open_and_closing_only() -> None:
    assert way(S.PENDING, S.CLOSING) == (S.OPEN, S.CLOSING)
    assert way(S.OPEN, S.CLOSED) == (S.CLOSING, S.CLOSED)
    assert way(S.OPEN, S.OPEN) == ()
    with pytest.raises(IllegalMove):
        way(S.CLOSED, S.OPEN)
    with pytest.raises(IllegalMove):
        way(S.OPEN, S.SETTLED)


@pytest.mark.parametrize(
    "live",
    [
        lambda: an_open_life().hear(a_stop(), at_s=10).hear(a_fill("10", "0.4", CLOSE_1, fill_id="c1")),
        lambda: _expired().hear(determined()),
        lambda: Life(a_trade()).begin().hear(a_report("rejected")),
    ],
)
def test_a_trade_that_has_ended_never_changes(live: Callable[[], Life]) -> None:
    """Lesson 22, 37: expiry, stops, results and reports leave it alone."""
    life = live()
    ended = life.trade

    for event in (
        a_market_event(LifecycleEvent.CLOSE),
        determined(),
        a_stop(),
        a_report("filled", cumulative="10"),
        an_answer(status="filled", cumulative="10"),
    ):
        assert life.hear(event, at_s=4000).trade is ended
    assert life.timer("expiry").trade is ended


def test_an_impossible_beginning_changes_nothing() -> None:
    trade = an_open_life().trade

    with pytest.raises(IllegalMove):
        lifecycle.begin(trade, a_context())
    with pytest.raises(IllegalMove):
        lifecycle.reject(trade, "why", a_context())
    assert trade.state is S.OPEN


def test_news_that_changes_nothing_returns_the_very_same_trade() -> None:
    """Fault 24: what is heard again has no second effect."""
    life = an_open_life()
    before = life.trade

    life.hear(a_fill("10", status="filled", cumulative="10"))

    assert life.trade is before
    assert life.step.edges == ()
    assert life.step.fills == ()
