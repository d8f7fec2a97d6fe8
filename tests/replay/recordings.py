"""Histories that must be decided the same way for ever, and how they were made: `make recordings` makes them anew.

Each is a small world of the simulation, in which what matters happens as told, written down by a recorder; what comes of it is
demanded here, so that no recording can lose its point unnoticed. Everything in them is made up by us.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from bus.messages.trades import Side, TradeState
from config.settings import Settings, Venue, load
from tests.replay.notebook import Notebook
from tests.simulation.builders import TICKER, TRADE, a_world, opens, quotes, trade_of
from tests.simulation.markets import ACCOUNTS
from tests.simulation.world import INBOX_MAX, VENUES, World

FOLDER: Final = Path(__file__).with_name("histories")


# The histories


def a_flood_is_folded() -> Notebook:
    """Far more ticks than an inbox holds, and one of them crosses: the stop fires, though it was read long after."""
    with a_recorded_world() as (world, notebook):
        open_trade(world)
        with flooded(world):
            for number in range(5 * INBOX_MAX):
                world.quote(TICKER, "0.30" if 90 <= number <= 93 else f"0.5{5 + number % 4}", "0.99")
                world.let(0.01)
        ends(world, TradeState.CLOSED)
        return notebook


def a_stop_is_changed_in_a_flood() -> Notebook:
    """What crossed was already in the inbox, and the stop was loosened before it was read: it does not fire any more."""
    with a_recorded_world() as (world, notebook):
        open_trade(world)
        with flooded(world):
            for number in range(3 * INBOX_MAX):
                world.quote(TICKER, "0.45" if number > INBOX_MAX else "0.58", "0.99")
                world.let(0.005)
            asks(
                world,
                "stop.request.set",
                trade_id=TRADE,
                rule="price",
                reason="more room",
                requested_by="eve",
                settings={"stop_price": "0.40"},
            )
            world.let(0.3)
        quotes(world, "0.45", "0.50", times=6)
        assert state_of(world) is TradeState.OPEN, world.history
        quotes(world, "0.35", "0.40", times=3)
        ends(world, TradeState.CLOSED)
        return notebook


def killed_at_k5() -> Notebook:
    """The process dies just before the transaction of a close that has left: the next life finds it in ORDERS, and sends no other."""
    with a_recorded_world() as (world, notebook):
        open_trade(world)
        world.points.planned = {("K5", "before"): 1}
        quotes(world, "0.48", "0.52", times=3)
        ends(world, TradeState.CLOSED)
        assert world.points.killed["K5", "before"] == 1
        assert world.executors["sim"].venue.sent_twice == []
        return notebook


def closed_while_postgresql_is_away() -> Notebook:
    """The close leaves, is filled and is booked with nobody to write it down; all of it is on record afterwards."""
    with a_recorded_world() as (world, notebook):
        open_trade(world)
        world.postgres.kill()
        quotes(world, "0.48", "0.52", times=10)
        assert world.executors["sim"].venue.held["live-1", TICKER, Side.YES] == 0, world.history
        world.postgres.rise()
        ends(world, TradeState.CLOSED)
        return notebook


def filled_in_parts_and_late() -> Notebook:
    """Entry and close fill in parts, and the entry once more after its end was told: what came late is closed with the rest."""
    with a_recorded_world() as (world, notebook):
        executor = world.executors["sim"]
        executor.faults.partial = 1.0
        open_trade(world)
        executor._fill_late(executor.venue.orders[f"{TRADE}-entry-1"], 0.0)
        quotes(world, "0.48", "0.52", times=3)
        ends(world, TradeState.CLOSED)
        fills = [fill.purpose for fill in trade_of(world).fills]  # type: ignore[union-attr]  # it has ended
        assert (fills.count("entry"), fills.count("close") > 1) == (2, True), fills
        return notebook


def netted() -> Notebook:
    """At a netting venue an entry fills late, beside a trade of the other side: the venue has cancelled both, and so do they end."""
    with a_recorded_world() as (world, notebook):
        executor = world.executors["net"]
        executor.faults.partial = 1.0
        open_trade(world, venue="net", account=ACCOUNTS["net"])
        executor.faults.partial = 0.0
        quotes(world, "0.48", "0.52", times=3)
        ends(world, TradeState.CLOSED)
        other = [{"rule": "price", "stop_price": "0.30"}]
        open_trade(world, "t2", venue="net", account=ACCOUNTS["net"], side="no", stops=other)
        executor._fill_late(executor.venue.orders[f"{TRADE}-entry-1"], 0.0)
        assert world.until(lambda: "netted-" in str(trade_of(world, "t2")), 60), world.history
        quotes(world, "0.75", "0.78", times=3)
        ends(world, TradeState.CLOSED, "t2")
        return notebook


def trailing_over_a_restart() -> Notebook:
    """The best price was seen in the life before: the stop trails it in the next."""
    with a_recorded_world() as (world, notebook):
        open_trade(world, stops=[{"rule": "trailing", "trail": "0.08"}])
        quotes(world, "0.75", "0.77", times=4)
        world.incarnations["a"].die("killed")
        assert world.until(lambda: world.serving() is not None, 60)
        quotes(world, "0.70", "0.72", times=3)
        assert state_of(world) is TradeState.OPEN
        quotes(world, "0.66", "0.68", times=3)
        ends(world, TradeState.CLOSED)
        return notebook


def an_unknown_order_is_resolved() -> Notebook:
    """Nobody reports of a close, and no look-up answers for a while: it is unknown, and no other leaves, until the venue tells."""
    with a_recorded_world() as (world, notebook):
        open_trade(world)
        faults = world.executors["sim"].faults
        faults.silent = faults.no_answer = 1.0
        quotes(world, "0.48", "0.52", times=3)
        assert world.until(lambda: state_of(world) is TradeState.UNKNOWN, 60), world.history
        faults.no_answer = 0.0
        ends(world, TradeState.CLOSED)
        assert len(world.executors["sim"].venue.of_trade[TRADE]) == 2
        return notebook


HISTORIES: Final[tuple[Callable[[], Notebook], ...]] = (
    a_flood_is_folded,
    a_stop_is_changed_in_a_flood,
    killed_at_k5,
    closed_while_postgresql_is_away,
    filled_in_parts_and_late,
    netted,
    trailing_over_a_restart,
    an_unknown_order_is_resolved,
)


# What they are made of


@contextmanager
def a_recorded_world() -> Iterator[tuple[World, Notebook]]:
    """A world in which one process watches, and each of its lives is written down; the last one ends in order."""
    with a_world() as world:
        world.settings = _told_whole(world)
        world.recorder = notebook = Notebook(lambda: world.now_ns)
        world.boot("a")
        assert world.until(lambda: world.serving() is not None, 120), world.history
        yield world, notebook
        last = world.incarnations["a"]
        last.stop()
        assert world.until(lambda: not last.is_alive, 60), world.history
        notebook.end_in_order()


def _told_whole(world: World) -> Settings:
    """Return the world's settings with its venues named in them, so that a recording tells of those as well."""
    ours = world.settings
    named = {
        f"WATCHKEEPER_VENUES_{name.upper()}_{field.upper()}": str(getattr(ours.venues[name], field)).lower()
        for name in VENUES
        for field in Venue.__struct_fields__
    }
    return replace(load(named), venues=ours.venues, trading=ours.trading, actors=ours.actors)


@contextmanager
def flooded(world: World) -> Iterator[None]:
    """AutoStop does not get on meanwhile."""
    actor = f"{world.incarnations['a'].name}/auto_stop"
    world.scheduler.hold(actor)
    yield
    world.scheduler.release(actor)
    world.let(1)


def open_trade(world: World, trade_id: str = TRADE, **changes: Any) -> None:
    """Open a trade of 10 at 0.60 or so, with a stop at 0.50."""
    quotes(world, "0.58", "0.60")
    opens(world, trade_id, **({"limit_price": "0.60" if changes.get("side") != "no" else "0.43"} | changes))
    assert world.until(lambda: state_of(world, trade_id) is TradeState.OPEN, 60), world.history


def asks(world: World, subject: str, **fields: Any) -> None:
    """Ask once, and expect an answer that is yes."""
    answers: list[Any] = []
    world.ask(subject, answers.append, **fields)
    assert world.until(lambda: bool(answers), 5), world.history
    assert answers[0]["ok"], answers


def state_of(world: World, trade_id: str = TRADE) -> TradeState | None:
    """Return the state of a trade as PostgreSQL has it."""
    trade = trade_of(world, trade_id)
    return None if trade is None else trade.state


def ends(world: World, state: TradeState, trade_id: str = TRADE) -> None:
    """Let the world go on, its market as it stands, until the trade has ended so."""
    for _ in range(200):
        if state_of(world, trade_id) is state:
            return world.let(1)
        quotes(world, "0.47", "0.52")
    raise AssertionError(f"{trade_of(world, trade_id)}: {world.history}")


def main() -> None:
    """Make the recordings that are named, or all. Those in `older` are never made anew: the code that made them is gone."""
    names = sys.argv[1:]
    for history in HISTORIES:
        if not names or history.__name__ in names:
            path = history().write(FOLDER, history.__name__)
            sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
