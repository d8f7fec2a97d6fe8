"""How far each rule is from its condition by each of its settings: by the far end, where only the ends are known."""

from decimal import Decimal

import pytest

from actors.rules.market.marks import Reading
from actors.rules.stops.distance import away
from bus.messages.market import StrikeType
from bus.messages.trades import Side, StopSpec, Trade
from tests.rules.stops.builders import Watch, a_coin_trade, a_trade, at, stop

D = Decimal
LOSS = {"max_loss": 2, "max_loss_percent": 50}
PROFIT = {"take_profit_price": "0.90", "take_profit_amount": "1.50", "take_profit_percent": 50}
SHORT_PROFIT = {"take_profit_price": 90, "take_profit_amount": 30, "take_profit_percent": 20}
MOMENTUM = stop("momentum", threshold_percent="0.35")


def short(spec: StopSpec) -> Trade:
    """Two units sold at 100."""
    return a_coin_trade(spec, side=Side.SHORT, trade_id="t1")


def far(trade: Trade, reading: Reading | None, now_s: float = 1) -> dict[str, Decimal]:
    armed = Watch(trade).engine.roster.find("t1")
    assert armed is not None
    [rule] = armed.rules
    return away(rule, reading, at(now_s))


@pytest.mark.parametrize(
    ("trade", "ends", "expected"),
    [
        (a_trade(stop("probability", floor_percent=30)), ("45", "50"), {"floor_percent": "20"}),
        (a_trade(stop("price", stop_price="0.40")), ("0.50", "0.55"), {"stop_price": "0.15"}),
        (short(stop("price", stop_price=120)), ("110", "115"), {"stop_price": "10"}),
        (a_trade(stop("loss", **LOSS)), ("0.45", "0.51"), {"max_loss": "1.10", "max_loss_percent": "35"}),
        (short(stop("loss", max_loss=20, max_loss_percent=15)), ("105", "106"), {"max_loss": "10", "max_loss_percent": "10"}),
        (
            a_trade(stop("profit", **PROFIT)),
            ("0.69", "0.72"),
            {"take_profit_price": "0.21", "take_profit_amount": "0.60", "take_profit_percent": "35"},
        ),
        (
            short(stop("profit", **SHORT_PROFIT)),
            ("95", "96"),
            {"take_profit_price": "6", "take_profit_amount": "22", "take_profit_percent": "16"},
        ),
        (a_trade(MOMENTUM), ("-0.20", "-0.10"), {"threshold_percent": "0.25"}),
        (a_trade(MOMENTUM, side=Side.NO), ("0.10", "0.20"), {"threshold_percent": "0.25"}),
        (a_trade(stop("buffer", min_buffer=10)), ("119600", "119600"), {"min_buffer": "90"}),
    ],
)  # fmt: skip
def test_a_rule_is_away_by_what_the_far_end_must_still_move(
    trade: Trade, ends: tuple[str, str], expected: dict[str, str]
) -> None:
    reading = Reading("quote", D(ends[0]), D(ends[1]))

    assert far(trade, reading) == {name: D(value) for name, value in expected.items()}


@pytest.mark.parametrize(
    "rule", ["probability", "price", "loss", "profit", "trailing", "momentum", "buffer", "time", "stale"]
)
def test_a_rule_without_a_setting_is_away_by_nothing_that_could_be_told(rule: str) -> None:
    assert far(a_trade(stop(rule)), Reading("quote", D("0.50"), D("0.50"))) == {}


@pytest.mark.parametrize("reading", [None, Reading("quote")])
@pytest.mark.parametrize(
    "spec", [stop("price", stop_price="0.40"), stop("loss", max_loss=2), stop("buffer", min_buffer=10)]
)
def test_of_what_nobody_knows_no_distance_is_told(spec: StopSpec, reading: Reading | None) -> None:
    assert far(a_trade(spec), reading) == {}


@pytest.mark.parametrize(
    ("trade", "ends"),
    [
        (a_trade(stop("price", stop_price="0.40")), (D("0.30"), None)),
        (short(stop("price", stop_price=120)), (None, D(115))),
        (a_trade(stop("buffer", min_buffer=10)), (None, D(1))),
        (a_trade(stop("buffer", min_buffer=10), strike_type=StrikeType.BETWEEN), (D(1), D(1))),
    ],
)
def test_a_far_end_that_is_not_known_is_no_distance(trade: Trade, ends: tuple[Decimal | None, Decimal | None]) -> None:
    assert far(trade, Reading("quote", *ends)) == {}


def test_a_clock_is_away_by_what_is_left_and_below_nothing_once_it_is_over() -> None:
    trade = a_trade(stop("time", max_age_s=60))

    assert (far(trade, None, 45), far(trade, None, 61)) == ({"time": D(15)}, {"time": D(-1)})


@pytest.mark.parametrize(
    ("side", "best", "exit_price", "expected"),
    [
        (Side.LONG, "120", "114", {"trail": "4", "trail_percent": "5"}),
        (Side.SHORT, "80", "84", {"trail": "6", "trail_percent": "5"}),
        (Side.LONG, "0", "0", {"trail": "10"}),
    ],
)
def test_a_trailing_stop_is_away_by_what_is_left_of_its_trail(
    side: Side, best: str, exit_price: str, expected: dict[str, str]
) -> None:
    armed = Watch(a_coin_trade(stop("trailing", trail=10, trail_percent=10), side=side)).engine.roster.armed()[0]
    [rule] = armed.rules
    rule.active, rule.best = True, D(best)

    found = away(rule, Reading("quote", D(exit_price), D(exit_price)), at(1))

    assert found == {name: D(value) for name, value in expected.items()}
