"""A real adapter behind a real ORDERS: what the clauses publish goes into the stream, what it reports is read back from there.

Reports are read from the stream and not from their subject: Watchkeeper hears only what the stream took, and a report that wears
its order's message id is dropped there as a duplicate.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from bus.adapters.story import ENDS, KINDS, Broken, Page, demand
from bus.commands.client import NatsClient
from bus.messages.addresses import escape, order_cancel, order_report, order_submit
from bus.messages.envelope import Message
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, ReportStatus, VenueOrdersRequest
from bus.messages.plain import from_json, to_json
from bus.subjects import Prefix

_ASKED_WITHIN_S: Final = 2.0
_QUIET_PART: Final = 20
"""What came counts as all once nothing more has come for this part of the time that an answer may take."""
_NS_PER_US: Final = 1000


class AdapterOverNats:
    """`bus.adapters.story.ExecutorUnderTest`. answer_s: how long the adapter may take to answer an order."""

    def __init__(self, client: NatsClient, prefix: Prefix, venue: str, *, answer_s: float) -> None:
        self._client = client
        self._prefix = prefix
        self._venue = venue
        self._answer_s = answer_s
        self._stream = prefix.stream("ORDERS")
        self._came = asyncio.Event()
        self._unreadable = ""
        self._status: dict[str, set[ReportStatus]] = {}
        self._awaited: dict[str, bool] = {}
        self._client.run(self._listen)

    async def _listen(self, client: Client) -> None:
        async def hear(message: Any) -> None:  # noqa: ANN401  # nats-py's
            try:
                report = from_json(OrderReport, message.data)
                self._status.setdefault(report.client_order_id, set()).add(report.status)
            except msgspec.DecodeError as error:
                self._unreadable = f"{message.subject}: {error}"
            self._came.set()

        await client.subscribe(self._prefix.add("order.report.>"), cb=hear)
        await client.flush()

    @property
    def has_reported(self) -> bool:
        """Whether any report was heard."""
        return bool(self._status)

    # bus.adapters.story.ExecutorUnderTest

    def now_ns(self) -> int:
        """Return now, in whole microseconds: what the wire can carry."""
        return time.time_ns() // _NS_PER_US * _NS_PER_US

    def submit(self, order: OrderSubmit) -> None:
        """Publish `order` into ORDERS."""
        self._publish(order_submit(self._venue, order.trade_id), order)
        self._awaited[order.client_order_id] = order.time_in_force == "gtc"

    def cancel(self, cancel: OrderCancel) -> None:
        """Publish `cancel` into ORDERS."""
        self._publish(order_cancel(self._venue, cancel.trade_id), cancel)
        self._awaited[cancel.client_order_id] = False

    def _publish(self, subject: str, message: Message) -> None:
        async def publish(client: Client) -> None:
            await client.jetstream().publish(self._prefix.add(subject), to_json(message), stream=self._stream)

        try:
            self._client.run(publish)
        except (NatsError, TimeoutError) as error:
            raise Broken(f"ORDERS did not take an order ({error!r}): see this user's permissions") from error

    def settle(self) -> None:
        """Return once every order that was published has ended or rests, and nothing more comes; or after `answer_s`."""
        self._client.run(lambda _: self._settle())
        self._awaited.clear()
        demand(not self._unreadable, f"a report cannot be read ({self._unreadable}): see `run.py contract`")

    async def _settle(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._answer_s
        while not all(self._is_answered(*one) for one in self._awaited.items()) and loop.time() < deadline:
            await self._more_within(deadline - loop.time())
        while await self._more_within(self._answer_s / _QUIET_PART):
            pass

    def _is_answered(self, client_order_id: str, may_rest: bool) -> bool:  # noqa: FBT001  # a gtc
        heard = self._status.get(client_order_id, set())
        return bool(heard & set(ENDS)) or (may_rest and ReportStatus.ACCEPTED in heard)

    async def _more_within(self, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), timeout_s)
        came = self._came.is_set()
        self._came.clear()
        return came

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        """Return what ORDERS holds about an order, oldest first."""
        return self._client.run(lambda client: self._read(client, self._prefix.add(order_report(client_order_id))))

    async def _read(self, client: Client, subject: str) -> list[OrderReport]:
        found: list[OrderReport] = []
        stream, sequence = client.jetstream(), 1
        while True:
            try:
                message = await stream.get_msg(self._stream, seq=sequence, subject=subject, next=True)
            except NotFoundError:
                return found
            assert message.data is not None
            assert message.seq is not None
            found.append(from_json(OrderReport, message.data))
            sequence = message.seq + 1

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        """Ask `venue.request.<kind>` for one page."""
        body = self.ask_plainly(kind, to_json(request))
        shape = next(shape for shape, name in KINDS.items() if name == kind)
        try:
            page: Page = from_json(shape, body)
        except msgspec.DecodeError as error:
            raise Broken(
                f"the answer to venue.request.{kind} cannot be read ({error}): see `run.py contract`"
            ) from error
        named = f'"{kind}"'.encode() in body or page.error is not None
        demand(
            named,
            f"the answer to venue.request.{kind} holds neither `{kind}` nor `error`: an empty list is written out",
        )
        return page

    def ask_plainly(self, kind: str, body: bytes) -> bytes:
        """Return the bytes that answer the bytes of a question. Raises: Broken if nobody answers."""
        subject = self._prefix.add(f"venue.request.{kind}.{escape(self._venue)}")

        async def ask(client: Client) -> bytes:
            return bytes((await client.request(subject, body, timeout=_ASKED_WITHIN_S)).data)

        try:
            return self._client.run(ask)
        except (NatsError, TimeoutError) as error:
            raise Broken(
                f"nobody answers {subject} within {_ASKED_WITHIN_S:g} s: an adapter must answer, if only with an error"
            ) from error


def a_question_that_cannot_be_read_is_answered_with_an_error(adapter: AdapterOverNats) -> None:
    """Silence would look like a venue that is away."""
    for kind in KINDS.values():
        answer = adapter.ask_plainly(kind, b"{")
        demand(
            b'"error"' in answer,
            f"venue.request.{kind} must answer what it cannot read with an error; it said {answer[:80]!r}",
        )
