"""How far a rule is away from its condition, and the nearest that it came: what people read who ask why nothing fired."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rules.market.marks import Reading
from actors.rules.stops.conditions import holds
from actors.rules.stops.distance import away
from actors.rules.stops.explaining import standings, told_by
from bus.messages.explain import Capsule, RuleStanding
from bus.messages.stops import StopProgress
from bus.messages.trades import Side, StopSpec
from tests.rules.stops.builders import Watch, a_coin_quote, a_coin_trade, a_quote, a_trade, at, stop

D = Decimal


def standing_of(watch: Watch, seconds: float = 1) -> RuleStanding:
    [standing] = standings(watch.engine.roster, "t1", at(seconds))
    return standing


@pytest.mark.parametrize(
    ("rule", "settings", "bid", "far"),
    [
        ("price", {"stop_price": "0.40"}, "0.55", {"stop_price": "0.15"}),
        ("price", {"stop_price": "0.40"}, "0.40", {"stop_price": "0.00"}),
        ("loss", {"max_loss": "2"}, "0.50", {"max_loss": "1.00"}),
        ("loss", {"max_loss_percent": "50"}, "0.45", {"max_loss_percent": "25"}),
        ("profit", {"take_profit_price": "0.90"}, "0.70", {"take_profit_price": "0.20"}),
        (
            "profit",
            {"take_profit_price": "0.90", "take_profit_amount": "1.50"},
            "0.70",
            {"take_profit_price": "0.20", "take_profit_amount": "0.50"},
        ),
        ("time", {"max_age_s": "60"}, "0.70", {"time": "59"}),
    ],
)
def test_a_rule_is_away_by_what_its_input_must_still_move(
    rule: str, settings: dict[str, str], bid: str, far: dict[str, str]
) -> None:
    watch = Watch(a_trade(stop(rule, confirm_ticks=5, **settings)))
    watch.tick(a_quote(1, bid, "0.99"))

    assert standing_of(watch).away == {name: D(value) for name, value in far.items()}


@given(bid=st.integers(1, 98), limit=st.integers(1, 98), rule=st.sampled_from(["price", "loss", "profit"]))
def test_it_is_away_by_nothing_just_where_the_condition_holds(bid: int, limit: int, rule: str) -> None:
    key = {"price": "stop_price", "loss": "max_loss", "profit": "take_profit_price"}[rule]
    watch = Watch(a_trade(stop(rule, confirm_ticks=5, **{key: D(limit).scaleb(-2)})))
    watch.tick(a_quote(1, str(D(bid).scaleb(-2)), "0.99"))

    standing = standing_of(watch)

    assert (standing.away[key] <= 0) is standing.holds


@pytest.mark.parametrize(
    ("spec", "reading", "far"),
    [
        (
            stop("probability", floor_percent=30),
            Reading("probability", low=D(45), high=D(50)),
            {"floor_percent": D(20)},
        ),
        (stop("buffer", min_buffer=10), Reading("price", low=D(119_600), high=D(119_600)), {"min_buffer": D(90)}),
    ],
)
def test_what_is_no_price_is_away_in_its_own_unit(spec: StopSpec, reading: Reading, far: dict[str, Decimal]) -> None:
    armed = Watch(a_trade(spec)).engine.roster.find("t1")
    assert armed is not None
    [rule] = armed.rules

    assert away(rule, reading, at(0)) == far


def test_a_trailing_stop_in_percent_is_away_in_percent_of_its_best() -> None:
    watch = Watch(a_trade(stop("trailing", trail_percent="10")))
    watch.tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.57", "0.59"))

    assert standing_of(watch, 2).away == {"trail_percent": D(5)}


def test_a_clock_is_read_now_and_is_its_own_source() -> None:
    inputs = standing_of(Watch(a_trade(stop("time", max_age_s=60))), 9).inputs

    assert inputs
    assert {(read.ts, read.age_ms, read.source) for read in inputs.values()} == {(at(9), 0, "clock")}


def test_of_a_short_everything_is_mirrored() -> None:
    armed = Watch(a_coin_trade(stop("price", stop_price="120"), side=Side.SHORT)).engine.roster.find("t1")
    assert armed is not None
    [rule] = armed.rules
    reading = Reading("quote", low=D(110), high=D(115))

    assert away(rule, reading, at(0)) == {"stop_price": D(10)}
    assert holds(rule, reading, at(0)) is False


def test_a_trailing_stop_of_a_short_is_away_by_what_the_price_may_still_rise_above_its_best() -> None:
    watch = Watch(a_coin_trade(stop("trailing", trail="5"), side=Side.SHORT, trade_id="t1"))
    watch.tick(a_coin_quote(1, "89", "90"), a_coin_quote(2, "91", "92"))

    assert standing_of(watch, 2).away == {"trail": D(3)}


def test_what_is_known_is_not_unknown_for_any_reason() -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.40"))).tick(a_quote(1, "0.60", "0.62"))

    assert standing_of(watch).unknown_because is None


def test_a_capsule_tells_each_stop_of_its_trade_and_says_that_it_is_one() -> None:
    first, second = stop("price", stop_price="0.40"), stop("loss", max_loss="2")
    progress = StopProgress(trade_id="t1", rule="loss", confirms=2, ts=at(5))
    capsule = Capsule(
        trade_id="t1", ts=at(9), trade=a_trade(first, second), rules=(progress,), decisions=(), unprotected=()
    )

    told = told_by(capsule)

    assert (told.source, told.at, told.watched) == ("capsule", at(9), False)
    assert [(rule.rule, rule.settings, rule.confirms, rule.unknown_because) for rule in told.rules] == [
        ("price", first.settings, 0, "its process died before it could say"),
        ("loss", second.settings, 2, "only a recording tells"),
    ]


def test_the_nearest_that_it_came_is_kept_with_its_instant() -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.40")))
    for second, bid in ((1, "0.60"), (2, "0.43"), (3, "0.70")):
        watch.tick(a_quote(second, bid, "0.99"))

    found = standing_of(watch, 3)

    assert found.away == {"stop_price": D("0.30")}
    [nearest] = found.nearest.values()
    assert (nearest.away, nearest.ts, nearest.inputs["exit"].value) == (D("0.03"), at(2), D("0.43"))


def test_what_sees_nothing_says_why() -> None:
    found = standing_of(Watch(a_trade(stop("price", stop_price="0.40"))))

    assert (found.holds, found.away) == (None, {})
    assert found.unknown_because


def test_a_guard_that_holds_a_rule_back_stands_beside_it() -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.40", min_age_s=600)))
    watch.tick(a_quote(1, "0.30", "0.99"))

    found = standing_of(watch)

    assert found.holds is True
    assert [guard.name for guard in found.guards if not guard.passed] == ["min_age_s"]


def test_to_explain_a_trade_changes_nothing() -> None:
    ticks = [a_quote(second, bid, "0.99") for second, bid in ((1, "0.60"), (2, "0.39"), (3, "0.38"), (4, "0.37"))]
    plain, asked = (Watch(a_trade(stop("price", stop_price="0.40", confirm_ticks=3))) for _ in range(2))
    for second, tick in enumerate(ticks, 1):
        plain.tick(tick)
        asked.tick(tick)
        standings(asked.engine.roster, "t1", at(second))

    assert asked.said == plain.said
    assert plain.fired


def test_of_a_trade_that_nobody_watches_there_is_nothing_to_say() -> None:
    assert standings(Watch().engine.roster, "t1", at(0)) == ()
