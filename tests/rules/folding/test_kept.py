"""Of every short path what is kept lets any stop fire, count and trail as the whole path does."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Final, NamedTuple

import pytest

from actors.rules.folding.kept import kept, kept_odd
from actors.rules.folding.levels import NEVER
from actors.rules.folding.path import Heard
from actors.rules.folding.terms import FoldTerms
from bus.messages.market import Part, Quote, SpotPrice, Tick
from tests.rules.folding.builders import heard, prices
from tests.rules.stops.builders import a_beat, a_coin_quote, a_price, a_quote, at

D = Decimal


class Stop(NamedTuple):
    """A stop that fires once a price has counted `confirm` times at or below its level, or so far below its best.

    sign: -1 for one that fires by a rise. counted, best: from before the path; last: the instant of what was counted last. active:
    the best from which on it fires. limit: how far the sides of a quote may disagree where it fires, or where a best follows them.
    """

    confirm: int
    level: int | None = None
    trail: int = 0
    sign: int = 1
    counted: int = 0
    last: int | None = None
    best: int | None = None
    active: int = -99
    limit: Decimal = NEVER


def price_of(tick: Tick) -> int:
    """Return a price, the cents of a yes bid, or at what a short trade is bought back."""
    match tick:
        case SpotPrice(price=price):
            return int(price)
        case Quote(yes_bid=bid) if bid is not None:
            return int(bid * 100)
        case Quote(ask=ask) if ask is not None:
            return int(ask)
    raise AssertionError(tick)


def end_of(stop: Stop, path: Sequence[Heard]) -> tuple[bool, int, int | None]:
    """Return whether it fires, and how far it has counted and what its best is where it does not."""
    count, best, last = stop.counted, stop.best, stop.last
    for one in path:
        price, is_trusted = stop.sign * price_of(one.tick), (one.seen.apart or 0) <= stop.limit
        if stop.level is None and is_trusted:
            best = price if best is None else max(best, price)
        level = stop.level if stop.level is not None else -99 if best is None else best - stop.trail
        if price > level or (stop.level is None and best is not None and best < stop.active):
            count, last = 0, None
        elif one.part is not Part.WITNESS:
            if count < stop.confirm and one.tick.ts != last:
                count, last = count + 1, one.tick.ts
            if count >= stop.confirm and one.part is Part.KEPT and is_trusted:
                return True, 0, None
    return False, count, best


def stops(confirms: Sequence[int]) -> list[Stop]:
    """Return stops at every level between the prices 1, 2 and 3, of which some have counted before."""
    return [
        Stop(confirm, level=sign * level, sign=sign, counted=counted)
        for confirm, level, sign in product(confirms, (1, 2, 3), (1, -1))
        for counted in range(confirm)
    ]


def test_what_is_kept_of_any_short_path_fires_and_counts_as_the_whole() -> None:
    """Fault 40"""
    terms, all_stops = FoldTerms(confirms=frozenset({1, 3})), stops((1, 3))
    for values in product((1, 2, 3), repeat=6):
        path = prices(*values)

        left = kept(path, terms)

        assert [end_of(stop, left) for stop in all_stops] == [end_of(stop, path) for stop in all_stops], values


def test_what_comes_at_one_instant_counts_once_with_what_is_kept_too() -> None:
    """Fault 40"""
    terms = FoldTerms(confirms=frozenset({1, 3}))
    all_stops = [
        each._replace(last=last) for each in stops((1, 3)) for last in (None, at(1)) if each.counted or not last
    ]
    for values in product((1, 2, 3), repeat=6):
        path = heard(*(a_price(1 + number // 2, value) for number, value in enumerate(values)))

        left = kept(path, terms)

        assert [end_of(stop, left) for stop in all_stops] == [end_of(stop, path) for stop in all_stops], values


def test_what_is_kept_of_any_short_path_trails_as_the_whole() -> None:
    """Fault 40: a stop that trails by so much, from a best of before the path or from one on which it waits for."""
    confirms = (1, 2)
    terms = FoldTerms(confirms=frozenset(confirms), trails=True, activations=frozenset({D(3)}))
    all_stops = [
        Stop(confirm, trail=trail, best=best, active=active)
        for confirm, trail, best, active in product(confirms, (1, 2), (None, 1, 2, 3, 4), (-99, 3))
    ]
    for values in product((1, 2, 3, 4), repeat=4):
        path = prices(*values, 2, 2)

        left = kept(path, terms)

        assert [end_of(stop, left) for stop in all_stops] == [end_of(stop, path) for stop in all_stops], values


def test_what_no_limit_trusts_is_counted_and_neither_fires_nor_is_a_best() -> None:
    """Fault 40, Fault 34"""
    terms = FoldTerms(confirms=frozenset({1, 2}), limits=frozenset({D("0.01")}), trails=True)
    limits, bests = (NEVER, D("0.01")), (None, 41, 43)
    all_stops = [
        *(Stop(confirm, level=level, limit=limit) for confirm, level, limit in product((1, 2), (41, 42, 43), limits)),
        *(
            Stop(confirm, trail=trail, limit=limit, best=best)
            for confirm, trail, limit, best in product((1, 2), (1, 2), limits, bests)
        ),
    ]
    for values in product((41, 42, 43), repeat=3):
        for apart in product((0, 5), repeat=3):
            path = heard(
                *(
                    a_quote(second, f"0.{bid}", "0.60", no_bid="0.40", no_ask=f"0.{100 - bid + wide}")
                    for second, (bid, wide) in enumerate(zip((*values, 43, 43), (*apart, 0, 0), strict=True), 1)
                )
            )

            left = kept(path, terms)

            assert [end_of(stop, left) for stop in all_stops] == [end_of(stop, path) for stop in all_stops], path


STEPS: Final = (2, -1, 3, 1, 3, 2, 3, 4, 4, 4)


@pytest.mark.parametrize(
    ("path", "active", "waits"),
    [
        (prices(*(100 + step for step in STEPS)), D(103), Stop(1, trail=2, active=103)),
        (
            heard(*(a_coin_quote(second, "50", str(100 - step)) for second, step in enumerate(STEPS, 1))),
            D(97),
            Stop(1, trail=2, sign=-1, active=-97),
        ),
        (
            heard(*(a_quote(second, f"0.{50 + step}", "0.60") for second, step in enumerate(STEPS, 1))),
            D("0.53"),
            Stop(1, trail=2, active=53),
        ),
    ],
)
def test_a_stop_that_trails_from_a_best_on_finds_the_fall_that_follows_it(
    path: list[Heard], active: Decimal, waits: Stop
) -> None:
    """Fault 40: a fall as deep from a lower best is no witness for it; of a price, for a short trade and in cents."""
    terms = FoldTerms(trails=True, activations=frozenset({active}))

    assert end_of(waits, kept(path, terms)) == (True, 0, None)


def test_a_book_that_nobody_offers_in_is_above_its_bid_and_may_fire_what_closes_a_short_trade() -> None:
    quotes = (("100", "101"), ("100", "101"), ("104", None), ("100", "101"), ("100", "101"), ("100", "101"))
    path = heard(*(a_coin_quote(second, bid, ask) for second, (bid, ask) in enumerate(quotes, 1)))

    assert [(one.order, one.part) for one in kept(path, FoldTerms())] == [
        (number, Part.KEPT) for number in (0, 2, 3, 5)
    ]


def told(path: Sequence[Heard]) -> list[str]:
    """Return the prices of a path, with a question mark behind those that only bear witness."""
    return [f"{one.tick.price}{'?' * (one.part is Part.WITNESS)}" for one in path]  # type: ignore[union-attr]  # as above


@pytest.mark.parametrize(
    ("terms", "left"),
    [
        (FoldTerms(), "50 49 50? 47 52 51? 50"),
        (FoldTerms(trails=True), "50 49 50? 47 52 51? 50"),
        (FoldTerms(dwells=True), "50 49 50? 47 52 51? 50"),
        (FoldTerms(confirms=frozenset({2})), "50 49 48 50? 47 48 51 52 51 50"),
        (FoldTerms(confirms=frozenset({1, 3})), "50 49 48 49 50? 49 47 48 51 52 51 50"),
    ],
)
def test_extremes_are_kept_and_what_stood_between_them(terms: FoldTerms, left: str) -> None:
    path = prices(50, 49, 48, 49, 50, 49, 47, 48, 50, 51, 52, 51, 50)

    assert told(kept(path, terms)) == left.split()


def test_of_a_flood_of_prices_between_two_others_one_is_left() -> None:
    wave = (50, 51) * 500

    assert told(kept(prices(60, 40, *wave, 50), FoldTerms())) == ["60", "40", "51", "50"]


def test_what_is_kept_is_kept_again() -> None:
    path = prices(*(50 + number * 37 % 11 for number in range(100)))
    once = kept(path, FoldTerms(confirms=frozenset({2}), trails=True))

    assert kept(once, FoldTerms(confirms=frozenset({2}), trails=True)) == once


def test_since_when_a_value_stands_is_kept() -> None:
    """Fault 32: a price that stands still for too long is unknown, and not from the end of the fold on."""
    path = prices(50, 51, 50, 51, 51, 51, 51)

    assert [one.order for one in kept(path, FoldTerms())] == [0, 1, 2, 3, 6]


def test_the_last_word_of_each_source_is_kept() -> None:
    ticks = [a_coin_quote(second, "100", "101", source=source) for second, source in enumerate("ababaaaa", 1)]

    assert [one.order for one in kept(heard(*ticks), FoldTerms())] == [0, 3, 7]


def test_since_when_a_book_is_crossed_is_kept_where_somebody_looks_at_it() -> None:
    asks = ("101", "101", "99", "99", "99", "101", "101", "101")
    path = heard(*(a_coin_quote(second, "100", ask) for second, ask in enumerate(asks, 1)))

    left = kept(path, FoldTerms())

    assert [one.order for one in left] == [0, 1, 2, 4, 5, 7]


@pytest.mark.parametrize(("terms", "left"), [(FoldTerms(), [0, 6]), (FoldTerms(dwells=True), [0, 5, 6])])
def test_a_tick_of_which_nobody_knows_is_kept_where_a_dwell_begins_anew_with_it(
    terms: FoldTerms, left: list[int]
) -> None:
    bids = ("48", "48", "48", "48", "48", None, "49")
    path = heard(*(a_coin_quote(second, bid, "51") for second, bid in enumerate(bids, 1)))

    assert [one.order for one in kept(path, terms)] == left


def test_of_beats_the_first_and_the_last_are_kept() -> None:
    path = heard(*(a_beat(second) for second in range(1, 6)))

    assert kept(path, FoldTerms()) == [path[0], path[-1]]
    assert kept(path[:1], FoldTerms()) == path[:1]


def test_of_what_the_book_rejects_as_many_are_kept_as_mark_a_feed() -> None:
    """Fault 34"""
    path = heard(*(a_quote(second, "40", "41") for second in range(1, 6)))

    assert kept_odd(path) == path[-3:]


@pytest.mark.parametrize("part", [Part.WITNESS, Part.COUNTED])
def test_what_only_bears_witness_or_only_counts_does_no_more_when_it_is_kept(part: Part) -> None:
    path = heard(*(a_price(second, value) for second, value in enumerate((50, 40, 60, 50), 1)), part=part)

    assert {one.part for one in kept(path, FoldTerms())} <= {Part.WITNESS, part}
