"""What people are shown of open trades, a few times a second at most."""

from decimal import Decimal

import pytest

from actors.rules.coverage import snapshots
from bus.messages.market import Tick
from bus.messages.stops import MarkSnapshot, MarkWanted
from bus.messages.timers import SetTimer
from bus.messages.trades import Side, Trade, TradeState
from tests.rules.coverage.builders import MARK_INTERVAL_NS, Board
from tests.rules.stops.builders import a_coin_quote, a_coin_trade, a_probability, a_quote, a_trade, at, stop

D = Decimal
PRICE = stop("price", stop_price="0.30")
FLOOR = stop("probability", floor_percent=25)


def shown(trade: Trade, *ticks: Tick) -> MarkSnapshot:
    """The last snapshot, a second after the ticks."""
    board = Board(trade, mark_interval_ns=MARK_INTERVAL_NS).tick(*ticks)
    return board.wait(10).snapshots[-1]


@pytest.mark.parametrize(
    ("trade", "tick", "pnl", "distance"),
    [
        (a_trade(PRICE), a_quote(1, "0.50", "0.52"), "-1.0", "0.20"),
        (a_trade(PRICE, side=Side.NO), a_quote(1, "0.50", "0.52"), "-1.2", "0.18"),
        (a_coin_trade(stop("price", stop_price=95)), a_coin_quote(1, "99", "101"), "-2", "4"),
        (a_coin_trade(stop("price", stop_price=105), side=Side.SHORT), a_coin_quote(1, "99", "101"), "-2", "4"),
        (a_trade(PRICE), a_quote(1, None, "0.52"), "-6", "-0.30"),
        (a_trade(stop("loss", max_loss=1)), a_quote(1, "0.50", "0.52"), "-1.0", None),
        (a_trade(stop("price")), a_quote(1, "0.50", "0.52"), "-1.0", None),
    ],
)
def test_it_shows_the_worst_that_closing_may_bring_and_how_far_the_stop_is(
    trade: Trade, tick: Tick, pnl: str, distance: str | None
) -> None:
    snapshot = shown(trade, tick)

    assert snapshot.pnl == D(pnl)
    assert snapshot.distance == (None if distance is None else D(distance))


@pytest.mark.parametrize(("side", "percent", "distance"), [(Side.YES, "40", "15"), (Side.NO, "60", "35")])
def test_it_shows_the_probability_and_how_far_its_floor_is(side: Side, percent: str, distance: str) -> None:
    snapshot = shown(a_trade(FLOOR, side=side), a_quote(1, "0.38", "0.42"), a_probability(1, 40))

    assert (snapshot.probability, snapshot.distance) == (D(percent), D(distance))


def test_the_first_stop_that_has_a_distance_gives_it() -> None:
    snapshot = shown(a_trade(FLOOR, PRICE), a_quote(1, "0.50", "0.50"), a_probability(1, 40))

    assert snapshot.distance == D(15)


def test_what_nobody_knows_is_left_out() -> None:
    snapshot = shown(a_trade(PRICE), a_quote(1, "0.50", "0.52"), a_quote(2))

    assert (snapshot.pnl, snapshot.distance, snapshot.probability) == (None, None, None)


def test_what_no_trade_looks_at_asks_for_no_batch() -> None:
    board = Board(mark_interval_ns=MARK_INTERVAL_NS)

    assert board.tick(a_quote(1, "0.50", "0.52")).timers == {}


def test_a_trade_that_ended_and_holds_something_again_is_shown_anew() -> None:
    """Lesson 30: by a late fill."""
    trade = a_trade(PRICE)
    ended = a_trade(PRICE, state=TradeState.CLOSED, open_quantity=D(0))
    board = Board(trade, mark_interval_ns=MARK_INTERVAL_NS).tick(a_quote(1, "0.50", "0.52")).wait(2)
    before = len(board.snapshots)

    board.hear(ended)
    board.hear(trade)
    board.wait(4)

    assert len(board.snapshots) == before + 1


def test_a_batch_is_asked_for_once_with_its_own_timer() -> None:
    board = Board(a_trade(PRICE), mark_interval_ns=MARK_INTERVAL_NS)

    said = board.tick(a_quote(1, "0.50", "0.52")).said

    timers = [word for word in said if isinstance(word, SetTimer) and word.key == "marks"]
    assert [(timer.owner, timer.due_ns) for timer in timers][-1:] == [("trade_watcher", at(1) + MARK_INTERVAL_NS)]


def test_what_does_not_fit_into_a_batch_follows_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "BATCH_MAX", 2)
    trades = [a_trade(PRICE, trade_id=f"t{number}") for number in range(5)]

    board = Board(*trades, mark_interval_ns=MARK_INTERVAL_NS).tick(a_quote(1, "0.50", "0.52")).wait(5)

    assert sorted(snapshot.trade_id for snapshot in board.snapshots if snapshot.pnl is not None) == [
        trade.trade_id for trade in trades
    ]


def test_the_mark_of_a_trade_that_nobody_knows_says_why_it_is_unknown() -> None:
    (given,) = Board().hear(MarkWanted(trade_id="t9", client_order_id="t9-close-1", now_ns=at(0)))

    assert given.mark.reason == "no_open_trade"  # type: ignore[attr-defined]  # a MarkGiven
