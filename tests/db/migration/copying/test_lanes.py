"""Rows together, by every short way, are the rows one by one by the long one, to the byte."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import adapters

from db.migration.cells import Cell
from db.migration.conversions import Conversion
from db.migration.conversions.instants import ClosingTime, DateAndTime, Instant
from db.migration.conversions.numbers import Boolean, Double, Integer, Money, Numeric, TextNumber
from db.migration.conversions.texts import Blob, Literal, Text, Words
from db.migration.copying.lanes import Refusal, Rows
from db.migration.copying.quick import Cents, cents
from db.migration.plan_words import Column, Table
from db.migration.target import columns_of

NEW_YORK = "America/New_York"
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEAD = b"\0\1"
ALIASES = {"bigint": "int8", "integer": "int4", "double precision": "float8", "boolean": "bool"}
COLUMNS: dict[str, tuple[str, Conversion]] = {
    "integer": ("bigint", Integer()),
    "small integer": ("integer", Integer(bits=32)),
    "double": ("double precision", Double()),
    "numeric": ("numeric", Numeric()),
    "numeric with a scale": ("numeric", Numeric(scale=2)),
    "money": ("numeric", Money()),
    "money in cents": ("numeric", Money(unit="cents")),
    "text number": ("numeric", TextNumber(dollar=True, commas=True)),
    "boolean": ("boolean", Boolean(yes=(1, "true"), no=(0, "false"))),
    "text": ("text", Text(nulls=("", "NaN"))),
    "words": ("text", Words(words={"Y": "yes", "N": "no"})),
    "literal": ("text", Literal()),
    "blob": ("bytea", Blob()),
    "instant": ("timestamptz", Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone=NEW_YORK)),
}
FLOATS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(10**8), 10**8).map(lambda n: n / 100),
    st.sampled_from([0.0, -0.0, 1.0, 0.07]),
)
CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1]),
    FLOATS,
    st.text(max_size=5),
    st.sampled_from(["", "NaN", "Y", "true", "a\0b", "\udcff", "$1,234.50", "+3", "x" * 600, "2025-07-01 10:00:00"]),
    st.binary(max_size=4),
)
# The clock of New York changes on two of these days.
DAYS = st.sampled_from(
    [
        "2025-07-01",
        "2025-03-09",
        "2025-11-02",
        "2025-03-08",
        "2025-11-01",
        "0001-01-01",
        "9999-12-31",
        "2025-02-30",
        "today",
    ]
)
CLOCKS = st.one_of(
    st.builds("{:02}:{:02}:{:02}".format, st.integers(0, 24), st.integers(0, 60), st.integers(0, 60)),
    st.sampled_from(["00:00:00", "01:30:00", "02:30:00", "23:59:59", "", "1:00:00", "2025-07-01 10:00:00"]),
    CELLS,
)


def rows_of(column: Column, width: int) -> tuple[Rows, Rows]:
    """Return twice what makes rows of a table with this column."""
    table = Table(source="s", from_table="t", name="t", columns=(column,))
    oids = [adapters.types[ALIASES.get(kind, kind)].oid for _, kind in columns_of(table)]
    names = [f"c{number}" for number in range(width)]
    return Rows(table, names, oids), Rows(table, names, oids)


def demand_the_same(column: Column, rows: Sequence[tuple[Cell, ...]]) -> None:
    """Fail unless rows that are made together are those that are made one by one."""
    quick, slow = rows_of(column, len(rows[0]))
    wanted = [slow.one(row) for row in rows]
    for row, made in zip(rows, wanted, strict=True):
        alone = quick.together([row])
        assert alone == (None if isinstance(made, Refusal) else made)
    fitting = [row for row, made in zip(rows, wanted, strict=True) if not isinstance(made, Refusal)]
    if fitting:
        assert quick.together(fitting) == b"".join(made for made in wanted if not isinstance(made, Refusal))


@pytest.mark.parametrize("remembered", [1, 2_000], ids=["too many to remember", "few"])
@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with an original"])
@CALM
@given(cells=st.lists(CELLS, min_size=1, max_size=12))
def test_a_column_by_its_short_way_is_what_it_is_by_the_long_one(
    name: str, beside: bool, remembered: int, cells: list[Cell]
) -> None:
    kind, conversion = COLUMNS[name]
    column = Column(name="c", type=kind, conversion=conversion, sources=("c0",), original="o" if beside else "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("db.migration.copying.lanes._REMEMBERED_MAX", remembered)
        demand_the_same(column, [(cell,) for cell in cells])


@CALM
@given(cells=st.lists(st.one_of(st.integers(-(10**8), 10**8).map(lambda n: n / 100), FLOATS), min_size=1, max_size=12))
def test_floats_of_cents_by_their_halves_are_the_same_numbers(cells: list[float]) -> None:
    column = Column(name="c", type="numeric", conversion=Numeric(), sources=("c0",))
    _, slow = rows_of(column, 1)

    made = Cents().of_many(cells)

    assert [
        cell for cell, field in zip(cells, made or (), strict=False) if field and HEAD + field != slow.one((cell,))
    ] == []


def test_cents_on_both_sides_of_zero_have_a_short_way() -> None:
    cells = [number / 100 for number in range(-30_000, 30_000) if number]

    assert Cents().of_many(cells) == list(map(cents, cells))


@pytest.mark.parametrize("either", ["", "later"])
@CALM
@given(cells=st.lists(st.tuples(DAYS, CLOCKS), min_size=1, max_size=12))
def test_a_date_and_a_time_by_the_short_way_are_the_same_instant(either: str, cells: list[tuple[Cell, ...]]) -> None:
    """Fault 60: local times in the fold and in the gap."""
    column = Column(
        name="c", type="timestamptz", conversion=DateAndTime(zone=NEW_YORK), sources=("c0", "c1"), either=either
    )

    demand_the_same(column, cells)


@pytest.mark.parametrize("beside", ["", "o"])
@CALM
@given(cells=st.lists(st.tuples(CLOCKS, DAYS, CLOCKS), min_size=1, max_size=12))
def test_a_closing_time_by_the_short_way_is_the_same_instant(beside: str, cells: list[tuple[Cell, ...]]) -> None:
    conversion = ClosingTime(zone=NEW_YORK, formats=("YYYY-MM-DD hh:mm:ss",), nulls=("NaN",))
    column = Column(
        name="c",
        type="timestamptz",
        conversion=conversion,
        sources=("c0",),
        context=("c1", "c2"),
        either="e",
        original=beside,
    )

    demand_the_same(column, cells)


def test_a_closing_time_on_the_evening_of_a_change_is_gone_the_long_way() -> None:
    """The clock of Nuuk goes forward at ten in the evening: of the day before, only the next day's last hours are elsewhere."""
    closing = ClosingTime(zone="America/Nuuk")
    column = Column(name="c", type="timestamptz", conversion=closing, sources=("c0",), context=("c1", "c2"))

    demand_the_same(column, [("23:30:00", "2022-03-25", "23:45:00"), ("21:30:00", "2022-03-25", "23:45:00")])
