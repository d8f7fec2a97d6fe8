"""What people read on stdout: whole values, and one line for each row where no terminal sets a width."""

import pytest
from rich.console import Group

from config.pictures import card, plain, show, table

LONG = "a_name_without_a_gap_" * 8


def test_without_a_terminal_a_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(table("Trades", ("trade", "ticker", "why"), [("t-1", LONG, "a reason of many words " * 9)]))

    last = capsys.readouterr().out.splitlines()[-1]
    assert last.split(maxsplit=2) == ["t-1", LONG, ("a reason of many words " * 9).strip()]


def test_on_a_narrow_terminal_no_value_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")

    show(table("Trades", ("trade", "ticker", "why"), [("t-1", LONG, "words " * 30)]))

    lines = capsys.readouterr().out.splitlines()
    assert sum(LONG in line for line in lines) == 1
    assert sum(line.count("words") for line in lines) == 30


def test_on_a_narrow_terminal_no_heading_is_cut_and_nothing_with_spaces_in_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")

    show(table("Tables", ("rows done", "from", "left behind"), [("7 of 7", "a file: a table of it", None)] * 2))

    printed = capsys.readouterr().out
    assert "\u2026" not in printed
    assert printed.count("a file: a table of it") == 2


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show(Group(table("Trades", ("trade",), []), "Version 7."))

    assert capsys.readouterr().out == "Trades: none\nVersion 7.\n"


def test_a_card_leaves_out_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    show(card("Schema", {"fits": False, "applied": ("0001", "0002"), "pending": (), "level": None, "count": 0}))

    assert capsys.readouterr().out == "Schema\nfits     false\napplied  0001; 0002\ncount    0\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, ""), ({"b": False, "a": "0.30"}, "a 0.30, b false"), ([{"rule": "time"}, "x"], "rule time; x")],
)  # fmt: skip
def test_values_are_shown_as_they_are_typed(value: object, shown: str) -> None:
    assert plain(value) == shown
