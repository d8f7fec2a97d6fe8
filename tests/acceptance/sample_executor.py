"""A whole executor in one file: consumes ORDERS, talks to a venue, reports, answers lookups. It knows nothing but NATS and JSON.

It keeps the contract "An executor must" (DESIGN section 5); `tests/contracts` runs it through the same suite as PaperVenue.
`ToyVenue` stands where a real venue's client would: it matches at the quotes that it is told.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import nats
from nats.errors import TimeoutError as NothingWaits
from nats.js.api import AckPolicy, ConsumerConfig

Words = dict[str, Any]
ENDED = ("filled", "cancelled", "expired", "rejected")


class ToyVenue:
    """Prices, positions and resting orders of one venue. Every order is known by its client_order_id for ever."""

    def __init__(self) -> None:
        self.quotes: dict[str, tuple[Decimal | None, Decimal | None]] = {}
        self.positions: dict[tuple[str, str, str], Decimal] = {}
        self.orders: dict[str, Words] = {}
        self.fills: list[Words] = []

    def place(self, order: Words) -> list[Words]:
        """Take a new order; return what happened to it."""
        known = {**order, "status": "accepted", "filled": Decimal(0)}
        self.orders[order["client_order_id"]] = known
        happened = [self._event(known, "accepted"), *self._match(known)]
        if known["status"] not in ENDED and order.get("time_in_force", "ioc") == "ioc":
            happened.append(self._end(known, "cancelled"))
        return happened

    def cancel(self, client_order_id: str) -> list[Words]:
        """Cancel what still works; return what happened."""
        known = self.orders[client_order_id]
        return [] if known["status"] in ENDED else [self._end(known, "cancelled")]

    def quote(self, ticker: str, bid: Decimal | None, ask: Decimal | None) -> list[Words]:
        """Move the market; return what happened to resting orders."""
        self.quotes[ticker] = (bid, ask)
        resting = [
            order for order in self.orders.values() if order["ticker"] == ticker and order["status"] not in ENDED
        ]
        return [event for order in resting for event in self._match(order)]

    def held(self, order: Words) -> Decimal:
        """Return the position that a close of this kind may still use: what is held less what rests against it."""
        key = (order["account"], order["ticker"], order["side"])
        resting = (
            o["quantity"] - o["filled"]
            for o in self.orders.values()
            if (o["account"], o["ticker"], o["side"]) == key and o["purpose"] == "close" and o["status"] not in ENDED
        )
        return self.positions.get(key, Decimal(0)) - sum(resting, Decimal(0))

    def _match(self, order: Words) -> list[Words]:
        bid, ask = self.quotes.get(order["ticker"], (None, None))
        price = ask if order["action"] == "buy" else bid
        limit = order.get("limit_price")
        if price is None or (limit is not None and (price > limit if order["action"] == "buy" else price < limit)):
            return []
        quantity = order["quantity"] - order["filled"]
        order["filled"] = order["quantity"]
        key = (order["account"], order["ticker"], order["side"])
        self.positions[key] = self.positions.get(key, Decimal(0)) + (
            quantity if order["action"] == "buy" else -quantity
        )
        fill = {
            "fill_id": f"{order['client_order_id']}-f1",
            "fill_price": price,
            "fill_quantity": quantity,
            "fees": Decimal(0),
        }
        self.fills.append({**fill, "order": order})
        order["status"] = "cancelled" if order.get("cut") else "filled"
        return [self._event(order, "partially_filled" if order.get("cut") else "filled", **fill), *self._rest_of(order)]

    def _rest_of(self, order: Words) -> list[Words]:
        return [self._event(order, "cancelled")] if order.get("cut") else []

    def _end(self, order: Words, status: str) -> Words:
        order["status"] = status
        return self._event(order, status)

    @staticmethod
    def _event(order: Words, status: str, **more: Any) -> Words:
        return {
            "client_order_id": order["client_order_id"],
            "status": status,
            "cumulative_quantity": order["filled"],
            **more,
        }


class SampleExecutor:
    """Decides what may be sent. `mode`: its own; orders of another are refused."""

    def __init__(self, venue: ToyVenue, *, mode: str) -> None:
        self.venue = venue
        self.mode = mode
        self._epoch = 0
        self._never: set[str] = set()
        self._said: dict[str, list[Words]] = {}

    def take(self, messages: Iterable[Words], now: datetime) -> list[Words]:
        """Carry out what waited, cancels and closes first; return the reports."""
        rank = {None: 0, "close": 1, "entry": 2}
        reports = []
        for message in sorted(messages, key=lambda m: rank[m.get("purpose")]):
            happened = self._submit(message, now) if "purpose" in message else self._cancel(message)
            self._said.setdefault(message["client_order_id"], []).extend(happened)
            reports += happened or self._said[message["client_order_id"]]
        return reports

    def quote(self, ticker: str, bid: Decimal | None, ask: Decimal | None) -> list[Words]:
        """Pass on what a moving market does to resting orders."""
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
        """Answer `venue.request.<kind>`."""
        account = question["account"]
        if kind == "positions":
            return {
                "positions": [
                    {"ticker": ticker, "side": side, "quantity": quantity}
                    for (owner, ticker, side), quantity in self.venue.positions.items()
                    if owner == account and quantity
                ]
            }
        if kind == "fills":
            return {"fills": [_fill(fill) for fill in self.venue.fills if fill["order"]["account"] == account]}
        wanted = question.get("client_order_id")
        return {
            "orders": [
                {"client_order_id": order_id, "status": order["status"], "cumulative_quantity": order["filled"]}
                for order_id, order in self.venue.orders.items()
                if order["account"] == account and wanted in (None, order_id)
            ]
        }


def _fill(fill: Words) -> Words:
    order = fill["order"]
    return {
        "fill_id": fill["fill_id"],
        "client_order_id": order["client_order_id"],
        "ticker": order["ticker"],
        "side": order["side"],
        "price": fill["fill_price"],
        "quantity": fill["fill_quantity"],
        "fees": fill["fees"],
        "ts": order["ts"],
    }


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
    stream = client.jetstream()

    async def publish(reports: Iterable[Words]) -> None:
        for report in reports:
            stamped = {**report, "ts": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
            what = report.get("fill_id") or report["status"]
            message_id = f"report:{report['client_order_id']}:{what}"
            await stream.publish(
                f"order.report.{report['client_order_id']}", write(stamped), headers={"Nats-Msg-Id": message_id}
            )

    async def hear_quote(message: Any) -> None:
        quote = json.loads(message.data)
        bid, ask = (Decimal(quote[side]) if quote.get(side) else None for side in ("yes_bid", "yes_ask"))
        await publish(executor.quote(quote["ticker"], bid, ask))

    async def hear_question(message: Any) -> None:
        kind = message.subject.split(".")[2]
        await message.respond(write(executor.answer(kind, json.loads(message.data))))

    await client.subscribe("market.quote.>", cb=hear_quote)
    await client.subscribe(f"venue.request.*.{venue_name}", cb=hear_question)
    orders = await stream.pull_subscribe(
        "",
        durable=f"executor-{venue_name}",
        stream="ORDERS",
        config=ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT,
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
    await client.close()
    await asyncio.sleep(0)  # nats-py closes its socket one turn of the loop later
