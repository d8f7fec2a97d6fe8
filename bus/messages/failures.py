"""The few ways in which the world breaks, shared by the wires that notice and the actors that decide."""


class StoreUnavailable(Exception):  # noqa: N818  # a state of the world, not a fault of the caller
    """PostgreSQL does not answer, or nobody knows whether it took the batch: write the whole batch again."""


class WireUnavailable(Exception):  # noqa: N818  # as above
    """NATS does not answer, or refuses for now: try again."""


class StreamAlarm(Exception):  # noqa: N818  # as above
    """A stream that is on record is missing, was made anew, has lost messages or has other settings: a person must look first."""


class SnapshotUnusable(Exception):  # noqa: N818  # as above
    """There is no snapshot to begin with, or none that may be trusted: PostgreSQL is waited for."""


class LeadTaken(Exception):  # noqa: N818  # as above
    """Another instance has taken the lead meanwhile."""


class Fenced(Exception):  # noqa: N818  # as above
    """Another epoch leads: the process must end."""
