"""What a fault is: something that is done to a world beside whoever asks for trades, and mended when it returns."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.keeper import EXIT_INTERNAL, EXIT_NO_ANSWER
from tests.chaos.world import World

Act = Callable[[World, Random], None]
OPENING, CROSSING, ANY = "while trades are opened", "while their stops are crossed", "at any time"
PROCESS, EXECUTOR = frozenset({"process"}), frozenset({"executor"})
NATS, POSTGRES = frozenset({"NATS"}), frozenset({"PostgreSQL"})
INPUTS = frozenset({"inputs"})
SOON_S: Final = 0.7
"""A fault begins within this, in the middle of whatever is going on."""
ALL = PROCESS | EXECUTOR | NATS | POSTGRES


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """of: whom it befalls; two that befall the same one are never in one round. when: in which phase it may begin.

    may_end: whether `serve` may end itself. is_point: a kill point, reached or not. disk_mb: of a disk of its own for
    whom it befalls.
    """

    name: str
    act: Act
    of: frozenset[str]
    when: str = ANY
    may_end: bool = False
    is_point: bool = False
    disk_mb: int = 0

    def ends_with(self) -> frozenset[int]:
        """Return the exit codes with which `serve` may end itself; 69 if NATS goes away between its lead and its first input."""
        if not self.may_end:
            return frozenset()
        return frozenset({EXIT_INTERNAL, EXIT_NO_ANSWER} if self.of & NATS else {EXIT_INTERNAL})


def wait(random: Random, longest_s: float, shortest_s: float = 0.0) -> None:
    """Let some time go by."""
    threading.Event().wait(random.uniform(shortest_s, longest_s))
