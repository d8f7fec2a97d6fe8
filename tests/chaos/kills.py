"""Processes that are killed (kill -9) or stopped (SIGSTOP): `serve` at its kill points or anywhere, its executor, its servers."""

import signal
from collections.abc import Iterator
from random import Random
from typing import Final

from tests.chaos.fault import ALL, ANY, CROSSING, EXECUTOR, NATS, POSTGRES, PROCESS, SOON_S, Fault, wait
from tests.chaos.world import World, until
from tests.fixtures.postgres import standing_still
from tests.simulation.kill_points import MOMENTS, POINTS

_OF_CLOSES: Final = ("K13", "K14", "K15", "K20")
_OF_THE_EXECUTOR: Final = ("K16", "K17")
_STANDS_BY_WITHIN_S: Final = 180


def points() -> Iterator[Fault]:
    """Yield K1 to K20, before and after each."""
    for point in POINTS:
        for moment in MOMENTS:
            yield at(point, moment)


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
    wait(random, SOON_S)
    world.keeper.kill()


def kill_process_again_and_again(world: World, random: Random) -> None:
    """Fault 8: also while it recovers."""
    for _ in range(6):
        wait(random, 1.5)
        world.keeper.kill()


def kill_executor(world: World, random: Random) -> None:
    wait(random, SOON_S)
    world.executor.kill()


def kill_nats(world: World, random: Random) -> None:
    wait(random, SOON_S)
    world.nats.kill()
    wait(random, 2)
    world.nats.start()


def kill_postgres(world: World, random: Random) -> None:
    wait(random, SOON_S)
    world.postgres.kill()
    wait(random, 2)
    world.postgres.start()


def kill_everything(world: World, random: Random) -> None:
    """The machine is gone, and back."""
    wait(random, SOON_S)
    world.nats.kill()
    world.postgres.kill()
    world.keeper.kill()
    world.executor.kill()
    wait(random, SOON_S)
    world.postgres.start()
    world.nats.start()


def pause_process(world: World, random: Random) -> None:
    wait(random, SOON_S)
    world.keeper.send(signal.SIGSTOP)
    wait(random, 6, 0.5)
    world.keeper.send(signal.SIGCONT)


def pause_leader(world: World, random: Random) -> None:
    """Fault 46: another one has taken over when it wakes up, and it may do nothing more."""
    world.second()
    assert until(lambda: world.roles() == ["leader", "standby"], _STANDS_BY_WITHIN_S), world.roles()
    wait(random, SOON_S)
    world.keeper.send(signal.SIGSTOP)
    assert until(lambda: world.roles() == ["leader"], _STANDS_BY_WITHIN_S), world.roles()
    wait(random, SOON_S)
    world.keeper.send(signal.SIGCONT)


def kill_leader(world: World, random: Random) -> None:
    """Fault 47: two are started, and either may lead from then on."""
    world.second()
    assert until(lambda: world.roles() == ["leader", "standby"], _STANDS_BY_WITHIN_S), world.roles()
    wait(random, SOON_S)
    world.keeper.kill()


def pause_nats(world: World, random: Random) -> None:
    wait(random, SOON_S)
    world.nats.send(signal.SIGSTOP)
    wait(random, random.choice((2, 6, 15)), 0.5)
    world.nats.send(signal.SIGCONT)


def pause_postgres(world: World, random: Random) -> None:
    wait(random, SOON_S)
    with standing_still(world.postgres):
        wait(random, random.choice((2, 6, 15)), 0.5)


KILLS: Final = (
    *points(),
    Fault(name="process killed", act=kill_process, of=PROCESS),
    Fault(name="process killed again and again", act=kill_process_again_and_again, of=PROCESS),
    Fault(name="leader killed beside a standby", act=kill_leader, of=PROCESS),
    Fault(name="executor killed", act=kill_executor, of=EXECUTOR),
    Fault(name="NATS killed", act=kill_nats, of=NATS, may_end=True),
    Fault(name="PostgreSQL killed", act=kill_postgres, of=POSTGRES, may_end=True),
    Fault(name="everything killed", act=kill_everything, of=ALL, may_end=True),
    Fault(name="process stopped", act=pause_process, of=PROCESS, may_end=True),
    Fault(name="leader stopped beside a standby", act=pause_leader, of=PROCESS, may_end=True),
    Fault(name="NATS stopped", act=pause_nats, of=NATS, may_end=True),
    Fault(name="PostgreSQL stopped", act=pause_postgres, of=POSTGRES, may_end=True),
)
