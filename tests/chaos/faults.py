"""What may go wrong in a round, each by its name; a round has one, and now and then a second. FAULTS of the issue, K1 to K20 of the catalogue.

A fault acts on a thread of its own, beside whoever asks for trades, and has mended what it broke when it returns.
"""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.world import World
from tests.fixtures.postgres import standing_still
from tests.simulation.kill_points import MOMENTS, POINTS

Act = Callable[[World, Random], None]
OPENING, CROSSING, ANY = "while trades are opened", "while their stops are crossed", "at any time"
PROCESS, EXECUTOR = frozenset({"process"}), frozenset({"executor"})
NATS, POSTGRES = frozenset({"NATS"}), frozenset({"PostgreSQL"})
_OF_CLOSES: Final = ("K13", "K14", "K15", "K20")
_OF_THE_EXECUTOR: Final = ("K16", "K17")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """of: whom it befalls: two that befall the same one are never in one round. when: in which phase it may begin.

    may_end: whether `serve` may end itself with 70. is_point: a kill point, reached or not.
    """

    name: str
    act: Act
    of: frozenset[str]
    when: str = ANY
    may_end: bool = False
    is_point: bool = False


def wait(random: Random, longest_s: float, shortest_s: float = 0.0) -> None:
    """Let some time go by."""
    threading.Event().wait(random.uniform(shortest_s, longest_s))


def at(point: str, moment: str) -> Fault:
    """Return the fault that the process, or the executor, is killed at a kill point."""
    place = f"{point} {moment}"

    def act(world: World, random: Random) -> None:
        passing = random.choice((1, 1, 1, 2))
        if point in _OF_THE_EXECUTOR:
            world.executor.points.planned = (place, passing)
        else:
            world.keeper.plan(place, passing)

    of = EXECUTOR if point in _OF_THE_EXECUTOR else PROCESS
    return Fault(name=place, act=act, of=of, when=CROSSING if point in _OF_CLOSES else ANY, is_point=True)


def kill_process(world: World, random: Random) -> None:
    """kill -9 at a random moment."""
    wait(random, 1)
    world.keeper.kill()


def kill_process_again_and_again(world: World, random: Random) -> None:
    """Fault 8: also while it recovers."""
    for _ in range(6):
        wait(random, 1.5)
        world.keeper.kill()


def kill_executor(world: World, random: Random) -> None:
    wait(random, 1)
    world.executor.kill()


def kill_nats(world: World, random: Random) -> None:
    wait(random, 1)
    world.nats.kill()
    wait(random, 2)
    world.nats.start()


def kill_postgres(world: World, random: Random) -> None:
    wait(random, 1)
    world.postgres.kill()
    wait(random, 2)
    world.postgres.start()


def kill_everything(world: World, random: Random) -> None:
    """The machine is gone, and back."""
    wait(random, 1)
    world.nats.kill()
    world.postgres.kill()
    world.keeper.kill()
    world.executor.kill()
    wait(random, 1)
    world.postgres.start()
    world.nats.start()


def pause_process(world: World, random: Random) -> None:
    wait(random, 1)
    world.keeper.send(signal.SIGSTOP)
    wait(random, 6, 0.5)
    world.keeper.send(signal.SIGCONT)


def pause_nats(world: World, random: Random) -> None:
    wait(random, 1)
    world.nats.send(signal.SIGSTOP)
    wait(random, 6, 0.5)
    world.nats.send(signal.SIGCONT)


def pause_postgres(world: World, random: Random) -> None:
    wait(random, 1)
    with standing_still(world.postgres):
        wait(random, 6, 0.5)


FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault
    for fault in (
        *(at(point, moment) for point in POINTS for moment in MOMENTS),
        Fault(name="process killed", act=kill_process, of=PROCESS),
        Fault(name="process killed again and again", act=kill_process_again_and_again, of=PROCESS),
        Fault(name="executor killed", act=kill_executor, of=EXECUTOR),
        Fault(name="NATS killed", act=kill_nats, of=NATS, may_end=True),
        Fault(name="PostgreSQL killed", act=kill_postgres, of=POSTGRES, may_end=True),
        Fault(name="everything killed", act=kill_everything, of=PROCESS | EXECUTOR | NATS | POSTGRES, may_end=True),
        Fault(name="process paused", act=pause_process, of=PROCESS, may_end=True),
        Fault(name="NATS paused", act=pause_nats, of=NATS, may_end=True),
        Fault(name="PostgreSQL paused", act=pause_postgres, of=POSTGRES, may_end=True),
    )
}
