"""What becomes of commits when the server of PostgreSQL itself goes, or stands still."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import psutil
import psycopg
import pytest

from bus.messages.failures import StoreUnavailable
from bus.messages.records import Query
from db.access import Access
from db.embedded import EmbeddedPostgres
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_commit, a_trade, an_input
from tests.fixtures.postgres import LOGIN_PASSWORD, fresh_database, standing_still


@pytest.fixture
def own_store(own_postgres: EmbeddedPostgres) -> Iterator[PostgresStore]:
    """A store on a server that the test may kill."""
    names = fresh_database(own_postgres)
    dsn = own_postgres.dsn(names.login, LOGIN_PASSWORD, database=names.database)
    store = PostgresStore(Access(dsn=dsn, names=names))
    store.open()
    store.take_lead(1, "test", NOW_NS)
    yield store
    store.close()


def test_a_restart_costs_one_try(own_postgres: EmbeddedPostgres, own_store: PostgresStore) -> None:
    """Fault 16"""
    commits = [a_commit(a_trade(), inbox=an_input())]
    own_store.recover()  # now the readers have a connection too, which goes with the server
    own_postgres.kill()

    with pytest.raises(StoreUnavailable):
        own_store.commit(commits)
    own_postgres.start()

    assert own_store.commit(commits) == []
    assert [trade.trade_id for trade in own_store.recover().trades] == ["t-1"]


def test_readers_come_back_after_a_restart(own_postgres: EmbeddedPostgres, own_store: PostgresStore) -> None:
    """Fault 16"""
    question = Query(kind="trade", arguments={"trade_id": "t-1"}, reply_to="", now_ns=NOW_NS)
    own_store.query(question)
    own_postgres.kill()
    own_postgres.start()

    with pytest.raises(StoreUnavailable):
        own_store.query(question)

    assert own_store.query(question) is None


OUTAGES = 25
READERS = Access.__dataclass_fields__["readers"].default


def test_outages_leave_neither_connection_nor_thread_nor_descriptor_behind(
    own_postgres: EmbeddedPostgres, own_store: PostgresStore
) -> None:
    """Lesson 49, Lesson 50: whatever broke is given back, however often the server goes."""
    held = []
    for number in range(OUTAGES):
        own_postgres.stop()
        with pytest.raises(StoreUnavailable):
            own_store.commit([a_commit(a_trade(f"lost-{number}"))])
        own_postgres.start()
        own_store.commit([a_commit(a_trade(f"kept-{number}"))])
        with suppress(StoreUnavailable):
            own_store.recover()
        own_store.recover()
        held.append(what_is_held(own_postgres))

    # The pool may be making a reader at the moment: they come and go, but never more than it may have.
    growth = [max(each) - min(each) for each in zip(*held, strict=True)]
    assert max(growth) <= READERS, held


def what_is_held(server: EmbeddedPostgres) -> tuple[int, int, int]:
    """Return this process's threads and descriptors, and the sessions that the server has from it."""
    with psycopg.connect(server.admin_dsn, autocommit=True) as connection:
        sessions = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert sessions is not None
    return threading.active_count(), psutil.Process().num_fds(), sessions[0]


def test_what_was_committed_stands_after_a_crash(own_postgres: EmbeddedPostgres, own_store: PostgresStore) -> None:
    """Fault 16"""
    own_store.commit([a_commit(a_trade())])

    own_postgres.kill()
    own_postgres.start()
    with pytest.raises(StoreUnavailable):
        own_store.commit([a_commit(a_trade("t-2"))])

    assert own_store.commit([a_commit(a_trade(version=2))]) == []


def test_a_server_that_is_away_is_told_at_once(own_postgres: EmbeddedPostgres, own_store: PostgresStore) -> None:
    """Fault 49"""
    own_postgres.stop()

    with pytest.raises(StoreUnavailable):
        own_store.take_lead(2, "test", NOW_NS)

    own_postgres.start()
    assert own_store.take_lead(2, "test", NOW_NS)


def test_a_server_that_stands_still_is_told_within_seconds_and_nothing_is_written_twice(
    own_postgres: EmbeddedPostgres, own_store: PostgresStore
) -> None:
    """Fault 19: neither the server nor its kernel ends a statement of a stopped server."""
    own_store.commit([a_commit(a_trade("t-0"))])
    commits = [a_commit(a_trade(), inbox=an_input())]
    with standing_still(own_postgres), pytest.raises(StoreUnavailable, match="no answer within 3 s"):
        own_store.commit(commits)

    assert own_store.commit(commits) == []
    assert [trade.trade_id for trade in own_store.recover().trades] == ["t-0", "t-1"]


def test_a_question_to_a_server_that_stands_still_ends_too(
    own_postgres: EmbeddedPostgres, own_store: PostgresStore
) -> None:
    """Fault 19"""
    question = Query(kind="trade", arguments={"trade_id": "t-1"}, reply_to="", now_ns=NOW_NS)
    own_store.query(question)

    with standing_still(own_postgres), pytest.raises(StoreUnavailable, match="no answer within 3 s"):
        own_store.query(question)
