"""How changes of coverage are said: at once, in one commit, and a storm as one notice."""

from decimal import Decimal

import pytest

from actors.rules.coverage import board as coverage
from bus.messages.envelope import Outgoing
from bus.messages.market import Ticks
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit
from bus.messages.stops import MarkGiven, MarkState, MarkWanted, StopCoverage
from bus.messages.trades import Attempt, AttemptState, Coverage, Mode, Purpose, Trade, TradeState
from tests.rules.coverage.builders import MARK_INTERVAL_NS, Board
from tests.rules.stops.builders import a_probability, a_quote, a_trade, at, stop

PRICE = stop("price", stop_price="0.30")


def rests(**changes: object) -> Trade:
    attempt = Attempt(
        client_order_id="t1-close-1",
        purpose=Purpose.CLOSE,
        attempt=1,
        state=AttemptState.RESTING,
        quantity=Decimal(10),
        time_in_force="gtc",
    )
    closing: dict[str, object] = {
        "state": TradeState.CLOSING,
        "close_wanted": Decimal(10),
        "attempts": (attempt,),
        "version": 4,
    }
    return a_trade(PRICE, **(closing | changes))


def test_a_change_is_said_at_once_and_stands_in_the_commit() -> None:
    said = Board().hear(a_trade(PRICE))

    assert [type(word) for word in said] == [StopCoverage, Outgoing, Outgoing, Notice, Commit]


def test_the_commit_holds_all_that_was_said_directly() -> None:
    board = Board(a_trade(PRICE))

    commit = board.commits[0]

    assert (commit.sender, commit.outbox, len(commit.coverage)) == ("trade_watcher", tuple(board.outgoing), 1)
    assert all(outgoing.direct for outgoing in commit.outbox)
    assert commit.notices == tuple(board.notices)


def test_coverage_leaves_on_its_own_subject_with_an_id_of_its_own() -> None:
    board = Board(a_trade(PRICE))

    first = board.outgoing[0]

    assert (first.subject, first.msg_id) == ("stop.coverage.t1", f"coverage:t1:{at(0)}:unprotected")


def test_no_two_changes_have_one_id_though_words_come_late() -> None:
    """S10: ticks that waited behind a busy AutoStop are older than the trade that is judged by them."""
    board = Board(a_trade(PRICE, ts=at(9)))

    for seconds, prices in ((1, ("0.55", "0.57")), (2, (None, None)), (3, ("0.55", "0.57")), (4, (None, None))):
        board.hear(Ticks(batch=(a_quote(seconds, *prices),), received_ns=at(seconds)))

    ids = [outgoing.msg_id for outgoing in board.outgoing]
    assert len(ids) == len(set(ids)) > 4


def test_good_news_waits_for_its_commit() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(1, "0.60", "0.62"))

    again = [outgoing for outgoing in board.commits[-1].outbox if isinstance(outgoing.message, Notice)]

    assert [(outgoing.subject, outgoing.direct) for outgoing in again] == [("notice.info.protected_again", False)]


def test_a_critical_notice_says_all_that_a_person_needs() -> None:
    """SPEC 1.5: trade, side, quantity, worst loss left, what is done about it, and the one command to type."""
    notice = Board(a_trade(PRICE, mode=Mode.LIVE)).notices[0]

    assert notice.severity is Severity.CRITICAL
    for said in (
        "t1",
        "yes 10",
        "$6.00",
        "never_fed",
        "as soon as their inputs arrive",
        "run.py trade close t1 --reason",
    ):
        assert said in notice.body


def test_a_storm_is_one_notice_with_a_count_and_a_list() -> None:
    board = Board().tick(a_quote(0, "0.60", "0.62"))
    for number in range(1000):
        board.hear(a_trade(PRICE, trade_id=f"t{number}"))

    board.wait(40)

    assert [notice.title for notice in board.notices] == ["1000 trades are unprotected: feed_silent"]
    assert "t0 yes 10" in board.notices[0].body
    assert "980 more" in board.notices[0].body


def test_a_storm_is_one_commit() -> None:
    board = Board().tick(a_quote(0, "0.60", "0.62"))
    for number in range(100):
        board.hear(a_trade(PRICE, trade_id=f"t{number}"))

    board.wait(40)

    assert len(board.commits[-1].coverage) == 100


def test_a_notice_fits_its_message_however_many_trades_there_are() -> None:
    board = Board().tick(a_quote(0, "0.60", "0.62"))
    for number in range(60):
        board.hear(a_trade(PRICE, trade_id=f"{number:040d}"))

    board.wait(40)

    assert len(board.notices[0].body) <= 2000


def test_a_tick_that_changes_nothing_looks_at_no_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(*(a_trade(PRICE, trade_id=f"t{number}") for number in range(50))).tick(a_quote(1, "0.60", "0.62"))
    looked: list[object] = []
    monkeypatch.setattr(coverage, "verdict", lambda *given: looked.append(given))

    for second in range(2, 20):
        board.tick(a_quote(second, f"0.{second + 40}", f"0.{second + 42}"))

    assert looked == []


def test_a_tick_asks_for_no_timer_while_one_is_pending() -> None:
    """Nothing polls, and nothing is asked for twice."""
    board = Board(a_trade(PRICE)).tick(a_quote(1, "0.60", "0.62"))

    said = board.hear(Ticks(batch=(a_quote(2, "0.61", "0.63"),), received_ns=at(2)))

    assert said == []


def test_a_mark_is_given_with_the_order_it_prices() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(1, "0.60", "0.62"))

    given = board.hear(MarkWanted(trade_id="t1", client_order_id="t1-close-2", now_ns=at(2)))

    assert isinstance(given[0], MarkGiven)
    assert (given[0].client_order_id, given[0].mark.low, given[0].now_ns) == ("t1-close-2", Decimal("0.60"), at(2))


def test_the_mark_of_a_trade_that_nobody_knows_is_unknown() -> None:
    given = Board().hear(MarkWanted(trade_id="t9", client_order_id="t9-close-1", now_ns=at(0)))

    assert isinstance(given[0], MarkGiven)
    assert given[0].mark.state is MarkState.UNKNOWN


def test_a_returning_bid_is_said_once_to_a_close_that_rests() -> None:
    board = Board().tick(a_quote(0, None, "0.05"))
    board.hear(rests())

    board.tick(a_quote(1, None, "0.06"), a_quote(2, "0.03", "0.06"), a_quote(3, "0.04", "0.06"))

    assert [(word.trade_id, word.now_ns) for word in board.returned] == [("t1", at(2))]


def test_a_bid_that_came_back_before_the_close_came_to_rest_is_said_too() -> None:
    board = Board().tick(a_quote(0, "0.03", "0.05"))

    board.hear(rests())

    assert len(board.returned) == 1


def test_no_bid_is_awaited_for_a_close_that_is_being_cancelled() -> None:
    board = Board().tick(a_quote(0, None, "0.05"))
    cancelled = [
        Attempt(
            **{name: getattr(rests().attempts[0], name) for name in Attempt.__struct_fields__}
            | {"cancel_requested": True}
        )
    ]
    board.hear(rests(attempts=tuple(cancelled)))

    board.tick(a_quote(1, "0.03", "0.05"))

    assert board.returned == []


def test_marks_are_said_at_most_once_in_an_interval() -> None:
    board = Board(a_trade(PRICE), mark_interval_ns=MARK_INTERVAL_NS).wait(1)

    board.tick(*(a_quote(1 + step / 100, f"0.{40 + step}", "0.90") for step in range(20)))
    board.wait(2)

    assert [(word.mark.low, word.pnl) for word in board.snapshots if word.mark.low is not None] == [
        (Decimal("0.59"), Decimal("-0.10"))
    ]


def test_a_mark_that_has_not_changed_is_not_said_again() -> None:
    board = Board(a_trade(PRICE), mark_interval_ns=MARK_INTERVAL_NS).tick(a_quote(0, "0.50", "0.60")).wait(1)
    said = len(board.snapshots)

    board.tick(a_quote(0, "0.50", "0.60")).wait(2)

    assert len(board.snapshots) == said


@pytest.mark.parametrize(
    ("spec", "distance"),
    [(PRICE, Decimal("0.20")), (stop("probability", floor_percent=25), Decimal(35))],
    ids=["price", "probability"],
)
def test_a_mark_says_how_far_the_stop_is(spec: object, distance: Decimal) -> None:
    board = Board(a_trade(spec), mark_interval_ns=MARK_INTERVAL_NS)  # type: ignore[arg-type]  # pytest has no types

    board.tick(a_quote(1, "0.50", "0.60"), a_probability(1, 60)).wait(2)

    assert board.snapshots[-1].distance == distance


def test_without_an_interval_no_mark_is_said() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(1, "0.50", "0.60")).wait(5)

    assert board.snapshots == []


def test_coverage_that_was_unprotected_under_another_reason_is_said_again() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(1, None, None))

    assert board.changes == [(Coverage.UNPROTECTED, "never_fed"), (Coverage.UNPROTECTED, "empty_book")]
    assert len({outgoing.msg_id for outgoing in board.outgoing}) == len(board.outgoing)
