"""Who lets an actor work: the one thing that `serve` and the demo do differently with the same actors."""

import contextlib
import queue
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final, Protocol

import pykka

from actors.activity import Activity
from actors.by_hand import Hands
from actors.inbox import Inbox
from actors.watched import WatchedActor

_FIRST_MAX: Final = 16
"""Words of the actor that goes first before another gets its turn: a flood of reports must not hold up the stops."""


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


class SharedThread:
    """One thread that works several actors, in the order in which their words were put; those of `first` go before.

    A stop goes from the tick to its order through two actors. On threads of their own they would wait for each other's wake-up and
    contend for the interpreter, which costs as much as all that they compute.
    """

    def __init__(self, name: str, first: str) -> None:
        self._name = name
        self._first_name = first
        self._first: Inbox | None = None
        self._hands = Hands()
        self._turns: queue.SimpleQueue[Inbox | WatchedActor] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, actor: WatchedActor) -> None:
        """Work `actor` from now on."""
        if actor.inbox.name == self._first_name:
            self._first = actor.inbox
        self._hands.take_on(actor, self._turns.put)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, actor: WatchedActor) -> None:
        """Stop `actor` after what already waits for it; the thread ends with its last actor."""
        self._turns.put(actor)

    def _work(self) -> None:
        while True:
            turn = self._turns.get()
            self._let_first_go()
            if isinstance(turn, Inbox):
                self._hands.work(turn)
            elif self._let_go(turn):
                return

    def _let_go(self, actor: WatchedActor) -> bool:
        """Stop `actor`; say whether it was the last. Whoever waits for its end may start another at once."""
        while not actor.ended.is_set() and actor.inbox.waiting():
            self._hands.work(actor.inbox)
        is_last = len(self._hands) == 1
        if is_last:
            self._thread = None
        return self._hands.let_go(actor) and is_last

    def _let_first_go(self) -> None:
        first = self._first
        for _ in range(_FIRST_MAX):
            if first is None or not first.waiting():
                return
            self._hands.work(first)


class OwnThreads:
    """Each actor on a thread of its own, as pykka has it, but those `together`, which share one. The first of them goes first."""

    def __init__(self, activity: Activity, together: tuple[str, ...] = ()) -> None:
        self._activity = activity
        self._together = together
        self._shared = SharedThread("-".join(together), together[0] if together else "")

    def start(self, actor: WatchedActor) -> None:
        """Start its thread."""
        if actor.inbox.name in self._together:
            self._shared.start(actor)
        else:
            actor._start_actor_loop()  # noqa: SLF001  # pykka 4.5 offers no public way to start an actor that exists

    def stop(self, actor: WatchedActor, timeout_s: float | None = None) -> None:
        """Tell it to stop, and wait until it has ended, by this word or by a crash before it.

        pykka's own blocking `stop` is an `ask`, and one that races a death never resolves (4.5).
        """
        if actor.inbox.name in self._together:
            self._shared.stop(actor)
        else:
            with contextlib.suppress(pykka.ActorDeadError):
                actor.stop()
        actor.ended.wait(timeout_s)

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding."""
        return self._activity.quiet(timeout_s)

    def readers(self, count: int) -> Executor:
        """Return a pool of threads."""
        return ThreadPoolExecutor(count, thread_name_prefix="reader")
