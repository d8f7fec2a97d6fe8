"""A line with fewer points looks as before: its extremes and each crossing of a limit stay."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rules.pictures.drawn import Line, Point, Role
from actors.rules.pictures.thinning import thin, thin_all
from tests.rules.pictures.builders import points

VALUES = st.lists(st.none() | st.integers(0, 100).map(Decimal), min_size=1, max_size=400)
MOST = 40


def a_line(values: list[Decimal | None]) -> tuple[Point, ...]:
    return tuple(Point(number * 1000, value) for number, value in enumerate(values))


def sides(line: tuple[Point, ...], limit: int) -> list[int | None]:
    """How the line stands to a limit, each change once."""
    found: list[int | None] = []
    for _, value in line:
        side = None if value is None else (value > limit) - (value < limit)
        if not found or found[-1] != side:
            found.append(side)
    return found


def test_what_is_short_stays_as_it_is() -> None:
    line = points(*((n, "0.5") for n in range(5)))

    assert thin(line, most=5) == line


def test_of_a_stretch_the_first_the_lowest_the_highest_and_the_last_stay() -> None:
    line = points(*((n, str(value)) for n, value in enumerate([5, 4, 9, 6, 1, 7, 3, 8, 6, 6, 6, 6, 6, 2, 6, 6])))

    assert [at_ns for at_ns, _ in thin(line, most=8)] == [0, 2, 4, 7, 8, 13, 15]


def test_stretches_are_stretches_of_time_and_not_of_points() -> None:
    line = points(*((100 + n, "1") for n in range(9)), (199, "1"))

    assert [at_ns for at_ns, _ in thin(line, most=8)] == [100, 108, 199]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ("5 5 5 3 3 3 5 5 5", [0, 2, 3, 5, 6, 8]),
        ("5 5 5 4 4 4 5 5 5", [0, 2, 3, 5, 6, 8]),
        ("5 5 5 4 4 4 3 3 3", [0, 2, 3, 5, 6, 8]),
        ("5 5 5 6 5 5 5 5 5", [0, 3, 8]),
        ("5 5 5 ? ? ? 5 5 5", [0, 2, 3, 5, 6, 8]),
    ],
)
def test_a_line_keeps_the_points_on_both_sides_of_where_it_meets_or_leaves_a_limit(
    values: str, kept: list[int]
) -> None:
    line = points(*((n, None if value == "?" else value) for n, value in enumerate(values.split())))

    assert [at_ns for at_ns, _ in thin(line, [points((0, "4"))], most=4)] == kept


def test_a_line_keeps_where_it_begins_to_be_known() -> None:
    line = points((0, None), (1, "5"), (2, "4"), (3, "6"), (4, "5"), (5, "5"))

    assert [at_ns for at_ns, _ in thin(line, most=4)] == [0, 1, 2, 3, 5]


def test_where_a_limit_begins_moves_or_ends_the_line_keeps_its_points() -> None:
    line = points(*((n, "5") for n in range(12)))

    thinned = thin(line, [points((3, "4"), (6, "5"), (8, None), (10, "4"))], most=4)

    assert [at_ns for at_ns, _ in thinned] == [0, 2, 3, 5, 6, 7, 8, 9, 10, 11]


def test_a_panel_s_lines_keep_what_they_are() -> None:
    lines = (
        Line(name="price", role=Role.EXIT, points=points((0, "1"))),
        Line(name="stop", role=Role.STOP, points=points((0, "2")), limit=True),
    )

    assert thin_all(lines) == lines


def test_only_the_other_kind_of_lines_is_crossed() -> None:
    price = Line(name="price", role=Role.EXIT, points=points(*((n, "5") for n in range(12))))
    ask = Line(name="ask", role=Role.ASK, points=points((0, "6"), (4, "4")))

    thinned, _ = thin_all([price, ask], most=4)

    assert [at_ns for at_ns, _ in thinned.points] == [0, 11]


@given(VALUES, st.integers(0, 100))
def test_each_crossing_of_a_limit_stays(values: list[Decimal | None], limit: int) -> None:
    line = a_line(values)

    thinned = thin(line, [points((0, str(limit)))], MOST)

    assert sides(thinned, limit) == sides(line, limit)


@given(VALUES)
def test_the_lowest_and_the_highest_stay_and_nothing_is_made_up(values: list[Decimal | None]) -> None:
    line, known = a_line(values), [value for value in values if value is not None]

    thinned = thin(line, most=MOST)

    kept = [value for _, value in thinned if value is not None]
    assert (min(kept, default=None), max(kept, default=None)) == (min(known, default=None), max(known, default=None))
    assert [point for point in line if point in thinned] == list(thinned)


@given(VALUES)
def test_where_nothing_is_known_stays(values: list[Decimal | None]) -> None:
    line = a_line(values)

    assert sides(thin(line, most=MOST), -1) == sides(line, -1)


def test_a_day_of_ticks_becomes_some_thousand_points() -> None:
    line = tuple(Point(number * 10**9, Decimal(number * 7919 % 1000) / 1000) for number in range(100_000))

    assert len(thin(line, most=4000)) <= 4002


def test_a_moving_limit_keeps_where_it_crosses_the_price() -> None:
    price = Line(name="price", role=Role.EXIT, points=points(*((n, "0.50") for n in range(100))))
    moving = [(n, "0.51" if n == 55 else f"0.4{n % 10}") for n in range(100)]
    limit = Line(name="stop", role=Role.TRAIL, points=points(*moving), limit=True)

    _, thinned = thin_all([price, limit], most=8)

    assert [at_ns for at_ns, _ in thinned.points if at_ns in (54, 55, 56)] == [54, 55, 56]
