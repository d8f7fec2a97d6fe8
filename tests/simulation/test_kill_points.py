"""A live trade is opened and stopped while its process is killed at each kill point: it ends closed, once, whatever was lost."""

import pytest

from bus.messages.trades import TradeState
from tests.simulation.builders import TRADE, a_serving_world, opens, quotes, trade_of
from tests.simulation.kill_points import MOMENTS, POINTS, Place
from tests.simulation.world import World

WHICH_TIME = {"K2": 2, "K16": 2, "K17": 2}
"""At which coming by, where the first is before there is a trade to close."""
REACHED = [(point, moment) for point in POINTS for moment in MOMENTS]


def lives_through(world: World, place: Place) -> None:
    """Open a trade, cross its stop, and go on quoting until it has ended."""
    world.quote("RAIN", "0.58", "0.60")
    world.let(0.1)
    opens(world)
    assert world.until(lambda: (t := trade_of(world)) is not None and t.state is TradeState.OPEN, 60), world.history
    for _ in range(90):
        quotes(world, "0.48", "0.52", times=2)
        trade = trade_of(world)
        if trade is not None and trade.state.is_terminal and not world.points.planned:
            return
        world.let(0.4)
    raise AssertionError(f"{place}: {trade_of(world)} {world.history}")


@pytest.mark.parametrize("place", REACHED, ids=lambda place: f"{place[0]} {place[1]}")
def test_a_trade_is_closed_once_wherever_its_process_is_killed(place: Place) -> None:
    """K1-K20, before and after each. Faults 1-7: no trace or one effect, redelivered, sent again under the same id. Lesson 5."""
    with a_serving_world(kills={place: WHICH_TIME.get(place[0], 1)}) as world:
        lives_through(world, place)
        world.let(30)

        trade, venue = trade_of(world), world.executors["sim"].venue
        assert world.points.killed[place] == 1
        assert trade is not None
        assert trade.state is TradeState.CLOSED
        closes = [fill for fill in trade.fills if fill.purpose == "close"]
        assert sum(fill.quantity for fill in closes) == 10
        assert venue.sent_twice == []
        assert set(venue.held.values()) == {0}
        assert {order.sent.trade_id for order in venue.every} == {TRADE}
