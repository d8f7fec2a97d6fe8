"""Every guard at its boundary, and what it does to the rules that it may hold back."""

from decimal import Decimal

import pytest

from actors.rules.catalog import RULES
from actors.rules.market.book import MarketBook
from actors.rules.stops.guards import quote_disagreement
from bus.messages.market import Tick
from bus.messages.stops import Guard, Rule
from bus.messages.trades import StopSpec
from tests.rules.stops.builders import (
    TICKER,
    Watch,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    guards_of,
    stop,
    watching,
)

FIRING: dict[str, tuple[StopSpec, Tick]] = {
    "probability": (stop("probability", floor_percent=25), a_probability(1, 10)),
    "price": (stop("price", stop_price="0.25"), a_quote(1, "0.20", "0.24")),
    "loss": (stop("loss", max_loss=2), a_quote(1, "0.20", "0.24")),
    "momentum": (stop("momentum", threshold_percent="0.35"), a_momentum(1, -1)),
    "buffer": (stop("buffer", min_buffer=10), a_price(1, 1000)),
}
COIN_STOP = {"stop_price": 95}


def with_guard(rule: str, **guard: object) -> StopSpec:
    spec = FIRING[rule][0]
    return StopSpec(rule=rule, settings=spec.settings | stop(rule, **guard).settings)


@pytest.mark.parametrize("rule", FIRING)
@pytest.mark.parametrize(("age", "fires"), [(61, False), (60, True)])
def test_min_age_holds_a_rule_back_until_the_trade_is_that_old(rule: str, age: int, fires: bool) -> None:
    watch = Watch(a_trade(with_guard(rule, min_age_s=age), entry_ts=at(-59)))

    watch.tick(FIRING[rule][1])

    assert bool(watch.fired) is fires


@pytest.mark.parametrize("rule", FIRING)
def test_without_a_minimum_age_a_trade_is_stopped_though_it_was_entered_later_by_a_clock_ahead_of_ours(
    rule: str,
) -> None:
    """Fault 38"""
    watch = Watch(a_trade(with_guard(rule, min_age_s=0), entry_ts=at(9)))

    watch.tick(FIRING[rule][1])

    assert watch.fired


@pytest.mark.parametrize("rule", FIRING)
@pytest.mark.parametrize(("left", "fires"), [("58.999", False), ("59", True)])
def test_min_time_to_close_holds_a_rule_back_when_less_is_left(rule: str, left: str, fires: bool) -> None:
    watch = Watch(a_trade(with_guard(rule, min_time_to_close_s=59), close_ts=at(Decimal(left) + 1)))  # type: ignore[arg-type]  # exact by str

    watch.tick(FIRING[rule][1])

    assert bool(watch.fired) is fires


def test_an_old_trade_just_before_its_close_is_held_back_by_time_to_close_and_not_by_age() -> None:
    """Lesson 2: 61 s before close and one hour old."""
    spec = stop("price", stop_price="0.25", min_age_s=60, min_time_to_close_s=62)
    watch = Watch(a_trade(spec, entry_ts=at(-3600), close_ts=at(62)))

    watch.tick(a_quote(1, "0.20", "0.24"))

    assert guards_of(watch.held[0])["min_age_s"] is True
    assert guards_of(watch.held[0])["min_time_to_close_s"] is False


def test_a_held_back_rule_fires_by_a_timer_once_the_trade_is_old_enough() -> None:
    watch = watching(stop("price", stop_price="0.25", min_age_s=10)).tick(a_quote(1, "0.20", "0.24"))

    watch.wait(10)

    assert [fired.now_ns for fired in watch.fired] == [at(10)]


@pytest.mark.parametrize("rule", ["probability", "price", "loss", "buffer"])
def test_a_dwell_ends_by_a_timer_without_another_tick(rule: str) -> None:
    watch = Watch(a_trade(with_guard(rule, dwell_s=3))).tick(FIRING[rule][1])

    early = len(watch.wait(3.999).fired)
    watch.wait(4)

    assert early == 0
    assert [fired.now_ns for fired in watch.fired] == [at(4)]


def test_a_dwell_begins_anew_when_the_condition_ceases() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=3))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(2, "0.30", "0.34"), a_quote(3, "0.20", "0.24")).wait(10)

    assert [fired.now_ns for fired in watch.fired] == [at(6)]


def test_a_dwell_begins_anew_when_the_input_is_unknown_in_between() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=3))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(2), a_quote(3, "0.20", "0.24")).wait(10)

    assert [fired.now_ns for fired in watch.fired] == [at(6)]


@pytest.mark.parametrize("rule", ["probability", "price", "loss", "buffer"])
def test_confirm_ticks_counts_inputs_with_a_later_instant_each(rule: str) -> None:
    watch = Watch(a_trade(with_guard(rule, confirm_ticks=3)))
    tick = FIRING[rule][1]

    for seconds in ("1", "1.2", "1.2", "1.4"):
        again = type(tick)(**{name: getattr(tick, name) for name in tick.__struct_fields__} | {"ts": at(seconds)})
        watch.tick(again)

    assert [fired.now_ns for fired in watch.fired] == [at("1.4")]


def test_an_input_that_the_rule_does_not_read_confirms_nothing() -> None:
    watch = watching(stop("probability", floor_percent=25, confirm_ticks=2))

    watch.tick(a_probability(1, 10), a_quote(1.1, "0.10", "0.14"), a_quote(1.2, "0.11", "0.14"))

    assert watch.fired == []


def test_an_input_that_has_stood_two_seconds_since_its_instant_confirms_itself() -> None:
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=2)).tick(a_quote(1, "0.20", "0.24"))

    early = len(watch.wait(2.999).fired)
    watch.wait(3)

    assert early == 0
    assert [fired.now_ns for fired in watch.fired] == [at(3)]


def test_a_count_begins_anew_when_the_condition_does_not_hold() -> None:
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=2))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(1.5, "0.30", "0.34"), a_quote(2, "0.20", "0.24"))

    assert watch.fired == []


def test_a_count_that_ended_counts_the_instant_of_its_end_anew() -> None:
    """Otherwise a stop fires later than one further from the price, which that instant's first tick had not crossed."""
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=2))

    for second, bid in ((1, "0.20"), (1, "0.26"), (1, "0.20"), (2, "0.20")):
        watch.tick(a_quote(second, bid, "0.30"))

    assert len(watch.fired) == 1


def test_an_unknown_input_neither_confirms_nor_refutes() -> None:
    watch = watching(stop("price", stop_price="0.25", confirm_ticks=2))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(1.2), a_quote(1.4, "0.20", "0.24"))

    assert [fired.now_ns for fired in watch.fired] == [at(1.4)]


@pytest.mark.parametrize(
    ("no_bid", "no_ask", "fires"),
    [
        ("0.76", "0.98", True),
        ("0.76", "0.99", False),
        ("0.58", "0.80", True),
        ("0.57", "0.80", False),
        (None, None, True),
    ],
)
@pytest.mark.parametrize("rule", ["price", "loss"])
def test_quotes_that_disagree_by_more_than_the_limit_hold_a_rule_back(
    rule: str, no_bid: str | None, no_ask: str | None, fires: bool
) -> None:
    watch = Watch(a_trade(with_guard(rule, max_quote_disagreement="0.18")))

    watch.tick(a_quote(1, "0.20", "0.24", no_bid=no_bid, no_ask=no_ask))

    assert bool(watch.fired) is fires


def test_quotes_that_disagree_hold_a_profit_target_back() -> None:
    watch = watching(stop("profit", take_profit_price="0.80", max_quote_disagreement="0.18"))

    watch.tick(a_quote(1, "0.85", "0.90", no_bid="0.50", no_ask="0.55"))

    assert guards_of(watch.held[0]) == {"max_quote_disagreement": False}


def test_a_linear_trade_has_no_second_quote_to_disagree() -> None:
    watch = Watch(a_coin_trade(stop("price", stop_price=95, max_quote_disagreement="0.18", min_time_to_close_s=60)))

    watch.tick(a_coin_quote(1, "90", "91"))

    assert watch.rules == ["price"]


@pytest.mark.parametrize(("mid", "fires"), [("0.70", True), ("0.71", False)])
def test_a_feed_further_from_the_quote_than_the_limit_is_held_back(mid: str, fires: bool) -> None:
    watch = watching(stop("probability", floor_percent=25, max_divergence=50))

    watch.tick(a_quote(1, mid, mid), a_probability(1, 20))

    assert bool(watch.fired) is fires


def test_after_five_seconds_of_divergence_the_quote_wins_and_fires() -> None:
    watch = watching(stop("probability", floor_percent=25, max_divergence=50))
    watch.tick(a_probability(1, 90), a_quote(1, "0.10", "0.10"))

    early = len(watch.wait(5.999).fired)
    watch.wait(6)

    assert early == 0
    assert [fired.now_ns for fired in watch.fired] == [at(6)]
    assert watch.fired[0].decision.inputs["probability"].value == Decimal(10)


def test_after_five_seconds_of_divergence_the_quote_wins_and_keeps_the_trade() -> None:
    watch = watching(stop("probability", floor_percent=25, max_divergence=50))

    watch.tick(a_quote(1, "0.90", "0.90"), a_probability(1, 10)).wait(10)

    assert watch.fired == []


@pytest.mark.parametrize("rule", [rule for rule, facts in RULES.items() if not facts.guards])
def test_no_guard_holds_back_the_clock(rule: Rule) -> None:
    assert rule in (Rule.TIME, Rule.STALE)


def test_a_rule_held_back_is_said_once_at_its_onset_with_a_warning() -> None:
    watch = watching(stop("price", stop_price="0.25", min_age_s=600))

    watch.tick(*(a_quote(second, "0.20", "0.24") for second in range(1, 6)))

    assert [made.decision_id for made in watch.held] == ["t1-price-1"]
    assert watch.notices == ["stop_held_back"]


def test_a_rule_held_back_a_second_time_is_said_again() -> None:
    watch = watching(stop("price", stop_price="0.25", min_age_s=600))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(2, "0.30", "0.34"), a_quote(3, "0.20", "0.24"))

    assert [made.decision_id for made in watch.held] == ["t1-price-1", "t1-price-2"]


@pytest.mark.parametrize("guard", [{"dwell_s": 600}, {"confirm_ticks": 50}])
def test_a_guard_that_ends_by_itself_is_no_news(guard: dict[str, int]) -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.25", **guard), general={"confirm_max_wait_s": 600}))

    watch.tick(a_quote(1, "0.20", "0.24"), a_quote(2, "0.20", "0.24"))

    assert (watch.held, watch.fired, watch.notices) == ([], [], [])


def test_a_decision_lists_every_guard_with_its_value_and_limit() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=0, min_age_s=1, confirm_ticks=1))

    watch.tick(a_quote(1, "0.20", "0.24"))

    listed = {guard.name: (guard.value, guard.limit) for guard in watch.fired[0].decision.guards}
    assert listed == {
        "min_age_s": (1, 1),
        "min_time_to_close_s": (None, None),
        "dwell_s": (0, 0),
        "confirm_ticks": (1, 1),
        "max_quote_disagreement": (None, None),
    }


def test_without_a_longest_wait_a_count_is_confirmed_by_ticks_alone() -> None:
    spec = stop("price", stop_price="0.25", confirm_ticks=2)
    watch = Watch(a_trade(spec, settings={"max_silence_s": Decimal(600)})).tick(a_quote(1, "0.20", "0.24")).wait(100)
    stood = list(watch.fired)

    watch.tick(a_quote(101, "0.20", "0.24"))

    assert (stood, [fired.now_ns for fired in watch.fired]) == ([], [at(101)])


def test_of_a_trade_without_an_entry_no_age_is_asked() -> None:
    """An adopted position: nobody knows since when it is held."""
    watch = watching(stop("price", stop_price="0.25", min_age_s=600), entry_ts=None).tick(a_quote(1, "0.20", "0.24"))

    assert watch.fired[0].decision.guards[0] == Guard(name="min_age_s", passed=True, limit=Decimal(600))


def test_of_a_trade_without_a_close_time_no_time_is_left_to_ask_for() -> None:
    watch = watching(stop("price", stop_price="0.25", min_time_to_close_s=60), close_ts=None)

    [fired] = watch.tick(a_quote(1, "0.20", "0.24")).fired

    assert fired.decision.guards[1] == Guard(name="min_time_to_close_s", passed=True, limit=Decimal(60))


def test_a_dwell_and_a_count_are_told_with_how_far_they_have_come() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=2, confirm_ticks=3))

    [fired] = watch.tick(*(a_quote(1 + number / 2, "0.20", "0.24") for number in range(5))).fired

    assert fired.decision.guards[2:4] == (
        Guard(name="dwell_s", passed=True, value=Decimal(2), limit=Decimal(2)),
        Guard(name="confirm_ticks", passed=True, value=Decimal(3), limit=Decimal(3)),
    )


@pytest.mark.parametrize(
    ("quote", "apart"),
    [
        (("0.60", "0.62", "0.38", "0.40"), "0.00"),
        (("0.60", "0.62", "0.30", "0.40"), "0.08"),
        (("0.60", "0.62", "0.38", "0.35"), "0.05"),
        (("0.60", None, "0.30", "0.35"), "0.05"),
        ((None, "0.62", "0.30", "0.35"), "0.08"),
        (("0.60", None, "0.30", None), None),
    ],
)
def test_two_quotes_disagree_by_the_wider_of_their_two_gaps(quote: tuple[str | None, ...], apart: str | None) -> None:
    """Lesson 19"""
    book = MarketBook()
    yes_bid, yes_ask, no_bid, no_ask = quote
    book.apply(a_quote(1, yes_bid, yes_ask, no_bid=no_bid, no_ask=no_ask), at(1))

    assert quote_disagreement(book.quote(TICKER)) == (None if apart is None else Decimal(apart))


@pytest.mark.parametrize(
    ("guards", "due"),
    [
        ({"min_age_s": 10, "dwell_s": 3}, 10),
        ({"min_age_s": 5, "dwell_s": 9}, 10),
        ({"min_age_s": 4, "confirm_ticks": 2}, 4),
    ],
)
def test_a_rule_that_two_guards_hold_back_fires_when_the_last_one_lets_go(guards: dict[str, int], due: int) -> None:
    watch = watching(stop("price", stop_price="0.25", **guards)).tick(a_quote(1, "0.20", "0.24"))

    assert [fired.now_ns for fired in watch.wait(20).fired] == [at(due)]
