"""Disks that are full for a while. Each server that this befalls has a small one of its own, where the machine lets us mount it."""

import subprocess
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.fault import NATS, POSTGRES, Fault, wait
from tests.chaos.small_disk import a_disk
from tests.chaos.world import World

NATS_MB: Final = 32
POSTGRES_MB: Final = 320
_FILLER_BYTES: Final = 1 << 16


@cache
def may_mount() -> bool:
    """Whether this machine lets us; without it, full disks are not tried, and a run says so."""
    try:
        with a_disk(1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def fill(folder: Path) -> Path:
    """Take all the room that is left on the disk of `folder`; return the file that holds it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * _FILLER_BYTES)
        except OSError:
            return filler


def fill_nats(world: World, random: Random) -> None:
    """Fault 15: the outbox buffers; what ORDERS refuses is tried again. A stream that could not write needs a restart."""
    wait(random, 0.2)
    filler = fill(world.nats.folder)
    wait(random, 4, 1)
    filler.unlink()
    world.nats.kill()
    world.nats.start()


def fill_postgres(world: World, random: Random) -> None:
    """Fault 18: no new entries, closes leave by ORDERS; it catches up when there is room again."""
    wait(random, 0.2)
    filler = fill(world.postgres.folder)
    wait(random, 4, 1)
    filler.unlink()
    # One that could not write its log has ended itself.
    world.postgres.kill()
    world.postgres.start()


DISKS: Final = (
    Fault(name="disk of NATS full", act=fill_nats, of=NATS, may_end=True, disk_mb=NATS_MB),
    Fault(name="disk of PostgreSQL full", act=fill_postgres, of=POSTGRES, may_end=True, disk_mb=POSTGRES_MB),
)
