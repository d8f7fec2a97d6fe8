"""The index of trailing stops by itself: it finds those that may fire, and nobody else."""

from decimal import Decimal

import pytest

from actors.rules.market.book import MarketBook
from actors.rules.market.sight import Sight
from actors.rules.stops.armed import ArmedRule, ArmedTrade
from actors.rules.stops.trailing import TrailingIndex, _Group
from bus.messages.trades import Side
from tests.rules.stops.builders import a_coin_trade, stop

D = Decimal
SPECS: dict[str, dict[str, object]] = {
    "10 dollars": {"trail": 10},
    "30 dollars": {"trail": 30},
    "5 percent": {"trail_percent": 5},
    "either": {"trail": 20, "trail_percent": 50},
    "from 130": {"trail": 10, "activate_at": 130},
}


def a_rule(name: str, side: Side = Side.LONG) -> ArmedRule:
    trade = a_coin_trade(stop("trailing", **SPECS[name]), side=side, trade_id=name)
    return ArmedTrade(trade, Sight(trade, MarketBook(), "sell"), order=list(SPECS).index(name)).rules[0]


def an_index(side: Side = Side.LONG, best: str = "120", names: tuple[str, ...] = tuple(SPECS)) -> TrailingIndex:
    """The rules of these names, of a price that has reached `best`."""
    index = TrailingIndex(-1 if side is Side.SHORT else 1)
    for name in names:
        index.add(a_rule(name, side))
    index.raise_to(D(best))
    return index


def found(index: TrailingIndex, price: str) -> set[str]:
    return {rule.armed.trade.trade_id for rule in index.candidates(D(price))}


@pytest.mark.parametrize(
    ("price", "names"),
    [
        ("115", set()),
        ("114", {"5 percent"}),
        ("110.01", {"5 percent"}),
        ("110", {"5 percent", "10 dollars"}),
        ("100", {"5 percent", "10 dollars", "either"}),
        ("90", {"5 percent", "10 dollars", "either", "30 dollars"}),
    ],
)
def test_those_are_found_whose_price_has_come_back_far_enough(price: str, names: set[str]) -> None:
    assert found(an_index(), price) == names


@pytest.mark.parametrize(
    ("price", "names"),
    [
        ("83", set()),
        ("84", {"5 percent"}),
        ("90", {"5 percent", "10 dollars"}),
        ("110", {"5 percent", "10 dollars", "either", "30 dollars"}),
    ],
)
def test_of_shorts_those_are_found_whose_price_has_risen_far_enough(price: str, names: set[str]) -> None:
    index = an_index(Side.SHORT, "80", ("10 dollars", "30 dollars", "5 percent", "either"))

    assert found(index, price) == names


def test_one_that_waits_is_found_only_once_it_was_activated() -> None:
    index = an_index()
    waiting = found(index, "1")

    moves = (index.moves_at(D("129.99")), index.raise_to(D(130)))

    assert ("from 130" in waiting, moves, found(index, "120")) == (False, (True, True), {"10 dollars", "from 130", "5 percent"})  # fmt: skip


@pytest.mark.parametrize(
    ("side", "below", "best", "above"), [(Side.LONG, "119", "120", "121"), (Side.SHORT, "81", "80", "79")]
)
def test_only_a_better_price_moves_a_best(side: Side, below: str, best: str, above: str) -> None:
    index = an_index(side, best, ("10 dollars", "5 percent"))
    index.take_changed()

    moved = [index.raise_to(D(price)) for price in (below, best, above)]

    assert moved == [False, False, True]
    assert {rule.best for rule in index.take_changed()} == {D(above)}
    assert index.take_changed() == []


def test_a_price_that_is_worse_than_every_best_moves_nothing_and_nobody_need_ask() -> None:
    index = an_index(names=("10 dollars",))

    assert [index.moves_at(D(price)) for price in (119, 120, 121)] == [False, True, True]


def test_one_that_was_let_go_keeps_its_best_and_is_not_found() -> None:
    index, rule = TrailingIndex(1), a_rule("10 dollars")
    index.add(rule)
    index.raise_to(D(120))

    index.discard(rule)

    assert (rule.best, rule.active, len(index), index.candidates(D(1)), index.take_changed()) == (
        D(120),
        True,
        0,
        [],
        [],
    )


def test_one_that_waited_and_was_let_go_is_never_activated() -> None:
    index, rule = TrailingIndex(1), a_rule("from 130")
    index.add(rule)
    index.discard(rule)

    assert (len(index), index.raise_to(D(140)), rule.active, rule.best) == (0, False, False, None)


def test_groups_that_are_outrun_become_one_and_each_rule_knows_its_best() -> None:
    index, rules = TrailingIndex(1), [a_rule(name) for name in ("10 dollars", "30 dollars", "5 percent", "either")]
    for best, rule in zip((100, 105, 105, 110), rules, strict=True):
        rule.active, rule.best = True, D(best)
        index.add(rule)

    index.raise_to(D(105))
    first = {rule.best for rule in index.take_changed()}
    index.raise_to(D(120))

    assert (first, {rule.best for rule in index.take_changed()}) == ({D(105)}, {D(120)})
    assert found(index, "100") == {"10 dollars", "5 percent", "either"}


@pytest.mark.parametrize(("trail", "percent", "top"), [(10, None, 110), (None, 5, 114), (10, 5, 114), (3, 5, 117)])
def test_a_group_knows_the_first_price_at_which_one_of_its_rules_fires(
    trail: int | None, percent: int | None, top: int
) -> None:
    group = _Group(D(120))
    group.by_trail.update([(D(trail), 1)] if trail else [])
    group.by_percent.update([(D(percent), 1)] if percent else [])

    assert group.top() == top


def test_a_group_of_nobody_fires_nowhere() -> None:
    assert _Group(D(120)).top() is None
