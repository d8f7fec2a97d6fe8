"""Starting is recovering: the one path by which a process takes its place, in `serve` and in the demo.

    streams -> the epoch in ORDERS (the barrier) -> the epoch in PostgreSQL -> settings
    -> read the record, and what left that is not on it -> start the actors -> hear the market -> say the trades,
    and again what may not have left -> hear orders, streams, requests -> ask the venues -> ready

When a process may begin with this, `actors.standby` finds out. Until everything is read nothing has begun: a server that goes
away costs another try, with another epoch. Once the actors stand there is no way back but a new process.

Nothing is heard before the actors stand. The streams are read again from where everything has had its effect: of what came after,
what is settled is acknowledged at the door, and whatever else came while nobody listened is applied once. The end of ORDERS is
applied before anything is said: what was ordered and reported without the record knows no later moment.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from os import getpid
from typing import Final

from loguru import logger
from msgspec.structs import replace

from actors import without_record
from actors.activity import Activity
from actors.away_store import AwayStore
from actors.door import Door
from actors.engines import Beginning, Engines
from actors.house import House
from actors.ports import Clock, Recorder, SnapshotFile, StartingStore, StartingWire, Store
from actors.recorded import note_beginning
from actors.router import Listener
from actors.rules.candidate import Candidate
from actors.rules.coverage.protection import Protection
from actors.rules.notice_words import told
from actors.rules.record import snapshots
from actors.rules.record.counts import LastSnapshot
from actors.rules.record.mirror import Mirror
from actors.rules.record.outage import OWNER as DATABASE
from actors.rules.record.places import unsettled
from actors.rules.record.snapshots import Snapshots
from actors.rules.status import StatusBoard
from actors.terms import PAPER
from actors.turns import Turns
from bus.messages.envelope import Outgoing, Received
from bus.messages.failures import LeadTaken, StoreUnavailable, StreamAlarm, WireUnavailable
from bus.messages.lead import LEADER, STOPPED, RecordOpened, WireUp
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit
from bus.messages.recording import PaperRestored
from bus.messages.records import Kept, OrdersTail, Place, RecordAway, Recovered, Snapshot
from bus.messages.stops import MarkSnapshot
from bus.messages.system import Reply, Status
from bus.messages.units import seconds_to_ns
from config.settings import Settings
from config.version import VERSION

_UNPUBLISHED_MAX: Final = 100_000
_NO_ANSWER: Final = 69


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What run.py introduces to each other.

    end: ends the process with an exit code and a reason. moves: called as long as every part of the house moves (`watchdog`).
    record, turns, timers, also: of the demo; see `House`. snapshots: where they are kept; None: nowhere.
    recorder: the flight recorder, if there is one.
    """

    clock: Clock
    wire: StartingWire
    store: StartingStore
    door: Door
    end: Callable[[int, str], None]
    moves: Callable[[], None] = lambda: None
    activity: Activity = field(default_factory=Activity)
    record: Activity | None = None
    turns: Turns | None = None
    timers: Listener | None = None
    snapshots: SnapshotFile | None = None
    recorder: Recorder | None = None
    also: Mapping[type, Listener] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was read before anything began. snapshot: what it was read from, where PostgreSQL was away."""

    recovered: Recovered
    paper: Sequence[OrderSubmit | OrderCancel | OrderReport]
    unpublished: Sequence[Outgoing]
    places: Mapping[str, Place]
    tail: OrdersTail
    snapshot: Snapshot | None = None


class Serving:
    """One process's way from its first connection to the last acknowledgement. candidate: decides when it may lead."""

    def __init__(self, settings: Settings, wiring: Wiring) -> None:
        self._settings = settings
        self._wiring = wiring
        self.instance = settings.trading.instance or f"{socket.gethostname()}-{getpid()}"
        self.epoch = 0
        self.house: House | None = None
        self._streams: Mapping[str, str] = {}
        self._ledger_at_start = 0
        self.candidate = Candidate(seconds_to_ns(settings.snapshot.patience_s))
        self.began_without_record = False
        self._store: Store = wiring.store
        self.outside: Callable[[object], None] = lambda _: None
        """Hears the words of `bus.messages.lead` until the house stands."""
        wiring.door.outside = self._hear_outside

    def start(self) -> House:
        """Reach the servers, which must be there, and lead, for nobody else can. Raises: whatever keeps it from that."""
        self._wiring.wire.connect()
        self.open_record()
        return self.take_over()

    # Before it leads

    def reach_for_servers(self) -> None:
        """Connect to NATS however long that takes; `WireUp` is said then."""
        self._wiring.wire.begin()

    def find_leader(self) -> None:
        """Ask who leads, and answer for the status from now on; needs NATS."""
        self._wiring.wire.find_leader()

    def open_record(self) -> None:
        """Reach PostgreSQL. Raises: StoreUnavailable; what the store raises when the schema does not fit."""
        self._wiring.store.open()

    def warm_up(self) -> None:
        """Read the record once and forget it: what is read and run for the first time takes longest."""
        try:
            self._wiring.store.recover()
        except StoreUnavailable as error:
            logger.bind(action="serve.cold").debug("the record could not be read ahead: {}", error)

    def status(self, now_ns: int) -> Status:
        """Return what `system.request.status` answers; any thread."""
        if self.house is not None:
            return self.house.status(now_ns)
        leads = self.epoch > 0
        return Status(
            ready=False,
            role=LEADER if leads else self.candidate.role,
            instance=self.instance,
            epoch=self.epoch or self.candidate.epoch,
            version=VERSION,
            ts=now_ns,
            live_enabled=self._settings.trading.live_enabled,
            why_not_ready=("takes over: reads the record",) if leads else self.candidate.why_not(),
        )

    def _hear_outside(self, word: object) -> None:
        if isinstance(word, Received):
            if word.reply_to is not None:
                status = self.status(word.received_ns)
                reply = Reply(ok=True, instance=status.instance, epoch=status.epoch, ts=status.ts, result=status)
                self._wiring.wire.reply(word.reply_to, reply)
        else:
            self.outside(word)

    # Taking the lead

    def take_over(self) -> House:
        """Take the lead and begin to watch.

        Raises: LeadTaken, WireUnavailable, StoreUnavailable: nothing has begun, it may be called again. What a wire raises
        that cannot start. Ends the process if NATS goes away once the house stands.
        """
        wire, store = self._wiring.wire, self._wiring.store
        with self._taking_lead():
            self._take_place(wire, store)
            recovered, places = store.recover(), self._places(wire, store)
            found = _Found(
                recovered=without_record.later_counts(self._wiring.snapshots, recovered, self._streams),
                places=places,
                tail=wire.read_tail({name: place.reached for name, place in places.items()}),
                paper=wire.read_orders(PAPER),
                unpublished=store.unpublished(_UNPUBLISHED_MAX),
            )
        return self._move_in_or_end(found)

    def take_over_without_record(self) -> House:
        """Take the lead with PostgreSQL away, from what the snapshot and the streams tell: to reduce risk alone.

        Raises: SnapshotUnusable: PostgreSQL must be waited for. LeadTaken, WireUnavailable: as `take_over`.
        """
        wire = self._wiring.wire
        snapshot = without_record.read(self._wiring.snapshots, wire, self._wiring.clock.now_ns())
        self._streams = snapshot.streams
        with self._taking_lead():
            self.epoch = wire.take_lead(self.instance, snapshot.epoch).record.epoch
            wire.beat(lambda: self.status(self._wiring.clock.now_ns()))
            found = _Found(
                recovered=without_record.recover(snapshot, wire),
                places={name: Place(reached=reached) for name, reached in snapshot.reached.items()},
                tail=wire.read_tail(snapshot.reached),
                paper=wire.read_orders(PAPER),
                # What is on record and may not have left is for whoever reads the record.
                unpublished=(),
                snapshot=snapshot,
            )
        self._store = AwayStore(self.open_record, lambda: self.outside(RecordOpened()))
        self.began_without_record = True
        return self._move_in_or_end(found)

    @contextmanager
    def _taking_lead(self) -> Iterator[None]:
        """Let go of the lead again if anything keeps it from what it needs."""
        try:
            yield
        except Exception:
            self.epoch = 0
            self._wiring.wire.beat(None)
            raise

    def _move_in_or_end(self, found: _Found) -> House:
        try:
            return self._move_in(found)
        except WireUnavailable as error:
            self._wiring.end(_NO_ANSWER, f"NATS went away before every input flowed: {error}")
            raise

    def _say_without_record(self, house: House, snapshot: Snapshot, trades: int) -> None:
        now_ns = self._wiring.clock.now_ns()
        house.board.note_without_record("began without PostgreSQL: only reduces risk until it is back")
        house.router.say(RecordAway(error="away at the start", now_ns=now_ns))
        house.router.say_all(told(snapshots.without_record(snapshot, trades, now_ns), sender=DATABASE))

    def warn(self, why: str) -> None:
        """Tell people that PostgreSQL is away and nothing else helps: nobody guards the trades."""
        outgoing, *_ = told(snapshots.unusable(why, self._wiring.clock.now_ns()), sender=DATABASE)
        logger.bind(action="serve.unusable").critical("{}", why)
        try:
            self._wiring.wire.warn(outgoing)  # type: ignore[arg-type]  # the first word of `told` is the message
        except WireUnavailable as error:
            logger.bind(action="serve.unusable").warning("nobody could be told: {}", error)

    def _move_in(self, found: _Found) -> House:
        """Start the house with what was found, and let everything flow."""
        snapshot = found.snapshot
        wire, recovered = self._wiring.wire, found.recovered
        house, engines = self._build(found)
        self._wiring.door.house = house
        house.start(unsettled(found.tail, found.places), wire.hear_market)
        self.house = house
        wire.beat(None)
        if snapshot is not None:
            self._say_without_record(house, snapshot, len(recovered.trades))
        house.router.say_all(self._restore_paper(engines))
        if found.unpublished:
            house.expect_published(found.unpublished)
            wire.publish(found.unpublished)
        self._listen(wire, found.places, found.tail)
        house.router.say(Kept(commits=(), reached={}, now_ns=self._wiring.clock.now_ns()))
        house.board.is_watching = True
        logger.bind(action="serve.ready", epoch=self.epoch).info(
            "{} leads in epoch {} and watches {} open trades", self.instance, self.epoch, len(recovered.trades)
        )
        return house

    def stop(self) -> bool:
        """Stop hearing, drain, say that the lead is free, close. Returns False if something was left undone after the time allowed."""
        timeout_s = self._settings.actors.stop_timeout_s
        wire, drained = self._wiring.wire, True
        wire.stop_inputs()
        if self.house is not None:
            drained = self.house.stop(float(timeout_s) * 0.6)
            wire.broadcast(replace(self.status(self._wiring.clock.now_ns()), ready=False, role=STOPPED))
        wire.close(float(timeout_s) * 0.2)
        self._wiring.store.close()
        return drained

    def _take_place(self, wire: StartingWire, store: StartingStore) -> None:
        now_ns, recorded = self._wiring.clock.now_ns(), store.streams()
        streams = wire.ensure_streams(recorded).values()
        self._streams = {facts.name: facts.created for facts in streams}
        for facts in streams:
            if facts.name.endswith("LEDGER"):
                self._ledger_at_start = facts.last_sequence
            if facts.name not in recorded:
                store.record_stream(facts.name, facts.created, now_ns)
        self.epoch = wire.take_lead(self.instance, store.epoch()).record.epoch
        wire.beat(lambda: self.status(self._wiring.clock.now_ns()))
        if not store.take_lead(self.epoch, self.instance, now_ns):
            raise LeadTaken(f"PostgreSQL knows a higher epoch than {self.epoch}")
        store.seed_settings(self._settings.stops, now_ns)

    def _places(self, wire: StartingWire, store: StartingStore) -> Mapping[str, Place]:
        """Return how far each stream has had its effect. Raises: StreamAlarm when one ends before that: it was restored.

        The stream is looked at afterwards: until just now another instance may have heard from it.
        """
        places = store.places()
        for facts in wire.ensure_streams(store.streams()).values():
            place = places.get(facts.name, Place())
            heard = max(place.reached, *place.beyond, 0)
            if facts.last_sequence < heard:
                raise StreamAlarm(
                    f"stream {facts.name} ends at message {facts.last_sequence}; {heard} was heard before"
                )
        return places

    def _build(self, found: _Found) -> tuple[House, Engines]:
        settings, recovered, wiring = self._settings, found.recovered, self._wiring
        engines = Engines(
            settings,
            Beginning(
                recovered=recovered,
                instance=self.instance,
                epoch=self.epoch,
                streams=self._streams,
                now_ns=wiring.clock.now_ns(),
                paper=found.paper,
                marks=MarkSnapshot in wiring.also,
            ),
        )
        board = StatusBoard(
            instance=self.instance,
            epoch=self.epoch,
            version=VERSION,
            live_enabled=settings.trading.live_enabled,
            is_halted=recovered.halted,
            unheard_ns=seconds_to_ns(settings.reconcile.timeout_s),
            reduce_only=recovered.reduce_only,
            protection=Protection(seconds_to_ns(settings.coverage.max_unprotected_s_per_hour)),
        )
        self._answer_paper = partial(wiring.wire.answer_for, PAPER, engines.paper.answer)
        house = House(
            store=self._store,
            wire=wiring.wire,
            clock=wiring.clock,
            settings=settings,
            places=found.places,
            engines=engines,
            board=board,
            activity=wiring.activity,
            escalate=wiring.end,
            moves=wiring.moves,
            record=wiring.record,
            turns=wiring.turns,
            timers=wiring.timers,
            also=wiring.also,
            snapshots=self._snapshots(found),
            recorder=wiring.recorder,
        )
        if wiring.recorder is not None:
            note_beginning(wiring.recorder, settings, engines.beginning)
        return house, engines

    def _restore_paper(self, engines: Engines) -> list[object]:
        now_ns = self._wiring.clock.now_ns()
        said = engines.restore_paper(now_ns)
        if self._wiring.recorder is not None:
            self._wiring.recorder.note("paper_venue", PaperRestored(now_ns=now_ns), said)
        return said

    def _snapshots(self, found: _Found) -> tuple[Snapshots, SnapshotFile] | None:
        if self._wiring.snapshots is None:
            return None
        interval_ns = seconds_to_ns(self._settings.snapshot.interval_s)
        if found.snapshot is not None:
            return Snapshots(LastSnapshot(found.snapshot), interval_ns), self._wiring.snapshots
        # What the record held when it was read had been published by then, or is published again now, behind this.
        mirror = Mirror(
            found.recovered,
            epoch=self.epoch,
            streams=self._streams,
            reached={name: place.reached for name, place in found.places.items()},
            ledger=self._ledger_at_start,
        )
        ledger = next((name for name in self._streams if name.endswith("LEDGER")), "LEDGER")
        engine = Snapshots(mirror, interval_ns, ledger)
        return engine, self._wiring.snapshots

    def _listen(self, wire: StartingWire, places: Mapping[str, Place], tail: OrdersTail) -> None:
        wire.hear_orders(PAPER)
        self._answer_paper()
        door = self._wiring.door
        door.places, door.acknowledge = places, wire.acknowledge
        wire.hear_streams({name: place.reached for name, place in places.items()} | {tail.stream: tail.last})
        door.hear(WireUp(now_ns=self._wiring.clock.now_ns()))
        wire.hear_requests()
