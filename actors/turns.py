"""Who lets an actor work: the one thing that `serve` and the demo do differently with the same actors."""

import contextlib
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol

import pykka

from actors.activity import Activity
from actors.watched import WatchedActor


class Turns(Protocol):
    """Starts and stops actors, and knows when they have nothing left to do."""

    def start(self, actor: WatchedActor) -> None:
        """Let `actor` work from now on, beginning with its `on_start`."""
        ...

    def stop(self, actor: WatchedActor, timeout_s: float | None = None) -> None:
        """Stop `actor` after what already waits for it, and return when it has stopped."""
        ...

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing is left to do anywhere. Returns False if `timeout_s` passed first."""
        ...

    def readers(self, count: int) -> Executor:
        """Return who answers questions to the record beside the actors, `count` at a time."""
        ...


class OwnThreads:
    """Each actor on a thread of its own, as pykka has it."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def start(self, actor: WatchedActor) -> None:
        """Start its thread."""
        actor._start_actor_loop()  # noqa: SLF001  # pykka 4.5 offers no public way to start an actor that exists

    def stop(self, actor: WatchedActor, timeout_s: float | None = None) -> None:
        """Tell it to stop, and wait until it has ended, by this word or by a crash before it.

        pykka's own blocking `stop` is an `ask`, and one that races a death never resolves (4.5).
        """
        with contextlib.suppress(pykka.ActorDeadError):
            actor.stop()
        actor.ended.wait(timeout_s)

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding."""
        return self._activity.quiet(timeout_s)

    def readers(self, count: int) -> Executor:
        """Return a pool of threads."""
        return ThreadPoolExecutor(count, thread_name_prefix="reader")
