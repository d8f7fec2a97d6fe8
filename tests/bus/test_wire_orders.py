"""Orders through a real ORDERS stream."""

import signal

import msgspec
import pytest

from bus.embedded import EmbeddedServer
from bus.errors import BusError
from bus.messages.orders import OrderSubmit, ReportStatus
from bus.messages.plain import from_json, to_json
from bus.messages.records import OrderRefused, OrderStored, Published
from bus.messages.trades import Mode
from tests.bus.builders import S, WireUnderTest, a_cancel, a_peer, a_report, a_wire, an_order


def test_an_order_is_stored_under_its_own_id_and_with_the_fence(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(an_order())

        stored = under_test.ears.wait_for(OrderStored)[0]

        message = peer.stored("ORDERS")[stored.sequence - 1]
        assert message.subject == "order.submit.paper.T1"
        assert message.headers["Nats-Msg-Id"] == "submit:T1-close-1"
        assert message.headers["Nats-Expected-Last-Subject-Sequence-Subject"] == "order.epoch"
        assert message.headers["Wk-Cause"] == "stop:T1"


def test_a_stored_order_reads_back_exactly(nats_url: str) -> None:
    """Lesson 63"""
    order = an_order()

    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(order)
        under_test.ears.wait_for(OrderStored)

        assert from_json(OrderSubmit, peer.stored("ORDERS")[-1].data) == order


def test_a_paper_order_goes_to_the_paper_venue_whatever_its_trade_says(nats_url: str) -> None:
    """Lesson 60"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(an_order(1, mode=Mode.PAPER))
        under_test.publish_order(an_order(2, mode=Mode.LIVE))
        under_test.ears.wait_for(OrderStored, 2)

        assert [one.subject for one in peer.stored("ORDERS")[1:]] == [
            "order.submit.paper.T1",
            "order.submit.kalshi.T1",
        ]


def test_the_same_order_a_thousand_times_is_stored_once(nats_url: str) -> None:
    """Fault 24, Lesson 24"""
    order = an_order()

    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        for _ in range(1000):
            under_test.publish_order(order)
        under_test.ears.wait_for(OrderStored)
        under_test.publish_order(an_order(2))
        under_test.ears.wait_until(lambda words: any(getattr(w, "client_order_id", "") == "T1-close-2" for w in words))

        assert len(peer.stored("ORDERS")) == 3


def test_an_order_sent_again_after_a_crash_is_the_stored_one(nats_url: str) -> None:
    """Fault 4"""
    order = an_order()
    with a_wire(nats_url) as crashed:
        crashed.publish_order(order)
        first = crashed.ears.wait_for(OrderStored)[0]

    with a_wire(nats_url) as under_test:
        under_test.publish_order(order)
        again = under_test.ears.wait_for(OrderStored)[0]

    assert (again.sequence, again.duplicate, again.stored) == (first.sequence, False, None)


def test_another_order_under_the_same_id_tells_which_one_is_in_effect(nats_url: str) -> None:
    """Fault 25"""
    first = an_order()
    with a_wire(nats_url) as before:
        before.publish_order(first)
        before.ears.wait_for(OrderStored)

    with a_wire(nats_url) as under_test:
        under_test.publish_order(msgspec.structs.replace(first, quantity=first.quantity + 1))
        told = under_test.ears.wait_for(OrderStored)[0]

    assert (told.duplicate, told.stored) == (True, first)


def test_an_older_epoch_stores_no_order_and_is_told_that_it_is_fenced(nats_url: str) -> None:
    """Fault 45"""
    with a_wire(nats_url) as older, a_wire(nats_url), a_peer(nats_url) as peer:
        older.publish_order(an_order())
        older.ears.wait_until(lambda _: bool(older.fenced))

        assert [one.subject for one in peer.stored("ORDERS")] == ["order.epoch", "order.epoch"]
        assert older.ears.of(OrderStored) == []


def test_no_order_leaves_before_the_lead_is_taken(nats_url: str) -> None:
    under_test = WireUnderTest(nats_url)
    under_test.wire.connect()
    under_test.wire.ensure_streams({})
    try:
        under_test.publish_order(an_order())
        refused = under_test.ears.wait_for(OrderRefused)[0]
    finally:
        under_test.wire.close(1)

    assert (refused.unknown, refused.error) == (False, "this instance does not lead")


def test_an_expired_order_is_not_sent(nats_url: str) -> None:
    order = an_order(expires_ts=an_order().ts - S)

    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(order)
        refused = under_test.ears.wait_for(OrderRefused)[0]

        assert refused.unknown is False
        assert len(peer.stored("ORDERS")) == 1


def test_a_cancel_reaches_the_venue_of_its_trade_and_is_told_as_published(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(a_cancel(an_order()))

        assert under_test.ears.wait_for(Published)[0].msg_ids == ("cancel:T1-close-1",)
        assert peer.stored("ORDERS")[-1].subject == "order.cancel.kalshi.T1"


def test_an_order_and_its_reports_do_not_hide_each_other(nats_url: str) -> None:
    """Fault 4: `Nats-Msg-Id` is unique in the whole stream, so each kind has its own."""
    order = an_order()
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.publish_order(order)
        under_test.wire.publish_report(a_report(order))
        under_test.wire.publish_report(a_report(order, ReportStatus.CANCELLED))
        under_test.wire.publish_report(a_report(order, ReportStatus.CANCELLED))
        under_test.publish_order(an_order(2))
        under_test.ears.wait_for(OrderStored, 2)
        under_test.wire.close(2)

        assert sorted(one.headers["Nats-Msg-Id"] for one in peer.stored("ORDERS")[1:]) == [
            "report:T1-close-1:accepted",
            "report:T1-close-1:cancelled",
            "submit:T1-close-1",
            "submit:T1-close-2",
        ]


def test_an_order_published_while_nats_is_away_is_unsent_and_is_stored_once_when_it_returns(
    fresh_server: EmbeddedServer,
) -> None:
    """Fault 9"""
    with a_wire(fresh_server.url) as under_test:
        fresh_server.kill()
        under_test.publish_order(an_order())
        under_test.ears.wait_for(OrderRefused)

        fresh_server.start()

        assert under_test.ears.wait_for(OrderStored)[0].client_order_id == "T1-close-1"
        with a_peer(fresh_server.url) as peer:
            assert [one.subject for one in peer.stored("ORDERS")] == ["order.epoch", "order.submit.paper.T1"]


def test_an_order_that_nobody_acknowledges_is_unknown_and_later_stored_once(fresh_server: EmbeddedServer) -> None:
    """Fault 10, Lesson 24: a timeout is not a failure."""
    with a_wire(fresh_server.url) as under_test, a_peer(fresh_server.url) as peer:
        fresh_server.send(signal.SIGSTOP)
        under_test.publish_order(an_order())
        under_test.ears.wait_until(lambda words: any(isinstance(w, OrderRefused) and w.unknown for w in words))

        fresh_server.send(signal.SIGCONT)

        under_test.ears.wait_for(OrderStored)
        assert [one.subject for one in peer.stored("ORDERS")] == ["order.epoch", "order.submit.paper.T1"]


def test_a_rival_that_takes_the_lead_first_wins(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        lead = under_test.wire.read_epoch()
        assert lead is not None
        peer.store("order.epoch", to_json(lead.record))

        assert under_test.wire.take_lead("again", 7).record.epoch == 8


def test_without_streams_the_lead_cannot_be_taken(nats_url: str) -> None:
    under_test = WireUnderTest(nats_url)
    under_test.wire.connect()
    try:
        with pytest.raises(BusError):
            under_test.wire.take_lead("test", 0)
    finally:
        under_test.wire.close(1)
