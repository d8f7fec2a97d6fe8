"""Worlds for tests: quiet ones, in which what happens is told one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bus.messages.plain import from_json
from bus.messages.trades import Trade
from tests.simulation.kill_points import Place
from tests.simulation.silence import silence
from tests.simulation.world import World

TICKER = "RAIN"
TRADE = "t1"


@contextmanager
def a_world(seed: int = 1, **given: Any) -> Iterator[World]:
    """A world that ends with the test."""
    with silence():
        world = World(seed, **given)
        try:
            yield world
        finally:
            world.end()


@contextmanager
def a_serving_world(seed: int = 1, kills: dict[Place, int] | None = None, **given: Any) -> Iterator[World]:
    """A world in which one process watches."""
    with a_world(seed, kills=kills, **given) as world:
        world.boot("a")
        assert world.until(lambda: world.serving() is not None, 120), world.history
        yield world


def trade_of(world: World, trade_id: str = TRADE) -> Trade | None:
    """Return a trade as PostgreSQL has it."""
    row = world.postgres.tables.trades.rows.get(trade_id)
    return None if row is None else from_json(Trade, row.body)


def opens(world: World, trade_id: str = TRADE, **changes: Any) -> None:
    """Ask for a trade until it is answered, as a strategy does."""
    fields: dict[str, Any] = {
        "trade_id": trade_id,
        "account": "live-1",
        "mode": "live",
        "venue": "sim",
        "ticker": TICKER,
        "side": "yes",
        "quantity": "10",
        "limit_price": "0.60",
        "stops": [{"rule": "price", "stop_price": "0.50"}],
    } | changes
    answers: list[Any] = []
    for _ in range(60):
        world.ask("trade.request.open", answers.append, **fields)
        if world.until(lambda: bool(answers), 1):
            return
    raise AssertionError(f"nobody answers: {world.history}")


def quotes(world: World, bid: str, ask: str, times: int = 1) -> None:
    """Say a quote, and say it again a moment later."""
    for _ in range(times):
        world.quote(TICKER, bid, ask)
        world.let(0.3)
