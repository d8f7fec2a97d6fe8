"""One thread, one seed: whose turn it is, and what time it is, in a world that holds whole processes with the real actors.

Everything that would run by itself (an actor with its inbox, a process's event loop, a link of the network, a reader of the
record) is a `Work`. Each turn a seeded random picks one of those that have something to do, so every order in which words may
reach different inboxes can happen; within an inbox order is kept. Time stands still while anything can be done, unless `haste`
lets a deadline come first now and then, which is what a busy machine looks like; otherwise it jumps to the next deadline.

Nothing here asks a clock, and nothing depends on the order of a set or on an address: the same seed takes the same turns in
every run, which `trace` proves.
"""

import contextlib
import heapq
from collections.abc import Callable
from random import Random
from typing import Protocol
from zlib import crc32


class Gone(SystemExit):
    """Ends the turn in hand: the process that it belonged to does not exist any more.

    A `SystemExit`, because asyncio lets nothing else pass from a task to whoever runs its loop.
    """


class Work(Protocol):
    """Something that takes turns. name: the same in every run."""

    @property
    def name(self) -> str:
        """Who it is."""
        ...

    def turn(self) -> bool:
        """Do one thing; return whether another waits."""
        ...


class Scheduler:
    """Gives turns and keeps the time. start_ns: the world's first instant. haste: how often a deadline passes work by, 0 to 1."""

    def __init__(self, random: Random, *, start_ns: int, haste: float = 0.0) -> None:
        self.now_ns = start_ns
        self.haste = haste
        self.turns = 0
        self.trace = 0
        """A hash over every turn taken: equal for equal worlds."""
        self._random = random
        self._ready: list[Work] = []
        self._places: dict[Work, int] = {}
        self._held: dict[str, dict[Work, None]] = {}
        self._agenda: list[tuple[int, int, Callable[[], object]]] = []
        self._asked = 0
        self._waiting: list[Callable[[], bool]] = []

    def ready(self, work: Work) -> None:
        """Let `work` have a turn; it is not counted twice."""
        if self._held and (held := self._holder(work.name)) is not None:
            held[work] = None
        elif work not in self._places:
            self._places[work] = len(self._ready)
            self._ready.append(work)

    def _holder(self, name: str) -> dict[Work, None] | None:
        held = self._held.get(name)
        return self._held.get(name.partition("/")[0]) if held is None else held

    def drop(self, work: Work) -> None:
        """Give it no turn any more."""
        for held in self._held.values():
            held.pop(work, None)
        place = self._places.pop(work, None)
        if place is None:
            return
        last = self._ready.pop()
        if last is not work:
            self._ready[place] = last
            self._places[last] = place

    def hold(self, name: str) -> None:
        """Let the work of that name, or all of `<name>/...`, have no turn until `release`: it is stopped, or starved."""
        held = self._held.setdefault(name, {})
        for work in [work for work in self._ready if name in (work.name, work.name.partition("/")[0])]:
            self.drop(work)
            held[work] = None

    def release(self, name: str) -> None:
        """Let it go on."""
        for work in self._held.pop(name, {}):
            self.ready(work)

    def at(self, due_ns: int, act: Callable[[], object]) -> None:
        """Have `act` called at `due_ns`; those of one instant in the order in which they were asked for."""
        self._asked += 1
        heapq.heappush(self._agenda, (max(due_ns, self.now_ns), self._asked, act))

    def after(self, delay_ns: int, act: Callable[[], object]) -> None:
        """Have `act` called after `delay_ns`."""
        self.at(self.now_ns + delay_ns, act)

    def when(self, look: Callable[[], bool]) -> None:
        """Call `look` after each turn until it returns True."""
        self._waiting.append(look)

    @property
    def is_still(self) -> bool:
        """Whether nobody has anything to do at this instant."""
        return not self._ready

    @property
    def is_holding(self) -> bool:
        """Whether anybody is stopped, or starved."""
        return bool(self._held)

    def is_busy(self, owner: str) -> bool:
        """Whether anything named `<owner>/...` has something to do at this instant."""
        return any(work.name.startswith(f"{owner}/") for work in self._ready)

    @property
    def next_due_ns(self) -> int | None:
        """The next deadline; None: nothing will ever happen."""
        return self._agenda[0][0] if self._agenda else None

    def step(self) -> bool:
        """Give one turn, or let the next deadline come; False: nothing is left to happen."""
        ready = self._ready
        if ready and not (self.haste and self._agenda and self._random.random() < self.haste):
            work = ready[int(self._random.random() * len(ready))]
            self.trace = crc32(work.name.encode(), self.trace)
            self.drop(work)
            self.turns += 1
            self._take(work)
        elif self._agenda:
            due_ns, _, act = heapq.heappop(self._agenda)
            self.now_ns = max(self.now_ns, due_ns)
            self.trace = crc32(b"%d" % self.now_ns, self.trace)
            with contextlib.suppress(Gone):
                act()
        else:
            return False
        if self._waiting:
            self._waiting = [look for look in self._waiting if not look()]
        return True

    def _take(self, work: Work) -> None:
        with contextlib.suppress(Gone):
            if work.turn():
                self.ready(work)
