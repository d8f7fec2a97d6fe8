"""What a start begins with while PostgreSQL is away: the snapshot, or without one LEDGER, which has each trade's last event.

Either tells of trades as they stood; ORDERS, read after it, tells what left and what was answered since. What stops count in such a life is written to the snapshot, and a start with PostgreSQL
reads it there. A report that a trade of
LEDGER has taken in already changes nothing when it is heard again, as when a venue says it twice.
"""

from collections.abc import Mapping

from loguru import logger
from msgspec.structs import replace

from actors.ports import SnapshotFile, StartingWire
from actors.rules.record import snapshots
from actors.rules.record.counts import with_later_counts
from actors.rules.record.mirror import bring_up
from bus.messages.failures import SnapshotUnusable, StreamAlarm
from bus.messages.records import Recovered, Snapshot


def read(files: SnapshotFile | None, wire: StartingWire, now_ns: int) -> Snapshot:
    """Return what to begin with, with the streams of now. Raises: SnapshotUnusable: they are not its own; WireUnavailable."""
    snapshot = _kept(files, now_ns) or snapshots.nothing(now_ns)
    try:
        streams = wire.ensure_streams(snapshot.streams)
    except StreamAlarm as error:
        raise SnapshotUnusable(f"the snapshot is of other streams: {error}") from error
    for facts in streams.values():
        if facts.last_sequence < snapshot.reached.get(facts.name, 0):
            raise SnapshotUnusable(f"stream {facts.name} ends before what the snapshot knows of it")
    return replace(snapshot, streams={facts.name: facts.created for facts in streams.values()})


def recover(snapshot: Snapshot, wire: StartingWire) -> Recovered:
    """Return the trades as they stand by the snapshot and LEDGER. Raises: SnapshotUnusable: of none; WireUnavailable."""
    recovered = bring_up(snapshot, wire.read_ledger(snapshot.ledger))
    if not snapshot.epoch and not recovered.trades:
        raise SnapshotUnusable("there is no snapshot, and LEDGER tells of no open trade")
    return recovered


def later_counts(files: SnapshotFile | None, recovered: Recovered, streams: Mapping[str, str]) -> Recovered:
    """Return the record with what stops have counted since, as the last snapshot has it: PostgreSQL was away."""
    if files is None:
        return recovered
    try:
        snapshot = files.read_head()
    except SnapshotUnusable as error:
        logger.bind(action="serve.no_snapshot").debug("what stops have counted is as the record has it: {}", error)
        return recovered
    return with_later_counts(recovered, snapshot, streams)


def _kept(files: SnapshotFile | None, now_ns: int) -> Snapshot | None:
    """Return the snapshot that can be used; what cannot is as good as none, for LEDGER tells of the trades as well."""
    if files is None:
        return None
    try:
        snapshot = files.read()
    except SnapshotUnusable as error:
        logger.bind(action="serve.no_snapshot").warning("begins from LEDGER: {}", error)
        return None
    if now_ns - snapshot.ts > snapshots.OLDEST_NS:
        logger.bind(action="serve.no_snapshot").warning(
            "begins from LEDGER: ORDERS need not hold all that came after the snapshot"
        )
        return None
    return snapshot
