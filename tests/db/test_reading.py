"""What the house starts from, and what it answers from the record."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bus.messages.orders import Position, Settlement
from bus.messages.records import Place, Quarantined, Query
from bus.messages.settings import SettingsHistory
from bus.messages.stops import StopCoverage, StopProgress
from bus.messages.trades import Coverage, Side, Trade, Trades, TradeState
from db import recovery
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_commit, a_fill, a_trade, an_input
from tests.db.conftest import Ask
from tests.db.test_commit import a_change

SECOND_NS = 1_000_000_000


def ask_for(store: PostgresStore, kind: str, **arguments: object) -> object:
    return store.query(Query(kind=kind, arguments=arguments, reply_to="_INBOX.1", now_ns=NOW_NS))


def ids(answer: object) -> list[str]:
    assert isinstance(answer, Trades)
    return [trade.trade_id for trade in answer.trades]


@pytest.fixture
def five(store: PostgresStore) -> PostgresStore:
    """Five trades: two of them ended, one of another account and symbol, each a second younger than the one before."""
    states = (TradeState.OPEN, TradeState.CLOSED, TradeState.CLOSING, TradeState.SETTLED, TradeState.UNKNOWN)
    trades = [a_trade(f"t-{n}", state=state, ts=NOW_NS + n * SECOND_NS) for n, state in enumerate(states, 1)]
    trades[4] = a_trade("t-5", state=TradeState.UNKNOWN, account="paper-2", symbol="ETH", ts=NOW_NS + 5 * SECOND_NS)
    store.commit([a_commit(trade) for trade in trades])
    return store


def test_an_empty_record_is_a_beginning(store: PostgresStore) -> None:
    """Fault 49"""
    recovered = store.recover()

    assert (recovered.trades, recovered.seen, recovered.settings_version, recovered.epoch) == ((), {}, 0, 1)
    assert not recovered.halted


def test_recovery_gives_the_trades_that_have_not_ended(five: PostgresStore) -> None:
    """Lesson 16"""
    recovered = five.recover()

    assert [trade.trade_id for trade in recovered.trades] == ["t-1", "t-3", "t-5"]
    assert [trade.trade_id for trade in recovered.ended] == ["t-2", "t-4"]
    assert recovered.ended_ids == {"t-2", "t-4"}
    assert recovered.accounts == {"paper-1": "paper", "paper-2": "paper"}


def test_recovery_is_the_same_each_time(five: PostgresStore) -> None:
    """Fault 8"""
    assert five.recover() == five.recover()


def test_recovery_gives_what_stops_have_counted(store: PostgresStore) -> None:
    """Lesson 5"""
    progress = StopProgress(
        trade_id="t-1",
        rule="trailing",
        best=Decimal("0.930"),
        active=True,
        confirms=1,
        counted={"exit": NOW_NS},
        decisions=3,
    )
    store.commit([a_commit(a_trade(), progress=(StopProgress(trade_id="t-1", rule="trailing"), progress))])

    assert store.recover().progress == (progress,)


def test_a_trade_is_listed_and_recovered_with_the_coverage_in_force(store: PostgresStore) -> None:
    """Lesson 13: its own row is older than the news that nothing protects it any more."""
    trade = a_trade(state=TradeState.OPEN, coverage=Coverage.ARMED, coverage_why="price")
    news = StopCoverage(trade_id="t-1", coverage=Coverage.UNPROTECTED, why="feed_silent", since=NOW_NS, ts=NOW_NS)

    store.commit([a_commit(trade), a_commit(coverage=(news,))])

    listed = ask_for(store, "trades")
    assert isinstance(listed, Trades)
    assert [(each.coverage, each.coverage_why) for each in (*listed.trades, *store.recover().trades)] == [
        (Coverage.UNPROTECTED, "feed_silent")
    ] * 2


def test_recovery_gives_the_coverage_in_force(store: PostgresStore) -> None:
    """Lesson 13"""
    said = [
        StopCoverage(trade_id="t-1", coverage=coverage, why="w", since=NOW_NS, ts=NOW_NS)
        for coverage in (Coverage.ARMED, Coverage.UNPROTECTED)
    ]
    store.commit([a_commit(a_trade(), coverage=tuple(said))])

    assert store.recover().coverage == (said[1],)


def test_recovery_gives_what_venues_said_of_the_tickers_of_living_trades(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 55"""
    monkeypatch.setattr(recovery, "_POSITIONS_MAX", 0)
    trade = a_trade()
    here, elsewhere = (_flat(trade.account, ticker) for ticker in (trade.ticker, "ELSEWHERE"))
    store.commit([a_commit(trade, positions=(here, elsewhere))])

    assert store.recover().positions == (here,)


def test_recovery_gives_what_venues_said_last_of_tickers_without_a_trade(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 55: what somebody closed by hand may be taken over by us only then."""
    monkeypatch.setattr(recovery, "_POSITIONS_MAX", 1)
    older, newer = (replace(_flat("a", ticker), ts=ts) for ticker, ts in (("T1", NOW_NS - SECOND_NS), ("T2", NOW_NS)))
    store.commit([a_commit(positions=(older, newer))])

    assert store.recover().positions == (newer,)


def _flat(account: str, ticker: str) -> Position:
    return Position(account=account, ticker=ticker, ts=NOW_NS, side=Side.YES, quantity=Decimal(0))


def test_recovery_gives_how_venues_settled_oldest_first(store: PostgresStore) -> None:
    newer, older = (
        Settlement(account="a", ticker=ticker, ts=ts, result="yes", revenue=Decimal(5), fees=Decimal("0.10"))
        for ticker, ts in (("T2", NOW_NS), ("T1", NOW_NS - SECOND_NS))
    )
    store.commit([a_commit(settlements=(newer, older))])

    assert store.recover().settlements == (older, newer)


def test_recovery_gives_the_inputs_and_fills_that_had_their_effect(store: PostgresStore) -> None:
    """Fault 3"""
    older, newer = an_input("old", received_ns=NOW_NS), an_input("new", received_ns=NOW_NS + 1000)
    store.commit([a_commit(inbox=newer), a_commit(a_trade(), inbox=older, fills=(a_fill("f-9"),))])

    recovered = store.recover()

    assert list(recovered.seen) == ["old", "new"]
    assert recovered.fill_ids == {("paper-1", "f-9")}


def test_the_inputs_that_are_settled_are_known_by_their_place(store: PostgresStore) -> None:
    """Fault 3, Fault 4"""
    for stream in ("LEDGER", "ORDERS", "NOTICES"):
        store.record_stream(stream, "2026-01-01T00:00:00Z", NOW_NS)
    ledger = [a_commit(inbox=an_input(f"k-{n}", stream="LEDGER", sequence=n)) for n in (7, 9, 12)]
    bad = Quarantined(subject="s", body=b"", reason="r", received_ns=NOW_NS, stream="ORDERS", sequence=3)
    store.commit([*ledger, a_commit(quarantined=(bad,)), a_commit(inbox=an_input("asked"))])

    store.mark_published([], NOW_NS, {"LEDGER": 7})

    assert store.places() == {
        "LEDGER": Place(reached=7, beyond=frozenset({9, 12})),
        "ORDERS": Place(beyond=frozenset({3})),
        "NOTICES": Place(),
    }


def test_how_far_a_stream_has_had_its_effect_never_falls(store: PostgresStore) -> None:
    store.record_stream("ORDERS", "2026-01-01T00:00:00Z", NOW_NS)

    for reached in (7, 5):
        store.mark_published([], NOW_NS, {"ORDERS": reached})

    assert store.places()["ORDERS"].reached == 7


def test_what_was_heard_from_a_stream_says_nothing_about_another_of_its_name(store: PostgresStore, ask: Ask) -> None:
    """Fault 13: one that was made anew counts from 1 again."""
    store.record_stream("LEDGER", "2026-01-01T00:00:00Z", NOW_NS)
    store.commit([a_commit(inbox=an_input("old", stream="LEDGER", sequence=4, received_ns=NOW_NS + 1000))])
    store.mark_published([], NOW_NS, {"LEDGER": 3})

    ask("DELETE FROM streams")
    store.record_stream("LEDGER", "2026-02-02T00:00:00Z", NOW_NS + 2000)
    store.commit([a_commit(inbox=an_input("new", stream="LEDGER", sequence=2, received_ns=NOW_NS + 3000))])

    assert store.places() == {"LEDGER": Place(beyond=frozenset({2}))}


def test_streams_stay_on_record_as_they_were_made(store: PostgresStore) -> None:
    """Fault 14"""
    store.record_stream("ORDERS", "2026-01-01T00:00:00.123456789Z", NOW_NS)
    store.record_stream("ORDERS", "2026-02-02T00:00:00Z", NOW_NS)

    assert store.streams() == {"ORDERS": "2026-01-01T00:00:00.123456789Z"}


def test_a_trade_is_found_by_its_id(five: PostgresStore) -> None:
    found = ask_for(five, "trade", trade_id="t-4")

    assert isinstance(found, Trade)
    assert found.state == TradeState.SETTLED
    assert ask_for(five, "trade", trade_id="nobody") is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["t-1", "t-2", "t-3", "t-4", "t-5"]),
        ({"states": (TradeState.CLOSED, TradeState.SETTLED)}, ["t-2", "t-4"]),
        ({"account": "paper-2"}, ["t-5"]),
        ({"symbol": "BTC", "states": (TradeState.OPEN,)}, ["t-1"]),
        ({"since": NOW_NS + 4 * SECOND_NS}, ["t-4", "t-5"]),
        ({"after": "t-3"}, ["t-4", "t-5"]),
        ({"account": "nobody"}, []),
        ({"states": None, "account": None, "since": None, "after": None, "limit": 2}, ["t-1", "t-2"]),
    ],
)
def test_trades_are_found_by(five: PostgresStore, filters: dict[str, object], expected: list[str]) -> None:
    assert ids(ask_for(five, "trades", **filters)) == expected


def test_pages_follow_each_other_to_the_end(five: PostgresStore) -> None:
    """Lesson 44"""
    pages, after = [], None
    while True:
        page = ask_for(five, "trades", limit=2, after=after)
        assert isinstance(page, Trades)
        pages.append(ids(page))
        if (after := page.next) is None:
            break

    assert pages == [["t-1", "t-2"], ["t-3", "t-4"], ["t-5"]]


def test_the_history_of_settings_is_told_newest_first(store: PostgresStore) -> None:
    store.seed_settings({"a": Decimal("0.10")}, NOW_NS)
    store.commit([a_commit(settings=(a_change(2, a=Decimal("0.20")),))])

    first = ask_for(store, "settings_history", limit=1)
    assert isinstance(first, SettingsHistory)
    second = ask_for(store, "settings_history", limit=1, after=first.next)

    assert isinstance(second, SettingsHistory)
    assert [change.after for change in (*first.changes, *second.changes)] == [
        {"a": Decimal("0.20")},
        {"a": Decimal("0.10")},
    ]
    assert second.next is None


def test_an_unknown_question_is_refused(store: PostgresStore) -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        ask_for(store, "gossip")
