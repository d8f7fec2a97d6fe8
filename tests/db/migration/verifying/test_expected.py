"""What is expected of many cells at once is what is expected of each by the long way, to the byte; and so are nulls and sums."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import adapters

from db.migration.cells import Cell
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.numbers import Numeric
from db.migration.plan_words import Column, Table
from db.migration.target import columns_of
from db.migration.verifying import short
from db.migration.verifying.expected import ABSENT, ExpectedColumn
from db.migration.verifying.hours import Clocks
from db.migration.verifying.values import Type
from tests.db.migration.copying.test_lanes import ALIASES, CALM, CELLS, CLOCKS, COLUMNS, DAYS, NEW_YORK


def expected_of(column: Column, width: int) -> ExpectedColumn:
    """Return what says what is expected of a column whose cells are read as so many columns."""
    table = Table(source="s", from_table="t", name="t", columns=(column,))
    kinds = [Type(adapters.types[ALIASES.get(kind, kind)].oid, kind) for _, kind in columns_of(table)]
    return ExpectedColumn(column, range(width), kinds, Clocks())


def demand_the_same(column: Column, rows: Sequence[tuple[Cell, ...]]) -> None:
    """Fail unless what is expected of all rows together is what is expected of each."""
    width = len(rows[0])
    together, alone = expected_of(column, width), expected_of(column, width)
    wanted = [alone.made(row) for row in rows]
    # The second time, what was seen the first time is known, or is known to be too much.
    for _ in range(2):
        together.nulls, together.total = 0, alone.total
        pieces = together.pieces(list(zip(*rows, strict=True)), len(rows))
        assert pieces == wanted
    whole = [piece for piece in wanted if isinstance(piece, bytes)]
    assert together.nulls == sum(piece.startswith(ABSENT) for piece in whole)
    if len(whole) == len(wanted):
        together.add_up(pieces)  # type: ignore[arg-type]  # all of them are bytes
        for piece in whole:
            alone.add_up([piece])
        assert together.total == alone.total


@pytest.mark.parametrize("known", [1, 2_000], ids=["too many to know", "few"])
@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with an original"])
@CALM
@given(cells=st.lists(CELLS, min_size=1, max_size=12))
def test_a_column_together_is_what_its_cells_are(name: str, beside: bool, known: int, cells: list[Cell]) -> None:
    kind, conversion = COLUMNS[name]
    column = Column(name="c", type=kind, conversion=conversion, sources=("c0",), original="o" if beside else "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("db.migration.verifying.known._KNOWN_MAX", known)
        demand_the_same(column, [(cell,) for cell in cells])


@pytest.mark.parametrize("shift", [1, 100, 1_000, 10_000])
def test_decimals_on_both_sides_of_zero_are_expected_by_halves(shift: int) -> None:
    cells = [number / shift for number in range(-12_345, 12_345, 7)]
    column = Column(name="c", type="numeric", conversion=Numeric(), sources=("c0",))
    alone = expected_of(column, 1)
    found = short.Decimals(lambda cell: alone.made((cell,))).pieces(cells)  # type: ignore[arg-type,return-value]  # all are bytes

    assert found == ([alone.made((cell,)) for cell in cells], sum(Decimal(repr(cell)) for cell in cells))


def test_a_whole_number_that_no_float_holds_in_ten_thousandths_is_left() -> None:
    column = Column(name="c", type="numeric", conversion=Numeric(), sources=("c0",))
    alone = expected_of(column, 1)

    found = short.Decimals(lambda cell: alone.made((cell,))).pieces([14_411_518_807_587.0])  # type: ignore[arg-type,return-value]  # all are bytes

    assert found is None


def test_a_number_that_is_read_as_another_has_no_short_way() -> None:
    class Rounding:
        """A type that keeps one decimal."""

        write: Callable[[Decimal], bytes] = staticmethod(lambda value: bytes(4) + f"{value:.1f}".encode())
        read: Callable[[bytes], object] = staticmethod(lambda field: Decimal(field.decode()))

    made = short.number(Column(name="c", type="numeric", conversion=Numeric(), sources=("c0",)), Rounding())

    assert made is not None
    assert made(0.25) is None


@pytest.mark.parametrize("either", ["", "later"])
@CALM
@given(cells=st.lists(st.tuples(DAYS, CLOCKS), min_size=1, max_size=12))
def test_a_date_and_a_time_together_are_the_instants_that_they_are_alone(
    either: str, cells: list[tuple[Cell, ...]]
) -> None:
    """Fault 60: local times in the fold and in the gap."""
    zoned = DateAndTime(zone=NEW_YORK)
    column = Column(name="c", type="timestamptz", conversion=zoned, sources=("c0", "c1"), either=either)

    demand_the_same(column, cells)


@pytest.mark.parametrize("zone", [NEW_YORK, "Australia/Lord_Howe"])
@pytest.mark.parametrize("beside", ["", "o"])
@CALM
@given(cells=st.lists(st.tuples(CLOCKS, DAYS, CLOCKS), min_size=1, max_size=12))
def test_closing_times_together_are_the_instants_that_they_are_alone(
    zone: str, beside: str, cells: list[tuple[Cell, ...]]
) -> None:
    closing = ClosingTime(zone=zone, formats=("YYYY-MM-DD hh:mm:ss",), nulls=("NaN",))
    context = ("c1", "c2")
    column = Column(
        name="c",
        type="timestamptz",
        conversion=closing,
        sources=("c0",),
        context=context,
        either="e",
        original=beside,
    )

    demand_the_same(column, cells)


def test_an_hour_within_which_the_clock_jumps_is_gone_the_long_way() -> None:
    """That of Athens went from 0:01 to 0:26:08 when it took its zone: both ends of the hour are there, too near to each other."""
    column = Column(name="c", type="timestamptz", conversion=DateAndTime(zone="Europe/Athens"), sources=("c0", "c1"))

    demand_the_same(column, [("1916-07-28", f"00:{minute:02}:00") for minute in range(60)])
