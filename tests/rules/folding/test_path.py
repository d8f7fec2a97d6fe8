"""The courses of what rules see in a path, whom limits trust, and how far each tick is below the best."""

from decimal import Decimal

from actors.rules.folding.levels import NEVER
from actors.rules.folding.path import Course, bests, courses, drops, lanes
from actors.rules.folding.terms import FoldTerms
from bus.messages.units import NS_PER_S
from tests.rules.folding.builders import heard, prices
from tests.rules.stops.builders import a_coin_quote, a_quote

D = Decimal
NOTHING = -NEVER


def exact(*values: int | str | Decimal) -> list[Decimal]:
    """Values of a course, one for each tick."""
    return [Decimal(value) for value in values]


def test_a_price_falls_and_its_rise_is_the_fall_of_its_negative() -> None:
    found = courses(prices(50, 49), FoldTerms(trails=True))

    assert found == [Course(exact(50, 49), exact(50, 49), trails=True), Course(exact(-50, -49), exact(-50, -49))]


def test_a_long_trade_trails_what_falls_and_a_short_one_what_rises() -> None:
    path = heard(a_coin_quote(1, "100", "101"), a_coin_quote(2, "99", "102"))

    found = courses(path, FoldTerms(trails=True))

    assert found == [
        Course(exact(100, 99), exact(100, 99), trails=True),
        Course(exact(-100, -99), exact(-100, -99)),
        Course(exact(101, 102), exact(101, 102)),
        Course(exact(-101, -102), exact(-101, -102), trails=True),
    ]


def test_where_nothing_trails_no_course_does() -> None:
    path = heard(a_coin_quote(1, "100", "101"))

    assert [course.trails for course in courses(path, FoldTerms())] == [False] * 4


def test_what_is_the_same_on_both_sides_is_one_course_and_what_bounds_both_ways_is_kept() -> None:
    path = heard(a_quote(1, "0.50", "0.52"), a_quote(2, None, "0.52"))
    almost = D("0.519999999999")

    assert courses(path, FoldTerms())[:2] == [
        Course(exact("0.50", almost), exact("0.50", 0)),
        Course(exact("-0.50", 0), exact("-0.50", -almost)),
    ]


def test_a_probability_falls_by_the_yes_side_and_rises_by_the_no_side() -> None:
    path = heard(a_quote(1, "0.50", "0.52"), a_quote(2, "0.55", "0.52"))
    plain = courses(path, FoldTerms())

    found = courses(path, FoldTerms(spreads=frozenset({D("0.02")})))

    yes, no = exact("1.02", "1.04"), exact("-1.02", "-1.10")
    assert found == [*plain, Course(yes, yes), Course(no, no)]


def test_a_book_that_is_crossed_counts_once_it_has_stood_as_long_as_somebody_waits_for() -> None:
    path = heard(a_coin_quote(1, "100", "101"), a_coin_quote(2, "102", "101"), a_coin_quote(4, "102", "101"))

    at_once, later = (courses(path, FoldTerms(patiences=frozenset({seconds * NS_PER_S})))[0] for seconds in (0, 2))

    assert at_once == Course(exact(100, 101, 101), exact(100, 101, 101))
    assert later == Course(exact(100, NEVER, 101), exact(100, NOTHING, 101))


def test_a_probability_of_a_crossed_book_counts_by_the_same_patience() -> None:
    path = heard(a_quote(1, "0.50", "0.52"), a_quote(2, "0.55", "0.52"))

    found = courses(path, FoldTerms(patiences=frozenset({NS_PER_S}), spreads=frozenset({None})))

    assert found[-2:] == [
        Course(exact("1.02", NEVER), exact("1.02", NOTHING)),
        Course(exact("-1.02", NEVER), exact("-1.02", NOTHING)),
    ]


def test_a_book_that_is_never_crossed_has_its_courses_once_whatever_anybody_waits_for() -> None:
    path = heard(a_coin_quote(1, "100", "101"))

    assert len(courses(path, FoldTerms(patiences=frozenset({0, 2, 5})))) == 4


def test_a_limit_trusts_what_disagrees_no_more_and_what_nobody_can_compare() -> None:
    path = heard(
        a_quote(1, "0.50", "0.52", no_bid="0.48", no_ask="0.51"),
        a_quote(2, "0.50", "0.52", no_bid="0.48", no_ask="0.52"),
        a_quote(3, "0.50", "0.52"),
    )

    assert lanes(path, exact("0.01", "0.05")) == [(True, True, True), (True, False, True)]


def test_a_best_is_the_highest_so_far_of_what_is_trusted() -> None:
    course = Course([], exact(5, 7, 6, 8))

    assert bests(course, [True] * 4) == exact(5, 7, 7, 8)
    assert bests(course, [False, True, False, False]) == exact(NOTHING, 7, 7, 7)


def test_a_drop_is_how_far_below_its_best_a_tick_is_in_dollars_and_as_a_share() -> None:
    course = Course(exact(100, 90, 60), exact(100, 80, 50))

    assert drops(course, exact(100, 100, 50)) == (
        Course(exact(0, -10, 10), exact(0, -20, 0)),
        Course(exact(0, "-0.1", "0.2"), exact(0, "-0.2", 0)),
    )


def test_what_nobody_knows_is_beyond_no_stop_that_trails_and_ends_no_count() -> None:
    unknown = Course(exact(NEVER), exact(NOTHING))

    assert drops(unknown, exact(100)) == (unknown, unknown)


def test_before_the_first_best_nothing_is_below_it() -> None:
    never = Course(exact(NEVER), exact(NEVER))

    assert drops(Course(exact(90), exact(90)), exact(NOTHING)) == (never, never)


def test_a_share_of_a_best_of_nothing_is_nothing() -> None:
    [_, share] = drops(Course(exact(-5), exact(-5)), exact(0))

    assert abs(share.tops[0]) < D("0.000001")
