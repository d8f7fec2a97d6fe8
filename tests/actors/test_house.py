"""The house put together, between fakes: who hears what, and what survives the death of an actor."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from msgspec.structs import replace

from actors.serving import Door, Serving, Wiring
from bus.messages.envelope import Outgoing
from bus.messages.market import Quote, Ticks
from bus.messages.orders import OrderSubmit
from bus.messages.records import Recovered
from bus.messages.trades import Coverage, Trade
from config.settings import load
from tests.actors.builders import FixedClock
from tests.actors.test_serving import Steps
from tests.rules.stops.builders import T0, TICKER, a_trade

POISON = Ticks(batch=(None,), received_ns=T0)  # type: ignore[arg-type]  # what no wire would say


class Watched(Steps):
    """A world in which one paper trade is open, with a price stop at 0.40 that fires at the first tick."""

    def __init__(self) -> None:
        super().__init__()
        own = {"price.enabled": "true", "price.stop_price": Decimal("0.40"), "price.confirm_ticks": Decimal(1)}
        self.trade = replace(a_trade(), close_ts=None, overrides=own)

    def recover(self) -> Recovered:
        defaults: dict[str, object] = dict(load({}).stops)
        return replace(super().recover(), trades=(self.trade,), layers={("defaults", ""): defaults})


@contextmanager
def a_house(world: Watched) -> Iterator[Door]:
    door = Door()
    ended: list[str] = []
    wiring = Wiring(
        clock=FixedClock(T0),
        wire=world,
        store=world,
        door=door,
        end=lambda _, why: ended.append(why),
    )
    serving = Serving(load({}), wiring)
    serving.start()
    yield door
    assert serving.stop()
    assert ended == []


def a_quote(bid: str, after_s: int) -> Ticks:
    ts = T0 + after_s * 1_000_000_000
    price = Decimal(bid)
    quote = Quote(ticker=TICKER, ts=ts, source="feed", yes_bid=price, yes_ask=price + Decimal("0.02"))
    return Ticks(batch=(quote,), received_ns=ts)


def quiet(door: Door) -> None:
    assert door.house is not None
    assert door.house.activity.quiet(10)


class Published(list[Outgoing]):
    """What a world was given to publish."""

    def closes(self) -> list[str]:
        return [one.message.client_order_id for one in self if isinstance(one.message, OrderSubmit)]

    def events(self) -> list[Trade]:
        return [one.message for one in self if isinstance(one.message, Trade)]


def published(world: Watched) -> Published:
    """Collect what leaves from now on."""
    kept = Published()
    world.publish = kept.extend  # type: ignore[method-assign,assignment]
    return kept


def test_a_tick_through_a_stop_ends_in_one_close_order_on_the_wire() -> None:
    world = Watched()
    leaving = published(world)
    with a_house(world) as door:
        for word in (a_quote("0.60", 1), a_quote("0.39", 2), a_quote("0.38", 3)):
            door.hear(word)
            quiet(door)

    assert leaving.closes() == ["t1-close-1"]


def test_a_crashed_auto_stop_is_rebuilt_and_still_fires() -> None:
    """Fault 41, lesson 15: one exception never strands a trade."""
    world = Watched()
    leaving = published(world)
    with a_house(world) as door:
        door.hear(a_quote("0.60", 1))
        door.hear(POISON)
        quiet(door)
        door.hear(a_quote("0.39", 2))
        quiet(door)

    assert leaving.closes() == ["t1-close-1"]


def test_a_rebuilt_watcher_goes_on_from_what_it_said_last() -> None:
    """Lesson 16: who is watched comes from the record, not from a hint."""
    world = Watched()
    published(world)
    with a_house(world) as door:
        door.hear(a_quote("0.60", 1))
        door.hear(POISON)
        quiet(door)
        assert door.house is not None
        status = door.house.status(T0)

    assert status.coverage == {str(Coverage.ARMED): 1}


def test_ticks_beyond_what_an_inbox_may_hold_are_counted_as_lost_and_never_in_silence() -> None:
    world = Watched()
    published(world)
    with a_house(world) as door:
        assert door.house is not None
        quiet(door)
        for inbox in door.house._inboxes.values():
            inbox._limit = 0
        door.hear(a_quote("0.60", 1))
        lost = door.house.status(T0).lost_messages

    assert lost == 1
