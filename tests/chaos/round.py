"""One round: trades are opened and adopted, something goes wrong, their stops are crossed, they end, and everything is compared."""

import signal
import threading
import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from db.embedded import EmbeddedPostgres
from tests.chaos.checks import violations
from tests.chaos.driver import Unanswered
from tests.chaos.fault import CROSSING, NATS, OPENING, POSTGRES, Fault
from tests.chaos.faults import FAULTS, IMPOSSIBLE
from tests.chaos.settling import is_settled, unsettled
from tests.chaos.world import World, a_world, until

SETTLED_WITHIN_S: Final = 180
_PAUSES_S: Final = (0, 0.1, 0.3, 0.6)
_NAMES: Final = tuple(FAULTS)
_STRIDE: Final = 17
"""Rounds in a row try faults that have little in common; it must share no factor with their number."""


@dataclass(slots=True)
class Result:
    """What came of a round. planned: its faults; reached: those of them that came about; ends: exit codes of `serve`."""

    seed: int
    planned: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    trades: int = 0
    ends: list[int] = field(default_factory=list)


class Round:
    """Tells one seed. It draws what happens; when exactly it happens, the machine says."""

    def __init__(self, seed: int, fault: str | None) -> None:
        self._random = Random(seed)
        self.faults = drawn(seed, self._random, fault)
        self._acting: list[threading.Thread] = []
        self._broken: list[str] = []

    def tell(self, world: World) -> list[str]:
        """Let it happen; return what was violated."""
        world.executor.venue.thin = self._random.choice((0.0, 0.0, 0.5))
        if not until(world.is_ready, SETTLED_WITHIN_S):
            return ["L4: it does not become ready, and nothing has gone wrong yet"]
        try:
            self._open(world)
            self._cross(world)
        except Unanswered as error:
            return [f"L1: {error}", *self._broken]
        finally:
            for thread in self._acting:
                thread.join()
        if self._broken:
            return self._broken
        if not until(lambda: is_settled(world), SETTLED_WITHIN_S):
            return unsettled(world)
        codes = [keeper.stop() for keeper in reversed(world.keepers)]
        # Of two, one may still be starting: it has no ears for SIGTERM yet.
        if set(codes) - ({0} if len(codes) == 1 else {0, -signal.SIGTERM}):
            return [f"it ended with {codes} when it was stopped"]
        return violations(world, may_end_with=frozenset().union(*(fault.ends_with() for fault, _ in self.faults)))

    def _open(self, world: World) -> None:
        random, driver = self._random, world.driver
        driver.account = random.choice((None, "acc-shared"))
        driver.ticker = random.choice((None, None, "M-shared"))
        count = random.randint(2, 6)
        begins = random.randint(0, count - 1)
        for number in range(count):
            if number == begins:
                self._begin(world, OPENING)
            threading.Event().wait(random.choice(_PAUSES_S))
            driver.trade(random.choice(("open", "adopt")), by_command=random.random() < 0.3)

    def _cross(self, world: World) -> None:
        """Let the market fall, one ticker after the other, and move on below the stops; some are closed by hand instead."""
        self._begin(world, CROSSING)
        bids = world.market.bids
        for trade_id, body in self._random.sample(list(world.driver.asked.items()), len(world.driver.asked)):
            if self._random.random() < 0.2:
                world.driver.close(trade_id)
            bids[body["ticker"]] = Decimal(self._random.randint(20, 40)) / 100
            threading.Event().wait(self._random.choice(_PAUSES_S))
        for ticker in bids:
            bids[ticker] = Decimal("0.30")

    def _begin(self, world: World, phase: str) -> None:
        for fault, when in self.faults:
            if when == phase:
                thread = threading.Thread(target=self._act, args=(world, fault, Random(self._random.random())))
                self._acting.append(thread)
                thread.start()

    def _act(self, world: World, fault: Fault, random: Random) -> None:
        try:
            fault.act(world, random)
        except Exception:  # noqa: BLE001  # on a thread of its own: it would be lost
            self._broken.append(f"{fault.name} could not be done: {traceback.format_exc()}")


def drawn(seed: int, random: Random, fault: str | None) -> list[tuple[Fault, str]]:
    """Return the faults of a round, and when each begins. Every seed tries another first one, unless one is wanted."""
    first = FAULTS[fault or _NAMES[seed * _STRIDE % len(_NAMES)]]
    second = FAULTS[random.choice(_NAMES)]
    chosen = [first, second] if random.random() < 0.3 and not second.of & first.of else [first]
    return [(fault, _when(fault, random)) for fault in chosen if fault.name not in IMPOSSIBLE]


def _when(fault: Fault, random: Random) -> str:
    return fault.when if fault.when in (OPENING, CROSSING) else random.choice((OPENING, CROSSING))


def reached(world: World, faults: list[tuple[Fault, str]]) -> list[str]:
    """Return what came about: a kill point only if somebody died there."""
    died = {world.keeper.died_at(), world.executor.points.died_at}
    return [fault.name for fault, _ in faults if not fault.is_point or fault.name in died]


def run(
    seed: int,
    postgres: EmbeddedPostgres,
    folder: Path,
    *,
    fault: str | None = None,
) -> Result:
    """Tell one seed on servers of its own. fault: its first one; None: what the seed says."""
    one = Round(seed, fault)
    disks = {each.of: each.disk_mb for each, _ in one.faults}
    result = Result(seed=seed, planned=[each.name for each, _ in one.faults])
    try:
        with a_world(postgres, folder, nats_mb=disks.get(NATS, 0), postgres_mb=disks.get(POSTGRES, 0)) as world:
            result.violations = one.tell(world)
            result.reached = reached(world, one.faults)
            result.trades = len(world.driver.asked)
            result.ends = [code for keeper in world.keepers for code in keeper.ends]
    except Exception:  # noqa: BLE001  # whatever a round breaks of, the next one begins anew
        result.violations.append(f"the round broke: {traceback.format_exc()}")
    return result
