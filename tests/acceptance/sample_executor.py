"""A whole adapter in one file: consumes ORDERS, talks to a venue, reports, answers look-ups. It knows nothing but NATS and JSON."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import nats
from nats.errors import TimeoutError as NothingWaits
from nats.js.api import AckPolicy, ConsumerConfig

from tests.acceptance.toy_venue import ToyVenue, Words

PAGE_ROWS = 2  # of each list; a real one tells as many as fit into a message


class SampleExecutor:
    """Decides what may be sent. `venue`: the client of the venue. `mode`: its own; orders of another are refused."""

    def __init__(self, venue: ToyVenue, *, mode: str) -> None:
        self.venue = venue
        self.mode = mode
        self._epoch = 0
        self._never: set[str] = set()
        self._said: dict[str, list[Words]] = {}

    def take(self, messages: Iterable[Words], now: datetime) -> list[Words]:
        """Carry out what waited, cancels and closes first; return the reports. What was done before is said again."""
        rank = {None: 0, "close": 1, "entry": 2}
        reports = []
        for message in sorted(messages, key=lambda m: rank[m.get("purpose")]):
            happened = self._submit(message, now) if "purpose" in message else self._cancel(message)
            self._said.setdefault(message["client_order_id"], []).extend(happened)
            reports += happened or self._said[message["client_order_id"]]
        return reports

    def quote(self, ticker: str, bid: Decimal | None, ask: Decimal | None) -> list[Words]:
        """Pass on what a moving market does to resting orders; a real venue says so by itself."""
        happened = self.venue.quote(ticker, bid, ask)
        for event in happened:
            self._said[event["client_order_id"]].append(event)
        return happened

    def _submit(self, order: Words, now: datetime) -> list[Words]:
        order_id = order["client_order_id"]
        if order_id in self.venue.orders:
            return []  # redelivered: looked up, said again, never sent twice
        refusal = self._refusal(order, now)
        if refusal is not None:
            return [{"client_order_id": order_id, "cumulative_quantity": Decimal(0), **refusal}]
        self._epoch = order["epoch"]
        if order["reduce_only"]:
            held = self.venue.held(order)
            order = {**order, "quantity": min(order["quantity"], held), "cut": order["quantity"] > held}
        return self.venue.place(order)

    def _refusal(self, order: Words, now: datetime) -> Words | None:
        if order["client_order_id"] in self._never:
            return {"status": "cancelled", "reason": "cancelled before it was sent"}
        if order["epoch"] < self._epoch:
            return {"status": "rejected", "reason": "an older epoch"}
        if order["mode"] != self.mode:
            return {"status": "rejected", "reason": f"this executor trades {self.mode}"}
        if now > datetime.fromisoformat(order["expires_ts"]):
            return {"status": "expired", "reason": "too late to send"}
        if order["reduce_only"] and self.venue.held(order) <= 0:
            return {"status": "rejected", "reason": "nothing held"}
        return None

    def _cancel(self, cancel: Words) -> list[Words]:
        order_id = cancel["client_order_id"]
        if order_id in self.venue.orders:
            return self.venue.cancel(order_id)
        self._never.add(order_id)
        return [{"client_order_id": order_id, "status": "cancelled", "cumulative_quantity": Decimal(0)}]

    def answer(self, kind: str, question: Words) -> Words:
        """Answer `venue.request.<kind>`, a page at a time; an answer that cannot be given is an error, never silence."""
        rows: dict[str, Callable[[Words], list[Words]]] = {
            "orders": self._orders, "fills": self._fills, "positions": self._positions,
        }  # fmt: skip
        start = int(question.get("after") or 0)  # `after` is what the page before named as `next`
        found = rows[kind](question)
        more = {"next": str(start + PAGE_ROWS)} if len(found) > start + PAGE_ROWS else {}
        return {kind: found[start : start + PAGE_ROWS], **more}

    def _orders(self, asked: Words) -> list[Words]:
        return [
            {"client_order_id": order_id, "status": order["status"], "cumulative_quantity": order["filled"]}
            for order_id, order in self.venue.orders.items()
            if order["account"] == asked["account"] and asked.get("client_order_id") in (None, order_id)
        ]

    def _fills(self, asked: Words) -> list[Words]:
        return [
            {
                "fill_id": fill["fill_id"], "price": fill["fill_price"], "quantity": fill["fill_quantity"], "fees": fill["fees"],
                **{name: fill["order"][name] for name in ("client_order_id", "ticker", "side", "ts")},
            }
            for fill in self.venue.fills
            if fill["order"]["account"] == asked["account"]
            and asked.get("client_order_id") in (None, fill["order"]["client_order_id"])
        ]  # fmt: skip

    def _positions(self, asked: Words) -> list[Words]:
        return [
            {"ticker": ticker, "side": side, "quantity": quantity}
            for (owner, ticker, side), quantity in self.venue.positions.items()
            if owner == asked["account"] and quantity
        ]


def read(data: bytes) -> Words:
    """Read an order or a cancel; money becomes Decimal."""
    words: Words = json.loads(data)
    for key in ("quantity", "limit_price"):
        if words.get(key) is not None:
            words[key] = Decimal(words[key])
    return words


def write(words: Words) -> bytes:
    """Write a report or an answer; Decimal becomes its text."""
    return json.dumps(words, default=str).encode()


async def serve(url: str, venue_name: str, executor: SampleExecutor, stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Consume ORDERS until `stop`: a durable consumer, acknowledged only after the reports are stored."""
    client = await nats.connect(url, max_reconnect_attempts=-1)
    try:
        stream = client.jetstream()

        async def publish(reports: Iterable[Words]) -> None:
            for report in reports:
                stamped = {**report, "ts": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
                message_id = f"report:{report['client_order_id']}:{report.get('fill_id') or report['status']}"
                subject = f"order.report.{report['client_order_id']}"
                await stream.publish(subject, write(stamped), headers={"Nats-Msg-Id": message_id})

        async def hear_quote(message: Any) -> None:
            quote = json.loads(message.data)
            bid, ask = (Decimal(quote[side]) if quote.get(side) else None for side in ("yes_bid", "yes_ask"))
            await publish(executor.quote(quote["ticker"], bid, ask))

        async def hear_question(message: Any) -> None:
            try:
                answer = executor.answer(message.subject.split(".")[2], json.loads(message.data))
            except (ValueError, KeyError) as error:
                answer = {"error": f"the question could not be answered: {error!r}"}
            await message.respond(write(answer))

        await client.subscribe("market.quote.>", cb=hear_quote)
        await client.subscribe(f"venue.request.*.{venue_name}", cb=hear_question)
        orders = await stream.pull_subscribe(
            "",
            durable=f"executor-{venue_name}",
            stream="ORDERS",
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=5,  # s; what one had taken that died is carried out by the next, before it expires
                filter_subjects=[f"order.submit.{venue_name}.>", f"order.cancel.{venue_name}.>"],
            ),
        )
        ready.set()
        while not stop.is_set():
            with contextlib.suppress(NothingWaits, TimeoutError):
                waiting = await orders.fetch(100, timeout=0.2)
                await publish(executor.take([read(message.data) for message in waiting], datetime.now(UTC)))
                for message in waiting:
                    await message.ack_sync()
    finally:
        await client.close()
        await asyncio.sleep(0)  # nats-py closes its socket one turn of the loop later
