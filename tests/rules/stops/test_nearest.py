"""How near a rule came is the least over every tick since it was armed, however many rules share the summary of it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.rules.stops.nearest import nearest_of
from bus.messages.stops import Nearest
from bus.messages.trades import Side, TradeState
from tests.rules.stops.builders import Watch, a_coin_quote, a_coin_trade, a_quote, a_trade, at, stop

D = Decimal
CENTS = st.integers(1, 98)
JOIN = st.none()
"""In a list of prices: the next trade is armed here."""


def near(watch: Watch, trade_id: str = "t1") -> dict[str, Nearest]:
    armed = watch.engine.roster.find(trade_id)
    assert armed is not None
    return {key: one for rule in armed.rules for key, one in nearest_of(rule, watch.now_ns).items()}


@given(steps=st.lists(st.one_of(CENTS, JOIN), max_size=30))
def test_each_trade_has_the_least_since_its_own_arming(steps: list[int | None]) -> None:
    watch, seen = Watch(), dict[str, list[int]]()
    for second, step in enumerate(steps, 1):
        if step is None:
            watch.hear(
                a_trade(stop("price", stop_price="0"), stop("profit", take_profit_price="1"), trade_id=f"t{second}")
            )
            # A trade that is armed sees what is in force.
            seen[f"t{second}"] = [last for last in steps[: second - 1] if last is not None][-1:]
        else:
            watch.tick(a_quote(second, str(D(step).scaleb(-2)), "0.99"))
            for mine in seen.values():
                mine.append(step)

    for trade_id, cents in seen.items():
        found = {key: one.away for key, one in near(watch, trade_id).items()}
        assert found == (
            {"stop_price": D(min(cents)).scaleb(-2), "take_profit_price": 1 - D(max(cents)).scaleb(-2)} if cents else {}
        )


@given(
    prices=st.lists(st.one_of(st.integers(100, 200), JOIN), max_size=30), side=st.sampled_from([Side.LONG, Side.SHORT])
)
def test_a_trailing_stop_has_its_deepest_fall_from_its_own_best(prices: list[int | None], side: Side) -> None:
    """Lesson 19"""
    watch, seen = Watch(), dict[str, list[int]]()
    for second, price in enumerate(prices, 1):
        if price is None:
            spec = stop("trailing", trail="1000", trail_percent="1000")
            watch.hear(a_coin_trade(spec, side=side, trade_id=f"t{second}"))
            seen[f"t{second}"] = [last for last in prices[: second - 1] if last is not None][-1:]
        else:
            watch.tick(a_coin_quote(second, str(price), str(price)))
            for mine in seen.values():
                mine.append(price)

    for trade_id, mine in seen.items():
        found = {key: one.away for key, one in near(watch, trade_id).items()}
        assert found == deepest_falls(mine, 1 if side is Side.LONG else -1)


def deepest_falls(prices: list[int], sign: int) -> dict[str, Decimal]:
    """By the letter: every price against the best before it."""
    bests = [max(sign * price for price in prices[: number + 1]) for number in range(len(prices))]
    falls = [D(best - sign * price) for best, price in zip(bests, prices, strict=True)]
    if not falls:
        return {}
    shares = [fall * 100 / abs(best) for fall, best in zip(falls, bests, strict=True)]
    return {"trail": 1000 - max(falls), "trail_percent": 1000 - max(shares)}


def test_of_a_best_of_nothing_no_percent_is_known() -> None:
    watch = Watch(a_trade(stop("trailing", trail="0.30", trail_percent="50"))).tick(a_quote(1, None, "0.20"))

    assert set(near(watch)) == {"trail"}


def test_what_it_read_then_stands_beside_it() -> None:
    watch = Watch(a_trade(stop("trailing", trail="0.30")))
    watch.tick(
        a_quote(1, "0.60", "0.99"), a_quote(2, "0.70", "0.99"), a_quote(3, "0.55", "0.99"), a_quote(4, "0.80", "0.99")
    )

    nearest = near(watch)["trail"]

    assert (nearest.away, nearest.ts) == (D("0.15"), at(3))
    assert (nearest.inputs["exit"].value, nearest.inputs["best"].value) == (D("0.55"), D("0.70"))


def test_it_goes_on_over_versions_and_through_a_close_that_failed() -> None:
    trade = a_trade(stop("price", stop_price="0.40"))
    watch = Watch(trade).tick(a_quote(1, "0.45", "0.99"), a_quote(2, "0.70", "0.99"))

    watch.hear(replace(trade, version=4, state=TradeState.CLOSING))
    watch.hear(replace(trade, version=5, state=TradeState.OPEN))
    watch.tick(a_quote(3, "0.60", "0.99"))

    assert near(watch)["stop_price"].away == D("0.05")


def test_it_is_kept_the_moment_that_the_trade_comes_to_rest() -> None:
    trade = a_trade(stop("price", stop_price="0.40"), stop("time", max_age_s=60))
    watch = Watch(trade).tick(a_quote(1, "0.45", "0.99"))

    watch.hear(replace(trade, version=4, state=TradeState.CLOSED, ts=at(2)))

    kept = {one.rule: one for one in watch.progress}
    assert kept["price"].nearest["stop_price"].away == D("0.05")
    assert kept["time"].nearest["time"].away == D(58)
    assert {one.since for one in kept.values()} == {at(0)}


def test_another_engine_of_the_same_process_goes_on_with_it() -> None:
    """Lesson 5"""
    trade = a_trade(stop("price", stop_price="0.40"))
    before = Watch(trade).tick(a_quote(1, "0.45", "0.99"), a_quote(2, "0.70", "0.99"))

    after = Watch(*before.engine.progress(), trade)

    armed = after.engine.roster.find("t1")
    assert armed is not None
    assert near(after)["stop_price"].away == D("0.05")
    assert armed.rules[0].since_ns == at(0)
