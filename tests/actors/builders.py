"""Actors for tests: small engines, and a house of inboxes around them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event
from typing import Any

from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.activity import Activity
from actors.inbox import Inbox
from actors.ports import Clock
from actors.rules.pulse import Pulse
from actors.rules.restarts import RestartLimits, Restarts
from actors.rules.status import StatusBoard
from actors.supervisor import Child, Supervisor, WirePulse
from actors.turns import Turns
from actors.watched import EngineActor, Failed, WatchedActor
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S

STUCK_ROUNDS = 3


class Echo:
    """An engine that says every word again; the word `poison` raises, as often as it comes."""

    def handle(self, word: Any) -> list[object]:
        if word == "poison":
            raise ValueError("poison")
        return [word]


class FixedClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now_ns: int = 0) -> None:
        self.ns = now_ns

    def now_ns(self) -> int:
        return self.ns


def an_inbox(name: str = "echo", activity: Activity | None = None) -> Inbox:
    return Inbox(name, activity or Activity())


def a_child(inbox: Inbox, build: Callable[[Inbox, Failed], WatchedActor], *, crashes_max: int = 5) -> Child:
    limits = RestartLimits(count_max=crashes_max, window_ns=60 * NS_PER_S, second_ns=1000, longest_ns=1000)
    return Child(name=inbox.name, inbox=inbox, build=build, history=Restarts(limits), pulse=Pulse(STUCK_ROUNDS))


def a_supervisor(
    inbox: Inbox,
    *children: Child,
    turns: Turns,
    clock: Clock,
    say: Callable[[object], None],
    escalate: Callable[[int, str], None],
    ask_wire: Callable[[Callable[[], None]], None] = lambda answer: answer(),
    moves: Callable[[], None] = lambda: None,
) -> Supervisor:
    """A root whose restart timers fire at once; every other word goes to `say`."""

    def heard(word: object) -> None:
        if isinstance(word, SetTimer) and word.key.startswith("restart:"):
            inbox.put(TimerFired(owner=word.owner, key=word.key, due_ns=word.due_ns, now_ns=word.due_ns))
        else:
            say(word)

    return Supervisor(
        inbox,
        children=list(children),
        wire=WirePulse(ask_wire, Pulse(STUCK_ROUNDS)),
        turns=turns,
        clock=clock,
        say=heard,
        board=StatusBoard(instance="test", epoch=1, version="0", live_enabled=False),
        escalate=escalate,
        moves=moves,
        health_ns=NS_PER_S,
        beat_ns=NS_PER_S,
        stop_timeout_s=5,
    )


def an_echo(said: Callable[[object], None]) -> Callable[[Inbox, Failed], WatchedActor]:
    return lambda inbox, failed: EngineActor(inbox, failed, engine=Echo(), say=said)


@contextmanager
def running(actor: WatchedActor) -> Iterator[WatchedActor]:
    """Start an actor that was built, and stop it."""
    actor._start_actor_loop()
    try:
        yield actor
    finally:
        if not actor.actor_stopped.is_set():
            actor.inbox.put(_stop())
            assert actor.actor_stopped.wait(5)


def _stop() -> object:
    return Envelope(_ActorStop())


class Heard:
    """Collects words; `wait_for(n)` returns the first n."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[object] = SimpleQueue()
        self.died = Event()
        self.why: BaseException | None = None

    def __call__(self, word: object) -> None:
        self._queue.put(word)

    def failed(self, _name: str, error: BaseException) -> None:
        self.why = error
        self.died.set()

    def wait_for(self, count: int) -> list[object]:
        return [self._queue.get(timeout=10) for _ in range(count)]

    def so_far(self) -> list[object]:
        return [self._queue.get() for _ in range(self._queue.qsize())]
