"""How each rule of a trade stands, whole: what people read who ask why nothing fired."""

from decimal import Decimal

from msgspec.structs import replace

from actors.rules.stops.explaining import standings, told_by
from bus.messages.explain import Capsule, Explained, RuleStanding
from bus.messages.stops import Guard, Input, Nearest, StopProgress
from bus.messages.trades import Side
from tests.rules.stops.builders import (
    Watch,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
)

D = Decimal
GUARDS = ("min_age_s", "min_time_to_close_s", "dwell_s", "confirm_ticks", "max_quote_disagreement")


def standing_of(watch: Watch, seconds: float) -> RuleStanding:
    [standing] = standings(watch.engine.roster, "t1", at(seconds))
    return standing


def test_a_price_stop_that_came_near_stands_with_what_it_read_then_and_reads_now() -> None:
    spec = stop("price", stop_price="0.40", min_age_s=600)
    watch = Watch(a_trade(spec)).tick(a_quote(1, "0.43", "0.99"), a_quote(2, "0.70", "0.99"))

    bid, ask = (Input(value=D(price), ts=at(2), age_ms=500, source="kalshi") for price in ("0.70", "0.99"))
    then = Input(value=D("0.43"), ts=at(1), age_ms=0, source="kalshi")
    assert standing_of(watch, 2.5) == RuleStanding(
        rule="price", holds=False, settings=spec.settings, inputs={"exit": bid, "yes_bid": bid, "yes_ask": ask},
        guards=(Guard(name="min_age_s", passed=False, value=D("2.5"), limit=D(600)), *(Guard(name=name, passed=True) for name in GUARDS[1:])),
        confirms=0, away={"stop_price": D("0.30")}, nearest={"stop_price": Nearest(away=D("0.03"), ts=at(1), inputs={"exit": then})},
        unknown_because=None, since=at(0),
    )  # fmt: skip


def test_a_probability_that_its_quote_contradicts_stands_with_how_far_they_are_apart() -> None:
    watch = Watch(a_trade(stop("probability", floor_percent=25, max_divergence=50)))
    watch.tick(a_quote(1, "0.90", "0.90"), a_probability(1, 10))

    found = standing_of(watch, 2)

    assert found.holds is True
    assert found.guards[-1] == Guard(name="max_divergence", passed=False, value=D(80), limit=D(50))


def test_a_stop_that_waits_for_more_ticks_stands_with_its_count() -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.40", confirm_ticks=3)))
    watch.tick(a_quote(1, "0.30", "0.99"), a_quote(1.5, "0.30", "0.99"))

    assert standing_of(watch, 1.5).confirms == 2


def test_a_bounded_exit_says_why_it_is_and_between_what() -> None:
    found = standing_of(Watch(a_trade(stop("price", stop_price="0.40"))).tick(a_quote(1, None, "0.70")), 1)

    low, high = (Input(value=D(price), ts=at(1), age_ms=0, source="kalshi") for price in ("0", "0.70"))
    assert (found.holds, found.unknown_because) == (None, "no_bid")
    assert found.inputs == {"exit_low": low, "exit_high": high, "yes_ask": high}


def test_what_was_never_fed_is_unknown_and_says_so() -> None:
    found = standing_of(Watch(a_trade(stop("momentum", threshold_percent=1))), 1)

    assert (found.holds, found.unknown_because, found.inputs) == (None, "never_fed", {"momentum": Input(value=None)})


def test_a_rule_of_an_instrument_that_lacks_its_input_says_so() -> None:
    watch = Watch(a_coin_trade(stop("probability", floor_percent=1), trade_id="t1"))

    assert standing_of(watch, 1).unknown_because == "nothing that it could read"


def test_a_clock_is_never_unknown() -> None:
    watch = Watch(a_trade(stop("time", max_age_s=60), stop("stale", policy="close")))

    assert [found.unknown_because for found in standings(watch.engine.roster, "t1", at(1))] == [None, None]


def test_a_stop_that_has_fired_stands_as_if_it_still_looked() -> None:
    watch = Watch(a_trade(stop("price", stop_price="0.40"))).tick(a_quote(1, "0.30", "0.99"))

    found = standing_of(watch, 1)

    assert (found.holds, found.away) == (True, {"stop_price": D("-0.10")})


def test_the_deepest_fall_of_a_short_stands_with_the_price_and_the_best_that_it_came_from() -> None:
    watch = Watch(a_coin_trade(stop("trailing", trail=20, trail_percent=50), side=Side.SHORT, trade_id="t1"))
    watch.tick(*(a_coin_quote(second, "80", price) for second, price in ((1, "100"), (2, "90"), (3, "99"), (4, "95"))))

    read = {"exit": Input(value=D(99), ts=at(3), age_ms=0, source="spot"), "best": Input(value=D(90))}
    assert standing_of(watch, 4).nearest == {
        "trail": Nearest(away=D(11), ts=at(3), inputs=read),
        "trail_percent": Nearest(away=D(40), ts=at(3), inputs=read),
    }


def test_the_nearest_of_a_clock_is_now() -> None:
    watch = Watch(a_trade(stop("time", max_age_s=60)))

    assert standing_of(watch, 9).nearest == {"time": Nearest(away=D(51), ts=at(9), inputs={})}


def test_what_a_capsule_keeps_of_a_trade_is_told_whole() -> None:
    stops = stop("price", stop_price="0.40"), stop("loss", max_loss=2)
    nearest = {"max_loss": Nearest(away=D("0.10"), ts=at(4))}
    kept = StopProgress(trade_id="t1", rule="loss", confirms=2, ts=at(5), nearest=nearest, since=at(1))
    trade = a_trade(*stops)

    told = told_by(Capsule(trade_id="t1", ts=at(9), trade=trade, rules=(kept,), decisions=(), unprotected=()))

    lost = RuleStanding(
        rule="price", holds=None, settings=stops[0].settings, inputs={}, guards=(), confirms=0, away={}, nearest={},
        unknown_because="its process died before it could say", since=None,
    )  # fmt: skip
    known = replace(
        lost, rule="loss", settings=stops[1].settings, confirms=2, nearest=nearest, since=at(1),
        unknown_because="only a recording tells",
    )  # fmt: skip
    assert told == Explained(
        trade_id="t1", at=at(9), trade=trade, watched=False, rules=(lost, known), decisions=(), coverage=(),
        settings_version=7, gaps=(), source="capsule", unprotected=(),
    )  # fmt: skip


def test_a_momentum_came_nearest_where_it_hurt_most() -> None:
    watch = Watch(a_trade(stop("momentum", threshold_percent=2)))
    watch.tick(*(a_momentum(second, percent) for second, percent in ((1, "1.5"), (2, "-0.5"), (3, "-1.5"), (4, "0"))))

    [nearest] = standing_of(watch, 4).nearest.values()
    assert (nearest.away, nearest.ts, nearest.inputs["momentum"].value) == (D("0.5"), at(3), D("-1.5"))
