"""The relay's order and patience, against a publisher that fails as told."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from loguru import logger

from bus.messages.records import Published
from bus.publisher import TOO_LARGE, Outcome, Publisher, Refused, Stored, Unanswered
from bus.relay import Item, Relay, Relays
from tests.actors.builders import FixedClock
from tests.bus.builders import Ears, WallClock


class FakePublisher(Publisher):
    """Keeps what is sent until the test says what became of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Callable[[Outcome], None]]] = []
        self.carried: list[tuple[bytes, dict[str, str], float]] = []
        self.arrived = asyncio.Event()

    def send(
        self, subject: str, body: bytes, headers: dict[str, str], done: Callable[[Outcome], None], *, timeout_s: float
    ) -> None:
        self.carried.append((body, headers, timeout_s))
        self.sent.append((subject, done))
        self.arrived.set()

    def end(self, number: int, outcome: Outcome) -> None:
        self.sent[number][1](outcome)

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.sent]


def a_relay(publisher: FakePublisher, in_flight_max: int = 256) -> Relay:
    return Relay(publisher, clock=WallClock(), say=Ears().hear, in_flight_max=in_flight_max)


def publish(relay: Relay, *names: str) -> None:
    for name in names:
        relay.publish(Item(name, f"id:{name}", b"", {}))


async def _until_sent(publisher: FakePublisher, count: int) -> None:
    while len(publisher.sent) < count:
        publisher.arrived.clear()
        await asyncio.wait_for(publisher.arrived.wait(), 5)


def test_at_most_so_many_are_in_flight() -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher, in_flight_max=2)

        publish(relay, "a", "b", "c")

        assert publisher.subjects == ["a", "b"]

    asyncio.run(scenario())


def test_what_failed_goes_again_before_what_has_not_left() -> None:
    """Fault 9"""

    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher, in_flight_max=2)
        publish(relay, "a", "b", "c")

        publisher.end(0, Unanswered())
        publisher.end(1, Stored("S", 1, duplicate=False))
        await _until_sent(publisher, 4)

        assert publisher.subjects == ["a", "b", "a", "c"]

    asyncio.run(scenario())


def test_nothing_is_sent_again_while_others_are_still_in_flight() -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher, in_flight_max=2)
        publish(relay, "a", "b", "c")

        publisher.end(0, Refused(503, "no stream"))
        await asyncio.sleep(0)

        assert (publisher.subjects, relay.backlog) == (["a", "b"], 3)

    asyncio.run(scenario())


def test_those_that_failed_together_go_again_in_their_order() -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher)
        publish(relay, "a", "b", "c")

        for number in (2, 0, 1):
            publisher.end(number, Unanswered())
        await _until_sent(publisher, 6)

        assert publisher.subjects[3:] == ["a", "b", "c"]

    asyncio.run(scenario())


def test_what_comes_during_the_pause_waits_behind_what_failed() -> None:
    """Fault 9: order is kept, and the server is left alone for the pause."""

    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher)
        publish(relay, "a")
        publisher.end(0, Unanswered())

        publish(relay, "b")
        during = list(publisher.subjects)
        await _until_sent(publisher, 3)

        assert (during, publisher.subjects) == (["a"], ["a", "a", "b"])

    asyncio.run(scenario())


def test_a_message_leaves_as_it_was_given_and_is_awaited_for_so_long() -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        relay = Relay(publisher, clock=WallClock(), say=Ears().hear, confirm_s=1.5)

        relay.publish(Item("s", "id", b"body", {"Nats-Msg-Id": "id"}))

        assert publisher.carried == [(b"body", {"Nats-Msg-Id": "id"}, 1.5)]

    asyncio.run(scenario())


def test_what_was_stored_is_told_in_one_word_and_what_tells_nothing_is_not() -> None:
    """K12: the word by which a row of the outbox is marked."""

    async def scenario() -> None:
        publisher, said = FakePublisher(), list[object]()
        relay = Relay(publisher, clock=FixedClock(7), say=said.append)
        publish(relay, "a", "b")
        relay.publish(Item("c", "id:c", b"", {}, tells=False))

        for number in (1, 0, 2):
            publisher.end(number, Stored("S", number, duplicate=False))
        await asyncio.sleep(0)

        assert said == [Published(msg_ids=("id:b", "id:a"), now_ns=7)]

    asyncio.run(scenario())


def test_what_no_stream_will_take_is_counted_and_holds_up_nothing() -> None:
    """L5"""

    async def scenario() -> None:
        publisher = FakePublisher()
        relay = a_relay(publisher, in_flight_max=1)
        publish(relay, "large", "larger", "b")

        for number in (0, 1):
            publisher.end(number, Refused(TOO_LARGE, "message size exceeds maximum allowed"))

        assert (publisher.subjects, relay.undeliverable, relay.backlog) == (["large", "larger", "b"], 2, 1)

    asyncio.run(scenario())


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What operators read: level, action and words of each line."""
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {extra[action]} {message}", level="WARNING")
    yield lines
    logger.remove(sink)


def test_what_no_stream_will_take_is_logged_with_its_id_and_why(log: list[str]) -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        publish(a_relay(publisher), "a")
        publisher.end(0, Refused(TOO_LARGE, "too large"))

    asyncio.run(scenario())
    assert log == ["CRITICAL relay.undeliverable id:a will not be published: too large\n"]


def test_of_what_failed_together_the_first_is_logged(log: list[str]) -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        publish(a_relay(publisher), "a", "b")
        for number in (1, 0):
            publisher.end(number, Refused(503, "no stream"))

    asyncio.run(scenario())
    assert log == [f"WARNING relay.retry id:b is not stored: {Refused(503, 'no stream')}\n"]


def test_each_failure_is_waited_out_longer_up_to_a_second_until_something_is_stored() -> None:
    """Fault 9: a server that is away is not asked without end, and is found within a second of its return."""

    async def scenario() -> None:
        publisher, pauses = FakePublisher(), list[float]()
        loop = asyncio.get_running_loop()

        def call_at_once(delay_s: float, work: Callable[[], None]) -> asyncio.TimerHandle:
            pauses.append(delay_s)
            return loop.call_at(loop.time(), work)

        loop.call_later = call_at_once  # type: ignore[method-assign,assignment]  # the pauses are what is tested
        relay = a_relay(publisher)
        publish(relay, "a")
        outcomes: list[Outcome] = [*([Unanswered()] * 7), Stored("S", 1, duplicate=False), Unanswered()]
        for number, outcome in enumerate(outcomes):
            while len(publisher.sent) <= number:
                publisher.arrived.clear()
                await publisher.arrived.wait()
            publisher.end(number, outcome)
            if isinstance(outcome, Stored):
                publish(relay, "b")

        assert pauses == [0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0, 0.05]

    asyncio.run(scenario())


def test_a_stream_that_takes_nothing_holds_up_no_other() -> None:
    """Fault 15"""

    async def scenario() -> None:
        publisher = FakePublisher()
        relays = Relays(publisher, clock=WallClock(), say=Ears().hear)
        relays.publish("FULL", Item("a", "id:a", b"", {}))
        publisher.end(0, Refused(503, "maximum bytes exceeded"))

        relays.publish("OTHER", Item("b", "id:b", b"", {}))
        relays.publish("FULL", Item("c", "id:c", b"", {}))

        assert (publisher.subjects, relays.backlog) == (["a", "b"], 3)

    asyncio.run(scenario())


def test_what_any_stream_has_stored_is_told() -> None:
    async def scenario() -> None:
        publisher, said = FakePublisher(), list[object]()
        relays = Relays(publisher, clock=FixedClock(7), say=said.append)
        relays.publish("ONE", Item("a", "id:a", b"", {}))

        publisher.end(0, Stored("ONE", 1, duplicate=False))
        await asyncio.sleep(0)

        assert said == [Published(msg_ids=("id:a",), now_ns=7)]

    asyncio.run(scenario())


def test_what_no_stream_takes_is_counted_over_all_of_them() -> None:
    async def scenario() -> None:
        publisher = FakePublisher()
        relays = Relays(publisher, clock=WallClock(), say=Ears().hear)
        for number, stream in enumerate(("ONE", "TWO")):
            relays.publish(stream, Item(stream, f"id:{stream}", b"", {}))
            publisher.end(number, Refused(TOO_LARGE, "too large"))

        assert (relays.undeliverable, relays.backlog) == (2, 0)

    asyncio.run(scenario())
