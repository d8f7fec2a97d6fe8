"""One connection to NATS: settings that survive outages, callbacks that cannot fail, and a pulse that finds it deaf.

A pulse finds out that it is deaf (`bus.pulse`); it reconnects then, and three such times in a row are fatal: whoever owns the
process ends it, and supervisord starts a clean one (fault 10). A client that the server closed for good (an authorisation
error) never reconnects by itself, and one that has stopped trying never will: fatal as well (faults 11, 12).
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from loguru import logger
from nats import errors as nats_errors

from bus.client import DirectClient
from bus.errors import BusError, ServerUnavailable
from bus.pulse import Pulse, Rhythm
from bus.quick_parser import Handler

_JSON = msgspec.json.Decoder()
_CLOSE_S: Final = 1.0
"""A server that hangs may not answer our good-bye."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How to reach NATS and how soon to doubt it (`bus.pulse.Rhythm`)."""

    url: str
    name: str = "watchkeeper"
    connect_timeout_s: float = 5
    reconnect_wait_ms: int = 250
    ping_interval_s: float = 5
    max_outstanding_pings: int = 2
    pulse_s: float = 2
    late_max_s: float = 8
    stuck_s: float = 30
    deaf_max: int = 3


ClientOf = Callable[..., Any]
"""Makes what speaks the protocol, with `on_fault`: `DirectClient`, or something of its shape."""


def _nothing(*_: str) -> None:
    return


def _ignore(reason: str) -> None:
    logger.critical("the NATS connection is lost for good: {}", reason)


class Connection:
    """A client and what keeps it honest. Everything but the constructor is for the loop's thread.

    on_up: called after each (re)connection. on_down: after each loss, and each try of `begin` that failed, with why.
    on_fatal: called once, with why; the process should end.
    client: what speaks the protocol.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        on_up: Callable[[], None] = _nothing,
        on_down: Callable[[str], None] = _nothing,
        on_fatal: Callable[[str], None] = _ignore,
        client: ClientOf = DirectClient,
    ) -> None:
        self._settings = settings
        self._on_up = on_up
        self._on_down = on_down
        self._on_fatal = on_fatal
        self._client_of = client
        self._client = self._new_client()
        rhythm = Rhythm(
            pulse_s=settings.pulse_s,
            late_max_s=settings.late_max_s,
            stuck_s=settings.stuck_s,
            deaf_max=settings.deaf_max,
        )
        self._pulse = Pulse(self, rhythm, fatal=self._fatal)
        self._trying: asyncio.Task[None] | None = None
        self._closing = False
        self._has_ended = False
        self._is_fatal = False
        self.reconnects = 0
        self.last_error = ""

    def _new_client(self) -> DirectClient:
        client: DirectClient = self._client_of(on_fault=lambda error: self._fatal(f"a listener failed: {error!r}"))
        return client

    # Opening and closing

    def begin(self) -> None:
        """Connect, trying again for as long as it takes; `on_up` follows."""
        self._trying = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        try:
            await self.open()
        except ServerUnavailable as error:
            why = str(error)
            self._call(lambda: self._on_down(why))
            asyncio.get_running_loop().call_later(self._settings.reconnect_wait_ms / 1000, self._try_again)

    def _try_again(self) -> None:
        if not self._has_ended:
            self._closing = False
            self._client = self._new_client()
            self.begin()

    async def open(self, *, timeout_s: float | None = None) -> None:
        """Connect, trying again for `timeout_s`. Raises: ServerUnavailable with the last error."""
        wanted, client = self._settings, self._client

        async def closed() -> None:
            if client is self._client:
                self._on_closed()

        try:
            await asyncio.wait_for(
                client.connect(
                    wanted.url.split(","),
                    name=wanted.name,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_reconnected,
                    closed_cb=closed,
                    connect_timeout=wanted.connect_timeout_s,
                    reconnect_time_wait=wanted.reconnect_wait_ms / 1000,
                    max_reconnect_attempts=-1,
                    ping_interval=wanted.ping_interval_s,
                    max_outstanding_pings=wanted.max_outstanding_pings,
                    # What is published while disconnected fails at once; buffered, an order would fly late.
                    pending_size=-1,
                ),
                timeout_s or wanted.connect_timeout_s,
            )
        except (TimeoutError, nats_errors.Error, OSError) as error:
            self._closing = True
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(), _CLOSE_S)
            raise ServerUnavailable(f"no NATS server answers: {self.last_error or error!r}") from None
        self._pulse.start()
        self._call(self._on_up)

    async def close(self, drain_s: float = 2) -> None:
        """Wait until the server has read what was sent, then close; takes at most about twice `drain_s`."""
        self._closing = self._has_ended = True
        if self._trying is not None:
            self._trying.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.flush(), drain_s)
        await self._pulse.stop()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.close(), max(drain_s, 0.5))

    @property
    def is_up(self) -> bool:
        """Whether it believes to be connected; the pulse knows better."""
        return bool(self._client.is_connected)

    @property
    def heard(self) -> int:
        """How many messages it has heard."""
        return self._client.heard

    @property
    def tried_at(self) -> float:
        """The loop's time of the newest try to connect."""
        return self._client.tried_at

    @property
    def deaf(self) -> int:
        """How often in a row it was found deaf."""
        return self._pulse.deaf

    @property
    def max_payload(self) -> int:
        """What the server takes in one message, headers included, bytes."""
        return int(self._client.max_payload)

    # Speaking

    def post(
        self,
        subject: str,
        body: bytes,
        *,
        reply: str = "",
        headers: dict[str, str] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Publish, in the order of the calls; `failed` is called if it certainly did not leave."""
        try:
            self._client.send(subject, body, reply, headers)
        except (nats_errors.Error, OSError) as error:
            logger.debug("not sent on {}: {!r}", subject, error)
            if failed is not None:
                asyncio.get_running_loop().call_soon(failed)

    async def ask(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """Return the answer. Raises: BusError when nobody answers within `timeout_s`, or the connection is down."""
        try:
            answer = await self._client.request(subject, body, timeout=timeout_s)
        except (nats_errors.Error, OSError, TimeoutError) as error:
            raise BusError(f"no answer on {subject}: {type(error).__name__}") from None
        return bytes(answer.data)

    async def api(self, verb: str, question: object = None, *, timeout_s: float = 5) -> dict[str, Any]:
        """Ask JetStream, such as `STREAM.INFO.ORDERS`. Raises: ApiError for its errors, BusError when it does not answer."""
        body = b"" if question is None else msgspec.json.encode(question)
        answer: dict[str, Any] = _JSON.decode(await self.ask(f"$JS.API.{verb}", body, timeout_s))
        if "error" in answer:
            raise ApiError.read(answer["error"])
        return answer

    def new_inbox(self) -> str:
        """Return a subject that nobody else listens to."""
        return str(self._client.new_inbox())

    # Listening

    async def listen(self, subject: str, handler: Handler, *, queue: str = "") -> int:
        """Hear `subject`, also after reconnects. An exception in `handler` is fatal: our state may be spoiled."""
        return await self._client.listen(subject, handler, queue=queue)

    async def unlisten(self, number: int) -> None:
        """Stop hearing; harmless while disconnected."""
        with contextlib.suppress(nats_errors.Error, OSError):
            await self._client.unlisten(number)

    async def flush(self, timeout_s: float = 5) -> None:
        """Return once the server has read everything sent so far. Raises: BusError."""
        try:
            await self._client.flush(timeout_s)
        except (nats_errors.Error, OSError) as error:
            raise BusError(f"no answer to a flush: {error!r}") from None

    async def reconnect(self) -> None:
        """Give the connection up and make it anew."""
        await self._client.force_reconnect()

    # nats-py's callbacks: an exception in one can end reconnecting for ever (fault 11), so each is total.

    async def _on_error(self, error: Exception) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        logger.debug("nats-py: {}", self.last_error)

    async def _on_disconnected(self) -> None:
        if not self._closing:
            logger.warning("NATS is away: {}", self.last_error or "the connection was lost")
        self._call(lambda: self._on_down(self.last_error or "the connection was lost"))

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
        logger.info("NATS is back")
        self._call(self._on_up)

    def _on_closed(self) -> None:
        if not self._closing:
            self._fatal(f"closed by the server or for good: {self._client.last_error or self.last_error}")

    def _fatal(self, reason: str) -> None:
        if not self._is_fatal:
            self._is_fatal = True
            self._call(lambda: self._on_fatal(reason))

    @staticmethod
    def _call(function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001  # a door: what others do with an event must not end the connection
            logger.opt(exception=error).error("a listener for the connection's state failed")


class ApiError(BusError):
    """JetStream refused. code: its own error code, such as 10059 (no such stream)."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{words} ({code})")
        self.code = code

    @classmethod
    def read(cls, error: dict[str, Any]) -> "ApiError":
        """Read the `error` of an answer."""
        return cls(int(error.get("err_code") or error.get("code") or 0), str(error.get("description", "unknown")))
