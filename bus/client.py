"""nats-py's client with six paths of our own, through private methods: the version is pinned, and tests tell when they change.

Direct subscriptions: a message goes from the parser straight to a plain function. nats-py puts each into a queue, wakes a
task and drops what does not fit: at 30,000 ticks a second half of the thread's time, an order that differs between
subscriptions, and a drop that nobody sees (fault 39). Here nothing is dropped: TCP pushes back instead. `bus.quick_parser`
finds them in what was read.

Direct publishing: nats-py wakes a task to send what it has collected; here it goes to the socket at once, in order, and
nothing is kept for later while disconnected.

Reconnecting: nats-py waits for the old socket to close, which a hung server can delay by a quarter of an hour
(nats.py#671, fault 10), and forgets the sockets of tries that failed. Each is aborted first, and each try leaves its time.

Answers to pings: one that comes after its flush was given up ends nats-py's read loop, and with it our hearing, for good. Here it
is an answer like any other, to somebody who has gone.

Sockets: what was sent and is not acknowledged by the other machine's kernel for 8 s breaks the connection, as on the way to
PostgreSQL; without it a cut line looks whole for a quarter of an hour.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from loguru import logger
from nats import errors
from nats.aio.client import Client

from bus.quick_parser import Handler, QuickParser

NO_RESPONDERS = b"NATS/1.0 503"

_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 8000),
)


def read_headers(raw: bytes) -> dict[str, str]:
    """Return the headers of a raw block; a status line stands under `Status` and `Description`."""
    if not raw:
        return {}
    first, *lines = raw.split(b"\r\n")
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.strip()
        # A name with a space is none: it is left out, as nats-py does.
        if colon and name.isascii() and len(name.split()) == 1:
            found[name.decode("ascii")] = value.strip().decode("utf-8", "replace")
    status = first[len(b"NATS/1.0") :].strip().decode("ascii", "replace")
    if status:
        found["Status"], _, found["Description"] = status.partition(" ")
    return found


_SPACE = re.compile(r"[\s\x00]")
_LINE_ENDS = str.maketrans("\r\n", "  ")


def publish_command(subject: str, reply: str, body: bytes, headers: Mapping[str, str] | None) -> bytes:
    """Return the bytes that publish `body`. Raises: nats' BadSubjectError for a subject that would break the protocol."""
    if not subject or _SPACE.search(subject) or _SPACE.search(reply):
        raise errors.BadSubjectError
    to = f"{subject} {reply}" if reply else subject
    if headers is None:
        return b"PUB %s %d\r\n%s\r\n" % (to.encode(), len(body), body)
    lines = [f"{name}: {_one_line(value)}\r\n" for name, value in headers.items()]
    block = f"NATS/1.0\r\n{''.join(lines)}\r\n".encode()
    return b"HPUB %s %d %d\r\n%s%s\r\n" % (to.encode(), len(block), len(block) + len(body), block, body)


def _one_line(value: str) -> str:
    return value.translate(_LINE_ENDS) if "\n" in value or "\r" in value else value


class DirectClient(Client):  # type: ignore[misc]  # nats-py's hints are incomplete; see pyproject
    """A client with direct subscriptions."""

    def __init__(self, *, on_fault: Callable[[Exception], None]) -> None:
        super().__init__()
        self._pending: list[bytes] = []
        self._direct: dict[bytes, Handler] = {}
        self._ps = QuickParser(self, self._direct, self._deliver)
        self.heard = 0
        """Direct messages since the start: whoever hears them is not deaf, however late its own echo comes."""
        self.tried_at = 0.0
        """The loop's time of the newest try to connect."""
        self._on_fault = on_fault

    async def listen(self, subject: str, handler: Handler, *, queue: str = "") -> int:
        """Subscribe `handler` directly; it is subscribed again after each reconnect. Returns the id for `unlisten`."""
        subscription = await self.subscribe(subject, queue=queue)
        number: int = subscription._id  # noqa: SLF001
        self._direct[b"%d" % number] = handler
        self._write_pending()
        return number

    def send(self, subject: str, body: bytes, reply: str, headers: Mapping[str, str] | None) -> None:
        """Publish at once, behind everything that was sent before. Raises: nats' errors, when it certainly did not leave."""
        if not self.is_connected or self._transport is None:
            raise errors.OutboundBufferLimitError
        if len(body) > self._max_payload:
            raise errors.MaxPayloadError
        command = publish_command(subject, reply, body, headers)
        try:
            self._write_pending()
            self._transport.write(command)
        except RuntimeError as error:
            # So uvloop speaks of a socket that it has closed, and nats-py has not heard of it yet.
            raise errors.ConnectionClosedError from error

    def _write_pending(self) -> None:
        """Write what nats-py has collected: its own flush sends a PING past it, and would answer too early."""
        if self._pending and self._transport is not None and self.is_connected:
            self._transport.writelines(self._pending)
            self._pending = []
            self._pending_data_size = 0

    async def unlisten(self, number: int) -> None:
        """End a direct subscription."""
        self._direct.pop(b"%d" % number, None)
        subscription = self._subs.get(number)
        if subscription is not None:
            await subscription.unsubscribe()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        handler = self._direct.get(b"%d" % sid)
        if handler is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            self._deliver(handler, subject, reply, data, headers or b"")

    def _deliver(self, handler: Handler, subject: bytes, reply: bytes, body: bytes, headers: bytes) -> None:
        self.heard += 1
        try:
            handler(subject.decode("utf-8", "replace"), reply.decode("utf-8", "replace"), body, headers)
        except Exception as error:  # noqa: BLE001  # a door: an exception here would end nats-py's read loop for good
            logger.opt(exception=error).error("a listener of {} failed", subject[:200])
            self._on_fault(error)

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    async def _attempt_reconnect(self) -> None:
        self._abort()
        await super()._attempt_reconnect()

    async def _connect_to_server(self, s: Any) -> None:  # noqa: ANN401  # nats-py's own
        self.tried_at = asyncio.get_running_loop().time()
        self._abort()
        await super()._connect_to_server(s)
        connected = self._transport._io_writer.get_extra_info("socket")  # noqa: SLF001
        for level, option, value in _SOCKET_OPTIONS:
            connected.setsockopt(level, option, value)

    def _abort(self) -> None:
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
