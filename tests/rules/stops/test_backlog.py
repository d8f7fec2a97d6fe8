"""What of a batch is history: true while nobody read, and known by the same batch not to be any more (Fault 33)."""

import pytest

from actors.rules.stops.backlog import history, pieces
from bus.messages.market import Part, Tick, Ticks
from tests.rules.stops.builders import SYMBOL, a_beat, a_momentum, a_price, a_probability, a_quote, at

OTHER = "KXBTCD-OTHER"


def seconds_of_history(*batch: Tick, read_at: float = 10) -> list[float]:
    found = history(Ticks(batch=batch, received_ns=at(read_at)))
    return [(tick.ts - at(0)) / 1e9 for tick in batch if id(tick) in found]


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        ((), []),
        ((a_quote(1), a_quote(9)), [1]),
        ((a_quote(1), a_quote(2), a_quote(9)), [1, 2]),
        ((a_quote(1), a_quote(1)), [1]),
        ((a_quote(1), a_quote(9, ticker=OTHER)), []),
        ((a_quote(1), a_probability(9, 1)), []),
        ((a_probability(1, 1), a_probability(9, 1)), [1]),
        ((a_price(1, 1), a_price(9, 1)), [1]),
        ((a_price(1, 1), a_price(9, 1, symbol=f"{SYMBOL}X")), []),
        ((a_momentum(1, 1), a_momentum(9, 1)), [1]),
        ((a_beat(1), a_quote(2), a_beat(3), a_quote(9)), [2]),
        ((a_quote(1),), []),
    ],
)
def test_an_old_tick_that_a_newer_one_of_its_kind_follows_is_history(
    batch: tuple[Tick, ...], found: list[float]
) -> None:
    assert seconds_of_history(*batch) == found


def test_pieces_hold_every_tick_in_its_order_so_many_at_a_time() -> None:
    """Fault 33"""
    batch = (a_quote(1), a_quote(2), a_quote(9), a_quote(9.5), a_quote(9.6))

    found = pieces(Ticks(batch=batch, received_ns=at(10)), 2)

    assert [tick for piece in found for tick in piece.batch] == list(batch)
    assert [(len(piece.batch), piece.part) for piece in found] == [(2, Part.PAST), (2, Part.WHOLE), (1, Part.WHOLE)]


@pytest.mark.parametrize(("age", "found"), [(2, []), (2.001, [7.999])])
def test_a_tick_is_old_after_two_seconds(age: float, found: list[float]) -> None:
    assert seconds_of_history(a_quote(10 - age), a_quote(10)) == found


@pytest.mark.parametrize(
    "straggler",
    [a_quote(0.5), a_quote(2, "1.01", "1.02"), a_quote(12.001), a_quote(2, no_bid="1.01")],
    ids=["older", "a price above one", "an instant ahead", "another price above one"],
)
def test_a_tick_that_the_book_does_not_take_makes_no_history(straggler: Tick) -> None:
    """Fault 33: what came before it stays in force, so it is news."""
    assert seconds_of_history(a_quote(1), straggler) == []


def test_what_is_not_old_yet_stays_news_though_older_ticks_came_with_it() -> None:
    assert seconds_of_history(a_quote(1), a_quote(8), a_quote(9)) == [1]
