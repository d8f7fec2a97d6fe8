"""Venues behind `venue.request.*`: asking their adapters about one order or a whole account, and answering for the simulated one.

No answer, a wrong answer and an error are evidence of nothing (fault 54); only an answer that was read to its last page
without finding the order says that the venue does not know it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

import msgspec
from loguru import logger
from msgspec.structs import replace

from bus.clock import Now
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
from bus.messages.reconcile import AccountAnswer, AccountQuestion
from bus.subjects import Prefix

TIMEOUT_S: Final = 2.0
_PAGES_MAX: Final = 1_000
_REASON_MAX: Final = 500

A = TypeVar("A", VenueOrders, VenueFills, VenuePositions)
Answerer = Callable[[str, VenueOrdersRequest], "VenueOrders | VenueFills | VenuePositions"]
"""Given `orders`, `fills` or `positions` and the request, returns the answer. Called on the loop's thread: it must not block."""


class _NoAnswer(Exception):  # noqa: N818  # an outcome, told as `error`
    pass


class VenueDesk:
    """Asks adapters. For the loop's thread only; `say` hears one answer for each question, always."""

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
        """Ask about an order; a `VenueAnswer` comes by `say`."""
        self._begin(self._ask(question))

    def ask_account(self, question: AccountQuestion) -> None:
        """Ask about an account; an `AccountAnswer` comes by `say`."""
        self._begin(self._ask_account(question))

    def _begin(self, asking: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(asking)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, question: VenueQuestion) -> None:
        order: VenueOrder | None = None
        fills: tuple[VenueFill, ...] = ()
        request = VenueOrdersRequest(account=question.account, client_order_id=question.client_order_id)

        async def look() -> None:
            nonlocal order, fills
            order = await self._order(question.venue, request)
            if order is not None and order.cumulative_quantity:
                fills = await self._fills(question.venue, request)

        error = await self._error_of(question.venue, look())
        self._say(
            VenueAnswer(
                client_order_id=question.client_order_id,
                trade_id=question.trade_id,
                order=order,
                error=error,
                now_ns=self._clock.now_ns(),
                fills=fills,
                venue=question.venue,
                account=question.account,
            )
        )

    async def _ask_account(self, question: AccountQuestion) -> None:
        """Read the positions last: what they hold more or less than the fills explain is not ours."""
        orders: list[VenueOrders] = []
        fills: list[VenueFills] = []
        positions: list[VenuePositions] = []
        request = VenueOrdersRequest(account=question.account, since=question.since_ns)

        async def look() -> None:
            orders.extend(await self._pages("orders", VenueOrders, question.venue, request))
            fills.extend(await self._pages("fills", VenueFills, question.venue, request))
            whole = VenueOrdersRequest(account=question.account)
            positions.extend(await self._pages("positions", VenuePositions, question.venue, whole))

        error = await self._error_of(question.venue, look())
        self._say(
            AccountAnswer(
                venue=question.venue,
                account=question.account,
                asked_ns=question.now_ns,
                now_ns=self._clock.now_ns(),
                error=error,
                orders=tuple(order for page in orders for order in page.orders),
                fills=tuple(fill for page in fills for fill in page.fills),
                positions=tuple(position for page in positions for position in page.positions),
            )
        )

    async def _error_of(self, venue: str, asking: Coroutine[None, None, None]) -> str | None:
        """Return why `asking` brought no answer, None if it did."""
        try:
            await asking
        except _NoAnswer as silence:
            return str(silence)[:_REASON_MAX]
        except Exception as fault:  # noqa: BLE001  # a door: whoever asked always gets an answer
            logger.opt(exception=fault).error("asking venue {} failed", venue)
            return f"asking failed: {fault!r}"[:_REASON_MAX]
        return None

    async def _order(self, venue: str, request: VenueOrdersRequest) -> VenueOrder | None:
        for page in await self._pages("orders", VenueOrders, venue, request):
            for order in page.orders:
                if order.client_order_id == request.client_order_id:
                    return order
        return None

    async def _fills(self, venue: str, request: VenueOrdersRequest) -> tuple[VenueFill, ...]:
        """Return the order's fills; none where the adapter cannot tell them one by one: the order's own sum stands."""
        try:
            pages = await self._pages("fills", VenueFills, venue, request)
        except _NoAnswer as silence:
            logger.warning("venue {} tells no fills: {}", venue, silence)
            return ()
        return tuple(fill for page in pages for fill in page.fills if fill.client_order_id == request.client_order_id)

    async def _pages(self, kind: str, answer: type[A], venue: str, request: VenueOrdersRequest) -> list[A]:
        subject = self._prefix.add(f"venue.request.{kind}.{escape(venue)}")
        pages: list[A] = []
        cursors: set[str] = set()
        while len(pages) < _PAGES_MAX:
            page = await self._page(subject, answer, request)
            pages.append(page)
            if page.next is None:
                return pages
            if page.next in cursors:
                raise _NoAnswer(f"the pages on {subject} go round in a circle")
            cursors.add(page.next)
            request = replace(request, after=page.next)
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
