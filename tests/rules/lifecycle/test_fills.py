"""Fills and money: booked once, summed exactly, late ones a trade of their own."""

from decimal import Decimal

import pytest

from actors.rules.trade.late import late_trade_id
from bus.messages.trades import Fill, Purpose, Side, Trade
from bus.messages.trades import TradeState as S
from bus.messages.units import ONE, ZERO
from tests.rules.lifecycle.builders import (
    BUY_OPPOSITE,
    CLOSE_TS,
    Life,
    a_closing_life,
    a_fill,
    a_person,
    a_report,
    a_stop,
    a_trade,
    a_venue_fill,
    an_adopted_life,
    an_answer,
    an_open_life,
    at,
    determined,
)

CLOSE_1 = "t1-close-1"


def _signed(trade: Trade) -> Decimal:
    sums = (fill.quantity if fill.purpose is Purpose.ENTRY else -fill.quantity for fill in trade.fills)
    return sum(sums, ZERO)


def test_prices_are_weighted_by_volume_and_fees_are_summed_by_order() -> None:
    """Lesson 26: VWAP of the trade's own fills, not the last one."""
    life = Life(a_trade()).begin()

    life.hear(a_fill("3", "0.61", fill_id="a", fees="0.02")).hear(a_fill("7", "0.58", fill_id="b", fees="0.03"))

    assert life.trade.entry_cost == Decimal("5.89")
    assert life.trade.entry_price == Decimal("0.589")
    assert life.trade.fees == Decimal("0.05")


@pytest.mark.parametrize(
    ("side", "entry", "exit_", "pnl"),
    [
        (Side.YES, "0.60", "0.07", "-5.32"),
        (Side.NO, "0.60", "0.93", "3.28"),
        (Side.LONG, "50000", "49750.5", "-2495.02"),
        (Side.SHORT, "50000", "49750.5", "2494.98"),
    ],
)
def test_profit_is_exact_to_the_cent(side: Side, entry: str, exit_: str, pnl: str) -> None:
    """Lesson 63: no binary residue."""
    life = an_open_life(side, price=entry).hear(a_person(), at_s=10)

    life.mark().hear(a_fill("10", exit_, CLOSE_1, fill_id="c1"))

    assert life.trade.state is S.CLOSED
    assert life.trade.pnl == Decimal(pnl)
    assert life.trade.outcome == ("win" if Decimal(pnl) > 0 else "loss")


def test_a_third_of_a_cent_is_not_lost_by_averages() -> None:
    """Lesson 26, 63: profit is computed from sums, never from the rounded average."""
    life = Life(a_trade(quantity="3")).begin()
    for fill_id, price in (("a", "0.60"), ("b", "0.60"), ("c", "0.61")):
        life.hear(a_fill("1", price, fill_id=fill_id, fees="0"))
    assert life.trade.entry_price == Decimal("0.603333333333")

    life.hear(a_stop(), at_s=10)
    for fill_id, price in (("d", "0.40"), ("e", "0.40"), ("f", "0.41")):
        life.hear(a_fill("1", price, CLOSE_1, fill_id=fill_id, fees="0"))

    assert life.trade.pnl == Decimal("-0.60")
    assert life.trade.outcome == "loss"


def test_a_fill_without_fees_costs_none() -> None:
    """Lesson 29"""
    life = Life(a_trade()).begin().hear(a_fill("10", fees=None))

    assert life.trade.fees == ZERO
    assert life.trade.state is S.OPEN


def test_fractional_contracts_are_exact_end_to_end() -> None:
    """Lesson 45"""
    life = an_open_life(quantity="0.123456").hear(a_stop(), at_s=10)

    life.hear(a_fill("0.123456", "0.41", CLOSE_1, fill_id="c1", fees="0"))

    assert life.trade.open_quantity == ZERO
    assert life.trade.exit_proceeds == Decimal("0.05061696")


def test_bought_opposites_are_booked_at_the_own_sides_price() -> None:
    life = an_open_life(venue=BUY_OPPOSITE).hear(a_stop(), at_s=10)

    life.hear(a_fill("10", "0.63", CLOSE_1, fill_id="c1", fees="0.02"))

    assert life.trade.exit_price == Decimal("0.37")
    assert life.trade.pnl == Decimal("-2.33")
    assert [fill.price for fill in life.step.fills] == [Decimal("0.37")]


def test_a_fill_is_booked_once() -> None:
    """Fault 24"""
    life = a_closing_life().hear(a_fill("4", "0.40", CLOSE_1, fill_id="c1")).hear(
        a_fill("4", "0.40", CLOSE_1, fill_id="c1", status="filled", cumulative="4")
    )  # fmt: skip

    assert life.trade.closed_quantity == 4
    assert len([fill for fill in life.booked if fill.fill_id == "c1"]) == 1


def test_partial_fills_sum_up_exactly() -> None:
    """Fault 29"""
    life = a_closing_life()
    for n in range(1, 8):
        life.hear(a_fill("1.1", "0.40", CLOSE_1, fill_id=f"c{n}"))

    assert life.trade.open_quantity == Decimal("2.3")
    assert _signed(life.trade) == life.trade.open_quantity


def test_an_entry_that_fills_too_much_is_booked_and_the_excess_closed() -> None:
    """Fault 29: overfill by 1, an alert and a reduce-only fix."""
    life = Life(a_trade()).begin().hear(a_fill("11", status="filled", cumulative="11"))
    assert life.trade.open_quantity == 11
    assert life.kinds.count("overfill") == 1

    order = life.mark().step.closes[0]

    assert (order.quantity, order.reduce_only) == (ONE, True)
    assert life.hear(a_fill("1", "0.5", CLOSE_1, fill_id="c1")).trade.open_quantity == 10


def test_a_close_that_fills_too_much_leaves_a_trade_of_the_other_side() -> None:
    """Fault 29: closed never exceeds opened; the excess is a position of its own and is closed reduce-only."""
    life = a_closing_life().hear(a_fill("11", "0.40", CLOSE_1, fill_id="c1"))
    assert (life.trade.state, life.trade.closed_quantity) == (S.CLOSED, Decimal(10))

    born, closing = life.step.late

    assert (born.trade.trade_id, born.trade.state, born.trade.version) == (late_trade_id("c1"), S.OPEN, 1)
    assert (born.trade.side, born.trade.open_quantity, born.trade.entry_price) == (Side.NO, ONE, Decimal("0.60"))
    assert (closing.trade.state, closing.trade.version) == (S.CLOSING, 2)
    assert "overfill" in life.kinds


def test_the_excess_of_a_linear_close_keeps_its_price() -> None:
    life = a_closing_life(Side.LONG, bid="49000").hear(a_fill("11", "48900", CLOSE_1, fill_id="c1"))

    born = life.step.late[0].trade

    assert (born.side, born.entry_price) == (Side.SHORT, Decimal(48900))


def test_excess_heard_of_again_while_the_trade_lives_is_no_news() -> None:
    life = a_closing_life(quantity="10").hear(a_fill("9", "0.40", CLOSE_1, fill_id="c1"))
    life.hear(a_fill("2", "0.40", CLOSE_1, fill_id="c2"))

    again = life.hear(a_fill("2", "0.40", CLOSE_1, fill_id="c2")).step

    assert _signed(life.trade) == ZERO
    assert again.fills == ()


@pytest.mark.parametrize(("report", "state"), [("rejected", S.REJECTED), ("cancelled", S.REJECTED)])
def test_a_late_fill_of_a_rejected_entry_is_closed_as_a_trade_of_its_own(report: str, state: S) -> None:
    """Lesson 30, Fault 28: a late fill is watched again, with an alert."""
    life = Life(a_trade()).begin().hear(a_report(report))
    assert life.trade.state is state

    life.hear(a_fill("10"), at_s=60)

    born, closing = life.step.late
    assert (born.trade.side, born.trade.open_quantity) == (Side.YES, Decimal(10))
    assert [(fill.fill_id, fill.purpose) for fill in born.fills] == [("f1", Purpose.ENTRY)]
    assert [(edge.from_state, edge.to_state) for edge in (*born.edges, *closing.edges)] == [
        (S.REQUESTED, S.OPEN),
        (S.OPEN, S.CLOSING),
    ]
    assert [wanted.trade_id for wanted in closing.marks] == [late_trade_id("f1")]
    assert life.kinds[-1] == "late_fill"


def test_a_late_fill_that_an_answer_tells_in_sum_too_is_held_once() -> None:
    """S2, Fault 28: the sum and the fill are the same contracts."""
    life = Life(a_trade()).begin().hear(a_report("rejected"))

    life.hear(an_answer(status="filled", cumulative="10", average="0.60", fills=(a_venue_fill("10"),)), at_s=600)

    assert {late.trade.trade_id for late in life.step.late} == {late_trade_id("f1")}


def test_a_late_trade_is_named_after_its_fill() -> None:
    assert late_trade_id("f1") == late_trade_id("f1#rest")
    assert late_trade_id("f1") != late_trade_id("f2")
    assert len(late_trade_id("f1")) <= 40


def test_a_late_trade_sells_what_it_holds() -> None:
    life = Life(a_trade()).begin().hear(a_report("rejected")).hear(a_fill("10"), at_s=60)
    late = Life(life.step.late[-1].trade)
    late.now_ns = life.now_ns

    order = late.mark().step.closes[0]

    assert (order.client_order_id, order.quantity) == (f"{late_trade_id('f1')}-close-1", Decimal(10))
    assert order.reduce_only


def test_a_late_fill_of_a_settled_trade_settles_by_the_same_result_and_the_sum_is_the_truth() -> None:
    """Fault 28: sold at 0.40 before the close, heard of after settlement: together it is the profit of that sale."""
    life = a_closing_life().hear(a_report("cancelled", CLOSE_1, cumulative="0"), at_s=12)
    life.timer("expiry", at_s=3600).hear(determined())
    assert (life.trade.state, life.trade.pnl) == (S.SETTLED, Decimal("3.99"))

    life.hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1", fees="0"))

    late = life.step.late[-1].trade
    assert late.state is S.SETTLED
    assert life.trade.pnl + late.pnl == Decimal("-2.01")
    assert late.close_ts == CLOSE_TS


def test_a_late_fill_of_a_dead_attempt_is_booked_while_the_trade_lives() -> None:
    """Fault 28: booked, the residual handled, an alert."""
    life = a_closing_life().hear(a_report("cancelled", CLOSE_1), at_s=12)

    life.hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1"), at_s="12.1")

    assert (life.trade.state, life.trade.open_quantity) == (S.CLOSED, ZERO)


def test_a_late_fill_of_a_cancelled_entry_is_closed_too_while_a_close_is_in_effect() -> None:
    """Fault 28: open quantity other than zero means covered."""
    life = Life(a_trade()).begin().hear(a_fill("4", cumulative="4")).hear(a_stop(), at_s=1)
    life.hear(a_report("cancelled", cumulative="4"))

    life.hear(a_fill("3", fill_id="f2")).mark()

    assert life.step.closes[0].quantity == 7
    assert "late_fill" in life.kinds


def test_nothing_left_withdraws_an_attempt_that_still_works() -> None:
    life = a_closing_life().hear(a_report("cancelled", CLOSE_1), at_s=12).timer("next_attempt", at_s=13).mark()

    life.hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1"), at_s=14)
    assert [(each.client_order_id, each.reason) for each in life.step.cancels] == [
        ("t1-close-2", "nothing is left to close")
    ]
    assert life.due("lookup") == at(16)

    assert life.hear(a_report("cancelled", "t1-close-2", cumulative="0")).trade.state is S.CLOSED


def test_nothing_left_ends_an_attempt_that_waits_for_its_price() -> None:
    life = a_closing_life().hear(a_report("cancelled", CLOSE_1), at_s=12).timer("next_attempt", at_s=13)

    life.hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1"), at_s=14)

    assert (life.trade.state, life.trade.attempts[-1].evidence, life.trade.next_attempt_ns) == (
        S.CLOSED,
        "never_sent",
        None,
    )


def test_an_adopted_trades_fees_count() -> None:
    life = an_adopted_life(fees=Decimal("0.10")).hear(a_stop(), at_s=10)

    life.hear(a_fill("10", "0.40", CLOSE_1, fill_id="c1", fees="0.05"))

    assert life.trade.pnl == Decimal("-2.15")


def test_the_fills_of_a_trade_keep_their_instants_whatever_order_they_come_in() -> None:
    life = Life(a_trade()).begin().hear(a_fill("5", fill_id="b", at_s=2)).hear(a_fill("5", fill_id="a", at_s=1))

    assert [fill.fill_id for fill in life.trade.fills] == ["a", "b"]
    assert life.trade.entry_ts == life.trade.fills[0].ts
    assert isinstance(life.trade.fills[0], Fill)
