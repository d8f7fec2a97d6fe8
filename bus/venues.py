"""Venues behind `venue.request.*`: asking their adapters about one order, and answering for the simulated one.

No answer, a wrong answer and an error are evidence of nothing (fault 54); only an answer that was read to its last page
without finding the order says that the venue does not know it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from loguru import logger

from bus.connection import Connection
from bus.errors import BusError
from bus.messages.addresses import escape
from bus.messages.envelope import Message
from bus.messages.orders import (
    VenueAnswer,
    VenueFill,
    VenueFills,
    VenueOrder,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
    VenueQuestion,
)
from bus.messages.plain import from_json, to_json, to_plain
from bus.orders import Now
from bus.subjects import Prefix

TIMEOUT_S: Final = 2.0
_PAGES_MAX: Final = 50

A = TypeVar("A", VenueOrders, VenueFills)
Answerer = Callable[[str, VenueOrdersRequest], "VenueOrders | VenueFills | VenuePositions"]
"""Given `orders`, `fills` or `positions` and the request, returns the answer. Called on the loop's thread: it must not block."""


class _NoAnswer(Exception):  # noqa: N818  # an outcome, told as `VenueAnswer.error`
    pass


class VenueDesk:
    """Asks adapters. For the loop's thread only; `say` hears one `VenueAnswer` for each question, always."""

    def __init__(
        self, connection: Connection, prefix: Prefix, *, clock: Now, say: Callable[[object], None], timeout_s: float
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._clock = clock
        self._say = say
        self._timeout_s = timeout_s
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: VenueQuestion) -> None:
        """Ask; the answer comes by `say`."""
        task = asyncio.get_running_loop().create_task(self._ask(question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, question: VenueQuestion) -> None:
        order: VenueOrder | None = None
        fills: tuple[VenueFill, ...] = ()
        error: str | None = None
        try:
            order = await self._order(question)
            if order is not None and order.cumulative_quantity:
                fills = await self._fills(question)
        except _NoAnswer as silence:
            error = str(silence)
        except Exception as fault:  # noqa: BLE001  # a door: whoever asked always gets an answer
            logger.opt(exception=fault).error("asking venue {} failed", question.venue)
            error = f"asking failed: {fault!r}"
        self._say(
            VenueAnswer(
                client_order_id=question.client_order_id,
                trade_id=question.trade_id,
                order=order,
                error=error,
                now_ns=self._clock.now_ns(),
                fills=fills,
            )
        )

    async def _order(self, question: VenueQuestion) -> VenueOrder | None:
        for page in await self._pages("orders", VenueOrders, question):
            for order in page.orders:
                if order.client_order_id == question.client_order_id:
                    return order
        return None

    async def _fills(self, question: VenueQuestion) -> tuple[VenueFill, ...]:
        """Return the order's fills; none where the adapter cannot tell them one by one: the order's own sum stands."""
        try:
            pages = await self._pages("fills", VenueFills, question)
        except _NoAnswer as silence:
            logger.warning("venue {} tells no fills: {}", question.venue, silence)
            return ()
        return tuple(fill for page in pages for fill in page.fills if fill.client_order_id == question.client_order_id)

    async def _pages(self, kind: str, answer: type[A], question: VenueQuestion) -> list[A]:
        subject = self._prefix.add(f"venue.request.{kind}.{escape(question.venue)}")
        pages: list[A] = []
        after: str | None = None
        while len(pages) < _PAGES_MAX:
            request = VenueOrdersRequest(
                account=question.account, client_order_id=question.client_order_id, after=after
            )
            page = await self._page(subject, answer, request)
            pages.append(page)
            after = page.next
            if after is None:
                return pages
        raise _NoAnswer(f"more than {_PAGES_MAX} pages on {subject}")

    async def _page(self, subject: str, answer: type[A], request: VenueOrdersRequest) -> A:
        try:
            body = await self._connection.ask(subject, to_json(request), self._timeout_s)
            page = from_json(answer, body)
        except (BusError, msgspec.DecodeError) as error:
            raise _NoAnswer(str(error)) from None
        # `{}`, or the answer to another question, says neither what the venue knows nor that it knows nothing.
        if page.error is not None or f'"{page.__struct_fields__[0]}"'.encode() not in body:
            raise _NoAnswer(page.error or f"an empty answer on {subject}")
        return page


async def answer_for(connection: Connection, prefix: Prefix, venue: str, answerer: Answerer) -> None:
    """Answer `venue.request.*.<venue>` from now on. For the loop's thread only."""

    def hear(subject: str, reply: str, body: bytes, _headers: bytes) -> None:
        if not reply:
            return
        kind = prefix.remove(subject).split(".")[2]
        answer: Message
        try:
            answer = answerer(kind, from_json(VenueOrdersRequest, body))
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            answer = VenueOrders(error=f"the request could not be answered: {error!r}"[:500])
        connection.post(reply, _whole(answer))

    for kind in ("orders", "fills", "positions"):
        await connection.listen(prefix.add(f"venue.request.{kind}.{escape(venue)}"), hear)
    await connection.flush()


def _whole(answer: Message) -> bytes:
    """Return `answer` with its list written out even where it is empty: an answer without one is no answer."""
    plain = to_plain(answer)
    assert isinstance(plain, dict)
    return to_json(plain if "error" in plain else {answer.__struct_fields__[0]: [], **plain})
