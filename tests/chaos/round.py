"""One round: trades are opened and adopted, something goes wrong, their stops are crossed, they end, and everything is compared."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import psycopg

from db.embedded import EmbeddedPostgres
from tests.chaos.checks import violations
from tests.chaos.driver import Unanswered
from tests.chaos.faults import CROSSING, FAULTS, OPENING, Fault
from tests.chaos.settling import is_settled, unsettled
from tests.chaos.world import World, a_world, until

SETTLED_WITHIN_S: Final = 90
_NAMES: Final = tuple(FAULTS)
_STRIDE: Final = 17
"""Rounds in a row try faults that have little in common; it must share no factor with their number."""


@dataclass(slots=True)
class Result:
    """What came of a round. planned: its faults; reached: those that came about."""

    seed: int
    planned: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    trades: int = 0
    ends: list[int] = field(default_factory=list)


class Round:
    """Tells one seed. It draws what happens; when exactly it happens, the machine says."""

    def __init__(self, seed: int, world: World) -> None:
        self._random = Random(seed)
        self._world = world
        self.faults = drawn(seed, self._random)
        self._acting: list[threading.Thread] = []
        self.broken: list[str] = []

    def tell(self) -> list[str]:
        """Let it happen; return what was violated."""
        world = self._world
        if not until(world.is_ready, SETTLED_WITHIN_S):
            return ["L4: it does not become ready, and nothing has gone wrong yet"]
        try:
            self._open()
            self._cross()
        except Unanswered as error:
            return [f"L1: {error}", *self.broken]
        finally:
            for thread in self._acting:
                thread.join()
        if self.broken:
            return self.broken
        if not until(lambda: is_settled(world), SETTLED_WITHIN_S):
            return unsettled(world)
        code = world.keeper.stop()
        return [
            *([f"it ended with {code} when it was stopped"] if code else []),
            *violations(world, may_end=any(fault.may_end for fault, _ in self.faults)),
        ]

    def _open(self) -> None:
        driver = self._world.driver
        wanted = [True] * self._random.randint(1, 3) + [False] * self._random.randint(1, 3)
        self._random.shuffle(wanted)
        before = wanted[: self._random.randint(0, len(wanted))]
        for is_adopted in before:
            driver.trade(is_adopted=is_adopted)
        self._begin(OPENING)
        for is_adopted in wanted[len(before) :]:
            driver.trade(is_adopted=is_adopted)
        # Whatever was begun before has its effect on what follows.
        driver.trade(is_adopted=self._random.random() < 0.5)

    def _cross(self) -> None:
        """Let the market fall, one ticker after the other, and move on below the stops."""
        self._begin(CROSSING)
        bids = self._world.market.bids
        for ticker in self._random.sample(list(bids), len(bids)):
            bids[ticker] = Decimal(self._random.randint(20, 40)) / 100
            threading.Event().wait(self._random.choice((0, 0.1, 0.3)))
        for ticker in bids:
            bids[ticker] = Decimal("0.30")

    def _begin(self, phase: str) -> None:
        for fault, when in self.faults:
            if when == phase:
                thread = threading.Thread(target=self._act, args=(fault, Random(self._random.random())))
                self._acting.append(thread)
                thread.start()

    def _act(self, fault: Fault, random: Random) -> None:
        try:
            fault.act(self._world, random)
        except Exception:  # noqa: BLE001  # on a thread of its own: it would be lost
            self.broken.append(f"{fault.name} could not be done: {traceback.format_exc()}")


def drawn(seed: int, random: Random) -> list[tuple[Fault, str]]:
    """Return the faults of a round, and when each begins. Every seed tries another first one."""
    first = FAULTS[_NAMES[seed * _STRIDE % len(_NAMES)]]
    chosen = [(first, _when(first, random))]
    if random.random() < 0.3:
        second = FAULTS[random.choice(_NAMES)]
        if not second.of & first.of:
            chosen.append((second, _when(second, random)))
    return chosen


def _when(fault: Fault, random: Random) -> str:
    return fault.when if fault.when in (OPENING, CROSSING) else random.choice((OPENING, CROSSING))


def reached(world: World, faults: list[tuple[Fault, str]]) -> list[str]:
    """Return what came about: a kill point only if somebody died there."""
    died = {world.keeper.died_at(), world.executor.points.died_at}
    return [fault.name for fault, _ in faults if not fault.is_point or fault.name in died]


def run(seed: int, postgres: EmbeddedPostgres, folder: Path, say: Callable[[str], None] = lambda _: None) -> Result:
    """Tell one seed on servers of its own. say: hears the faults before they come."""
    with a_world(postgres, folder) as world:
        one = Round(seed, world)
        planned = [fault.name for fault, _ in one.faults]
        say(", ".join(f"{fault.name} {when}" for fault, when in one.faults))
        try:
            found = one.tell()
        except (psycopg.Error, AssertionError, OSError):
            found = [f"the round broke: {traceback.format_exc()}"]
        return Result(
            seed=seed,
            planned=planned,
            reached=reached(world, one.faults),
            violations=found,
            trades=len(world.driver.promised),
            ends=world.keeper.ends,
        )
