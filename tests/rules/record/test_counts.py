"""What stops have counted: of two places that tell of a rule the later word counts."""

import pytest
from msgspec.structs import replace

from actors.rules.record.counts import LastSnapshot, with_later_counts
from actors.rules.record.mirror import Mirror
from bus.messages.records import Commit, Kept, Recovered, Snapshot
from bus.messages.stops import StopProgress
from bus.messages.trades import TradeState
from tests.rules.desk.builders import T0, S, a_record
from tests.rules.lifecycle.builders import an_open_life

TRADE = an_open_life().trade
STREAMS = {"ORDERS": "monday"}


def counted(confirms: int, seconds: int, trade_id: str = TRADE.trade_id) -> StopProgress:
    return StopProgress(trade_id=trade_id, rule="loss", confirms=confirms, ts=T0 + seconds * S)


def a_snapshot(*progress: StopProgress) -> Snapshot:
    return Mirror(a_record(trades=(TRADE,), progress=progress), epoch=3, streams=STREAMS, reached={}).snapshot(T0)


def recorded(*progress: StopProgress) -> Recovered:
    return a_record(trades=(TRADE,), progress=progress)


@pytest.mark.parametrize(("seconds", "confirms"), [(4, 1), (5, 1), (6, 2)])
def test_a_start_from_the_record_goes_on_from_the_later_of_record_and_snapshot(seconds: int, confirms: int) -> None:
    """S12: PostgreSQL was away when it was counted."""
    recovered = with_later_counts(recorded(counted(1, 5)), a_snapshot(counted(2, seconds)), STREAMS)

    assert [one.confirms for one in recovered.progress] == [confirms]


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

    mirror.count((counted(2, 3),))
    mirror.hear(
        Kept(
            commits=(Commit(sender="test", cause="test", now_ns=T0, progress=(counted(0, 2),)),), reached={}, now_ns=T0
        )
    )

    assert mirror.snapshot(T0).progress == (counted(2, 3),)


def test_of_a_trade_that_has_ended_nothing_is_counted_any_more() -> None:
    ended = replace(TRADE, state=TradeState.CLOSED, version=TRADE.version + 1)
    mirror = Mirror(a_record(ended=(ended,)), epoch=3, streams=STREAMS, reached={})

    mirror.count((counted(2, 3),))

    assert mirror.snapshot(T0).progress == ()


def test_without_the_record_a_snapshot_stays_as_old_as_it_is_and_only_counts_go_on() -> None:
    """Counting makes no old trade look young."""
    last = LastSnapshot(a_snapshot(counted(1, 1)))

    last.count((counted(2, 3),))

    assert last.snapshot(T0 + 60 * S) == a_snapshot(counted(2, 3))
