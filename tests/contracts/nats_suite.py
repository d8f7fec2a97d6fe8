"""What we rely on of NATS and JetStream, as plain coroutines: for a real server, and for the model that simulations use.

Each clause gets a `Bench` on an empty server and speaks through our own `Connection`, so the client is held to it as well.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import pytest

from bus.client import read_headers
from bus.codec import MSG_ID
from bus.connection import ApiError, Connection
from bus.consumer import read_delivery
from bus.epoch import EXPECTED_SEQUENCE, EXPECTED_SUBJECT
from bus.errors import BusError
from bus.publisher import TOO_LARGE, WRONG_LAST_SEQUENCE, Outcome, Publisher, Refused, Stored

_NS = 1_000_000_000
NAME = "S"


class Bench(Protocol):
    """A server without a stream, and connections to it."""

    async def connect(self) -> Connection:
        """Open one more connection."""
        ...


@dataclass
class Line:
    """A connection with a publisher, and what it was told."""

    connection: Connection
    publisher: Publisher
    heard: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)

    @staticmethod
    async def of(bench: Bench) -> "Line":
        connection = await bench.connect()
        publisher = Publisher(connection)
        await publisher.open()
        return Line(connection, publisher)

    async def stream(self, **changes: Any) -> None:
        config = {"name": NAME, "subjects": ["s.>"], "storage": "file", "discard": "new", "duplicate_window": 60 * _NS}
        await self.connection.api(f"STREAM.CREATE.{NAME}", config | changes)

    async def publish(
        self, subject: str = "s.a", body: bytes = b"{}", headers: dict[str, str] | None = None, *, msg_id: str = ""
    ) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        named = (headers or {}) | ({MSG_ID: msg_id} if msg_id else {})
        self.publisher.send(subject, body, named, done.set_result, timeout_s=5)
        return await done

    async def consumer(self, name: str = "c", **changes: Any) -> dict[str, Any]:
        config = {"durable_name": name, "ack_policy": "explicit", "ack_wait": 60 * _NS, "max_deliver": -1} | changes
        question = {"stream_name": NAME, "config": config, "action": "create"}
        return await self.connection.api(f"CONSUMER.CREATE.{NAME}.{name}", question)

    async def pull(self, batch: int = 10, name: str = "c", *, expires_s: float = 60, beat_s: float = 0) -> str:
        inbox = self.connection.new_inbox()
        await self.connection.listen(inbox, self.hear)
        question = {"batch": batch, "expires": int(expires_s * _NS)} | (
            {"idle_heartbeat": int(beat_s * _NS)} if beat_s else {}
        )
        self.connection.post(f"$JS.API.CONSUMER.MSG.NEXT.{NAME}.{name}", msgspec.json.encode(question), reply=inbox)
        return inbox

    def hear(self, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        self.heard.append((subject, reply, body, headers))

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, reply, body, _ in self.heard if reply.startswith("$JS.ACK.")]

    @property
    def statuses(self) -> list[str]:
        return [read_headers(headers).get("Status", "") for _, reply, _, headers in self.heard if not reply]

    async def until(self, found: Callable[[], object]) -> None:
        for _ in range(400):
            if found():
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"it never comes; heard {self.heard}")

    async def not_more(self) -> None:
        """Give what should not come the time to come."""
        await self.connection.flush()
        await asyncio.sleep(0.2)


# Publishing


async def what_is_stored_is_numbered(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()

    assert [await line.publish(f"s.{n}") for n in range(2)] == [Stored(NAME, 1, False), Stored(NAME, 2, False)]


async def the_same_id_is_stored_once_whatever_its_subject(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.publish("s.a", msg_id="x")

    assert await line.publish("s.b", b'{"other":1}', msg_id="x") == Stored(NAME, 1, True)
    assert (await line.connection.api(f"STREAM.INFO.{NAME}"))["state"]["last_seq"] == 1


async def without_an_id_everything_is_stored(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()

    assert [await line.publish() for _ in range(2)] == [Stored(NAME, 1, False), Stored(NAME, 2, False)]


async def an_id_is_forgotten_after_the_window(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream(duplicate_window=int(0.2 * _NS))
    await line.publish(msg_id="x")
    await asyncio.sleep(1)

    assert await line.publish(msg_id="x") == Stored(NAME, 2, False)


async def an_expected_sequence_of_another_subject_fences(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.publish("s.epoch")
    fence = {EXPECTED_SEQUENCE: "1", EXPECTED_SUBJECT: "s.epoch"}
    assert await line.publish("s.order", headers=fence) == Stored(NAME, 2, False)
    await line.publish("s.epoch")

    refused = await line.publish("s.order", headers=fence)

    assert isinstance(refused, Refused)
    assert refused.code == WRONG_LAST_SEQUENCE
    assert (await line.connection.api(f"STREAM.INFO.{NAME}"))["state"]["last_seq"] == 3


async def the_first_of_a_subject_expects_nothing_before(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    nothing = {EXPECTED_SEQUENCE: "0"}
    assert await line.publish("s.epoch", headers=nothing) == Stored(NAME, 1, False)

    assert isinstance(await line.publish("s.epoch", headers=nothing), Refused)


async def the_fence_stands_before_the_memory_of_ids(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.publish("s.epoch")
    fence = {EXPECTED_SEQUENCE: "1", EXPECTED_SUBJECT: "s.epoch"}
    await line.publish("s.order", headers=fence, msg_id="x")
    await line.publish("s.epoch")

    again = await line.publish("s.order", headers=fence, msg_id="x")
    assert isinstance(again, Refused)
    assert again.code == WRONG_LAST_SEQUENCE
    assert await line.publish("s.order", msg_id="x") == Stored(NAME, 2, True)


async def a_subject_that_nobody_keeps_is_refused(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()

    refused = await line.publish("nobody.keeps.this")

    assert isinstance(refused, Refused)
    assert refused.code == 503


async def a_message_that_is_too_large_is_refused(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream(max_msg_size=1000)

    refused = await line.publish(body=b"x" * 1001)

    assert isinstance(refused, Refused)
    assert refused.code == TOO_LARGE


async def a_plain_subscriber_hears_what_the_stream_refused(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.connection.listen("s.>", line.hear)
    await line.connection.flush()

    assert isinstance(await line.publish("s.x", headers={EXPECTED_SEQUENCE: "9"}), Refused)
    await line.until(lambda: [subject for subject, *_ in line.heard] == ["s.x"])


# Reading


async def a_message_is_read_by_its_place_and_by_its_subject(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    for n in range(3):
        await line.publish("s.a", b"%d" % n)

    for question, body in (({"seq": 2}, b"1"), ({"last_by_subj": "s.a"}, b"2")):
        message = (await line.connection.api(f"STREAM.MSG.GET.{NAME}", question))["message"]
        assert base64.b64decode(message["data"]) == body


@pytest.mark.filterwarnings("default")
async def what_is_not_there_has_its_code(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()

    for verb, question, code in (
        ("STREAM.MSG.GET.S", {"seq": 9}, 10037),
        ("STREAM.MSG.GET.S", {"last_by_subj": "s.none"}, 10037),
        ("STREAM.INFO.NONE", None, 10059),
        ("CONSUMER.INFO.S.none", None, 10014),
        ("CONSUMER.DELETE.S.none", None, 10014),
    ):
        with pytest.raises(ApiError) as error:
            await line.connection.api(verb, question)
        assert error.value.code == code


async def a_reader_knows_how_much_there_is(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    for subject in ("s.a", "s.b", "s.a", "s.c"):
        await line.publish(subject)

    for policy, wanted in (("all", 3), ("last_per_subject", 2)):
        config = {
            "deliver_policy": policy,
            "ack_policy": "none",
            "mem_storage": True,
            "filter_subjects": ["s.a", "s.b"],
        }
        made = await line.connection.api(f"CONSUMER.CREATE.{NAME}", {"stream_name": NAME, "config": config})
        assert made["num_pending"] == wanted
        line.heard.clear()
        await line.pull(wanted, made["name"])
        await line.until(lambda: len(line.bodies) == wanted)  # noqa: B023  # called at once


# Consumers


async def a_consumer_begins_where_it_is_told_and_gets_its_own_in_order(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    for n in range(6):
        await line.publish(("s.a", "s.b")[n % 2], b"%d" % n)
    await line.consumer(filter_subjects=["s.a"], deliver_policy="by_start_sequence", opt_start_seq=2)
    await line.pull()

    await line.until(lambda: line.bodies == [b"2", b"4"])
    delivery = read_delivery(line.heard[0][1])
    assert (delivery.stream, delivery.sequence, delivery.attempt) == (NAME, 3, 1)


async def what_comes_later_is_given_to_whoever_waits(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer()
    await line.pull(2)
    for n in range(3):
        await line.publish(body=b"%d" % n)

    await line.until(lambda: line.bodies == [b"0", b"1"])
    await line.not_more()
    assert len(line.bodies) == 2
    await line.pull(2)
    await line.until(lambda: line.bodies == [b"0", b"1", b"2"])


async def what_is_not_acknowledged_comes_again(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer(ack_wait=int(0.5 * _NS))
    for n in range(2):
        await line.publish(body=b"%d" % n)
    await line.pull()
    await line.until(lambda: len(line.bodies) == 2)
    line.connection.post(line.heard[1][1], b"+ACK")

    await line.until(lambda: len(line.bodies) == 3)

    assert line.bodies[2] == b"0"
    assert read_delivery(line.heard[2][1]).attempt == 2


async def what_is_in_progress_does_not_come_again(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer(ack_wait=int(1 * _NS))
    await line.publish()
    await line.pull()
    await line.until(lambda: line.bodies)
    for _ in range(5):
        line.connection.post(line.heard[0][1], b"+WPI")
        await asyncio.sleep(0.5)

    assert len(line.bodies) == 1


async def no_more_is_given_than_may_wait(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer(max_ack_pending=2)
    for n in range(4):
        await line.publish(body=b"%d" % n)
    await line.pull()
    await line.until(lambda: len(line.bodies) == 2)
    await line.not_more()
    assert len(line.bodies) == 2

    line.connection.post(line.heard[0][1], b"+ACK")

    await line.until(lambda: line.bodies == [b"0", b"1", b"2"])


async def a_pull_ends_by_its_time_and_beats_before(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer()
    await line.pull(expires_s=1.2, beat_s=0.5)

    await line.until(lambda: "408" in line.statuses)

    assert set(line.statuses) == {"100", "408"}


async def the_end_of_a_consumer_is_told_to_whoever_waits(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer()
    await line.pull()
    await line.connection.flush()
    assert (await line.connection.api(f"CONSUMER.NAMES.{NAME}"))["consumers"] == ["c"]

    await line.connection.api(f"CONSUMER.DELETE.{NAME}.c")

    await line.until(lambda: line.statuses == ["409"])
    assert not (await line.connection.api(f"CONSUMER.NAMES.{NAME}"))["consumers"]


async def the_same_consumer_may_be_made_again(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.consumer()
    await line.publish()
    await line.pull()
    await line.until(lambda: line.bodies)
    line.connection.post(line.heard[0][1], b"+ACK")
    await line.connection.flush()

    made = await line.consumer()

    assert made["num_pending"] == 0


async def a_pushing_consumer_pushes_as_soon_as_somebody_listens(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.stream()
    await line.publish(body=b"before")
    await line.consumer(deliver_subject="d.c", deliver_group="g")
    await line.connection.listen("d.c", line.hear, queue="g")
    await line.publish(body=b"after")

    await line.until(lambda: line.bodies == [b"before", b"after"])


async def of_a_group_one_hears_each(bench: Bench) -> None:
    first, second = await Line.of(bench), await Line.of(bench)
    await first.stream()
    for line in (first, second):
        await line.connection.listen("d.c", line.hear, queue="g")
        await line.connection.flush()
    await first.consumer(deliver_subject="d.c", deliver_group="g")
    for n in range(6):
        await first.publish(body=b"%d" % n)

    await first.until(lambda: len(first.bodies) + len(second.bodies) == 6)


# Connections


async def a_question_is_answered(bench: Bench) -> None:
    asker, other = await Line.of(bench), await Line.of(bench)
    await other.connection.listen("q", lambda _s, reply, body, _h: other.connection.post(reply, body + b"!"))
    await other.connection.flush()

    assert await asker.connection.ask("q", b"hello", 2) == b"hello!"


async def a_question_to_nobody_is_known_at_once(bench: Bench) -> None:
    line = await Line.of(bench)

    with pytest.raises(BusError, match="NoResponders"):
        await line.connection.ask("nobody", b"", 30)


async def a_question_without_an_answer_ends(bench: Bench) -> None:
    line = await Line.of(bench)
    await line.connection.listen("q", line.hear)
    await line.connection.flush()

    with pytest.raises(BusError, match="Timeout"):
        await line.connection.ask("q", b"", 0.2)


async def what_was_listened_to_is_heard_after_a_reconnection(bench: Bench) -> None:
    line, other = await Line.of(bench), await Line.of(bench)
    await line.connection.listen("x", line.hear)
    await line.connection._client.force_reconnect()
    await line.until(lambda: line.connection.is_up and line.connection.reconnects == 1)
    await line.connection.flush()

    other.connection.post("x", b"1")

    await line.until(lambda: line.heard)


async def nobody_hears_what_he_listens_to_no_more(bench: Bench) -> None:
    line = await Line.of(bench)
    number = await line.connection.listen("x", line.hear)
    await line.connection.unlisten(number)
    line.connection.post("x", b"1")

    await line.not_more()
    assert line.heard == []


CLAUSES: tuple[Callable[[Bench], Awaitable[None]], ...] = (
    what_is_stored_is_numbered,
    the_same_id_is_stored_once_whatever_its_subject,
    without_an_id_everything_is_stored,
    an_id_is_forgotten_after_the_window,
    an_expected_sequence_of_another_subject_fences,
    the_first_of_a_subject_expects_nothing_before,
    the_fence_stands_before_the_memory_of_ids,
    a_subject_that_nobody_keeps_is_refused,
    a_message_that_is_too_large_is_refused,
    a_plain_subscriber_hears_what_the_stream_refused,
    a_message_is_read_by_its_place_and_by_its_subject,
    what_is_not_there_has_its_code,
    a_reader_knows_how_much_there_is,
    a_consumer_begins_where_it_is_told_and_gets_its_own_in_order,
    what_comes_later_is_given_to_whoever_waits,
    what_is_not_acknowledged_comes_again,
    what_is_in_progress_does_not_come_again,
    no_more_is_given_than_may_wait,
    a_pull_ends_by_its_time_and_beats_before,
    the_end_of_a_consumer_is_told_to_whoever_waits,
    the_same_consumer_may_be_made_again,
    a_pushing_consumer_pushes_as_soon_as_somebody_listens,
    of_a_group_one_hears_each,
    a_question_is_answered,
    a_question_to_nobody_is_known_at_once,
    a_question_without_an_answer_ends,
    what_was_listened_to_is_heard_after_a_reconnection,
    nobody_hears_what_he_listens_to_no_more,
)
"""Every clause."""
