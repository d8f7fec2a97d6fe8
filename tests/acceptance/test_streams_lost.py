"""Somebody deletes a stream under a running process."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import nats
import psycopg
from nats.js.errors import APIError

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG, Watchkeeper, an_adoption, an_open
from tests.acceptance.instances import Instance, orders_in, wait_until
from tests.bus.builders import Peer, a_peer
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database

SOON = CONFIG + "\n[nats]\nstream_check_s = 1\n"


def delete_stream(url: str, name: str) -> None:
    async def delete() -> None:
        client = await nats.connect(url)
        await client.jetstream().delete_stream(name)
        await client.close()

    asyncio.run(delete())


def test_a_stream_lost_in_flight_is_an_alarm_that_halts_entries_and_a_start_refuses_it_until_a_person_has_looked(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 13, Fault 14"""
    names = fresh_database(postgres_server)
    dsn = postgres_server.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    admin_dsn = migrations.for_database(postgres_server.admin_dsn, names.database)
    with EmbeddedServer(tmp_path / "nats") as server, Watchkeeper(server.url, dsn, admin_dsn, tmp_path) as client:
        environment = {"WATCHKEEPER_NATS_URL": server.url, "WATCHKEEPER_POSTGRES_DSN": dsn}
        with Instance("one", tmp_path, environment, SOON) as instance:
            instance.start().await_role(server.url, "leader", ready=True)
            adopted = an_adoption()
            client.quote(adopted["ticker"], "0.60", "0.62")
            client.demand("trade.request.adopt", adopted)

            delete_stream(server.url, "LEDGER")
            alarm = client.notice("stream_alarm")
            client.notice("halt")
            refused = client.demand("trade.request.open", an_open())
            client.quote(adopted["ticker"], "0.38", "0.40")
            client.order(f"{adopted['trade_id']}-close-1")
            instance.kill()

            again = instance.start().ended()
            with psycopg.connect(admin_dsn) as connection:
                connection.execute("DELETE FROM watchkeeper.streams WHERE name = 'LEDGER'")
            accepted = instance.start().await_role(server.url, "leader", ready=True)

    assert "LEDGER" in alarm["title"]
    assert refused["error"]["code"] == "halted"
    assert (again, accepted["halted"]) == (1, True)
    assert "LEDGER is on record since" in instance.log()


def test_a_close_that_a_full_orders_refuses_is_an_alarm_and_leaves_as_soon_as_there_is_room(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 15"""
    names = fresh_database(postgres_server)
    dsn = postgres_server.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    admin_dsn = migrations.for_database(postgres_server.admin_dsn, names.database)
    with EmbeddedServer(tmp_path / "nats") as server, Watchkeeper(server.url, dsn, admin_dsn, tmp_path) as client:
        environment = {"WATCHKEEPER_NATS_URL": server.url, "WATCHKEEPER_POSTGRES_DSN": dsn}
        with (
            Instance("one", tmp_path, environment, SOON + "orders_max_mb = 1\n") as instance,
            a_peer(server.url) as peer,
        ):
            instance.start().await_role(server.url, "leader", ready=True)
            adopted = an_adoption()
            client.quote(adopted["ticker"], "0.60", "0.62")
            client.demand("trade.request.adopt", adopted)

            with suppress(APIError):
                while True:
                    peer.store("order.report.nobody", b"x" * 400)
            filling = client.notice("stream_alarm")
            client.quote(adopted["ticker"], "0.38", "0.40")
            refused = client.notice("order_refused", adopted["trade_id"])
            before = orders_in(server.url, adopted["trade_id"])

            config = peer.run(peer.client.jetstream().stream_info("ORDERS")).config
            peer.run(peer.client.jetstream().update_stream(config, max_bytes=2 * 1024**2))
            client.event(adopted["trade_id"], "closing")
            wait_until(lambda: orders_in(server.url, adopted["trade_id"]) != before, instance.log)

            assert "ORDERS" in filling["title"]
            assert refused["severity"] == "critical"
            assert (before, len(orders_in(server.url, adopted["trade_id"]))) == ([], 1)


def test_a_stream_that_was_made_anew_and_accepted_is_heard_from_its_beginning(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 13: its sequences are those of inputs that had their effect, and it is another stream."""
    names = fresh_database(postgres_server)
    dsn = postgres_server.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    admin_dsn = migrations.for_database(postgres_server.admin_dsn, names.database)
    with EmbeddedServer(tmp_path / "nats") as server, Watchkeeper(server.url, dsn, admin_dsn, tmp_path) as client:
        environment = {"WATCHKEEPER_NATS_URL": server.url, "WATCHKEEPER_POSTGRES_DSN": dsn}
        with Instance("one", tmp_path, environment, CONFIG) as instance, a_peer(server.url) as peer:
            instance.start().await_role(server.url, "leader", ready=True)
            adopt_by_command(peer, 30)
            client.await_rows([(30,)], "select count(*) from trades")
            instance.kill()

            delete_stream(server.url, "LEDGER")
            with psycopg.connect(admin_dsn) as connection:
                connection.execute("DELETE FROM watchkeeper.streams WHERE name = 'LEDGER'")
            instance.start().await_role(server.url, "leader", ready=True)
            adopt_by_command(peer, 30)

            client.await_rows([(60,)], "select count(*) from trades")


def adopt_by_command(peer: Peer, count: int) -> None:
    for _ in range(count):
        peer.store(
            "trade.command.adopt", json.dumps(an_adoption(account="paper-1", mode="paper", venue="paper")).encode()
        )
