"""The simulated world: two places for processes, NATS, PostgreSQL, venues with their executors, feeds and people, one clock.

The world lets things happen; `plan` says which, `oracle` watches. What it does at an instant is drawn from randoms of its own
for each part, so that a change in one part leaves the draws of the others as they were.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final
from zlib import crc32

import msgspec
import pykka
from msgspec.structs import replace

from actors.inbox import Inbox
from actors.ports import Recorder
from actors.replay.scheduler import Scheduler
from bus.messages.market import Ticks
from bus.messages.orders import EpochRecord
from bus.messages.plain import from_json, instant_text, to_json
from bus.messages.stops import StopFired
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S
from config.settings import Settings, Venue, load
from tests.simulation.disk import ModelDisk
from tests.simulation.executor import Executor
from tests.simulation.jetstream import Kept
from tests.simulation.kill_points import KillPoints, Place
from tests.simulation.nats_server import Message, ModelNats, NatsFaults
from tests.simulation.postgres import ModelPostgres, PostgresFaults
from tests.simulation.process import Incarnation
from tests.simulation.venue import ModelVenue
from tests.simulation.venue_faults import VenueFaults

START_NS: Final = 1_780_000_000 * NS_PER_S
VENUES: Final = {"sim": False, "net": True}
"""The live venues by name, and whether they net."""
INBOX_MAX: Final = 40
"""Small, so that a flood is a flood."""


class World:
    """Everything. `run` lets it go on; `history` says in words what happened."""

    def __init__(
        self,
        seed: int | str,
        *,
        haste: float = 0.0,
        kills: Mapping[Place, int] | None = None,
        nats_faults: NatsFaults | None = None,
        postgres_faults: PostgresFaults | None = None,
        venue_faults: VenueFaults | None = None,
    ) -> None:
        self.seed = seed
        self.scheduler = Scheduler(self.random("turns"), start_ns=START_NS, haste=haste)
        self.points = KillPoints(dict(kills or {}))
        self.nats = ModelNats(self.scheduler, self.random("nats"), self.points, nats_faults)
        self.postgres = ModelPostgres(self.random("postgres"), self.points, postgres_faults)
        self.history: list[tuple[int, str]] = []
        self.faults: Counter[str] = Counter()
        self.came: Counter[str] = Counter()
        """What came about, by name."""
        self.incarnations: dict[str, Incarnation] = {}
        self.clock_off_ns: dict[str, int] = {}
        self.reboot_s = 1.0
        self.settings = _settings()
        self.closed: dict[str, int] = {}
        """When which market has closed."""
        self.bad: set[bytes] = set()
        """Inputs that must have no effect."""
        self.squatted: set[str] = set()
        """On which subjects orders are reported that somebody else gave."""
        self.watchers: list[Any] = []
        """Who sees every word, and every answer: the oracle."""
        self.nats.note = self.postgres.note = self.note_fault
        self.recorder: Recorder | None = None
        """Notes what is decided in it, all lives; see `tests.replay.recordings`."""
        self._lives: Counter[str] = Counter()
        self._asked = 0
        self._leader = ""
        self.disks: dict[str, ModelDisk] | None = None
        """By the place of its processes; None: no snapshots are kept."""
        self.executors: dict[str, Executor] = {}
        for name, netting in VENUES.items():
            venue = ModelVenue(name, now=lambda: self.scheduler.now_ns, netting=netting, fee=Decimal("0.01"))
            self.executors[name] = executor = Executor(
                self.scheduler, self.nats, venue, self.random(name), faults=venue_faults, note=self.note_fault
            )
            executor.kill = lambda point, moment, executor=executor: self._kill_executor(executor, point, moment)  # type: ignore[misc]
            executor.begin()
            self._sweep(executor)

    def random(self, part: str) -> Random:
        """Return a random of this part's own."""
        return self.random_of(self.seed, part)

    @staticmethod
    def random_of(seed: int | str, part: str) -> Random:
        """Return the random of one part of a seed."""
        return Random(f"{seed}/{part}")

    def content(self) -> int:
        """Return a hash over everything that was stored."""
        found = 0
        for stream in self.nats.jetstream.streams.values():
            for kept in stream.kept.values():
                found = crc32(kept.body, found)
        journal = self.postgres.tables.journal
        return crc32(journal.rows[len(journal)][-1], found) if len(journal) else found

    # Time

    @property
    def now_ns(self) -> int:
        """The world's own time."""
        return self.scheduler.now_ns

    def let(self, seconds: float) -> None:
        """Let so much time pass."""
        self.until(lambda: False, seconds)

    def until(self, found: Callable[[], bool], seconds: float) -> bool:
        """Let the world go on until something is so; False if so much time passed first."""
        end_ns = self.now_ns + int(seconds * NS_PER_S)
        self.scheduler.at(end_ns, lambda: None)
        while not found():
            if self.now_ns >= end_ns and self.scheduler.is_still:
                return False
            self.scheduler.step()
        return True

    def leading_epoch(self) -> int:
        """Return the epoch in force in ORDERS; 0: none yet."""
        stream = self.nats.jetstream.streams.get("ORDERS")
        newest = stream.newest.get("order.epoch") if stream is not None else None
        return 0 if newest is None or stream is None else from_json(EpochRecord, stream.kept[newest].body).epoch

    def trades(self) -> list[Trade]:
        """Return the trades that live, as the database has them."""
        rows = [row for row in self.postgres.tables.trades if row.state not in ("rejected", "closed", "settled")]
        return [from_json(Trade, row.body) for row in rows]

    def tell(self, words: str) -> None:
        """Note what happened."""
        self.history.append((self.now_ns, words))

    def tell_of(self, kept: Kept) -> None:
        """Note what a stream has taken, as far as one wants to read it."""
        family = kept.subject.split(".")[0]
        if kept.subject.endswith(".started_without_database"):
            self.came["started_without_database"] += 1  # Its notice has no row: the record is away.
        if family in ("order", "trade", "stop", "account") or kept.subject.startswith(
            ("notice.critical", "market.lifecycle")
        ):
            self.tell(f"{kept.subject} {kept.body.decode(errors='replace')[:160] if family == 'order' else ''}")

    def note_fault(self, kind: str) -> None:
        """Count a fault, and note it."""
        self.faults[kind] += 1
        self.tell(f"fault: {kind}")

    # Processes

    def boot(self, name: str) -> Incarnation:
        """Start a process; one that ends is started again, as supervisord does."""
        self._lives[name] += 1
        instance = f"{name}{self._lives[name]}"
        settings = replace(self.settings, trading=replace(self.settings.trading, instance=instance))
        self.tell(f"{instance} starts")
        disk = None if self.disks is None else self.disks[name]
        incarnation = Incarnation(self, instance, settings, self.clock_off_ns.get(name, 0), disk)
        self.incarnations[name] = incarnation
        return incarnation

    def keep_snapshots(self, full: float) -> None:
        """Give each place a disk that refuses so often, and its processes less patience with a PostgreSQL that is away."""
        self.disks = {name: ModelDisk(self.random(f"disk {name}"), self.note_fault) for name in ("a", "b")}
        for disk in self.disks.values():
            disk.full = full
        kept = replace(self.settings.snapshot, interval_s=Decimal(1), patience_s=Decimal(3))
        self.settings = replace(self.settings, snapshot=kept)

    def serving(self) -> Incarnation | None:
        """Return the newest that watches, None if none does."""
        alive = [one for one in self.incarnations.values() if one.is_alive and one.is_serving]
        return max(alive, key=lambda one: one.epoch, default=None)

    def serves(self, incarnation: Incarnation) -> None:
        self.tell(f"{incarnation.name} serves in epoch {incarnation.epoch}")
        name = incarnation.name.rstrip("0123456789")
        self.came["takeover"] += self._leader not in ("", name)
        self._leader = name
        for watcher in self.watchers:
            watcher.serves(incarnation)

    def gone(self, incarnation: Incarnation, why: str) -> None:
        name = incarnation.name.rstrip("0123456789")
        self.tell(f"{incarnation.name} is gone: {why}")
        if self.incarnations.get(name) is incarnation:
            self.scheduler.after(int(self.reboot_s * NS_PER_S), lambda: self.boot(name))

    def before(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        if type(word) is StopFired and inbox.name == "trade_desk":
            self.points.before("K13", incarnation)
        for watcher in self.watchers:
            watcher.before(incarnation, inbox, word)

    def after(self, incarnation: Incarnation, inbox: Inbox, word: object) -> None:
        if type(word) is StopFired and inbox.name == "trade_desk":
            self.points.after("K13", incarnation)
        for watcher in self.watchers:
            watcher.after(incarnation, inbox, word)

    def fired(self, incarnation: Incarnation, word: StopFired) -> None:
        for watcher in self.watchers:
            watcher.fired(incarnation, word)

    def answered(self, subject: str, fields: dict[str, Any], reply: dict[str, Any]) -> None:
        """Somebody got an answer."""
        if not reply["ok"]:
            self.came[f"refused: {reply['error']['code']}"] += 1
        for watcher in self.watchers:
            watcher.answered(subject, fields, reply)

    def _kill_executor(self, executor: Executor, point: str, moment: str) -> bool:
        """Let an executor pass K16 or K17; return whether it was killed there."""
        place = (point, moment)
        self.points.reached[place] += 1
        if place in self.points.planned:
            self.points.planned[place] -= 1
            if self.points.planned[place] <= 0:
                del self.points.planned[place]
                self.points.killed[place] += 1
                self.crash_executor(executor)
                return True
        return False

    def crash_executor(self, executor: Executor) -> None:
        """Kill an executor; it is back in a moment."""
        if executor.is_alive:
            self.note_fault("executor_killed")
            executor.die()
            self.scheduler.after(NS_PER_S, executor.begin)

    def _sweep(self, executor: Executor) -> None:
        executor.sweep()
        self.scheduler.after(NS_PER_S, lambda: self._sweep(executor))

    # What others say

    def quote(self, ticker: str, bid: str | None, ask: str | None, *, ts_ns: int | None = None, **more: Any) -> None:
        """Publish a quote, and let the venues' market stand so."""
        for executor in self.executors.values():
            executor.venue.quote(ticker, *(None if price is None else Decimal(price) for price in (bid, ask)))
        self.publish(
            f"market.quote.{ticker}", ticker=ticker, source="feed", yes_bid=bid, yes_ask=ask, ts_ns=ts_ns, **more
        )

    def publish(
        self, subject: str, *, ts_ns: int | None = None, msg_id: str = "", is_bad: bool = False, **fields: Any
    ) -> bool:
        """Publish a message with its `ts`, once; return whether it left. is_bad: it must have no effect."""
        body = {name: value for name, value in fields.items() if value is not None}
        body["ts"] = instant_text((self.now_ns if ts_ns is None else ts_ns) // 1000 * 1000)
        headers = {"Nats-Msg-Id": msg_id} if msg_id else {}
        if not self.nats.is_up or self.nats.is_hung:
            return False
        written = to_json(body)
        if is_bad:
            self.bad.add(written)
        self.nats.publish(subject, written, headers)
        return True

    def ask(self, subject: str, hear: Callable[[dict[str, Any]], None] = lambda _: None, **fields: Any) -> None:
        """Ask; `hear` is called with the reply, if one comes."""
        self._asked += 1
        reply = f"_ASKED.{self._asked}"

        def answered(_subject: str, _reply: str, body: bytes, _headers: Mapping[str, str]) -> None:
            hear(msgspec.json.decode(body))

        self.nats.once(reply, answered)
        if self.nats.is_up and not self.nats.is_hung:
            self.nats.publish(subject, to_json(fields), {}, reply)

    def end(self) -> None:
        """Let go of everything: nothing of one world may be found by the next."""
        for incarnation in list(self.incarnations.values()):
            self.incarnations.clear()
            incarnation.die("the world ends")
        pykka.ActorRegistry._actor_refs.clear()
        asyncio.events._set_running_loop(None)


def _settings() -> Settings:
    settings = load({})
    venues = dict(settings.venues)
    for name, netting in VENUES.items():
        style = "buy_opposite" if netting else "sell"
        venues[name] = Venue(style=style, netting=netting, cutoff_s=Decimal(1), settle_bound_s=Decimal(6))
    actors = replace(settings.actors, inbox_max=INBOX_MAX, health_interval_ms=2000)
    return replace(settings, venues=venues, trading=replace(settings.trading, live_enabled=True), actors=actors)


__all__ = ["Message", "Ticks", "World"]
