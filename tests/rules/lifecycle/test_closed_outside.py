"""Somebody else closes a trade at the venue, or a part of it (Fault 55)."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.rules.trade.outside import fills_of_others, part_id
from bus.messages.orders import VenueFill
from bus.messages.reconcile import ClosedOutside
from bus.messages.trades import AttemptState, Fill, Mode, Purpose, Side, TradeState
from tests.rules.lifecycle.builders import (
    BUY_OPPOSITE,
    TICKER,
    Life,
    a_closing_life,
    a_fill,
    a_person,
    a_report,
    a_settlement,
    an_open_life,
    at,
)

D = Decimal


def outside(
    quantity: str = "10", *fills: tuple[str, str], open_quantity: str = "10", side: Side = Side.YES
) -> ClosedOutside:
    """Return that so much was closed by somebody else, by fills of (quantity, price)."""
    found = tuple(
        VenueFill(
            fill_id=f"m{n}", ticker=TICKER, side=side, price=D(price), quantity=D(part), ts=at(20 + n), fees=D("0.02")
        )
        for n, (part, price) in enumerate(fills)
    )
    return ClosedOutside(
        trade_id="t1", open_quantity=D(open_quantity), quantity=D(quantity), fills=found, now_ns=at(30)
    )


def closed_by(word: ClosedOutside, life: Life | None = None) -> Life:
    return (life or an_open_life()).hear(word, at_s=30)


def test_it_is_closed_as_external_at_the_prices_of_the_venues_fills_and_no_order_is_sent() -> None:
    """Fault 55: detected, closed as external, no second close."""
    life = closed_by(outside("10", ("6", "0.50"), ("4", "0.40")))

    trade = life.trade
    assert (trade.state, trade.close_reason, trade.rule) == (TradeState.CLOSED, "external", None)
    assert (trade.exit_price, trade.fees, trade.pnl) == (D("0.46"), D("0.05"), D("-1.45"))
    assert life.edges[-2:] == [("open", "closing"), ("closing", "closed")]
    assert [step.closes for step in life.steps] == [()] * len(life.steps)


def test_one_that_a_trade_of_the_other_side_has_closed_ends_as_netted_at_one_dollar_less_its_price() -> None:
    """L1"""
    life = closed_by(replace(outside("10", ("10", "0.35"), side=Side.NO), netted=True))

    trade = life.trade
    assert (trade.state, trade.close_reason, trade.exit_price) == (TradeState.CLOSED, "netted", D("0.65"))


def test_each_of_its_fills_is_booked_once() -> None:
    """S1"""
    life = closed_by(outside("10", ("6", "0.50"), ("4", "0.40")))

    assert [(fill.fill_id, fill.client_order_id) for fill in life.booked[1:]] == [
        ("m0", "t1-external"),
        ("m1", "t1-external"),
    ]


def test_a_fill_of_somebody_else_is_a_fill_of_the_trade() -> None:
    life = closed_by(outside("10", ("10", "0.50")))

    assert life.booked[-1] == Fill(
        fill_id="m0",
        client_order_id="t1-external",
        purpose=Purpose.CLOSE,
        price=D("0.50"),
        quantity=D(10),
        fees=D("0.02"),
        ts=at(20),
    )


def test_the_venue_knows_a_part_of_a_fill_by_the_id_of_the_whole() -> None:
    """Also where that id looks like one of ours."""
    found = outside("10", ("4", "0.50"), ("6", "0.50"))
    whole, part = found.fills

    parts = (replace(whole, fill_id="a#b"), replace(part, fill_id=part_id("c#d", "t1")))
    life = closed_by(replace(found, fills=parts))

    assert fills_of_others(life.trade) == {"a#b", "c#d"}


def test_what_our_own_orders_filled_is_not_of_others() -> None:
    assert fills_of_others(an_open_life().trade) == set()


def test_a_price_that_nobody_knows_is_not_invented() -> None:
    life = closed_by(outside("10"))

    trade = life.trade
    assert (trade.state, trade.exit_price, trade.outcome) == (TradeState.CLOSED, None, None)
    assert (trade.unpriced_quantity, trade.closed_quantity, trade.pnl) == (D(10), D(10), D("-0.01"))
    assert life.kinds[-2:] == ["position_mismatch", "trade_closed"]
    assert "Nobody knows the price of 10" in life.step.notices[0].body


def test_a_part_leaves_the_rest_open_and_guarded() -> None:
    life = closed_by(outside("4", ("4", "0.50")))

    assert (life.trade.state, life.trade.open_quantity, life.trade.close_reason) == (TradeState.OPEN, D(6), None)


def test_a_part_without_a_price_is_taken_off_what_is_open() -> None:
    life = closed_by(outside("4"))

    trade = life.trade
    assert (trade.open_quantity, trade.closed_quantity, trade.unpriced_quantity) == (D(6), D(4), D(4))
    assert (trade.exit_ts, trade.close_wanted, trade.exit_proceeds) == (at(30), None, D(0))


def test_it_is_taken_off_the_close_in_effect() -> None:
    life = a_closing_life().hear(a_report("rejected", "t1-close-1", at_s=11), at_s=11)

    closed_by(outside("4"), life)

    assert (life.trade.close_wanted, life.trade.open_quantity) == (D(6), D(6))


def test_the_rest_settles_without_the_part_of_unknown_price() -> None:
    life = closed_by(outside("4"), an_open_life(mode=Mode.LIVE))
    life.hear(a_settlement("yes"), at_s=3601)

    trade = life.trade
    assert trade.state is TradeState.SETTLED
    assert (trade.exit_price, trade.pnl, trade.outcome) == (D(1), D("2.39"), None)


def test_buying_the_other_side_closes_at_one_dollar_less_its_price() -> None:
    life = closed_by(outside("10", ("10", "0.55"), side=Side.NO), an_open_life(venue=BUY_OPPOSITE))

    assert life.trade.exit_price == D("0.45")


def test_a_close_that_waits_for_its_next_attempt_is_over() -> None:
    life = a_closing_life().hear(a_report("rejected", "t1-close-1", at_s=11), at_s=11)

    closed_by(outside("10", ("10", "0.30")), life)

    assert (life.trade.state, life.trade.close_reason, life.trade.attached) == (
        TradeState.CLOSED, "external", ("probability",),
    )  # fmt: skip
    assert life.trade.next_attempt_ns is None


def test_a_close_that_is_over_is_no_reason_any_more() -> None:
    life = an_open_life().hear(a_person("4"), at_s=5).mark()
    life.hear(a_fill("4", "0.50", "t1-close-1", fill_id="c1", status="filled", cumulative="4"), at_s=6)

    closed_by(outside("6", ("6", "0.30"), open_quantity="6"), life)

    assert (life.trade.close_reason, life.trade.attached) == ("external", ())


def test_an_attempt_that_was_not_priced_yet_is_withdrawn() -> None:
    life = an_open_life().hear(a_person(), at_s=5)

    closed_by(outside("10"), life)

    assert life.trade.state is TradeState.CLOSED
    assert [attempt.state for attempt in life.trade.attempts] == [AttemptState.DEAD, AttemptState.DEAD]


@pytest.mark.parametrize(
    "word",
    [outside("10", open_quantity="8"), outside("12"), outside("0")],
    ids=["another quantity is open", "more than is open", "nothing"],
)
def test_what_does_not_fit_the_trade_any_more_is_void(word: ClosedOutside) -> None:
    life = an_open_life()
    before = life.trade

    assert closed_by(word, life).trade is before


def test_while_an_order_of_ours_is_on_its_way_nothing_counts_as_somebody_elses() -> None:
    """S8: what is missing may be that order's fill."""
    life = a_closing_life()
    before = life.trade

    assert closed_by(outside("10"), life).trade is before
