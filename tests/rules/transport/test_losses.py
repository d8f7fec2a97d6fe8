"""What a stream that has lost messages leads to, word for word."""

import msgspec
import pytest

from actors.rules.transport.watch import OWNER, SAID_AFTER_NS, TransportWatch
from bus.messages.envelope import Received
from bus.messages.lead import WireDown, WireUp
from bus.messages.notices import Notice
from bus.messages.plain import from_json
from bus.messages.reconcile import VenuesUp
from bus.messages.records import Commit
from bus.messages.streams import StreamsSeen, StreamStanding, StreamsWanted
from bus.messages.system import SystemCommand
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S
from tests.rules.readable import readable

T0 = 1_700_000_000 * NS_PER_S
MONDAY = "2026-11-23T00:00:00Z"
HELD = StreamStanding(name="ORDERS", created=MONDAY, last_sequence=9)
LOST = msgspec.structs.replace(HELD, last_sequence=3)


def watching(*words: object) -> tuple[TransportWatch, list[object]]:
    """A watch that has heard these words, and what it said of the last; everything that it said can be read."""
    watch = TransportWatch({"ORDERS": MONDAY}, interval_ns=10 * NS_PER_S, fill_percent_max=70)
    said: list[object] = []
    for word in words:
        said = readable(watch.handle(word))
    return watch, said


def seen(*streams: StreamStanding, seconds: int = 0) -> StreamsSeen:
    return StreamsSeen(streams=streams, now_ns=T0 + seconds * NS_PER_S)


def looks(count: int) -> list[TimerFired]:
    return [TimerFired(owner=OWNER, key="look", due_ns=T0 + n, now_ns=T0 + n) for n in range(count)]


def test_entries_are_halted_as_if_a_person_had_asked_for_it() -> None:
    """Faults 13, 14"""
    _, said = watching(seen(HELD), seen(LOST, seconds=5))

    (halt,) = (word for word in said if isinstance(word, Received))
    reason = "stream ORDERS: it ended at message 3 and had held 9 before"
    assert halt.message == SystemCommand(reason=reason, requested_by="watchkeeper")
    assert (halt.subject, halt.received_ns) == ("system.request.halt", T0 + 5 * NS_PER_S)
    assert from_json(SystemCommand, halt.body) == halt.message


def test_two_losses_are_two_halts() -> None:
    other = msgspec.structs.replace(HELD, name="LEDGER")
    _, said = watching(seen(HELD, other), seen(LOST, msgspec.structs.replace(other, last_sequence=1)))

    assert len({(word.key, word.digest) for word in said if isinstance(word, Received)}) == 2


def test_every_account_is_compared_after_the_halt() -> None:
    _, said = watching(seen(HELD), seen(LOST, seconds=5))

    assert [type(word) for word in said][-2:] == [Received, VenuesUp]
    assert said[-1] == VenuesUp(now_ns=T0 + 5 * NS_PER_S)


def test_a_stream_that_is_missing_is_looked_for_again_in_a_second() -> None:
    _, said = watching(seen(msgspec.structs.replace(HELD, created=None)))

    assert said == [SetTimer(owner=OWNER, key="look", due_ns=T0 + NS_PER_S)]


def test_a_stream_that_was_found_again_may_be_missing_again_once() -> None:
    missing = seen(msgspec.structs.replace(HELD, created=None))
    _, said = watching(missing, seen(HELD), missing)

    assert [type(word) for word in said] == [SetTimer]


def test_an_outage_that_begins_is_waited_for() -> None:
    _, said = watching(WireDown(why="refused", now_ns=T0))

    assert said == [SetTimer(owner=OWNER, key="away", due_ns=T0 + SAID_AFTER_NS)]


def test_a_look_asks_for_the_streams_and_for_the_next_look() -> None:
    _, said = watching(WireUp(now_ns=T0))

    assert said == [StreamsWanted(now_ns=T0), SetTimer(owner=OWNER, key="look", due_ns=T0 + 10 * NS_PER_S)]


@pytest.mark.parametrize(("unanswered", "told"), [(3, False), (4, True)])
def test_three_looks_may_go_unanswered(unanswered: int, told: bool) -> None:
    _, said = watching(*looks(unanswered))

    assert any(isinstance(word, Notice) for word in said) is told


@pytest.mark.parametrize("answer", [seen(HELD), WireUp(now_ns=T0)])
def test_an_answer_or_a_new_connection_begins_the_count_anew(answer: object) -> None:
    _, said = watching(*looks(3), answer, *looks(2))

    assert [word for word in said if isinstance(word, Notice)] == []


def test_several_settings_that_differ_are_told_in_one_alarm() -> None:
    _, said = watching(seen(msgspec.structs.replace(HELD, drift=("max_age", "replicas"))))

    (notice,) = (word for word in said if isinstance(word, Notice))
    assert "ax_age; replicas" in notice.body


@pytest.mark.parametrize(("after", "title"), [(LOST, "needs a person"), (HELD, "is as it should be again")])
def test_an_alarm_and_its_end_name_the_stream_and_what_is_wrong_with_it(after: StreamStanding, title: str) -> None:
    full = msgspec.structs.replace(LOST, fill_percent=99, last_sequence=9)
    _, said = watching(seen(HELD), seen(full), seen(after))

    notices = {word.dedupe_key: word.title for word in said if isinstance(word, Notice)}
    assert notices["stream_alarm:ORDERS:loss" if after is LOST else "stream_well:ORDERS:fill"] == f"ORDERS {title}"


def test_what_people_hear_of_the_wire_is_kept_in_its_name() -> None:
    late = TimerFired(owner=OWNER, key="away", due_ns=T0, now_ns=T0 + SAID_AFTER_NS)
    _, said = watching(WireDown(why="refused", now_ns=T0), late)

    assert [word.sender for word in said if isinstance(word, Commit)] == [OWNER]


def test_a_word_that_is_not_for_it_is_a_fault_of_the_wiring() -> None:
    with pytest.raises(TypeError, match="str"):
        watching("anything else")
