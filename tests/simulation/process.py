"""One process of the simulated world: the real house, wire and store of `serve`, over the models, in one incarnation after another.

What a process holds in memory ends with its incarnation; what it told the servers before may still arrive.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Protocol

from actors.activity import Activity
from actors.door import Door
from actors.house import House
from actors.inbox import Inbox
from actors.replay.scheduler import Gone, Scheduler
from actors.replay.shuffled import ShuffledTurns
from actors.replay.strands import Strand
from actors.serving import Serving, Wiring
from bus.errors import StreamAlarm
from bus.messages.failures import LeadTaken, StoreUnavailable, WireUnavailable
from bus.messages.orders import EpochRecord
from bus.messages.plain import from_json
from bus.messages.stops import StopFired
from bus.wire import NatsWire
from config.settings import Settings
from tests.simulation.connections import ModelStore
from tests.simulation.loop import SimulatedLoop, SimulatedThread
from tests.simulation.nats_client import ModelClient
from tests.simulation.nats_server import ModelNats
from tests.simulation.postgres import ModelPostgres


class Around(Protocol):
    """What an incarnation lives in."""

    scheduler: Scheduler
    nats: ModelNats
    postgres: ModelPostgres

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


class SteppedClock:
    """A process's wall clock: the world's time, and how far it is off."""

    def __init__(self, scheduler: Scheduler, off_ns: int) -> None:
        self._scheduler = scheduler
        self.off_ns = off_ns

    def now_ns(self) -> int:
        return (self._scheduler.now_ns + self.off_ns) // 1000 * 1000


class Incarnation:
    """One life of a process."""

    def __init__(self, world: Around, name: str, settings: Settings, off_ns: int) -> None:
        self.name = name
        self.world = world
        self.is_alive = True
        self.is_serving = False
        self.is_stopping = False
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
        )
        self.serving = Serving(settings, wiring)
        self._strands = [Strand(world.scheduler, f"{name}/main", self._main)]

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
        try:
            self.serving.start()
        except (LeadTaken, StreamAlarm, StoreUnavailable, WireUnavailable) as error:
            self.end(69, f"{type(error).__name__}: {error}")
        self.is_serving = True
        self.world.serves(self)

    def stop(self) -> None:
        """SIGTERM: drain and end in order."""
        self.is_stopping = True
        self._strands.append(Strand(self.world.scheduler, f"{self.name}/stop", self._stop))

    def _stop(self) -> None:
        self.serving.stop()
        self.end(0, "stopped")

    def crash_actor(self, random: Random) -> None:
        """Let one of the actors raise at its next word."""
        names = sorted(name for name, alive in self.turns.alive().items() if alive)
        if not names:
            return

        def crash(_word: object) -> None:
            raise RuntimeError("a crash that was asked for")

        self.turns.actor(random.choice(names)).on_receive = crash  # type: ignore[assignment,method-assign]  # of this incarnation of it alone

    def wait(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Let the world go on until something is so."""
        strand = next(strand for strand in self._strands if strand.is_here)
        return strand.wait(until, timeout_s)

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
        for strand in self._strands:
            strand.cut()
        self.world.gone(self, why)

    # actors.replay.shuffled.Watcher

    def before(self, inbox: Inbox, word: object) -> None:
        self.world.before(self, inbox, word)

    def after(self, inbox: Inbox, word: object) -> None:
        self.world.after(self, inbox, word)
