"""nats-py's client with two paths of our own, through private methods: the version is pinned, and tests tell when they change.

Direct subscriptions: a message goes from the parser straight to a plain function. nats-py puts each into a queue, wakes a
task and drops what does not fit: at 30,000 ticks a second half of the thread's time, an order that differs between
subscriptions, and a drop that nobody sees (fault 39). Here nothing is dropped: TCP pushes back instead.

Reconnecting: nats-py waits for the old socket to close, which a hung server can delay by a quarter of an hour
(nats.py#671, fault 10). The socket is aborted first.
"""

from collections.abc import Callable

from loguru import logger
from nats.aio.client import Client

Handler = Callable[[str, str, bytes, bytes], None]
"""Called with subject, reply subject, body, raw header block (empty: none). It must not block."""

NO_RESPONDERS = b"NATS/1.0 503"


def read_headers(raw: bytes) -> dict[str, str]:
    """Return the headers of a raw block; a status line stands under `Status` and `Description`."""
    if not raw:
        return {}
    first, _, rest = raw.partition(b"\r\n")
    found: dict[str, str] = Client._parse_header_lines(rest)  # noqa: SLF001  # see the module's docstring
    status = first[len(b"NATS/1.0") :].strip().decode("ascii", "replace")
    if status:
        found["Status"], _, found["Description"] = status.partition(" ")
    return found


class DirectClient(Client):  # type: ignore[misc]  # nats-py's hints are incomplete; see pyproject
    """A client with direct subscriptions."""

    def __init__(self, *, on_fault: Callable[[Exception], None]) -> None:
        super().__init__()
        self._direct: dict[int, Handler] = {}
        self.heard = 0
        """Direct messages since the start: whoever hears them is not deaf, however late its own echo comes."""
        self._on_fault = on_fault

    async def listen(self, subject: str, handler: Handler, *, queue: str = "") -> int:
        """Subscribe `handler` directly; it is subscribed again after each reconnect. Returns the id for `unlisten`."""
        subscription = await self.subscribe(subject, queue=queue)
        number: int = subscription._id  # noqa: SLF001
        self._direct[number] = handler
        return number

    async def unlisten(self, number: int) -> None:
        """End a direct subscription."""
        self._direct.pop(number, None)
        subscription = self._subs.get(number)
        if subscription is not None:
            await subscription.unsubscribe()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        handler = self._direct.get(sid)
        if handler is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        self.heard += 1
        try:
            handler(subject.decode("utf-8", "replace"), reply.decode("utf-8", "replace"), data, headers or b"")
        except Exception as error:  # noqa: BLE001  # a door: an exception here would end nats-py's read loop for good
            logger.opt(exception=error).error("a listener of {} failed", subject[:200])
            self._on_fault(error)

    async def _attempt_reconnect(self) -> None:
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
        await super()._attempt_reconnect()
