"""Every conversion with its inverse: what comes back is the cell, bit for bit, or the original stands beside, or it is refused."""

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.migration.cells import Cell, same, text_of
from db.migration.conversions import Conversion
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import (
    ClosingTime,
    DateAndTime,
    DateOnly,
    Epoch,
    Instant,
    LocalTime,
    SecondPass,
    TimeOnly,
)
from db.migration.conversions.moving import back, move
from db.migration.conversions.numbers import Boolean, Double, Integer, Money, Numeric, TextNumber
from db.migration.conversions.texts import Blob, Json, Literal, Prefixed, Text, Words
from db.migration.plan_words import Column

NEW_YORK = "America/New_York"
ONES = (
    Integer(),
    Integer(bits=16),
    Boolean(),
    Boolean(yes=("true", 1), no=("false", 0, "")),
    Double(),
    Numeric(),
    Numeric(scale=2),
    Money(unit="cents"),
    Money(unit="dollars", scale=2),
    TextNumber(plus=True),
    TextNumber(dollar=True, commas=True, nulls=("", "NaN", "None")),
    TextNumber(whole=True),
    Text(),
    Literal(),
    Json(),
    Blob(),
    Words(words={"Y": "yes", "N": "no", "yes": "yes"}),
    Prefixed(prefix="legacy-"),
    DateOnly(),
    TimeOnly(),
    LocalTime(formats=("YYYY-MM-DD hh:mm:ss.f*",)),
    Epoch(),
    Epoch(unit="ns"),
    Epoch(unit="ms", came_from="real"),
    Instant(formats=("YYYY-MM-DDThh:mm:ss.f*", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss+hh:mm"), zone=NEW_YORK),
    Instant(formats=("YYYY-MM-DDThh:mm:ssZ",)),
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.sampled_from([-0.0, 2.0**63, math.inf, 5e-324, 1e22, 0.1 + 0.2]),
)
SPELLED = st.one_of(
    st.from_regex(r"[+-]?\$?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,20}([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(
        [
            "",
            "NaN",
            "None",
            "null",
            "true",
            "0",
            "007",
            "+0",
            "-0",
            "Y",
            "N",
            "yes",
            "{}",
            '{"a": NaN}',
            "a\0b",
            "9" * 300,
        ]
    ),
)
TIMES = st.one_of(
    st.datetimes().map(str),
    st.datetimes().map(lambda one: one.replace(microsecond=0).isoformat()),
    st.dates().map(str),
    st.times().map(str),
    st.sampled_from(
        [
            "2025-11-02 01:30:00",
            "2025-03-09 02:30:00",
            "2025-08-03T15:50:13-04:00",
            "2025-08-03T19:50:13Z",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
        ]
    ),
)
# A loaded machine draws slowly, which says nothing of a conversion.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(), NUMBERS, SPELLED, TIMES, st.text(), st.binary(), st.binary().map(text_of)
)


def a_column(conversion: Conversion, **changes: Any) -> Column:
    return Column(
        **{
            "name": "a",
            "type": "text",
            "sources": ("a",),
            "original": "a_original",
            "either": "a_either",
            "conversion": conversion,
        }
        | changes
    )


@pytest.mark.parametrize("conversion", ONES, ids=str)
@CALM
@given(cell=CELLS)
def test_every_cell_comes_back_bit_for_bit_or_is_refused(conversion: Conversion, cell: Cell) -> None:
    """Fault 60: text in a number, 2^63, NUL bytes, bytes that are no UTF-8, times of the hour that comes twice or never."""
    column = a_column(conversion)

    try:
        moved = move(column, (cell,))
    except Unconvertible:
        return

    assert same(back(column, moved)[0], cell)


@pytest.mark.parametrize("conversion", ONES, ids=str)
@CALM
@given(cell=CELLS)
def test_without_a_place_for_the_original_only_exact_values_pass(conversion: Conversion, cell: Cell) -> None:
    column = a_column(conversion, original="")

    try:
        moved = move(column, (cell,))
    except Unconvertible:
        return

    assert same(column.conversion.invert(moved.value)[0], cell)


@CALM
@given(cell=CELLS)
def test_a_literal_takes_every_cell_but_those_that_are_too_long(cell: Cell) -> None:
    assert move(a_column(Literal()), (cell,)).original is None


@CALM
@given(day=st.one_of(TIMES, st.none()), clock=st.one_of(TIMES, st.none()), closed=st.one_of(TIMES, st.none()))
def test_conversions_of_several_columns_come_back_as_well(day: Cell, clock: Cell, closed: Cell) -> None:
    entry = a_column(DateAndTime(zone=NEW_YORK), sources=("date", "time"))
    close = a_column(ClosingTime(zone=NEW_YORK, formats=("YYYY-MM-DD hh:mm:ss",)), context=("date", "time"))

    for column, cells in ((entry, (day, clock)), (close, (closed, day, clock))):
        try:
            moved = move(column, cells)
        except Unconvertible:
            continue
        assert back(column, moved) == cells[: len(column.sources)]


@pytest.mark.parametrize(
    ("conversion", "cell"),
    [
        (Integer(), "12"), (Integer(), 1.5), (Integer(), 2.0**63), (Integer(bits=32), 2**31), (Boolean(), "maybe"), (Boolean(), 1.0),
        (Double(), 2**53 + 1), (Numeric(), math.inf), (Numeric(scale=2), 0.001), (TextNumber(), "1,23"), (TextNumber(whole=True), "1.5"),
        (Text(), "a\0b"), (Text(), text_of(b"\xff")), (Text(), b"a"), (Json(), "{'a': 1}"), (Json(), "NaN"), (Blob(), "a"),
        (Words(words={"Y": "yes"}), "X"), (DateOnly(), "2025-02-30"), (DateOnly(), "2025-2-3"), (Epoch(), 10**18),
        (Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone=NEW_YORK), "2025-03-09 02:30:00"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_refused(conversion: Conversion, cell: Cell) -> None:
    """Fault 60."""
    with pytest.raises(Unconvertible):
        move(a_column(conversion), (cell,))


def test_a_null_is_refused_where_the_target_needs_a_value() -> None:
    with pytest.raises(Unconvertible, match="NULL"):
        move(a_column(Integer(), nullable=False), (None,))


def test_the_hour_that_comes_twice_keeps_both_instants() -> None:
    """Fault 60."""
    moved = move(a_column(Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone=NEW_YORK)), ("2025-11-02 01:30:00",))

    assert (str(moved.value), str(moved.later)) == ("2025-11-02 05:30:00+00:00", "2025-11-02 06:30:00+00:00")


@pytest.mark.parametrize(("row", "instant"), [(6, "2025-11-02 05:30:00+00:00"), (7, "2025-11-02 06:30:00+00:00")])
def test_the_order_of_ids_decides_it(row: int, instant: str) -> None:
    passes = (SecondPass(day=date(2025, 11, 2), from_id=7),)
    column = a_column(Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone=NEW_YORK, second_passes=passes), context=("id",))

    assert [str(one) for one in move(column, ("2025-11-02 01:30:00", row))[:2]] == [instant, "None"]


@pytest.mark.parametrize(
    ("closed", "instant"),
    [
        ("15:59:59", "2025-08-01 19:59:59+00:00"),
        ("14:59:59", "2025-08-02 18:59:59+00:00"),
        ("2025-08-01 16:00:00", "2025-08-01 20:00:00+00:00"),
    ],
)
def test_a_time_of_day_takes_the_date_of_its_entry_or_the_next(closed: str, instant: str) -> None:
    """Lesson 39: closed_at in three formats."""
    column = a_column(ClosingTime(zone=NEW_YORK, formats=("YYYY-MM-DD hh:mm:ss",)), context=("date", "time"))

    assert str(move(column, (closed, "2025-08-01", "15:00:00")).value) == instant


def test_a_close_that_the_clock_shows_before_its_entry_in_the_hour_that_comes_twice_may_be_of_that_hour() -> None:
    column = a_column(ClosingTime(zone=NEW_YORK), context=("date", "time"))

    moved = move(column, ("01:10:00", "2025-11-02", "01:50:00"))

    assert (str(moved.value), str(moved.later)) == ("2025-11-02 06:10:00+00:00", "2025-11-03 06:10:00+00:00")


@pytest.mark.parametrize(
    ("conversion", "cell", "value"),
    [
        (TextNumber(), "$119,500", "119500"), (TextNumber(), "+3", "3"), (TextNumber(), "1e3", "1000"), (Numeric(), 0.1, "0.1"),
        (Numeric(), 2.0, "2.0"), (Numeric(), 2, "2"), (Numeric(), 1e22, "10000000000000000000000.0"), (Money(unit="cents"), 97, "0.97"),
        (Numeric(scale=2), 2.5, "2.50"), (Boolean(yes=("true",), no=("false",)), "true", "True"), (Words(words={"Y": "yes"}), "Y", "yes"),
        (Prefixed(prefix="legacy-"), 17, "legacy-17"), (Epoch(unit="ms"), 1_754_250_613_000, "2025-08-03 19:50:13+00:00"),
    ],
)  # fmt: skip
def test_values_arrive_as_people_would_write_them(conversion: Conversion, cell: Cell, value: str) -> None:
    assert str(move(a_column(conversion), (cell,)).value) == value
