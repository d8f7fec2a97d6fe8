"""What the engine asks for and lets go, writes down and forgets: timers, counts, trades at rest."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bus.messages.market import Ticks
from bus.messages.records import Commit
from bus.messages.stops import Nearest, StopFired, StopProgress
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Attempt, AttemptState, Purpose, Trade, TradeState
from tests.rules.stops.builders import Watch, a_probability, a_quote, a_trade, at, fired_ids, stop, watching

D = Decimal
STOP = stop("price", stop_price="0.25")
LOW = ("0.20", "0.24")
STALE = stop("stale", policy="close", stale_grace_s=30, feed_restart_grace_s=0, stale_max_closes=1)


def later(trade: Trade, **changes: Any) -> Trade:  # any field of a trade
    return msgspec.structs.replace(trade, version=trade.version + 1, **changes)


def timers(watch: Watch, what: str) -> list[int]:
    return [word.due_ns for word in watch.said if isinstance(word, SetTimer) and word.key == f"trade:{what}:t1"]


# Ticks


def test_a_tick_that_the_book_does_not_take_hides_none_behind_it() -> None:
    """Fault 34"""
    watch = watching(STOP)

    watch.hear(Ticks(batch=(a_quote(1, "1.20", "1.30"), a_quote(1, *LOW)), received_ns=at(1)))

    assert watch.rules == ["price"]


def test_what_is_no_word_for_the_stops_is_left_alone() -> None:
    assert watching(STOP).hear("a word of somebody else") == []


# What fired


def test_two_stops_of_one_tick_wait_for_one_answer() -> None:
    watch = Watch(a_trade(STOP, stop("loss", max_loss=1))).tick(a_quote(1, *LOW))

    assert (watch.rules, timers(watch, "refire")) == (["price", "loss"], [at(6)])


def test_what_fired_comes_before_the_timers_that_it_asks_for() -> None:
    watch = Watch(a_trade(STOP, stop("loss", max_loss=1)))

    said = watch.hear(Ticks(batch=(a_quote(1, *LOW),), received_ns=at(1)))

    assert [type(word) for word in said if isinstance(word, StopFired) or word == SetTimer(owner="auto_stop", key="trade:refire:t1", due_ns=at(6))] == [StopFired, SetTimer, StopFired]  # fmt: skip


def test_a_decision_goes_on_from_the_highest_of_its_own_rule_that_an_attempt_names() -> None:
    decided = (None, "t1-loss-9", "t1-price-4", "t1-price-2")
    attempts = tuple(
        Attempt(
            client_order_id=f"t1-close-{number}", purpose=Purpose.CLOSE, attempt=number, state=AttemptState.DEAD,
            quantity=D(10), decision_id=decision_id,
        )
        for number, decision_id in enumerate(decided, 1)
    )  # fmt: skip

    assert fired_ids(Watch(a_trade(STOP, attempts=attempts)).tick(a_quote(1, *LOW)).said) == ["t1-price-5"]


# What is held back


def test_a_stop_that_is_held_back_waits_by_one_timer_however_many_ticks_follow() -> None:
    watch = watching(stop("price", stop_price="0.25", min_age_s=600))

    watch.tick(*(a_quote(second, *LOW) for second in range(1, 6)))

    assert timers(watch, "rule:price") == [at(600)]


def test_a_stop_that_may_pass_sooner_asks_for_an_earlier_timer() -> None:
    """A count would have waited for its own tick; the next one leaves only the dwell."""
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=2, dwell_s=1), general={"confirm_max_wait_s": 9})

    watch.tick(a_quote(1, *LOW), a_quote(1.5, *LOW))

    assert [fired.now_ns for fired in watch.wait(9).fired] == [at(2)]


def test_a_timer_that_waited_behind_ticks_is_of_now() -> None:
    watch = Watch(a_trade(stop("time", max_age_s=60)))
    watch.hear(Ticks(batch=(a_quote(70, "0.60", "0.62"),), received_ns=at(70)))
    watch.hear(TimerFired(owner="auto_stop", key="trade:time:t1", due_ns=at(60), now_ns=at(60)))

    assert [fired.now_ns for fired in watch.fired] == [at(70)]


@pytest.mark.parametrize(
    ("changes", "due"), [({"fees": D(1)}, 4), ({"stops": (stop("price", stop_price="0.24", dwell_s=3),)}, 5)]
)
def test_a_dwell_goes_on_while_its_stop_is_the_same_and_begins_anew_with_another(changes: Any, due: int) -> None:
    """A fee just behind a tick delays no stop; what another threshold has waited counts for none."""
    watch = Watch(trade := a_trade(stop("price", stop_price="0.25", dwell_s=3))).tick(a_quote(1, *LOW))

    watch.hear(later(trade, ts=at(2), **changes))

    assert [fired.now_ns for fired in watch.wait(9).fired][:1] == [at(due)]


def test_a_stop_that_is_held_back_is_not_told_again_when_its_trade_changes_otherwise() -> None:
    watch = Watch(trade := a_trade(stop("price", stop_price="0.25", min_age_s=600))).tick(a_quote(1, *LOW))

    watch.hear(later(trade, fees=D(1)))

    assert watch.notices == ["stop_held_back"]


# Stale


def test_a_trade_that_is_armed_in_the_dark_waits_its_turn_behind_a_stale_close() -> None:
    """One dead feed does not flatten a book, whoever comes to it late."""
    watch = Watch(a_trade(STOP, STALE), answers=True).tick(a_quote(1, "0.60", "0.62")).wait(65)

    watch.hear(a_trade(STOP, STALE, trade_id="late", ts=at(70)))

    assert [(fired.decision.trade_id, fired.now_ns) for fired in watch.wait(300).fired] == [("t1", at(61) + 1), ("late", at(121) + 1)]  # fmt: skip


def test_a_stale_stop_that_was_taken_off_while_it_waited_closes_nothing() -> None:
    trade = a_trade(STOP, STALE)
    watch = Watch(trade).tick(a_quote(1, "0.60", "0.62")).wait(40)

    watch.hear(later(trade, stops=(STOP,)))

    assert watch.wait(200).fired == []


def test_an_input_that_is_back_lets_the_timer_of_its_stale_close_go() -> None:
    watch = watching(STOP, STALE).tick(a_quote(1, "0.60", "0.62")).wait(40).tick(a_quote(41, "0.60", "0.62"))

    assert CancelTimer(owner="auto_stop", key="trade:stale:t1") in watch.said


def test_a_trade_of_two_stale_inputs_waits_from_the_first_of_them() -> None:
    watch = watching(STOP, stop("probability", floor_percent=1), STALE)

    watch.tick(a_probability(1, 50), a_quote(20, "0.60", "0.62")).wait(200)

    assert [fired.now_ns for fired in watch.fired] == [at(80) + 1]


# What is kept


def test_a_count_is_kept_whole_a_quarter_of_a_second_later() -> None:
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=3)).tick(a_quote(1, *LOW)).wait(2)

    [commit] = watch.commits
    [kept] = commit.progress
    assert (commit.sender, commit.cause, commit.now_ns) == ("auto_stop", f"progress-{at(1.25)}", at(1.25))
    assert msgspec.structs.replace(kept, nearest={}) == StopProgress(
        trade_id="t1", rule="price", confirms=1, counted={"quote": at(1)}, ts=at(1.25), since=at(0)
    )
    assert {name: (near.away, near.ts) for name, near in kept.nearest.items()} == {"stop_price": (D("-0.05"), at(1))}


def test_what_a_trade_knew_is_kept_at_once_when_it_comes_to_rest() -> None:
    trade = a_trade(STOP, stop("time", max_age_s=60))
    watch = Watch(trade).tick(a_quote(1, "0.60", "0.62")).wait(2)

    said = watch.hear(later(trade, state=TradeState.CLOSING, ts=at(3)))

    [commit] = [word for word in said if isinstance(word, Commit)]
    assert (commit.sender, commit.cause, commit.now_ns) == ("auto_stop", f"rest-t1-{at(3)}", at(3))
    assert [(kept.rule, kept.ts) for kept in commit.progress] == [("price", at(3)), ("time", at(3))]


def test_a_trade_without_stops_comes_to_rest_without_a_word() -> None:
    trade = a_trade()

    assert Watch(trade).hear(later(trade, state=TradeState.CLOSING)) == []


def test_a_rebuilt_engine_is_told_how_near_a_clock_has_come() -> None:
    [kept] = Watch(a_trade(stop("time", max_age_s=60))).tick(a_quote(20, *LOW)).engine.progress()

    assert isinstance(kept, StopProgress)
    assert kept.nearest == {"time": Nearest(away=D(40), ts=at(20))}


@pytest.mark.parametrize("states", [[TradeState.CLOSED], [TradeState.CLOSING, TradeState.CLOSED]])
def test_nothing_is_left_of_a_trade_that_has_ended(states: list[TradeState]) -> None:
    """Fault 40: what is kept does not grow with the trades that have been."""
    watch = Watch(trade := a_trade(STOP)).tick(a_quote(1, "0.60", "0.62"))

    for state in states:
        trade = later(trade, state=state)
        watch.hear(trade)

    assert (watch.engine.progress(), watch.engine.roster.armed(), watch.engine.roster.lenses.all()) == ([], [], [])


def test_what_a_trade_at_rest_has_counted_is_still_known() -> None:
    trade = a_trade(stop("trailing", trail="0.30"))
    watch = Watch(trade).tick(a_quote(1, "0.60", "0.62"))

    watch.hear(later(trade, state=TradeState.CLOSING))

    [kept] = watch.engine.progress()
    assert isinstance(kept, StopProgress)
    assert (kept.best, kept.active) == (D("0.60"), True)


def test_the_clock_of_a_trade_that_is_changed_is_set_anew() -> None:
    watch = Watch(trade := a_trade(stop("time", max_age_s=60)))

    watch.hear(later(trade, stops=(stop("time", max_age_s=30),)))

    assert timers(watch, "time") == [at(60), at(30)]
