"""Coverage held against what TradeDesk holds: what differs for longer than words can cross is found, and what is unprotected is timed."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given

from actors.rules.coverage.protection import GRACE_NS, Protection
from bus.messages.notices import Notice, Severity
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Trade, TradeState
from bus.messages.units import NS_PER_S, ZERO
from tests.rules.coverage.builders import Board
from tests.rules.coverage.test_coverage_properties import CALM, STORIES, Story
from tests.rules.stops.builders import a_trade, at

HOUR_S = 3600


def covered(
    coverage: Coverage = Coverage.ARMED, why: str = "price", seconds: float = 0, trade_id: str = "t1"
) -> StopCoverage:
    return StopCoverage(trade_id=trade_id, coverage=coverage, why=why, since=at(seconds), ts=at(seconds))


def unprotected(seconds: float = 0, why: str = "empty_book", trade_id: str = "t1") -> StopCoverage:
    return covered(Coverage.UNPROTECTED, why, seconds, trade_id)


def a_notice(seconds: float = 0, trade_id: str | None = "t1", kind: str = "unprotected") -> Notice:
    return Notice(
        notice_id="n", kind=kind, severity=Severity.CRITICAL, title="t", body="b", dedupe_key="d", ts=at(seconds), trade_id=trade_id
    )  # fmt: skip


def a_closing(seconds: float = 0) -> Trade:
    trade = a_trade(state=TradeState.CLOSING, ts=at(seconds))
    return msgspec.structs.replace(trade, close_wanted=trade.open_quantity)


class Told(Protection):
    """Hears words as the root does."""

    def hear(self, *words: Trade | StopCoverage | Notice) -> "Told":
        for word in words:
            match word:
                case Trade():
                    self.note_trade(word, word.ts)
                case StopCoverage():
                    self.note_coverage(word, word.ts)
                case Notice():
                    self.note_notice(word)
        return self

    def kinds(self, seconds: float) -> list[str]:
        return [notice.kind for notice in self.check(at(seconds))]


MISMATCHED: dict[str, tuple[Any, ...]] = {
    "nothing was said": (a_trade(),),
    "closing, and nobody closes it": (a_trade(), covered(Coverage.CLOSING, "price")),
    "armed, and it is being closed": (a_trade(), covered(), a_closing()),
    "waived, and it is being closed": (a_trade(), covered(Coverage.WAIVED, "by eve"), a_closing()),
    "unprotected, and nobody was told": (a_trade(), unprotected()),
    "unprotected, and people were told of another": (a_trade(), unprotected(), a_notice(trade_id="t2")),
    "unprotected, and people were told of something else": (a_trade(), unprotected(), a_notice(kind="feed_stale")),
    "unprotected, and people were told of an earlier time": (a_trade(), unprotected(1), a_notice(0, trade_id=None)),
}
AGREEING: dict[str, tuple[Any, ...]] = {
    "armed": (a_trade(), covered()),
    "closing": (a_closing(), covered(Coverage.CLOSING, "price")),
    "closing that fails": (a_closing(), unprotected(why="close_failing"), a_notice()),
    "expired": (a_trade(state=TradeState.EXPIRED), covered(Coverage.CLOSING, "awaiting_settlement")),
    "dust": (a_trade(dust=True), covered(Coverage.CLOSING, "dust")),
    "waived": (a_trade(), covered(Coverage.WAIVED, "by eve")),
    "unprotected and told": (a_trade(), unprotected(), a_notice()),
    "unprotected and told with others": (a_trade(), unprotected(), a_notice(trade_id=None)),
    "not open": (a_trade(open_quantity=ZERO, state=TradeState.PENDING),),
    "ended": (a_trade(), covered(), a_trade(open_quantity=ZERO, state=TradeState.CLOSED)),
    "ended before its last coverage was heard": (
        a_trade(),
        a_trade(open_quantity=ZERO, state=TradeState.CLOSED),
        covered(),
    ),
}


@pytest.mark.parametrize("words", MISMATCHED.values(), ids=MISMATCHED)
def test_what_cannot_be_right_for_longer_than_words_cross_is_a_critical_notice(words: tuple[Any, ...]) -> None:
    """S9, Lesson 13: a watcher that is silent, or wrong, is found by somebody else."""
    told = Told().hear(*words)

    early = told.check(at(0.5))
    late = told.check(at(8))

    assert early == []
    assert [(notice.kind, notice.severity, notice.trade_id) for notice in late] == [
        ("coverage_mismatch", Severity.CRITICAL, "t1")
    ]
    assert told.mismatches == 1


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((a_trade(),), "nothing was said of its coverage"),
        ((a_trade(), covered(Coverage.CLOSING, "price")), "it is said to be closing, and nobody closes it"),
        ((a_trade(), covered(), a_closing()), "it is being closed, and said to be armed"),
        ((a_trade(), unprotected()), "it is unprotected, and nobody was told"),
    ],
)
def test_a_mismatch_says_what_does_not_fit(words: tuple[Any, ...], fault: str) -> None:
    (notice,) = Told().hear(*words).check(at(8))

    assert fault in notice.body


@pytest.mark.parametrize("words", AGREEING.values(), ids=AGREEING)
def test_what_agrees_is_no_mismatch(words: tuple[Any, ...]) -> None:
    """S9"""
    assert Told().hear(*words).check(at(100)) == []


def test_a_mismatch_is_told_once_and_again_when_it_comes_back() -> None:
    told = Told().hear(a_trade())
    first = told.kinds(6) + told.kinds(7)
    told.hear(covered(seconds=8), a_closing(9))

    assert (first, told.kinds(10), told.kinds(15)) == (["coverage_mismatch"], [], ["coverage_mismatch"])


def test_many_mismatches_are_one_notice_with_a_list() -> None:
    told = Told().hear(*(a_trade(trade_id=f"t{number}") for number in range(30)))

    (notice,) = told.check(at(6))

    assert (notice.title.split()[0], told.mismatches, notice.trade_id) == ("30", 30, None)
    assert "and 10 more" in notice.body


def test_what_was_said_before_a_restart_was_told_then() -> None:
    told = Told()
    told.begin([a_trade()], [unprotected()], at(0))

    assert (told.check(at(100)), told.unprotected()) == ([], {"empty_book": 1})


def test_a_trade_of_the_record_without_a_coverage_is_found() -> None:
    told = Told()
    told.begin([a_trade()], [], at(0))

    assert told.kinds(6) == ["coverage_mismatch"]


# Time


def test_time_unprotected_is_summed_by_reason_over_trades_until_now() -> None:
    told = Told().hear(a_trade(), a_trade(trade_id="t2"), unprotected(1), unprotected(2, "feed_silent", "t2"))
    told.hear(covered(seconds=4), unprotected(5, "never_fed"))

    spent_s = {why: ns / NS_PER_S for why, ns in told.unprotected_ns(at(10)).items()}

    assert spent_s == {"empty_book": 3, "feed_silent": 8, "never_fed": 5}
    assert told.unprotected() == {"feed_silent": 1, "never_fed": 1}


def test_an_ended_trade_is_unprotected_no_longer() -> None:
    told = Told().hear(a_trade(), unprotected(), a_trade(open_quantity=ZERO, state=TradeState.CLOSED, ts=at(2)))

    assert told.unprotected_ns(at(10)) == {"empty_book": 2 * NS_PER_S}
    assert told.counts() == {}


def test_a_clock_that_is_set_back_takes_no_time_away() -> None:
    """Fault 38"""
    told = Told().hear(a_trade(), unprotected(0), a_notice())
    told.check(at(10))
    told.check(at(5))

    assert told.unprotected_ns(at(10)) == {"empty_book": 10 * NS_PER_S}


def an_hour_of(told: Told, *, until_s: int, step_s: int = 10) -> list[str]:
    return [kind for second in range(0, until_s + 1, step_s) for kind in told.kinds(second)]


@pytest.mark.parametrize(("allowed_s", "missed"), [(99, True), (100, False), (0, False)])
def test_more_time_unprotected_in_an_hour_than_is_allowed_is_a_notice(allowed_s: int, missed: bool) -> None:
    told = Told(allowed_s * NS_PER_S).hear(a_trade(), unprotected(0), a_notice())
    told.hear(covered(seconds=100))

    assert ("coverage_slo" in an_hour_of(told, until_s=200)) is missed


def test_the_objective_is_met_again_once_the_hour_has_passed() -> None:
    told = Told(50 * NS_PER_S).hear(a_trade(), unprotected(0), a_notice(), covered(seconds=100))

    said = [notice for second in range(0, 2 * HOUR_S, 10) for notice in told.check(at(second))]

    assert [(notice.kind, notice.severity) for notice in said] == [
        ("coverage_slo", Severity.WARNING),
        ("coverage_slo", Severity.INFO),
    ]
    assert told.last_hour_ns(at(2 * HOUR_S)) == 0


# With the real watcher


def play(story: Story) -> tuple[Told, Board]:
    """Let the words of `story` reach the watcher, and everything that is said of it reach who compares."""
    told, board, heard = Told(), Board(), 0

    def pass_on() -> None:
        nonlocal heard
        told.hear(*(said for said in board.said[heard:] if isinstance(said, StopCoverage | Notice)))
        heard = len(board.said)

    for wait_s, word in story:
        now_ns = board.now_ns + int(wait_s * NS_PER_S)
        board.run_to(now_ns)
        pass_on()
        dated = msgspec.structs.replace(word, ts=now_ns)
        if isinstance(dated, Trade):
            told.hear(dated)
            board.hear(dated)
        else:
            board.tick(dated)
        pass_on()
    return told, board


@CALM
@given(STORIES)
def test_the_watcher_and_the_desk_agree_after_any_sequence_of_words(story: Story) -> None:
    """S9"""
    told, board = play(story)
    last = {word.trade_id: word for word in board.said if isinstance(word, StopCoverage)}

    assert told.check(board.now_ns + 2 * GRACE_NS) == []
    assert told.counts() == dict(Counter(str(last[trade_id].coverage) for trade_id in told._open))
