"""One batch on its own: what contradicts the record ends it whole, and what stands beside it."""

from collections.abc import Iterator

import pytest

from bus.messages.explain import Capsule
from bus.messages.failures import Fenced
from bus.messages.records import Commit, Query
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.stops import StopCoverage, StopDecision, StopProgress
from bus.messages.system import SystemEvent
from bus.messages.trades import Coverage, TradeState
from bus.messages.units import NS_PER_S
from db.bounded import BoundedConnection
from db.errors import RowConflict
from db.rows import Batch
from db.store import PostgresStore
from db.writer import BatchWriter
from tests.db.builders import NOW_NS, a_commit, a_trade, an_input
from tests.db.conftest import Ask

ENDED = a_trade(state=TradeState.CLOSED, exit_ts=NOW_NS)


@pytest.fixture
def connection(store: PostgresStore) -> Iterator[BoundedConnection]:
    """A connection of the writer's role; epoch 1 leads."""
    with store._connections.writer("the test") as connection:
        yield connection


def write(connection: BoundedConnection, *commits: Commit, epoch: int = 1) -> BatchWriter:
    """Write each commit in a batch of its own, with one writer."""
    writer = BatchWriter(epoch)
    for commit in commits:
        writer.write(connection, Batch([commit]))
    return writer


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (a_commit(inbox=an_input()), "an input has had its effect already (0 of 1 rows written)"),
        (a_commit(a_trade()), "a trade of that id stands already (0 of 1 rows written)"),
        (a_commit(a_trade(version=3)), "a trade does not stand at the expected version (0 of 1 rows written)"),
    ],
)
def test_what_contradicts_the_record_is_told(connection: BoundedConnection, second: Commit, words: str) -> None:
    """Lesson 22, Fault 24"""
    with pytest.raises(RowConflict) as told:
        write(connection, a_commit(a_trade(), inbox=an_input()), second)

    assert str(told.value) == words


def test_a_batch_that_contradicts_the_record_leaves_no_row_and_no_gap(connection: BoundedConnection, ask: Ask) -> None:
    """Lesson 22"""
    writer = write(connection, a_commit(a_trade("t-1")))

    with pytest.raises(RowConflict):
        writer.write(connection, Batch([a_commit(a_trade("t-2")), a_commit(a_trade("t-1"))]))
    writer.write(connection, Batch([a_commit(a_trade("t-3"))]))

    assert ask("SELECT seq, trade_id FROM journal ORDER BY seq") == [(1, "t-1"), (2, "t-3")]


def test_new_trades_and_others_that_change_stand_in_one_batch(connection: BoundedConnection, ask: Ask) -> None:
    writer = write(connection, a_commit(a_trade("t-1")))

    writer.write(connection, Batch([a_commit(a_trade("t-2")), a_commit(a_trade("t-1", version=2))]))

    assert ask("SELECT trade_id, version FROM trades ORDER BY 1") == [("t-1", 2), ("t-2", 1)]


def test_whoever_does_not_lead_is_told_and_no_transaction_of_its_is_in_doubt(connection: BoundedConnection) -> None:
    """Fault 45"""
    writer = BatchWriter(7)

    with pytest.raises(Fenced, match=r"^epoch 7 does not lead any more$"):
        writer.write(connection, Batch([a_commit(a_trade())]))

    assert writer.in_doubt is None


def test_once_a_batch_stands_nothing_is_in_doubt(connection: BoundedConnection) -> None:
    """Fault 2"""
    assert write(connection, a_commit(a_trade())).in_doubt is None


def capsule(store: PostgresStore, trade_id: str) -> Capsule | None:
    """Return what is kept of a trade that has ended."""
    found = store.query(Query(kind="capsule", arguments={"trade_id": trade_id}, reply_to="r", now_ns=NOW_NS))
    assert found is None or isinstance(found, Capsule)
    return found


def a_decision(trade_id: str) -> StopDecision:
    return StopDecision(
        decision_id=f"{trade_id}-price-1",
        trade_id=trade_id,
        rule="price",
        fired=True,
        inputs={},
        guards=(),
        settings_version=1,
        ts=NOW_NS,
    )


def test_whatever_another_actor_says_of_an_ended_trade_a_moment_later_is_kept_with_it(
    store: PostgresStore, connection: BoundedConnection
) -> None:
    other = a_trade("t-2", state=TradeState.CLOSED, exit_ts=NOW_NS)
    progress = StopProgress(trade_id="t-1", rule="price", confirms=1)
    bare = StopCoverage(trade_id="t-1", coverage=Coverage.UNPROTECTED, why="w", since=NOW_NS, ts=NOW_NS - NS_PER_S)

    write(
        connection,
        a_commit(ENDED),
        a_commit(other),
        *(
            a_commit(**word)
            for word in ({"progress": (progress,)}, {"decisions": (a_decision("t-1"),)}, {"coverage": (bare,)})
        ),
    )

    found = capsule(store, "t-1")
    assert found is not None
    assert (found.rules, found.decisions) == ((progress,), (a_decision("t-1"),))
    assert [each.why for each in found.unprotected] == ["w"]


def an_event(kind: str, account: str | None = None, by: str | None = "eve") -> Commit:
    return a_commit(system=(SystemEvent(kind=kind, body=f"{kind}, why", ts=NOW_NS, account=account, requested_by=by),))


def test_what_is_halted_stands_with_who_and_why(connection: BoundedConnection, ask: Ask) -> None:
    write(connection, an_event("halt"), an_event("reduce_only", "a"), an_event("halt", "b", by=None))

    assert ask("SELECT account, halted, reduce_only, reason, requested_by FROM system_state ORDER BY 1") == [
        ("", True, False, "halt, why", "eve"),
        ("a", False, True, "reduce_only, why", "eve"),
        ("b", True, False, "halt, why", ""),
    ]
    assert ask("SELECT DISTINCT extract(epoch FROM ts)::bigint FROM system_state") == [(NOW_NS // NS_PER_S,)]


def test_a_resume_of_one_account_leaves_the_others_halted(connection: BoundedConnection, ask: Ask) -> None:
    write(connection, an_event("halt"), an_event("halt", "a"), an_event("halt", "b"), an_event("resume", "a", by="ann"))

    assert ask("SELECT account, halted, reason, requested_by FROM system_state ORDER BY 1") == [
        ("", True, "halt, why", "eve"),
        ("a", False, "resume, why", "ann"),
        ("b", True, "halt, why", "eve"),
    ]


def test_any_other_event_halts_nothing(connection: BoundedConnection, ask: Ask) -> None:
    write(connection, an_event("started"))

    assert ask("SELECT * FROM system_state") == []


def test_what_is_set_for_one_trade_is_history_and_no_layer(connection: BoundedConnection, ask: Ask) -> None:
    change = SettingsChanged(
        version=1,
        layer=Layer.TRADE,
        name="t-1",
        before={},
        after={"a": True},
        reason="test",
        requested_by="me",
        ts=NOW_NS,
    )

    write(connection, a_commit(settings=(change,)))

    assert ask("SELECT (SELECT count(*) FROM settings_history), (SELECT count(*) FROM settings_layers)") == [(1, 0)]
