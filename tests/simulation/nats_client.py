"""What speaks NATS in a simulated process: `bus.client.DirectClient` by shape, over a session with `ModelNats`.

It loses its session, knows or does not know it, and reconnects as nats-py does: after a wait, for ever, subscribing anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from types import SimpleNamespace
from typing import Any

from nats import errors

from bus.quick_parser import Handler
from tests.simulation.loop import SimulatedLoop
from tests.simulation.nats_server import Message, ModelNats, Session

Callback = Callable[[], Awaitable[None]]


class ModelClient:
    """One client of one process. owner: whom the server's sessions belong to."""

    def __init__(
        self, server: ModelNats, loop: SimulatedLoop, owner: Any, *, on_fault: Callable[[Exception], None]
    ) -> None:
        self._server = server
        self._loop = loop
        self._owner = owner
        self._on_fault = on_fault
        self._session: Session | None = None
        self._handlers: dict[int, Handler] = {}
        self._subjects: dict[int, tuple[str, str]] = {}
        self._sids = count(1)
        self._inboxes = count(1)
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._pongs: dict[int, asyncio.Future[None]] = {}
        self._pings = count(1)
        self._is_closed = False
        self._reconnecting: asyncio.Task[None] | None = None
        self._wait_s = 0.25
        self._callbacks: dict[str, Any] = {}
        self.name = ""
        self.heard = 0
        self.last_error: Exception | None = None
        self.max_payload = 1_048_576

    @property
    def tried_at(self) -> float:
        """It never stops trying."""
        return self._loop.time()

    @property
    def is_connected(self) -> bool:
        return self._session is not None

    # Connecting

    async def connect(self, url: str, *, name: str, reconnect_time_wait: float, **callbacks: Any) -> None:
        del url
        self.name = f"{self._owner.name}/{name.removeprefix('watchkeeper-')}"
        self._wait_s = reconnect_time_wait
        self._callbacks = callbacks
        while not self._open():
            await callbacks["error_cb"](OSError("nobody answers"))
            await asyncio.sleep(self._wait_s)
        self._inbox = f"_INBOX.{self.name}.mux"
        await self._subscribe(f"{self._inbox}.*", self._hear_answer)

    def _open(self) -> bool:
        self._session = self._server.connect(self.name, self, self._owner)
        if self._session is None:
            return False
        for sid, (subject, queue) in self._subjects.items():
            self._say_subscribe(self._session, sid, subject, queue)
        return True

    def lost(self) -> None:
        """The session has ended, and the client knows it."""
        if self._session is None or self._is_closed:
            return
        self._session = None
        self._loop.call_soon(self._begin_reconnecting)

    def _begin_reconnecting(self) -> None:
        if self._reconnecting is None and not self._is_closed and self._session is None:
            self._reconnecting = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        await self._callbacks["disconnected_cb"]()
        while not self._is_closed:
            await asyncio.sleep(self._wait_s)
            if self._open():
                break
        self._reconnecting = None
        if not self._is_closed:
            await self._callbacks["reconnected_cb"]()

    async def force_reconnect(self) -> None:
        self._leave()
        self._begin_reconnecting()

    async def close(self) -> None:
        self._is_closed = True
        self._leave()
        await self._callbacks["closed_cb"]()

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._server.disconnect(session)

    # Speaking

    def send(self, subject: str, body: bytes, reply: str, headers: Mapping[str, str] | None) -> None:
        session = self._session
        if session is None:
            raise errors.OutboundBufferLimitError
        points = self._server.points
        point = _point(subject, body, reply, headers)
        if point is not None:
            points.before(point, self._owner)
        named = dict(headers or {})
        self._server.on_sent(self._owner, subject, body)
        session.send(lambda: self._server.publish(subject, body, named, reply, session))
        if point is not None:
            points.after(point, self._owner)

    async def request(self, subject: str, payload: bytes, timeout: float) -> Any:  # noqa: ASYNC109  # nats-py's own
        reply = f"{self._inbox}.{next(self._inboxes)}"
        answer = self._answers[reply] = self._loop.create_future()
        try:
            self.send(subject, payload, reply, None)
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise errors.TimeoutError from None
        finally:
            self._answers.pop(reply, None)

    def _hear_answer(self, subject: str, _reply: str, body: bytes, headers: bytes) -> None:
        answer = self._answers.get(subject)
        if answer is None or answer.done():
            return
        if headers.startswith(b"NATS/1.0 503"):
            answer.set_exception(errors.NoRespondersError())
        else:
            answer.set_result(SimpleNamespace(data=body))

    async def flush(self, timeout: float = 10) -> None:  # noqa: ASYNC109  # nats-py's own
        session = self._session
        if session is None:
            raise errors.ConnectionClosedError
        number = next(self._pings)
        pong = self._pongs[number] = self._loop.create_future()
        session.send(lambda: session.down.put(number))
        try:
            await asyncio.wait_for(pong, timeout)
        except TimeoutError:
            raise errors.FlushTimeoutError from None
        finally:
            self._pongs.pop(number, None)

    def new_inbox(self) -> str:
        return f"_INBOX.{self.name}.new{next(self._inboxes)}"

    # Listening

    async def listen(self, subject: str, handler: Handler, *, queue: str = "") -> int:
        return await self._subscribe(subject, handler, queue)

    async def _subscribe(self, subject: str, handler: Handler, queue: str = "") -> int:
        sid = next(self._sids)
        self._handlers[sid] = handler
        self._subjects[sid] = (subject, queue)
        if self._session is not None:
            self._say_subscribe(self._session, sid, subject, queue)
        return sid

    def _say_subscribe(self, session: Session, sid: int, subject: str, queue: str) -> None:
        session.send(lambda: self._server.subscribe(session, sid, subject, queue))

    async def unlisten(self, number: int) -> None:
        self._handlers.pop(number, None)
        self._subjects.pop(number, None)
        session = self._session
        if session is not None:
            session.send(lambda: self._server.unsubscribe(session, number))

    def hear(self, message: Message) -> None:
        """Called for each message of a read, on the loop's behalf."""
        handler = self._handlers.get(message.sid)
        if handler is None:
            return
        points, point = self._server.points, None
        if message.reply.startswith("$JS.ACK."):
            point = "K1" if ".wk-" in message.reply else None
        elif message.headers == b"" and message.body.startswith(b'{"stream":'):
            point = "K11"
        if point is not None:
            points.before(point, self._owner)
        self.heard += 1
        self._loop.run_here(self._deliver, handler, message)
        if point is not None:
            points.after(point, self._owner)

    def _deliver(self, handler: Handler, message: Message) -> None:
        try:
            handler(message.subject, message.reply, message.body, message.headers)
        except Exception as error:  # noqa: BLE001  # as DirectClient: an exception would end the read loop
            self._on_fault(error)

    def hear_pong(self, number: int) -> None:
        pong = self._pongs.get(number)
        if pong is not None and not pong.done():
            pong.set_result(None)


def _point(subject: str, body: bytes, reply: str, headers: Mapping[str, str] | None) -> str | None:
    if subject.startswith("$JS.ACK."):
        return "K7" if body == b"+ACK" else None
    return "K10" if reply and headers and "Nats-Msg-Id" in headers else None
