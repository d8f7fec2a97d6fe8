"""What is heard on the money connection, from when on, and what is asked for, without a server."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import msgspec
import pytest

from bus.codec import Codec
from bus.connection import Connection
from bus.inbound import REPORTS_PENDING_MAX, Inbound
from bus.messages.envelope import Received
from bus.subjects import Prefix
from tests.actors.builders import FixedClock

PREFIX = Prefix("blue")
CLOSE = json.dumps({"trade_id": "T1", "command_id": "c", "reason": "r", "requested_by": "eve"}).encode()
Handler = Callable[[str, str, bytes, bytes], None]


class Line:
    """A connection that notes what is listened to and asked for. pulls: stream, and how many were asked for."""

    def __init__(self) -> None:
        self.is_up = True
        self.heard: dict[int, tuple[str, Handler]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.pulls: list[tuple[str, int]] = []
        self.posted: list[str] = []
        self.flushed: list[list[str]] = []
        self._count = 0

    async def api(self, verb: str, question: object = None) -> dict[str, Any]:
        self.asked.append((verb, question))
        return {"created": "monday"}

    def new_inbox(self) -> str:
        return f"_INBOX.{len(self.asked)}"

    async def listen(self, subject: str, handler: Handler) -> int:
        self._count += 1
        self.heard[self._count] = (subject, handler)
        return self._count

    async def unlisten(self, number: int) -> None:
        del self.heard[number]

    async def flush(self) -> None:
        self.flushed.append(self.subjects)

    def post(self, subject: str, body: bytes, *, reply: str = "") -> None:
        del reply
        if ".MSG.NEXT." in subject:
            self.pulls.append((subject.split(".")[-2], msgspec.json.decode(body)["batch"]))
        else:
            self.posted.append(subject)

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.heard.values()]

    def hand_in(self, subject: str, body: bytes, reply: str = "") -> None:
        for pattern, handler in list(self.heard.values()):
            if pattern == subject or (pattern[-1] in ">*" and subject.startswith(pattern[:-1])):
                handler(subject, reply, body, b"NATS/1.0\r\nWk-Line: 7\r\n\r\n")

    def deliver(self, stream: str, sequence: int) -> str:
        token = f"$JS.ACK.{stream}.wk-7.1.{sequence}.9.1.0"
        (handler,) = (handler for name, handler in self.heard.values() if name == self.inbox_of(stream))
        handler("blue.trade.command.close", token, CLOSE, b"")
        return token

    def inbox_of(self, stream: str) -> str:
        verbs = [verb for verb, _ in self.asked]
        return f"_INBOX.{verbs.index(f'CONSUMER.CREATE.{stream}.wk-7') + 1}.*"


class Room:
    def __init__(self, *, is_tapped: bool = False) -> None:
        self.line, self.words, self.tapped = Line(), list[Any](), list[tuple[object, Any]]()
        self.inbound = Inbound(
            cast("Connection", self.line),
            PREFIX,
            Codec(PREFIX),
            clock=FixedClock(7),
            say=self.words.append,
            on_lost=self.words.append,
            tap=(lambda word, headers: self.tapped.append((word, headers))) if is_tapped else None,
        )

    def hear_streams(self, **positions: int) -> Coroutine[Any, Any, None]:
        return self.inbound.hear_streams(7, positions, max_ack_pending=5)


def test_before_it_leads_nothing_but_the_question_for_its_status_is_heard() -> None:
    room = Room()

    async def scenario() -> None:
        await room.inbound.hear_status()
        await room.inbound.hear_status()

    asyncio.run(scenario())
    assert room.line.flushed == [["blue.system.request.status"]]


def test_whoever_leads_hears_each_question_once_and_that_others_live() -> None:
    room = Room()

    async def scenario() -> None:
        await room.inbound.hear_status()
        await room.inbound.hear_requests()
        room.line.hand_in("blue.system.request.status", b"{}")

    asyncio.run(scenario())
    assert len(room.words) == 1
    assert "blue.system.heartbeat.>" in room.line.subjects


def test_a_question_is_heard_with_whoever_asked_it() -> None:
    room = Room()

    async def scenario() -> None:
        await room.inbound.hear_requests()
        for reply in ("reply.here", ""):
            room.line.hand_in("blue.trade.request.get", b'{"trade_id":"T1"}', reply)

    asyncio.run(scenario())
    assert [(type(word), word.reply_to, word.received_ns) for word in room.words] == [
        (Received, "reply.here", 7),
        (Received, None, 7),
    ]


def test_each_stream_is_read_from_behind_what_is_committed() -> None:
    """Fault 7"""
    room = Room()

    asyncio.run(room.hear_streams(blue_LEDGER=41, LEDGER=99))

    created = {verb: question["config"] for verb, question in room.line.asked if verb.startswith("CONSUMER.CREATE")}
    assert {verb: config["opt_start_seq"] for verb, config in created.items()} == {
        "CONSUMER.CREATE.blue_LEDGER.wk-7": 42,
        "CONSUMER.CREATE.blue_ORDERS.wk-7": 1,
    }
    assert all(name.startswith("blue.") for config in created.values() for name in config["filter_subjects"])


def test_reports_wait_for_no_command() -> None:
    """Fault 16: the fills of our own closes flow while PostgreSQL holds up everything else."""
    room = Room()

    async def scenario() -> None:
        await room.hear_streams()
        room.inbound.pause_commands()
        room.inbound.reconnected()

    asyncio.run(scenario())
    assert room.line.pulls == [("blue_LEDGER", 5), *[("blue_ORDERS", REPORTS_PENDING_MAX)] * 2]


def test_commands_that_were_paused_before_the_streams_are_heard_stay_there() -> None:
    room = Room()

    async def scenario() -> None:
        room.inbound.pause_commands()
        await room.hear_streams()
        before = [stream for stream, _ in room.line.pulls]

        room.inbound.resume_commands()

        assert (before, room.line.pulls[1:]) == (["blue_ORDERS"], [("blue_LEDGER", 5)])

    asyncio.run(scenario())


def test_commands_that_go_on_are_asked_for_at_the_next_connection_too() -> None:
    room = Room()

    async def scenario() -> None:
        room.inbound.pause_commands()
        room.inbound.resume_commands()
        await room.hear_streams()

    asyncio.run(scenario())
    assert [stream for stream, _ in room.line.pulls] == ["blue_LEDGER", "blue_ORDERS"]


@pytest.mark.parametrize("stream", ["blue_LEDGER", "blue_ORDERS"])
def test_an_input_is_acknowledged_by_whichever_holds_it(stream: str) -> None:
    room = Room()

    async def scenario() -> None:
        await room.hear_streams()
        token = room.line.deliver(stream, 42)
        held = room.inbound.held

        answers = [room.inbound.acknowledge(name) for name in ("another", token, token)]

        assert (held, answers, room.inbound.held) == (1, [False, True, False], 0)
        assert room.line.posted == [token]

    asyncio.run(scenario())
    assert [(word.delivery.stream, word.delivery.sequence, word.reply_to) for word in room.words] == [
        (stream, 42, None)
    ]


def test_a_sequencer_hears_it_instead_with_the_headers() -> None:
    room = Room(is_tapped=True)

    async def scenario() -> None:
        await room.inbound.hear_requests()
        room.line.hand_in("blue.trade.request.get", b'{"trade_id":"T1"}')

    asyncio.run(scenario())
    assert [(type(word), headers) for word, headers in room.tapped] == [(Received, {"Wk-Line": "7"})]
    assert room.words == []


def test_once_closed_nothing_is_heard_or_asked_for() -> None:
    room = Room()

    async def scenario() -> None:
        await room.inbound.hear_requests()
        await room.hear_streams()
        await room.inbound.close()
        await room.inbound.close()
        room.inbound.reconnected()

    asyncio.run(scenario())
    assert [subject for subject in room.line.subjects if not subject.startswith("_INBOX")] == []
    assert len(room.line.pulls) == 2
