"""What networks and servers do to a connection: it is cut, refused, slow, open on one side only, or ended by the server."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import psycopg

from tests.chaos.fault import NATS, POSTGRES, SOON_S, Act, Fault, wait
from tests.chaos.world import World
from tests.fixtures.proxy import Proxy

_LONG_S: Final = (1, 4, 12)
"""Shorter and longer than what is waited for an answer."""
_END_ALL: Final = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
_LOCK: Final = "lock table watchkeeper.trades, watchkeeper.orders in exclusive mode"
Line = Callable[[World], Proxy]


def cut(line: Line) -> Act:
    """Every connection is reset, several times; new ones are taken."""

    def act(world: World, random: Random) -> None:
        for _ in range(random.randint(1, 4)):
            wait(random, SOON_S)
            line(world).cut()

    return act


def refuse(line: Line) -> Act:
    """Nobody gets through for a while."""

    def act(world: World, random: Random) -> None:
        wait(random, SOON_S)
        line(world).refuse()
        wait(random, random.choice(_LONG_S), 0.5)
        line(world).accept()

    return act


def delay(line: Line) -> Act:
    """Everything takes its time, each way."""

    def act(world: World, random: Random) -> None:
        proxy = line(world)
        wait(random, SOON_S)
        proxy.up.delay_s, proxy.down.delay_s = random.uniform(0, 0.1), random.uniform(0, 0.1)
        wait(random, 4, 1)
        proxy.up.delay_s = proxy.down.delay_s = 0.0

    return act


def half_open(line: Line) -> Act:
    """One way, or both, nothing passes and nobody is told; what waited comes late, or the connection breaks after all."""

    def act(world: World, random: Random) -> None:
        proxy = line(world)
        wait(random, SOON_S)
        ways = random.choice(((proxy.up,), (proxy.down,), (proxy.up, proxy.down)))
        for way in ways:
            way.hold()
        wait(random, random.choice(_LONG_S), 0.5)
        if random.random() < 0.5:
            proxy.cut()
        proxy.release()

    return act


def end_sessions(world: World, random: Random) -> None:
    for _ in range(random.randint(1, 4)):
        wait(random, SOON_S)
        with psycopg.connect(world.admin_dsn, autocommit=True) as connection:
            connection.execute(_END_ALL)


def lock_tables(world: World, random: Random) -> None:
    """Fault 20: whoever writes waits longer than he may."""
    wait(random, SOON_S)
    with psycopg.connect(world.admin_dsn) as connection:
        connection.execute(_LOCK)
        wait(random, 3, 0.5)
        connection.rollback()


def delete_consumer(world: World, random: Random) -> None:
    """Fault 14: a new process makes its own."""
    wait(random, SOON_S)
    world.delete_consumer(random.choice(("ORDERS", "LEDGER")))


def _of_each() -> Iterator[Fault]:
    lines: tuple[tuple[str, frozenset[str], Line], ...] = (
        ("NATS", NATS, lambda world: world.nats_proxy),
        ("PostgreSQL", POSTGRES, lambda world: world.postgres_proxy),
    )
    for name, of, line in lines:
        yield Fault(name=f"line to {name} cut", act=cut(line), of=of, may_end=True)
        yield Fault(name=f"line to {name} refused", act=refuse(line), of=of, may_end=True)
        yield Fault(name=f"line to {name} slow", act=delay(line), of=of, may_end=True)
        yield Fault(name=f"line to {name} half open", act=half_open(line), of=of, may_end=True)


LINES: Final = (
    *_of_each(),
    Fault(name="sessions ended by PostgreSQL", act=end_sessions, of=POSTGRES, may_end=True),
    Fault(name="tables locked", act=lock_tables, of=POSTGRES),
    Fault(name="consumer deleted", act=delete_consumer, of=NATS, may_end=True),
)
