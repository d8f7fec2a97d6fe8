"""Marks that would lie on each other are one that names them; none is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rules.pictures.bundles import bundle
from actors.rules.pictures.drawn import Mark, Role
from bus.messages.units import ONE
from tests.rules.stops.builders import at

ROWS = {Role.FIRED: "fired", Role.HELD: "held"}
DAY = "2025-08-03"


def a_mark(at_ns: int, title: str = "x", role: Role = Role.FIRED) -> Mark:
    return Mark(at_ns=at_ns, role=role, title=title)


def bundled(*marks: Mark) -> list[Mark]:
    """In a picture of twelve minutes: what comes in the same second lies on each other."""
    return bundle(marks, ROWS, at(0.3), at(720.3))


def test_marks_of_a_row_that_lie_on_each_other_become_one_that_names_them() -> None:
    [found] = bundled(a_mark(at(1.5), "first"), a_mark(at(2), "second"), a_mark(at(2.25), "third"))

    assert found == Mark(
        at_ns=at(1.5),
        role=Role.FIRED,
        title=f"fired: 3, until {DAY} 12:00:02.25 UTC",
        details=("12:00:01.5 first", "12:00:02 second", "12:00:02.25 third"),
        row="fired",
    )


def test_a_mark_that_lies_alone_stays_as_it_is_in_the_row_of_its_role() -> None:
    alone = Mark(at_ns=at(9), role=Role.HELD, title="x", details=("why",), row="stops", value=ONE)

    assert bundled(alone) == [Mark(at_ns=at(9), role=Role.HELD, title="x", details=("why",), row="held")]


def test_marks_of_other_rows_or_other_seconds_are_not_laid_together() -> None:
    marks = [a_mark(at(1.2)), a_mark(at(1.25), role=Role.HELD), a_mark(at(1.3)), a_mark(at(2.3))]

    assert [(mark.at_ns, mark.row) for mark in bundled(*marks)] == [
        (at(1.2), "fired"),
        (at(1.25), "held"),
        (at(1.3), "fired"),
        (at(2.3), "fired"),
    ]


@pytest.mark.parametrize(("count", "more"), [(12, ()), (13, ("... and 1 more",)), (1014, ("... and 1,002 more",))])
def test_of_a_bundle_twelve_are_named_and_the_others_counted(count: int, more: tuple[str, ...]) -> None:
    [found] = bundled(*[a_mark(at(2), f"mark {number}") for number in range(count)])

    assert found.title == f"fired: {count:,}, until {DAY} 12:00:02 UTC"
    assert found.details == (*(f"12:00:02 mark {number}" for number in range(12)), *more)


def test_what_lies_outside_the_picture_or_has_no_row_is_left_out() -> None:
    inside = [a_mark(at(0.3)), a_mark(at(720.3))]

    found = bundled(a_mark(at(0.3) - 1), *inside, a_mark(at(5), role=Role.GAIN), a_mark(at(720.3) + 1))

    assert [mark.at_ns for mark in found] == [at(0.3), at(720.3)]


def test_bundles_stand_in_the_order_of_time() -> None:
    found = bundled(a_mark(at(5), role=Role.HELD), a_mark(at(1)), a_mark(at(3), role=Role.HELD))

    assert [mark.at_ns for mark in found] == [at(1), at(3), at(5)]


def test_in_the_shortest_picture_each_instant_is_its_own() -> None:
    found = bundle([a_mark(0), a_mark(1), a_mark(2)], ROWS, 0, 2)

    assert [mark.at_ns for mark in found] == [0, 1, 2]


MARKS = st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from([Role.FIRED, Role.HELD])), max_size=300)


@given(MARKS)
def test_bundled_marks_are_as_many_as_before(drawn: list[tuple[int, Role]]) -> None:
    marks = [a_mark(at_ns, role=role) for at_ns, role in sorted(drawn)]

    found = bundle(marks, ROWS, 0, 10_000)

    counts = [1 if mark.title == "x" else int(mark.title.split(": ")[1].split(",")[0]) for mark in found]
    assert sum(counts) == len(marks)
    assert len({(mark.row, mark.at_ns) for mark in found}) == len(found)
