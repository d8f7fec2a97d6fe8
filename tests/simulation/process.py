"""One process of the simulated world: the real house, wire and store of `serve`, over the models, in one incarnation after another.

What a process holds in memory ends with its incarnation; what it told the servers before may still arrive.
"""

import queue
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Protocol

from actors.activity import Activity
from actors.database import EXIT_INTERNAL
from actors.door import Door
from actors.house import House, HouseNotStandingError
from actors.inbox import Inbox
from actors.ports import Recorder
from actors.replay.scheduler import Gone, Scheduler
from actors.replay.shuffled import ShuffledTurns
from actors.replay.strands import Strand
from actors.serving import Serving, Wiring
from actors.standby import Standby
from bus.messages.failures import StreamAlarm
from bus.messages.orders import EpochRecord
from bus.messages.plain import from_json
from bus.messages.stops import StopFired
from bus.messages.units import NS_PER_US
from bus.wire import NatsWire
from config.settings import Settings
from tests.simulation.connections import ModelStore
from tests.simulation.disk import ModelDisk
from tests.simulation.loop import SimulatedLoop, SimulatedThread
from tests.simulation.nats_client import ModelClient
from tests.simulation.nats_server import ModelNats
from tests.simulation.postgres import ModelPostgres


class Around(Protocol):
    """What an incarnation lives in."""

    scheduler: Scheduler
    nats: ModelNats
    postgres: ModelPostgres
    recorder: Recorder | None

    def before(self, incarnation: "Incarnation", inbox: Inbox, word: object) -> None:
        """See a word before its actor works it."""
        ...

    def after(self, incarnation: "Incarnation", inbox: Inbox, word: object) -> None:
        """See it afterwards."""
        ...

    def fired(self, incarnation: "Incarnation", word: StopFired) -> None:
        """A stop fires."""
        ...

    def serves(self, incarnation: "Incarnation") -> None:
        """It watches."""
        ...

    def gone(self, incarnation: "Incarnation", why: str) -> None:
        """It does not exist any more."""
        ...


class _Heard:
    """`queue.SimpleQueue` for whoever waits as the world allows it. wait: lets the world go on until something is so."""

    def __init__(self, wait: Callable[[Callable[[], bool], float | None], bool]) -> None:
        self._wait = wait
        self._words: deque[object] = deque()
        self.put = self._words.append

    def get(self, *, timeout: float | None = None) -> object:
        if not self._wait(lambda: bool(self._words), timeout):
            raise queue.Empty
        return self._words.popleft()


class SteppedClock:
    """A process's wall clock: the world's time, and how far it is off. No two readings are equal, as in life, unless it is stepped."""

    def __init__(self, scheduler: Scheduler, off_ns: int) -> None:
        self._scheduler = scheduler
        self._off_ns = off_ns
        self._last_ns = 0

    def now_ns(self) -> int:
        now_ns = (self._scheduler.now_ns + self._off_ns) // NS_PER_US * NS_PER_US
        self._last_ns = max(now_ns, self._last_ns + NS_PER_US)
        return self._last_ns

    def step(self, off_ns: int) -> None:
        """Set it anew."""
        self._off_ns = off_ns
        self._last_ns = 0


class Incarnation:
    """One life of a process."""

    def __init__(
        self, world: Around, name: str, settings: Settings, off_ns: int, disk: ModelDisk | None = None
    ) -> None:
        self.name = name
        self.world = world
        self.is_alive = True
        self.is_serving = False
        self.is_stopping = False
        self.served_ns = 0
        self.doomed = ""
        self.disk = disk
        self.crashes: list[tuple[str, int]] = []
        """Which actor died, and when."""
        self.activity = Activity()
        self.clock = SteppedClock(world.scheduler, off_ns)
        self.loop = SimulatedLoop(world.scheduler, f"{name}/loop")  # type: ignore[abstract]  # what nobody calls
        self.door = Door()
        self.store = ModelStore(world.postgres, self, self._still_leads)
        fatal = partial(self.end, 70)
        self.wire = NatsWire(
            settings.nats,
            clock=self.clock,
            say=self.door.hear,
            on_fenced=fatal,
            on_fatal=fatal,
            confirm_publish_ms=int(settings.trading.confirm_publish_ms),
            thread=SimulatedThread(self.loop, self.wait),  # type: ignore[arg-type]  # by shape
            client=partial(ModelClient, world.nats, self.loop, self),
        )
        self.turns = ShuffledTurns(
            world.scheduler, name, clock=self.clock, activity=self.activity, watcher=self, wait=self.wait
        )
        wiring = Wiring(
            clock=self.clock,
            wire=self.wire,
            store=self.store,
            door=self.door,
            end=self.end,
            activity=self.activity,
            turns=self.turns,
            also={StopFired: self._fired},
            snapshots=disk,
            recorder=world.recorder,
        )
        self.serving = Serving(settings, wiring)
        self._standby = Standby(
            self.serving,
            monotonic_ns=lambda: world.scheduler.now_ns,
            heard=_Heard(self.wait),  # type: ignore[arg-type]  # by shape
        )
        self._strand = Strand(world.scheduler, f"{name}/main", self._main)

    @property
    def house(self) -> House | None:
        """The house, once it is built."""
        return self.serving.house

    @property
    def epoch(self) -> int:
        """The epoch that it took; 0 before."""
        return self.serving.epoch

    def _still_leads(self) -> bool | None:
        """Look at the record as the wire does, but at once: an actor's turn cannot wait for the loop."""
        orders = self.world.nats.jetstream.streams.get("ORDERS")
        if not self.world.nats.is_up or self.world.nats.is_hung or orders is None:
            return None
        newest = orders.kept.get(orders.newest.get("order.epoch", 0))
        return newest is None or from_json(EpochRecord, newest.body).epoch <= self.epoch

    def _fired(self, word: object) -> None:
        assert isinstance(word, StopFired)
        self.world.fired(self, word)

    def _main(self) -> None:
        """What `serve` does."""
        try:
            leads = self._standby.wait()
        except StreamAlarm as error:
            self.end(1, str(error))
        except HouseNotStandingError as error:
            # As the door of run.py: it was paused for so long that its actors had not begun, and the next one begins anew.
            self.end(EXIT_INTERNAL, str(error))
        if leads:
            self.is_serving = True
            self.served_ns = self.world.scheduler.now_ns
            self.world.serves(self)
            if self._standby.stay():
                # As the door of run.py: nothing of what it holds is written by it.
                self.end(0, "PostgreSQL is back: it starts again from the record")
        self.serving.stop()
        self.end(0, "stopped")

    def stop(self) -> None:
        """SIGTERM: drain and end in order."""
        self.is_stopping = True
        self._standby.stop()

    def crash_actor(self, random: Random) -> None:
        """Let one of the actors raise at its next word."""
        names = sorted(name for name, alive in self.turns.alive().items() if alive)
        if not names:
            return
        self.turns.actor(random.choice(names)).on_receive = _crash  # type: ignore[assignment,method-assign]  # of this incarnation of it alone

    def crash_for_ever(self, random: Random) -> None:
        """Let one actor die of every word, in each of its lives within this process."""
        self.doomed = random.choice(("auto_stop", "trade_watcher", "notifier", "paper_venue"))

    def wait(self, until: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Let the world go on until something is so; called from the process's first thread."""
        return self._strand.wait(until, timeout_s)

    def end(self, code: int, why: str) -> Any:
        """End at once, as `os._exit` does. Raises: Gone."""
        self.die(f"exit {code}: {why}")
        raise Gone

    def die(self, why: str) -> None:
        """Cease to be; whoever is in the middle of its turn raises Gone."""
        if not self.is_alive:
            return
        self.is_alive = False
        self.turns.end()
        self.loop.end()
        self.world.nats.bury(self)
        self.world.postgres.bury(self)
        self._strand.cut()
        self.world.gone(self, why)

    # actors.replay.shuffled.Watcher

    def before(self, inbox: Inbox, word: object) -> None:
        if inbox.name == self.doomed:
            self.turns.actor(inbox.name).on_receive = _crash  # type: ignore[assignment,method-assign]  # as above
        self.world.before(self, inbox, word)

    def after(self, inbox: Inbox, word: object) -> None:
        if inbox.in_hand is not None:
            self.crashes.append((inbox.name, self.world.scheduler.now_ns))
        self.world.after(self, inbox, word)


def _crash(_word: object) -> None:
    raise RuntimeError("a crash that was asked for")
