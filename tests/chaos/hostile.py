"""Inputs that nobody should send: poison, messages that are too large, a million ticks, everything twenty times."""

import json
from contextlib import suppress
from random import Random
from typing import Final

from tests.acceptance.harness import a_name, instant
from tests.bench.raw import RawClient, publication
from tests.chaos.fault import CROSSING, INPUTS, SOON_S, Fault, wait
from tests.chaos.world import World

HUGE_BYTES: Final = 10_000_000
LARGE_BYTES: Final = 200_000
"""More than a message may have, and less than the server refuses."""
TICKS: Final = 1_000_000
_CHUNK: Final = 10_000
_TIMES: Final = 20
_SUBJECTS: Final = (
    "market.quote.POISON",
    "order.report.POISON-close-1",
    "account.balance.POISON",
    "trade.command.open",
    "trade.request.open",
    "stop.request.set",
    "settings.request.set",
)
"""None on which an object that names no field says something: `{}` on `system.request.halt` is a halt, and is obeyed."""


def bodies(random: Random) -> list[bytes]:
    """Return what no subject can mean, each told apart by its number."""
    number = random.randrange(10**9)
    return [
        b"\xff\xfe %d" % number,
        b"%d" % number + b"9" * 5000,
        b"[" * 20_000 + b"%d" % number,
        b'{"number":%d,"number":%d}' % (number, number),
        b'{"ts":"yesterday","number":%d}' % number,
        b'{"ts":NaN,"number":%d}' % number,
        b'{"ticker":"\\ud800","number":%d}' % number,
        b'{"ticker":"\\u0000","client_order_id":"x","number":%d}' % number,
    ]


def poison(world: World, random: Random) -> None:
    """Fault 23, Fault 36: it is set aside, and what comes behind it is served."""
    with RawClient(world.nats.url) as client:
        for _ in range(5):
            for body in bodies(random):
                world.poison.append(body)
                client.publish(random.choice(_SUBJECTS), body)
            client.flush()
            wait(random, 0.3)


def contradict(world: World, random: Random) -> None:
    """Fault 25: the same id with another body; the first stands. And reports of orders that nobody gave."""
    wait(random, SOON_S)
    with RawClient(world.nats.url) as client:
        for trade_id in list(world.driver.promised):
            other = json.dumps(
                {**world.driver.asked[trade_id], "quantity": "11", "requested_by": "somebody else"}
            ).encode()
            world.poison.append(other)
            client.publish(f"trade.request.{world.driver.verbs[trade_id]}", other)
        name = a_name("NOBODY")
        words = {
            "client_order_id": f"{name}-close-1",
            "ts": instant(),
            "status": "cancelled",
            "cumulative_quantity": "0",
        }
        body = json.dumps(words).encode()
        world.poison.append(body)
        client.publish(f"order.report.{name}-close-1", body)
        client.flush()


def repeat(world: World, random: Random) -> None:
    """Fault 24: every report again and again, under ids that the stream does not know."""
    for _ in range(5):
        wait(random, 0.5)
        with suppress(OSError), RawClient(world.nats.url) as client:
            for report in world.executor.said():
                body = json.dumps({**report, "ts": instant()}, default=str).encode()
                for _ in range(_TIMES):
                    client.publish(f"order.report.{report['client_order_id']}", body)
            client.flush()


def send_large(world: World, random: Random) -> None:
    """Fault 36: 10 MB are refused by the server, 200 KB by us or by the stream; nobody dies of either."""
    wait(random, SOON_S)
    for size in (HUGE_BYTES, LARGE_BYTES):
        for subject in _SUBJECTS:
            body = b"x" * size
            world.poison.append(body)
            # The server hangs up on whoever sends too much.
            with suppress(OSError), RawClient(world.nats.url) as client:
                client.publish(subject, body)
                client.flush()


def flood(world: World, random: Random) -> None:
    """Fault 40: a million ticks of ten markets, as fast as they can be sent; fewer if NATS is killed meanwhile."""
    wait(random, SOON_S)
    quote = {"source": "flood", "yes_bid": "0.55", "yes_ask": "0.57"}
    with suppress(OSError), RawClient(world.nats.url) as client:
        client.settimeout(60)
        for _ in range(TICKS // _CHUNK):
            ts = instant()
            ten = b"".join(
                publication(f"market.quote.FLOOD{n}", json.dumps({"ticker": f"FLOOD{n}", "ts": ts, **quote}).encode())
                for n in range(10)
            )
            client.send(ten * (_CHUNK // 10))
            client.flush()


HOSTILE: Final = (
    Fault(name="poison", act=poison, of=INPUTS),
    Fault(name="contradictions", act=contradict, of=INPUTS, when=CROSSING),
    Fault(name="every report twenty times", act=repeat, of=INPUTS),
    Fault(name="10 MB messages", act=send_large, of=INPUTS),
    Fault(name="a million ticks", act=flood, of=INPUTS),
)
