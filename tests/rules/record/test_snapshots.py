"""When the snapshot for a start without PostgreSQL is written."""

from typing import TypeVar

from actors.rules.record.mirror import Mirror
from actors.rules.record.snapshots import Snapshots
from bus.messages.notices import Notice
from bus.messages.records import Commit, Kept, SnapshotDone, SnapshotDue
from bus.messages.stops import StopProgress
from bus.messages.streams import StreamsSeen, StreamStanding
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S
from tests.rules.desk.builders import a_record

W = TypeVar("W")
T0 = 1_700_000_000 * NS_PER_S
INTERVAL_NS = 10 * NS_PER_S


def of_kind(said: list[object], kind: type[W]) -> list[W]:
    return [word for word in said if isinstance(word, kind)]


def the_engine() -> Snapshots:
    return Snapshots(Mirror(a_record(), epoch=3, streams={}, reached={"ORDERS": 4}), INTERVAL_NS)


def kept(now_ns: int) -> Kept:
    return Kept(commits=(Commit(sender="test", cause="test", now_ns=T0),), reached={"ORDERS": 9}, now_ns=now_ns)


def fired(now_ns: int) -> TimerFired:
    return TimerFired(owner="snapshots", key="due", due_ns=now_ns, now_ns=now_ns)


def done(now_ns: int, error: str | None = None) -> SnapshotDone:
    return SnapshotDone(error=error, now_ns=now_ns)


def test_what_stands_is_written_at_once_with_the_place_that_it_reached() -> None:
    engine = the_engine()

    (timer,) = of_kind(engine.handle(kept(T0)), SetTimer)
    (due,) = of_kind(engine.handle(fired(T0)), SnapshotDue)

    assert timer.due_ns == T0
    assert (due.snapshot.ts, due.snapshot.reached, due.snapshot.epoch) == (T0, {"ORDERS": 9}, 3)


def test_what_stops_have_counted_is_written_though_it_does_not_stand() -> None:
    engine, progress = the_engine(), StopProgress(trade_id="t1", rule="loss", confirms=1, ts=T0)

    engine.handle(Commit(sender="auto_stop", cause="progress", now_ns=T0, progress=(progress,)))
    (due,) = of_kind(engine.handle(fired(T0)), SnapshotDue)

    assert due.snapshot.progress == (progress,)


def test_no_second_one_is_begun_while_one_is_under_way() -> None:
    engine = the_engine()
    engine.handle(kept(T0))

    before = engine.handle(kept(T0 + 1))
    engine.handle(fired(T0 + 2))
    during = engine.handle(kept(T0 + 3))

    assert (before, during) == ([], [])


def test_what_came_meanwhile_is_written_an_interval_later() -> None:
    engine = the_engine()
    engine.handle(kept(T0))
    engine.handle(fired(T0))
    engine.handle(kept(T0 + 1))

    (timer,) = engine.handle(done(T0 + 2))

    assert isinstance(timer, SetTimer)
    assert timer.due_ns == T0 + INTERVAL_NS


def test_nothing_is_written_where_nothing_has_changed() -> None:
    engine = the_engine()
    engine.handle(kept(T0))
    engine.handle(fired(T0))

    assert engine.handle(done(T0 + 1)) == []


def test_a_full_disk_is_told_once_and_tried_again_until_there_is_room() -> None:
    engine = the_engine()
    engine.handle(kept(T0))
    engine.handle(fired(T0))

    first = engine.handle(done(T0 + 1, "No space left on device"))
    engine.handle(fired(T0 + INTERVAL_NS))
    again = engine.handle(done(T0 + INTERVAL_NS + 1, "No space left on device"))

    (notice,) = of_kind(first, Notice)
    assert (notice.kind, notice.ts) == ("snapshot_not_written", T0 + 1)
    assert notice.body.startswith("No space left on device. No trade")
    assert of_kind(again, Notice) == []
    assert [timer.due_ns for timer in of_kind(again, SetTimer)] == [T0 + 2 * INTERVAL_NS]


def test_it_knows_where_ledger_ended_when_that_was_seen() -> None:
    engine = the_engine()
    engine.handle(kept(T0))
    engine.handle(StreamsSeen(streams=(StreamStanding(name="LEDGER", created="monday", last_sequence=77),), now_ns=T0))

    (due,) = of_kind(engine.handle(fired(T0)), SnapshotDue)

    assert due.snapshot.ledger == 77
