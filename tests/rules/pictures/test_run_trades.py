"""The trades of a run: a bar for each, and a row in words."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rules.pictures.drawn import Panel, Role, Span, Table
from actors.rules.pictures.run_trades import RunTrade, packed
from bus.messages.trades import Coverage, TradeState
from tests.rules.pictures.builders import a_commit, a_decision, covered
from tests.rules.pictures.runs import DAY, PRICE, Run, a_closed
from tests.rules.stops.builders import TICKER, a_trade, at


def test_each_trade_is_a_bar_from_its_entry_to_its_end() -> None:
    run = Run().say(1, a_trade(PRICE)).say(8, a_closed("-2.10")).say(9)

    bar = Span(
        begin_ns=at(1),
        end_ns=at(8),
        role=Role.LOSS,
        title=f"t1: yes 10 {TICKER}",
        row="00000",
        details=("price, PnL -$2.10", "entry $0.60, exit $0.39", "open for 7 s"),
    )
    assert run.panel("trades") == Panel(
        key="trades", name="Trades, from their entry to their end", spans=(bar,), rows=("00000",), named=False
    )


def test_a_trade_that_is_open_at_the_end_is_a_bar_to_there() -> None:
    run = Run().say(1, a_trade(PRICE)).say(3, covered(3, Coverage.UNPROTECTED), actor="trade_watcher").say(9)

    [bar] = run.panel("trades").spans
    assert (bar.begin_ns, bar.end_ns, bar.role) == (at(1), at(9), Role.OPEN)
    assert bar.details == ("open, PnL $0", "entry $0.60, exit ", "open for 8 s", "unprotected for 6 s")


def test_a_trade_of_which_nothing_was_ever_open_has_a_row_and_no_bar() -> None:
    pending = a_trade(PRICE, state=TradeState.PENDING, open_quantity=Decimal(0))

    run = Run().say(1, pending).say(2, msgspec.structs.replace(pending, state=TradeState.REJECTED)).say(9)

    assert run.panel("trades").spans == ()
    assert [row[8] for row in run.table("Trades").rows] == ["rejected"]


def test_a_bar_begins_where_its_trade_was_first_open() -> None:
    run = Run().say(1, a_trade(PRICE)).say(5, a_trade(PRICE, version=4)).say(9)

    assert [bar.begin_ns for bar in run.panel("trades").spans] == [at(1)]


def test_what_was_unprotected_before_the_wanted_time_is_not_told() -> None:
    run = Run(since=5).say(0, a_trade(PRICE)).say(1, covered(1, Coverage.UNPROTECTED), actor="trade_watcher")

    run.say(3, covered(3, Coverage.ARMED), actor="trade_watcher").say(5).say(9)

    assert run.picture().facts["unprotected"] == "never"
    assert run.table("Trades").rows[0][11] == ""


@pytest.mark.parametrize(("pnl", "role"), [("0.01", Role.GAIN), ("0", Role.LEVEL), ("-0.01", Role.LOSS)])
def test_a_bar_is_a_gain_a_loss_or_neither(pnl: str, role: Role) -> None:
    run = Run().say(1, a_trade(PRICE)).say(8, a_closed(pnl))

    assert [bar.role for bar in run.panel("trades").spans] == [role]


def test_trades_that_are_open_at_once_stand_under_each_other() -> None:
    run = Run().say(1, a_trade(PRICE)).say(2, a_trade(PRICE, trade_id="t2")).say(8, a_closed("0"))

    run.say(8, a_trade(PRICE, trade_id="t3")).say(9)

    panel = run.panel("trades")
    assert [(bar.title[:2], bar.row) for bar in panel.spans] == [("t1", "00000"), ("t2", "00001"), ("t3", "00000")]
    assert panel.rows == ("00000", "00001")


def test_every_trade_stands_in_the_table() -> None:
    run = Run().say(1, a_trade(PRICE)).say(8, a_closed("-2.10"))

    assert run.table("Trades") == Table(
        title="Trades",
        columns=(
            *("trade", "ticker", "side", "quantity", "entry", "at", "exit", "at"),
            *("ended by", "PnL", "held back", "unprotected"),
        ),
        rows=(
            (
                *("t1", TICKER, "yes", "10", "$0.60", f"{DAY} 12:00:00 UTC", "$0.39", f"{DAY} 12:00:08 UTC"),
                *("price", "-$2.10", "", ""),
            ),
        ),
    )


def test_the_table_counts_what_guards_held_back_and_how_long_a_trade_was_unprotected() -> None:
    run = Run().say(1, a_trade(PRICE), a_trade(trade_id="t2", entry_price=None, entry_ts=None))
    run.say(2, covered(2, Coverage.UNPROTECTED), actor="trade_watcher")

    run.say(3, *[a_commit(decisions=(a_decision(fired=False),))] * 1001, actor="auto_stop")
    run.say(4, covered(4, Coverage.ARMED), actor="trade_watcher")

    first, second = run.table("Trades").rows
    assert first[6:] == ("", "", "open", "$0", "1,001", "2 s")
    assert second[4:] == ("", "", "", "", "open", "$0", "", "")


def test_of_what_is_still_unprotected_no_length_is_told() -> None:
    run = Run().say(1, a_trade(PRICE)).say(2, covered(2, Coverage.UNPROTECTED), actor="trade_watcher").say(9)

    assert run.table("Trades").rows[0][11] == "still"


def test_what_is_unprotected_at_its_end_is_so_until_then() -> None:
    run = Run().say(1, a_trade(PRICE)).say(2, covered(2, Coverage.UNPROTECTED), actor="trade_watcher")

    run.say(5, a_closed("0")).say(9)

    assert run.picture().facts["unprotected"] == "3 s, all trades together"
    assert run.table("Trades").rows[0][11] == "3 s"


def test_a_table_of_thousands_of_trades_is_cut() -> None:
    run = Run().say(0, *(a_trade(trade_id=f"t{number}") for number in range(2001)))

    found = run.table("Trades")

    assert (len(found.rows), found.left_out) == (2000, 1)


def test_what_was_over_before_the_wanted_time_is_not_told() -> None:
    run = Run(since=5).say(1, a_trade(PRICE), a_trade(PRICE, trade_id="t2")).say(4, a_closed("-1"))

    run.say(5, a_closed("2", "t2")).say(9)

    assert [row[0] for row in run.table("Trades").rows] == ["t2"]
    assert run.picture().facts["realised PnL"] == "$2"
    assert run.line("pnl") == [(5, "1"), (9, "1")]


LIVES = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), min_size=1, max_size=40)


@given(LIVES)
def test_trades_in_one_row_never_overlap_and_rows_are_as_few_as_can_be(lives: list[tuple[int, int]]) -> None:
    trades = []
    for number, (begin, length) in enumerate(lives):
        trade = RunTrade(a_trade(trade_id=f"t{number}"))
        trade.become(trade.trade, begin)
        trade.become(a_closed("0", f"t{number}"), begin + length)
        trades.append(trade)

    spans = packed(trades, 0, 1000)

    busiest = max(sum(begin <= now < begin + length for begin, length in lives) for now, _ in lives)
    assert len({span.row for span in spans}) == busiest
    for row in {span.row for span in spans}:
        there = sorted((span.begin_ns, span.end_ns) for span in spans if span.row == row)
        assert all(before[1] <= after[0] for before, after in pairwise(there))
