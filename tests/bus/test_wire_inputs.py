"""Inputs from real streams, requests and market data."""

import json
import time
from decimal import Decimal

from bus.embedded import EmbeddedServer
from bus.messages.envelope import Malformed, Received
from bus.messages.lead import TicksMissed, WireDown, WireUp
from bus.messages.market import Quote, SpotPrice, Tick, Ticks
from bus.messages.orders import OrderArrived
from bus.messages.plain import to_json
from bus.messages.records import OrderStored, Published
from bus.messages.stops import StopDecision
from bus.messages.system import Reply
from tests.bus.builders import Ears, Peer, WallClock, a_cancel, a_peer, a_report, a_wire, an_order
from tests.fixtures.proxy import Proxy

TS = "2025-07-16T17:00:00Z"
CLOSE = json.dumps({"trade_id": "T1", "reason": "test", "requested_by": "me", "command_id": "c1"}).encode()


def a_quote(ticker: str = "KX", bid: str = "0.45", ts: str = TS) -> bytes:
    return json.dumps({"ticker": ticker, "ts": ts, "yes_bid": bid}).encode()


def a_decision(decision_id: str) -> StopDecision:
    return StopDecision(
        decision_id=decision_id,
        trade_id="T1",
        rule="price",
        fired=True,
        inputs={},
        guards=(),
        settings_version=1,
        ts=WallClock().now_ns(),
    )


def ticks_of(ears: Ears) -> list[Tick]:
    return [tick for word in ears.of(Ticks) for tick in word.batch]


def test_market_data_arrives_in_batches_in_the_order_of_the_wire(nats_url: str) -> None:
    """Fault 39"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()

        peer.run(_flood(peer.client, 20_000))

        under_test.ears.wait_until(lambda words: sum(len(w.batch) for w in words if isinstance(w, Ticks)) == 20_000)
        prices = [tick.price for tick in ticks_of(under_test.ears) if isinstance(tick, SpotPrice)]
        assert prices == [Decimal(number + 1) for number in range(20_000)]
        assert len(under_test.ears.of(Ticks)) < 20_000


async def _flood(client: object, count: int) -> None:
    for number in range(count):
        body = json.dumps({"symbol": "BTC", "ts": TS, "price": str(number + 1)}).encode()
        await client.publish("market.price.BTC", body)  # type: ignore[attr-defined]
    await client.flush()  # type: ignore[attr-defined]


def test_a_late_joiner_hears_the_newest_of_each_subject(nats_url: str) -> None:
    """Lesson 16: what is watched follows from what stands, not from a hint."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.store("market.quote.A", a_quote("A", "0.1"))
        peer.store("market.quote.A", a_quote("A", "0.2"))
        peer.store("market.quote.B", a_quote("B", "0.3"))

        under_test.wire.hear_market()

        under_test.ears.wait_until(lambda words: sum(len(w.batch) for w in words if isinstance(w, Ticks)) == 2)
        bids = {tick.ticker: tick.yes_bid for tick in ticks_of(under_test.ears) if isinstance(tick, Quote)}
        assert bids == {"A": Decimal("0.2"), "B": Decimal("0.3")}


def test_a_quote_of_an_outage_is_known_as_soon_as_the_line_is_back(nats_url: str, nats_proxy: Proxy) -> None:
    """Fault 9: it stands until the next one, and that may not come for minutes."""
    with a_wire(nats_proxy.url()) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()
        nats_proxy.refuse()
        under_test.states.wait_for(WireDown, 2)
        peer.store("market.quote.KX", a_quote())

        nats_proxy.accept()

        under_test.ears.wait_for(Ticks)


def test_what_went_by_while_the_line_was_cut_is_counted(nats_url: str, nats_proxy: Proxy) -> None:
    """Fault 39: a server that cuts a slow consumer off tells nobody what was lost."""
    with a_wire(nats_proxy.url()) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()
        peer.run(_flood(peer.client, 50))
        wait_for_ticks(under_test.ears, 50)
        nats_proxy.refuse()
        under_test.states.wait_for(WireDown, 2)
        peer.run(_flood(peer.client, 30))

        nats_proxy.accept()

        assert under_test.ears.wait_for(TicksMissed) == [TicksMissed(count=30)]


def wait_for_ticks(ears: Ears, count: int) -> None:
    ears.wait_until(lambda words: sum(len(word.batch) for word in words if isinstance(word, Ticks)) == count)


def test_what_was_heard_before_the_line_was_cut_is_not_taken_for_missed(nats_url: str, nats_proxy: Proxy) -> None:
    """Fault 39: the second count begins where the first has ended."""
    with a_wire(nats_proxy.url()) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()
        for round_number in (1, 2):
            nats_proxy.refuse()
            under_test.states.wait_for(WireDown, 2 * round_number)
            peer.run(_flood(peer.client, 10))
            nats_proxy.accept()
            under_test.ears.wait_for(TicksMissed, round_number)
            peer.run(_flood(peer.client, 100))
            # The newest of an outage is read, too.
            wait_for_ticks(under_test.ears, 101 * round_number)

        assert [word.count for word in under_test.ears.of(TicksMissed)] == [10, 10]


def test_the_markets_stream_comes_back_by_itself_after_a_restart_of_nats(fresh_server: EmbeddedServer) -> None:
    """Fault 14: it lives in memory, and is gone with the server."""
    with a_wire(fresh_server.url) as under_test:
        under_test.wire.hear_market()
        fresh_server.kill()
        under_test.states.wait_for(WireDown, 2)

        fresh_server.start()
        under_test.states.wait_for(WireUp, 2)
        with a_peer(fresh_server.url) as peer:
            wait_for_stream(peer, "MARKET")


def wait_for_stream(peer: Peer, name: str) -> None:
    """Return once the server has it: whoever makes it says nothing of it."""
    while name not in [info.config.name for info in peer.run(peer.client.jetstream().streams_info())]:
        time.sleep(0.02)


def test_a_malformed_tick_is_told_and_the_next_one_flows(nats_url: str) -> None:
    """Fault 34, Fault 23"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()

        peer.publish("market.quote.KX", a_quote("KX", "NaN"))
        peer.publish("market.quote.KX", a_quote("KX", "0.5"))

        under_test.ears.wait_for(Ticks)
        assert [word.subject for word in under_test.ears.of(Malformed)] == ["market.quote.KX"]


def test_a_flood_of_malformed_ticks_is_counted_but_not_told_one_by_one(nats_url: str) -> None:
    """Fault 36"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()

        for _ in range(200):
            peer.publish("market.quote.KX", b"{")
        peer.publish("market.quote.KX", a_quote())

        under_test.ears.wait_for(Ticks)
        counts = under_test.wire.health().market
        assert counts.malformed == 200
        assert len(under_test.ears.of(Malformed)) == counts.quarantined < 100


def test_a_command_carries_what_acknowledges_it(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})
        sequence = peer.store("trade.command.close", CLOSE)

        word = under_test.ears.wait_for(Received)[0]

        assert word.key == "command:close:T1:c1"
        assert word.delivery is not None
        assert (word.delivery.stream, word.delivery.sequence, word.delivery.attempt) == ("LEDGER", sequence, 1)


def test_an_unacknowledged_input_comes_again_to_the_next_epoch_at_once(nats_url: str) -> None:
    """Fault 3: without waiting for the dead consumer's `ack_wait`."""
    with a_peer(nats_url) as peer:
        with a_wire(nats_url) as crashed:
            crashed.wire.hear_streams({})
            peer.store("trade.command.close", CLOSE)
            crashed.ears.wait_for(Received)

        with a_wire(nats_url) as under_test:
            under_test.wire.hear_streams({})

            assert under_test.ears.wait_for(Received)[0].key == "command:close:T1:c1"


def test_a_committed_input_does_not_come_again(nats_url: str) -> None:
    """Fault 3"""
    with a_peer(nats_url) as peer, a_wire(nats_url) as under_test:
        committed = peer.store("trade.command.close", CLOSE)
        peer.store("trade.command.close", CLOSE.replace(b"c1", b"c2"))

        under_test.wire.hear_streams({"LEDGER": committed})

        assert [word.key for word in under_test.ears.wait_for(Received)] == ["command:close:T1:c2"]


def test_reports_flow_while_commands_wait_for_the_database(nats_url: str) -> None:
    """Fault 18: unacknowledged commands fill their own window, not that of the reports of our closes."""
    with a_wire(nats_url, max_ack_pending=2) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})
        for number in range(5):
            peer.store("trade.command.close", CLOSE.replace(b"c1", b"c%d" % number))
        under_test.wire.publish_report(a_report(an_order()))

        under_test.ears.wait_until(lambda words: any(w.subject.startswith("order.report") for w in words))

        assert len([w for w in under_test.ears.of(Received) if w.subject == "trade.command.close"]) <= 2


def test_acknowledging_lets_the_next_command_in(nats_url: str) -> None:
    with a_wire(nats_url, max_ack_pending=1) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})
        for number in range(3):
            peer.store("trade.command.close", CLOSE.replace(b"c1", b"c%d" % number))

        for number in range(3):
            word = under_test.ears.wait_for(Received, number + 1)[-1]
            assert word.delivery is not None
            under_test.wire.acknowledge(word.delivery)

        assert [w.key[-2:] for w in under_test.ears.of(Received)] == ["c0", "c1", "c2"]


def test_a_poison_command_is_told_with_its_bytes_and_later_ones_flow(nats_url: str) -> None:
    """Fault 23, L5"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})
        peer.store("trade.command.close", b"\x00poison")
        peer.store("trade.command.close", CLOSE)

        under_test.ears.wait_for(Received)

        poison = under_test.ears.of(Malformed)[0]
        assert poison.body == b"\x00poison"
        assert poison.delivery is not None


def test_pausing_leaves_messages_in_the_stream_until_resumed(nats_url: str) -> None:
    """Fault 40"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.pause_commands()
        under_test.wire.hear_streams({})
        under_test.wire.hear_requests()
        peer.store("trade.command.close", CLOSE)
        peer.publish("trade.request.get", b'{"trade_id":"T1"}')
        heard = [word.subject for word in under_test.ears.wait_for(Received)]

        under_test.wire.resume_commands()

        assert heard == ["trade.request.get"]
        assert under_test.ears.wait_for(Received, 2)[-1].subject == "trade.command.close"


def test_a_request_is_answered_to_whoever_asked(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_requests()
        peer.listen("reply.here")
        peer.run(peer.client.publish("trade.request.get", b'{"trade_id":"T1"}', reply="reply.here"))
        word = under_test.ears.wait_for(Received)[0]
        assert word.reply_to == "reply.here"

        under_test.wire.reply(word.reply_to, Reply(ok=True, instance="i", epoch=1, ts=WallClock().now_ns(), result={}))

        peer.ears.wait_until(lambda words: len(words) == 1)
        assert json.loads(peer.ears.words[0].data)["ok"] is True


def test_a_sequencer_hears_every_word_alone_with_its_headers(nats_url: str) -> None:
    ears = Ears()
    with a_wire(nats_url, tap=ears.hear_with) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_market()
        under_test.wire.hear_streams({})

        peer.publish("market.quote.KX", a_quote(), Wk_Line="7")
        ears.wait_for(Quote)
        peer.store("trade.command.close", CLOSE, Wk_Line="8")
        ears.wait_for(Received)

        assert [headers["Wk-Line"] for headers in ears.headers] == ["7", "8"]
        assert under_test.ears.words == []


def test_two_installations_on_one_server_do_not_hear_each_other(nats_url: str) -> None:
    with a_wire(nats_url, prefix="blue") as blue, a_wire(nats_url, prefix="green") as green, a_peer(nats_url) as peer:
        for one in (blue, green):
            one.wire.hear_streams({})
        peer.store("blue.trade.command.close", CLOSE)
        peer.store("green.trade.command.close", CLOSE.replace(b"c1", b"c2"))

        assert [w.key[-2:] for w in blue.ears.wait_for(Received)] == ["c1"]
        assert [w.key[-2:] for w in green.ears.wait_for(Received)] == ["c2"]


def test_an_executor_hears_the_orders_of_its_venue_alone(nats_url: str) -> None:
    with a_wire(nats_url) as under_test:
        under_test.wire.hear_orders("paper")
        order = an_order(1)

        under_test.publish_order(a_cancel(order))
        under_test.publish_order(order)

        assert [word.order for word in under_test.ears.wait_for(OrderArrived)] == [order]


def test_an_executor_reads_back_what_orders_holds_of_its_venue(nats_url: str) -> None:
    order = an_order(1)
    report = a_report(order)
    with a_wire(nats_url) as under_test:
        under_test.wire.hear_orders("paper")
        under_test.publish_order(order)
        under_test.ears.wait_for(OrderStored)
        under_test.wire.publish_report(report)
        under_test.wire.hear_streams({})
        under_test.ears.wait_for(Received)

        assert under_test.wire.read_orders("paper") == [order, report]


def test_the_end_of_orders_holds_what_was_ordered_and_reported_behind_a_place(nats_url: str) -> None:
    """Fault 7"""
    first, second = an_order(1), an_order(2)
    report = a_report(second)
    with a_wire(nats_url) as under_test:
        under_test.publish_order(first)
        place = under_test.ears.wait_for(OrderStored)[0].sequence
        under_test.publish_order(second)
        under_test.ears.wait_for(OrderStored, count=2)
        under_test.wire.publish_report(report)
        under_test.publish_order(a_cancel(first))
        under_test.ears.wait_for(Published)

        tail = under_test.wire.read_tail({"ORDERS": place})

    assert (tail.submits, [word.message for word in tail.reports if isinstance(word, Received)]) == (
        (second,),
        [report],
    )
    assert [word.delivery.sequence for word in tail.reports if word.delivery is not None] == [tail.last]


def test_a_report_at_the_end_of_orders_has_the_key_that_its_delivery_would_have(nats_url: str) -> None:
    """Fault 24: it is one input, however it is heard."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.store(
            "order.report.t-close-1", b'{"client_order_id":"t-close-1","ts":"2026-01-01T00:00:00Z","status":"accepted"}'
        )
        tail = under_test.wire.read_tail({})
        under_test.wire.hear_streams({})
        delivered = under_test.ears.wait_for(Received)[0]

    read = tail.reports[0]
    assert isinstance(read, Received)
    assert (read.key, read.digest) == (delivered.key, delivered.digest)
    assert read.delivery is not None
    assert delivered.delivery is not None
    assert read.delivery.sequence == delivered.delivery.sequence


def test_the_decisions_that_orders_name_are_read_with_them(nats_url: str) -> None:
    named, other = a_decision("T1-price-2"), a_decision("T1-price-1")
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        for decision in (other, named):
            peer.store("stop.decision.T1", to_json(decision))
        under_test.publish_order(an_order(decision_id=named.decision_id))
        under_test.ears.wait_for(OrderStored)

        assert under_test.wire.read_tail({}).decisions == (named,)
