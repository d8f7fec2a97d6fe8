"""The relay's order and patience, against a publisher that fails as told."""

import asyncio
from collections.abc import Callable

from bus.publisher import Outcome, Publisher, Refused, Stored, Unanswered
from bus.relay import Item, Relay
from tests.bus.builders import Ears, WallClock


class FakePublisher(Publisher):
    """Keeps what is sent until the test says what became of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Callable[[Outcome], None]]] = []
        self.arrived = asyncio.Event()

    def send(
        self, subject: str, body: bytes, headers: dict[str, str], done: Callable[[Outcome], None], *, timeout_s: float
    ) -> None:
        del body, headers, timeout_s
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
