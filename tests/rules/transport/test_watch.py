"""NATS away and back, and streams that are not what they were."""

from typing import Any, TypeVar

import pytest

from actors.rules.transport.watch import OWNER, SAID_AFTER_NS, TransportWatch
from bus.messages.envelope import Received
from bus.messages.lead import WireDown, WireUp
from bus.messages.notices import Notice, Severity
from bus.messages.reconcile import VenuesUp
from bus.messages.records import Commit
from bus.messages.streams import StreamsSeen, StreamStanding, StreamsWanted
from bus.messages.system import SystemCommand
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S

W = TypeVar("W")
T0 = 1_700_000_000 * NS_PER_S
MONDAY, TUESDAY = "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"


def of_kind(said: list[object], kind: type[W]) -> list[W]:
    return [word for word in said if isinstance(word, kind)]


def a_watch() -> TransportWatch:
    return TransportWatch({"ORDERS": MONDAY}, interval_ns=10 * NS_PER_S, fill_percent_max=70)


def down(now_ns: int = T0) -> WireDown:
    return WireDown(why="connection refused", now_ns=now_ns)


def away(now_ns: int) -> TimerFired:
    return TimerFired(owner=OWNER, key="away", due_ns=now_ns, now_ns=now_ns)


def seen(now_ns: int = T0, **changes: Any) -> StreamsSeen:
    """ORDERS as it should be, but for `changes`."""
    given: dict[str, Any] = {"name": "ORDERS", "created": MONDAY, "last_sequence": 9} | changes
    return StreamsSeen(streams=(StreamStanding(**given),), now_ns=now_ns)


def notices(watch: TransportWatch, *words: object) -> list[str]:
    """Return the kinds of what is said of `words`."""
    return [notice.kind for word in words for notice in of_kind(watch.handle(word), Notice)]


def test_an_outage_that_lasts_is_said_once_urgently_and_once_that_it_is_over() -> None:
    """Fault 9"""
    watch = a_watch()
    watch.handle(down())

    said = watch.handle(away(T0 + SAID_AFTER_NS))
    again = watch.handle(away(T0 + 9 * NS_PER_S))
    over = watch.handle(WireUp(now_ns=T0 + 60 * NS_PER_S))

    assert [(n.kind, n.severity) for n in of_kind(said, Notice)] == [("nats_away", Severity.CRITICAL)]
    assert of_kind(again, Notice) == []
    assert [n.body for n in of_kind(over, Notice)] == [
        "It was away for 60 s. What waited is published, in order, under the same ids."
    ]


def test_a_restart_of_nats_is_no_news_for_people() -> None:
    watch = a_watch()

    assert notices(watch, down(), WireUp(now_ns=T0 + NS_PER_S), away(T0 + SAID_AFTER_NS)) == []


def test_the_second_connection_that_goes_is_the_same_outage() -> None:
    watch = a_watch()
    watch.handle(down())

    assert watch.handle(down(T0 + NS_PER_S)) == []


def test_what_is_said_stands_on_record_and_leaves_at_once() -> None:
    watch = a_watch()
    watch.handle(down())

    commit = of_kind(watch.handle(away(T0 + SAID_AFTER_NS)), Commit)[0]

    assert [notice.kind for notice in commit.notices] == ["nats_away"]
    assert [out.direct for out in commit.outbox] == [True]


def test_the_streams_are_looked_at_after_each_connection_and_in_a_steady_rhythm() -> None:
    watch = a_watch()

    first = watch.handle(WireUp(now_ns=T0))
    second = watch.handle(TimerFired(owner=OWNER, key="look", due_ns=T0, now_ns=T0 + 10 * NS_PER_S))

    assert of_kind(first, StreamsWanted) == [StreamsWanted(now_ns=T0)]
    assert of_kind(first, SetTimer)[0].due_ns == T0 + 10 * NS_PER_S
    assert len(of_kind(second, StreamsWanted)) == 1


def test_streams_as_they_should_be_are_no_news() -> None:
    watch = a_watch()

    assert [watch.handle(seen(last_sequence=number)) for number in (9, 9, 10)] == [[], [], []]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((seen(created=TUESDAY),), "made anew"),
        ((seen(created=None), seen(created=None)), "missing"),
        ((seen(last_sequence=900), seen(last_sequence=700)), "ends|ended at message 700"),
    ],
)
def test_lost_messages_halt_entries_and_have_every_account_compared(words: tuple[StreamsSeen, ...], says: str) -> None:
    """Fault 13, Fault 14"""
    watch = a_watch()
    said = [each for word in words for each in watch.handle(word)]

    halt = of_kind(said, Received)[0]
    assert isinstance(halt.message, SystemCommand)
    assert (halt.subject, halt.message.account) == ("system.request.halt", None)
    assert len(of_kind(said, VenuesUp)) == 1
    assert [notice.severity for notice in of_kind(said, Notice)] == [Severity.CRITICAL]
    assert any(part in of_kind(said, Notice)[0].body for part in says.split("|"))


def test_a_stream_that_is_missing_is_looked_for_again_before_anybody_is_alarmed() -> None:
    """Fault 14: a cluster may not know it yet."""
    watch = a_watch()

    said = watch.handle(seen(created=None))

    assert [word.due_ns for word in of_kind(said, SetTimer)] == [T0 + NS_PER_S]
    assert notices(watch, seen()) == []


def test_a_loss_is_said_once_and_halts_once() -> None:
    """A person who resumes must not be overruled ten seconds later."""
    watch = a_watch()
    watch.handle(seen(created=TUESDAY))

    assert watch.handle(seen(T0 + 10 * NS_PER_S, created=TUESDAY)) == []


def test_what_was_lost_does_not_come_back_by_new_messages() -> None:
    """Fault 13"""
    watch = a_watch()
    watch.handle(seen(last_sequence=900))
    watch.handle(seen(last_sequence=700))

    assert notices(watch, seen(last_sequence=950)) == []


def test_a_stream_that_was_only_out_of_sight_is_said_to_be_back() -> None:
    watch = a_watch()
    for _ in range(2):
        watch.handle(seen(created=None))

    assert notices(watch, seen()) == ["stream_well"]


def test_a_stream_with_other_settings_is_an_alarm_and_no_halt() -> None:
    """Fault 14"""
    watch = a_watch()

    said = watch.handle(seen(drift=("discard is 'old', not 'new'",)))

    assert [notice.kind for notice in of_kind(said, Notice)] == ["stream_alarm"]
    assert of_kind(said, Received) == []
    assert notices(watch, seen()) == ["stream_well"]


@pytest.mark.parametrize(("percent", "kinds"), [(69, []), (70, ["stream_alarm"]), (100, ["stream_alarm"])])
def test_a_stream_that_fills_is_an_alarm_in_time(percent: int, kinds: list[str]) -> None:
    """Fault 15"""
    assert notices(a_watch(), seen(fill_percent=percent)) == kinds


def test_a_stream_at_the_brink_is_not_said_to_be_well_and_full_in_turns() -> None:
    """Fault 15"""
    watch = a_watch()
    watch.handle(seen(fill_percent=70))

    assert notices(watch, seen(fill_percent=69), seen(fill_percent=70), seen(fill_percent=66)) == []
    assert notices(watch, seen(fill_percent=64)) == ["stream_well"]


def look(now_ns: int) -> TimerFired:
    return TimerFired(owner=OWNER, key="look", due_ns=now_ns, now_ns=now_ns)


def test_streams_that_leave_one_look_after_the_other_unanswered_are_an_alarm() -> None:
    """Fault 15: JetStream has been disabled, and the server lives."""
    watch = a_watch()
    looks = [WireUp(now_ns=T0), *(look(T0 + number * 10 * NS_PER_S) for number in (1, 2, 3, 4))]

    assert [notices(watch, word) for word in looks] == [[], [], [], ["stream_alarm"], []]
    assert notices(watch, seen(), look(T0)) == ["stream_well"]


def test_while_nats_is_away_nobody_blames_its_streams() -> None:
    """Fault 9"""
    watch = a_watch()
    watch.handle(down())

    assert notices(watch, *(look(T0 + number * NS_PER_S) for number in range(9)), WireUp(now_ns=T0)) == []
