"""What a trade saw of its market, as lines, and where its stops stood to it."""

from decimal import Decimal

import pytest

from actors.rules.pictures.drawn import Line, Panel, Role, Span
from actors.rules.stops.engine import StopEngine
from bus.messages.timers import TimerFired
from bus.messages.trades import Side, TradeState
from tests.rules.pictures.builders import Telling, moments
from tests.rules.stops.builders import (
    a_beat,
    a_coin_quote,
    a_coin_trade,
    a_momentum,
    a_price,
    a_probability,
    a_quote,
    a_trade,
    at,
    stop,
)

PRICE = stop("price", stop_price="0.40")
QUOTE = a_quote(1, "0.58", "0.60")


def looked(told: Telling, seconds: float) -> Telling:
    """AutoStop looks again though no tick came."""
    timer = TimerFired(owner="auto_stop", key="t1", due_ns=at(seconds), now_ns=at(seconds))
    return told.say(seconds, heard=timer, actor="auto_stop")


def limits(told: Telling) -> dict[str, list[tuple[float, str | None]]]:
    return {line.name: told.line("exit", line.name) for line in told.panel("exit").lines if line.limit}


def test_the_exit_price_stands_between_its_stop_its_entry_and_the_ask() -> None:
    told = Telling().say(0, a_trade(PRICE)).tick(1, QUOTE).tick(9, a_quote(9, "0.57", "0.60"))

    assert told.panel("exit") == Panel(
        key="exit",
        name="Exit price of one contract",
        unit="$",
        lines=(
            Line(name="stop price", role=Role.STOP, limit=True, points=moments((0, "0.40"), (9, "0.40"))),
            Line(name="entry", role=Role.ENTRY, limit=True, points=moments((0, "0.60"), (9, "0.60"))),
            Line(name="exit price", role=Role.EXIT, points=moments((1, "0.58"), (9, "0.57"), (9, "0.57"))),
            Line(name="ask", role=Role.ASK, points=moments((1, "0.60"), (9, "0.60"))),
        ),
        tall=True,
    )


def test_the_probability_stands_as_fed_and_as_quoted_above_its_floor() -> None:
    told = (
        Telling()
        .say(0, a_trade(stop("probability", floor_percent="30")))
        .tick(1, QUOTE, a_probability(1, 58))
        .tick(2, QUOTE)
    )

    assert told.panel("probability") == Panel(
        key="probability",
        name="Probability that its side wins",
        unit="%",
        lines=(
            Line(name="probability floor", role=Role.STOP, limit=True, points=moments((0, "30"), (2, "30"))),
            Line(name="probability by the quote", role=Role.QUOTED, points=moments((1, "59"), (2, "59"))),
            Line(name="probability feed", role=Role.FED, points=moments((1, "58"), (2, "58"))),
        ),
    )


def test_of_a_wide_spread_no_probability_is_drawn() -> None:
    told = Telling().say(0, a_trade(PRICE)).tick(1, QUOTE).tick(2, a_quote(2, "0.30", "0.60")).tick(3, QUOTE)

    assert told.line("probability", "probability by the quote") == [(1, "59.00"), (2, None)]


def test_momentum_and_buffer_have_panels_of_their_own_units() -> None:
    stops = (stop("momentum", threshold_percent="0.35"), stop("buffer", min_buffer="25"))
    told = Telling().say(0, a_trade(*stops)).tick(1, a_momentum(1, "0.1"), a_price(1, 119_600)).tick(2, QUOTE)

    limit = Line(name="momentum limit", role=Role.STOP, limit=True, points=moments((0, "-0.35"), (2, "-0.35")))
    line = Line(name="momentum", role=Role.VALUE, points=moments((1, "0.1"), (2, "0.1")))
    assert told.panel("momentum") == Panel(
        key="momentum", name="Momentum of the underlying", unit="%", lines=(limit, line)
    )
    limit = Line(name="least buffer", role=Role.STOP, limit=True, points=moments((0, "25"), (2, "25")))
    line = Line(name="buffer", role=Role.VALUE, points=moments((1, "100"), (2, "100")))
    assert told.panel("buffer") == Panel(
        key="buffer", name="Underlying beyond the strike", unit="$", lines=(limit, line)
    )


def test_a_panel_in_which_nothing_was_ever_known_is_not_drawn_though_a_stop_reads_it() -> None:
    told = Telling().say(0, a_trade(stop("momentum", threshold_percent="0.35"))).tick(1, QUOTE)

    assert "momentum" not in [panel.key for panel in told.picture().panels]


def test_what_has_grown_old_is_unknown_though_no_tick_said_so() -> None:
    told = Telling().say(0, a_trade(PRICE))
    told.tick(1, QUOTE, a_probability(1, 59), a_momentum(1, "0.1"), a_price(1, 119_600))

    looked(told, 50)

    assert told.line("exit", "exit price") == [(1, "0.58"), (50, None)]
    assert told.line("probability", "probability feed") == [(1, "59"), (50, None)]
    assert told.line("probability", "probability by the quote") == [(1, "59.00"), (50, None)]
    assert told.line("momentum", "momentum") == [(1, "0.1"), (50, None)]
    assert told.line("buffer", "buffer") == [(1, "100"), (50, None)]


def test_a_feed_that_beats_keeps_a_quiet_price_in_force() -> None:
    told = Telling().say(0, a_trade(PRICE)).tick(1, QUOTE).tick(25, a_beat(25))

    looked(told, 50)

    assert told.line("exit", "exit price") == [(1, "0.58")]


def test_where_nobody_bids_the_best_that_it_may_be_is_drawn_and_why() -> None:
    told = (
        Telling()
        .say(0, a_trade(PRICE))
        .tick(1, QUOTE)
        .tick(4, a_quote(4, None, "0.60"))
        .tick(9, a_quote(9, "0.5", "0.6"))
    )

    assert told.line("exit", "exit price") == [(1, "0.58"), (4, None), (9, "0.5")]
    assert told.line("exit", "exit price at best") == [(4, "0.60"), (9, None)]
    [bound] = [line for line in told.panel("exit").lines if line.name == "exit price at best"]
    assert (bound.role, bound.limit) == (Role.BOUND, False)
    assert [span for span in told.panel("happened").spans if span.role is Role.UNCLEAR] == [
        Span(begin_ns=at(0), end_ns=at(1), role=Role.UNCLEAR, title="exit price: never fed", row="price unclear"),
        Span(begin_ns=at(4), end_ns=at(9), role=Role.UNCLEAR, title="exit price: no bid", row="price unclear"),
    ]


def test_a_price_that_is_wholly_unknown_has_no_bound() -> None:
    told = Telling().say(0, a_trade(PRICE)).tick(1, QUOTE).tick(4, a_quote(4)).tick(9, a_quote(9))

    assert "exit price at best" not in [line.name for line in told.panel("exit").lines]
    assert [span.title for span in told.panel("happened").spans][1:] == [
        "exit price: never fed",
        "exit price: empty book",
    ]


def test_at_a_venue_that_closes_by_buying_the_other_side_the_price_is_what_that_leaves() -> None:
    told = Telling(engine=StopEngine(styles={"paper": "buy_opposite"})).say(0, a_trade(PRICE))

    told.tick(1, a_quote(1, "0.58", "0.60", no_bid="0.40", no_ask="0.43"))

    assert told.line("exit", "exit price") == [(1, "0.57")]


def test_a_recording_that_cannot_be_decided_again_is_drawn_without_the_stops_that_move() -> None:
    told = Telling(engine=None).say(0, a_trade(PRICE, stop("trailing", trail="0.10"))).tick(1, QUOTE)

    assert told.line("exit", "exit price") == [(1, "0.58")]
    assert limits(told) == {"stop price": [(0, "0.40")], "entry": [(0, "0.60")]}


def test_the_stops_of_a_trade_end_where_it_does_and_its_price_goes_on() -> None:
    told = Telling().say(0, a_trade(PRICE, stop("trailing", trail="0.10"))).tick(1, QUOTE)

    told.say(5, a_trade(PRICE, state=TradeState.CLOSED, open_quantity=Decimal(0), version=4)).tick(
        6, a_quote(6, "0.7", "0.8")
    )

    assert limits(told) == {
        "stop price": [(0, "0.40"), (5, None)],
        "entry": [(0, "0.60"), (5, None)],
        "trailing stop": [(1, "0.48"), (5, None)],
    }
    assert told.line("exit", "exit price") == [(1, "0.58"), (6, "0.7")]


def test_a_trailing_stop_is_a_limit_of_its_own_kind() -> None:
    told = Telling().say(0, a_trade(stop("trailing", trail="0.10"))).tick(1, QUOTE)

    [trail] = [line for line in told.panel("exit").lines if line.name == "trailing stop"]
    assert (trail.role, trail.limit, trail.points) == (Role.TRAIL, True, moments((1, "0.48"), (1, "0.48")))


def test_a_trailing_stop_that_is_tightened_moves_in_one_step() -> None:
    told = Telling().say(0, a_trade(stop("trailing", trail="0.10"))).tick(1, QUOTE)

    told.say(7, a_trade(stop("trailing", trail="0.05"), version=4))

    assert told.line("exit", "trailing stop") == [(1, "0.48"), (7, "0.53")]


@pytest.mark.parametrize(
    ("side", "trail", "percent", "drawn"),
    [
        (Side.LONG, "10", "50", "90"),
        (Side.LONG, "50", "10", "90"),
        (Side.SHORT, "10", "50", "111"),
        (Side.SHORT, "50", "10", "111.1"),
    ],
)
def test_of_a_stop_that_trails_by_dollars_and_by_percent_the_nearer_is_drawn(
    side: Side, trail: str, percent: str, drawn: str
) -> None:
    told = Telling().say(0, a_coin_trade(stop("trailing", trail=trail, trail_percent=percent), side=side))

    told.tick(1, a_coin_quote(1, "100", "101"))

    assert [(at_s, Decimal(value or 0)) for at_s, value in told.line("exit", "trailing stop")] == [(1, Decimal(drawn))]


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_a_linear_instrument_has_neither_probability_nor_buffer(side: Side) -> None:
    told = (
        Telling()
        .say(0, a_coin_trade(side=side))
        .tick(1, a_coin_quote(1, "99", "101"))
        .tick(2, a_price(2, 100, symbol="BTC-USD"))
    )

    assert [panel.key for panel in told.picture().panels] == ["exit", "happened"]
    assert told.line("exit", "exit price") == [(1, "99" if side is Side.LONG else "101")]


def test_a_contract_of_nothing_that_has_a_price_has_no_buffer() -> None:
    told = Telling().say(0, a_trade(symbol=None)).tick(1, QUOTE, a_price(1, 119_600))

    assert [panel.key for panel in told.picture().panels] == ["exit", "probability", "happened"]


def test_without_a_symbol_a_trade_reads_the_momentum_of_its_ticker() -> None:
    told = Telling().say(0, a_coin_trade(symbol=None))

    told.tick(1, a_momentum(1, "0.1", symbol="BTC-USD"), a_momentum(1, "0.2"))

    assert told.line("momentum", "momentum") == [(1, "0.1")]


def test_ticks_before_the_trade_are_seen_once_it_is_there() -> None:
    told = Telling().tick(
        -5, a_quote(-5, "0.59", "0.61"), a_quote(-5, "0.1", "0.2", ticker="OTHER"), a_momentum(-5, "0.1")
    )

    told.say(0, a_trade(PRICE))

    assert told.line("exit", "exit price") == [(0, "0.59")]
    assert told.line("momentum", "momentum") == [(0, "0.1")]
