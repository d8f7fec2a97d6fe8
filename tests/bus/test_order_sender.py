"""What leaves of the orders given, and when: the acknowledgements are given by hand, there is no server."""

from collections.abc import Callable
from typing import Any, cast

from bus.connection import Connection
from bus.epoch import Lead
from bus.messages.orders import EpochRecord
from bus.orders import OrderSender
from bus.publisher import Outcome, Publisher, Stored
from bus.subjects import Prefix
from tests.bus.builders import WallClock, a_cancel, an_order


class ByHand:
    """A publisher: what left, and whom to tell what became of it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.told: list[Callable[[Outcome], None]] = []

    def send(self, subject: str, _body: bytes, _headers: object, done: Callable[[Outcome], None], **_: Any) -> None:
        self.sent.append(subject)
        self.told.append(done)


def a_sender(publisher: ByHand) -> OrderSender:
    """A sender that leads; it needs no connection as long as nothing is refused."""
    sender = OrderSender(
        cast("Connection", None),
        cast("Publisher", publisher),
        Prefix(""),
        clock=WallClock(),
        say=lambda _: None,
        is_ours=cast("Any", None),
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
