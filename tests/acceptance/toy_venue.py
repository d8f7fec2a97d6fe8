"""A venue of a hundred lines, where a real venue's client would stand: it matches at the quotes that it is told."""

from decimal import Decimal
from typing import Any

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
        moved = quantity if order["action"] == "buy" else -quantity
        self.positions[key] = self.positions.get(key, Decimal(0)) + moved
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
