"""How far a run came: how often each kill point, fault and edge of the state table was reached. What was never reached was not tried."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Final

from actors.rules.trade.edges import EDGES
from tests.simulation.kill_points import MOMENTS, POINTS, Place
from tests.simulation.plan import AGENDA
from tests.simulation.postgres import PostgresFaults
from tests.simulation.seed import Result
from tests.simulation.venue_faults import VenueFaults

Edge = tuple[str, str]

_NOT_RATES: Final = ("latency_ns", "bound_ns")
FAULTS: Final = (
    *AGENDA,
    "start_without_record",
    "disk_full",
    *(each.name for each in fields(VenueFaults) if each.name not in _NOT_RATES),
    *(each.name for each in fields(PostgresFaults)),
    "lost_ack",
    "lost_pub_ack",
    "delivered_twice",
)
"""Whatever a world counts when it goes wrong."""
MEETINGS: Final = (
    "takeover",
    "position_mismatch",
    "reconciled",
    "unknown_order",
    "unprotected",
    "protected_again",
    "stream_alarm",
    "actor_restarted",
    "service_down",
    "nats_away",
    "database_away",
    "started_without_database",
    "snapshot_not_written",
    "halt",
    "flood",
    "flood_over",
)
"""What must have come about: another instance took over, and these notices."""
RARE: Final[frozenset[Edge]] = frozenset(
    {
        ("closing", "expired"),
        ("closing", "partial_closing"),
        ("closing", "unknown"),
        ("expired", "closed"),
        ("partial_closing", "closed"),
        ("partial_closing", "closing"),
        ("partial_closing", "expired"),
        ("partial_closing", "unknown"),
        ("partial_open", "closing"),
        ("partial_open", "expired"),
        ("partial_open", "unknown"),
        ("unknown", "closed"),
        ("unknown", "closing"),
        ("unknown", "expired"),
        ("unknown", "partial_closing"),
        ("unknown", "partial_open"),
        ("unknown", "pending"),
    }
)
"""Edges that take two faults at once: a run of a few hundred seeds may miss them, one of `MANY` may not."""
RARE_FAULTS: Final = ("beside",)
"""As well."""
MANY: Final = 4000


@dataclass(slots=True)
class Reach:
    """What came of many seeds."""

    seeds: int = 0
    broken: int = 0
    """How often the interpreter itself broke."""
    turns: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    edges: Counter[Edge] = field(default_factory=Counter)
    reached: Counter[Place] = field(default_factory=Counter)
    killed: Counter[Place] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count one more seed."""
        self.seeds += 1
        self.turns += result.turns
        for name in ("faults", "edges", "reached", "killed", "came"):
            getattr(self, name).update(getattr(result, name))
        if result.violations:
            self.failed[result.seed] = result.violations[0]

    def missing(self) -> list[str]:
        """Return what was to be reached, and never was."""
        wanted = [(a, b) for a, ends in EDGES.items() for b in ends]
        edges = [edge for edge in wanted if self.seeds >= MANY or edge not in RARE]
        faults = [name for name in FAULTS if self.seeds >= MANY or name not in RARE_FAULTS]
        places = [(point, moment) for point in POINTS for moment in MOMENTS]
        return [
            *(f"{moment} {point}" for point, moment in places if not self.reached[point, moment]),
            *(f"fault {name}" for name in faults if not self.faults[name]),
            *(f"edge {a} -> {b}" for a, b in edges if not self.edges[a, b]),
            *(f"{name} never came about" for name in MEETINGS if not self.came[name]),
        ]

    def table(self) -> Iterator[str]:
        """Yield the lines of Markdown tables."""
        yield from _rows(("kill point", "passed before", "killed", "passed after", "killed"), self._places())
        yield from _rows(("fault", "times"), ((name, self.faults[name]) for name in sorted(FAULTS)))
        edges = ((f"{a} -> {b}", self.edges[a, b]) for a, ends in EDGES.items() for b in ends)
        yield from _rows(("edge of the state table", "times"), edges)
        yield from _rows(("what came about", "times"), sorted(self.came.items()))

    def _places(self) -> Iterator[tuple[str | int, ...]]:
        for point in POINTS:
            counts = [found[point, moment] for moment in MOMENTS for found in (self.reached, self.killed)]
            yield point, *counts


def _rows(names: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> Iterator[str]:
    yield from ("", f"| {' | '.join(names)} |", "|---" * len(names) + "|")
    for row in rows:
        yield "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in row) + " |"
