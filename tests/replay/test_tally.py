from decimal import Decimal

import pytest

from actors.replay.tally import Tally, percentile_us
from bus.messages.addresses import submit_id
from bus.messages.demo import DemoCommits, DemoRecording, DemoSettings, DemoSummary
from bus.messages.envelope import Outgoing
from bus.messages.orders import Action, OrderReport, OrderSubmit, ReportStatus
from bus.messages.records import Commit, Quarantined
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Mode, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S
from tests.replay.builders import START_NS


def at(second: int) -> int:
    return START_NS + second * NS_PER_S


def a_trade(state: TradeState, line: int = 1, *, version: int = 1, pnl: str = "0", rule: str | None = None) -> Trade:
    filled = Decimal(0) if state in (TradeState.PENDING, TradeState.REJECTED) else Decimal(1)
    return Trade(
        trade_id=f"demo-{line}",
        state=state,
        version=version,
        account="a",
        venue="paper",
        mode=Mode.PAPER,
        ticker="T",
        side=Side.YES,
        quantity=Decimal(1),
        filled_quantity=filled,
        ts=at(100),
        pnl=Decimal(pnl),
        rule=rule,
    )


def a_close(attempt: int = 1, line: int = 1) -> Outgoing:
    order = OrderSubmit(
        client_order_id=f"demo-{line}-close-{attempt}",
        trade_id=f"demo-{line}",
        account="a",
        mode=Mode.PAPER,
        purpose=Purpose.CLOSE,
        attempt=attempt,
        ticker="T",
        side=Side.YES,
        action=Action.SELL,
        quantity=Decimal(1),
        reduce_only=True,
        expires_ts=at(30),
        epoch=1,
        cause="c",
        trade_version=1,
        settings_version=1,
        ts=at(0),
    )
    return Outgoing(subject="order.submit.paper", msg_id=submit_id(order), message=order, direct=True)


def a_report(status: ReportStatus, attempt: int = 1) -> OrderReport:
    return OrderReport(client_order_id=f"demo-1-close-{attempt}", ts=at(0), status=status)


def a_coverage(coverage: Coverage, second: int) -> StopCoverage:
    return StopCoverage(trade_id="demo-1", coverage=coverage, why="why", since=at(second), ts=at(second))


def the_document(*words: object, clock: list[int] | None = None) -> DemoSummary:
    ticks = iter(clock or [])
    tally = Tally(lambda: next(ticks, 0))
    for word in words:
        if word == "released":
            tally.released()
        else:
            tally.hear(word)
    return tally.document(
        DemoRecording(name="r", events=1, begin=at(0), end=at(100)),
        DemoSettings(source="s", stops={}, venue={}, strategy={}),
        round_trips_ns=(),
        commits=DemoCommits(rows=0, transactions=0),
        lost_messages=0,
        now_ns=at(100),
    )


def test_trades_are_counted_by_how_they_stand_at_the_end() -> None:
    states = [TradeState.CLOSED, TradeState.SETTLED, TradeState.EXPIRED, TradeState.CLOSING, TradeState.REJECTED]

    counts = the_document(*(a_trade(state, line, rule="price") for line, state in enumerate(states))).counts

    assert (counts.opened, counts.stopped, counts.settled, counts.expired, counts.open, counts.rejected) == (
        4,
        1,
        1,
        1,
        1,
        1,
    )


def test_a_trade_that_a_person_closed_is_not_counted_as_stopped() -> None:
    assert the_document(a_trade(TradeState.CLOSED)).counts.stopped == 0


def test_trades_stand_in_the_order_of_their_lines_and_add_up() -> None:
    document = the_document(*(a_trade(TradeState.CLOSED, line, pnl="1.5") for line in (100, 9, 20)))

    assert [trade.trade_id for trade in document.trades] == ["demo-9", "demo-20", "demo-100"]
    assert document.pnl == Decimal("4.5")


def test_a_word_that_comes_late_does_not_undo_a_newer_one() -> None:
    document = the_document(a_trade(TradeState.CLOSED, version=3), a_trade(TradeState.CLOSING, version=2))

    assert document.trades[0].state is TradeState.CLOSED


def test_a_close_that_leaves_while_another_is_alive_is_a_duplicate() -> None:
    assert the_document(a_close(1), a_close(2)).duplicate_closes == 1


def test_a_close_sent_again_under_its_id_is_a_duplicate() -> None:
    assert the_document(a_close(1), a_report(ReportStatus.CANCELLED), a_close(1)).duplicate_closes == 1


@pytest.mark.parametrize("status", [ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.REJECTED])
def test_the_next_attempt_after_the_death_of_the_last_is_none(status: ReportStatus) -> None:
    assert the_document(a_close(1), a_report(status), a_close(2)).duplicate_closes == 0


def test_a_close_that_was_only_accepted_is_still_alive() -> None:
    assert the_document(a_close(1), a_report(ReportStatus.ACCEPTED), a_close(2)).duplicate_closes == 1


def test_unprotected_seconds_are_recorded_seconds() -> None:
    words = (a_coverage(Coverage.UNPROTECTED, 10), a_coverage(Coverage.UNPROTECTED, 12), a_coverage(Coverage.ARMED, 15))

    assert the_document(*words).unprotected_trade_seconds == 5


def test_an_ended_trade_is_not_unprotected_any_more() -> None:
    words = (a_coverage(Coverage.UNPROTECTED, 90), a_trade(TradeState.SETTLED), a_coverage(Coverage.ARMED, 300))

    assert the_document(*words).unprotected_trade_seconds == 10


def test_a_trade_that_is_unprotected_at_the_end_counts_until_then() -> None:
    assert the_document(a_coverage(Coverage.UNPROTECTED, 70)).unprotected_trade_seconds == 30


def test_only_the_first_order_of_a_close_measures_the_way_from_tick_to_order() -> None:
    words = ("released", a_close(1), a_report(ReportStatus.CANCELLED), "released", a_close(2))

    latency = the_document(*words, clock=[1_000, 51_000, 60_000, 90_000]).latency_us.tick_to_order

    assert (latency.p50, latency.p99, latency.n) == (50, 50, 1)


def test_inputs_in_quarantine_are_counted() -> None:
    bad = Quarantined(subject="s", body=b"", reason="r", received_ns=at(0))

    assert the_document(Commit(sender="trade_desk", cause="c", now_ns=at(0), quarantined=(bad, bad))).quarantined == 2


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_a_percentile_is_a_sample(percent: int, value: int) -> None:
    assert percentile_us([n * 1_000 for n in range(100, 0, -1)], percent) == value


def test_without_samples_there_is_no_percentile() -> None:
    assert percentile_us([], 50) is None
