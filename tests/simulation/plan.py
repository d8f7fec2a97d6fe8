"""What one seed draws: how rough the world is, and in which ways. Each seed is rough in a few ways and quiet in the others (swarm
testing): a world in which everything goes wrong at once hides what each fault does.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from bus.messages.units import NS_PER_MS, NS_PER_S
from tests.simulation.kill_points import MOMENTS, POINTS, Place
from tests.simulation.nats_server import NatsFaults
from tests.simulation.postgres import PostgresFaults
from tests.simulation.venue_faults import VenueFaults

RARE_HISTORIES: Final = ("ends_while_part_filled", "fills_beside_its_close")
"""A market ends while an entry is filled in part: partly open, then expired. An entry that had ended is filled further beside a close that took a
part, and nobody knows by how much: partly closed, then unknown."""
AGENDA: Final = (
    "nats_killed",
    "nats_hung",
    "nats_deaf",
    "orders_full",
    "postgres_killed",
    "postgres_read_only",
    "executor_killed",
    "process_killed",
    "process_stopped",
    "process_paused",
    "second_instance",
    "actor_crash",
    "poison",
    "clock_step",
    "external_close",
    "manual_position",
    "feed_silent",
    "tick_stale",
    "tick_future",
    "tick_backlog",
    "tick_garbage",
    "duplicate_input",
    "contradiction",
    "flood",
    "burst",
    "crash_loop",
)
"""What happens now and then; of each seed a few. `start_without_record` comes where snapshots are kept, `squatter` only where it is asked for: nobody else may give our orders' ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A seed's draws.

    is_nervous: trades are closed within seconds. disk_full: how often a snapshot cannot be written; None: none is kept. every_s: of each
    kind on the agenda, how many seconds on average from one to the next. rare: the history it is led towards (`RARE_HISTORIES`), or "".
    """

    haste: float
    nats: NatsFaults
    postgres: PostgresFaults
    venue: VenueFaults
    kills: dict[Place, int]
    every_s: dict[str, float]
    tickers: int
    trades: int
    trade_every_s: float
    tick_every_s: float
    people_every_s: float
    volatility: float
    is_nervous: bool
    disk_full: float | None
    rare: str


def drawn(seed: int, random: Random) -> Plan:
    """Draw a plan. Every seed plans for another kill point, so that a run reaches them all."""

    def rate(*rates: float) -> float:
        """One of `rates` in half of the seeds, else none."""
        return random.choice(rates) if random.random() < 0.5 else 0.0

    is_calm = random.random() < 0.1
    kinds = [] if is_calm else random.sample(AGENDA, random.randint(1, 6))
    venue = VenueFaults(
        rejects=rate(0.05, 0.3),
        partial=rate(0.3, 0.8),
        lost_request=rate(0.05, 0.2),
        lost_reply=rate(0.05, 0.3),
        late_request=rate(0.05, 0.2),
        silent=rate(0.1, 0.4),
        twice=rate(0.1, 0.5),
        shuffled=rate(0.2, 0.8),
        late_report=rate(0.1, 0.4),
        trickle=rate(0.1, 0.4),
        ghost=rate(0.1, 0.4),
        no_answer=rate(0.1, 0.5),
        error_answer=rate(0.1, 0.5),
        empty_answer=rate(0.1, 0.5),
        latency_ns=random.choice((1, 20, 200)) * NS_PER_MS,
        bound_ns=5 * NS_PER_S,
        counted=rate(0.1, 0.5),
    )
    every_s: dict[str, float]
    plan = Plan(
        haste=random.choice((0.0, 0.0, 0.02, 0.1)),
        nats=NatsFaults() if is_calm else NatsFaults(
            lost_ack=rate(0.05, 0.3), lost_pub_ack=rate(0.02, 0.15), twice=rate(0.05, 0.3)
        ),
        postgres=PostgresFaults() if is_calm else PostgresFaults(
            commit_lost=rate(0.01, 0.08), commit_done=rate(0.01, 0.08), passing=rate(0.02, 0.2)
        ),
        venue=VenueFaults() if is_calm else venue,
        kills={} if is_calm else _kills(seed, random),
        every_s=(every_s := {kind: random.choice((5.0, 15.0, 30.0)) for kind in kinds}),
        tickers=random.randint(1, 3),
        trades=random.randint(3, 10),
        trade_every_s=random.choice((0.3, 1.0, 3.0)),
        tick_every_s=random.choice((0.4, 1.0)),
        people_every_s=random.choice((6.0, 20.0, 1000.0)),
        volatility=random.choice((0.01, 0.03, 0.06)),
        is_nervous=random.random() < 0.3,
        **_disk(every_s, random),
        rare="",
    )  # fmt: skip
    return _towards(random.choice(RARE_HISTORIES), plan) if not is_calm and random.random() < 0.04 else plan


def _towards(history: str, plan: Plan) -> Plan:
    """Return a plan that makes a history likely which takes several faults at once. What else goes wrong would end it too early."""
    venue = VenueFaults(trickle=0.8)
    if history == "fills_beside_its_close":
        venue = VenueFaults(partial=1.0, silent=0.3, beside=1.0)
    return replace(
        plan, rare=history, venue=venue, every_s={}, kills={}, trades=1, people_every_s=1000.0, disk_full=None
    )


def _disk(every_s: dict[str, float], random: Random) -> dict[str, float | None]:
    """Draw whether snapshots are kept; where they are, processes start while PostgreSQL is away."""
    if random.random() < 0.7 or not every_s:
        return {"disk_full": None}
    every_s["start_without_record"] = 15.0
    return {"disk_full": random.choice((0.0, 0.0, 0.2))}


def _kills(seed: int, random: Random) -> dict[Place, int]:
    places = [(point, moment) for point in POINTS for moment in MOMENTS]
    first = places[seed % len(places)]
    more = {random.choice(places): random.randint(1, 12) for _ in range(random.choice((0, 0, 1, 2)))}
    return more | {first: random.choice((1, 1, 2, 3))}
