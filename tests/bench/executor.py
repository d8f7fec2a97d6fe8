"""A venue's executor for the benchmarks: a durable push consumer of ORDERS in a process of its own, over a raw socket.

It notes when each order reached it, tells that on `bench.arrived`, acknowledges, and fills every close at its limit at once.
`python -m tests.bench.executor URL`.
"""

import json
import sys
import time

from tests.bench.process import ask
from tests.bench.raw import RawClient

_DELIVERED = "bench.delivered"
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
        client.publish("bench.ready", b"")
        for _, acknowledgement, body in client.messages():
            arrived_ns = time.time_ns()
            order = json.loads(body)
            client.publish("bench.arrived", json.dumps([order["trade_id"], arrived_ns]).encode())
            client.publish(acknowledgement, b"+ACK")
            if "quantity" in order:
                client.publish(f"order.report.{order['client_order_id']}", _filled(order))


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
