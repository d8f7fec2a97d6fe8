"""The outbox, venues and the streams' own checks, against a real server."""

import asyncio
import itertools
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from nats.js.errors import APIError

from bus.embedded import EmbeddedServer
from bus.messages.envelope import Outgoing, Received
from bus.messages.failures import StreamAlarm
from bus.messages.notices import Notice, Severity
from bus.messages.orders import ReportStatus, VenueAnswer, VenueOrder, VenueOrders, VenueQuestion
from bus.messages.plain import instant_text
from bus.messages.reconcile import AccountAnswer, AccountQuestion
from bus.messages.records import OrderStored, Published
from bus.messages.streams import StreamsSeen, StreamStanding
from bus.messages.system import Status
from tests.bus.builders import Peer, WallClock, WireUnderTest, a_peer, a_report, a_wire, an_order

SINCE_NS = 1_750_000_000_000_000_000
QUESTION = VenueQuestion(venue="kalshi", account="acc", client_order_id="T1-close-1", trade_id="T1", now_ns=1)


def a_notice(number: int) -> Outgoing:
    notice = Notice(
        notice_id=str(number),
        kind="test",
        severity=Severity.INFO,
        title="t",
        body="b",
        dedupe_key="k",
        ts=WallClock().now_ns(),
    )
    return Outgoing(subject="notice.info.test", msg_id=f"notice:{number}", message=notice, cause="tést\n1")


def published(under_test: WireUnderTest) -> list[str]:
    return [msg_id for word in under_test.ears.of(Published) for msg_id in word.msg_ids]


def test_the_outbox_is_stored_in_order_and_told_when_it_is(nats_url: str) -> None:
    wanted = [f"notice:{number}" for number in range(1000)]
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.publish([a_notice(number) for number in range(1000)])

        under_test.ears.wait_until(lambda _: len(published(under_test)) == 1000)

        assert published(under_test) == wanted
        assert [one.headers["Nats-Msg-Id"] for one in peer.stored("NOTICES")] == wanted


def test_what_was_published_before_a_crash_is_not_stored_twice(nats_url: str) -> None:
    """Fault 4"""
    for _ in range(2):
        with a_wire(nats_url) as under_test:
            under_test.wire.publish([a_notice(1)])
            under_test.ears.wait_for(Published)

    with a_peer(nats_url) as peer:
        assert len(peer.stored("NOTICES")) == 1


def test_the_outbox_survives_a_killed_server_with_nothing_lost(fresh_server: EmbeddedServer) -> None:
    """Fault 9"""
    with a_wire(fresh_server.url) as under_test:
        under_test.wire.publish([a_notice(number) for number in range(200)])
        fresh_server.kill()
        under_test.wire.publish([a_notice(number) for number in range(200, 400)])

        fresh_server.start()

        under_test.ears.wait_until(lambda _: len(set(published(under_test))) == 400)
        with a_peer(fresh_server.url) as peer:
            stored = [one.headers["Nats-Msg-Id"] for one in peer.stored("NOTICES")]
        assert sorted(stored) == sorted(f"notice:{number}" for number in range(400))


def test_an_entry_order_in_the_outbox_goes_the_way_of_orders(nats_url: str) -> None:
    order = an_order()
    outgoing = Outgoing(subject="order.submit.paper.T1", msg_id="submit:T1-close-1", message=order)

    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.publish([outgoing])
        under_test.ears.wait_for(OrderStored)

        assert "Nats-Expected-Last-Subject-Sequence" in peer.stored("ORDERS")[-1].headers


@pytest.mark.parametrize("size", [70_000, 300_000])
def test_one_message_that_no_stream_will_ever_take_does_not_stop_the_others(nats_url: str, size: int) -> None:
    """Fault 23, L5"""
    huge = Outgoing(
        subject="trade.event.open.T1", msg_id="huge", message=Status(**_status(), why_not_ready=("x" * size,))
    )
    with a_wire(nats_url) as under_test:
        under_test.wire.publish([huge, a_notice(1)])
        under_test.ears.wait_for(Published)
        under_test.wire.publish([a_notice(2)])

        under_test.ears.wait_until(lambda _: published(under_test) == ["notice:1", "notice:2"])

        assert under_test.wire.health().undeliverable == 1


def _status() -> dict[str, Any]:
    return {"ready": True, "role": "leader", "instance": "i", "epoch": 1, "version": "0", "ts": WallClock().now_ns()}


def test_health_is_told_to_whoever_listens(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.listen("system.health.watchkeeper")

        under_test.wire.broadcast(Status(**_status()))

        peer.ears.wait_until(lambda words: len(words) == 1)
        assert json.loads(peer.ears.words[0].data)["role"] == "leader"


def asked(under_test: WireUnderTest) -> VenueAnswer:
    under_test.wire.ask_venue(QUESTION)
    return under_test.ears.wait_for(VenueAnswer)[0]


def test_a_venue_tells_an_order_with_its_fills(nats_url: str) -> None:
    """Fault 6"""
    order = {"client_order_id": "T1-close-1", "status": "filled", "cumulative_quantity": "3"}
    fill = {
        "fill_id": "f1",
        "client_order_id": "T1-close-1",
        "ticker": "K",
        "side": "yes",
        "price": "0.4",
        "quantity": "3",
        "ts": "2025-07-16T17:00:00Z",
    }
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.answer("venue.request.orders.kalshi", lambda _: json.dumps({"orders": [order]}).encode())
        peer.answer("venue.request.fills.kalshi", lambda _: json.dumps({"fills": [fill]}).encode())

        answer = asked(under_test)

    assert answer.order == VenueOrder(
        client_order_id="T1-close-1", status=ReportStatus.FILLED, cumulative_quantity=Decimal(3)
    )
    assert [one.fill_id for one in answer.fills] == ["f1"]


def test_a_venue_is_read_to_its_last_page(nats_url: str) -> None:
    """Lesson 44"""
    wanted = {"client_order_id": "T1-close-1", "status": "rejected", "cumulative_quantity": "0"}

    def page(question: bytes) -> bytes:
        is_last = json.loads(question).get("after") == "2"
        return json.dumps({"orders": [wanted]} if is_last else {"orders": [], "next": "2"}).encode()

    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.answer("venue.request.orders.kalshi", page)

        answer = asked(under_test)

    assert answer.order is not None


def test_an_order_that_the_venue_does_not_know_is_no_error(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.answer("venue.request.orders.kalshi", lambda _: b'{"orders":[]}')

        answer = asked(under_test)

    assert (answer.order, answer.error) == (None, None)


@pytest.mark.parametrize("garbage", [b"", b"{}", b"null", b"[]", b"<html>", b'{"error":"maintenance"}', b'{"ok":true}'])
def test_an_answer_that_says_nothing_is_evidence_of_nothing(nats_url: str, garbage: bytes) -> None:
    """Fault 52, Fault 54"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.answer("venue.request.orders.kalshi", lambda _: garbage)

        answer = asked(under_test)

    assert answer.error is not None


def test_a_venue_that_is_not_there_is_an_answer_too(nats_url: str) -> None:
    """Fault 54"""
    with a_wire(nats_url) as under_test:
        assert asked(under_test).error is not None


def account_asked(under_test: WireUnderTest) -> AccountAnswer:
    under_test.wire.ask_account(AccountQuestion(venue="kalshi", account="acc", since_ns=SINCE_NS, now_ns=SINCE_NS + 1))
    return under_test.ears.wait_for(AccountAnswer)[0]


def answering(
    peer: Peer, pages: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
) -> list[tuple[str, dict[str, Any]]]:
    """Answer what is asked of kalshi; return what was asked, in order."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(kind: str, question: bytes) -> bytes:
        asked.append((kind, json.loads(question)))
        return json.dumps(pages[kind](asked[-1][1])).encode()

    for kind in pages:
        peer.answer(f"venue.request.{kind}.kalshi", partial(answer, kind))
    return asked


def in_pages(kind: str, *rows: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return an answerer that tells one row on each page."""

    def page(question: dict[str, Any]) -> dict[str, Any]:
        number = int(question.get("after", 0))
        more = {"next": str(number + 1)} if number + 1 < len(rows) else {}
        return {kind: list(rows[number : number + 1]), **more}

    return page


def a_venue_position(ticker: str) -> dict[str, Any]:
    return {"ticker": ticker, "side": "yes", "quantity": "3"}


NOTHING = {"orders": in_pages("orders"), "fills": in_pages("fills"), "positions": in_pages("positions")}


def test_an_account_is_read_to_the_last_page_of_each_list(nats_url: str) -> None:
    """Lesson 44"""
    positions = in_pages("positions", *map(a_venue_position, "ABC"))
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        answering(peer, {**NOTHING, "positions": positions})

        answer = account_asked(under_test)

    assert answer.error is None
    assert [position.ticker for position in answer.positions] == ["A", "B", "C"]


def test_positions_are_asked_last_and_whole_the_rest_since_an_instant(nats_url: str) -> None:
    """What is held more or less than the fills told before explain is not ours."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        asked = answering(peer, NOTHING)

        account_asked(under_test)

    since = instant_text(SINCE_NS)
    assert asked == [
        ("orders", {"account": "acc", "since": since}),
        ("fills", {"account": "acc", "since": since}),
        ("positions", {"account": "acc"}),
    ]


@pytest.mark.parametrize("kind", ["orders", "fills", "positions"])
def test_one_list_that_fails_makes_the_whole_answer_evidence_of_nothing(nats_url: str, kind: str) -> None:
    """Fault 52, Fault 54"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        answering(peer, {**NOTHING, kind: lambda _: {"error": "HTTP 429"}})

        answer = account_asked(under_test)

    assert answer.error == "HTTP 429"


def test_pages_that_go_round_in_a_circle_are_no_answer(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        answering(peer, {**NOTHING, "fills": lambda _: {"fills": [], "next": "1"}})

        answer = account_asked(under_test)

    assert answer.error is not None
    assert "circle" in answer.error


def test_our_own_venue_answers_that_it_knows_nothing_in_so_many_words(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.answer_for("paper", lambda _kind, _request: VenueOrders())

        assert json.loads(peer.ask("venue.request.orders.paper", b'{"account":"acc"}')) == {"orders": []}


def test_a_question_to_our_own_venue_that_cannot_be_read_is_refused_in_words(nats_url: str) -> None:
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.answer_for("paper", lambda _kind, _request: VenueOrders())

        assert "error" in json.loads(peer.ask("venue.request.orders.paper", b"{"))


def test_streams_are_made_with_the_settings_of_the_design(nats_url: str) -> None:
    with a_wire(nats_url), a_peer(nats_url) as peer:
        config = peer.run(peer.client.jetstream().stream_info("ORDERS")).config

        assert (config.deny_delete, config.deny_purge, config.allow_msg_ttl) == (True, True, True)
        assert (config.discard, config.max_age, config.storage) == ("new", 7 * 86_400, "file")


def test_a_recorded_stream_that_is_missing_is_an_alarm(nats_url: str) -> None:
    """Fault 14"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        recorded = {facts.name: facts.created for facts in under_test.wire.ensure_streams({}).values()}
        peer.run(peer.client.jetstream().delete_stream("LEDGER"))

        with pytest.raises(StreamAlarm, match=r"LEDGER.*missing"):
            under_test.wire.ensure_streams(recorded)


def test_a_recorded_stream_that_was_made_anew_is_an_alarm(nats_url: str) -> None:
    """Fault 13"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        recorded = {facts.name: facts.created for facts in under_test.wire.ensure_streams({}).values()}
        peer.run(peer.client.jetstream().delete_stream("ORDERS"))
        under_test.wire.ensure_streams({})

        with pytest.raises(StreamAlarm, match=r"ORDERS.*anew"):
            under_test.wire.ensure_streams(recorded)


def test_a_stream_whose_settings_drifted_is_an_alarm(nats_url: str) -> None:
    """Fault 14"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        streams = peer.client.jetstream()
        config = peer.run(streams.stream_info("NOTICES")).config
        peer.run(streams.update_stream(config, discard="old"))

        with pytest.raises(StreamAlarm, match=r"NOTICES.*discard"):
            under_test.wire.ensure_streams({})


def test_market_comes_back_by_itself(nats_url: str) -> None:
    """Fault 14"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        recorded = {facts.name: facts.created for facts in under_test.wire.ensure_streams({}).values()}
        peer.run(peer.client.jetstream().delete_stream("MARKET"))

        assert "MARKET" in under_test.wire.ensure_streams(recorded)


def test_a_full_orders_stream_refuses_and_says_how_full_it_is(nats_url: str) -> None:
    """Fault 15"""
    with a_wire(nats_url, orders_max_mb=1) as under_test, a_peer(nats_url) as peer:
        for number in range(20):
            peer.store("order.report.x", b"x" * 50_000, Nats_Msg_Id=str(number))

        assert under_test.wire.ensure_streams({})["ORDERS"].fill > 0.7


def test_a_full_stream_holds_up_no_other(nats_url: str) -> None:
    """Fault 15: ORDERS takes nothing, and people hear of it all the same."""
    with a_wire(nats_url, orders_max_mb=1) as under_test, a_peer(nats_url) as peer:
        with suppress(APIError):
            for number in range(100):
                peer.store("order.report.x", b"x" * 50_000, Nats_Msg_Id=str(number))

        under_test.wire.publish_report(a_report(an_order()))
        under_test.wire.publish((a_notice(1),))

        assert under_test.ears.wait_for(Published)[0].msg_ids == ("notice:1",)


def test_a_consumer_that_somebody_deletes_is_fatal(nats_url: str) -> None:
    """Fault 14"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})

        peer.run(peer.client.jetstream().delete_consumer("LEDGER", "wk-1"))

        under_test.ears.wait_until(lambda _: bool(under_test.fatal))
        assert "LEDGER" in under_test.fatal[0]


def test_a_stream_that_somebody_deletes_ends_nothing_but_what_is_heard_from_it(nats_url: str) -> None:
    """Fault 14: no new process would take it, and nobody would watch."""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        under_test.wire.hear_streams({})

        peer.run(peer.client.jetstream().delete_stream("LEDGER"))
        under_test.wire.publish_report(a_report(an_order()))
        under_test.ears.wait_for(Received)

    assert under_test.fatal == []


def test_the_streams_on_disk_are_seen_as_they_stand(nats_url: str) -> None:
    """Fault 14, Fault 15"""
    with a_wire(nats_url) as under_test, a_peer(nats_url) as peer:
        peer.run(peer.client.jetstream().delete_stream("NOTICES"))
        for number in range(20):
            peer.store("trade.command.close", b"%d" % number + b"x" * 60_000)

        under_test.wire.look_at_streams()
        streams = {stream.name: stream for stream in under_test.ears.wait_for(StreamsSeen)[0].streams}

    assert set(streams) == {"ORDERS", "LEDGER", "NOTICES"}
    assert streams["NOTICES"].created is None
    assert streams["LEDGER"].last_sequence == 20
    assert streams["LEDGER"].fill_percent in range(5, 9)
    assert streams["ORDERS"].drift == ()


def test_a_look_at_the_streams_that_a_newer_one_has_overtaken_is_not_told(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 10: after a pause of NATS the older answer came last, and a stream seemed to have lost what it had gained."""
    numbers, takes_s = itertools.count(1), {1: 0.2, 2: 0.0, 3: 0.4}
    is_under_way = threading.Event()

    async def look(*_: object) -> tuple[StreamStanding, ...]:
        number = next(numbers)
        is_under_way.set()
        await asyncio.sleep(takes_s[number])
        return (StreamStanding(name="ORDERS", created="monday", last_sequence=number),)

    with a_wire(nats_url) as under_test:
        monkeypatch.setattr("bus.wire.look", look)
        under_test.wire.look_at_streams()
        assert is_under_way.wait(10)
        under_test.wire.look_at_streams()
        under_test.ears.wait_for(StreamsSeen)
        under_test.wire.look_at_streams()

        under_test.ears.wait_until(lambda words: words[-1].streams[0].last_sequence == len(takes_s))

    assert [seen.streams[0].last_sequence for seen in under_test.ears.of(StreamsSeen)] == [2, 3]
