"""The words and the numbers that all pictures share."""

from decimal import Decimal

import pytest

from actors.rules.pictures.drawn import (
    Picture,
    Table,
    changes,
    clock_text,
    cut,
    lasting,
    money_text,
    place_ns,
    span_text,
)
from tests.rules.pictures.builders import points
from tests.rules.stops.builders import at

MS = 1_000_000


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 s"),
        (7, "0.007 s"),
        (2_000, "2 s"),
        (59_999, "59.999 s"),
        (60_000, "1 min 00 s"),
        (65_432, "1 min 05 s"),
        (3_599_999, "59 min 59 s"),
        (3_600_000, "1 h 00 min 00 s"),
        (90_061_000, "25 h 01 min 01 s"),
    ],
)
def test_a_span_is_told_to_the_millisecond_and_a_long_one_to_the_second(milliseconds: int, words: str) -> None:
    assert span_text(milliseconds * MS + 999_999) == words


@pytest.mark.parametrize(
    ("amount", "words"), [("-2.10", "-$2.10"), ("0.00", "$0.00"), ("0.5", "$0.5"), ("-0.5", "-$0.5")]
)
def test_money_stands_digit_for_digit_with_its_sign_first(amount: str, words: str) -> None:
    assert money_text(Decimal(amount)) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "12:00:00"), (1.25, "12:00:01.25")])
def test_an_instant_is_told_in_utc_with_the_fraction_it_has(seconds: float, words: str) -> None:
    assert clock_text(at(seconds)) == f"2025-08-03 {words} UTC"


def test_what_stands_on_the_axis_is_a_value_or_an_instant() -> None:
    plain = Picture(title="", subtitle="", begin_ns=0, end_ns=1, facts={}, panels=())
    swept = Picture(title="", subtitle="", begin_ns=0, end_ns=1, facts={}, panels=(), values=("20", "25", "30"))

    assert [swept.place_text(place_ns(number)) for number in range(3)] == ["20", "25", "30"]
    assert plain.place_text(at(0)) == "2025-08-03 12:00:00 UTC"


def test_a_line_keeps_the_points_at_which_it_changes() -> None:
    line = points((0, "1"), (1, "1"), (1, "2"), (2, None), (3, None), (4, "2"))

    assert changes(line) == [line[0], line[2], line[3], line[5]]


def test_what_lasts_until_the_next_begins_lasts_in_the_end_until_the_last_instant() -> None:
    assert list(lasting([(1, "a"), (4, "b")], 9)) == [(1, 4, "a"), (4, 9, "b")]
    assert list(lasting([], 9)) == []


@pytest.mark.parametrize(("most", "kept", "left_out"), [(1, 1, 2), (3, 3, 0), (4, 3, 0)])
def test_a_long_table_says_how_many_rows_it_leaves_out(most: int, kept: int, left_out: int) -> None:
    rows = (("a",), ("b",), ("c",))

    found = cut(Table(title="t", columns=("x",), rows=rows), most)

    assert found == Table(title="t", columns=("x",), rows=rows[:kept], left_out=left_out)
