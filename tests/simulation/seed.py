"""One seed, from its draws to its end: `run` returns what came of it."""

import gc
import traceback
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.ending import Ending
from tests.simulation.kill_points import Place
from tests.simulation.oracle import Oracle
from tests.simulation.plan import drawn
from tests.simulation.silence import silence
from tests.simulation.story import Story
from tests.simulation.world import World


@dataclass(slots=True)
class Result:
    """What came of one seed. trace: a hash over its turns and over what was stored."""

    seed: int
    turns: int
    trace: str
    violations: list[str]
    history: list[tuple[int, str]] = field(default_factory=list)
    reached: Counter[Place] = field(default_factory=Counter)
    killed: Counter[Place] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    edges: Counter[tuple[str, str]] = field(default_factory=Counter)


def run(seed: int, events: int) -> Result:
    """Let the world of `seed` live for `events` turns, then come to rest."""
    with silence():
        return _run(seed, events)


def _run(seed: int, events: int) -> Result:
    plan = drawn(seed, World.random_of(seed, "plan"))
    world = World(
        seed,
        haste=plan.haste,
        kills=plan.kills,
        nats_faults=plan.nats,
        postgres_faults=plan.postgres,
        venue_faults=plan.venue,
    )
    oracle = Oracle(world)
    story = Story(world, plan)
    try:
        story.begin()
        while world.scheduler.turns < events and not oracle.violations:
            world.scheduler.step()
        if not oracle.violations:
            Ending(world, story, oracle).run()
    except Exception:  # noqa: BLE001  # a finding like any other
        oracle.broken("crash", traceback.format_exc())
    try:
        return Result(
            seed=seed,
            turns=world.scheduler.turns,
            trace=f"{world.scheduler.trace:08x}-{world.content():08x}",
            violations=oracle.violations,
            history=world.history,
            reached=world.points.reached,
            killed=world.points.killed,
            faults=world.faults,
            edges=oracle.edges,
        )
    finally:
        world.end()
        gc.collect()
