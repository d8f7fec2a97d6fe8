"""What may go wrong between an executor and its venue, and what outlives that."""

from dataclasses import dataclass, field

from bus.messages.orders import OrderReport
from bus.messages.units import NS_PER_MS, NS_PER_S


@dataclass(slots=True, kw_only=True)
class VenueFaults:
    """How often what goes wrong, 0 to 1, and how slow it may be.

    rejects, partial: of an order. lost_request: it never reaches the venue; lost_reply: the venue took it and nobody hears;
    late_request: it reaches the venue seconds later. silent: the executor does not report. twice, shuffled, late_report: of a
    report. counted: a fill is told in the sum first, and by itself only in a while. trickle: half fills at once, the rest in a while. ghost:
    fills after its end was told. beside: an entry fills further, long after its end, beside a close that takes a part. no_answer, error_answer, empty_answer: of a look-up.
    """

    rejects: float = 0.0
    partial: float = 0.0
    lost_request: float = 0.0
    lost_reply: float = 0.0
    late_request: float = 0.0
    silent: float = 0.0
    twice: float = 0.0
    shuffled: float = 0.0
    late_report: float = 0.0
    counted: float = 0.0
    trickle: float = 0.0
    ghost: float = 0.0
    beside: float = 0.0
    no_answer: float = 0.0
    error_answer: float = 0.0
    empty_answer: float = 0.0
    latency_ns: int = 20 * NS_PER_MS
    bound_ns: int = 5 * NS_PER_S


@dataclass
class Disk:
    """What an executor knows after a crash."""

    epoch: int = 0
    promised: dict[str, OrderReport] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    """Of which order something was told in the sum only: once, for the stream knows a report by its status."""
    said: dict[str, list[OrderReport]] = field(default_factory=dict)
    """What it found out about an order without the venue: refused, expired before it was sent."""
    sent: dict[str, int] = field(default_factory=dict)
    """When a request for this order left, which the venue may not have yet."""
