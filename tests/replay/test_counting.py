"""What must come back before the next word, and what only the record waits for."""

from decimal import Decimal

import pytest

from actors.activity import Activity
from actors.replay.counting import Awaited
from bus.messages.envelope import Message, Outgoing
from bus.messages.orders import Action, OrderArrived, OrderSubmit
from bus.messages.records import Commit, OrderStored, Published
from bus.messages.system import SystemEvent
from bus.messages.trades import Mode, Purpose, Side


class Counted:
    def __init__(self) -> None:
        self.in_hand = Activity()
        self.record = Activity()
        self.awaited = Awaited(self.in_hand, self.record)

    @property
    def outstanding(self) -> tuple[int, int]:
        return self.in_hand.outstanding, self.record.outstanding


def an_order() -> OrderSubmit:
    return OrderSubmit(
        client_order_id="t1-entry-1",
        trade_id="t1",
        account="acc",
        mode=Mode.PAPER,
        purpose=Purpose.ENTRY,
        attempt=1,
        ticker="T",
        side=Side.YES,
        action=Action.BUY,
        quantity=Decimal(1),
        limit_price=Decimal("0.5"),
        time_in_force="ioc",
        reduce_only=False,
        expires_ts=2,
        epoch=1,
        cause="",
        trade_version=1,
        settings_version=1,
        ts=1,
    )


def outgoing(message: Message, *, subject: str = "order.submit.paper.t1", direct: bool = False) -> Outgoing:
    return Outgoing(subject=subject, msg_id="submit:t1-entry-1", message=message, direct=direct)


def test_an_order_is_in_hand_until_it_is_stored_and_has_arrived() -> None:
    counted = Counted()
    counted.awaited.expect_outgoing([outgoing(an_order())])

    counted.awaited.hear(OrderArrived(order=an_order(), token="", sequence=1, now_ns=1))
    halfway = counted.outstanding
    counted.awaited.hear(
        OrderStored(client_order_id="t1-entry-1", trade_id="t1", sequence=1, duplicate=False, now_ns=1)
    )

    assert (halfway, counted.outstanding) == ((1, 0), (0, 0))


def test_an_event_for_others_is_awaited_by_the_record_alone() -> None:
    counted = Counted()
    event = outgoing(SystemEvent(kind="resumed", body="", ts=1), subject="system.event.resumed")

    counted.awaited.expect_outgoing([event])
    before = counted.outstanding
    counted.awaited.hear(Published(msg_ids=(event.msg_id,), now_ns=1))

    assert (before, counted.outstanding) == ((0, 1), (0, 0))


@pytest.mark.parametrize(("direct", "in_hand"), [(False, 2), (True, 0)])
def test_an_entry_order_is_in_hand_from_the_moment_its_commit_is_said(*, direct: bool, in_hand: int) -> None:
    """It leaves when the commit stands; a direct one left before, and was expected then."""
    counted = Counted()
    commit = Commit(sender="trade_desk", cause="", now_ns=1, outbox=(outgoing(an_order(), direct=direct),))

    counted.awaited.hear_commit(commit)

    assert counted.outstanding == (in_hand, 0)


def test_what_is_said_twice_is_expected_once() -> None:
    counted = Counted()
    commit = Commit(sender="trade_desk", cause="", now_ns=1, outbox=(outgoing(an_order()),))

    counted.awaited.hear_commit(commit)
    counted.awaited.expect_outgoing(commit.outbox)

    assert counted.outstanding == (2, 0)
    assert counted.awaited.names == ("stored submit:t1-entry-1", "arrived submit:t1-entry-1")
