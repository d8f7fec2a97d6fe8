"""News from outside: reports, lifecycle events, settlements, positions, and what nobody can read."""

import pytest
from msgspec.structs import replace

from actors.rules.desk.desk import RecordRefused
from bus.messages.envelope import Delivery, Malformed
from bus.messages.market import Result
from bus.messages.orders import Balance, Position, Settlement, VenueQuestion
from bus.messages.records import Commit, CommitRefused
from bus.messages.stops import StopCoverage
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Coverage, Side, Trade, TradeState
from tests.rules.desk.builders import (
    T0,
    TICKER,
    D,
    S,
    a_close,
    a_command,
    a_desk,
    a_fired,
    a_lifecycle,
    a_live_open,
    a_report,
    an_open,
    code_of,
    commit_of,
    of_kind,
    opened,
    received,
    trade_of,
)

LIFECYCLE = "market.lifecycle.x"


def a_malformed(subject: str = "trade.command.open", received_ns: int = T0, reply_to: str | None = None) -> Malformed:
    delivery = Delivery(stream="LEDGER", sequence=9, token="$JS.ACK.9")
    return Malformed(
        subject=subject, body=b"\xff{", reason="not JSON", received_ns=received_ns, delivery=delivery, reply_to=reply_to
    )


def test_a_fill_stands_with_its_report_its_trade_and_its_inbox_row() -> None:
    """Lesson 63: one transaction for each transition."""
    desk = a_desk()
    desk.handle(received(an_open()))

    commit = commit_of(desk.handle(a_command(a_report(), subject="order.report.t1-entry-1")))

    assert [fill.fill.fill_id for fill in commit.fills] == ["f-t1-entry"]
    assert (len(commit.reports), commit.trades[0].state, commit.inbox is not None) == (1, TradeState.OPEN, True)
    assert commit.delivery is not None


def test_the_same_report_again_is_acknowledged_and_books_nothing() -> None:
    """Fault 24"""
    desk = opened(a_desk())
    report = a_command(a_report(), key="report:t1-entry-1:f-t1-entry")
    desk.handle(report)

    commit = commit_of(desk.handle(report))

    assert (commit.fills, commit.inbox, commit.delivery is not None) == ((), None, True)


def test_a_fill_under_another_message_id_is_booked_once() -> None:
    desk = opened(a_desk())

    commit = commit_of(desk.handle(a_command(a_report(), subject="order.report.t1-entry-1")))

    assert (commit.fills, commit.trades) == ((), ())


def test_a_report_of_an_order_that_no_trade_has_goes_into_quarantine_with_a_notice() -> None:
    """Lesson 32: unknown goes to the dead letters, loudly."""
    commit = commit_of(a_desk().handle(a_command(a_report("ghost"), subject="order.report.ghost-entry-1")))

    assert [row.reason for row in commit.quarantined] == ["no trade has the order ghost-entry-1"]
    assert [(notice.kind, notice.severity) for notice in commit.notices] == [("unknown_order", "critical")]


def test_a_report_of_an_adapters_check_is_acknowledged_and_nobodys_alarm() -> None:
    report = a_report("wk-check-6925f0aa-3")

    commit = commit_of(a_desk().handle(a_command(report, subject="order.report.wk-check-6925f0aa-3-entry-1")))

    assert (commit.quarantined, commit.notices, commit.delivery is not None) == ((), (), True)


def test_an_order_that_its_trade_never_issued_is_unknown() -> None:
    report = a_report(client_order_id="t1-close-9")

    commit = commit_of(opened(a_desk()).handle(a_command(report, subject="order.report.t1-close-9")))

    assert (len(commit.quarantined), commit.trades) == (1, ())


def test_a_late_fill_of_a_closed_trade_becomes_a_trade_of_its_own_once() -> None:
    desk = opened(a_desk())
    desk.handle(a_fired())
    desk.handle(a_command(a_report(purpose="close", fill_price=D("0.30")), subject="order.report.t1-close-1"))
    late = a_report(fill_id="late", fill_quantity=D(2), cumulative_quantity=D(12))

    commits = of_kind(desk.handle(a_command(late, subject="order.report.t1-entry-1")), Commit)
    again = of_kind(desk.handle(a_command(late, subject="order.report.t1-entry-1")), Commit)

    born = {trade.trade_id for commit in commits for trade in commit.trades}
    assert len(born) == 1
    assert born.pop().startswith("r-")
    assert [commit.trades for commit in again] == [()]


def test_a_lifecycle_event_without_trades_costs_one_inbox_row() -> None:
    commit = commit_of(a_desk().handle(a_command(a_lifecycle("close"), subject=LIFECYCLE)))

    assert commit.inbox is not None
    assert (commit.trades, commit.outbox, commit.notices) == ((), (), ())


def test_an_unknown_event_is_kept_and_ignored() -> None:
    """Lesson 32: a closed list, and what is not on it harms nobody."""
    desk = opened(a_desk())

    commit = commit_of(desk.handle(a_command(a_lifecycle("renamed"), subject=LIFECYCLE)))

    assert (commit.inbox is not None, commit.trades) == (True, ())


def test_only_trades_of_the_market_that_closed_expire() -> None:
    """Lesson 34"""
    desk = opened(a_desk(), an_open(), an_open("t2", ticker="OTHER"))

    desk.handle(a_command(a_lifecycle("close"), subject=LIFECYCLE, received_ns=T0 + 61 * S))

    assert [trade_of(desk, trade_id).state for trade_id in ("t1", "t2")] == [TradeState.EXPIRED, TradeState.OPEN]


def test_a_close_on_a_market_that_has_closed_says_that_settlement_comes() -> None:
    desk = opened(a_desk())
    desk.handle(a_command(a_lifecycle("close"), subject=LIFECYCLE, received_ns=T0 + 61 * S))

    said = desk.handle(received(a_close(), subject="trade.request.close"))

    assert code_of(said) == "market_closed"


def test_each_paper_trade_settles_with_its_own_profit() -> None:
    """Lesson 36, Lesson 62"""
    desk = opened(a_desk(), an_open(), an_open("t2", quantity=D(3)))

    event = a_lifecycle("settled", result="yes")
    desk.handle(a_command(event, subject=LIFECYCLE, received_ns=T0 + 61 * S))

    assert [trade_of(desk, trade_id).pnl for trade_id in ("t1", "t2")] == [D("4.0"), D("1.2")]


def test_a_settlement_shares_its_fees_among_the_trades_that_it_pays() -> None:
    """Lesson 36: what the trades earn adds up to what the venue paid."""
    desk = opened(a_desk(), a_live_open(), a_live_open("t2", quantity=D(30)))
    desk.handle(a_command(a_lifecycle("close"), subject=LIFECYCLE, received_ns=T0 + 61 * S))
    paid = Settlement(account="real", ticker=TICKER, ts=T0 + 90 * S, result="yes", revenue=D(40), fees=D("0.40"))

    said = desk.handle(a_command(paid, subject="account.settlement.real", received_ns=T0 + 90 * S))

    trades = [trade_of(desk, trade_id) for trade_id in ("t1", "t2")]
    assert [trade.fees for trade in trades] == [D("0.1"), D("0.3")]
    assert sum(trade.pnl for trade in trades) == D(40) - D(24) - D("0.40")
    assert commit_of(said).settlements == (paid,)


def test_a_settlement_that_does_not_add_up_is_an_alarm() -> None:
    """Lesson 40: a mismatch is told, never smoothed."""
    desk = opened(a_desk(), a_live_open())
    desk.handle(a_command(a_lifecycle("close"), subject=LIFECYCLE, received_ns=T0 + 61 * S))
    paid = Settlement(account="real", ticker=TICKER, ts=T0 + 90 * S, result="yes", revenue=D(7))

    commit = commit_of(desk.handle(a_command(paid, subject="account.settlement.real", received_ns=T0 + 90 * S)))

    assert "position_mismatch" in [notice.kind for notice in commit.notices]


@pytest.mark.parametrize("account", ["real", "other"])
def test_a_position_is_kept_as_the_venue_said_it(account: str) -> None:
    position = Position(account=account, ticker=TICKER, ts=T0, side=Side.YES, quantity=D(10))

    commit = commit_of(opened(a_desk()).handle(a_command(position, subject=f"account.position.{account}")))

    assert commit.positions == (position,)


def test_a_balance_is_proved_and_nothing_more() -> None:
    commit = commit_of(
        a_desk().handle(a_command(Balance(account="real", ts=T0, balance=D(5)), subject="account.balance.real"))
    )

    assert (commit.inbox is not None, commit.trades, commit.outbox) == (True, (), ())


def test_a_malformed_input_is_quarantined_with_its_raw_bytes_and_acknowledged() -> None:
    """Lesson 32"""
    commit = commit_of(a_desk().handle(a_malformed()))

    assert [(row.body, row.reason) for row in commit.quarantined] == [(b"\xff{", "not JSON")]
    assert (commit.delivery is not None, [notice.kind for notice in commit.notices]) == (True, ["malformed"])


def test_whoever_asked_in_a_malformed_way_is_told_so() -> None:
    """Lesson 54: an error is an error, never a success with words in it."""
    said = a_desk().handle(a_malformed("trade.request.open", reply_to="_INBOX.1"))

    assert code_of(said) == "malformed"


def test_a_storm_of_malformed_inputs_is_one_notice_and_a_row_for_each() -> None:
    desk = a_desk()

    commits = [commit_of(desk.handle(a_malformed(received_ns=T0 + number))) for number in range(100)]

    assert sum(len(commit.notices) for commit in commits) == 1
    assert sum(len(commit.quarantined) for commit in commits) == 100


def test_the_storm_is_told_again_after_ten_seconds() -> None:
    desk = a_desk()
    desk.handle(a_malformed())

    commit = commit_of(desk.handle(a_malformed(received_ns=T0 + 10 * S)))

    assert len(commit.notices) == 1


def test_coverage_is_said_with_the_next_version_and_makes_none_itself() -> None:
    desk = opened(a_desk())
    before = trade_of(desk)
    coverage = StopCoverage(trade_id="t1", coverage=Coverage.ARMED, why="probability", since=T0, ts=T0)

    said = desk.handle(coverage)

    assert said == []
    assert (trade_of(desk).coverage, trade_of(desk).version) == (Coverage.ARMED, before.version)
    assert commit_of(desk.handle(a_fired())).trades[0].coverage_why == "probability"


def test_timers_and_marks_of_trades_that_are_gone_say_nothing() -> None:
    said = a_desk().handle(TimerFired(owner="trade_desk", key="gone:next_attempt", due_ns=T0, now_ns=T0))

    assert said == []


def test_a_refused_decision_ends_the_desk() -> None:
    """Memory ahead of the record: nothing further may be decided on it."""
    commit = commit_of(a_desk().handle(received(an_open())))

    with pytest.raises(RecordRefused):
        a_desk().handle(CommitRefused(commit=commit, error="version 1 stands"))


def test_a_word_that_crashes_the_desk_leaves_it_as_it_was() -> None:
    """Lesson 15: one poisonous confirmation strands nobody."""
    desk = opened(a_desk())
    before = trade_of(desk)
    poison = replace(a_report(purpose="close"), fill_price="not a price")

    desk.handle(a_fired())
    closing = trade_of(desk)
    with pytest.raises(TypeError):
        desk.handle(a_command(poison, subject="order.report.t1-close-1"))

    assert before.version + 1 == closing.version
    assert trade_of(desk) is closing
    assert of_kind(desk.handle(a_command(a_report(purpose="close"), subject="order.report.t1-close-1")), Trade) != []


def test_a_market_with_very_many_trades_is_kept_in_several_commits_and_acknowledged_by_the_last() -> None:
    desk = opened(a_desk(), *(an_open(f"t{number}") for number in range(501)))

    commits = of_kind(
        desk.handle(a_command(a_lifecycle("settled", result=Result.NO), subject=LIFECYCLE, received_ns=T0 + 61 * S)),
        Commit,
    )

    assert [len(commit.trades) for commit in commits] == [500, 1]
    assert [commit.delivery is not None for commit in commits] == [False, True]
    assert [commit.inbox is not None for commit in commits] == [False, True]


def _expiry(trade_id: str, due_ns: int) -> TimerFired:
    return TimerFired(owner="trade_desk", key=f"{trade_id}:expiry", due_ns=due_ns, now_ns=due_ns)


def test_trades_that_wait_for_their_settlement_hold_up_nobody() -> None:
    """Lesson 35: the next hour's market expires on time, and the old one is settled whenever its result comes."""
    hours = [T0 + hour * 3600 * S for hour in (1, 2)]
    desk = opened(a_desk(), *(an_open(f"t{n}", ticker=f"HOUR-{n}", close_ts=ts) for n, ts in enumerate(hours)))
    for number, close_ts in enumerate(hours):
        desk.handle(_expiry(f"t{number}", close_ts))
    both = [trade_of(desk, "t0").state, trade_of(desk, "t1").state]

    result = a_lifecycle("settled", "HOUR-0", result=Result.YES, ts=T0 + 86_400 * S)
    said = desk.handle(a_command(result, subject=LIFECYCLE, received_ns=T0 + 86_400 * S))

    assert both == [TradeState.EXPIRED, TradeState.EXPIRED]
    assert [(trade.trade_id, trade.state) for trade in of_kind(said, Trade)] == [("t0", TradeState.SETTLED)]


def test_while_a_trade_waits_for_its_settlement_nothing_is_asked_and_no_timer_runs() -> None:
    """Lesson 35: settlement is an event, never a poll."""
    close_ts = T0 + 3600 * S
    desk = opened(a_desk(), an_open(close_ts=close_ts))

    said = desk.handle(_expiry("t1", close_ts))

    assert trade_of(desk).state is TradeState.EXPIRED
    assert [word for word in said if isinstance(word, SetTimer | VenueQuestion)] == []
