"""A best follows only what is certain: a book with one side missing bounds the exit, and says no more."""

import pytest

from bus.messages.trades import Side
from tests.rules.stops.builders import Watch, a_coin_quote, a_coin_trade, stop

TRAIL = stop("trailing", trail=5)


@pytest.mark.parametrize(
    ("side", "bounded", "known", "fires"),
    [
        (Side.SHORT, ("80", None), ("89", "90"), False),
        (Side.SHORT, ("79", "80"), ("89", "90"), True),
        (Side.LONG, (None, "120"), ("110", "111"), False),
        (Side.LONG, ("120", "121"), ("110", "111"), True),
    ],
)
def test_a_side_that_nobody_quotes_moves_no_best(
    side: Side, bounded: tuple[str | None, str | None], known: tuple[str, str], fires: bool
) -> None:
    """Two units at 100: the exit of a short is the ask, of a long the bid."""
    watch = Watch(a_coin_trade(TRAIL, side=side), answers=True)

    watch.tick(a_coin_quote(1, *bounded), a_coin_quote(2, *known))

    assert bool(watch.fired) is fires
