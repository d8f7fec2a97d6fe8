"""A venue's executor for the benchmarks: a durable push consumer of ORDERS in a process of its own.

It notes when each order reached it, fills every close at its limit at once, and tells the arrival on `bench.arrived`.
`python -m tests.bench.executor URL`.
"""

import asyncio
import json
import sys
import time

import nats
import uvloop
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy


async def serve(url: str) -> None:
    """Consume `order.submit.bench.>` until the parent ends this process."""
    client = await nats.connect(url, pending_size=-1, max_reconnect_attempts=-1)
    stream = client.jetstream()

    async def on_order(message: Msg) -> None:
        arrived_ns = time.time_ns()
        order = json.loads(message.data)
        await client.publish("bench.arrived", json.dumps([order["trade_id"], arrived_ns]).encode())
        await message.ack()
        await client.publish(f"order.report.{order['client_order_id']}", _filled(order))

    await stream.subscribe(
        "order.submit.bench.>",
        durable="bench-executor",
        cb=on_order,
        manual_ack=True,
        config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.NEW, max_ack_pending=10_000),
    )
    await client.publish("bench.ready", b"")
    await asyncio.Event().wait()


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
    uvloop.run(serve(sys.argv[1]))
