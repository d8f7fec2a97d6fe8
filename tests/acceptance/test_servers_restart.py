"""NATS or PostgreSQL goes away under a process with open trades, and comes back: nothing is lost, nothing is done twice."""

import json
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG, Watchkeeper, an_adoption, instant
from tests.acceptance.instances import Instance, statuses, wait_until
from tests.bench.raw import RawClient
from tests.bus.builders import a_peer
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database

TRADES = 20


class Under:
    """A leader with open paper trades, on servers of its own that may go away."""

    def __init__(self, postgres: EmbeddedPostgres, nats: EmbeddedServer, folder: Path) -> None:
        names = fresh_database(postgres)
        self.postgres, self.nats = postgres, nats
        self._admin_dsn = migrations.for_database(postgres.admin_dsn, names.database)
        environment = {
            "WATCHKEEPER_NATS_URL": nats.url,
            "WATCHKEEPER_POSTGRES_DSN": postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database),
        }
        self.instance = Instance("one", folder, environment, CONFIG)
        self.tickers: list[str] = []

    def __enter__(self) -> Self:
        self.instance.__enter__()
        self.instance.start().await_role(self.nats.url, "leader", ready=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.instance.__exit__(*error)

    def adopt(self, client: Watchkeeper, count: int = TRADES) -> None:
        """Have it watch paper trades of ten contracts each, whose stops fire at the first bid below 0.40."""
        for _ in range(count):
            adopted = an_adoption(account="paper-1", mode="paper", venue="paper")
            client.quote(adopted["ticker"], "0.60", "0.62")
            client.demand("trade.request.adopt", adopted)
            self.tickers.append(adopted["ticker"])

    def cross(self, tickers: list[str]) -> None:
        """Let the market fall below the stops of these."""
        with RawClient(self.nats.url) as client:
            for ticker in tickers:
                quote = {"ticker": ticker, "ts": instant(), "source": "test", "yes_bid": "0.38", "yes_ask": "0.40"}
                client.publish(f"market.quote.{ticker}", json.dumps(quote).encode())
            client.flush()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._admin_dsn, autocommit=True) as connection:
            connection.execute("set search_path to watchkeeper")
            return connection.execute(sql).fetchall()

    def await_ready(self) -> None:
        """Wait until it says that it is ready, again."""
        wait_until(lambda: any(one["ready"] for one in statuses(self.nats.url)), self.instance.log)

    def demand_all_closed_once(self) -> None:
        """Wait until every trade is closed; each by exactly what it held, told in full, and nothing more."""
        ended = [("closed", len(self.tickers))]
        wait_until(lambda: self.rows("select state, count(*) from trades group by state") == ended, self.instance.log)
        wait_until(
            lambda: self.rows("select count(*) from outbox where published_at is null") == [(0,)], self.instance.log
        )
        sold = self.rows(
            "select trade_id, sum(quantity) from fills where client_order_id like '%close%' group by trade_id"
        )
        assert sorted(quantity for _, quantity in sold) == [Decimal(10)] * len(self.tickers)
        assert self.rows("select count(*) from quarantine") == [(0,)]
        assert self._stored() == [msg_id for (msg_id,) in self.rows("select msg_id from outbox order by msg_id")]

    def _stored(self) -> list[str]:
        """Return the ids of what it has said that the streams hold, each as often as it stands there."""
        with a_peer(self.nats.url) as peer:
            kept = [one for name in ("ORDERS", "LEDGER", "NOTICES") for one in peer.stored(name)]
        ours = [one for one in kept if not one.subject.startswith(("order.epoch", "order.report."))]
        return sorted(one.headers["Nats-Msg-Id"] for one in ours)


@pytest.fixture
def under(own_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Under]:
    with EmbeddedServer(tmp_path / "nats") as nats, Under(own_postgres, nats, tmp_path) as found:
        with Watchkeeper(nats.url, "", "", tmp_path) as client:
            found.adopt(client)
        yield found


def kill_nats(under: Under) -> None:
    under.nats.kill()
    under.nats.start()


def kill_postgres(under: Under) -> None:
    under.postgres.kill()
    under.postgres.start()


def kill_both(under: Under) -> None:
    under.nats.kill()
    under.postgres.kill()
    under.postgres.start()
    under.nats.start()


@pytest.mark.parametrize("restart", [kill_nats, kill_postgres, kill_both])
def test_a_server_that_is_killed_and_restarted_under_load_costs_nothing(
    under: Under, restart: Callable[[Under], None]
) -> None:
    """Fault 9, Fault 16, L2: half of the market falls before; all of it is quoted after it is back.

    A tick that NATS had not handed on dies with it, and the feed's next one takes its place; the others may not close again by it.
    """
    half = len(under.tickers) // 2
    under.cross(under.tickers[:half])

    restart(under)
    under.await_ready()
    under.cross(under.tickers)

    under.demand_all_closed_once()


def test_a_nats_that_hangs_under_load_costs_nothing(under: Under) -> None:
    """Fault 10: it says nothing for longer than the pulse allows, and goes on where it was."""
    half = len(under.tickers) // 2
    under.cross(under.tickers[:half])

    under.nats.send(signal.SIGSTOP)
    under.instance.await_log("does not echo")
    under.nats.send(signal.SIGCONT)
    under.await_ready()
    under.cross(under.tickers[half:])

    under.demand_all_closed_once()


def test_an_outage_of_nats_is_told_on_the_record(under: Under) -> None:
    """Fault 9"""
    under.nats.kill()
    wait_until(lambda: ("nats_away",) in under.rows("select kind from notices"), under.instance.log)
    under.nats.start()

    wait_until(lambda: ("nats_back",) in under.rows("select kind from notices"), under.instance.log)
    assert under.instance.exit_code is None
