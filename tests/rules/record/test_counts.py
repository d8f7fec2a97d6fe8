"""What stops and drawdown rules have counted: of two places that tell of one the later word counts."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.record.counts import LastSnapshot, with_later_counts
from actors.rules.record.mirror import Mirror
from bus.messages.accounts import AccountProgress
from bus.messages.records import Commit, Kept, Recovered, Snapshot
from bus.messages.stops import StopProgress
from bus.messages.trades import TradeState
from tests.rules.desk.builders import T0, S, a_record
from tests.rules.lifecycle.builders import an_open_life

TRADE = an_open_life().trade
STREAMS = {"ORDERS": "monday"}


def counted(confirms: int, seconds: int, trade_id: str = TRADE.trade_id) -> StopProgress:
    return StopProgress(trade_id=trade_id, rule="loss", confirms=confirms, ts=T0 + seconds * S)


def followed(confirms: int, seconds: int, reset_seconds: int = 0) -> AccountProgress:
    """What an account's drawdown has counted. seconds: when it was written down, 0: by code that did not say so."""
    ts, reset_ns = (T0 + each * S if each else 0 for each in (seconds, reset_seconds))
    return AccountProgress(
        account="live-1", balance=Decimal(100), balance_ts=T0, confirms=confirms, ts=ts, reset_ns=reset_ns
    )


def a_snapshot(*progress: StopProgress | AccountProgress) -> Snapshot:
    return Mirror(recorded(*progress), epoch=3, streams=STREAMS, reached={}).snapshot(T0)


def recorded(*progress: StopProgress | AccountProgress) -> Recovered:
    rules = tuple(one for one in progress if isinstance(one, StopProgress))
    accounts = tuple(one for one in progress if isinstance(one, AccountProgress))
    return a_record(trades=(TRADE,), progress=rules, account_progress=accounts)


@pytest.mark.parametrize(("seconds", "confirms"), [(4, 1), (5, 1), (6, 2)])
def test_a_start_from_the_record_goes_on_from_the_later_of_record_and_snapshot(seconds: int, confirms: int) -> None:
    """S12: PostgreSQL was away when it was counted."""
    recovered = with_later_counts(recorded(counted(1, 5)), a_snapshot(counted(2, seconds)), STREAMS)

    assert [one.confirms for one in recovered.progress] == [confirms]


@pytest.mark.parametrize(("seconds", "confirms"), [(0, 1), (4, 1), (5, 1), (6, 2)])
def test_a_drawdown_goes_on_from_the_later_of_record_and_snapshot(seconds: int, confirms: int) -> None:
    """S12: PostgreSQL was away when it was counted."""
    recovered = with_later_counts(recorded(followed(1, 5)), a_snapshot(followed(2, seconds)), STREAMS)

    assert [one.confirms for one in recovered.account_progress] == [confirms]


def test_what_a_person_has_reset_is_not_counted_on_however_late_it_was_written_down() -> None:
    recovered = with_later_counts(recorded(followed(0, 5, 5)), a_snapshot(followed(2, 6)), STREAMS)

    assert [one.confirms for one in recovered.account_progress] == [0]


def test_an_account_that_only_the_snapshot_knows_is_followed_on() -> None:
    assert with_later_counts(recorded(), a_snapshot(followed(2, 6)), STREAMS).account_progress == (followed(2, 6),)


def test_what_only_the_snapshot_knows_of_a_rule_counts_for_a_trade_that_lives() -> None:
    snapshot = a_snapshot(counted(2, 1), counted(2, 1, "gone"))

    assert with_later_counts(recorded(), snapshot, STREAMS).progress == (counted(2, 1),)


def test_a_snapshot_of_other_streams_knows_of_no_trade_of_ours() -> None:
    recovered = with_later_counts(recorded(counted(1, 5)), a_snapshot(counted(2, 6)), {"ORDERS": "tuesday"})

    assert recovered == recorded(counted(1, 5))


def test_a_market_stream_that_was_made_anew_makes_no_snapshot_anothers() -> None:
    """S12, Fault 9: it lives in the memory of NATS, and is another after each of its restarts."""
    snapshot = replace(a_snapshot(counted(2, 6)), streams=STREAMS | {"wk.MARKET": "monday"})

    recovered = with_later_counts(recorded(counted(1, 5)), snapshot, STREAMS | {"wk.MARKET": "tuesday"})

    assert recovered.progress == (counted(2, 6),)


def test_what_was_counted_is_in_the_snapshot_before_it_stands_on_record() -> None:
    mirror = Mirror(recorded(counted(1, 1)), epoch=3, streams=STREAMS, reached={})

    mirror.count((counted(2, 3),), ())
    mirror.hear(
        Kept(
            commits=(Commit(sender="test", cause="test", now_ns=T0, progress=(counted(0, 2),)),), reached={}, now_ns=T0
        )
    )

    assert mirror.snapshot(T0).progress == (counted(2, 3),)


def test_what_a_drawdown_has_counted_is_in_the_snapshot_before_it_stands_on_record() -> None:
    """S12"""
    mirror = Mirror(recorded(followed(1, 1)), epoch=3, streams=STREAMS, reached={})

    mirror.count((), (followed(2, 3),))

    assert mirror.snapshot(T0).account_progress == (followed(2, 3),)


def test_of_a_trade_that_has_ended_nothing_is_counted_any_more() -> None:
    ended = replace(TRADE, state=TradeState.CLOSED, version=TRADE.version + 1)
    mirror = Mirror(a_record(ended=(ended,)), epoch=3, streams=STREAMS, reached={})

    mirror.count((counted(2, 3),), ())

    assert mirror.snapshot(T0).progress == ()


def test_without_the_record_a_snapshot_stays_as_old_as_it_is_and_only_counts_go_on() -> None:
    """Counting makes no old trade look young."""
    last = LastSnapshot(a_snapshot(counted(1, 1), followed(1, 1)))

    last.count((counted(2, 3),), (followed(2, 3),))

    assert last.snapshot(T0 + 60 * S) == a_snapshot(counted(2, 3), followed(2, 3))
