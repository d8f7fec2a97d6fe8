"""Orders on their way into ORDERS: with the epoch's fence, under an id that makes sending again harmless, until it is known.

    published -> stored                          `OrderStored` (a cancel: `Published`, it has no outcome of its own)
              -> stored before under this id     what stands there is read: it is in effect, whether it is ours or not
              -> refused for another epoch       nothing leaves until it is known whether another leads: then the process ends.
                                                 Else ORDERS has lost our record, and refuses until a person has looked
              -> refused, not sent, no answer    `OrderRefused` once for each kind, and again under the same id

It is published again until it is stored or, for a submit, its `expires_ts` has passed; a cancel has no end. An order whose
outcome is unknown when it expires stays unknown (idea 7): only a report or a lookup says what became of it. A cancel leaves
behind its order: one that overtook it would be answered, the next attempt would leave, and then the first one.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Final

import msgspec
from loguru import logger

from bus.clock import Now
from bus.codec import MSG_ID, digest_of
from bus.connection import Connection
from bus.epoch import Lead
from bus.errors import BusError
from bus.messages import addresses
from bus.messages.orders import OrderCancel, OrderSubmit
from bus.messages.plain import from_json, to_json
from bus.messages.records import OrderRefused, OrderStored, Published
from bus.publisher import WRONG_LAST_SEQUENCE, Outcome, Publisher, Refused, Stored, Unanswered
from bus.subjects import Prefix

CAUSE: Final = "Wk-Cause"
_PAUSE_MAX_S: Final = 2.0
_FENCED_S: Final = 0.25
_HEADER_MAX: Final = 512


@dataclass(slots=True)
class _Sending:
    order: OrderSubmit | OrderCancel
    subject: str
    msg_id: str
    body: bytes
    tries: int = 0
    told: set[bool] = field(default_factory=set)
    """Which of known and unknown refusal has been said."""


class OrderSender:
    """Publishes orders and cancels of one epoch. For the loop's thread only.

    confirm_s: how long an acknowledgement may take before the same is published again.
    say: hears the outcomes. is_ours: finds out whether our epoch is in force, and ends the process if it is not.
    """

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        prefix: Prefix,
        *,
        clock: Now,
        say: Callable[[object], None],
        is_ours: Callable[[], Awaitable[bool | None]],
        confirm_s: float,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._prefix = prefix
        self._clock = clock
        self._say = say
        self._is_ours = is_ours
        self._confirm_s = confirm_s
        self._lead: Lead | None = None
        self._is_fenced = False
        self._sending: dict[str, _Sending] = {}
        self._behind: dict[str, _Sending] = {}
        """Cancels, by the message id of the order in front of which they may not leave."""
        self._tasks: set[asyncio.Task[None]] = set()

    def lead(self, lead: Lead) -> None:
        """Publish under this epoch from now on; before the first, no order leaves."""
        self._lead = lead

    @property
    def in_flight(self) -> int:
        """How many orders and cancels are not known to be stored."""
        return len(self._sending) + len(self._behind)

    def submit(self, order: OrderSubmit | OrderCancel, subject: str) -> None:
        """Publish `order` on `subject` (without prefix). One that is on its way already is not sent a second time."""
        msg_id = addresses.submit_id(order) if isinstance(order, OrderSubmit) else addresses.cancel_id(order)
        if msg_id in self._sending:
            return
        sending = _Sending(order, self._prefix.add(subject), msg_id, to_json(order))
        first = addresses.submitted(order.client_order_id)
        if isinstance(order, OrderCancel) and first in self._sending:
            self._behind[first] = sending
        else:
            self._begin_sending(sending)

    def _begin_sending(self, sending: _Sending) -> None:
        self._sending[sending.msg_id] = sending
        self._send(sending)

    def _end_sending(self, sending: _Sending) -> None:
        self._sending.pop(sending.msg_id, None)
        if (cancel := self._behind.pop(sending.msg_id, None)) is not None:
            self._begin_sending(cancel)

    def _send(self, sending: _Sending) -> None:
        if self._is_fenced:
            asyncio.get_running_loop().call_later(_FENCED_S, self._send, sending)
            return
        if self._lead is None:
            self._refuse(sending, "this instance does not lead", unknown=False)
            return
        if self._has_expired(sending):
            self._give_up(sending)
            return
        sending.tries += 1
        headers = {MSG_ID: sending.msg_id, **self._lead.headers(self._prefix)}
        if isinstance(sending.order, OrderSubmit) and sending.order.cause:
            headers[CAUSE] = header_text(sending.order.cause)
        self._publisher.send(
            sending.subject,
            sending.body,
            headers,
            lambda outcome: self._hear(sending, outcome),
            timeout_s=self._confirm_s,
        )

    def _hear(self, sending: _Sending, outcome: Outcome) -> None:
        match outcome:
            case Stored(duplicate=True, sequence=sequence):
                self._begin(self._read_stored(sending, sequence))
            case Stored(sequence=sequence):
                self._stored(sending, sequence)
            case Refused(code=code, words=words) if code == WRONG_LAST_SEQUENCE:
                self._is_fenced = True
                self._begin(self._find_out(sending, words))
            case Refused(code=code, words=words):
                self._refuse(sending, f"{words} ({code})", unknown=False)
            case Unanswered(words=words):
                self._refuse(sending, words, unknown=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _find_out(self, sending: _Sending, words: str) -> None:
        """Nothing leaves meanwhile; and nothing any more, if another epoch leads."""
        match await self._is_ours():
            case True:
                self._is_fenced = False
                self._refuse(sending, f"ORDERS does not hold the record of our epoch: {words}", unknown=False)
            case None:
                asyncio.get_running_loop().call_later(_FENCED_S, lambda: self._begin(self._find_out(sending, words)))

    def _stored(self, sending: _Sending, sequence: int, other: OrderSubmit | None = None) -> None:
        self._end_sending(sending)
        now_ns = self._clock.now_ns()
        if isinstance(sending.order, OrderCancel):
            self._say(Published(msg_ids=(sending.msg_id,), now_ns=now_ns))
            return
        self._say(
            OrderStored(
                client_order_id=sending.order.client_order_id,
                trade_id=sending.order.trade_id,
                sequence=sequence,
                duplicate=other is not None,
                stored=other,
                now_ns=now_ns,
            )
        )

    async def _read_stored(self, sending: _Sending, sequence: int) -> None:
        """Find out what stands under this id: ours (an acknowledgement was lost), or another that is now in effect."""
        try:
            answer = await self._connection.api(
                f"STREAM.MSG.GET.{self._prefix.stream('ORDERS')}", {"seq": sequence}, timeout_s=self._confirm_s
            )
            body = base64.b64decode(answer["message"].get("data", ""))
            is_ours = digest_of(body) == digest_of(sending.body)
            other = None if is_ours or isinstance(sending.order, OrderCancel) else from_json(OrderSubmit, body)
        except (BusError, ValueError, KeyError, msgspec.DecodeError) as error:
            self._refuse(sending, f"what is stored under {sending.msg_id} could not be read: {error}", unknown=True)
            return
        if not is_ours:
            logger.bind(action="order.duplicate").warning("another body stands under {}", sending.msg_id)
        self._stored(sending, sequence, other)

    def _refuse(self, sending: _Sending, words: str, *, unknown: bool) -> None:
        order = sending.order
        if unknown not in sending.told and isinstance(order, OrderSubmit):
            self._say(
                OrderRefused(
                    client_order_id=order.client_order_id,
                    trade_id=order.trade_id,
                    error=words,
                    unknown=unknown,
                    now_ns=self._clock.now_ns(),
                )
            )
        if unknown not in sending.told:
            logger.bind(action="order.retry", unknown=unknown).warning("{} is not stored: {}", sending.msg_id, words)
        sending.told.add(unknown)
        # An unanswered one has waited already. What was refused outright waits longer each time.
        pause_s = 0.0 if unknown else min(_PAUSE_MAX_S, 0.05 * 2 ** min(sending.tries, 8))
        asyncio.get_running_loop().call_later(pause_s, self._send, sending)

    def _has_expired(self, sending: _Sending) -> bool:
        return isinstance(sending.order, OrderSubmit) and self._clock.now_ns() > sending.order.expires_ts

    def _give_up(self, sending: _Sending) -> None:
        self._end_sending(sending)
        order = sending.order
        assert isinstance(order, OrderSubmit), "a cancel does not expire"
        self._say(
            OrderRefused(
                client_order_id=order.client_order_id,
                trade_id=order.trade_id,
                error="expired before ORDERS acknowledged it",
                unknown=True in sending.told,
                now_ns=self._clock.now_ns(),
            )
        )


def header_text(text: str) -> str:
    """Return `text` as a header's value: one line of ASCII, at most `_HEADER_MAX` characters."""
    if len(text) <= _HEADER_MAX and text.isascii() and text.isprintable():
        return text
    return "".join(character if " " <= character <= "~" else "?" for character in text[:_HEADER_MAX])
