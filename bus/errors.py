"""The few ways in which the NATS side breaks; the library's own errors are translated here and nowhere else."""

from bus.messages.failures import LeadTaken, WireUnavailable


class BusError(WireUnavailable):
    """Something of the NATS side is broken."""


class ServerUnavailable(BusError):  # noqa: N818  # a state of the world, not a fault of the caller
    """No nats-server answers, or ours did not start: try again, or look at its log."""


class EpochLost(LeadTaken):  # as above
    """Another instance took the lead while we tried: try again with the next epoch, or stand by."""
