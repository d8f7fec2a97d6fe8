"""`serve` started before its servers: it waits, says so, and takes its place when they come."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bus.embedded import EmbeddedServer
from db.embedded import EmbeddedPostgres
from db.names import DatabaseNames
from tests.acceptance.harness import CONFIG
from tests.acceptance.instances import Instance, wait_until
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database


def a_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Boot:
    """An instance, its servers, of which none runs, and its probes."""

    def __init__(self, postgres: EmbeddedPostgres, nats: EmbeddedServer, folder: Path) -> None:
        names = fresh_database(postgres)
        self.postgres, self.nats, self.port = postgres, nats, a_free_port()
        environment = {
            "WATCHKEEPER_NATS_URL": nats.url,
            "WATCHKEEPER_POSTGRES_DSN": postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database),
        }
        self.instance = Instance("boot", folder, environment, CONFIG.replace("port = 0", f"port = {self.port}"))
        for server in (postgres, nats):
            server.stop()

    def probe(self, path: str) -> tuple[int, Any]:
        """Return what a probe answers; 0 while nobody does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if path == "/ready" else body
        except ConnectionRefusedError:
            return 0, {"why": []}
        finally:
            connection.close()

    def await_why(self, words: str) -> None:
        """Wait until `/ready` says that it waits for this."""
        wait_until(lambda: words in " ".join(self.probe("/ready")[1]["why"]), self.instance.log)


@pytest.fixture
def boot(own_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Boot]:
    with EmbeddedServer(tmp_path / "nats") as nats:
        found = Boot(own_postgres, nats, tmp_path)
        with found.instance:
            yield found


def test_it_waits_for_both_servers_says_so_and_takes_its_place_when_they_are_there(boot: Boot) -> None:
    """Fault 49"""
    boot.instance.start()
    boot.await_why("waits for NATS: no NATS server answers")
    boot.await_why("waits for PostgreSQL")
    live, ready = boot.probe("/live")[0], boot.probe("/ready")[0]

    boot.nats.start()
    waiting = boot.instance.await_role(boot.nats.url, "starting")
    boot.postgres.start()
    boot.instance.await_role(boot.nats.url, "leader", ready=True)

    assert (live, ready) == (200, 503)
    assert "PostgreSQL" in waiting["why_not_ready"][0]
    assert boot.probe("/ready")[0] == 200
    assert "waits for PostgreSQL" in boot.instance.log()


def test_it_is_stopped_in_order_while_it_waits(boot: Boot) -> None:
    """Fault 48"""
    boot.instance.start()
    boot.await_why("waits for NATS")

    boot.instance.send(signal.SIGTERM)

    assert boot.instance.ended() == 0


def test_a_port_that_another_instance_has_does_not_keep_it_from_leading(boot: Boot) -> None:
    """Fault 47: an old child of a dead supervisord still answers there."""
    with socket.create_server(("127.0.0.1", boot.port)):
        boot.nats.start()
        boot.postgres.start()
        boot.instance.start().await_role(boot.nats.url, "leader", ready=True)

    wait_until(lambda: boot.probe("/ready")[0] == 200, boot.instance.log)


def test_a_schema_that_does_not_fit_ends_the_start_with_what_to_do(
    postgres_server: EmbeddedPostgres, postgres_admin_dsn: str, postgres_names: DatabaseNames, tmp_path: Path
) -> None:
    """Lesson 66 (its part of order 1): a wrong database is no outage."""
    with psycopg.connect(postgres_admin_dsn) as connection:
        connection.execute(f"DROP SCHEMA {postgres_names.schema} CASCADE")
    dsn = postgres_server.dsn(postgres_names.login, LOGIN_PASSWORD, database=postgres_names.database)
    away = {"WATCHKEEPER_NATS_URL": f"nats://127.0.0.1:{a_free_port()}", "WATCHKEEPER_POSTGRES_DSN": dsn}

    with Instance("unfit", tmp_path, away, CONFIG) as instance:
        code = instance.start().ended()

    assert code == 2
    assert "run `db upgrade`" in instance.log()


def test_an_address_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    """A wrong configuration is no outage."""
    wrong = {"WATCHKEEPER_NATS_URL": "nats://127.0.0.1:4222", "WATCHKEEPER_POSTGRES_DSN": "host=x nonsense=y"}

    with Instance("wrong", tmp_path, wrong, CONFIG) as instance:
        code = instance.start().ended()

    assert (code, "postgres.dsn" in instance.log()) == (2, True)
