"""What the picture of a run shows: none of its events is lost, however close they lie."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rules.pictures.drawn import Panel, Picture, Role
from actors.rules.pictures.run_story import RunStory
from actors.rules.pictures.run_trades import RunTrade, packed
from actors.rules.pictures.story import Heard, trade_of
from bus.messages.market import Ticks
from bus.messages.notices import Notice, Severity
from bus.messages.recording import EntriesLost
from bus.messages.records import Recovered
from bus.messages.trades import Coverage, Purpose, Trade, TradeState
from tests.rules.pictures.builders import a_commit, a_fill, covered
from tests.rules.stops.builders import a_quote, a_trade, at, stop

PRICE = stop("price", stop_price="0.40")


class Run:
    """A story, told in short words."""

    def __init__(self, since: float = 0) -> None:
        self.story = RunStory(at(since))

    def say(self, seconds: float, *said: object, heard: object = None, actor: str = "trade_desk") -> "Run":
        self.story.hear(Heard(at(seconds), actor, heard, said, None))
        return self

    def picture(self) -> Picture:
        picture = self.story.picture("somewhere")
        assert picture is not None
        return picture

    def panel(self, key: str) -> Panel:
        return next(panel for panel in self.picture().panels if panel.key == key)

    def line(self, key: str, number: int = 0) -> list[tuple[float, str]]:
        return [((at_ns - at(0)) / 10**9, str(value)) for at_ns, value in self.panel(key).lines[number].points]


def a_closed(pnl: str, trade_id: str = "t1") -> Trade:
    fills = (a_fill(), a_fill(2, "0.39", Purpose.CLOSE, 8))
    return a_trade(
        PRICE,
        trade_id=trade_id,
        state=TradeState.CLOSED,
        rule="price",
        open_quantity=Decimal(0),
        pnl=Decimal(pnl),
        version=4,
        fills=fills,
    )


def test_of_nothing_there_is_no_picture() -> None:
    assert RunStory().picture("somewhere") is None


def test_what_trades_brought_adds_up_over_time() -> None:
    run = Run().say(0, a_trade(PRICE), a_trade(PRICE, trade_id="t2"))

    run.say(8, a_closed("-2.10")).say(9, a_closed("0.50", "t2")).say(20)

    assert run.line("pnl") == [(0, "0"), (8, "-2.10"), (9, "-1.60"), (20, "-1.60")]
    assert run.picture().facts["realised PnL"] == "-$1.60"


def test_what_a_trade_had_brought_before_the_recording_is_not_counted() -> None:
    run = Run()
    run.story.recover(Recovered(trades=(a_trade(PRICE, pnl=Decimal("1.00")),)), "one", at(0))

    run.say(0).say(8, a_closed("-2.10"))

    assert run.line("pnl")[-1] == (8, "-3.10")


def test_how_many_trades_are_open_and_unprotected_is_drawn() -> None:
    run = Run().say(0, a_trade(PRICE)).say(2, covered(2, Coverage.UNPROTECTED), actor="trade_watcher")

    run.say(5, covered(5, Coverage.ARMED), actor="trade_watcher").say(8, a_closed("0")).say(9)

    assert run.line("open", 0) == [(0, "1"), (8, "0"), (9, "0")]
    assert run.line("open", 1) == [(0, "0"), (2, "1"), (5, "0"), (9, "0")]
    assert run.picture().facts["unprotected"] == "3 s, all trades together"


def test_each_trade_is_a_bar_from_its_entry_to_its_end() -> None:
    run = Run().say(1, a_trade(PRICE)).say(8, a_closed("-2.10")).say(9)

    [bar] = run.panel("trades").spans
    assert (bar.begin_ns, bar.end_ns, bar.role) == (at(1), at(8), Role.LOSS)
    assert "price, PnL -$2.10" in bar.details


def test_every_trade_stands_in_the_table() -> None:
    run = Run().say(1, a_trade(PRICE)).say(8, a_closed("-2.10"))

    table = next(table for table in run.picture().tables if table.title == "Trades")
    [row] = table.rows
    assert (row[0], row[8], row[9]) == ("t1", "price", "-$2.10")


def test_what_came_before_the_wanted_time_is_taken_in_and_not_shown() -> None:
    run = Run(since=5).say(0, a_trade(PRICE)).say(6).say(9)

    assert run.line("open") == [(6, "1"), (9, "1")]
    assert run.picture().begin_ns == at(6)


def test_the_rate_of_ticks_is_their_number_by_the_second() -> None:
    run = Run().say(0)
    batch = tuple(a_quote(1, "0.50", "0.52") for _ in range(3))

    run.say(1, heard=Ticks(batch=batch, received_ns=at(1)), actor="auto_stop").say(3)

    assert run.line("ticks") == [(0, "0.00"), (1, "3.00"), (2, "0.00"), (3, "0.00")]


def test_notices_fills_gaps_and_differences_have_rows() -> None:
    notice = Notice(
        notice_id="n", kind="x", severity=Severity.CRITICAL, title="Look", body="Why", dedupe_key="d", ts=at(1)
    )
    run = Run().say(0, a_trade(PRICE)).say(1, notice, a_commit(notices=(notice,))).say(2, a_closed("0"))
    run.say(3, heard=EntriesLost(count=7), actor="recorder")
    run.story.miss("torn")
    run.story.differ(at(3), "otherwise", ())

    assert set(run.panel("events").rows) == {"entry fills", "close fills", "critical", "warnings", "differences"}
    assert [mark.title for mark in run.panel("events").marks if mark.row == "critical"] == ["Look"]


LIVES = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), min_size=1, max_size=40)


@given(LIVES)
def test_trades_in_one_row_never_overlap_and_rows_are_as_few_as_can_be(lives: list[tuple[int, int]]) -> None:
    trades = []
    for number, (begin, length) in enumerate(lives):
        trade = RunTrade(f"t{number}")
        trade.become(a_trade(trade_id=f"t{number}"), begin)
        trade.become(a_closed("0", f"t{number}"), begin + length)
        trades.append(trade)

    spans = packed(trades, 0, 1000)

    busiest = max(sum(begin <= now < begin + length for begin, length in lives) for now, _ in lives)
    assert len({span.row for span in spans}) == busiest
    for row in {span.row for span in spans}:
        there = sorted((span.begin_ns, span.end_ns) for span in spans if span.row == row)
        assert all(before[1] <= after[0] for before, after in pairwise(there))


@pytest.mark.parametrize(("order", "trade"), [("t-1-close-2", "t-1"), ("demo-7-entry-1", "demo-7")])
def test_an_order_s_id_names_its_trade(order: str, trade: str) -> None:
    assert trade_of(order) == trade
