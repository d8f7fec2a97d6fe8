"""What becomes of commits when PostgreSQL cuts a session off, gives way, or refuses for a reason of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.records import Commit
from db import migrations, writer
from db.access import Access
from db.connections import Connections, transaction
from db.embedded import EmbeddedPostgres
from db.errors import PoolExhausted, SwallowedError
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_commit, a_trade, an_edge, an_input
from tests.db.conftest import Ask
from tests.fixtures.postgres import fresh_database

GIVE_WAY = """
    CREATE SEQUENCE attempts;
    CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF nextval('watchkeeper.attempts') <= {times} THEN RAISE EXCEPTION 'give way' USING ERRCODE = '{code}'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER give_way BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION give_way();
"""


@contextmanager
def commit_answer_lost() -> Iterator[None]:
    """Let the next COMMIT of a batch be done and its answer be lost."""
    whole = transaction

    @contextmanager
    def losing(connection: psycopg.Connection) -> Iterator[None]:
        with whole(connection):
            yield
        raise psycopg.OperationalError("the line was cut")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "transaction", losing)
        yield


class Asked:
    """Answers who leads, and counts how often it was asked."""

    def __init__(self, *answers: bool | None) -> None:
        self._answers = iter(answers)
        self.times = 0

    def __call__(self) -> bool | None:
        self.times += 1
        return next(self._answers)


def asking(access: Access, asked: Asked) -> PostgresStore:
    """A store that leads and asks `asked` whether it still does."""
    store = PostgresStore(access, still_leads=asked)
    store.open()
    store.take_lead(1, "test", NOW_NS)
    return store


def test_the_first_write_of_each_new_connection_asks_once_who_leads(access: Access) -> None:
    """Fault 46"""
    asked = Asked(True)
    store = asking(access, asked)
    store.commit([a_commit(a_trade())])
    before = asked.times

    store._connections.drop_writer()
    store.commit([a_commit(a_trade("b"))])
    store.commit([a_commit(a_trade("c"))])

    assert (before, asked.times) == (0, 1)
    store.close()


def test_whoever_was_deposed_while_postgresql_was_away_writes_nothing(access: Access, ask: Ask) -> None:
    """Fault 46: the `leader` row may not know it yet; ORDERS does."""
    store = asking(access, Asked(False))
    store._connections.drop_writer()

    with pytest.raises(Fenced):
        store.commit([a_commit(a_trade())])

    store.close()
    assert ask("SELECT count(*) FROM trades") == [(0,)]


def test_while_nobody_says_who_leads_nothing_is_written_and_nothing_is_lost(access: Access, ask: Ask) -> None:
    store = asking(access, Asked(None, True))
    store._connections.drop_writer()
    commit = a_commit(a_trade())

    with pytest.raises(StoreUnavailable, match="another leads"):
        store.commit([commit])
    store.commit([commit])

    store.close()
    assert ask("SELECT count(*) FROM trades") == [(1,)]


def test_a_commit_whose_answer_was_lost_is_not_written_again(store: PostgresStore, ask: Ask) -> None:
    """Fault 2, K5, K6"""
    commits = [a_commit(journal=(an_edge(a_trade()),))]
    store.commit([a_commit(a_trade("t-0"))])
    with commit_answer_lost(), pytest.raises(StoreUnavailable):
        store.commit(commits)

    refused = store.commit(commits)

    assert refused == []
    assert ask("SELECT count(*) FROM journal") == [(2,)]


def test_a_transaction_in_doubt_is_known_by_its_server_process_which_may_hold_it_open(store: PostgresStore) -> None:
    """Fault 2"""
    store.commit([a_commit(a_trade("t-0"))])
    with store._connections.writer("the test") as connection:
        pid = connection.info.backend_pid

    with commit_answer_lost(), pytest.raises(StoreUnavailable):
        store.commit([a_commit(a_trade())])

    assert store._writer is not None
    assert store._writer.in_doubt is not None
    assert store._writer.in_doubt.pid == pid


def test_what_queued_up_behind_a_lost_answer_is_written(store: PostgresStore, ask: Ask) -> None:
    """Fault 2"""
    first, second = a_commit(a_trade("t-1"), inbox=an_input("k-1")), a_commit(a_trade("t-2"), inbox=an_input("k-2"))
    store.commit([a_commit(a_trade("t-0"))])
    with commit_answer_lost(), pytest.raises(StoreUnavailable):
        store.commit([first])

    assert store.commit([first, second]) == []
    assert ask("SELECT array_agg(trade_id ORDER BY seq) FROM journal") == [(["t-0", "t-1", "t-2"],)]


def test_a_commit_of_a_dead_process_is_known_by_its_inbox_row(store: PostgresStore, access: Access, ask: Ask) -> None:
    """Fault 1, Fault 3, K5, K6"""
    commit = a_commit(a_trade(), inbox=an_input())
    store.commit([commit])
    successor = PostgresStore(access)
    successor.open()
    successor.take_lead(2, "successor", NOW_NS)

    assert successor.recover().seen == {"k-1": "d" * 64}
    assert successor.commit([commit]) == []
    assert ask("SELECT count(*) FROM journal") == [(1,)]

    successor.close()


def test_a_transaction_cut_off_before_its_commit_leaves_no_trace(store: PostgresStore, ask: Ask) -> None:
    """Fault 1, K3, K4"""
    ask(GIVE_WAY.format(times=1, code="57P01"))
    commits = [a_commit(a_trade(), inbox=an_input())]

    with pytest.raises(StoreUnavailable):
        store.commit(commits)

    assert ask("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM trades)") == [(0, 0)]
    assert store.commit(commits) == []
    assert ask("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM trades)") == [(1, 1)]


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_transaction_that_had_to_give_way_is_tried_again_whole(store: PostgresStore, ask: Ask, code: str) -> None:
    """Fault 20, Lesson 61"""
    ask(GIVE_WAY.format(times=2, code=code))

    refused = store.commit([a_commit(a_trade("t-0")), a_commit(a_trade("t-1"), inbox=an_input())])

    assert refused == []
    assert ask("SELECT count(*) FROM journal") == [(2,)]
    assert ask("SELECT last_value FROM attempts") == [(3,)]


@pytest.mark.parametrize("code", ["25006", "53100", "53200", "53300", "57P01", "57P02", "57P03", "57014"])
def test_what_the_world_does_to_a_batch_costs_one_try_and_no_row(store: PostgresStore, ask: Ask, code: str) -> None:
    """Fault 17, Fault 18: read-only, disk full, out of memory, out of connections, shut down, cancelled."""
    ask(GIVE_WAY.format(times=1, code=code))
    commits = [a_commit(a_trade("t-0")), a_commit(a_trade("t-1"), inbox=an_input())]

    with pytest.raises(StoreUnavailable):
        store.commit(commits)

    assert ask("SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM quarantine)") == [(0, 0)]
    assert store.commit(commits) == []
    assert ask("SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM quarantine)") == [(2, 0)]


def test_giving_way_has_an_end(store: PostgresStore, ask: Ask) -> None:
    """Fault 20"""
    ask(GIVE_WAY.format(times=1000, code="40P01"))

    with pytest.raises(StoreUnavailable, match="gave way 5 times"):
        store.commit([a_commit(a_trade(), inbox=an_input())])

    assert ask("SELECT last_value FROM attempts") == [(5,)]


def test_a_lock_that_is_held_too_long_is_the_worlds_fault(store: PostgresStore, postgres_admin_dsn: str) -> None:
    """Fault 20"""
    commits = [a_commit(a_trade())]
    with psycopg.connect(postgres_admin_dsn) as other:
        other.execute("LOCK TABLE watchkeeper.trades IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(StoreUnavailable, match="LockNotAvailable"):
            store.commit(commits)

    assert store.commit(commits) == []


def test_a_session_that_turned_read_only_is_replaced(store: PostgresStore) -> None:
    """Fault 17"""
    with store._connections.writer("the test") as connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.commit()
    commits = [a_commit(a_trade())]

    with pytest.raises(StoreUnavailable, match="ReadOnlySqlTransaction"):
        store.commit(commits)

    assert store.commit(commits) == []


def test_a_session_that_an_operator_ended_is_replaced(store: PostgresStore, ask: Ask) -> None:
    """Fault 46"""
    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'watchkeeper test epoch 1'")
    commits = [a_commit(a_trade())]

    with pytest.raises(StoreUnavailable):
        store.commit(commits)

    assert store.commit(commits) == []


def test_a_table_that_is_missing_refuses_no_commit(store: PostgresStore, ask: Ask) -> None:
    ask("ALTER TABLE inbox RENAME TO elsewhere")
    commits: list[Commit] = [a_commit(a_trade(), inbox=an_input())]

    with pytest.raises(StoreUnavailable, match="UndefinedTable"):
        store.commit(commits)

    ask("ALTER TABLE elsewhere RENAME TO inbox")
    assert store.commit(commits) == []


def test_an_error_swallowed_inside_a_transaction_is_raised_at_its_end(access: Access) -> None:
    """Fault 21"""
    with (
        psycopg.connect(access.conninfo(access.names.writer, epoch=1, read_only=False)) as connection,
        pytest.raises(SwallowedError),
        transaction(connection),
        pytest.raises(psycopg.errors.DivisionByZero),
    ):
        connection.execute("SELECT 1 / 0")


def test_readers_that_are_all_lent_are_told_with_their_holders(access: Access) -> None:
    """Fault 22, Lesson 50"""
    connections = Connections(replace(access, pool_timeout_ms=1000))
    connections.open()

    with (
        connections.reader("a long report"),
        connections.reader("an export"),
        pytest.raises(PoolExhausted, match="a long report, an export"),
        connections.reader("a third"),
    ):
        pass
    with connections.reader("afterwards") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    connections.close()


def test_the_writer_is_lent_once(access: Access) -> None:
    """Fault 22, Lesson 61"""
    connections = Connections(access)

    with (
        connections.writer("group commit"),
        pytest.raises(PoolExhausted, match="held by group commit"),
        connections.writer("another"),
    ):
        pass

    connections.close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "2s"),
        ("lock_timeout", "500ms"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("transaction_timeout", "5s"),
        ("TimeZone", "UTC"),
        ("search_path", "watchkeeper,pg_temp"),
        ("synchronous_commit", "on"),
        ("role", "rec_writer"),
        ("application_name", "watchkeeper test epoch 1"),
    ],
)
def test_the_writers_session_is_bounded(store: PostgresStore, setting: str, value: str) -> None:
    with store._connections.writer("the test") as connection:
        found = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()

    assert found == (value,)


def test_a_reader_can_change_nothing(store: PostgresStore) -> None:
    with (
        pytest.raises(StoreUnavailable, match="ReadOnlySqlTransaction"),
        store._connections.reader("the test") as connection,
    ):
        connection.execute("INSERT INTO streams VALUES ('x', 'y')")


def test_two_addresses_of_one_database_are_one(store: PostgresStore, access: Access) -> None:
    """Lesson 53"""
    other = PostgresStore(replace(access, dsn=access.dsn.replace("127.0.0.1", "localhost")))
    other.open()

    assert other.identity() == store.identity()

    other.close()


def test_another_database_is_another(store: PostgresStore, postgres_server: EmbeddedPostgres, access: Access) -> None:
    """Lesson 53"""
    names = fresh_database(postgres_server)
    other = PostgresStore(replace(access, dsn=migrations.for_database(access.dsn, names.database), names=names))
    other.open()

    assert other.identity() != store.identity()

    other.close()
