"""What stops can see in one tick: what closing brings on each side, and what only bounds it."""

from decimal import Decimal

import pytest

from actors.rules.folding.levels import Level, Seen, is_crossed, middle, name_of, seen, value_of
from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick
from tests.rules.stops.builders import (
    COIN,
    SYMBOL,
    TICKER,
    a_beat,
    a_coin_quote,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
)

D = Decimal
ANY = Level()
ALMOST = D("0.000000000001")


def sure(text: str) -> Level:
    return Level(D(text), D(text))


def below(text: str) -> Level:
    """Something, but less than that: somebody asks for it, and nobody bids."""
    return Level(D(0), D(text) - ALMOST)


@pytest.mark.parametrize(
    ("quote", "exits"),
    [
        (
            a_quote(1, "0.50", "0.52", no_bid="0.46", no_ask="0.51"),
            (sure("0.50"), sure("0.49"), sure("0.46"), sure("0.48")),
        ),
        (a_quote(1, "0.50", "0.52"), (sure("0.50"), sure("0.50"), sure("0.48"), sure("0.48"))),
        (a_quote(1, no_bid="0.46", no_ask="0.51"), (sure("0.49"), sure("0.49"), sure("0.46"), sure("0.46"))),
        (a_quote(1, None, "0.52"), (below("0.52"), below("0.52"), sure("0.48"), sure("0.48"))),
        (a_quote(1, "0.50"), (sure("0.50"), sure("0.50"), below("0.50"), below("0.50"))),
        (a_quote(1, no_bid="0.46"), (below("0.54"), below("0.54"), sure("0.46"), sure("0.46"))),
        (a_quote(1, "0", "1", no_bid="0", no_ask="1"), (ANY, ANY, ANY, ANY)),
        (a_quote(1, "0.50", "0"), (sure("0.50"), sure("0.50"), below("0.50"), below("0.50"))),
    ],
)
def test_each_side_of_an_event_is_sold_or_bought_back_and_one_side_speaks_for_the_other(
    quote: Quote, exits: tuple[Level, ...]
) -> None:
    assert seen(quote).exits == (*exits, ANY, ANY)


@pytest.mark.parametrize(
    ("quote", "exits"),
    [
        (a_quote(1, "0.55", "0.52"), (sure("0.52"), sure("0.52"), sure("0.45"), sure("0.45"))),
        (a_quote(1, no_bid="0.55", no_ask="0.52"), (sure("0.45"), sure("0.45"), sure("0.52"), sure("0.52"))),
    ],
)
def test_a_crossed_book_brings_the_less_of_its_two_sides(quote: Quote, exits: tuple[Level, ...]) -> None:
    assert seen(quote).exits == (*exits, ANY, ANY)


@pytest.mark.parametrize(
    ("bid", "ask", "long", "short"),
    [
        ("100", "101", sure("100"), sure("101")),
        ("102", "101", sure("101"), sure("102")),
        ("101", "101", sure("101"), sure("101")),
        ("100", None, sure("100"), Level(100 + ALMOST)),
        (None, "101", below("101"), sure("101")),
        ("0", "0", ANY, ANY),
    ],
)
def test_a_linear_instrument_is_sold_at_the_bid_and_bought_back_at_the_ask(
    bid: str | None, ask: str | None, long: Level, short: Level
) -> None:
    assert seen(a_coin_quote(1, bid, ask)) == Seen((ANY, ANY, ANY, ANY, long, short))


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        (a_quote(1, "0.50", "0.52", no_bid="0.47", no_ask="0.54"), ("0.50", "0.52", "0.04")),
        (a_quote(1, "0.50", "0.52", no_bid="0.43", no_ask="0.51"), ("0.50", "0.52", "0.05")),
        (a_quote(1, "0.50", None, no_bid="0.43", no_ask="0.51"), ("0.50", "0.57", "0.01")),
        (a_quote(1, None, "0.52", no_bid="0.43", no_ask="0.51"), ("0.49", "0.52", "0.05")),
        (a_quote(1, "0.50", "0.52"), ("0.50", "0.52", None)),
    ],
)
def test_a_quote_tells_a_probability_and_how_far_its_sides_disagree(
    quote: Quote, expected: tuple[str | None, ...]
) -> None:
    bid, ask, apart = (None if text is None else D(text) for text in expected)

    assert (seen(quote).middle, seen(quote).apart) == ((bid, ask), apart)


@pytest.mark.parametrize(
    ("quote", "crosses"),
    [
        (a_quote(1, "0.50", "0.50"), False),
        (a_quote(1, "0.51", "0.50"), True),
        (a_quote(1, no_bid="0.51", no_ask="0.50"), True),
        (a_coin_quote(1, "101", "100"), True),
        (a_coin_quote(1, "100", "100"), False),
        (a_coin_quote(1, "100", None), False),
        (a_coin_quote(1, "100", "0"), False),
        (a_quote(1, "0.51", "0"), False),
        (a_quote(1, no_bid="0.51", no_ask="0"), False),
    ],
)
def test_a_book_is_crossed_where_somebody_bids_more_than_another_asks(quote: Quote, crosses: bool) -> None:
    assert is_crossed(quote) is crosses


@pytest.mark.parametrize(
    ("bid", "ask", "max_spread", "yes", "no"),
    [
        ("0.50", "0.52", None, sure("1.02"), sure("1.02")),
        ("0.50", "0.52", "0.02", sure("1.02"), sure("1.02")),
        ("0.50", "0.52", "0.01", Level(D("1.00"), D("1.04")), Level(D("1.00"), D("1.04"))),
        ("0.55", "0.52", "0.01", sure("1.04"), sure("1.10")),
        ("0.52", "0.52", "0.01", sure("1.04"), sure("1.04")),
        (None, "0.52", None, below("1.04"), below("1.04")),
        ("0.50", None, None, Level(1 + ALMOST, D(2)), Level(1 + ALMOST, D(2))),
        (None, None, None, ANY, ANY),
    ],
)
def test_a_probability_is_known_while_the_spread_is_narrow_enough(
    bid: str | None, ask: str | None, max_spread: str | None, yes: Level, no: Level
) -> None:
    sides = (None if bid is None else D(bid)), (None if ask is None else D(ask))
    spread = None if max_spread is None else D(max_spread)

    assert (middle(sides, spread, no=False), middle(sides, spread, no=True)) == (yes, no)


@pytest.mark.parametrize(
    ("tick", "name", "value", "levels"),
    [
        (a_price(1, "119500.5"), (SpotPrice, SYMBOL), D("119500.5"), (sure("119500.5"),)),
        (a_momentum(1, "-1.5"), (Momentum, SYMBOL), D("-1.5"), (sure("-1.5"),)),
        (a_probability(1, "40"), (Probability, TICKER), D(40), (sure("40"),)),
        (a_beat(1), (FeedBeat, "kalshi"), None, ()),
    ],
)
def test_any_other_tick_is_its_value_and_a_beat_is_none(
    tick: Tick, name: tuple[type, str], value: Decimal | None, levels: tuple[Level, ...]
) -> None:
    assert (name_of(tick), value_of(tick), seen(tick)) == (name, value, Seen(levels))


def test_a_quote_is_named_by_its_ticker_and_has_no_value() -> None:
    quote = a_coin_quote(1, "100", "101")

    assert (name_of(quote), value_of(quote)) == ((Quote, COIN), None)
