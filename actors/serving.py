"""Starting is recovering: the one path by which a process takes its place, in `serve` and in the demo.

    connect -> is there a leader? -> streams -> the epoch in ORDERS (the barrier) -> the epoch in PostgreSQL -> settings
    -> read the record, and what left that is not on it -> start the actors -> hear the market -> say the trades,
    and again what may not have left -> hear orders, streams, requests -> ask the venues -> ready

Nothing is heard before the actors stand. The streams are read again from a little before the newest input that is settled: what
is settled is acknowledged at the door, whatever else came while nobody listened is applied once.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from os import getpid
from typing import Final

from loguru import logger

from actors.activity import Activity
from actors.house import House
from actors.paper_venue import SharedPaperBook
from actors.ports import Clock, StartingStore, StartingWire
from actors.router import Listener
from actors.rules.desk.desk import Desk
from actors.rules.fees import fee
from actors.rules.paper.book import PaperBook
from actors.rules.reconcile.terms import ReconcileTerms
from actors.rules.status import StatusBoard
from actors.rules.trade.steps import VenueTerms
from actors.turns import Turns
from bus.messages.envelope import Delivery, Malformed, Received
from bus.messages.reconcile import VenuesUp
from bus.messages.records import Recovered
from bus.messages.units import NS_PER_MS, seconds_to_ns
from config.settings import Settings
from config.version import VERSION

PAPER: Final = "paper"
LOOK_BACK: Final = 10_000
"""How far before the newest settled input a stream is read again: one input may wait for its stop check while later ones commit."""
_UNPUBLISHED_MAX: Final = 100_000


class AnotherLeads(Exception):  # noqa: N818  # a state of the world, not a fault of the caller
    """Another instance leads. A second one does not start beside it."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What run.py introduces to each other.

    hears: set by `Serving`; the wire's way into the house. end: ends the process with an exit code and a reason.
    record, turns, timers, also: of the demo; see `House`.
    """

    clock: Clock
    wire: StartingWire
    store: StartingStore
    door: "Door"
    end: Callable[[int, str], None]
    activity: Activity = field(default_factory=Activity)
    record: Activity | None = None
    turns: Turns | None = None
    timers: Listener | None = None
    also: Mapping[type, Listener] = field(default_factory=dict)


class Door:
    """The wire is made before the house: what it says goes through here. Nothing is heard before the house stands."""

    def __init__(self) -> None:
        self.house: House | None = None
        self.settled: Mapping[str, frozenset[int]] = {}
        self.acknowledge: Callable[[Delivery], None] | None = None

    def hear(self, word: object) -> None:
        """Hand a word from the wire to the house; acknowledge at once what had its effect before the restart."""
        assert self.house is not None, "an input was heard before the house stood"
        if isinstance(word, Received | Malformed) and word.delivery is not None and self._is_settled(word.delivery):
            assert self.acknowledge is not None
            self.acknowledge(word.delivery)
            return
        self.house.hear(word)

    def _is_settled(self, delivery: Delivery) -> bool:
        return delivery.sequence in self.settled.get(delivery.stream, ())

    def come_up(self, now_ns: int) -> None:
        """The wire is connected, again: what was agreed with the venues before may not hold any more."""
        if self.house is not None:
            self.house.hear(VenuesUp(now_ns=now_ns))


class Serving:
    """One running house, from the first connection to the last acknowledgement."""

    def __init__(self, settings: Settings, wiring: Wiring) -> None:
        self._settings = settings
        self._wiring = wiring
        self.instance = settings.trading.instance or f"{socket.gethostname()}-{getpid()}"
        self.epoch = 0
        self.house: House | None = None

    def start(self) -> House:
        """Take the lead and begin to watch. Raises: AnotherLeads, and whatever a wire raises that cannot start."""
        wire, store = self._wiring.wire, self._wiring.store
        wire.connect()
        store.open()
        leader = wire.leader()
        if leader is not None:
            raise AnotherLeads(f"{leader} leads already; stop it first (a hot standby comes with a later version)")
        self._take_place(wire, store)
        recovered = store.recover()
        paper = self._paper_book()
        house = self._build(recovered, paper)
        self._wiring.door.house = self.house = house
        house.start(wire.read_submits(), wire.hear_market)
        self._say_again(house, paper, recovered)
        self._listen(wire, store, house)
        house.board.is_watching = True
        logger.bind(action="serve.ready", epoch=self.epoch).info(
            "{} leads in epoch {} and watches {} open trades", self.instance, self.epoch, len(recovered.trades)
        )
        return house

    def stop(self) -> bool:
        """Stop hearing, drain, close. Returns False if something was left undone after the time allowed."""
        timeout_s = self._settings.actors.stop_timeout_s
        drained = True
        self._wiring.wire.stop_inputs()
        if self.house is not None:
            drained = self.house.stop(float(timeout_s) * 0.6)
        self._wiring.wire.close(float(timeout_s) * 0.2)
        self._wiring.store.close()
        return drained

    def _take_place(self, wire: StartingWire, store: StartingStore) -> None:
        recorded = store.streams()
        for facts in wire.ensure_streams(recorded).values():
            if facts.name not in recorded:
                store.record_stream(facts.name, facts.created)
        now_ns = self._wiring.clock.now_ns()
        self.epoch = wire.take_lead(self.instance, store.epoch()).record.epoch
        if not store.take_lead(self.epoch, self.instance, now_ns):
            raise AnotherLeads(
                f"PostgreSQL knows a higher epoch than {self.epoch}: another instance has just taken the lead"
            )
        store.seed_settings(self._settings.stops, now_ns)

    def _build(self, recovered: Recovered, paper: PaperBook) -> House:
        settings = self._settings
        terms = _reconcile_terms(settings)
        desk = Desk(
            recovered,
            epoch=self.epoch,
            instance=self.instance,
            live_enabled=settings.trading.live_enabled,
            venues=terms.venues,
            unheard_ns=seconds_to_ns(settings.reconcile.timeout_s),
        )
        board = StatusBoard(
            instance=self.instance,
            epoch=self.epoch,
            version=VERSION,
            live_enabled=settings.trading.live_enabled,
            is_halted=recovered.halted,
            unheard_ns=seconds_to_ns(settings.reconcile.timeout_s),
        )
        shared = SharedPaperBook(paper)
        wiring = self._wiring
        house = House(
            store=wiring.store,
            wire=wiring.wire,
            clock=wiring.clock,
            settings=settings,
            recovered=recovered,
            desk=desk,
            terms=terms,
            paper=shared,
            board=board,
            activity=wiring.activity,
            escalate=wiring.end,
            record=wiring.record,
            turns=wiring.turns,
            timers=wiring.timers,
            also=wiring.also,
        )
        self._answer_paper = partial(wiring.wire.answer_for, PAPER, shared.answer)
        return house

    def _paper_book(self) -> PaperBook:
        paper, terms = self._settings.paper, _terms(self._settings, PAPER)
        return PaperBook(
            latency_ns=int(paper.latency_ms * NS_PER_MS),
            fee_of=partial(fee, paper.fee_model, paper.fee_percent),
            style=terms.style,
            netting=terms.netting,
        )

    def _say_again(self, house: House, paper: PaperBook, recovered: Recovered) -> None:
        """Rebuild the paper venue from ORDERS, and hand over the outbox rows that NATS may not have."""
        wire = self._wiring.wire
        house.router.say_all(paper.restore(wire.read_orders(PAPER), recovered.trades, self._wiring.clock.now_ns()))
        waiting = self._wiring.store.unpublished(_UNPUBLISHED_MAX)
        if waiting:
            house.expect_published(waiting)
            wire.publish(waiting)

    def _listen(self, wire: StartingWire, store: StartingStore, house: House) -> None:
        wire.hear_orders(PAPER)
        self._answer_paper()
        door = self._wiring.door
        door.settled, door.acknowledge = store.settled(LOOK_BACK), wire.acknowledge
        wire.hear_streams({name: max(0, max(known) - LOOK_BACK) for name, known in door.settled.items()})
        house.hear(VenuesUp(now_ns=self._wiring.clock.now_ns()))
        wire.hear_requests()


def _reconcile_terms(settings: Settings) -> ReconcileTerms:
    wanted = settings.reconcile
    return ReconcileTerms(
        interval_ns=seconds_to_ns(wanted.interval_s),
        confirm_ns=seconds_to_ns(wanted.confirm_s),
        look_back_ns=seconds_to_ns(wanted.look_back_s),
        overlap_ns=seconds_to_ns(wanted.overlap_s),
        backoff_max_ns=seconds_to_ns(wanted.backoff_max_s),
        adopt_unknown=wanted.adopt_unknown,
        venues={name: _terms(settings, name) for name in settings.venues},
    )


def _terms(settings: Settings, name: str) -> VenueTerms:
    venue = settings.venues[name]
    return VenueTerms(
        name=name,
        style="buy_opposite" if venue.style == "buy_opposite" else "sell",
        netting=venue.netting,
        cutoff_ns=seconds_to_ns(venue.cutoff_s),
        settle_bound_ns=seconds_to_ns(venue.settle_bound_s),
    )
