import threading
from decimal import Decimal

import pytest

from actors.activity import Activity
from actors.replay.sequencer import HouseStuckError
from bus.messages.market import Lifecycle, Quote, Tick, Ticks
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Side, TradeOpen
from tests.replay.builders import MS, START_NS, Replay, a_lifecycle, a_quote


def a_timer(at_ms: int, key: str = "k", owner: str = "auto_stop") -> SetTimer:
    return SetTimer(owner=owner, key=key, due_ns=START_NS + at_ms * MS)


def test_words_are_released_in_their_order_however_they_arrive() -> None:
    replay = Replay()

    replay.play([(3, a_quote(30, ticker="C")), (1, a_quote(10, ticker="A")), (2, a_lifecycle(20, ticker="B"))])

    assert replay.told == [("A", 10), ("B:close", 20), ("C", 30)]


def test_words_of_one_instant_keep_their_order() -> None:
    replay = Replay()

    replay.play([(2, a_lifecycle(10, ticker="B")), (1, a_quote(10, ticker="A")), (3, a_quote(10, ticker="C"))])

    assert replay.told == [("A", 10), ("B:close", 10), ("C", 10)]


def test_a_deadline_is_met_at_its_own_instant_before_later_words() -> None:
    replay = Replay()
    replay.sequencer.keep(a_timer(15))

    replay.play([(1, a_quote(10, ticker="A")), (2, a_quote(20, ticker="B"))])

    assert replay.told == [("A", 10), ("auto_stop:k", 15), ("B", 20)]


def test_at_one_instant_come_timers_then_the_venue_then_market_data() -> None:
    replay = Replay()
    for owner in ("paper_venue", "trade_desk", "auto_stop"):
        replay.sequencer.keep(a_timer(10, owner=owner))

    replay.play([(1, a_quote(10, ticker="A"))])

    assert [name for name, _ in replay.told] == ["auto_stop:k", "trade_desk:k", "paper_venue:k", "A"]


def test_a_cancelled_deadline_is_not_met() -> None:
    replay = Replay()
    replay.sequencer.keep(a_timer(5))

    replay.sequencer.keep(CancelTimer(owner="auto_stop", key="k"))
    replay.play([(1, a_quote(10, ticker="A"))])

    assert replay.told == [("A", 10)]


def test_a_deadline_that_a_word_causes_is_met_before_the_next_word() -> None:
    def fill_later(replay: Replay, word: object) -> None:
        if isinstance(word, Ticks) and isinstance(word.batch[0], Quote) and word.batch[0].ticker == "A":
            replay.sequencer.keep(a_timer(60, "fill", "paper_venue"))

    replay = Replay(react=fill_later)

    replay.play([(1, a_quote(10, ticker="A")), (2, a_quote(1000, ticker="B"))])

    assert replay.told == [("A", 10), ("paper_venue:fill", 60), ("B", 1000)]


def test_a_deadline_in_the_past_is_met_now_and_the_clock_never_goes_back() -> None:
    def ask_for_the_past(replay: Replay, word: object) -> None:
        if isinstance(word, Ticks):
            replay.sequencer.keep(a_timer(1))

    replay = Replay(react=ask_for_the_past)

    replay.play([(1, a_quote(10, ticker="A"))])

    assert replay.told == [("A", 10), ("auto_stop:k", 10)]


def test_a_recording_that_steps_back_does_not_take_the_clock_with_it() -> None:
    replay = Replay()

    replay.play([(1, a_quote(10, ticker="A")), (2, a_quote(5, ticker="B"))])

    assert replay.told == [("A", 10), ("B", 10)]


def test_after_the_last_word_deadlines_are_met_as_far_as_the_venue_needs() -> None:
    replay = Replay(tail_ms=50)
    replay.sequencer.keep(a_timer(60, "fill", "paper_venue"))
    replay.sequencer.keep(a_timer(61, "later", "paper_venue"))

    replay.play([(1, a_quote(10, ticker="A"))])

    assert replay.told == [("A", 10), ("paper_venue:fill", 60)]


def test_the_next_word_waits_until_every_consequence_has_been_applied() -> None:
    def cause_more(replay: Replay, word: object) -> None:
        if isinstance(word, Ticks):
            for key in ("a", "b", "c"):
                replay.house.put(TimerFired(owner="x", key=key, due_ns=0, now_ns=replay.sequencer.now_ns()))

    replay = Replay(react=cause_more)

    replay.play([(1, a_quote(10, ticker="A")), (2, a_quote(20, ticker="B"))])

    assert replay.told == [
        ("A", 10),
        ("x:a", 10),
        ("x:b", 10),
        ("x:c", 10),
        ("B", 20),
        ("x:a", 20),
        ("x:b", 20),
        ("x:c", 20),
    ]


def test_the_horizon_follows_what_has_been_applied() -> None:
    replay = Replay(step=2)

    replay.play([(line, a_quote(line * 10)) for line in range(1, 6)])

    assert replay.horizons == [(2, 20), (4, 40)]


def test_the_horizon_waits_for_the_record() -> None:
    """An event's rows stand before the publisher hears that it is done with."""
    standing = iter([False, True, True, True])
    replay = Replay(step=2, settled=lambda _: next(standing))

    replay.play([(line, a_quote(line * 10)) for line in range(1, 4)])

    assert replay.horizons == [(3, 30)]


def test_the_horizon_does_not_fall_far_behind_for_the_record() -> None:
    asked: list[float] = []

    def settled(patience_s: float) -> bool:
        asked.append(patience_s)
        return patience_s > 0

    replay = Replay(settled=settled, patience_s=5)
    replay.play([(line, a_quote(line * 10)) for line in range(1, 10)])

    assert replay.horizons == [(8, 80)]
    assert asked == [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 5]


def test_a_record_that_never_stands_is_an_error_and_names_the_line() -> None:
    replay = Replay(settled=lambda _: False)

    with pytest.raises(HouseStuckError, match="line 1"):
        replay.play([(1, a_quote(10))])


def test_the_house_is_worked_while_no_message_comes() -> None:
    """People may ask it something while the recording has nothing to say."""
    replay = Replay()
    asked = threading.Event()

    def quiet(timeout_s: float) -> bool:
        asked.set()
        return Activity.quiet(replay.activity, timeout_s)

    replay.activity.quiet = quiet  # type: ignore[method-assign]  # a listening post
    playing = threading.Thread(target=replay.sequencer.run)
    playing.start()

    came = asked.wait(10)
    replay.sequencer.stop()
    playing.join()
    replay.house.end()

    assert came


def test_a_late_publisher_is_told_where_the_horizon_stands() -> None:
    replay = Replay()
    replay.play([(1, a_quote(10))])

    replay.sequencer.announce()

    assert replay.horizons[-1] == (1, 10)


class OpensOnLineTwo:
    def handle(self, _word: Tick | Lifecycle, line: int, _now_ns: int, /) -> TradeOpen | None:
        if line != 2:
            return None
        return TradeOpen(
            trade_id=f"demo-{line}", account="demo", mode="paper", ticker="T", side=Side.YES, quantity=Decimal(1)
        )


def test_a_trade_is_asked_for_at_the_instant_of_the_word_that_called_for_it() -> None:
    replay = Replay(strategy=OpensOnLineTwo())

    played = replay.play([(line, a_quote(line * 10)) for line in (1, 2, 3)])

    assert ([request.trade_id for request in replay.asked], played.requests) == (["demo-2"], 1)


def test_a_message_that_never_arrives_is_counted_and_does_not_hold_up_the_rest() -> None:
    replay = Replay(patience_s=0.05)

    played = replay.play([(1, a_quote(10, ticker="A")), (4, a_quote(40, ticker="D"))], events=5)

    assert (played.lost, played.events, [name for name, _ in replay.told]) == (3, 2, ["A", "D"])


def test_a_message_delivered_twice_is_handed_on_so_that_it_is_acknowledged() -> None:
    replay = Replay()

    played = replay.play([(1, a_lifecycle(10)), (1, a_lifecycle(10)), (2, a_quote(20))], events=2)

    assert (replay.told, played.events) == ([("T:close", 10), ("T:close", 10), ("T", 20)], 2)


def test_a_stopped_replay_ends_without_waiting_for_the_rest() -> None:
    replay = Replay()
    replay.sequencer.stop()

    played = replay.play([(1, a_quote(10))])

    assert (played.ended, played.events) == (False, 0)


def test_a_house_that_never_comes_to_rest_is_an_error_and_names_the_line() -> None:
    def lose_a_commit(replay: Replay, _word: object) -> None:
        replay.activity.begin()

    replay = Replay(react=lose_a_commit, patience_s=0.05)

    with pytest.raises(HouseStuckError, match="line 1"):
        replay.play([(1, a_quote(10))])
