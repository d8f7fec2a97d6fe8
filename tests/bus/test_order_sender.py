"""What leaves of the orders given, and when: the acknowledgements are given by hand, there is no server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from bus.connection import Connection
from bus.epoch import Lead
from bus.messages.orders import EpochRecord
from bus.orders import OrderSender
from bus.publisher import WRONG_LAST_SEQUENCE, Outcome, Publisher, Refused, Stored, Unanswered
from bus.subjects import Prefix
from tests.actors.builders import FixedClock
from tests.bus.builders import WallClock, a_cancel, an_order


class ByHand:
    """A publisher: what left, and whom to tell what became of it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.told: list[Callable[[Outcome], None]] = []

    def send(self, subject: str, _body: bytes, _headers: object, done: Callable[[Outcome], None], **_: Any) -> None:
        self.sent.append(subject)
        self.told.append(done)


def a_sender(
    publisher: ByHand,
    *,
    say: Callable[[object], None] = lambda _: None,
    clock: WallClock | FixedClock | None = None,
    is_ours: Callable[[], Awaitable[bool | None]] | None = None,
) -> OrderSender:
    """A sender that leads; it needs no connection as long as nothing is refused. is_ours: whether its epoch still leads."""
    sender = OrderSender(
        cast("Connection", None),
        cast("Publisher", publisher),
        Prefix(""),
        clock=clock or WallClock(),
        say=say,
        is_ours=cast("Any", is_ours),
        confirm_s=1,
    )
    sender.lead(Lead(EpochRecord(epoch=1, instance="test", ts=0), 1))
    return sender


def test_a_cancel_does_not_overtake_its_order() -> None:
    """S2, Fault 10: else its venue says cancelled, the next attempt leaves, and the order arrives behind it."""
    publisher = ByHand()
    sender = a_sender(publisher)

    sender.submit(an_order(), "order.submit")
    sender.submit(a_cancel(an_order()), "order.cancel")

    assert publisher.sent == ["order.submit"]


def test_a_cancel_leaves_once_its_order_is_stored() -> None:
    publisher = ByHand()
    sender = a_sender(publisher)
    sender.submit(an_order(), "order.submit")
    sender.submit(a_cancel(an_order()), "order.cancel")

    publisher.told[0](Stored("ORDERS", 2, duplicate=False))

    assert publisher.sent == ["order.submit", "order.cancel"]


def test_a_cancel_of_an_order_that_is_not_on_its_way_leaves_at_once() -> None:
    publisher = ByHand()

    a_sender(publisher).submit(a_cancel(an_order()), "order.cancel")

    assert publisher.sent == ["order.cancel"]


def test_while_it_is_not_known_who_leads_no_order_leaves() -> None:
    """Fault 45: what ORDERS refused may have been refused because another epoch leads."""
    publisher, asked = ByHand(), asyncio.Event()

    async def is_ours() -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    async def scenario() -> None:
        sender = a_sender(publisher, is_ours=is_ours)
        sender.submit(an_order(), "order.submit.first")
        publisher.told[0](Refused(WRONG_LAST_SEQUENCE, "wrong last sequence"))
        await asked.wait()

        sender.submit(an_order(2), "order.submit.second")

    asyncio.run(scenario())
    assert publisher.sent == ["order.submit.first"]


def test_an_order_that_nobody_answered_for_and_that_expires_is_told_as_unknown() -> None:
    """Fault 10: it may stand in ORDERS."""
    publisher, clock, said = ByHand(), FixedClock(0), asyncio.Queue[object]()

    async def scenario() -> list[Any]:
        sender, order = a_sender(publisher, say=said.put_nowait, clock=clock), an_order()
        sender.submit(order, "order.submit")
        clock.ns = order.expires_ts + 1
        publisher.told[0](Unanswered("silence"))
        return [await said.get(), await said.get()]

    told = asyncio.run(scenario())
    assert [(word.error, word.unknown) for word in told] == [
        ("silence", True),
        ("expired before ORDERS acknowledged it", True),
    ]
