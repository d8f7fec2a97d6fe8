"""What a column really holds is said of it, whatever it was declared as."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from db.migration.profile import profile
from db.migration.profile_words import ColumnProfile, Outlier, Seen
from tests.db.migration.conftest import Making

Profiled = Callable[..., ColumnProfile]


@pytest.fixture
def profiled(making: Making) -> Profiled:
    """Profile a column `a`, declared so, of these cells; ids count from 1."""

    def run(declared: str, *cells: object, name: str = "a") -> ColumnProfile:
        path = making(
            f'CREATE TABLE t (id INTEGER PRIMARY KEY, "{name}" {declared})',
            f'INSERT INTO t ("{name}") VALUES (?)',
            cells,
        )
        return profile([path]).databases[0].tables[0].columns[1]

    return run


def test_storage_classes_are_counted(profiled: Profiled) -> None:
    found = profiled("", 1, 1.0, "1", b"1", None, None)

    assert found.storage == {"integer": 1, "real": 1, "text": 1, "blob": 1, "null": 2}


def test_numbers_in_texts_are_told_with_their_spelling(profiled: Profiled) -> None:
    texts = profiled("TEXT", "+3", "$119,500", "-0.25").texts
    assert texts is not None

    assert (texts.kinds, texts.plus, texts.dollar, texts.commas, texts.decimals) == (
        {"number": 3},
        1,
        1,
        1,
        {0: 2, 2: 1},
    )


def test_dates_are_told_with_their_formats_and_zone(profiled: Profiled) -> None:
    """Lesson 39: closed_at in three formats."""
    found = profiled(
        "TEXT", "15:59:59", "2025-08-01T15:59:59.120000", "2025-08-01 15:59:59", "2025-08-03T15:50:13-04:00"
    )
    assert found.texts is not None

    assert found.texts.formats == {
        "hh:mm:ss": 1,
        "YYYY-MM-DDThh:mm:ss.ffffff": 1,
        "YYYY-MM-DD hh:mm:ss": 1,
        "YYYY-MM-DDThh:mm:ss+hh:mm": 1,
    }
    assert found.zone == "mixed"


def test_a_day_that_no_calendar_has_is_no_date(profiled: Profiled) -> None:
    texts = profiled("DATE", "2025-02-30").texts
    assert texts is not None

    assert texts.kinds == {"text": 1}


@pytest.mark.parametrize(
    ("cells", "spelled"),
    [((0, 1, None), ("0", "1")), (("true", "false"), ("'false'", "'true'")), (("true", "maybe"), ()), ((0, 2), ())],
)
def test_switches_are_told_by_their_spelling(
    profiled: Profiled, cells: tuple[object, ...], spelled: tuple[str, ...]
) -> None:
    assert profiled("", *cells).booleans == spelled


@pytest.mark.parametrize(
    ("name", "cells", "unit", "scale"),
    [
        ("buy_price", (0.97, 0.5), "dollars", 2),
        ("fee_cents", (97, 12), "cents", 2),
        ("market_exposure", (9700, 12), "unclear", 0),
    ],
)
def test_money_is_told_with_its_unit(
    profiled: Profiled, name: str, cells: tuple[object, ...], unit: str, scale: int
) -> None:
    money = profiled("", *cells, name=name).money
    assert money is not None

    assert (money.unit, money.scale) == (unit, scale)


def test_whole_numbers_that_may_be_instants_are_told_with_their_unit(profiled: Profiled) -> None:
    assert profiled("BIGINT", 1_754_250_613_000, name="created_at").epoch == "ms"


def test_json_texts_are_told(profiled: Profiled) -> None:
    texts = profiled("TEXT", '{"a": 1}', "[]", '{"a": NaN}').texts
    assert texts is not None

    assert texts.kinds == {"JSON": 2, "text": 1}


def test_what_is_rare_in_a_column_is_named_with_its_key(profiled: Profiled) -> None:
    """Fault 60: text in a number."""
    found = profiled("INTEGER", *range(20), "TICKET-1")

    assert found.outliers == (Outlier(kind="text", rows=1, seen=(Seen(value="'TICKET-1'", key="id = 21"),)),)


def test_the_smallest_and_the_largest_are_named_with_their_keys(profiled: Profiled) -> None:
    numbers = profiled("REAL", 0.5, -1.25, 7.0).numbers
    assert numbers is not None

    assert (numbers.smallest, numbers.largest) == (Seen(value="-1.25", key="id = 2"), Seen(value="7.0", key="id = 3"))


def test_decimals_are_those_of_the_shortest_decimal(profiled: Profiled) -> None:
    numbers = profiled("REAL", 0.97, 1 - 0.07, 2.0, -0.0, float("inf")).numbers
    assert numbers is not None

    assert (numbers.decimals, numbers.whole_reals, numbers.infinite, numbers.negative_zeros) == (
        {0: 2, 2: 1, 16: 1},
        2,
        1,
        0,
    )


def test_bytes_that_are_no_text_are_found_in_texts(making: Making) -> None:
    """Fault 60."""
    path = making("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(? AS TEXT))", (b"\xff\xfe", b"a\0b", b"fine"))

    texts = profile([path]).databases[0].tables[0].columns[0].texts

    assert texts is not None
    assert texts.kinds == {"not UTF-8": 1, "NUL byte": 1, "text": 1}


def test_different_values_are_counted_exactly(profiled: Profiled) -> None:
    assert profiled("", *range(5000), *range(5000), None).distinct == 5000


def test_five_times_the_rows_need_no_more_memory(making: Making) -> None:
    peaks = []
    for rows in (10_000, 50_000):
        path = making(
            "CREATE TABLE t (a, b, c)",
            "INSERT INTO t VALUES (?1, ?1 || ' and a text that is a little longer', ?1 / 7.0)",
            range(rows),
        )
        tracemalloc.start()
        profile([path])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]


def test_a_profile_says_where_it_comes_from(making: Making) -> None:
    path = making("CREATE TABLE t (a)", "INSERT INTO t VALUES (?)", (1,))

    found = profile([path]).databases[0]

    assert (Path(found.path), found.journal_mode, found.encoding) == (path, "rollback", "UTF-8")
