"""A venue's executor for the benchmarks: a durable push consumer of ORDERS in a process of its own, over a raw socket.

It notes when each order reached it, tells that on `bench.arrived`, acknowledges, and fills every close at its limit at once. Asked,
it holds whatever was adopted and not closed since. `python -m tests.bench.executor URL`.
"""

import json
import sys
import time

from tests.bench.process import ask
from tests.bench.raw import RawClient

_DELIVERED = "bench.delivered"
_PAGE_ROWS = 200
_CONSUMER = {
    "durable_name": "bench-executor",
    "deliver_subject": _DELIVERED,
    "filter_subject": "order.submit.bench.>",
    "ack_policy": "explicit",
    "deliver_policy": "new",
    "max_ack_pending": 10_000,
}


def main(url: str) -> None:
    """Consume `order.submit.bench.>` until the parent ends this process."""
    with RawClient(url) as client:
        made = ask(
            client,
            "$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.bench-executor",
            {"stream_name": "ORDERS", "config": _CONSUMER},
        )
        assert made is not None, "no answer to the making of a consumer"
        assert "error" not in made, str(made)
        client.settimeout(None)
        client.subscribe(_DELIVERED)
        client.subscribe("trade.event.open.>", sid=2)
        client.subscribe("venue.request.*.bench", sid=3)
        client.publish("bench.ready", b"")
        held: dict[str, dict[str, str]] = {}
        for subject, reply, body in client.messages():
            arrived_ns = time.time_ns()
            if subject.startswith("trade.event."):
                _hold(held, json.loads(body))
            elif subject.startswith("venue.request."):
                client.publish(reply, _answer(held, subject.split(".")[2], json.loads(body)))
            else:
                order = json.loads(body)
                client.publish("bench.arrived", json.dumps([order["trade_id"], arrived_ns]).encode())
                client.publish(reply, b"+ACK")
                if "quantity" in order:
                    held.pop(order["trade_id"], None)
                    client.publish(f"order.report.{order['client_order_id']}", _filled(order))


def _hold(held: dict[str, dict[str, str]], trade: dict[str, str]) -> None:
    held[trade["trade_id"]] = {"ticker": trade["ticker"], "side": trade["side"], "quantity": trade["open_quantity"]}


def _answer(held: dict[str, dict[str, str]], kind: str, question: dict[str, str]) -> bytes:
    if kind != "positions":
        return json.dumps({kind: []}).encode()
    start = int(question.get("after", 0))
    page = list(held.values())[start : start + _PAGE_ROWS]
    more = {"next": str(start + _PAGE_ROWS)} if start + _PAGE_ROWS < len(held) else {}
    return json.dumps({kind: page, **more}).encode()


def _filled(order: dict[str, str]) -> bytes:
    return json.dumps(
        {
            "client_order_id": order["client_order_id"],
            "ts": order["ts"],
            "status": "filled",
            "fill_id": f"{order['client_order_id']}-1",
            "fill_price": order["limit_price"],
            "fill_quantity": order["quantity"],
            "fees": "0",
            "cumulative_quantity": order["quantity"],
        }
    ).encode()


if __name__ == "__main__":
    main(sys.argv[1])
