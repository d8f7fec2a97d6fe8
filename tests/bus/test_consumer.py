"""A pull consumer's patience, against a connection that answers as told; its time leaps from deadline to deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import msgspec
import pytest
from loguru import logger

from bus.connection import ApiError, Connection
from bus.consumer import ConsumerSettings, PullConsumer, read_delivery
from bus.errors import BusError
from bus.messages.envelope import Delivery
from bus.streams import NO_STREAM

NO_CONSUMER = 10014
SETTINGS = ConsumerSettings(
    stream="LEDGER", name="wk-7", filters=("a.>", "b"), start_sequence=42, max_ack_pending=3, ack_wait_s=30
)


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock leaps to the next deadline as soon as nothing else is to be done."""

    now_s = 1024.0

    def time(self) -> float:
        return self.now_s

    def _run_once(self) -> None:
        due_s = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # the loop's own
        if due_s and not self._ready:  # type: ignore[attr-defined]  # as above
            self.now_s = max(self.now_s, min(due_s))
        super()._run_once()  # type: ignore[misc]  # as above


class Room:
    """A consumer between a connection of ours and what it hears. pulls: number and question of each request for messages."""

    def __init__(self) -> None:
        self.is_up = True
        self.answers: dict[str, Any] = {"STREAM.INFO.LEDGER": {"created": "monday"}}
        self.asked: list[tuple[str, Any]] = []
        self.pulls: list[tuple[str, dict[str, Any]]] = []
        self.said: list[tuple[str, bytes]] = []
        self.heard: list[tuple[str, bytes, bytes, Delivery]] = []
        self.lost: list[str] = []
        self.consumer = PullConsumer(
            cast("Connection", self), SETTINGS, hear=lambda *word: self.heard.append(word), on_lost=self.lost.append
        )

    # The connection

    async def api(self, verb: str, question: object = None) -> dict[str, Any]:
        self.asked.append((verb, question))
        answer = self.answers.get(verb, {})
        if isinstance(answer, Exception):
            raise answer
        return cast("dict[str, Any]", answer)

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def listen(self, subject: str, handler: Callable[[str, str, bytes, bytes], None]) -> int:
        assert subject == "_INBOX.x.*"
        self.hand_in = handler
        return 1

    def post(self, subject: str, body: bytes, *, reply: str = "") -> None:
        if subject == "$JS.API.CONSUMER.MSG.NEXT.LEDGER.wk-7":
            self.pulls.append((reply, msgspec.json.decode(body)))
        else:
            self.said.append((subject, body))

    # What a test says

    def deliver(self, sequence: int, attempt: int = 1) -> str:
        token = f"$JS.ACK.LEDGER.wk-7.{attempt}.{sequence}.9.1.0"
        self.hand_in("a.b", token, b"body", b"headers")
        return token

    def status(self, words: str, pull: int | None = None) -> None:
        subject = f"_INBOX.x.{len(self.pulls) if pull is None else pull}"
        self.hand_in(subject, "", b"", f"NATS/1.0 {words}\r\n\r\n".encode())


def play(scenario: Callable[[Room], Awaitable[None]]) -> Room:
    """Open a consumer and let `scenario` happen."""
    room = Room()

    async def opened() -> None:
        await room.consumer.open()
        await scenario(room)
        room.consumer.close()

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(opened())
    return room


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What is logged: level and words of each line."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.rstrip()), format="{level} {message}", level="DEBUG")
    yield lines
    logger.remove(sink)


async def nothing(_: Room) -> None:
    """Let nothing happen."""


def test_it_begins_at_the_first_message_that_is_not_committed_and_drops_none() -> None:
    """Fault 3: what is not acknowledged comes again, however often."""
    room = play(nothing)

    question = dict(room.asked)["CONSUMER.CREATE.LEDGER.wk-7"]
    assert (question["stream_name"], question["action"]) == ("LEDGER", "create")
    assert question["config"] == {
        "durable_name": "wk-7",
        "filter_subjects": ["a.>", "b"],
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": 42,
        "ack_policy": "explicit",
        "ack_wait": 30_000_000_000,
        "max_deliver": -1,
        "max_ack_pending": 3,
        "replay_policy": "instant",
    }


def test_consumers_of_earlier_epochs_are_removed_and_nobody_elses() -> None:
    """Fault 45"""
    room = Room()
    room.answers["CONSUMER.NAMES.LEDGER"] = {"consumers": ["wk-6", "wk-7", "dashboard"]}

    asyncio.run(room.consumer.open())

    assert [verb for verb, _ in room.asked if "DELETE" in verb] == ["CONSUMER.DELETE.LEDGER.wk-6"]


def test_it_asks_for_as_many_as_may_wait_for_their_commits() -> None:
    room = play(nothing)

    assert room.pulls == [("_INBOX.x.1", {"batch": 3, "expires": 30_000_000_000, "idle_heartbeat": 5_000_000_000})]


def test_it_asks_for_more_once_all_that_it_asked_for_has_come() -> None:
    async def scenario(room: Room) -> None:
        pulls = []
        for sequence in range(42, 48):
            room.deliver(sequence)
            pulls.append(len(room.pulls))
        assert pulls == [1, 1, 2, 2, 2, 3]

    play(scenario)


def test_a_message_is_handed_on_with_what_acknowledges_it() -> None:
    async def scenario(room: Room) -> None:
        room.deliver(42, attempt=1)
        room.deliver(43, attempt=2)

    room = play(scenario)

    token = "$JS.ACK.LEDGER.wk-7.2.43.9.1.0"
    assert room.heard[1] == ("a.b", b"body", b"headers", Delivery(stream="LEDGER", sequence=43, token=token, attempt=2))
    assert (room.consumer.delivered, room.consumer.redelivered, room.consumer.held) == (2, 1, 2)


def test_a_message_is_acknowledged_once() -> None:
    async def scenario(room: Room) -> None:
        token = room.deliver(42)

        answers = [room.consumer.acknowledge(token), room.consumer.acknowledge(token)]

        assert (answers, room.said, room.consumer.held) == ([True, False], [(token, b"+ACK")], 0)

    play(scenario)


def test_what_waits_for_its_commit_for_long_is_kept_from_coming_again() -> None:
    """Fault 16: an outage of PostgreSQL is longer than the time after which a message would be delivered again."""

    async def scenario(room: Room) -> None:
        token, done = room.deliver(42), room.deliver(43)
        room.consumer.acknowledge(done)
        room.said.clear()
        kept = []
        for _ in range(4):
            room.status("100 Idle Heartbeat")
            await asyncio.sleep(5)
            kept.append(len(room.said))
        assert kept == [0, 1, 2, 3]
        assert set(room.said) == {(token, b"+WPI")}

    play(scenario)


@pytest.mark.parametrize(("words", "moment_s"), [("408 Request Timeout", 0), ("409 Server Shutdown", 0.25)])
def test_it_asks_again_where_a_request_ended_and_gives_whoever_refuses_a_moment(words: str, moment_s: float) -> None:
    async def scenario(room: Room) -> None:
        loop, asked_at = asyncio.get_running_loop(), []
        began_s = loop.time()
        room.status(words)
        while len(room.pulls) == 1:
            await asyncio.sleep(1 / 16)
            asked_at.append(loop.time() - began_s)
        assert moment_s <= asked_at[-1] <= moment_s + 1 / 16

    assert [reply for reply, _ in play(scenario).pulls] == ["_INBOX.x.1", "_INBOX.x.2"]


def test_why_a_request_was_refused_is_logged_and_its_ordinary_end_is_not(log: list[str]) -> None:
    async def scenario(room: Room) -> None:
        for words in ("408 Request Timeout", "409 Exceeded MaxWaiting"):
            room.status(words)
            await asyncio.sleep(0.3)

    play(scenario)

    assert log == ["DEBUG LEDGER: 409 Exceeded MaxWaiting"]


@pytest.mark.parametrize(("words", "pull"), [("100 Idle Heartbeat", 1), ("408 Request Timeout", 0)])
def test_a_heartbeat_and_the_end_of_an_older_request_change_nothing(words: str, pull: int) -> None:
    async def scenario(room: Room) -> None:
        room.status(words, pull)
        await asyncio.sleep(4)

    assert len(play(scenario).pulls) == 1


def test_it_does_not_ask_twice_where_it_has_asked_meanwhile() -> None:
    async def scenario(room: Room) -> None:
        room.status("409 Server Shutdown")
        room.consumer.reconnected()
        await asyncio.sleep(4)

    assert len(play(scenario).pulls) == 2


def test_while_it_pauses_nothing_is_asked_for() -> None:
    """Fault 16: the stream keeps what PostgreSQL cannot take."""

    async def scenario(room: Room) -> None:
        room.consumer.pause()
        for sequence in (42, 43, 44):
            room.deliver(sequence)
        room.status("408 Request Timeout")
        room.consumer.reconnected()
        await asyncio.sleep(60)
        assert len(room.pulls) == 1

        room.consumer.resume()

        assert len(room.pulls) == 2

    play(scenario)


def test_what_was_asked_for_before_a_pause_is_not_asked_for_again_after_it() -> None:
    async def scenario(room: Room) -> None:
        room.consumer.pause()
        room.consumer.resume()
        room.consumer.resume()

    assert len(play(scenario).pulls) == 1


def test_while_one_is_still_to_come_the_end_of_a_pause_asks_for_none() -> None:
    async def scenario(room: Room) -> None:
        for sequence in (42, 43):
            room.deliver(sequence)
        room.consumer.pause()
        room.consumer.resume()

    assert len(play(scenario).pulls) == 1


def test_before_it_is_open_a_reconnection_asks_for_nothing() -> None:
    room = Room()

    room.consumer.reconnected()

    assert room.pulls == []


def test_where_not_even_heartbeats_come_it_asks_again_and_looks_whether_it_stands() -> None:
    """Fault 12: deaf, and told of nothing."""

    async def scenario(room: Room) -> None:
        room.asked.clear()
        await asyncio.sleep(14)
        assert (len(room.pulls), room.asked) == (1, [])

        await asyncio.sleep(2)

        assert len(room.pulls) == 2
        assert [verb for verb, _ in room.asked] == ["STREAM.INFO.LEDGER", "CONSUMER.INFO.LEDGER.wk-7"]

    assert play(scenario).lost == []


def test_a_consumer_that_is_gone_without_a_word_is_found_by_its_silence(log: list[str]) -> None:
    """Fault 12, Fault 14"""

    async def scenario(room: Room) -> None:
        room.answers["CONSUMER.INFO.LEDGER.wk-7"] = ApiError(NO_CONSUMER, "consumer not found")
        await asyncio.sleep(16)

    room = play(scenario)

    assert room.lost == ["consumer wk-7 of LEDGER is gone (it is silent): consumer not found (10014)"]
    assert log == ["WARNING LEDGER is silent: asking again"]


async def goes_down(room: Room) -> None:
    room.is_up = False


async def pauses(room: Room) -> None:
    room.consumer.pause()


@pytest.mark.parametrize("first", [goes_down, pauses])
def test_while_it_cannot_hear_or_does_not_want_to_silence_means_nothing(
    first: Callable[[Room], Awaitable[None]],
) -> None:
    async def scenario(room: Room) -> None:
        await first(room)
        room.asked.clear()
        await asyncio.sleep(60)
        assert (len(room.pulls), room.asked) == (1, [])

    play(scenario)


async def deleted(room: Room) -> None:
    room.status("409 Consumer Deleted")
    await asyncio.sleep(4)


def test_a_consumer_that_is_gone_from_a_stream_that_stands_ends_the_process() -> None:
    """Fault 14: a new process makes its own."""

    async def scenario(room: Room) -> None:
        room.answers["CONSUMER.INFO.LEDGER.wk-7"] = ApiError(NO_CONSUMER, "consumer not found")
        await deleted(room)

    room = play(scenario)

    assert room.lost == ["consumer wk-7 of LEDGER is gone (Consumer Deleted): consumer not found (10014)"]


@pytest.mark.parametrize(
    ("answer", "what"),
    [(ApiError(NO_STREAM, "stream not found"), "is gone"), ({"created": "tuesday"}, "was made anew")],
)
def test_without_its_stream_it_goes_on_without_a_word_and_the_process_too(
    answer: object, what: str, log: list[str]
) -> None:
    """Fault 14: no new process would be taken by a stream that is gone or made anew."""

    async def scenario(room: Room) -> None:
        room.answers["STREAM.INFO.LEDGER"] = answer
        await deleted(room)
        room.consumer.reconnected()
        await asyncio.sleep(60)
        assert len(room.pulls) == 1

    assert play(scenario).lost == []
    assert log == [f"CRITICAL stream LEDGER {what}: nothing is heard from it any more"]


def test_a_stream_that_cannot_be_asked_says_nothing_of_its_consumer(log: list[str]) -> None:
    async def scenario(room: Room) -> None:
        room.answers["STREAM.INFO.LEDGER"] = BusError("timeout")
        await deleted(room)
        room.answers["STREAM.INFO.LEDGER"] = {"created": "monday"}
        await asyncio.sleep(16)
        assert len(room.pulls) == 2

    assert play(scenario).lost == []
    assert log[0] == "DEBUG LEDGER: timeout"


def test_a_closed_one_asks_for_nothing_more() -> None:
    async def scenario(room: Room) -> None:
        room.consumer.close()
        room.asked.clear()
        for words in ("408 Request Timeout", "409 Consumer Deleted"):
            room.status(words)
        room.deliver(42)
        await asyncio.sleep(60)
        assert (len(room.pulls), room.asked, room.said) == (1, [], [])

    play(scenario)


def test_a_delivery_is_read_in_either_form() -> None:
    old = read_delivery("$JS.ACK.LEDGER.wk-7.2.43.9.1.0")
    new = read_delivery("$JS.ACK.hub.account.LEDGER.wk-7.2.43.9.1.0.random")

    assert [(one.stream, one.sequence, one.attempt) for one in (old, new)] == [("LEDGER", 43, 2)] * 2


@pytest.mark.parametrize("token", ["", "reply.here", "$JS.ACK.LEDGER.wk-7.x.y.9.1.0"])
def test_what_is_no_delivery_cannot_be_read(token: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_delivery(token)
