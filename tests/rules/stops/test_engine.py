"""The engine: a stop fires once in each open phase, counts survive, other words change what is watched."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.rules.stops.engine import StopEngine
from bus.messages.market import Part, Tick, Ticks
from bus.messages.stops import StopCheckGiven, StopCheckWanted, StopFired
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Attempt, AttemptState, Purpose, Side, Trade, TradeState
from tests.rules.stops.builders import (
    Watch,
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_probability,
    a_quote,
    a_trade,
    at,
    fired_ids,
    stop,
    watching,
)

STOP = stop("price", stop_price="0.25")
LOW = ("0.20", "0.24")


def later(trade: Trade, **changes: Any) -> Trade:  # any field of a trade
    return msgspec.structs.replace(trade, version=trade.version + 1, **changes)


def test_a_stop_fires_once_however_many_ticks_follow() -> None:
    watch = Watch(a_trade(STOP)).tick(*(a_quote(second, *LOW) for second in range(1, 5)))

    assert fired_ids(watch.said) == ["t1-price-1"]


def test_rules_that_hold_on_the_same_tick_are_said_in_the_order_of_the_trades_stops() -> None:
    """Fault 56: the first wins, the others are attached to the same close."""
    watch = watching(stop("loss", max_loss=1), STOP, stop("price", stop_price="0.01")).tick(a_quote(1, *LOW))

    assert watch.rules == ["loss", "price"]


def test_trades_fire_in_the_order_of_their_arming() -> None:
    watch = Watch(*(a_trade(STOP, trade_id=name) for name in ("z", "a", "m")))

    watch.tick(a_quote(1, *LOW))

    assert fired_ids(watch.said) == ["z-price-1", "a-price-1", "m-price-1"]


def test_a_fired_stop_is_the_first_word() -> None:
    watch = watching(STOP, stop("probability", floor_percent=1)).tick(a_quote(1, "0.40", "0.45"))

    said = watch.hear(_ticks(a_quote(2, *LOW)))

    assert isinstance(said[0], StopFired)


def _ticks(*batch: Any) -> object:  # any tick
    return Ticks(batch=batch, received_ns=max(tick.ts for tick in batch))


def test_what_fired_carries_the_stop_as_the_trade_had_it() -> None:
    [fired] = watching(STOP).tick(a_quote(1, *LOW)).fired

    assert fired.stop == STOP


@pytest.mark.parametrize(
    ("changes", "watched"),
    [
        ({"state": TradeState.OPEN}, True),
        ({"state": TradeState.PARTIAL_OPEN}, True),
        ({"state": TradeState.UNKNOWN}, True),
        ({"state": TradeState.UNKNOWN, "close_wanted": Decimal(10)}, False),
        ({"state": TradeState.OPEN, "close_wanted": Decimal(10), "halted": True}, False),
        ({"state": TradeState.PENDING, "open_quantity": Decimal(0)}, False),
        ({"state": TradeState.CLOSING, "close_wanted": Decimal(10)}, False),
        ({"state": TradeState.PARTIAL_CLOSING, "close_wanted": Decimal(5)}, False),
        ({"state": TradeState.EXPIRED}, False),
        ({"state": TradeState.CLOSED, "open_quantity": Decimal(0)}, False),
    ],
)
def test_what_is_open_and_not_being_closed_is_watched(changes: dict[str, object], watched: bool) -> None:
    watch = Watch(a_trade(STOP, **changes)).tick(a_quote(1, *LOW))

    assert bool(watch.fired) is watched


def test_a_trade_that_is_open_again_fires_again_under_a_new_number() -> None:
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, *LOW))
    closing = later(trade, state=TradeState.CLOSING)
    watch.hear(closing)

    watch.hear(later(closing, state=TradeState.OPEN))

    assert fired_ids(watch.said) == ["t1-price-1", "t1-price-2"]


def test_a_change_that_was_said_before_the_stop_was_heard_arms_nothing_anew() -> None:
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, *LOW))

    watch.hear(later(trade, fees=Decimal(1))).append(watch.tick(a_quote(2, *LOW)))

    assert fired_ids(watch.said) == ["t1-price-1"]


def test_a_stop_that_was_changed_before_it_fired_is_judged_at_once_by_its_new_threshold() -> None:
    """S7: TradeDesk closes by no stop that has been changed."""
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, *LOW))

    watch.hear(later(trade, stops=(stop("price", stop_price="0.22"),)))

    assert fired_ids(watch.said) == ["t1-price-1", "t1-price-2"]


def test_a_stop_that_was_loosened_before_it_fired_waits_for_its_new_threshold() -> None:
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, *LOW))
    watch.hear(later(trade, stops=(stop("price", stop_price="0.15"),)))

    watch.wait(20).tick(a_quote(21, "0.15", "0.20"))

    assert [fired.now_ns for fired in watch.fired] == [at(1), at(21)]


def test_a_stop_that_was_changed_beside_one_that_fired_is_judged_by_its_new_threshold_if_that_is_not_answered() -> None:
    trade = a_trade(STOP, stop("time", max_age_s=60))
    watch = Watch(trade).tick(a_quote(1, *LOW))
    watch.hear(later(trade, stops=(STOP, stop("time", max_age_s=3))))

    watch.tick(a_quote(4, "0.60", "0.62")).wait(7)

    assert watch.rules == ["price", "time"]


def test_a_fired_stop_that_nobody_answers_is_said_again() -> None:
    """Lesson 5: a stop that fired into a void still closes its trade."""
    watch = Watch(a_trade(STOP)).tick(a_quote(1, *LOW)).wait(6)

    assert fired_ids(watch.said) == ["t1-price-1", "t1-price-2"]


def test_a_fired_stop_that_was_answered_is_not_said_again() -> None:
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, *LOW))

    watch.hear(later(trade, state=TradeState.CLOSING))
    watch.wait(20)

    assert fired_ids(watch.said) == ["t1-price-1"]


def test_an_older_version_of_a_trade_changes_nothing() -> None:
    watch = Watch(a_trade(STOP, version=5), a_trade(version=4)).tick(a_quote(1, *LOW))

    assert watch.rules == ["price"]


def test_a_changed_threshold_counts_at_once() -> None:
    trade = a_trade(STOP)
    watch = Watch(trade).tick(a_quote(1, "0.40", "0.45"))

    watch.hear(later(trade, stops=(stop("price", stop_price="0.40"),)))

    assert watch.rules == ["price"]


def test_a_stop_that_holds_already_when_a_trade_is_adopted_fires() -> None:
    watch = Watch().tick(a_quote(1, *LOW))

    watch.hear(a_trade(STOP))

    assert watch.rules == ["price"]


def test_a_count_survives_a_restart() -> None:
    trade = a_trade(stop("price", stop_price="0.25", confirm_ticks=2))
    before = Watch(trade).tick(a_quote(1, *LOW)).wait(1.25)

    after = Watch(*before.progress, trade).tick(a_quote(1.5, *LOW))

    assert fired_ids(after.said) == ["t1-price-1"]


def test_what_was_counted_is_kept_though_its_trade_has_changed_since() -> None:
    """S12: a fill or a fee just behind a tick is no reason to forget what that tick has counted."""
    trade = a_trade(stop("price", stop_price="0.25", confirm_ticks=2), stop("trailing", trail="0.60"))
    watch = Watch(trade).tick(a_quote(1, *LOW))

    watch.hear(later(trade, fees=Decimal(1)))
    watch.wait(2)

    kept = {progress.rule: progress for progress in watch.progress}
    assert (kept["price"].confirms, kept["trailing"].best) == (1, Decimal("0.20"))


def test_a_best_is_kept_though_another_stop_of_its_trade_has_fired() -> None:
    watch = watching(STOP, stop("trailing", trail="0.60")).tick(a_quote(1, "0.70", "0.72"), a_quote(1.1, *LOW)).wait(2)

    assert {progress.best for progress in watch.progress if progress.rule == "trailing"} == {Decimal("0.70")}


def test_what_is_written_down_later_says_so_though_the_clock_was_set_back() -> None:
    """Fault 38"""
    trade = a_trade(stop("price", stop_price="0.25", confirm_ticks=3))
    before = Watch(trade).tick(a_quote(100, *LOW)).wait(101)

    after = Watch(*before.progress, trade).tick(a_quote(1, "0.40", "0.45")).wait(2)

    assert after.progress[-1].ts > before.progress[-1].ts > at(100)


def test_a_dwell_restarts_with_the_engine() -> None:
    trade = a_trade(stop("price", stop_price="0.25", dwell_s=5))
    before = Watch(trade).tick(a_quote(1, *LOW)).wait(5)

    after = Watch(engine=StopEngine(started_ns=at(5)), answers=True)
    for word in (*before.engine.progress(), *before.engine.last_ticks(), trade):
        after.hear(word)
    after.wait(20)

    assert [fired.now_ns for fired in after.fired] == [at(10)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_rebuilt_engine_fires_what_the_lost_one_would_have_fired(order: int) -> None:
    """Lesson 5: the trigger is computed anew from what is kept, in whatever order it is told."""
    trade = a_trade(stop("price", stop_price="0.25", confirm_ticks=3))
    before = Watch(trade).tick(a_quote(1, *LOW), a_quote(1.1, *LOW))

    after = Watch(engine=StopEngine(started_ns=at(1.2)))
    for word in [*before.engine.last_ticks(), *before.engine.progress(), trade][::order]:
        after.hear(word)
    after.tick(a_quote(1.3, *LOW))

    assert fired_ids(after.said) == ["t1-price-1"]


def test_a_decision_goes_on_counting_from_the_trades_own_attempts() -> None:
    attempt = Attempt(
        client_order_id="t1-close-1",
        purpose=Purpose.CLOSE,
        attempt=1,
        state=AttemptState.DEAD,
        quantity=Decimal(10),
        decision_id="t1-price-4",
    )

    watch = Watch(a_trade(STOP, attempts=(attempt,))).tick(a_quote(1, *LOW))

    assert fired_ids(watch.said) == ["t1-price-5"]


def test_the_same_words_give_the_same_decisions() -> None:
    words: list[Tick] = [a_quote(1, "0.40", "0.45"), a_probability(2, 30), a_quote(3, *LOW), a_quote(4, *LOW)]
    trades = [a_trade(stop("price", stop_price="0.25", confirm_ticks=2), trade_id=f"t{n}") for n in range(3)]

    first, second = (Watch(*trades).tick(*words).said for _ in range(2))

    assert first == second


def test_timers_of_a_trade_that_is_no_longer_watched_are_cancelled() -> None:
    trade = a_trade(stop("time", max_age_s=60))
    watch = Watch(trade)

    said = watch.hear(later(trade, state=TradeState.CLOSING))

    assert said[:1] == [CancelTimer(owner="auto_stop", key="trade:time:t1")]


def test_another_actors_timer_is_not_ours() -> None:
    watch = watching(stop("time", max_age_s=60))

    said = watch.hear(TimerFired(owner="trade_desk", key="trade:time:t1", due_ns=at(60), now_ns=at(60)))

    assert said == []


def test_a_quiet_tick_says_nothing() -> None:
    watch = watching(STOP, stop("probability", floor_percent=25)).tick(a_quote(1, "0.40", "0.45"))

    assert watch.hear(_ticks(a_quote(2, "0.41", "0.46"))) == []


def test_a_live_feed_costs_one_timer_and_no_more() -> None:
    watch = watching(STOP).tick(*(a_quote(second, "0.40", "0.45") for second in range(1, 29)))

    assert [word.key for word in watch.said if isinstance(word, SetTimer)] == ["lens:1"]


@pytest.mark.parametrize(
    ("trade", "rules"),
    [
        (a_trade(STOP), ("price",)),
        (a_trade(stop("price", stop_price="0.10")), ()),
        (a_trade(stop("loss", max_loss=1), limit_price=Decimal("0.60")), ("loss",)),
        (a_trade(stop("loss", max_loss=1)), ()),
        (a_trade(stop("probability", floor_percent=25, confirm_ticks=2)), ("probability",)),
        (a_trade(stop("momentum", threshold_percent="0.35")), ()),
        (a_trade(stop("time", max_age_s=60, close_before_s=3600)), ("time",)),
        (a_trade(stop("trailing", trail="0.01")), ()),
    ],
)
def test_a_stop_that_would_fire_at_once_is_found_before_the_trade_is_opened(
    trade: Trade, rules: tuple[str, ...]
) -> None:
    wanted = msgspec.structs.replace(
        trade,
        state=TradeState.REQUESTED,
        open_quantity=Decimal(0),
        filled_quantity=Decimal(0),
        entry_cost=Decimal(0),
        entry_price=None,
        entry_ts=None,
    )
    watch = Watch().tick(a_quote(1, *LOW))

    said = watch.hear(StopCheckWanted(trade=wanted, now_ns=at(1)))

    assert said == [StopCheckGiven(trade_id="t1", rules=rules, now_ns=at(1), price=Decimal("0.24"))]


@pytest.mark.parametrize("style", ["sell", "buy_opposite"])
def test_the_venues_style_prices_the_exit(style: str) -> None:
    watch = Watch(a_trade(STOP), engine=StopEngine(styles={"paper": style}))

    watch.tick(a_quote(1, "0.30", "0.35", no_bid="0.70", no_ask="0.80"))

    assert bool(watch.fired) is (style == "buy_opposite")


def test_a_linear_trade_and_an_event_trade_are_watched_side_by_side() -> None:
    watch = Watch(a_trade(STOP), a_coin_trade(stop("price", stop_price=105), side=Side.SHORT, trade_id="c1"))

    watch.tick(a_coin_quote(1, "104", "105"), a_quote(2, *LOW), a_momentum(3, 9))

    assert fired_ids(watch.said) == ["c1-price-1", "t1-price-1"]


def test_one_price_of_a_flood_that_stays_clear_of_every_threshold_leaves_nothing_behind() -> None:
    """Fault 40: what is kept does not grow with the ticks."""
    watch = watching(STOP).tick(a_quote(1, "0.40", "0.45"))
    engine = watch.engine

    for step in range(1000):
        engine.handle(_ticks(a_quote(2 + step / 1000, "0.40", "0.45")))

    assert (len(engine.last_ticks()), len(engine.progress())) == (1, 1)


def test_a_feed_s_word_after_a_fold_lets_look_at_what_the_fold_has_moved() -> None:
    """Fault 40, Fault 32"""
    watch = Watch()
    watch.hear(Ticks(batch=(a_quote(1, *LOW),), received_ns=at(1), part=Part.KEPT))
    watch.hear(Ticks(batch=(), received_ns=at(1), part=Part.END))
    watch.hear(a_trade(STOP, ts=at(60)))

    silent = list(watch.fired)
    watch.tick(a_beat(61))

    assert (silent, [fired.now_ns for fired in watch.fired]) == ([], [at(61)])


def test_a_piece_of_history_fires_nothing_and_the_next_tick_does() -> None:
    """Fault 33"""
    watch = watching(STOP).tick(a_quote(1, "0.60", "0.62"))

    watch.hear(Ticks(batch=(a_quote(2, *LOW),), received_ns=at(9), part=Part.PAST))
    before = list(watch.fired)
    watch.hear(Ticks(batch=(a_quote(3, *LOW),), received_ns=at(9)))

    assert (before, len(watch.fired)) == ([], 1)


@pytest.mark.parametrize("part", [Part.PAST, Part.COUNTED])
def test_no_tick_of_a_piece_of_history_fires_though_none_of_its_kind_follows_in_it(part: Part) -> None:
    """Fault 33"""
    watch = watching(STOP).tick(a_quote(1, "0.60", "0.62"))

    watch.hear(Ticks(batch=(a_quote(2, "0.60", "0.62"), a_quote(3, *LOW)), received_ns=at(9), part=part))

    assert watch.fired == []


def test_a_clock_fires_right_after_a_piece_of_history() -> None:
    """Fault 33"""
    watch = watching(stop("time", max_age_s=20)).tick(a_quote(1, "0.60", "0.62"))

    watch.hear(Ticks(batch=(a_quote(2, *LOW),), received_ns=at(9), part=Part.PAST))
    watch.wait(20)

    assert len(watch.fired) == 1
