"""The house put together, between fakes: who hears what, and what survives the death of an actor."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.door import Door
from actors.serving import Serving, Wiring
from actors.tick_inbox import TickInbox
from bus.messages.envelope import Outgoing
from bus.messages.lead import WireUp
from bus.messages.market import Quote, Ticks
from bus.messages.orders import OrderSubmit, VenuePosition
from bus.messages.reconcile import AccountAnswer, AccountQuestion
from bus.messages.records import OrderStored, Recovered
from bus.messages.stops import MarkWanted
from bus.messages.trades import Coverage, Trade
from config.settings import load
from tests.actors.builders import FixedClock
from tests.actors.test_serving import Steps
from tests.rules.stops.builders import T0, TICKER, a_trade

POISON = Ticks(batch=(), received_ns=None)  # type: ignore[arg-type]  # what no wire would say


class Published(list[Outgoing]):
    """What a world was given to publish."""

    def closes(self) -> list[str]:
        return [one.message.client_order_id for one in self if isinstance(one.message, OrderSubmit)]

    def events(self) -> list[Trade]:
        return [one.message for one in self if isinstance(one.message, Trade)]


class Watched(Steps):
    """A world in which one paper trade is open, with a price stop at 0.40 that fires at the first tick; ORDERS takes what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.door = Door()
        self.left = Published()
        self.asked: list[AccountQuestion] = []
        own = {"price.enabled": "true", "price.stop_price": Decimal("0.40"), "price.confirm_ticks": Decimal(1)}
        self.trade = replace(a_trade(), close_ts=None, overrides=own)

    def recover(self) -> Recovered:
        defaults: dict[str, object] = dict(load({}).stops)
        return replace(super().recover(), trades=(self.trade,), layers={("defaults", ""): defaults})

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.left.extend(outgoing)
        for order in (one.message for one in outgoing if isinstance(one.message, OrderSubmit)):
            self.door.hear(_stored(order))

    def ask_account(self, asked: AccountQuestion) -> None:
        self.asked.append(asked)
        held = VenuePosition(ticker=TICKER, side=self.trade.side, quantity=self.trade.open_quantity)
        self.door.hear(
            AccountAnswer(
                venue=asked.venue, account=asked.account, asked_ns=asked.now_ns, now_ns=asked.now_ns, positions=(held,)
            )
        )


def _stored(order: OrderSubmit) -> OrderStored:
    return OrderStored(
        client_order_id=order.client_order_id, trade_id=order.trade_id, sequence=1, duplicate=False, now_ns=order.ts
    )


@contextmanager
def a_house(world: Watched) -> Iterator[Door]:
    door = world.door
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


class Busy:
    """A word that keeps its actor busy: it compares with nothing before `over`."""

    def __init__(self) -> None:
        self.over = threading.Event()

    @property  # type: ignore[misc]  # whoever matches this word against a class asks for it
    def __class__(self) -> type:
        self.over.wait(10)
        return Busy


def a_quote(bid: str, after_s: int, after_us: int = 0) -> Ticks:
    ts = T0 + after_s * 1_000_000_000 + after_us * 1000
    price = Decimal(bid)
    quote = Quote(ticker=TICKER, ts=ts, source="feed", yes_bid=price, yes_ask=price + Decimal("0.02"))
    return Ticks(batch=(quote,), received_ns=ts)


def quiet(door: Door) -> None:
    assert door.house is not None
    assert door.house.activity.quiet(10)


def test_a_tick_through_a_stop_ends_in_one_close_order_on_the_wire() -> None:
    world = Watched()
    with a_house(world) as door:
        for word in (a_quote("0.60", 1), a_quote("0.39", 2), a_quote("0.38", 3)):
            door.hear(word)
            quiet(door)

    assert world.left.closes() == ["t1-close-1"]


def test_a_wish_for_a_mark_keeps_its_place_among_the_ticks() -> None:
    """Fault 30: ticks come to TradeWatcher through AutoStop, and so does whoever asks what they say."""
    with a_house(Watched()) as door:
        assert door.house is not None
        stops, watcher = (door.house._inboxes[name] for name in ("auto_stop", "trade_watcher"))
        quiet(door)
        before = stops.handled, watcher.handled

        door.house.router.say(MarkWanted(trade_id="t1", client_order_id="t1-close-1", now_ns=T0))
        quiet(door)
        after = stops.handled, watcher.handled

    assert after == (before[0] + 1, before[1] + 1)


def test_a_crashed_auto_stop_is_rebuilt_and_still_fires() -> None:
    """Fault 41, lesson 15: one exception never strands a trade."""
    world = Watched()
    with a_house(world) as door:
        door.hear(a_quote("0.60", 1))
        door.hear(POISON)
        quiet(door)
        door.hear(a_quote("0.39", 2))
        quiet(door)

    assert world.left.closes() == ["t1-close-1"]


def test_a_rebuilt_watcher_goes_on_from_what_it_said_last() -> None:
    """Lesson 13, lesson 16: a dead watcher is rebuilt, and who is watched comes from the record, not from a hint."""
    world = Watched()
    with a_house(world) as door:
        door.hear(a_quote("0.60", 1))
        door.hear(POISON)
        quiet(door)
        assert door.house is not None
        status = door.house.status(T0)

    assert status.coverage == {str(Coverage.ARMED): 1}


def test_no_word_starts_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson 31: neither a tick, nor a fired stop, nor its close, nor a notice."""
    world, started = Watched(), list[str]()
    with a_house(world) as door:
        quiet(door)
        monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread.name))
        for second in range(1, 100):
            door.hear(a_quote("0.60" if second < 50 else "0.39", second))
        quiet(door)
        monkeypatch.undo()

    assert (world.left.closes(), started) == (["t1-close-1"], [])


def test_each_reconnection_asks_every_account_of_ours_again() -> None:
    """Lesson 16, Fault 9: what was agreed before may not hold any more."""
    world = Watched()
    with a_house(world) as door:
        quiet(door)
        at_start = list(world.asked)
        door.hear(WireUp(now_ns=T0 + 60_000_000_000))
        quiet(door)

    assert [(asked.account, asked.now_ns) for asked in at_start] == [("paper-1", T0)]
    assert [asked.now_ns for asked in world.asked[1:]] == [T0 + 60_000_000_000]


def test_a_crashed_reconciler_is_rebuilt_and_asks_again() -> None:
    """Fault 41"""
    world = Watched()
    with a_house(world) as door:
        quiet(door)
        assert door.house is not None
        door.house._inboxes["reconciler"].put("poison")
        quiet(door)
        accounts = door.house.status(T0).accounts

    assert len(world.asked) > 1
    assert [(one.account, one.unresolved) for one in accounts] == [("paper-1", ())]


def test_a_stop_that_was_crossed_within_a_flood_fires() -> None:
    """Fault 40: AutoStop is behind by a thousand ticks, of which one alone is below the stop."""
    world = Watched()
    with a_house(world) as door:
        assert door.house is not None
        door.hear(a_quote("0.60", 1))
        quiet(door)
        inbox = door.house._inboxes["auto_stop"]
        assert isinstance(inbox, TickInbox)
        inbox._most = 100
        busy = Busy()
        inbox.put(busy)
        for number in range(1000):
            door.hear(a_quote("0.39" if number == 500 else "0.60", 2, number))
        busy.over.set()
        quiet(door)
        [health] = [actor for actor in door.house.status(T0).actors if actor.name == "auto_stop"]

    assert world.left.closes() == ["t1-close-1"]
    assert health.folded > 500
