"""What the record holds after commits, good and bad."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bus.messages.envelope import Outgoing
from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderCancel, OrderReport, Position, ReportStatus, Settlement
from bus.messages.records import Commit, Quarantined
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.stops import StopCoverage, StopDecision, StopProgress
from bus.messages.system import SystemEvent
from bus.messages.trades import AttemptState, Coverage, Mode, TradeState
from db.access import Access
from db.rows import GENESIS, journal_hash
from db.statements import FENCE
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_close, a_commit, a_fill, a_trade, an_attempt, an_edge, an_input
from tests.db.conftest import Ask

NUL = "a\0b"


def test_a_transition_is_one_transaction(store: PostgresStore, ask: Ask) -> None:
    """Lesson 63"""
    trade = a_trade(exit_price=Decimal("0.93"), pnl=Decimal("4.73"))

    store.commit([a_commit(trade, inbox=an_input(), fills=(a_fill(),))])

    xids = {
        row[0]
        for table in ("trades", "fills", "journal", "inbox", "outbox", "accounts")
        for row in ask(f"SELECT xmin::text FROM {table}")
    }
    assert len(xids) == 1
    assert ask("SELECT exit_price::text, pnl::text FROM trades") == [("0.93", "4.73")]


def test_a_trade_comes_back_as_it_was_written(store: PostgresStore) -> None:
    trade = a_trade(attempts=(an_attempt("t-1", 1),), fills=(a_fill().fill,), coverage=Coverage.ARMED)

    store.commit([a_commit(trade)])

    assert store.recover().trades == (trade,)


def test_a_batch_is_written_in_one_transaction(store: PostgresStore, ask: Ask) -> None:
    store.commit([a_commit(a_trade(f"t-{n}")) for n in range(20)])

    assert ask("SELECT count(*), count(DISTINCT xmin::text) FROM trades") == [(20, 1)]


def test_a_change_from_another_version_is_refused(store: PostgresStore, ask: Ask) -> None:
    """Lesson 22"""
    store.commit([a_commit(a_trade(version=1)), a_commit(a_trade(version=2))])

    refused = store.commit([a_commit(a_trade(version=4, state=TradeState.CLOSING))])

    assert [reason for _, reason in refused] == ["its trade stands at another version than it builds on"]
    assert ask("SELECT version, state FROM trades") == [(2, "open")]


def test_what_builds_on_another_state_leaves_no_row_so_that_it_is_heard_again(store: PostgresStore, ask: Ask) -> None:
    """Fault 8: memory was wrong, the input was not."""
    store.commit([a_commit(a_trade())])
    ahead = a_commit(a_trade(version=3), inbox=an_input("k-3", stream="ORDERS", sequence=3))
    follower = a_commit(a_trade(version=4), inbox=an_input("k-4", stream="ORDERS", sequence=4))
    neighbour = a_commit(a_trade("t-2"), inbox=an_input("k-5", stream="ORDERS", sequence=5))

    refused = store.commit([ahead, follower, neighbour])

    assert [commit for commit, _ in refused] == [ahead, follower]
    assert ask("SELECT (SELECT count(*) FROM quarantine), (SELECT array_agg(sequence) FROM inbox)") == [(0, [5])]


def test_what_follows_a_bad_commit_leaves_no_row_and_the_culprit_is_in_quarantine(
    store: PostgresStore, ask: Ask
) -> None:
    """Fault 23"""
    bad = a_commit(a_trade(), inbox=an_input("k-1", subject=NUL))
    follower = a_commit(a_trade(version=2), inbox=an_input("k-2"))

    store.commit([bad, follower])

    assert ask("SELECT key FROM quarantine") == [("k-1",)]


def test_only_the_trade_of_that_id_changes(store: PostgresStore, ask: Ask) -> None:
    """Lesson 22"""
    store.commit([a_commit(a_trade("t-1")), a_commit(a_trade("t-2"))])

    store.commit([a_commit(a_trade("t-2", version=2, state=TradeState.CLOSING))])

    assert ask("SELECT trade_id, state FROM trades ORDER BY 1") == [("t-1", "open"), ("t-2", "closing")]


def test_many_versions_in_one_batch_leave_the_last_and_every_edge(store: PostgresStore, ask: Ask) -> None:
    store.commit([a_commit(a_trade(version=n)) for n in range(1, 6)])

    assert ask("SELECT version FROM trades") == [(5,)]
    assert ask("SELECT array_agg(version ORDER BY seq) FROM journal") == [([1, 2, 3, 4, 5],)]


def test_an_id_is_taken_once(store: PostgresStore, ask: Ask) -> None:
    """Lesson 21"""
    store.commit([a_commit(a_trade(), inbox=an_input("k-1"))])

    refused = store.commit([a_commit(a_trade(quantity=Decimal(99)), inbox=an_input("k-2"))])

    assert len(refused) == 1
    assert ask("SELECT quantity::text FROM trades") == [("10",)]


def test_an_ended_trade_is_left_alone(store: PostgresStore, ask: Ask) -> None:
    """Lesson 37"""
    store.commit([a_commit(a_trade(state=TradeState.CLOSED))])

    refused = store.commit([a_commit(a_trade(version=2, state=TradeState.EXPIRED))])

    assert "never changes" in refused[0][1]
    assert ask("SELECT state, version FROM trades") == [("closed", 1)]


def test_an_ended_trade_is_left_alone_within_a_batch(store: PostgresStore, ask: Ask) -> None:
    """Lesson 37"""
    ended, late = a_commit(a_trade(state=TradeState.CLOSED)), a_commit(a_trade(version=2, state=TradeState.EXPIRED))

    refused = store.commit([ended, late])

    assert [commit for commit, _ in refused] == [late]
    assert ask("SELECT state, version FROM trades") == [("closed", 1)]


def test_an_account_is_paper_or_live_never_both(store: PostgresStore) -> None:
    """Lesson 60"""
    store.commit([a_commit(a_trade("t-1"))])

    refused = store.commit([a_commit(a_trade("t-2", mode=Mode.LIVE))])

    assert len(refused) == 1


def test_a_trade_has_one_live_close(store: PostgresStore, ask: Ask) -> None:
    """Fault 56"""
    attempts = (an_attempt("t-1", 1), an_attempt("t-1", 2))
    store.commit([a_commit(a_trade())])

    refused = store.commit(
        [
            a_commit(a_trade(version=2, attempts=attempts[:1]), orders=(a_close(number=1),)),
            a_commit(a_trade(version=3, attempts=attempts), orders=(a_close(number=2),)),
        ]
    )

    assert "orders_one_live_close" in refused[0][1]
    assert ask("SELECT client_order_id FROM orders") == [("t-1-close-1",)]


def test_the_next_close_may_follow_in_the_batch_that_ends_the_last(store: PostgresStore, ask: Ask) -> None:
    dead = an_attempt("t-1", 1, state=AttemptState.DEAD, evidence="cancelled")
    store.commit([a_commit(a_trade())])

    refused = store.commit(
        [
            a_commit(a_trade(version=2, attempts=(an_attempt("t-1", 1),)), orders=(a_close(number=1),)),
            a_commit(a_trade(version=3, attempts=(dead,))),
            a_commit(a_trade(version=4, attempts=(dead, an_attempt("t-1", 2))), orders=(a_close(number=2),)),
        ]
    )

    assert refused == []
    assert ask("SELECT client_order_id, is_live, evidence FROM orders ORDER BY 1") == [
        ("t-1-close-1", False, "cancelled"),
        ("t-1-close-2", True, None),
    ]


@pytest.mark.parametrize("place", [0, 7, 15])
def test_a_bad_commit_does_not_take_its_neighbours_with_it(store: PostgresStore, ask: Ask, place: int) -> None:
    """Fault 23, L5"""
    commits = [a_commit(a_trade(f"t-{n:02}"), inbox=an_input(f"k-{n:02}")) for n in range(16)]
    bad = a_trade(f"t-{place:02}", ticker=NUL)
    commits[place] = a_commit(bad, inbox=an_input(f"k-{place:02}", body=b"raw \x00 bytes"))

    refused = store.commit(commits)

    assert [commit for commit, _ in refused] == [commits[place]]
    assert len(ask("SELECT trade_id FROM trades")) == 15
    assert ask("SELECT body, key FROM quarantine") == [(b"raw \x00 bytes", f"k-{place:02}")]


def test_the_neighbours_of_a_bad_commit_keep_their_order(store: PostgresStore, ask: Ask) -> None:
    commits = [a_commit(a_trade(f"t-{n:02}")) for n in range(16)]
    commits[6] = a_commit(a_trade("t-06", quantity=Decimal(0)))

    store.commit(commits)

    assert ask("SELECT array_agg(trade_id ORDER BY seq) FROM journal") == [
        ([f"t-{n:02}" for n in range(16) if n != 6],)
    ]


def test_what_builds_on_a_refused_commit_is_refused_too(store: PostgresStore, ask: Ask) -> None:
    bad = a_commit(a_trade("t-1", ticker=NUL))
    later = a_commit(journal=(an_edge(a_trade("t-1", version=2)),))

    refused = store.commit([bad, a_commit(a_trade("t-2")), later])

    assert [commit for commit, _ in refused] == [bad, later]
    assert ask("SELECT trade_id FROM journal") == [("t-2",)]


def test_the_rows_of_a_fresh_installation_fit_the_tables(store: PostgresStore, ask: Ask) -> None:
    """Lesson 41: one commit with a row of every kind."""
    trade = a_trade(attempts=(an_attempt("t-1", 1),))
    decision = StopDecision(
        decision_id="t-1-probability-1",
        trade_id="t-1",
        rule="probability",
        fired=True,
        inputs={},
        guards=(),
        settings_version=1,
        ts=NOW_NS,
    )
    store.seed_settings({"probability.floor_percent": Decimal(25)}, NOW_NS)

    refused = store.commit(
        [
            a_commit(
                trade,
                inbox=an_input(stream="LEDGER", sequence=7),
                orders=(a_close(),),
                cancels=(
                    OrderCancel(client_order_id="x", trade_id="t-1", account="a", reason="r", epoch=1, ts=NOW_NS),
                ),
                reports=(OrderReport(client_order_id="x", ts=NOW_NS, status=ReportStatus.REJECTED, reason="no"),),
                fills=(a_fill(),),
                decisions=(decision,),
                coverage=(a_coverage(Coverage.UNPROTECTED), a_coverage(Coverage.CLOSING)),
                progress=(StopProgress(trade_id="t-1", rule="trailing", best=Decimal("0.5")),),
                notices=(a_notice(),),
                settings=(a_change(2),),
                system=(SystemEvent(kind="halt", body="why", ts=NOW_NS),),
                positions=(Position(account="a", ticker="T", ts=NOW_NS, side="yes", quantity=Decimal(3)),),  # type: ignore[arg-type]
                settlements=(Settlement(account="a", ticker="T", ts=NOW_NS, result="yes", revenue=Decimal(5)),),
                quarantined=(Quarantined(subject="s\0", body=b"\xff", reason="\ud800", received_ns=NOW_NS),),
            )
        ]
    )

    tables = [
        "accounts",
        "trades",
        "orders",
        "cancels",
        "reports",
        "fills",
        "positions",
        "settlements",
        "inbox",
        "journal",
        "outbox",
        "quarantine",
        "decisions",
        "coverage",
        "stop_progress",
        "notices",
        "settings_layers",
        "system_state",
    ]
    assert refused == []
    assert {table: ask(f"SELECT count(*) FROM {table}") for table in tables} == {table: [(1,)] for table in tables}
    assert ask("SELECT count(*) FROM coverage_history") == [(2,)]


def a_coverage(coverage: Coverage) -> StopCoverage:
    return StopCoverage(trade_id="t-1", coverage=coverage, why="w", since=NOW_NS, ts=NOW_NS)


def a_notice() -> Notice:
    return Notice(
        notice_id="n-1", kind="stop_fired", severity=Severity.INFO, title="t", body="b", dedupe_key="d", ts=NOW_NS
    )


def a_change(version: int, **after: object) -> SettingsChanged:
    return SettingsChanged(
        version=version,
        layer=Layer.DEFAULTS,
        name="",
        before={},
        after=after,
        reason="test",
        requested_by="me",
        ts=NOW_NS,
    )


def test_a_settlement_that_stands_does_not_stop_the_others(store: PostgresStore, ask: Ask) -> None:
    """Lesson 41"""
    settlements = tuple(
        Settlement(account="a", ticker=f"T{n}", ts=NOW_NS, result="yes", revenue=Decimal(n)) for n in range(3)
    )
    store.commit([a_commit(settlements=settlements[:1])])

    assert store.commit([a_commit(settlements=settlements)]) == []
    assert ask("SELECT count(*) FROM settlements") == [(3,)]


def test_an_older_position_does_not_replace_a_newer_one(store: PostgresStore, ask: Ask) -> None:
    newer = Position(account="a", ticker="T", ts=NOW_NS, side="yes", quantity=Decimal(3))  # type: ignore[arg-type]
    older = replace(newer, ts=NOW_NS - 1_000_000, quantity=Decimal(9))

    store.commit([a_commit(positions=(newer,))])
    store.commit([a_commit(positions=(older,))])

    assert ask("SELECT quantity::text FROM positions") == [("3",)]


def test_the_journal_is_a_chain_without_gaps(store: PostgresStore, ask: Ask) -> None:
    edges = [an_edge(a_trade(f"t-{n}")) for n in range(4)]
    store.commit([a_commit(journal=(edge,)) for edge in edges[:3]])
    store.commit([a_commit(journal=(edges[3],))])

    chain = ask("SELECT seq, previous_hash, hash FROM journal ORDER BY seq")

    expected, previous = [], GENESIS
    for seq, edge in enumerate(edges, 1):
        digest = journal_hash(previous, seq, edge)
        expected.append((seq, previous, digest))
        previous = digest
    assert chain == expected


def test_a_refused_batch_leaves_no_gap_in_the_chain(store: PostgresStore, ask: Ask) -> None:
    store.commit([a_commit(a_trade("t-1")), a_commit(a_trade("t-2", ticker=NUL)), a_commit(a_trade("t-3"))])

    assert ask("SELECT count(*), max(seq) FROM journal") == [(2, 2)]
    assert ask("SELECT count(*) FROM journal a JOIN journal b ON a.hash = b.previous_hash") == [(1,)]


def test_rows_of_any_month_find_their_partition(store: PostgresStore, ask: Ask) -> None:
    months_ns = [NOW_NS - n * 31 * 86_400 * 1_000_000_000 for n in range(14)]

    refused = store.commit([a_commit(a_trade(f"t-{n}", ts=ns), now_ns=ns) for n, ns in enumerate(months_ns)])

    assert refused == []
    assert ask("SELECT count(DISTINCT tableoid) FROM journal")[0][0] == 14


def test_the_same_input_again_is_a_duplicate(store: PostgresStore) -> None:
    """Fault 24"""
    store.commit([a_commit(a_trade(), inbox=an_input())])

    refused = store.commit([a_commit(a_trade("t-other"), inbox=an_input())])

    assert [reason for _, reason in refused] == ["duplicate: this input had its effect before"]


def test_the_same_key_with_another_body_is_quarantined(store: PostgresStore, ask: Ask) -> None:
    """Fault 25"""
    store.commit([a_commit(inbox=an_input(body=b"first"))])

    refused = store.commit([a_commit(inbox=an_input(digest="e" * 64, body=b"second"))])

    assert "the first stands" in refused[0][1]
    assert ask("SELECT body FROM inbox") == [(b"first",)]
    assert ask("SELECT body FROM quarantine") == [(b"second",)]


def test_a_commit_written_twice_counts_as_done(store: PostgresStore, ask: Ask) -> None:
    """Fault 2"""
    commits = [a_commit(a_trade(), inbox=an_input()), a_commit(a_trade(version=2))]
    store.commit(commits)

    assert store.commit(commits) == []
    assert ask("SELECT count(*) FROM journal") == [(2,)]
    assert ask("SELECT count(*) FROM outbox") == [(2,)]


def test_an_older_epoch_writes_nothing(store: PostgresStore, access: Access, ask: Ask) -> None:
    """Fault 45"""
    newer = PostgresStore(access)
    newer.open()
    assert newer.take_lead(2, "newer", NOW_NS)
    with pytest.raises(StoreUnavailable):  # its session is ended by the takeover
        store.commit([a_commit(a_trade())])

    with pytest.raises(Fenced):
        store.commit([a_commit(a_trade())])

    newer.close()
    assert ask("SELECT count(*) FROM trades") == [(0,)]


def test_a_leader_that_was_paused_in_a_transaction_does_not_hold_up_a_takeover(
    store: PostgresStore, access: Access
) -> None:
    """Fault 46: its session holds the row that says who leads."""
    newer = PostgresStore(access)
    newer.open()

    with store._connections.writer("a batch") as paused:
        paused.execute(FENCE, [1])
        took = newer.take_lead(2, "newer", NOW_NS)

    newer.close()
    assert took


def test_a_takeover_ends_no_session_of_whoever_stands_by(access: Access) -> None:
    standing_by, leader = PostgresStore(access), PostgresStore(access)
    standing_by.open()
    leader.open()

    leader.take_lead(3, "leader", NOW_NS)

    assert standing_by.take_lead(4, "next", NOW_NS)
    for each in (standing_by, leader):
        each.close()


def test_the_lead_is_taken_by_a_higher_epoch_only(store: PostgresStore, access: Access) -> None:
    """Fault 45"""
    other = PostgresStore(access)
    other.open()

    assert not other.take_lead(1, "other", NOW_NS)
    assert store.epoch() == 1

    other.close()


def test_settings_change_by_compare_and_set(store: PostgresStore) -> None:
    """Lesson 58"""
    store.seed_settings({"max_spread": Decimal("0.20")}, NOW_NS)

    refused = store.commit([a_commit(settings=(a_change(3, max_spread=Decimal(1)),))])

    assert "does not follow" in refused[0][1]
    assert store.recover().settings_version == 1


def test_a_layer_holds_what_was_set_and_not_what_was_unset(store: PostgresStore) -> None:
    """Lesson 57"""
    values = {"a": Decimal("0.350"), "b": True, "stale.policy": "alert", "unset": Decimal(1)}
    store.seed_settings(values, NOW_NS)

    change = replace(a_change(2, a=Decimal("0.36")), before={"a": Decimal("0.350"), "unset": Decimal(1)})
    store.commit([a_commit(settings=(change,))])

    assert store.recover().layers == {("defaults", ""): {"a": Decimal("0.36"), "b": True, "stale.policy": "alert"}}


def test_settings_are_seeded_once(store: PostgresStore) -> None:
    assert store.seed_settings({"a": Decimal(1)}, NOW_NS)
    assert not store.seed_settings({"a": Decimal(2)}, NOW_NS)
    assert store.recover().layers == {("defaults", ""): {"a": Decimal(1)}}


def test_a_halt_survives_and_a_resume_ends_it(store: PostgresStore) -> None:
    def say(kind: str, account: str | None = None) -> None:
        store.commit([a_commit(system=(SystemEvent(kind=kind, body="b", ts=NOW_NS, account=account),))])

    say("halt")
    say("reduce_only", "a")
    halted = store.recover()
    say("resume")
    resumed = store.recover()

    assert (halted.halted, halted.reduce_only) == (True, frozenset({"a"}))
    assert (resumed.halted, resumed.reduce_only) == (False, frozenset())


def test_the_outbox_gives_its_words_back_in_order(store: PostgresStore) -> None:
    order = Outgoing(
        subject="order.submit.paper.t-1", msg_id="submit:t-1-close-1", message=a_close(), direct=True, cause="c"
    )
    first = a_commit(a_trade())
    store.commit([first, Commit(sender="d", cause="c", now_ns=NOW_NS, outbox=(order,))])

    assert store.unpublished(10) == (*first.outbox, order)
    assert store.unpublished(1) == first.outbox


def test_what_was_published_is_not_given_again(store: PostgresStore) -> None:
    store.commit([a_commit(a_trade("t-1")), a_commit(a_trade("t-2"))])

    store.mark_published(["trade:t-1:1"], NOW_NS)

    assert [out.msg_id for out in store.unpublished(10)] == ["trade:t-2:1"]
