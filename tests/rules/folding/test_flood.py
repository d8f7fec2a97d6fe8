"""People hear of a flood once when it begins, and once when it is over."""

from actors.rules.folding.flood import FloodWatch, flood, flood_over
from bus.messages.notices import Severity
from bus.messages.units import NS_PER_S


def said(*looks: tuple[int, int]) -> list[str]:
    """Return the kinds of what is said at looks of (ticks folded, seconds)."""
    watch = FloodWatch()
    return [notice.kind for folded, second in looks for notice in watch.look(folded, second * NS_PER_S)]


def test_nothing_is_said_while_nothing_is_folded() -> None:
    assert said((0, 1), (0, 60)) == []


def test_a_flood_is_told_when_it_begins_and_not_again_while_it_lasts() -> None:
    assert said((0, 1), (10, 2), (20, 3), (20, 4), (30, 12)) == ["flood"]


def test_a_flood_is_over_once_nothing_was_folded_for_ten_seconds() -> None:
    assert said((10, 1), (10, 10)) == ["flood"]
    assert said((10, 1), (10, 11), (10, 12)) == ["flood", "flood_over"]


def test_the_next_flood_is_told_anew() -> None:
    assert said((10, 1), (10, 11), (11, 12)) == ["flood", "flood_over", "flood"]


def test_what_was_folded_and_for_how_long_is_told_at_the_end() -> None:
    watch = FloodWatch()
    for folded, second in ((5, 0), (5, 30), (10, 31), (50, 35)):
        watch.look(folded, second * NS_PER_S)

    [notice] = watch.look(50, 45 * NS_PER_S)

    assert notice == flood_over(45, 4 * NS_PER_S, 45 * NS_PER_S)
    assert notice.body == "45 ticks were folded within 4 s."


def test_a_flood_from_the_start_on_is_counted_from_its_first_tick() -> None:
    watch = FloodWatch()

    assert watch.look(7, 3 * NS_PER_S) == [flood(3 * NS_PER_S)]
    assert watch.look(7, 13 * NS_PER_S) == [flood_over(7, 0, 13 * NS_PER_S)]


def test_its_end_follows_its_beginning_and_neither_is_told_twice_at_one_instant() -> None:
    begins, ends = flood(2_000_000), flood_over(7, NS_PER_S, 3_000_000)

    assert [(one.notice_id, one.kind, one.dedupe_key, one.severity, one.ts) for one in (begins, ends)] == [
        ("flood-2", "flood", "flood", Severity.WARNING, 2_000_000),
        ("flood_over-3", "flood_over", "flood_over", Severity.INFO, 3_000_000),
    ]
    assert (begins.title, ends.title) == (
        "Market data comes faster than stops are decided",
        "Stops see every tick again",
    )
