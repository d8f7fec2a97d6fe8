"""One seed, from its draws to its end: `run` returns what came of it."""

import gc
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tests.simulation.ending import Ending
from tests.simulation.kill_points import Place
from tests.simulation.oracle import Oracle
from tests.simulation.plan import drawn
from tests.simulation.silence import silence
from tests.simulation.story import Story
from tests.simulation.world import World

_COLLECTED_EVERY = 10
_worlds = 0


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
    came: Counter[str] = field(default_factory=Counter)
    """What came about: notices by their kind, refusals, takeovers."""


def run(seed: int, events: int, wakes: Mapping[str, float] = MappingProxyType({})) -> Result:
    """Let the world of `seed` live for `events` turns, then come to rest. wakes: happenings that it has beside those drawn."""
    with silence(), _garbage_waits():
        return _run(seed, events, wakes)


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """Collect after every few worlds, and none of what was there before: a collection costs as much as half a world."""
    global _worlds  # noqa: PLW0603  # of this process
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _worlds += 1
        if _worlds == 1 or _worlds % _COLLECTED_EVERY == 0:
            gc.collect()
        if _worlds == 1:
            gc.freeze()
        if was_on:
            gc.enable()


def _run(seed: int, events: int, wakes: Mapping[str, float]) -> Result:
    plan = drawn(seed, World.random_of(seed, "plan"))
    plan = replace(plan, every_s={**plan.every_s, **wakes})
    world = World(
        seed,
        haste=plan.haste,
        kills=plan.kills,
        nats_faults=plan.nats,
        postgres_faults=plan.postgres,
        venue_faults=plan.venue,
    )
    if plan.disk_full is not None:
        world.keep_snapshots(plan.disk_full)
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
            came=world.came + Counter(row["kind"] for row in world.postgres.tables.notices),
        )
    finally:
        world.end()
