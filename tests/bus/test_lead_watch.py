"""A leader finds out that another leads, however it missed it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bus.embedded import EmbeddedServer
from bus.epoch import Lead
from bus.lead_watch import LeadWatch
from bus.messages.orders import EpochRecord
from bus.messages.records import OrderRefused, OrderStored
from bus.subjects import Prefix
from tests.bus.builders import a_peer, a_wire, an_order
from tests.fixtures.proxy import Proxy


def test_a_leader_that_is_deposed_hears_of_it_without_sending_anything(nats_url: str) -> None:
    """Fault 45: it need not wait until an order of its own is refused."""
    with a_wire(nats_url) as older, a_wire(nats_url):
        older.ears.wait_until(lambda _: bool(older.fenced))

        assert older.fenced == ["test leads in epoch 2; ours was 1"]


class Heard:
    """A connection on which somebody speaks when told to."""

    is_up = True
    speak: Callable[[], None]

    async def listen(self, _subject: str, on_message: Callable[[], None]) -> None:
        self.speak = on_message


def a_lead(epoch: int) -> Lead:
    return Lead(EpochRecord(epoch=epoch, instance="test", ts=1), sequence=epoch)


def test_a_claim_that_is_heard_before_the_stream_has_stored_it_deposes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fault 45: what is heard is looked up, and the first answers may still be the old record."""
    answers = [a_lead(1), a_lead(1), a_lead(1)]

    async def read(*_: object, **__: object) -> Lead:
        return answers.pop() if answers else a_lead(2)

    async def lead_until_deposed() -> str:
        connection: Any = Heard()
        fenced: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        watch = LeadWatch(connection, Prefix(""), on_fenced=fenced.set_result)
        await watch.begin(a_lead(1))
        connection.speak()
        return await asyncio.wait_for(fenced, 10)

    monkeypatch.setattr("bus.lead_watch.read_epoch", read)
    monkeypatch.setattr("bus.lead_watch._STORED_SOON_S", (0.001, 0.001, 0.001))

    assert asyncio.run(lead_until_deposed()) == "test leads in epoch 2; ours was 1"


def test_a_leader_that_was_cut_off_finds_out_when_it_is_back(nats_url: str, nats_proxy: Proxy) -> None:
    """Fault 46"""
    with a_wire(nats_proxy.url()) as older:
        nats_proxy.refuse()
        with a_wire(nats_url):
            nats_proxy.accept()

            older.ears.wait_until(lambda _: bool(older.fenced))


def test_it_knows_whether_it_still_leads(nats_url: str) -> None:
    with a_wire(nats_url) as older:
        before = older.wire.still_leads()
        with a_wire(nats_url):
            assert (before, older.wire.still_leads()) == (True, False)


def test_without_nats_nobody_knows_who_leads(fresh_server: EmbeddedServer) -> None:
    """Fault 9"""
    with a_wire(fresh_server.url) as under_test:
        fresh_server.kill()

        assert under_test.wire.still_leads() is None


def test_a_stream_that_was_made_anew_refuses_orders_and_deposes_nobody(nats_url: str) -> None:
    """Fault 13: an alarm for a person, and no reason to stop watching."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.run(peer.client.jetstream().delete_stream("ORDERS"))
        under_test.wire.ensure_streams({})

        under_test.publish_order(an_order())
        refused = under_test.ears.wait_for(OrderRefused)[0]

    assert "does not hold the record of our epoch" in refused.error
    assert (under_test.fenced, under_test.ears.of(OrderStored)) == ([], [])


def test_what_is_said_on_the_subject_of_the_epoch_by_anybody_changes_nothing(nats_url: str) -> None:
    """Only what the stream holds counts: a plain subscriber also hears what it refused."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        refused = {"Nats_Expected_Last_Subject_Sequence": "77"}
        peer.publish("order.epoch", b'{"epoch":9,"instance":"x","ts":"2026-01-01T00:00:00Z"}', **refused)
        under_test.publish_order(an_order())

        under_test.ears.wait_for(OrderStored)
        assert under_test.fenced == []
