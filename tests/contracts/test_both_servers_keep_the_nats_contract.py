"""A real nats-server and the model that simulations use pass the suite of what we rely on: so the model cannot lie."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

import pytest

from actors.replay.scheduler import Scheduler
from bus.connection import Connection, ConnectionSettings
from tests.contracts.nats_suite import CLAUSES, Bench
from tests.simulation.kill_points import KillPoints
from tests.simulation.loop import SimulatedLoop
from tests.simulation.nats_client import ModelClient
from tests.simulation.nats_server import ModelNats

Clause = Callable[[Bench], Awaitable[None]]


class ModelBench:
    """The model, with a loop of its own."""

    is_alive = True
    name = "bench"

    def __init__(self) -> None:
        self._scheduler = Scheduler(Random(1), start_ns=1_780_000_000 * 10**9)
        self._nats = ModelNats(self._scheduler, Random(2), KillPoints())
        self._loop = SimulatedLoop(self._scheduler, "bench")  # type: ignore[abstract]  # what nobody calls
        self._made = 0

    async def connect(self) -> Connection:
        self._made += 1
        settings = ConnectionSettings(url="model", name=f"bench{self._made}")
        connection = Connection(settings, client=partial(ModelClient, self._nats, self._loop, self))
        await connection.open()
        return connection

    def run(self, clause: Clause) -> None:
        tasks: list[asyncio.Task[None]] = []
        self._loop.run_here(lambda: tasks.append(self._loop.create_task(clause(self))))
        while not tasks[0].done():
            assert self._scheduler.step()
        self._loop.end()
        tasks[0].result()


class ServerBench:
    """A real server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: list[Connection] = []

    async def connect(self) -> Connection:
        connection = Connection(ConnectionSettings(url=self._url))
        await connection.open()
        self._opened.append(connection)
        return connection

    async def run(self, clause: Clause) -> None:
        try:
            await clause(self)
        finally:
            for connection in self._opened:
                await connection.close(0.2)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_model_keeps_the_contract(clause: Clause) -> None:
    ModelBench().run(clause)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_a_real_server_keeps_the_contract(clause: Clause, nats_url: str) -> None:
    asyncio.run(ServerBench(nats_url).run(clause))
