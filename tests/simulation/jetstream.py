"""JetStream as far as we use it: streams with their sequences, `Nats-Msg-Id` windows and expected sequences, and consumers.

Tells what the server would answer; who hears it, and when, is `nats_server`'s. The suite in tests/contracts holds it against a
real nats-server. What is not modelled: age and size limits that no seed lives long enough to reach, clusters, streams of others.
"""

import base64
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bus.subjects import matches

_NS = 1_000_000_000
MSG_ID = "Nats-Msg-Id"
EXPECTED = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_OF = "Nats-Expected-Last-Subject-Sequence-Subject"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in a stream."""

    sequence: int
    subject: str
    body: bytes
    headers: Mapping[str, str]
    at_ns: int


def refusal(code: int, words: str) -> dict[str, Any]:
    """An answer that says no."""
    return {"error": {"code": 400, "err_code": code, "description": words}}


class Stream:
    """One stream. created: as the server says it."""

    def __init__(self, config: Mapping[str, Any], created: str) -> None:
        self.config = dict(config)
        self.name: str = config["name"]
        self.created = created
        self.kept: dict[int, Kept] = {}
        self.last = 0
        self.newest: dict[str, int] = {}
        self.consumers: dict[str, Consumer] = {}
        self.is_full = False
        self._filters: tuple[str, ...] = tuple(config["subjects"])
        self._window_ns = int(config.get("duplicate_window") or 0)
        self._heard: dict[str, tuple[int, int]] = {}

    @property
    def is_memory(self) -> bool:
        return self.config.get("storage") == "memory"

    def takes(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self._filters)

    def store(
        self, subject: str, body: bytes, headers: Mapping[str, str], now_ns: int
    ) -> tuple[dict[str, Any], Kept | None]:
        """Return the acknowledgement, and the message if it was stored now."""
        limit = int(self.config.get("max_msg_size") or -1)
        if 0 < limit < len(body) + sum(len(name) + len(value) + 4 for name, value in headers.items()):
            return self._no(10054, "message size exceeds maximum allowed"), None
        expected = headers.get(EXPECTED)
        if expected is not None:
            have = self.newest.get(headers.get(EXPECTED_OF, subject), 0)
            if have != int(expected):
                return self._no(10071, f"wrong last sequence: {have}"), None
        msg_id = headers.get(MSG_ID)
        if msg_id and self._window_ns:
            known = self._heard.get(msg_id)
            if known is not None and now_ns - known[1] < self._window_ns:
                return {"stream": self.name, "seq": known[0], "duplicate": True}, None
        if self.is_full:
            return self._no(10077, "maximum bytes exceeded"), None
        self.last += 1
        kept = self.kept[self.last] = Kept(self.last, subject, body, headers, now_ns)
        if self.config.get("max_msgs_per_subject", -1) > 0 and subject in self.newest:
            # Late joiners want the newest alone, and nobody reads the rest.
            self.kept.pop(self.newest[subject], None)
        self.newest[subject] = self.last
        if msg_id and self._window_ns:
            self._heard[msg_id] = (self.last, now_ns)
        return {"stream": self.name, "seq": self.last}, kept

    def forget(self, msg_id: str) -> None:
        """Forget an id, as time does."""
        self._heard.pop(msg_id, None)

    def _no(self, code: int, words: str) -> dict[str, Any]:
        return {**refusal(code, words), "stream": self.name, "seq": 0}

    def info(self) -> dict[str, Any]:
        size = self.config["max_bytes"] if self.is_full else sum(len(kept.body) for kept in self.kept.values())
        return {"config": self.config, "created": self.created, "state": {"last_seq": self.last, "bytes": size}}

    def get(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `STREAM.MSG.GET`."""
        sequence = question.get("seq") or self.newest.get(question.get("last_by_subj", ""), 0)
        kept = self.kept.get(int(sequence))
        if kept is None:
            return {"error": {"code": 404, "err_code": 10037, "description": "no message found"}}
        data = base64.b64encode(kept.body).decode()
        return {"message": {"subject": kept.subject, "seq": kept.sequence, "data": data}}


@dataclass(slots=True)
class Pull:
    """A request for messages. inbox: where they go; left: how many; ends_ns, beats_ns: its time, its heartbeat."""

    inbox: str
    left: int
    ends_ns: int
    beat_ns: int


@dataclass(slots=True)
class Pending:
    """A message on its way to whoever acknowledges it."""

    kept: Kept
    since_ns: int
    deliveries: int


class Consumer:
    """What one reader of a stream has been given, and has acknowledged."""

    def __init__(self, stream: Stream, name: str, config: Mapping[str, Any]) -> None:
        self.stream = stream
        self.name = name
        self.config = dict(config)
        self.pulls: deque[Pull] = deque()
        self.pending: dict[int, Pending] = {}
        self.again: deque[int] = deque()
        self.given = 0
        self.ack_wait_ns = int(config.get("ack_wait") or 30 * _NS)
        self.acks = config.get("ack_policy", "none") != "none"
        self.most = int(config.get("max_ack_pending") or 0) or 1 << 30
        self._deliveries: dict[int, int] = {}
        self._filters: tuple[str, ...] = tuple(config.get("filter_subjects") or (">",))
        self._wanted: dict[str, bool] = {}
        self._next = self._first()

    @property
    def deliver_subject(self) -> str | None:
        return self.config.get("deliver_subject")

    def _first(self) -> int:
        match self.config.get("deliver_policy", "all"):
            case "by_start_sequence":
                return int(self.config["opt_start_seq"])
            case "last_per_subject":
                newest = (last for subject, last in self.stream.newest.items() if self.wants(subject))
                self.again.extend(sorted(newest))
                return self.stream.last + 1
            case _:
                return 1

    def wants(self, subject: str) -> bool:
        wanted = self._wanted.get(subject)
        if wanted is None:
            wanted = self._wanted[subject] = any(matches(pattern, subject) for pattern in self._filters)
        return wanted

    def waiting(self) -> int:
        """How many it has not been given."""
        return len(self.again) + sum(1 for _ in self._coming())

    def _coming(self) -> Iterator[Kept]:
        kept = self.stream.kept
        for sequence in range(self._next, self.stream.last + 1):
            found = kept.get(sequence)
            if found is not None and self.wants(found.subject):
                yield found

    def take(self, now_ns: int) -> tuple[Kept, str] | None:
        """Give out the next message with the subject that acknowledges it; None if there is none, or too many wait."""
        if self.acks and len(self.pending) >= self.most:
            return None
        kept = self._pick()
        if kept is None:
            return None
        self.given += 1
        deliveries = self._deliveries.get(kept.sequence, 0) + 1
        self._deliveries[kept.sequence] = deliveries
        if self.acks:
            self.pending[kept.sequence] = Pending(kept, now_ns, deliveries)
        place = f"{self.stream.name}.{self.name}.{deliveries}.{kept.sequence}.{self.given}"
        return kept, f"$JS.ACK.{place}.{kept.at_ns}.0"

    def _pick(self) -> Kept | None:
        while self.again:
            found = self.stream.kept.get(self.again.popleft())
            if found is not None:
                return found
        found = next(self._coming(), None)
        self._next = found.sequence + 1 if found is not None else self.stream.last + 1
        return found

    def hear(self, sequence: int, word: bytes, now_ns: int) -> None:
        """Take an acknowledgement."""
        pending = self.pending.get(sequence)
        if pending is None:
            return
        if word.startswith(b"+WPI"):
            pending.since_ns = now_ns
        elif word.startswith(b"-NAK"):
            self.give_back(sequence)
        else:
            del self.pending[sequence]

    def give_back(self, sequence: int) -> None:
        """Let it be delivered once more."""
        if self.pending.pop(sequence, None) is not None and sequence not in self.again:
            self.again.append(sequence)

    def overdue(self, now_ns: int) -> list[int]:
        """Return what nobody has acknowledged in time."""
        return [s for s, pending in self.pending.items() if now_ns - pending.since_ns >= self.ack_wait_ns]


@dataclass
class JetStream:
    """The streams of a server, and its API as questions and answers. stamp: names an instant as the server does."""

    stamp: Callable[[], str]
    streams: dict[str, Stream] = field(default_factory=dict)
    made: int = 0
    _of: dict[str, Stream | None] = field(default_factory=dict)

    def stream_of(self, subject: str) -> Stream | None:
        """Return the stream that keeps `subject`."""
        if subject not in self._of:
            self._of[subject] = next((stream for stream in self.streams.values() if stream.takes(subject)), None)
        return self._of[subject]

    def forget(self, name: str) -> None:
        """Lose a stream."""
        del self.streams[name]
        self._of.clear()

    def answer(self, verb: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request of the API but `CONSUMER.MSG.NEXT`."""
        match verb.split("."):
            case ["STREAM", "INFO", name]:
                return self._with(name, Stream.info)
            case ["STREAM", "CREATE", name]:
                if name not in self.streams:
                    self.streams[name] = Stream(question, self.stamp())
                    self._of.clear()
                return self.streams[name].info()
            case ["STREAM", "MSG", "GET", name]:
                return self._with(name, lambda stream: stream.get(question))
            case ["CONSUMER", "CREATE", name, *rest]:
                return self._with(name, lambda stream: self._consumer(stream, question["config"], *rest))
            case ["CONSUMER", "NAMES", name]:
                return self._with(name, lambda stream: {"consumers": list(stream.consumers)})
            case ["CONSUMER", "INFO", name, consumer]:
                return self._with(name, lambda stream: _info(stream, consumer))
            case ["CONSUMER", "DELETE", name, consumer]:
                return self._with(name, lambda stream: _delete(stream, consumer))
            case _:
                raise AssertionError(f"the model does not know $JS.API.{verb}")

    def _with(self, name: str, act: Callable[[Stream], dict[str, Any]]) -> dict[str, Any]:
        stream = self.streams.get(name)
        if stream is None:
            return {"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}
        return act(stream)

    def _consumer(self, stream: Stream, config: Mapping[str, Any], name: str = "") -> dict[str, Any]:
        if not name:
            self.made += 1
            name = f"reader{self.made}"
        if name not in stream.consumers:
            stream.consumers[name] = Consumer(stream, name, config)
        return _info(stream, name)


def _info(stream: Stream, name: str) -> dict[str, Any]:
    consumer = stream.consumers.get(name)
    if consumer is None:
        return {"error": {"code": 404, "err_code": 10014, "description": "consumer not found"}}
    return {
        "stream_name": stream.name,
        "name": name,
        "config": consumer.config,
        "num_pending": consumer.waiting(),
        "num_ack_pending": len(consumer.pending),
    }


def _delete(stream: Stream, name: str) -> dict[str, Any]:
    if stream.consumers.pop(name, None) is None:
        return {"error": {"code": 404, "err_code": 10014, "description": "consumer not found"}}
    return {"success": True}
