"""Where a process may be killed: K1 to K20 of the catalogue of faults, before and after each.

The models and the watcher call `before` and `after` as they come by. Counted always; a kill that was planned for the n-th time
that somebody comes by ends the process there.
"""

from collections import Counter
from typing import Final, Protocol

from actors.replay.scheduler import Gone

POINTS: Final = tuple(f"K{number}" for number in range(1, 21))
MOMENTS: Final = ("before", "after")
Place = tuple[str, str]
"""A point and a moment."""


class Mortal(Protocol):
    """Something that can be killed."""

    is_alive: bool

    def die(self, why: str) -> None:
        """Cease to be."""
        ...


class KillPoints:
    """Counts who comes by, and kills as planned. planned: at which of its coming by each place kills, counted from 1."""

    def __init__(self, planned: dict[Place, int] | None = None) -> None:
        self.planned = dict(planned or {})
        self.reached: Counter[Place] = Counter()
        self.killed: Counter[Place] = Counter()
        self.is_armed = True

    def before(self, point: str, owner: object) -> None:
        """Somebody is about to pass `point`. Raises: Gone."""
        self._pass((point, "before"), owner)

    def after(self, point: str, owner: object) -> None:
        """Somebody has passed `point`. Raises: Gone."""
        self._pass((point, "after"), owner)

    def _pass(self, place: Place, owner: object) -> None:
        if owner is None or not owner.is_alive:  # type: ignore[attr-defined]  # a Mortal
            return
        self.reached[place] += 1
        if self.is_armed and place in self.planned:
            self.planned[place] -= 1
            if self.planned[place] <= 0:
                del self.planned[place]
                self.killed[place] += 1
                owner.die(f"killed {place[1]} {place[0]}")  # type: ignore[attr-defined]  # a Mortal
                raise Gone
