"""Who leads, and whether the servers are there: what an instance hears before it leads, and the wire says while it does."""

import msgspec

from bus.messages.units import UtcNs

LEADER = "leader"
"""The role of an instance that holds the epoch, ready or not."""
STANDBY = "standby"
"""The role of one that hears a leader, and takes over when it falls silent."""
STARTING = "starting"
"""The role of one that waits for its servers, or for it to be certain that nobody leads."""
STOPPED = "stopped"
"""The last word of a leader that has stopped in order: whoever stands by need not wait."""


class WireUp(msgspec.Struct, frozen=True, kw_only=True):
    """Both connections to NATS stand, for the first time or again."""

    now_ns: UtcNs


class WireDown(msgspec.Struct, frozen=True, kw_only=True):
    """A connection to NATS was lost, or could not be made; it is tried for as long as it takes. `WireUp` follows."""

    why: str
    now_ns: UtcNs


class TicksMissed(msgspec.Struct, frozen=True, kw_only=True):
    """Market data went by while its connection was lost. count: at least so many messages; the newest of each market was read since."""

    count: int


class InstanceHeard(msgspec.Struct, frozen=True, kw_only=True):
    """Another instance has said how it stands, by itself or because it was asked."""

    instance: str
    epoch: int
    role: str


class NobodyHeard(msgspec.Struct, frozen=True, kw_only=True):
    """NATS says that nobody at all listens where the leader would: it is not there."""


class RecordOpened(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL is there, and its schema fits."""


class RecordMissing(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL does not answer, or lets nobody in."""

    why: str


class SnapshotRefused(msgspec.Struct, frozen=True, kw_only=True):
    """There is no snapshot that may be used: only PostgreSQL can help."""

    why: str


class LeadMissed(msgspec.Struct, frozen=True, kw_only=True):
    """The lead was not taken, and nothing has begun. rival: because another instance was faster."""

    why: str
    rival: bool


class FindLeader(msgspec.Struct, frozen=True, kw_only=True):
    """Ask who leads."""


class OpenRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Try to reach PostgreSQL."""


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """Do once, while there is time, what would else be done for the first time at a takeover."""


class TakeLead(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody leads: take the lead. without_record: PostgreSQL is away for too long, so begin from the snapshot."""

    without_record: bool = False
