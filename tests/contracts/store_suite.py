"""What a store must do (`actors.ports.StartingStore`), as plain functions: for PostgreSQL, and for the model that simulations use.

A test takes its parameters from `CLAUSES` and calls each with a new `StoreUnderTest` whose record is empty.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Protocol

import pytest

from actors.ports import StartingStore
from bus.messages.envelope import Outgoing
from bus.messages.explain import Unprotected
from bus.messages.failures import Fenced, StoreUnavailable
from bus.messages.orders import OrderReport, Position, ReportStatus
from bus.messages.records import Commit, Place, Quarantined, Query
from bus.messages.settings import Layer, SettingsChanged
from bus.messages.stops import Input, Nearest, StopCoverage, StopDecision, StopProgress
from bus.messages.system import Heartbeat, SystemEvent
from bus.messages.trades import AttemptState, Coverage, Mode, Trade, TradeState
from tests.db.builders import NOW_NS, a_close, a_commit, a_fill, a_trade, an_attempt, an_input


class StoreUnderTest(Protocol):
    """A record, and the stores that write to it."""

    def store(self) -> StartingStore:
        """Return one more store on the same record, open; it leads nothing yet."""
        ...

    def goes_down(self) -> None:
        """The server dies; it is back at once."""
        ...


def leading(under: StoreUnderTest, epoch: int = 1) -> StartingStore:
    store = under.store()
    assert store.take_lead(epoch, "test", NOW_NS)
    return store


def refused(store: StartingStore, *commits: Commit) -> list[str]:
    return [commit.cause for commit, _ in store.commit(commits)]


def trades(store: StartingStore) -> dict[str, tuple[int, str]]:
    return {trade.trade_id: (trade.version, trade.state.value) for trade in found(store, "trades", {})}


def found(store: StartingStore, kind: str, arguments: dict[str, object]) -> Any:
    answer = store.query(Query(kind=kind, arguments=arguments, reply_to="r", now_ns=NOW_NS))
    return answer.trades if kind == "trades" else answer  # type: ignore[attr-defined]  # as asked


def waiting(store: StartingStore) -> list[str]:
    return [one.msg_id for one in store.unpublished(100)]


# Capsules


def a_trade_that_ends_leaves_a_capsule_with_all_that_is_known_of_it(under: StoreUnderTest) -> None:
    store = leading(under)
    near = Nearest(away=Decimal("0.03"), ts=NOW_NS, inputs={"exit": Input(value=Decimal("0.43"), ts=NOW_NS)})
    progress = StopProgress(trade_id="t-1", rule="price", nearest={"stop_price": near}, since=NOW_NS)
    bare = covered(Coverage.UNPROTECTED, "no_quote", NOW_NS)
    held = a_decision("t-1-price-1", fired=False)
    trade = a_trade(version=2, state=TradeState.CLOSED, ts=NOW_NS + 9_000)
    store.commit([a_commit(a_trade(), progress=(progress,), coverage=(bare,), decisions=(held,)), a_commit(trade)])

    capsule = found(store, "capsule", {"trade_id": "t-1"})

    assert (capsule.trade, capsule.rules, capsule.decisions) == (trade, (progress,), (held,))
    assert capsule.unprotected == (Unprotected(why="no_quote", since=NOW_NS, until=trade.ts),)


def what_is_told_of_a_trade_a_moment_after_its_end_is_in_its_capsule(under: StoreUnderTest) -> None:
    store = leading(under)
    bare, armed = (
        covered(*how) for how in ((Coverage.UNPROTECTED, "x", NOW_NS), (Coverage.ARMED, "price", NOW_NS + 1_000))
    )
    store.commit([a_commit(a_trade(state=TradeState.CLOSED, ts=NOW_NS + 9_000), coverage=(bare,))])

    store.commit([a_commit(cause="late", coverage=(armed,), progress=(StopProgress(trade_id="t-1", rule="price"),))])

    capsule = found(store, "capsule", {"trade_id": "t-1"})
    assert capsule.unprotected == (Unprotected(why="x", since=NOW_NS, until=NOW_NS + 1_000),)
    assert [one.rule for one in capsule.rules] == ["price"]


def a_trade_that_lives_or_never_was_open_has_no_capsule(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade()), a_commit(a_trade("t-2", state=TradeState.REJECTED))])

    assert [found(store, "capsule", {"trade_id": trade_id}) for trade_id in ("t-1", "t-2", "nobody")] == [None] * 3


def covered(coverage: Coverage, why: str, ts: int) -> StopCoverage:
    return StopCoverage(trade_id="t-1", coverage=coverage, why=why, since=ts, ts=ts)


def a_decision(decision_id: str, *, fired: bool) -> StopDecision:
    return StopDecision(
        decision_id=decision_id,
        trade_id="t-1",
        rule="price",
        fired=fired,
        inputs={},
        guards=(),
        settings_version=1,
        ts=NOW_NS,
    )


# Commits


def a_trade_comes_back_as_it_was_written(under: StoreUnderTest) -> None:
    store = leading(under)
    trade = a_trade(attempts=(an_attempt("t-1", 1),), fills=(a_fill().fill,), exit_price=Decimal("0.930"))

    store.commit([a_commit(trade)])

    assert store.recover().trades == (trade,)


def a_change_from_another_version_is_refused_and_changes_nothing(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade())])

    assert refused(store, a_commit(a_trade(version=3), cause="skips one")) == ["skips one"]
    assert trades(store) == {"t-1": (1, "open")}
    assert waiting(store) == ["trade:t-1:1"]


def a_trade_that_stands_is_not_made_anew(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade(), inbox=an_input("k-1"))])

    assert refused(store, a_commit(a_trade(quantity=Decimal(99)), inbox=an_input("k-2"), cause="again")) == ["again"]


def several_versions_in_one_batch_leave_the_last(under: StoreUnderTest) -> None:
    store = leading(under)

    assert store.commit([a_commit(a_trade(version=n)) for n in range(1, 5)]) == []
    assert trades(store) == {"t-1": (4, "open")}
    assert waiting(store) == [f"trade:t-1:{n}" for n in range(1, 5)]


def a_trade_that_has_ended_never_changes(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade(state=TradeState.CLOSED))])

    assert refused(store, a_commit(a_trade(version=2), cause="late")) == ["late"]
    assert refused(store, a_commit(a_trade("t-2", state=TradeState.CLOSED)), a_commit(a_trade("t-2", version=2))) == [
        "request"
    ]


def an_account_is_paper_or_live(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade())])

    assert refused(store, a_commit(a_trade("t-2", mode=Mode.LIVE), cause="live")) == ["live"]


def a_trade_has_one_live_close(under: StoreUnderTest) -> None:
    store = leading(under)
    attempts = (an_attempt("t-1", 1), an_attempt("t-1", 2))
    store.commit([a_commit(a_trade())])

    first = a_commit(a_trade(version=2, attempts=attempts[:1]), orders=(a_close(number=1),))
    second = a_commit(a_trade(version=3, attempts=attempts), orders=(a_close(number=2),), cause="second")

    assert refused(store, first, second) == ["second"]


def the_next_close_may_follow_the_death_of_the_last(under: StoreUnderTest) -> None:
    store = leading(under)
    dead = an_attempt("t-1", 1, state=AttemptState.DEAD, evidence="cancelled")
    store.commit([a_commit(a_trade()), a_commit(a_trade(version=2), orders=(a_close(number=1),))])

    next_one = a_commit(a_trade(version=3, attempts=(dead, an_attempt("t-1", 2))), orders=(a_close(number=2),))

    assert refused(store, next_one) == []


def an_order_id_is_used_once(under: StoreUnderTest) -> None:
    store = leading(under)
    dead = an_attempt("t-1", 1, state=AttemptState.DEAD, evidence="cancelled")
    store.commit([a_commit(a_trade(), orders=(a_close(),))])

    assert refused(store, a_commit(a_trade(version=2, attempts=(dead,)), orders=(a_close(),), cause="again")) == [
        "again"
    ]


def a_fill_is_booked_once(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade(), fills=(a_fill(),))])

    assert refused(store, a_commit(a_trade(version=2), fills=(a_fill(),), cause="again")) == ["again"]
    assert store.recover().fill_ids == {("paper-1", "f-1")}


def the_neighbours_of_a_bad_commit_stand_in_their_order(under: StoreUnderTest) -> None:
    store = leading(under)
    good = [a_commit(a_trade(f"t-{n}")) for n in range(5)]

    assert refused(store, *good[:2], a_commit(a_trade("bad", version=7), cause="bad"), *good[2:]) == ["bad"]
    assert waiting(store) == [f"trade:t-{n}:1" for n in range(5)]


def what_builds_on_a_refused_commit_is_refused_too(under: StoreUnderTest) -> None:
    store = leading(under)

    store.record_stream("ORDERS", "monday", NOW_NS)
    first = a_commit(a_trade(version=2), cause="no first", inbox=an_input("k-1", stream="ORDERS", sequence=1))
    second = a_commit(a_trade(version=3), cause="after it", inbox=an_input("k-2", stream="ORDERS", sequence=2))

    assert refused(store, first, second) == ["no first", "after it"]
    assert store.places() == {"ORDERS": Place()}, "they are to be heard again"


# Inputs


def the_same_input_again_has_no_second_effect(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade(), inbox=an_input())])

    again = a_commit(a_trade("t-2"), inbox=an_input(), cause="again")

    assert [reason.split(":")[0] for _, reason in store.commit([again])] == ["duplicate"]
    assert trades(store) == {"t-1": (1, "open")}


def the_very_same_commit_again_counts_as_done(under: StoreUnderTest) -> None:
    store = leading(under)
    commit = a_commit(a_trade(), inbox=an_input())

    assert store.commit([commit]) == []
    assert store.commit([commit]) == []


def the_same_key_with_another_body_is_refused(under: StoreUnderTest) -> None:
    store = leading(under)
    store.record_stream("LEDGER", "monday", NOW_NS)
    store.commit([a_commit(a_trade(), inbox=an_input(stream="LEDGER", sequence=1))])

    other = a_commit(inbox=an_input(digest="e" * 64, stream="LEDGER", sequence=2), cause="other")

    assert refused(store, other) == ["other"]
    assert store.places() == {"LEDGER": Place(beyond=frozenset({1, 2}))}


def the_places_of_inputs_are_known_behind_what_everything_has_reached(under: StoreUnderTest) -> None:
    store = leading(under)
    store.record_stream("ORDERS", "monday", NOW_NS)
    rows = [an_input(f"k-{n}", stream="ORDERS", sequence=n) for n in (1, 2, 9)]
    bad = Quarantined(subject="s", body=b"x", reason="r", received_ns=NOW_NS, stream="ORDERS", sequence=5)
    store.commit([*(Commit(sender="d", cause="c", now_ns=NOW_NS, inbox=row) for row in rows),
                  Commit(sender="d", cause="c", now_ns=NOW_NS, quarantined=(bad,))])  # fmt: skip

    assert store.places() == {"ORDERS": Place(beyond=frozenset({1, 2, 5, 9}))}
    store.mark_published((), NOW_NS, {"ORDERS": 2, "elsewhere": 7})
    store.mark_published((), NOW_NS, {"ORDERS": 1})
    assert store.places() == {"ORDERS": Place(reached=2, beyond=frozenset({5, 9}))}
    assert store.recover().seen == {f"k-{n}": "d" * 64 for n in (1, 2, 9)}


def a_report_is_kept_once(under: StoreUnderTest) -> None:
    store = leading(under)
    report = OrderReport(client_order_id="t-1-close-1", ts=NOW_NS, status=ReportStatus.ACCEPTED)

    assert refused(store, a_commit(a_trade(), reports=(report,)), a_commit(a_trade("t-2"), reports=(report,))) == []


# Outbox


def what_was_published_is_not_given_again(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([a_commit(a_trade("t-1")), a_commit(a_trade("t-2"))])

    store.mark_published(["trade:t-1:1", "nobody"], NOW_NS)

    assert waiting(store) == ["trade:t-2:1"]


def the_outbox_gives_its_words_back(under: StoreUnderTest) -> None:
    store = leading(under)
    outgoing = Outgoing(subject="order.submit.sim.t-1", msg_id="submit:x", message=a_close(), direct=True, cause="why")
    store.commit([a_commit(a_trade(), outbox=(outgoing,))])

    assert tuple(store.unpublished(10)) == (outgoing,)


def every_row_of_one_message_id_is_marked(under: StoreUnderTest) -> None:
    store = leading(under)
    beat = a_close()
    for n in range(2):
        row = Outgoing(subject="notice.info.x", msg_id="notice:same", message=beat)
        store.commit([Commit(sender="d", cause=f"c{n}", now_ns=NOW_NS + n * 1000, outbox=(row,))])

    store.mark_published(["notice:same"], NOW_NS)

    assert waiting(store) == []


# Who leads


def the_lead_goes_to_a_higher_epoch_only(under: StoreUnderTest) -> None:
    store = leading(under, 5)

    assert not under.store().take_lead(5, "other", NOW_NS)
    assert not under.store().take_lead(4, "other", NOW_NS)
    assert under.store().take_lead(6, "other", NOW_NS)
    assert store.epoch() == 6


def an_older_epoch_writes_nothing(under: StoreUnderTest) -> None:
    old = leading(under, 1)
    new = leading(under, 2)  # which ends the older one's session

    with pytest.raises(Fenced):
        _until_it_answers(lambda: old.commit([a_commit(a_trade())]))
    assert trades(new) == {}


def a_lost_connection_is_replaced(under: StoreUnderTest) -> None:
    store = leading(under)
    commit = a_commit(a_trade())
    under.goes_down()

    _until_it_answers(lambda: store.commit([commit]))

    assert trades(store) == {"t-1": (1, "open")}


def _until_it_answers(act: Callable[[], object]) -> None:
    for _ in range(200):
        try:
            act()
        except StoreUnavailable:
            continue
        return
    pytest.fail("it never answers")


# State


def streams_stay_on_record_as_they_were_made(under: StoreUnderTest) -> None:
    store = leading(under)
    store.record_stream("ORDERS", "monday", NOW_NS)
    store.record_stream("ORDERS", "tuesday", NOW_NS)

    assert dict(store.streams()) == {"ORDERS": "monday"}


def settings_are_seeded_once_and_change_by_compare_and_set(under: StoreUnderTest) -> None:
    store = leading(under)

    assert store.seed_settings({"price.enabled": True, "close_slippage": Decimal("0.05")}, NOW_NS)
    assert not store.seed_settings({}, NOW_NS)
    assert refused(store, _changed(2, {"close_slippage": Decimal("0.05")}, {"close_slippage": Decimal("0.08")})) == []
    assert refused(store, _changed(2, {}, {"close_slippage": Decimal("0.09")})) == ["version 2"]
    recovered = store.recover()
    assert recovered.settings_version == 2
    assert recovered.layers == {("defaults", ""): {"price.enabled": True, "close_slippage": Decimal("0.08")}}


def what_is_unset_is_gone(under: StoreUnderTest) -> None:
    store = leading(under)
    store.seed_settings({"rest_max_s": Decimal(5), "max_spread": Decimal("0.2")}, NOW_NS)

    store.commit([_changed(2, {"rest_max_s": Decimal(5)}, {})])

    assert store.recover().layers == {("defaults", ""): {"max_spread": Decimal("0.2")}}


def _changed(version: int, before: dict[str, object], after: dict[str, object]) -> Commit:
    change = SettingsChanged(
        version=version,
        layer=Layer.DEFAULTS,
        name="",
        before=before,
        after=after,
        reason="r",
        requested_by="p",
        ts=NOW_NS,
    )
    return Commit(sender="trade_desk", cause=f"version {version}", now_ns=NOW_NS, settings=(change,))


def a_halt_stands_until_it_is_ended(under: StoreUnderTest) -> None:
    store = leading(under)
    store.commit([_system("halt", None), _system("reduce_only", "a-1"), _system("reduce_only", "a-2")])
    assert (store.recover().halted, store.recover().reduce_only) == (True, frozenset({"a-1", "a-2"}))

    store.commit([_system("resume", "a-1")])
    assert (store.recover().halted, store.recover().reduce_only) == (True, frozenset({"a-2"}))

    store.commit([_system("resume", None)])
    assert (store.recover().halted, store.recover().reduce_only) == (False, frozenset())


def _system(kind: str, account: str | None) -> Commit:
    event = SystemEvent(kind=kind, body="why", ts=NOW_NS, account=account, requested_by="p")
    return Commit(sender="trade_desk", cause=f"{kind} {account}", now_ns=NOW_NS, system=(event,))


def recovery_gives_what_lives_with_its_coverage_and_counts(under: StoreUnderTest) -> None:
    store = leading(under)
    ended = a_trade("t-2", state=TradeState.CLOSED)
    said = [
        StopCoverage(trade_id=name, coverage=Coverage.UNPROTECTED, why="halted", since=NOW_NS, ts=NOW_NS)
        for name in ("t-1", "t-2")
    ]
    counted = [StopProgress(trade_id=name, rule="trailing", best=Decimal("0.7"), confirms=1) for name in ("t-1", "t-2")]

    store.commit([a_commit(a_trade(), ended, coverage=tuple(said), progress=tuple(counted))])

    recovered = store.recover()
    assert [(trade.trade_id, trade.coverage, trade.coverage_why) for trade in recovered.trades] == [
        ("t-1", "unprotected", "halted")
    ]
    assert recovered.coverage == (said[0],)
    assert recovered.progress == (counted[0],)
    assert (recovered.ended, recovered.ended_ids) == ((ended,), frozenset({"t-2"}))
    assert recovered.accounts == {"paper-1": "paper"}


def an_older_position_does_not_replace_a_newer_one(under: StoreUnderTest) -> None:
    store = leading(under)

    assert refused(store, *(_position(ts) for ts in (NOW_NS, NOW_NS - 1000, NOW_NS + 1000))) == []


def a_position_of_one_side_does_not_replace_that_of_the_other(under: StoreUnderTest) -> None:
    """Lesson 25: what a venue has said of one side is remembered over a restart, whatever it says of the other."""
    store = leading(under)
    store.commit([a_commit(a_trade("t-1", account="a", ticker="T"))])

    assert refused(store, _position(NOW_NS, "no"), _position(NOW_NS + 1000)) == []
    assert [position.side for position in store.recover().positions] == ["no", "yes"]


def _position(ts: int, side: str = "yes") -> Commit:
    position = Position(account="a", ticker="T", ts=ts, side=side, quantity=Decimal(1))  # type: ignore[arg-type]  # a side
    return Commit(sender="trade_desk", cause=str(ts), now_ns=NOW_NS, positions=(position,))


def trades_are_found_by_what_is_asked(under: StoreUnderTest) -> None:
    store = leading(under)
    made: Iterable[Trade] = (
        a_trade("t-1"), a_trade("t-2", state=TradeState.CLOSED), a_trade("t-3", symbol="ETH"), a_trade("t-4", account="paper-2")
    )  # fmt: skip
    store.commit([a_commit(*made)])

    def ids(**arguments: object) -> list[str]:
        return [trade.trade_id for trade in found(store, "trades", arguments)]

    assert ids() == ["t-1", "t-2", "t-3", "t-4"]
    assert ids(states=(TradeState.CLOSED,)) == ["t-2"]
    assert ids(symbol="ETH") == ["t-3"]
    assert ids(account="paper-2") == ["t-4"]
    assert ids(after="t-2", limit=1) == ["t-3"]
    assert found(store, "trade", {"trade_id": "t-2"}).state is TradeState.CLOSED
    assert found(store, "trade", {"trade_id": "t-9"}) is None


CLAUSES: tuple[Callable[[StoreUnderTest], None], ...] = (
    a_trade_comes_back_as_it_was_written,
    a_change_from_another_version_is_refused_and_changes_nothing,
    a_trade_that_stands_is_not_made_anew,
    several_versions_in_one_batch_leave_the_last,
    a_trade_that_has_ended_never_changes,
    an_account_is_paper_or_live,
    a_trade_that_ends_leaves_a_capsule_with_all_that_is_known_of_it,
    what_is_told_of_a_trade_a_moment_after_its_end_is_in_its_capsule,
    a_trade_that_lives_or_never_was_open_has_no_capsule,
    a_trade_has_one_live_close,
    the_next_close_may_follow_the_death_of_the_last,
    an_order_id_is_used_once,
    a_fill_is_booked_once,
    the_neighbours_of_a_bad_commit_stand_in_their_order,
    what_builds_on_a_refused_commit_is_refused_too,
    the_same_input_again_has_no_second_effect,
    the_very_same_commit_again_counts_as_done,
    the_same_key_with_another_body_is_refused,
    the_places_of_inputs_are_known_behind_what_everything_has_reached,
    a_report_is_kept_once,
    what_was_published_is_not_given_again,
    the_outbox_gives_its_words_back,
    every_row_of_one_message_id_is_marked,
    the_lead_goes_to_a_higher_epoch_only,
    an_older_epoch_writes_nothing,
    a_lost_connection_is_replaced,
    streams_stay_on_record_as_they_were_made,
    settings_are_seeded_once_and_change_by_compare_and_set,
    what_is_unset_is_gone,
    a_halt_stands_until_it_is_ended,
    recovery_gives_what_lives_with_its_coverage_and_counts,
    an_older_position_does_not_replace_a_newer_one,
    a_position_of_one_side_does_not_replace_that_of_the_other,
    trades_are_found_by_what_is_asked,
)
"""Every clause of the contract."""

__all__ = ["CLAUSES", "Heartbeat", "StoreUnderTest"]
