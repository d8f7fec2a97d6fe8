"""Planted bugs of the wires and of the house around the rules: each a small change of a real function."""

import asyncio
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from actors import engines, supervisor
from actors.database import Database
from actors.house import House
from actors.inbox import Inbox
from actors.rules.folding.fold import Fold
from actors.rules.restarts import Restarts
from actors.rules.timers import TimerQueue
from actors.serving import Serving
from bus import wire
from bus.epoch import Lead
from bus.errors import BusError
from bus.market import MarketFeed
from bus.messages import addresses
from bus.messages.failures import StoreUnavailable
from bus.messages.orders import OrderReport
from bus.messages.records import Commit
from bus.orders import OrderSender
from bus.publisher import Stored
from bus.pulse import Pulse
from bus.relay import Relay
from bus.wire import NatsWire
from db import rows, writer
from db.rows import Batch
from db.store import PostgresStore
from db.writer import BatchWriter, InDoubt
from tests.simulation.planting import Bug, Patches, nothing


def _acknowledges_early(real: Any) -> Any:
    def take_on(self: Database, commit: Any) -> None:
        if commit.delivery is not None:
            self._wire.acknowledge(commit.delivery)
        real(self, commit)

    return take_on


def _reads_first(real: Any) -> Any:
    def warm_up(self: Serving) -> None:
        real(self)
        wire, store = self._wiring.wire, self._wiring.store
        with suppress(BusError, StoreUnavailable):
            wire.read_before = wire.read_tail({name: place.reached for name, place in store.places().items()})  # type: ignore[attr-defined]  # the bug

    return warm_up


def _what_was_read_first(real: Any) -> Any:
    return lambda self, positions: getattr(self, "read_before", None) or real(self, positions)


def _takes_any_for_ours(real: Any) -> Any:
    def hear(self: OrderSender, sending: Any, outcome: Any) -> None:
        if isinstance(outcome, Stored) and outcome.duplicate:
            self._stored(sending, outcome.sequence)
        else:
            real(self, sending, outcome)

    return hear


def _by_order(report: OrderReport) -> str:
    return f"report:{report.client_order_id}"


def _forgets_halts(real: Any) -> Any:
    return lambda self: replace(real(self), halted=False, reduce_only=frozenset())


def _says_nothing(real: Any) -> Any:
    return lambda *arguments: [
        replace(word, notices=(), outbox=()) for word in real(*arguments) if isinstance(word, Commit)
    ]


async def _never_beats(self: Pulse) -> None:
    del self
    await asyncio.get_running_loop().create_future()


def _drops_a_ticker(real: Any) -> Any:
    def hear(self: MarketFeed, subject: str, reply: str, body: bytes, headers: bytes) -> None:
        if not (subject == "market.quote.T0" and self._connection.reconnects):
            real(self, subject, reply, body, headers)

    return hear


def _drops_what_failed(real: Any) -> Any:
    def again(self: Relay) -> None:
        self._failed.clear()
        real(self)

    return again


def _asks_no_leader(_real: Any) -> Any:
    return lambda _self, _connection: InDoubt("0", 0)


def _leads_for_ever(_real: Any) -> Any:
    return lambda self, purpose: self._connections.writer(purpose)


def _new_deadlines(real: Any) -> Any:
    def build(self: House, *arguments: Any) -> Any:
        self._timers = TimerQueue()
        return real(self, *arguments)

    return build


def _forgets_the_word(_real: Any) -> Any:
    def after_crash(self: Inbox) -> None:
        self.done()

    return after_crash


BUGS: tuple[Bug, ...] = (
    Bug(name="acknowledge before commit", plant=lambda: Patches().of(Database, "_take_on", _acknowledges_early)),
    Bug(name="no inbox key", plant=lambda: Patches().of(writer, "_write_inbox", lambda _: nothing)),
    Bug(
        name="no epoch header",
        plant=lambda: Patches().of(Lead, "headers", lambda _: lambda *_: {}),
        wakes={"process_paused": 6.0, "second_instance": 1.0},
    ),
    Bug(
        name="tail read before the barrier",
        plant=lambda: Patches().of(Serving, "warm_up", _reads_first).of(NatsWire, "read_tail", _what_was_read_first),
        wakes={"process_killed": 6.0, "second_instance": 1.0, "postgres_killed": 6.0},
    ),
    Bug(name="outbox row without state", plant=lambda: Patches().of(writer, "_write_trades", lambda _: nothing)),
    Bug(
        name="state without outbox row",
        plant=lambda: Patches().of(Batch, "outbox", lambda _: lambda _s, tail: ([], tail)),
    ),
    Bug(
        name="duplicate counted as success",
        plant=lambda: Patches().of(OrderSender, "_hear", _takes_any_for_ours),
        wakes={"squatter": 3.0},
    ),
    Bug(
        name="report deduplicated by its order's id",
        plant=lambda: Patches().everywhere(addresses.report_id, _by_order),
    ),
    Bug(
        name="restart intensity not counted",
        plant=lambda: Patches().of(Restarts, "crashed", lambda _: lambda *_: 0),
        wakes={"crash_loop": 5.0},
    ),
    Bug(
        name="halt lost at restart",
        plant=lambda: Patches().of(PostgresStore, "recover", _forgets_halts),
        wakes={"process_killed": 4.0},
    ),
    Bug(
        name="notice dropped on crash",
        plant=lambda: Patches().of(supervisor, "crash_words", _says_nothing),
        wakes={"actor_crash": 4.0},
    ),
    Bug(
        name="inbox unbounded",
        plant=lambda: Patches().of(Fold, "_thin", lambda _: nothing),
        wakes={"flood": 8.0},
    ),
    Bug(
        name="deafness unnoticed",
        plant=lambda: Patches().of(Pulse, "_beat", lambda _: _never_beats),
        wakes={"nats_deaf": 8.0},
    ),
    Bug(
        name="ticker unpinned",
        plant=lambda: Patches().of(MarketFeed, "_hear", _drops_a_ticker),
        wakes={"nats_killed": 8.0},
    ),
    Bug(
        name="expired entry sent",
        plant=lambda: Patches().of(OrderSender, "_has_expired", lambda _: lambda *_: False),
        wakes={"orders_full": 5.0},
    ),
    Bug(
        name="paper order to a live venue",
        plant=lambda: Patches().of(
            wire, "_order_subject", lambda _: lambda one: one.subject.replace(".paper.", ".sim.")
        ),
    ),
    Bug(
        name="rows of an earlier life never marked",
        plant=lambda: Patches().of(House, "expect_published", lambda _: nothing),
    ),
    Bug(
        name="what failed is not published again",
        plant=lambda: Patches().of(Relay, "_again", _drops_what_failed),
        wakes={"nats_killed": 8.0},
    ),
    Bug(
        name="commit of an older epoch",
        # Each of the two hides behind the other.
        plant=lambda: (
            Patches().of(BatchWriter, "_fence", _asks_no_leader).of(PostgresStore, "_leading", _leads_for_ever)
        ),
        wakes={"process_paused": 6.0, "second_instance": 1.0},
    ),
    Bug(
        name="deadlines lost with their actor",
        plant=lambda: Patches().of(House, "_build_timer", _new_deadlines),
        wakes={"actor_crash": 3.0},
    ),
    Bug(
        name="word in hand lost in a crash",
        plant=lambda: Patches().of(Inbox, "after_crash", _forgets_the_word),
        wakes={"actor_crash": 2.0},
    ),
    Bug(
        name="rebuilt actor knows no trade",
        plant=lambda: Patches().of(engines, "_taught", lambda _: lambda _old, _new, _known: []),
        wakes={"actor_crash": 2.0},
    ),
    Bug(
        name="journal not chained",
        plant=lambda: Patches().of(
            rows, "journal_hash", lambda real: lambda _p, seq, entry: real(bytes(32), seq, entry)
        ),
    ),
    Bug(
        name="attempts never end in the record",
        plant=lambda: Patches().of(Batch, "ended_attempts", lambda _: lambda _s: {}),
    ),
)
