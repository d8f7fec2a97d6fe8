"""A leader and one that stands by, as real processes on real servers."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from bus.embedded import EmbeddedServer
from db import migrations
from db.embedded import EmbeddedPostgres
from tests.acceptance.harness import CONFIG, Watchkeeper, an_adoption
from tests.acceptance.instances import Instance, gather, orders_in, statuses, wait_until
from tests.bus.builders import a_wire
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database


class Pair:
    """Two instances on one NATS and one database, and a plain client beside them (`client`, which starts nothing).

    leader, standby: which of them is which, after `stand`.
    """

    def __init__(self, postgres: EmbeddedPostgres, folder: Path, config: str = CONFIG) -> None:
        self._stack = ExitStack()
        names = fresh_database(postgres)
        dsn = postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database)
        admin_dsn = migrations.for_database(postgres.admin_dsn, names.database)
        self.nats = self._stack.enter_context(EmbeddedServer(folder / "nats"))
        self.url = self.nats.url
        self.client = self._stack.enter_context(Watchkeeper(self.url, dsn, admin_dsn, folder))
        environment = {"WATCHKEEPER_NATS_URL": self.url, "WATCHKEEPER_POSTGRES_DSN": dsn}
        self.leader, self.standby = (
            self._stack.enter_context(Instance(name, folder, environment, config)).start() for name in ("one", "two")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stand(self) -> Self:
        """Have both run, one as leader and one beside it."""
        for instance in (self.leader, self.standby):
            if instance.exit_code is not None:
                instance.start()
        wait_until(lambda: self._roles().keys() == {"leader", "standby"}, self.leader.log)
        if self._roles()["leader"] != self.leader.name:
            self.leader, self.standby = self.standby, self.leader
        self.leader.await_role(self.url, "leader", ready=True)
        return self

    def _roles(self) -> dict[str, str]:
        return {status["role"]: status["instance"] for status in statuses(self.url)}

    def adopt(self) -> str:
        """Have the leader watch a trade whose stop fires at the first tick below 0.40; returns its id."""
        adopted = an_adoption()
        self.client.quote(adopted["ticker"], "0.60", "0.62")
        self.client.demand("trade.request.adopt", adopted)
        return str(adopted["trade_id"])

    def cross(self, trade_id: str) -> None:
        """Let the market fall below its stop."""
        self.client.quote(f"M-{trade_id}", "0.38", "0.40")


@pytest.fixture(scope="module")
def both(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Pair(postgres_server, tmp_path_factory.mktemp("pair")) as two:
        yield two


@pytest.fixture
def pair(both: Pair) -> Pair:
    """Both stand, in whichever role."""
    return both.stand()


def test_one_that_stands_by_answers_only_for_the_status(pair: Pair) -> None:
    """Fault 45"""
    trade_id = pair.adopt()

    answers = gather(pair.url, "trade.request.get", {"trade_id": trade_id})
    told = pair.client.command("system", "status", "--json")

    assert [answer["instance"] for answer in answers] == [pair.leader.name]
    assert told.returncode == 0
    assert f'"role":"standby","instance":"{pair.standby.name}"' in told.stdout


def test_after_kill_9_of_the_leader_the_other_watches_its_trades(pair: Pair) -> None:
    """Fault 45, Lesson 13"""
    trade_id = pair.adopt()
    before = pair.leader.await_role(pair.url, "leader")

    pair.leader.send(signal.SIGKILL)
    after = pair.standby.await_role(pair.url, "leader", ready=True)
    pair.cross(trade_id)
    close = pair.client.order(f"{trade_id}-close-1")

    assert before["epoch"] < after["epoch"] == close["epoch"]
    assert pair.client.orders_of(trade_id) == [f"{trade_id}-close-1"]


def test_a_leader_that_is_stopped_in_order_hands_over_and_stands_by_when_it_comes_back(pair: Pair) -> None:
    """Fault 47"""
    pair.leader.send(signal.SIGTERM)
    code = pair.leader.ended()
    pair.standby.await_role(pair.url, "leader", ready=True)

    pair.leader.start().await_role(pair.url, "standby")

    assert code == 0


def test_one_that_stands_by_is_stopped_in_order(pair: Pair) -> None:
    """Fault 48"""
    pair.standby.send(signal.SIGTERM)

    assert pair.standby.ended() == 0
    pair.leader.await_role(pair.url, "leader", ready=True)


def test_a_leader_that_is_paused_and_wakes_places_no_order_writes_no_row_and_ends(pair: Pair) -> None:
    """Fault 45, Fault 46, S6: its stop fires on what waited in its socket, and the server refuses it."""
    trade_id = pair.adopt()
    pair.leader.send(signal.SIGSTOP)
    after = pair.standby.await_role(pair.url, "leader", ready=True)
    pair.cross(trade_id)
    pair.client.order(f"{trade_id}-close-1")
    pair.client.await_rows([(1,)], "select count(*) from orders where trade_id = %s", trade_id)

    pair.leader.send(signal.SIGCONT)
    code = pair.leader.ended()

    assert code == 70
    assert orders_in(pair.url, trade_id) == [(f"{trade_id}-close-1", after["epoch"])]
    assert pair.client.rows("select epoch from leader") == [(after["epoch"],)]
    assert pair.client.rows("select count(*) from quarantine") == [(0,)]


def test_a_leader_that_is_paused_and_wakes_without_postgresql_places_no_order_and_ends(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 45, S6: ORDERS alone holds the fence."""
    with Pair(own_postgres, tmp_path) as pair:
        pair.standby.send(signal.SIGTERM)
        pair.leader.await_role(pair.url, "leader", ready=True)
        trade_id = pair.adopt()
        pair.leader.send(signal.SIGSTOP)
        own_postgres.kill()
        with a_wire(pair.url):
            pair.cross(trade_id)

            pair.leader.send(signal.SIGCONT)
            code = pair.leader.ended()

        assert (code, orders_in(pair.url, trade_id)) == (70, [])


def test_without_postgresql_the_other_takes_over_a_killed_leader_s_trades_and_closes_once(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 45, Fault 18: from what LEDGER and ORDERS hold."""
    with Pair(own_postgres, tmp_path, CONFIG + "\n[snapshot]\npatience_s = 1\n").stand() as pair:
        trade_id = pair.adopt()
        own_postgres.kill()
        pair.leader.kill()

        pair.client.notice("started_without_database")
        pair.cross(trade_id)
        pair.client.order(f"{trade_id}-close-1")

        assert [name for name, _ in orders_in(pair.url, trade_id)] == [f"{trade_id}-close-1"]


def test_a_second_process_with_the_very_same_settings_stands_by_too(pair: Pair, tmp_path: Path) -> None:
    """Fault 47: a supervisord was killed, its child runs on, and its successor starts another."""
    same = {"WATCHKEEPER_NATS_URL": pair.url, "WATCHKEEPER_POSTGRES_DSN": pair.client.dsn}
    with Instance(pair.leader.name, tmp_path, same, CONFIG) as successor:
        successor.start().await_role(pair.url, "standby")

        roles = [status["role"] for status in statuses(pair.url) if status["instance"] == pair.leader.name]
        successor.send(signal.SIGTERM)

        assert sorted(roles) == ["leader", "standby"]
        assert successor.ended() == 0
