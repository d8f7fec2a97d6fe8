"""Each open trade is exactly one of armed, closing, waived, unprotected: which, when, and why."""

import time

import msgspec
import pytest

from bus.messages.market import Tick, Ticks
from bus.messages.trades import (
    Attempt,
    AttemptState,
    Coverage,
    Mode,
    Purpose,
    Side,
    StopSpec,
    Trade,
    TradeState,
    Waiver,
)
from tests.rules.coverage.builders import Board, whys
from tests.rules.stops.builders import (
    COIN,
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
)

ARMED, CLOSING, WAIVED, UNPROTECTED = Coverage.ARMED, Coverage.CLOSING, Coverage.WAIVED, Coverage.UNPROTECTED
PRICE = stop("price", stop_price="0.30")
PROBABILITY = stop("probability", floor_percent=25)


def a_live_trade(*stops: StopSpec, **changes: object) -> Trade:
    return a_trade(*stops, **({"mode": Mode.LIVE, "account": "live-1", "venue": "kalshi"} | changes))


def a_close(state: AttemptState, **changes: object) -> Attempt:
    attempt = Attempt(
        client_order_id="t1-close-1",
        purpose=Purpose.CLOSE,
        attempt=1,
        state=state,
        quantity=a_trade().open_quantity,
    )
    return msgspec.structs.replace(attempt, **changes)


def test_a_trade_whose_stop_has_a_fresh_input_is_armed() -> None:
    """Lesson 16: from what the desk has said of it, never from a hint."""
    board = Board().tick(a_quote(0, "0.60", "0.62"))

    board.hear(a_trade(PRICE))

    assert board.of() == (ARMED, "price")


def test_a_trade_one_of_whose_closes_may_have_filled_more_than_is_booked_is_closing() -> None:
    """S9: nobody wants it closed any more, and until that fill is booked no rule watches it."""
    board = Board().tick(a_quote(0, "0.60", "0.62"))

    board.hear(a_trade(PRICE, state=TradeState.CLOSING, attempts=(a_close(AttemptState.SENT),)))

    assert board.of() == (Coverage.CLOSING, "closing")


def test_a_trade_whose_inputs_never_came_is_unprotected() -> None:
    board = Board(a_trade(PRICE))

    assert board.of() == (UNPROTECTED, "never_fed")


def test_the_first_quote_arms_it() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(1, "0.60", "0.62"))

    assert (board.of(), board.kinds) == ((ARMED, "price"), ["unprotected", "protected_again"])


@pytest.mark.parametrize(
    ("spec", "tick"),
    [
        (PROBABILITY, a_probability(1, 60)),
        (PROBABILITY, a_quote(1, "0.60", "0.62")),
        (stop("momentum", threshold_percent="0.35"), a_momentum(1, 0)),
        (stop("buffer", min_buffer=50), a_price(1, 120_000)),
        (stop("loss", max_loss=3), a_quote(1, "0.60", "0.62")),
        (stop("trailing", trail="0.1"), a_quote(1, "0.60", "0.62")),
    ],
    ids=lambda value: value.rule if isinstance(value, StopSpec) else type(value).__name__,
)
def test_each_rule_is_armed_by_its_own_input(spec: StopSpec, tick: Tick) -> None:
    board = Board(a_trade(spec)).tick(tick)

    assert whys(board.changes) == ["never_fed", spec.rule]


def test_a_rule_that_reads_only_the_clock_needs_no_input() -> None:
    board = Board(a_trade(stop("time", close_before_s=60)))

    assert board.of() == (ARMED, "time")


def test_a_time_rule_by_the_trades_age_needs_no_close_time() -> None:
    board = Board(a_trade(stop("time", max_age_s=60), close_ts=None))

    assert board.of() == (ARMED, "time")


def test_a_time_rule_without_a_time_to_wait_for_protects_nothing() -> None:
    board = Board(a_trade(stop("time", close_before_s=60), close_ts=None))

    assert board.of() == (UNPROTECTED, "no_close_time")


def test_one_fresh_rule_of_two_is_enough() -> None:
    board = Board(a_trade(stop("momentum", threshold_percent="0.35"), PRICE)).tick(a_quote(1, "0.60", "0.62"))

    assert board.of() == (ARMED, "price")


def test_the_stale_rule_alone_is_no_stop() -> None:
    board = Board(a_live_trade(stop("stale", policy="alert")))

    assert board.of() == (UNPROTECTED, "no_stop")


def test_a_paper_trade_without_a_stop_is_waived() -> None:
    assert Board(a_trade()).of() == (WAIVED, "paper")


def test_a_paper_trade_that_is_waived_for_a_while_is_waived_as_paper_until_then() -> None:
    board = Board(a_trade(PRICE, waiver=Waiver(by="paper", reason="no stop", until_ns=at(60))))

    before = board.of()
    board.wait(60)

    assert (before, board.of()) == ((WAIVED, "paper"), (UNPROTECTED, "never_fed"))


def test_a_waiver_says_by_whom_why_and_until_when() -> None:
    waiver = Waiver(by="ann", reason="feed moves", until_ns=at(60))

    board = Board(a_live_trade(PRICE, waiver=waiver))

    assert board.of() == (WAIVED, "by ann: feed moves, until 2025-08-03T12:01:00Z")


def test_a_waiver_names_its_end_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()

    board = Board(a_live_trade(PRICE, waiver=Waiver(by="ann", reason="why", until_ns=at(60))))

    monkeypatch.undo()
    time.tzset()
    assert board.of() == (WAIVED, "by ann: why, until 2025-08-03T12:01:00Z")


def test_a_waiver_ends_at_its_time() -> None:
    board = Board(a_live_trade(PRICE, waiver=Waiver(by="ann", reason="feed moves", until_ns=at(60))))

    board.wait(59.999999)
    before = board.of()
    board.wait(60)

    assert before is not None
    assert (before[0], board.of()) == (WAIVED, (UNPROTECTED, "never_fed"))


def test_a_quote_stays_in_force_while_its_feed_lives() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"))

    for second in range(10, 300, 10):
        board.tick(a_quote(second, "0.10", "0.12", ticker="OTHER"))

    assert board.of() == (ARMED, "price")


def test_a_silent_feed_leaves_its_trades_unprotected() -> None:
    """Lesson 10, Fault 30: the loss of an input is an alarm."""
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"))

    board.wait(30)
    before = board.of()
    board.run_to(at(30) + 1)

    assert (before, board.of()) == ((ARMED, "price"), (UNPROTECTED, "feed_silent"))


def test_a_word_of_the_feed_on_another_ticker_brings_the_quote_back() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62")).wait(40)

    board.tick(a_quote(41, "0.10", "0.12", ticker="OTHER"))

    assert whys(board.changes)[-2:] == ["feed_silent", "price"]


def test_a_beat_brings_the_quote_back() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62")).wait(40)

    board.tick(a_beat(41))

    assert board.of() == (ARMED, "price")


def test_a_shorter_silence_that_a_feed_announces_is_kept() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"), a_beat(1, max_silence_s=5))

    board.wait(6.5)

    assert board.of() == (UNPROTECTED, "feed_silent")


def test_one_symbols_dead_feed_is_not_masked_by_another() -> None:
    """Fault 32"""
    board = Board(
        a_trade(PRICE),
        a_trade(PRICE, trade_id="t2", ticker="OTHER"),
    )
    board.tick(a_quote(0, "0.60", "0.62", source=None), a_quote(0, "0.60", "0.62", ticker="OTHER", source=None))

    board.tick(a_quote(25, "0.60", "0.62", ticker="OTHER", source=None)).wait(35)

    assert (board.of("t1"), board.of("t2")) == ((UNPROTECTED, "feed_silent"), (ARMED, "price"))


@pytest.mark.parametrize(
    ("ticks", "reason"), [([], "stale"), ([a_momentum(s, "0.1") for s in range(5, 45, 5)], "frozen")]
)
def test_a_model_output_goes_stale_and_freezes_by_its_own_age(ticks: list[Tick], reason: str) -> None:
    """Lesson 11: by the source's instant and by a value that stands still."""
    board = Board(a_trade(stop("momentum", threshold_percent="0.35"))).tick(a_momentum(0, "0.1"), *ticks)

    board.wait(31)

    assert board.of() == (UNPROTECTED, reason)


def test_a_frozen_model_output_that_goes_stale_is_called_so_once_a_timer_looks() -> None:
    board = Board(a_trade(stop("momentum", threshold_percent="0.35"), PRICE)).tick(a_quote(0, None, None))

    for second in range(1, 80):
        board.tick(a_quote(second, "0.1", "0.2", ticker="B"), *([a_momentum(second, "0.1")] if second < 33 else []))

    assert whys(board.changes)[-2:] == ["frozen", "stale"]


def test_a_stale_probability_is_stood_in_for_by_the_quote() -> None:
    board = Board(a_trade(PROBABILITY)).tick(a_quote(0, "0.60", "0.62"), a_probability(0, 60))

    board.wait(20)

    assert board.of() == (ARMED, "probability")


def test_a_source_whose_clock_is_ahead_protects_nothing() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"))

    board.hear(Ticks(batch=(a_quote(60, "0.60", "0.62"),), received_ns=at(1)))

    assert board.of() == (UNPROTECTED, "clock_ahead")


def test_an_empty_bid_alone_does_not_unprotect() -> None:
    """The book empties exactly when the stop must fire: the bound still can."""
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"), a_quote(1, None, "0.62"))

    assert board.changes[-1] == (ARMED, "price")


def test_a_book_without_anybody_unprotects() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"), a_quote(1, None, None))

    assert board.of() == (UNPROTECTED, "empty_book")


def test_a_crossed_book_ends_by_itself_and_unprotects_nothing() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"), a_quote(1, "0.70", "0.62"))

    assert board.wait(10).changes[-1] == (ARMED, "price")


@pytest.mark.parametrize(
    ("no_bid", "coverage"), [("0.20", (ARMED, "price")), ("0.19", (UNPROTECTED, "held_by_max_quote_disagreement"))]
)
def test_quotes_that_disagree_hold_the_stop_back(no_bid: str, coverage: tuple[Coverage, str]) -> None:
    guarded = stop("price", stop_price="0.30", max_quote_disagreement="0.18")
    board = Board(a_trade(guarded)).tick(a_quote(0, "0.60", "0.62"))

    board.tick(a_quote(1, "0.60", "0.62", no_bid=no_bid))

    assert board.of() == coverage


def test_a_diverging_feed_holds_the_stop_back_until_the_quote_wins() -> None:
    guarded = stop("probability", floor_percent=25, max_divergence=20)
    board = Board(a_trade(guarded)).tick(a_quote(0, "0.60", "0.62"), a_probability(1, 30))

    before = board.of()
    board.wait(6)

    assert (before, board.of()) == ((UNPROTECTED, "held_by_max_divergence"), (ARMED, "probability"))


def test_trades_of_one_ticker_are_held_back_by_their_own_divergence_each() -> None:
    narrow, wide = (stop("probability", floor_percent=25, max_divergence=percent) for percent in (20, 90))
    board = Board(a_trade(narrow), a_trade(wide, trade_id="t2")).tick(a_quote(0, "0.60", "0.62"), a_probability(1, 30))

    assert board.of("t1") == (UNPROTECTED, "held_by_max_divergence")
    assert board.of("t2") == (ARMED, "probability")


def test_a_minimum_age_holds_the_stop_back_until_it_is_reached() -> None:
    """Lesson 2: a guard of age, named so."""
    guarded = stop("price", stop_price="0.30", min_age_s=20)
    board = Board(a_trade(guarded)).tick(a_quote(0, "0.60", "0.62"))

    before = board.of()
    board.wait(20)

    assert (before, board.of()) == ((UNPROTECTED, "held_by_min_age_s"), (ARMED, "price"))


def test_a_minimum_time_to_close_holds_the_stop_back_once_less_is_left() -> None:
    """Lesson 2: a guard of the time to close, which an old trade does not pass by its age."""
    guarded = stop("price", stop_price="0.30", min_time_to_close_s=60)
    board = Board(a_trade(guarded, close_ts=at(80))).tick(a_quote(0, "0.60", "0.62"))

    board.wait(20)
    at_the_limit = board.of()
    board.run_to(at(20) + 1)

    assert (at_the_limit, board.of()) == ((ARMED, "price"), (UNPROTECTED, "held_by_min_time_to_close_s"))


@pytest.mark.parametrize("guard", [{"dwell_s": 10}, {"confirm_ticks": 3}])
def test_a_guard_that_ends_by_itself_unprotects_nothing(guard: dict[str, int]) -> None:
    board = Board(a_trade(stop("price", stop_price="0.30", **guard))).tick(a_quote(0, "0.20", "0.22"))

    assert board.of() == (ARMED, "price")


@pytest.mark.parametrize(
    ("changes", "coverage"),
    [
        ({"state": TradeState.CLOSING, "close_wanted": a_trade().open_quantity, "rule": "price"}, (CLOSING, "price")),
        ({"state": TradeState.EXPIRED}, (CLOSING, "awaiting_settlement")),
        ({"dust": True, "close_wanted": a_trade().open_quantity}, (CLOSING, "dust")),
        ({"halted": True}, (UNPROTECTED, "halted")),
        ({"halted": True, "close_wanted": a_trade().open_quantity}, (UNPROTECTED, "halted")),
        ({"state": TradeState.UNKNOWN}, (UNPROTECTED, "unknown")),
        ({"state": TradeState.UNKNOWN, "close_wanted": a_trade().open_quantity}, (UNPROTECTED, "unknown")),
        (
            {
                "state": TradeState.CLOSING,
                "close_wanted": a_trade().open_quantity,
                "attempts": (a_close(AttemptState.DEAD, nth=8),),
            },
            (UNPROTECTED, "close_failing"),
        ),
        (
            {
                "state": TradeState.CLOSING,
                "close_wanted": a_trade().open_quantity,
                "attempts": (a_close(AttemptState.SENT, refused=True),),
            },
            (UNPROTECTED, "order_refused"),
        ),
    ],
)
def test_a_trades_own_state_decides_first(changes: dict[str, object], coverage: tuple[Coverage, str]) -> None:
    board = Board().tick(a_quote(0, "0.60", "0.62"))

    board.hear(a_trade(PRICE, **changes))

    assert board.of() == coverage


def test_an_open_quantity_is_covered_whatever_the_state_is_called() -> None:
    """Lesson 30: a late fill is watched like any other."""
    board = Board().tick(a_quote(0, "0.60", "0.62"))

    board.hear(a_trade(PRICE, state=TradeState.PARTIAL_OPEN))

    assert board.of() == (ARMED, "price")


def test_a_late_fill_of_a_trade_that_was_let_go_is_covered_again() -> None:
    """Lesson 30: an entry that filled after its time-out is no naked position."""
    board = Board().tick(a_quote(0, "0.60", "0.62"))
    nothing = a_trade(PRICE).open_quantity * 0
    board.hear(a_trade(PRICE, state=TradeState.PENDING, open_quantity=nothing))

    board.hear(a_trade(PRICE, state=TradeState.PARTIAL_OPEN))

    assert board.changes == [(ARMED, "price")]


def test_nothing_open_is_not_covered_and_nothing_is_said() -> None:
    board = Board(a_trade(PRICE, state=TradeState.PENDING, open_quantity=a_trade().open_quantity * 0))

    assert board.said == []


def test_a_trade_that_has_ended_is_let_go() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"))
    board.hear(a_trade(PRICE, state=TradeState.CLOSED, open_quantity=a_trade().open_quantity * 0))
    said = len(board.changes)

    board.wait(100)

    assert (len(board.changes), board.timers) == (said, {})


def test_changed_settings_count_at_once() -> None:
    board = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"))

    board.hear(a_trade(PRICE, stop("momentum", threshold_percent="0.35"), version=4, general={"max_silence_s": 10}))
    board.wait(11)

    assert board.of() == (UNPROTECTED, "feed_silent")


def test_a_linear_trade_without_quotes_lives_by_the_price() -> None:
    board = Board(a_coin_trade(stop("price", stop_price=90), side=Side.LONG)).tick(a_price(1, 100, symbol=COIN))

    assert board.of() == (ARMED, "price")


def test_a_short_is_armed_by_its_ask() -> None:
    board = Board(a_coin_trade(stop("price", stop_price=110), side=Side.SHORT)).tick(a_coin_quote(1, None, "101"))

    assert board.of() == (ARMED, "price")


def test_what_was_said_before_a_restart_is_not_said_again() -> None:
    first = Board().tick(a_quote(0, "0.60", "0.62"))
    first.hear(a_trade(PRICE))
    told = next(word for word in first.commits[0].coverage)

    second = Board(told).tick(a_quote(0, "0.60", "0.62"))
    second.hear(a_trade(PRICE))

    assert second.changes == []


def test_a_new_board_learns_the_markets_from_the_old_one() -> None:
    """Fault 41"""
    old = Board(a_trade(PRICE)).tick(a_quote(0, "0.60", "0.62"), a_quote(3, "0.55", "0.57"))

    new = Board(*old.engine.last_ticks(), a_trade(PRICE))

    assert new.of() == (ARMED, "price")


@pytest.mark.parametrize("word", ["no word", None, a_quote(0, "0.60", "0.62")])
def test_what_is_not_its_own_it_does_not_hear(word: object) -> None:
    assert Board().hear(word) == []


def test_a_feed_that_speaks_again_lets_a_disagreeing_quote_hold_its_rule_back() -> None:
    """Found by the property test: the guard reads a quote that no rule waits for."""
    guarded = stop("probability", floor_percent=25, max_quote_disagreement="0.18")
    board = Board().tick(a_quote(0, None, "0.05", no_bid="0.05", source="kalshi")).tick(a_probability(31, 10))
    board.hear(a_trade(guarded))
    before = board.of()

    board.tick(a_quote(31, "0.60", "0.62", ticker="OTHER", source="kalshi"))

    assert (before, board.of()) == ((ARMED, "probability"), (UNPROTECTED, "held_by_max_quote_disagreement"))
