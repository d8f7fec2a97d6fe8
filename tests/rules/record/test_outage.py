"""When an outage of PostgreSQL begins and ends, and who hears of it."""

from typing import TypeVar

from actors.rules.record.outage import Outage
from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit, RecordAway, RecordBack
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_S

W = TypeVar("W")
T0 = 1_700_000_000 * NS_PER_S


def of_kind(said: list[object], kind: type[W]) -> list[W]:
    return [word for word in said if isinstance(word, kind)]


def an_outage() -> Outage:
    outage = Outage()
    outage.failed("gone", 1, T0)
    return outage


def test_the_house_hears_at_once_that_nothing_is_written() -> None:
    said = Outage().failed("gone", 1, T0)

    assert of_kind(said, RecordAway) == [RecordAway(error="gone", now_ns=T0)]
    assert of_kind(said, Notice) == []


def test_each_failure_sets_the_next_try_and_tells_the_house_nothing_new() -> None:
    said = an_outage().failed("gone", 5, T0 + NS_PER_S)

    assert [type(word) for word in said] == [SetTimer]


def test_people_hear_once_and_urgently_of_what_lasts() -> None:
    """Fault 18"""
    outage = an_outage()

    first = outage.failed("DiskFull: no space left", 7, T0 + 2 * NS_PER_S)
    again = outage.failed("DiskFull: no space left", 9, T0 + 60 * NS_PER_S)

    (notice,) = of_kind(first, Notice)
    assert (notice.kind, notice.severity) == ("database_away", Severity.CRITICAL)
    assert "DiskFull" in notice.body
    assert "7 decisions" in notice.body
    assert of_kind(again, Notice) == []


def test_an_error_that_ends_its_sentence_ends_it_once() -> None:
    (notice,) = of_kind(an_outage().failed("The disk is full.", 7, T0 + 2 * NS_PER_S), Notice)

    assert notice.body.startswith("The disk is full. Stops fire")


def test_the_notice_leaves_at_once_and_its_row_waits_like_everything_else() -> None:
    said = an_outage().failed("gone", 1, T0 + 2 * NS_PER_S)

    (outgoing,), (commit,) = of_kind(said, Outgoing), of_kind(said, Commit)
    assert outgoing.direct
    assert commit.outbox == (outgoing,)
    assert len(commit.notices) == 1


def test_a_restart_of_postgresql_is_over_before_anybody_is_called() -> None:
    """Fault 16"""
    said = an_outage().caught_up(T0 + NS_PER_S)

    assert said == [RecordBack(now_ns=T0 + NS_PER_S)]


def test_the_end_of_an_outage_that_was_told_is_told_too() -> None:
    outage = an_outage()
    outage.failed("gone", 1, T0 + 2 * NS_PER_S)

    said = outage.caught_up(T0 + 90 * NS_PER_S)

    (notice,) = of_kind(said, Notice)
    assert (notice.kind, "90 s" in notice.body) == ("database_back", True)


def test_without_an_outage_nothing_is_said() -> None:
    assert Outage().caught_up(T0) == []


def test_a_second_outage_is_told_as_the_first_was() -> None:
    outage = an_outage()
    outage.failed("gone", 1, T0 + 2 * NS_PER_S)
    outage.caught_up(T0 + 3 * NS_PER_S)

    outage.failed("gone", 1, T0 + 10 * NS_PER_S)
    said = outage.failed("gone", 1, T0 + 12 * NS_PER_S)

    assert len(of_kind(said, Notice)) == 1
