import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from actors.replay.replay_screen import gap_lines
from actors.replay.screen import LiveTable, closing, opening
from actors.replay.sidecar import read_sidecar
from bus.messages.stops import Mark, MarkSnapshot, MarkState
from bus.messages.trades import TradeState
from tests.replay.builders import START_NS
from tests.replay.test_tally import a_trade, the_document


def shown(what: RenderableType) -> str:
    page = io.StringIO()
    Console(width=200, file=page).print(what)
    return page.getvalue()


def a_snapshot(state: MarkState, low: str | None, high: str | None = None, reason: str | None = None) -> MarkSnapshot:
    low_price, high_price = (None if side is None else Decimal(side) for side in (low, high))
    mark = Mark(state=state, low=low_price, high=high_price, reason=reason)
    return MarkSnapshot(trade_id="demo-1", mark=mark, now_ns=START_NS, pnl=Decimal("-1.20"), distance=Decimal("0.03"))


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (a_snapshot(MarkState.KNOWN, "0.41", "0.41"), "0.41"),
        (a_snapshot(MarkState.BOUNDED, "0", "0.20"), "0 to 0.20"),
        (a_snapshot(MarkState.UNKNOWN, None, reason="empty_book"), "unknown: empty_book"),
    ],
)
def test_an_open_trade_is_shown_with_what_is_known_of_its_mark(snapshot: MarkSnapshot, text: str) -> None:
    table = LiveTable()
    table.hear(a_trade(TradeState.OPEN))

    table.hear(snapshot)

    screen = shown(table.render("now", 10, 5.0))
    assert all(part in screen for part in ("demo-1", text, "-1.20", "0.03"))


def test_a_trade_that_has_ended_leaves_the_table() -> None:
    table = LiveTable()
    table.hear(a_trade(TradeState.OPEN))

    table.hear(a_trade(TradeState.CLOSED, version=2))

    screen = shown(table.render("now", 10, 5.0))
    assert ("demo-1" in screen, "1 have ended" in screen) == (False, True)


def test_what_does_not_fit_on_the_screen_is_said() -> None:
    table = LiveTable()

    for line in range(25):
        table.hear(a_trade(TradeState.OPEN, line))

    assert "25 trades under watch, 5 of them not shown" in shown(table.render("now", 10, 5.0))


def test_the_settings_that_fit_the_recording_are_printed() -> None:
    sidecar = read_sidecar(Path("polymarket_quotes_2026-07-14.jsonl.gz"))

    screen = shown(opening("polymarket", sidecar, sidecar.stops))

    assert all(part in screen for part in ("max_silence_s = 300", "strategy.gap_s = 240", "trail 0.07", "CC BY 4.0"))


def test_the_summary_says_what_ended_the_trades_and_what_they_brought() -> None:
    document = the_document(
        a_trade(TradeState.CLOSED, 1, pnl="-1.5", rule="price"), a_trade(TradeState.SETTLED, 2, pnl="4")
    )

    screen = shown(closing(document, 2.0))

    assert all(part in screen for part in ("price", "-1.5", "settled", "2.5 dollars", "1 events in 2.0 s"))


def test_of_many_gaps_the_first_are_shown_and_the_others_counted() -> None:
    lines = [line.plain for line in gap_lines([f"block {number}" for number in range(2000)])]

    assert lines[0] == "gap: block 0"
    assert len(lines) == 11
    assert lines[-1] == "gap: ... and 1,990 more; --json shows all of them"
