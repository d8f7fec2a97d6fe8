"""A statement sums what happened in its span, to the cent, and shows where the venue says otherwise."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bus.commands.statement import differences_of, rows_of, totals_of
from bus.messages.market import Result
from bus.messages.orders import VenueFill
from bus.messages.statement import StatementDifference, StatementRow
from bus.messages.trades import Fill, Mode, Purpose, Side, Trade, TradeState
from tests.db.builders import NOW_NS, a_trade

D = Decimal
SECOND_NS = 1_000_000_000
BEGIN, END = NOW_NS, NOW_NS + 60 * SECOND_NS


def a_fill(fill_id: str, second: int, price: str, *, purpose: Purpose = Purpose.ENTRY, fees: str = "0.07") -> Fill:
    return Fill(
        fill_id=fill_id,
        client_order_id=f"t-1-{purpose}-1",
        purpose=purpose,
        price=D(price),
        quantity=D(10),
        fees=D(fees),
        ts=NOW_NS + second * SECOND_NS,
    )


def a_closed_trade(**changes: object) -> Trade:
    """Bought 10 at 0.45, sold at 0.40, 0.07 a fill."""
    closed = a_trade(
        state=TradeState.CLOSED,
        mode=Mode.LIVE,
        open_quantity=D(0),
        exit_price=D("0.40"),
        exit_ts=NOW_NS + 9 * SECOND_NS,
        fees=D("0.14"),
        pnl=D("-0.64"),
        outcome="loss",
        fills=(a_fill("f-1", 1, "0.45"), a_fill("f-2", 9, "0.40", purpose=Purpose.CLOSE)),
    )
    return replace(closed, **changes)


def told(row: StatementRow, **changes: object) -> VenueFill:
    """The fill of this row as a venue tells it that closes by selling."""
    assert row.fill_id is not None
    assert row.price is not None
    fill = VenueFill(
        fill_id=row.fill_id,
        ticker=row.ticker,
        side=row.side,
        price=row.price,
        quantity=row.quantity,
        fees=row.fees,
        ts=row.ts,
    )
    return replace(fill, **changes)


FILLS = [row for row in rows_of([a_closed_trade()], BEGIN, END) if row.fill_id]


def test_a_trade_is_its_fills_and_what_it_came_to() -> None:
    rows = rows_of([a_closed_trade()], BEGIN, END)

    assert [(row.kind, row.price, row.fees, row.pnl) for row in rows] == [
        ("fill", D("0.45"), D("0.07"), None),
        ("fill", D("0.40"), D("0.07"), None),
        ("ended", D("0.40"), D(0), D("-0.64")),
    ]


def test_the_sums_are_those_of_the_trade() -> None:
    """Lesson 36"""
    [totals] = totals_of(rows_of([a_closed_trade()], BEGIN, END))

    assert (totals.fills, totals.ended, totals.fees, totals.pnl) == (2, 1, D("0.14"), D("-0.64"))


def test_a_position_that_was_taken_over_stands_with_its_price_and_its_fees() -> None:
    trade = a_closed_trade(fills=(a_fill("f-2", 9, "0.40", purpose=Purpose.CLOSE),))

    rows = rows_of([trade], BEGIN, END)

    [adopted] = [row for row in rows if row.kind == "adopted"]
    assert (adopted.quantity, adopted.price, adopted.fees) == (D(10), D("0.45"), D("0.07"))
    assert sum(row.fees for row in rows) == trade.fees


def a_settled_trade(**changes: object) -> Trade:
    """Bought 10 at 0.45, sold 4 of them, and 6 were settled."""
    return a_closed_trade(
        **{
            "state": TradeState.SETTLED,
            "result": Result.YES,
            "closed_quantity": D(4),
            "settlement_fees": D("0.02"),
            "fees": D("0.16"),
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("side", "result", "payout", "paid"),
    [
        (Side.YES, Result.YES, None, "1"),
        (Side.NO, Result.YES, None, "0"),
        (Side.NO, Result.NO, D(0), "1"),
        (Side.NO, Result.SPLIT, D("0.30"), "0.70"),
    ],
)
def test_a_settlement_stands_with_what_a_contract_of_the_trade_s_side_was_paid(
    side: Side, result: Result, payout: Decimal | None, paid: str
) -> None:
    """Lesson 36"""
    rows = rows_of([a_settled_trade(side=side, result=result, payout=payout)], BEGIN, END)

    [settled] = [row for row in rows if row.kind == "settlement"]
    assert (settled.quantity, settled.price, settled.outcome) == (D(6), D(paid), result)


def test_what_settling_cost_stands_with_the_settlement_and_counts_once() -> None:
    trade = a_settled_trade()

    rows = rows_of([trade], BEGIN, END)

    assert [row.fees for row in rows if row.kind in ("settlement", "ended")] == [D("0.02"), D(0)]
    assert sum(row.fees for row in rows) == trade.fees
    assert totals_of(rows)[0].settlements == 1


def test_what_came_for_an_ended_trade_is_an_adjustment() -> None:
    [totals] = totals_of(rows_of([a_closed_trade(trade_id="r-0a1b")], BEGIN, END))

    assert totals.adjustments == 2


@pytest.mark.parametrize(("begin_s", "end_s", "kinds"), [(0, 9, ["fill"]), (9, 10, ["fill", "ended"]), (10, 60, [])])
def test_the_span_begins_with_its_first_instant_and_ends_before_its_last(
    begin_s: int, end_s: int, kinds: list[str]
) -> None:
    rows = rows_of([a_closed_trade()], NOW_NS + begin_s * SECOND_NS, NOW_NS + end_s * SECOND_NS)

    assert [row.kind for row in rows] == kinds


def test_a_venue_that_says_the_same_leaves_no_difference() -> None:
    assert list(differences_of("kalshi", "main", FILLS, map(told, FILLS))) == []


def test_the_price_of_the_other_side_is_the_same_price() -> None:
    other = told(FILLS[1], side=Side.NO, price=D("0.60"))

    assert list(differences_of("kalshi", "main", FILLS[1:], [other])) == []


@pytest.mark.parametrize(
    ("theirs", "what", "ours", "other"),
    [
        ({"quantity": D(9)}, "quantity", D(10), D(9)),
        ({"price": D("0.46")}, "price", D("0.45"), D("0.46")),
        ({"fees": D("0.08")}, "fees", D("0.07"), D("0.08")),
    ],
)
def test_what_the_venue_says_otherwise_is_shown(
    theirs: dict[str, Decimal], what: str, ours: Decimal, other: Decimal
) -> None:
    found = list(differences_of("kalshi", "main", FILLS[:1], [told(FILLS[0], **theirs)]))

    assert found == [
        StatementDifference(venue="kalshi", account="main", fill_id="f-1", what=what, ours=ours, theirs=other)
    ]


def test_a_fill_that_one_of_both_does_not_know_is_shown() -> None:
    found = list(differences_of("kalshi", "main", FILLS[:1], [told(FILLS[1])]))

    assert [(one.fill_id, one.ours, one.theirs) for one in found] == [("f-1", D(10), None), ("f-2", None, D(10))]


def test_fees_of_which_the_venue_says_nothing_are_not_compared() -> None:
    assert list(differences_of("kalshi", "main", FILLS[:1], [told(FILLS[0], fees=None)])) == []
