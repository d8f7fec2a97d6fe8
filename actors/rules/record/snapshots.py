"""When the snapshot is written: after what changed, once in an interval at most, and never two at a time.

A disk that is full or gone costs no trade anything: people hear of it once, and it is tried again.
"""

from typing import Final

from actors.rules.notice_words import told
from actors.rules.record.counts import LastSnapshot
from actors.rules.record.mirror import Mirror
from bus.messages import plain
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit, Kept, Recovered, Snapshot, SnapshotDone, SnapshotDue
from bus.messages.streams import StreamsSeen
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S

OWNER: Final = "snapshots"
_DUE: Final = "due"
OLDEST_NS: Final = 6 * 24 * 3600 * NS_PER_S
"""ORDERS keeps seven days: what an older snapshot does not know may be gone from there."""


class Snapshots:
    """The engine of the actor that writes them. ledger: the full name of LEDGER."""

    def __init__(self, mirror: Mirror | LastSnapshot, interval_ns: int, ledger: str = "LEDGER") -> None:
        self._mirror = mirror
        self._interval_ns = interval_ns
        self._ledger = ledger
        self._next_ns = 0
        self._is_dirty = False
        self._is_under_way = False
        self._failed = False

    def handle(self, word: object) -> list[object]:
        """Hear what stands, what stops have counted, what LEDGER holds, time, and how the last writing ended."""
        match word:
            case Kept():
                self._mirror.hear(word)
                self._is_dirty = True
                return self._plan(word.now_ns)
            case Commit(progress=progress, account_progress=account_progress):
                self._mirror.count(progress, account_progress)
                self._is_dirty = True
                return self._plan(word.now_ns)
            case StreamsSeen(streams=streams):
                for stream in streams:
                    if stream.name == self._ledger:
                        self._mirror.note_ledger(stream.last_sequence)
                return []
            case TimerFired(now_ns=now_ns):
                self._is_dirty = False
                self._next_ns = now_ns + self._interval_ns
                return [SnapshotDue(snapshot=self._mirror.snapshot(now_ns))]
            case SnapshotDone(error=error, now_ns=now_ns):
                self._is_under_way = False
                self._is_dirty = self._is_dirty or error is not None
                return [*self._tell(error, now_ns), *self._plan(now_ns)]
            case _:
                return []

    def _plan(self, now_ns: int) -> list[object]:
        if self._is_under_way or not self._is_dirty:
            return []
        self._is_under_way = True
        return [SetTimer(owner=OWNER, key=_DUE, due_ns=max(now_ns, self._next_ns))]

    def _tell(self, error: str | None, now_ns: int) -> list[object]:
        failed_before, self._failed = self._failed, error is not None
        if error is not None and not failed_before:
            return told(not_written(error, now_ns), sender=OWNER)
        return []


def nothing(now_ns: int) -> Snapshot:
    """Return what is known without a snapshot: nobody has led yet, and everything is in the streams."""
    return Mirror(Recovered(), epoch=0, streams={}, reached={}).snapshot(now_ns)


def not_written(error: str, now_ns: int) -> Notice:
    """Return what people hear when a snapshot could not be written."""
    return Notice(
        notice_id=f"snapshot_not_written:{now_ns}",
        kind="snapshot_not_written",
        severity=Severity.WARNING,
        title="The snapshot could not be written",
        body=f"{error[:500].rstrip('.')}. No trade is touched by this, and it is tried again. But a process that must start while "
        "PostgreSQL is away begins with the last snapshot, which grows old. Look at the disk of snapshot.file.",
        dedupe_key="snapshot_not_written",
        ts=now_ns,
    )


def unusable(why: str, now_ns: int) -> Notice:
    """Return what people hear when PostgreSQL is away at a start and nothing else tells of trades that can be trusted."""
    return Notice(
        notice_id=f"snapshot_unusable:{now_ns}",
        kind="snapshot_unusable",
        severity=Severity.CRITICAL,
        title="Nobody guards the open trades",
        body=f"Watchkeeper is to start, PostgreSQL does not answer, and there is nothing else to begin with: {why[:500].rstrip('.')}. "
        "Every open trade is UNPROTECTED until PostgreSQL returns. Type: python run.py check",
        dedupe_key="snapshot_unusable",
        ts=now_ns,
    )


def without_record(snapshot: Snapshot, trades: int, now_ns: int) -> Notice:
    """Return what people hear when the house has begun without PostgreSQL. trades: how many are open."""
    if snapshot.epoch:
        source = f"the snapshot of {plain.instant_text(snapshot.ts)} and what LEDGER and ORDERS hold since"
    else:
        source = (
            "what LEDGER and ORDERS hold, for there is no snapshot: what stops had counted and followed begins anew"
        )
    return Notice(
        notice_id=f"started_without_database:{now_ns}",
        kind="started_without_database",
        severity=Severity.CRITICAL,
        title="Started without PostgreSQL",
        body=f"PostgreSQL does not answer, so {trades} open trades are guarded from {source}. "
        "Stops fire and closes leave; nothing new is taken on. A trade is UNPROTECTED until its prices are heard. When PostgreSQL returns, Watchkeeper starts again from the record. Type: python run.py check",
        dedupe_key="started_without_database",
        ts=now_ns,
    )
