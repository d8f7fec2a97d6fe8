"""A nats-server of the simulated world: sessions, subscriptions, routing, and JetStream's deliveries.

Each session is two links, one to the server and one from it, each in its own order; a link is a work of the scheduler. What goes
wrong on the way is drawn by `NatsFaults`. The server's state outlives every process; a `kill` of the server itself loses the
sessions, what was under way, and MARKET, which lives in memory.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import msgspec

from actors.replay.scheduler import Scheduler
from bus.subjects import matches
from tests.simulation.jetstream import Consumer, JetStream, Kept, Pull, Stream, refusal

_NS = 1_000_000_000
Headers = Mapping[str, str]
_NONE: Headers = {}


@dataclass(slots=True, kw_only=True)
class NatsFaults:
    """How often something goes wrong, 0 to 1. Zero everywhere: a healthy network.

    lost_ack: an acknowledgement of ours never arrives; lost_pub_ack: one of the server's never does; twice: a message is
    delivered once more; refused: a stream refuses what is published.
    """

    lost_ack: float = 0.0
    lost_pub_ack: float = 0.0
    twice: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way to a subscriber."""

    sid: int
    subject: str
    reply: str
    body: bytes
    headers: bytes


class Owner(Protocol):
    """The process that a session belongs to."""


class Points(Protocol):
    """Where a process may be killed; see `kill_points`."""

    def before(self, point: str, owner: object) -> None: ...

    def after(self, point: str, owner: object) -> None: ...


class Peer(Protocol):
    """The client's end of a session."""

    def hear(self, message: Message) -> None: ...

    def hear_pong(self, number: int) -> None: ...

    def lost(self) -> None: ...


class Session:
    """One connection. owner: the process; None for somebody else's."""

    def __init__(self, server: "ModelNats", name: str, peer: Peer, owner: object) -> None:
        self.name = name
        self.peer = peer
        self.owner = owner
        self.subscriptions: dict[int, tuple[str, str]] = {}
        self.is_open = True
        self.is_deaf = False
        self.up = _Link(f"nats<{name}", server, self, server.scheduler)
        self.down = _Down(f"{name}<nats", self, server)

    def send(self, command: Callable[[], object]) -> None:
        """Put a command on its way to the server."""
        if self.is_open:
            self.up.put(command)

    def close(self) -> None:
        """End it; what is under way is lost."""
        self.is_open = False
        self.up.clear()
        self.down.clear()


class _Link:
    """Commands on their way to the server, in order."""

    def __init__(self, name: str, server: "ModelNats", session: Session, scheduler: Scheduler) -> None:
        self.name = name
        self._server = server
        self._session = session
        self._scheduler = scheduler
        self._queue: deque[Callable[[], object]] = deque()

    def put(self, command: Callable[[], object]) -> None:
        self._queue.append(command)
        if not self._server.is_hung:
            self._scheduler.ready(self)

    def wake(self) -> None:
        if self._queue:
            self._scheduler.ready(self)

    def turn(self) -> bool:
        if self._server.is_hung or not self._queue:
            return False
        self._queue.popleft()()
        return bool(self._queue)

    def cut(self, keep: int) -> None:
        """Its sender is gone; only so much of what it sent still arrives."""
        while len(self._queue) > keep:
            self._queue.pop()

    def __len__(self) -> int:
        return len(self._queue)

    def clear(self) -> None:
        self._queue.clear()
        self._scheduler.drop(self)


class _Down:
    """Messages on their way to a client, in order; several may be read at once."""

    def __init__(self, name: str, session: Session, server: "ModelNats") -> None:
        self.name = name
        self._session = session
        self._server = server
        self._queue: deque[Message | int] = deque()

    def put(self, message: Message | int) -> None:
        if self._session.is_deaf:
            return
        self._queue.append(message)
        self._server.scheduler.ready(self)

    def turn(self) -> bool:
        session = self._session
        for _ in range(self._server.random.choice(_READS)):
            if not self._queue or not session.is_open:
                break
            message = self._queue.popleft()
            if isinstance(message, int):
                session.peer.hear_pong(message)
            else:
                session.peer.hear(message)
        return bool(self._queue)

    def clear(self) -> None:
        self._queue.clear()
        self._server.scheduler.drop(self)


_READS = (1, 1, 1, 2, 3, 8)
"""How many messages one read of a socket may bring."""


class ModelNats:
    """The server. on_stored: hears of every message that a stream takes, with the session that sent it (None: somebody else)."""

    def __init__(self, scheduler: Scheduler, random: Random, points: Points, faults: NatsFaults | None = None) -> None:
        self.scheduler = scheduler
        self.random = random
        self.points = points
        self.faults = faults or NatsFaults()
        self.is_up = True
        self.is_hung = False
        self.jetstream = JetStream(stamp=lambda: f"created-{scheduler.now_ns}")
        self.sessions: list[Session] = []
        self.on_stored: Callable[[Stream, Kept, Session | None], None] = lambda *_: None
        self.note: Callable[[str], None] = lambda _: None
        """Hears which fault came."""
        self.on_sent: Callable[[Any, str, bytes], None] = lambda *_: None
        self.on_duplicate: Callable[[Kept, str, bytes], None] = lambda *_: None
        self.on_ack: Callable[[Consumer, int], None] = lambda *_: None
        self._listeners: list[tuple[str, Callable[[str, str, bytes, Headers], None]]] = []
        self._awaited: dict[str, Callable[[str, str, bytes, Headers], None]] = {}
        self._patterns: dict[str, dict[tuple[Session, int], tuple[str, str]]] = {}
        """Subscriptions by the tokens that they begin with, so that few need be looked at."""
        self._routes: dict[str, tuple[list[tuple[Session, int]], dict[str, list[tuple[Session, int]]]]] = {}
        self._heard: dict[str, list[Callable[[str, str, bytes, Headers], None]]] = {}

    # Sessions

    def connect(self, name: str, peer: Peer, owner: object) -> Session | None:
        """Open a session; None while nobody answers."""
        if not self.is_up or self.is_hung:
            return None
        session = Session(self, name, peer, owner)
        self.sessions.append(session)
        return session

    def disconnect(self, session: Session) -> None:
        """End a session; its client hears of it."""
        if not session.is_open:
            return
        session.close()
        self.sessions.remove(session)
        for sid in list(session.subscriptions):
            self.unsubscribe(session, sid)
        for consumer in self._consumers():
            for pull in [pull for pull in consumer.pulls if not self._hears(pull.inbox)]:
                consumer.pulls.remove(pull)

    def bury(self, owner: object) -> None:
        """A process is gone: of what it sent, some may have reached its kernel, and arrives."""
        for session in [session for session in self.sessions if session.owner is owner]:
            session.up.cut(self.random.randint(0, len(session.up)))
            while self.is_up and not self.is_hung and len(session.up):
                session.up.turn()
            self.disconnect(session)

    def subscribe(self, session: Session, sid: int, subject: str, queue: str) -> None:
        session.subscriptions[sid] = (subject, queue)
        self._patterns.setdefault(_family(subject), {})[session, sid] = (subject, queue)
        self._forget_routes()
        for consumer in self._consumers():
            if consumer.deliver_subject is not None:
                self._pump(consumer)

    def unsubscribe(self, session: Session, sid: int) -> None:
        known = session.subscriptions.pop(sid, None)
        if known is not None:
            del self._patterns[_family(known[0])][session, sid]
        self._forget_routes()

    def listen(self, pattern: str, hear: Callable[[str, str, bytes, Headers], None]) -> None:
        """Hear what is published, at once: for the parts of the world that are no process of ours."""
        self._listeners.append((pattern, hear))
        self._heard.clear()

    def once(self, subject: str, hear: Callable[[str, str, bytes, Headers], None]) -> None:
        """Hear one message, such as an answer."""
        self._awaited[subject] = hear

    def _forget_routes(self) -> None:
        self._routes.clear()

    def _hears(self, subject: str) -> bool:
        plain, groups = self._route(subject)
        return bool(plain or groups)

    def _route(self, subject: str) -> tuple[list[tuple[Session, int]], dict[str, list[tuple[Session, int]]]]:
        found = self._routes.get(subject)
        if found is None:
            found = self._routes[subject] = ([], {})
            for family in dict.fromkeys((_family(subject), subject.partition(".")[0])):
                for place, (pattern, queue) in self._patterns.get(family, {}).items():
                    if pattern == subject or matches(pattern, subject):
                        places = found[1].setdefault(queue, []) if queue else found[0]
                        places.append(place)
        return found

    # Publishing

    def publish(
        self, subject: str, body: bytes, headers: Headers = _NONE, reply: str = "", session: Session | None = None
    ) -> bool:
        """Take what is published; return whether anybody listens."""
        if subject.startswith("$JS."):
            self._hear_jetstream(subject, body, reply, session)
            return True
        stream = self.jetstream.stream_of(subject)
        if stream is not None:
            self._store(stream, subject, body, headers, reply, session)
        heard = self._deliver(subject, reply, body, headers)
        if stream is None and not heard and reply:
            self._answer_raw(reply, b"", b"NATS/1.0 503\r\n\r\n")
        return heard or stream is not None

    def _deliver(self, subject: str, reply: str, body: bytes, headers: Headers) -> bool:
        plain, groups = self._route(subject)
        if plain or groups:
            raw = raw_headers(headers)
            for session, sid in plain:
                session.down.put(Message(sid, subject, reply, body, raw))
            for group in groups.values():
                session, sid = self.random.choice(group)
                session.down.put(Message(sid, subject, reply, body, raw))
        listeners = self._heard.get(subject)
        if listeners is None:
            listeners = [hear for pattern, hear in self._listeners if matches(pattern, subject)]
            self._heard[subject] = listeners
        awaited = self._awaited.pop(subject, None)
        for hear in listeners if awaited is None else (*listeners, awaited):
            hear(subject, reply, body, headers)
        return bool(plain or groups or listeners or awaited)

    def _store(  # noqa: PLR0917  # one message, taken apart
        self, stream: Stream, subject: str, body: bytes, headers: Headers, reply: str, session: Session | None
    ) -> None:
        owner = session.owner if session is not None else None
        is_close = subject.startswith("order.submit.") and owner is not None
        if is_close:
            self.points.before("K14", owner)
        answer, kept = stream.store(subject, body, headers, self.scheduler.now_ns)
        if answer.get("duplicate"):
            self.on_duplicate(stream.kept[answer["seq"]], subject, body)
        if kept is not None:
            self.on_stored(stream, kept, session)
            for consumer in stream.consumers.values():
                self._pump(consumer)
        if is_close:
            self.points.after("K14", owner)
        if reply and session is not None and self.random.random() < self.faults.lost_pub_ack:
            self.note("lost_pub_ack")
        elif reply:
            self._deliver(reply, "", msgspec.json.encode(answer), _NONE)

    # JetStream

    def _hear_jetstream(self, subject: str, body: bytes, reply: str, session: Session | None) -> None:
        if subject.startswith("$JS.ACK."):
            self._hear_ack(subject, body, session)
            return
        verb = subject.removeprefix("$JS.API.")
        if verb.startswith("CONSUMER.MSG.NEXT."):
            self._hear_pull(verb.removeprefix("CONSUMER.MSG.NEXT."), msgspec.json.decode(body), reply)
            return
        question = msgspec.json.decode(body) if body else {}
        consumers = list(self._consumers())
        answer = self.jetstream.answer(verb, question)
        if reply:
            self._deliver(reply, "", msgspec.json.encode(answer), _NONE)
        for gone in [consumer for consumer in consumers if consumer not in list(self._consumers())]:
            for pull in gone.pulls:
                self._answer_raw(pull.inbox, b"", b"NATS/1.0 409 Consumer Deleted\r\n\r\n")
        if verb.startswith("CONSUMER.CREATE.") and "error" not in answer:
            self._pump(self.jetstream.streams[answer["stream_name"]].consumers[answer["name"]])

    def _hear_ack(self, token: str, body: bytes, session: Session | None) -> None:
        owner = session.owner if session is not None else None
        _, _, stream_name, name, _, sequence, *_ = token.split(".")
        stream = self.jetstream.streams.get(stream_name)
        consumer = stream.consumers.get(name) if stream is not None else None
        if consumer is None:
            return
        if body.startswith(b"+ACK") and self.random.random() < self.faults.lost_ack:
            self.note("lost_ack")
            return
        self.points.before("K8", owner)
        consumer.hear(int(sequence), body, self.scheduler.now_ns)
        if body.startswith(b"+ACK"):
            self.on_ack(consumer, int(sequence))
        self.points.after("K8", owner)
        if body.startswith(b"+WPI"):
            self.scheduler.after(consumer.ack_wait_ns, lambda: self._redeliver(consumer))
        self._pump(consumer)

    def _hear_pull(self, place: str, question: dict[str, Any], reply: str) -> None:
        stream_name, name = place.split(".")
        stream = self.jetstream.streams.get(stream_name)
        consumer = stream.consumers.get(name) if stream is not None else None
        if consumer is None:
            self._answer_raw(reply, b"", b"NATS/1.0 503\r\n\r\n")
            return
        now_ns = self.scheduler.now_ns
        beat_ns = int(question.get("idle_heartbeat") or 0)
        pull = Pull(reply, int(question.get("batch", 1)), now_ns + int(question.get("expires") or _NS), beat_ns)
        consumer.pulls.append(pull)
        self.scheduler.at(pull.ends_ns, lambda: self._expire(consumer, pull))
        if beat_ns:
            self.scheduler.after(beat_ns, lambda: self._beat(consumer, pull))
        self._pump(consumer)

    def _expire(self, consumer: Consumer, pull: Pull) -> None:
        if pull in consumer.pulls and self.is_up:
            consumer.pulls.remove(pull)
            self._answer_raw(pull.inbox, b"", b"NATS/1.0 408 Request Timeout\r\n\r\n")

    def _beat(self, consumer: Consumer, pull: Pull) -> None:
        if pull in consumer.pulls and self.is_up:
            if not self.is_hung:
                self._answer_raw(pull.inbox, b"", b"NATS/1.0 100 Idle Heartbeat\r\n\r\n")
            self.scheduler.after(pull.beat_ns, lambda: self._beat(consumer, pull))

    def _answer_raw(self, subject: str, body: bytes, headers: bytes) -> None:
        plain, _ = self._route(subject)
        for session, sid in plain:
            session.down.put(Message(sid, subject, "", body, headers))

    def _pump(self, consumer: Consumer) -> None:
        """Give out what can be given."""
        while self.is_up:
            place = self._place(consumer)
            if place is None:
                return
            taken = consumer.take(self.scheduler.now_ns)
            if taken is None:
                return
            self._give(consumer, *place, *taken)
            if consumer.acks and self.random.random() < self.faults.twice:
                self.note("delivered_twice")
                self._give(consumer, *place, *taken)

    def _place(self, consumer: Consumer) -> tuple[Session, int, Pull | None] | None:
        """Return where the next message of `consumer` goes."""
        if consumer.deliver_subject is not None:
            plain, groups = self._route(consumer.deliver_subject)
            found = plain or next(iter(groups.values()), [])
            return (*self.random.choice(found), None) if found else None
        while consumer.pulls:
            pull = consumer.pulls[0]
            found = self._route(pull.inbox)[0]
            if not found:
                consumer.pulls.popleft()
                continue
            return (*found[0], pull)
        return None

    def _give(  # noqa: PLR0917  # a place and what goes there
        self, consumer: Consumer, session: Session, sid: int, pull: Pull | None, kept: Kept, token: str
    ) -> None:
        session.down.put(Message(sid, kept.subject, token, kept.body, raw_headers(kept.headers)))
        if pull is not None:
            pull.left -= 1
            if pull.left <= 0 and pull in consumer.pulls:
                consumer.pulls.remove(pull)
        if consumer.acks:
            self.scheduler.after(consumer.ack_wait_ns, lambda: self._redeliver(consumer))

    def _redeliver(self, consumer: Consumer) -> None:
        for sequence in consumer.overdue(self.scheduler.now_ns):
            consumer.give_back(sequence)
        self._pump(consumer)

    def _consumers(self) -> list[Consumer]:
        return [one for stream in self.jetstream.streams.values() for one in stream.consumers.values()]

    # What happens to it

    def kill(self) -> None:
        """It dies: every session is lost, and what was under way; acknowledgements of consumers may be forgotten."""
        self.is_up = False
        for session in list(self.sessions):
            self.disconnect(session)
            session.peer.lost()
        for stream in [stream for stream in self.jetstream.streams.values() if stream.is_memory]:
            self.jetstream.forget(stream.name)
        for consumer in self._consumers():
            consumer.pulls.clear()
            for sequence in list(consumer.pending):
                consumer.give_back(sequence)

    def rise(self) -> None:
        """It is back, with what its disk holds."""
        self.is_up = True
        self.is_hung = False

    def hang(self) -> None:
        """It stops reading and writing; nobody is told."""
        self.is_hung = True

    def go_on(self) -> None:
        """It reads again."""
        self.is_hung = False
        for session in self.sessions:
            session.up.wake()

    def full(self, name: str, *, full: bool) -> None:
        """Let a stream refuse, or take again, what is published."""
        if name in self.jetstream.streams:
            self.jetstream.streams[name].is_full = full


def _family(pattern: str) -> str:
    """Return the first two tokens, or the first where the second is a wildcard."""
    first, _, rest = pattern.partition(".")
    second = rest.partition(".")[0]
    return first if second in ("", "*", ">") else f"{first}.{second}"


def raw_headers(headers: Headers) -> bytes:
    """Return headers as they go over the wire."""
    if not headers:
        return b""
    return b"NATS/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


__all__ = ["Message", "ModelNats", "NatsFaults", "Session", "refusal"]
