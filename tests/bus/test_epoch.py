"""The record of who leads, in a real ORDERS stream."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bus import epoch
from bus.connection import Connection, ConnectionSettings
from bus.epoch import Lead, read_epoch, take_lead
from bus.errors import EpochLost
from bus.publisher import Publisher
from bus.streams import StreamSizes, ensure
from bus.subjects import Prefix
from tests.bus.builders import WallClock, a_peer

SIZES = StreamSizes(orders_max_mb=16, ledger_max_mb=16, notices_max_mb=16, market_max_mb=16)
PREFIX = Prefix()
Scenario = Callable[[Connection, Publisher], Coroutine[Any, Any, None]]


def with_streams(url: str, scenario: Scenario) -> None:
    async def whole() -> None:
        connection = Connection(ConnectionSettings(url=url))
        await connection.open()
        publisher = Publisher(connection)
        await publisher.open()
        await ensure(connection, PREFIX, SIZES, {})
        try:
            await asyncio.wait_for(scenario(connection, publisher), 10)
        finally:
            await connection.close()

    asyncio.run(whole())


async def lead(connection: Connection, publisher: Publisher, known_epoch: int = 0) -> Lead:
    now_ns = WallClock().now_ns()
    return await take_lead(connection, publisher, PREFIX, instance="me", known_epoch=known_epoch, now_ns=now_ns)


def test_before_anybody_led_there_is_no_epoch(nats_url: str) -> None:
    async def scenario(connection: Connection, _: Publisher) -> None:
        assert await read_epoch(connection, PREFIX) is None

    with_streams(nats_url, scenario)


def test_the_next_epoch_is_above_the_streams_and_the_databases(nats_url: str) -> None:
    """Fault 45"""

    async def scenario(connection: Connection, publisher: Publisher) -> None:
        epochs = [(await lead(connection, publisher, known)).record.epoch for known in (0, 7, 3)]

        assert epochs == [1, 8, 9]

    with_streams(nats_url, scenario)


def test_who_was_read_is_who_was_written(nats_url: str) -> None:
    async def scenario(connection: Connection, publisher: Publisher) -> None:
        taken = await lead(connection, publisher)

        assert await read_epoch(connection, PREFIX) == taken

    with_streams(nats_url, scenario)


def test_a_rival_who_was_faster_wins(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 45: compare-and-set, not last writer wins (Lesson 58)."""

    async def scenario(connection: Connection, publisher: Publisher) -> None:
        stale = await lead(connection, publisher)
        await lead(connection, publisher)

        async def read_before(*_: object) -> Lead:
            return stale

        monkeypatch.setattr(epoch, "read_epoch", read_before)

        with pytest.raises(EpochLost):
            await lead(connection, publisher)

    with_streams(nats_url, scenario)


def test_the_record_is_never_aged_away(nats_url: str) -> None:
    """Fault 45: without it every order would be refused after seven days."""

    async def scenario(connection: Connection, publisher: Publisher) -> None:
        await lead(connection, publisher)

    with_streams(nats_url, scenario)

    with a_peer(nats_url) as peer:
        assert peer.stored("ORDERS")[0].headers["Nats-TTL"] == "never"
