"""When a round is over: every trade has ended, everything is published, every input has been heard."""

import json
from contextlib import suppress
from typing import Any, Final

import psycopg

from tests.chaos.driver import ask
from tests.chaos.executor import VENUE
from tests.chaos.world import World

ALIVE: Final = "select trade_id, state, open_quantity from trades where state not in ('closed', 'rejected', 'settled')"
OWED: Final = """
    select msg_id from outbox o where published_at is null
    and not exists (select from orders where 'submit:' || client_order_id = o.msg_id and not is_live)
"""
"""What is still to be published; an order that nobody took until it had ended never is."""
MISSING: Final = """
    select asked from unnest(%s::text[]) as asked where not exists (select from trades where trade_id = asked)
"""
UNHEARD: Final = """
    select asked from unnest(%s::text[]) as asked
    where not exists (select from inbox where key in ('command:open:open-' || asked, 'command:adopt:adopt-' || asked))
"""


def is_settled(world: World) -> bool:
    """Whether there is nothing left to wait for."""
    with suppress(psycopg.Error, OSError):
        return not _left(world)
    return False


def unsettled(world: World) -> list[str]:
    """Return what never came, with the invariant that it breaks."""
    try:
        return _left(world) or ["it settled in the last moment"]
    except (psycopg.Error, OSError) as error:
        return [f"L2: a server does not answer after the faults have stopped: {error}"]


def _left(world: World) -> list[str]:
    found = [f"L1: {trade_id} is {state}, {left} open" for trade_id, state, left in world.rows(ALIVE)]
    found += [
        f"S3: {trade_id} was promised, and is not there" for (trade_id,) in world.rows(MISSING, world.driver.promised)
    ]
    found += [
        f"S3: the command for {trade_id} left no row" for (trade_id,) in world.rows(UNHEARD, world.driver.commanded)
    ]
    found += [f"L2: {msg_id} is not published" for (msg_id,) in world.rows(OWED)]
    if found:
        return found
    if not world.is_ready():
        return ["L4: nobody serves"]
    return [
        f"L2: {consumer} has {count} inputs that were not heard" for consumer, count in _lags(world).items() if count
    ]


def _lags(world: World) -> dict[str, int]:
    """Return what the leader's consumers, and the executor's, have not been given, or have not acknowledged."""
    (epoch,) = world.rows("select epoch from leader")[0]
    consumers = (f"LEDGER.wk-{epoch}", f"ORDERS.wk-{epoch}", f"ORDERS.executor-{VENUE}")
    return {consumer: _lag(world, f"$JS.API.CONSUMER.INFO.{consumer}") for consumer in consumers}


def _lag(world: World, subject: str) -> int:
    found: dict[str, Any] | None = ask(world.nats.url, subject, json.dumps({}).encode())
    if found is None or "error" in found:
        raise OSError(f"no consumer: {found}")
    return int(found["num_pending"]) + int(found["num_ack_pending"])
