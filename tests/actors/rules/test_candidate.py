"""When an instance may take the lead."""

from typing import Any

import pytest

from actors.rules.candidate import OWNER, SILENCE_NS, Candidate
from bus.messages.lead import (
    LEADER,
    STANDBY,
    STARTING,
    STOPPED,
    FindLeader,
    InstanceHeard,
    LeadMissed,
    NobodyHeard,
    OpenRecord,
    RecordMissing,
    RecordOpened,
    SnapshotRefused,
    TakeLead,
    WarmUp,
    WireDown,
    WireUp,
)
from bus.messages.timers import SetTimer, TimerFired

S = 1_000_000_000
UP = WireUp(now_ns=0)
DOWN = WireDown(why="connection refused", now_ns=0)
BEAT = InstanceHeard(instance="other", epoch=4, role=LEADER)


def a_candidate(*words: object, now_ns: int = 0) -> Candidate:
    """One that heard `words` at one instant."""
    candidate = Candidate()
    for word in words:
        candidate.handle(word, now_ns)
    return candidate


def the_timer(said: list[object]) -> SetTimer:
    return next(word for word in said if isinstance(word, SetTimer))


def fired(timer: SetTimer, now_ns: int | None = None) -> TimerFired:
    return TimerFired(owner=timer.owner, key=timer.key, due_ns=timer.due_ns, now_ns=now_ns or timer.due_ns)


def test_with_nobody_there_it_leads_at_once() -> None:
    """A restart after kill -9 waits for nobody."""
    candidate = a_candidate(RecordOpened(), UP)

    assert candidate.handle(NobodyHeard(), 1) == [TakeLead()]


def test_it_asks_who_leads_as_soon_as_nats_is_there() -> None:
    assert FindLeader() in Candidate().handle(UP, 0)


def test_without_an_answer_it_waits_three_seconds_for_a_beat() -> None:
    """Fault 46: a leader may be paused, and still be connected."""
    candidate = a_candidate(RecordOpened())

    timer = the_timer(candidate.handle(UP, 5))

    assert timer.due_ns == 5 + SILENCE_NS
    assert candidate.handle(fired(timer), timer.due_ns) == [TakeLead()]


def test_each_beat_puts_it_off() -> None:
    """Fault 45"""
    candidate = a_candidate(RecordOpened(), UP, BEAT)

    candidate.handle(BEAT, 2 * S)
    early = TimerFired(owner=OWNER, key="silence", due_ns=SILENCE_NS, now_ns=SILENCE_NS)

    assert candidate.handle(early, SILENCE_NS) == [SetTimer(owner=OWNER, key="silence", due_ns=2 * S + SILENCE_NS)]
    assert (candidate.role, candidate.epoch) == (STANDBY, 4)


@pytest.mark.parametrize("words", [(RecordOpened(), UP, BEAT), (UP, BEAT, RecordOpened())])
def test_it_warms_up_once_while_another_leads(words: tuple[Any, ...]) -> None:
    candidate = Candidate()

    said = [each for word in (*words, BEAT, RecordOpened()) for each in candidate.handle(word, 0)]

    assert said.count(WarmUp()) == 1


def test_nobody_warms_up_who_may_lead_at_once() -> None:
    candidate = a_candidate(RecordOpened(), UP)

    assert WarmUp() not in candidate.handle(NobodyHeard(), 0)


def test_it_takes_over_when_the_leader_has_been_silent_for_three_seconds() -> None:
    """Fault 45"""
    candidate = a_candidate(RecordOpened(), UP)
    timer = the_timer(candidate.handle(BEAT, S))

    assert candidate.handle(fired(timer), S + SILENCE_NS) == [TakeLead()]


def test_one_that_takes_over_from_a_silent_leader_stands_by_nobody() -> None:
    candidate = a_candidate(RecordOpened(), UP)
    timer = the_timer(candidate.handle(BEAT, S))

    candidate.handle(fired(timer), S + SILENCE_NS)

    assert (candidate.role, candidate.epoch) == (STARTING, 0)


def test_a_leader_that_stops_in_order_is_followed_at_once() -> None:
    candidate = a_candidate(RecordOpened(), UP, BEAT)

    assert candidate.handle(InstanceHeard(instance="other", epoch=4, role=STOPPED), 1) == [TakeLead()]


def test_the_last_word_of_an_older_leader_frees_nothing() -> None:
    candidate = a_candidate(RecordOpened(), UP, BEAT)

    assert candidate.handle(InstanceHeard(instance="old", epoch=3, role=STOPPED), 1) == []


def test_another_that_stands_by_is_no_leader() -> None:
    candidate = a_candidate(RecordOpened(), UP)

    assert candidate.handle(InstanceHeard(instance="third", epoch=4, role=STANDBY), 1) == []
    assert candidate.role == STARTING


def test_one_that_was_faster_is_a_leader() -> None:
    """Fault 45: two that stand by race, one wins."""
    candidate = a_candidate(RecordOpened(), UP, NobodyHeard())

    timer = the_timer(candidate.handle(LeadMissed(why="another instance took the lead", rival=True), S))

    assert timer.due_ns == S + SILENCE_NS


def test_one_that_was_paused_itself_asks_before_it_takes_over() -> None:
    """Fault 46: what the leader said meanwhile is still unread."""
    candidate = a_candidate(RecordOpened(), UP)
    timer = the_timer(candidate.handle(BEAT, 0))

    said = candidate.handle(fired(timer, 60 * S), 60 * S)

    assert FindLeader() in said
    assert TakeLead() not in said
    assert candidate.handle(BEAT, 60 * S + 1)[0] == SetTimer(owner=OWNER, key="silence", due_ns=63 * S + 1)


def test_one_that_was_paused_itself_takes_over_if_nobody_answers_then() -> None:
    candidate = a_candidate(RecordOpened(), UP)
    timer = the_timer(candidate.handle(BEAT, 0))
    again = the_timer(candidate.handle(fired(timer, 60 * S), 60 * S))

    assert candidate.handle(fired(again), again.due_ns) == [TakeLead()]


@pytest.mark.parametrize("words", [(RecordOpened(), DOWN), (UP, NobodyHeard()), (RecordOpened(), UP, NobodyHeard(), DOWN)])  # fmt: skip
def test_it_never_leads_without_both_servers(words: tuple[Any, ...]) -> None:
    """Fault 49"""
    candidate = a_candidate(*words)
    late = TimerFired(owner=OWNER, key="silence", due_ns=9 * S, now_ns=9 * S)

    assert candidate.handle(late, 9 * S) == []


def test_an_outage_of_nats_does_not_make_the_leader_silent() -> None:
    """Fault 9: both were cut off; the leader needs a moment to come back as well."""
    candidate = a_candidate(RecordOpened(), UP, BEAT, DOWN)

    timer = the_timer(candidate.handle(UP, 600 * S))

    assert timer.due_ns == 600 * S + SILENCE_NS


def test_postgresql_is_tried_again_after_pauses_that_never_grow_past_a_second() -> None:
    """Fault 49: it must be in use within 2 s of its return."""
    candidate = a_candidate(UP, NobodyHeard())
    pauses = [the_timer(candidate.handle(RecordMissing(why="refused"), 0)).due_ns for _ in range(20)]

    again = SetTimer(owner=OWNER, key="record", due_ns=1)

    assert pauses == sorted(pauses)
    assert pauses[-1] == S
    assert candidate.handle(fired(again), 1) == [OpenRecord()]
    assert candidate.handle(RecordOpened(), 2) == [TakeLead()]


def test_a_lead_that_failed_for_want_of_a_server_is_tried_again() -> None:
    candidate = a_candidate(RecordOpened(), UP, NobodyHeard())

    timer = the_timer(candidate.handle(LeadMissed(why="no answer", rival=False), 0))

    assert candidate.handle(fired(timer), timer.due_ns) == [TakeLead()]


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ((DOWN,), ("waits for NATS: connection refused", "waits for PostgreSQL: not reached yet")),
        ((UP, RecordMissing(why="refused")), ("waits for PostgreSQL: refused",)),
        ((UP, RecordOpened(), BEAT), ("stands by: other leads in epoch 4",)),
    ],
)
def test_it_says_what_it_waits_for(words: tuple[Any, ...], waits: tuple[str, ...]) -> None:
    """Fault 49"""
    assert a_candidate(*words).why_not() == waits


PATIENCE_NS = 10 * S
GONE = RecordMissing(why="connection refused")


def an_impatient_one() -> Candidate:
    """PostgreSQL has been away since 0, and nobody leads."""
    candidate = Candidate(PATIENCE_NS)
    for word in (UP, GONE, NobodyHeard()):
        candidate.handle(word, 0)
    return candidate


def test_it_begins_from_the_snapshot_once_postgresql_has_been_away_for_too_long() -> None:
    """Fault 49"""
    candidate = an_impatient_one()

    early, late = candidate.handle(GONE, PATIENCE_NS - 1), candidate.handle(GONE, PATIENCE_NS)

    assert TakeLead(without_record=True) not in early
    assert TakeLead(without_record=True) in late


def test_postgresql_in_time_is_what_it_begins_with() -> None:
    candidate = an_impatient_one()

    assert candidate.handle(RecordOpened(), PATIENCE_NS - 1) == [TakeLead()]


def test_each_time_that_postgresql_goes_it_is_waited_for_anew() -> None:
    candidate = Candidate(PATIENCE_NS)
    for word in (UP, BEAT, GONE, RecordOpened()):
        candidate.handle(word, 0)
    candidate.handle(GONE, 7 * S)

    said = candidate.handle(GONE, PATIENCE_NS)

    assert [word for word in said if isinstance(word, TakeLead)] == []


def test_while_another_leads_no_snapshot_makes_a_second_leader() -> None:
    """Fault 45"""
    candidate = Candidate(PATIENCE_NS)
    for word in (UP, BEAT, GONE):
        candidate.handle(word, 0)
    candidate.handle(BEAT, PATIENCE_NS)

    said = candidate.handle(GONE, PATIENCE_NS + S)

    assert [word for word in said if isinstance(word, TakeLead)] == []


def test_without_a_snapshot_that_may_be_used_it_waits_for_postgresql() -> None:
    """Fault 49"""
    candidate = an_impatient_one()
    candidate.handle(SnapshotRefused(why="it is damaged"), PATIENCE_NS)

    said = candidate.handle(GONE, 9 * PATIENCE_NS)

    assert [word for word in said if isinstance(word, TakeLead)] == []
    assert any("it is damaged" in why for why in candidate.why_not())
