"""Everything that a simulated world asked of its model of PostgreSQL, asked of a real one: the same answers, the same record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest

from db.access import Access
from db.names import DatabaseNames
from db.store import PostgresStore
from tests.simulation.connections import ModelStore
from tests.simulation.ending import Ending
from tests.simulation.oracle import Oracle
from tests.simulation.plan import drawn
from tests.simulation.postgres import PostgresFaults
from tests.simulation.silence import silence
from tests.simulation.story import Story
from tests.simulation.world import World

EVENTS = 900
ASKED = ("take_lead", "commit", "mark_published", "record_stream", "seed_settings")
UNTIMELY = frozenset({"postgres_killed", "postgres_read_only"})


@dataclass(frozen=True)
class Call:
    """What was asked by whom, and what came of it: the result, or the exception."""

    who: int
    name: str
    arguments: tuple[Any, ...]
    result: Any


class Recorded:
    """Calls of all stores of a world, in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.stores: list[ModelStore] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        patches = [patch.object(ModelStore, name, self._of(name)) for name in ASKED]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()

    def _of(self, name: str) -> Any:
        real = getattr(PostgresStore, name)

        def recorded(store: ModelStore, *arguments: Any) -> Any:
            if store not in self.stores:
                self.stores.append(store)
            kept = tuple(list(argument) if isinstance(argument, list) else argument for argument in arguments)
            try:
                result = real(store, *arguments)
            except Exception as error:
                self._note(store, name, kept, type(error))
                raise
            if name != "seed_settings":  # it asks `commit` by itself
                self._note(store, name, kept, _plain(result))
            return result

        return recorded

    def _note(self, store: ModelStore, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        self.calls.append(Call(self.stores.index(store), name, arguments, result))


def _plain(result: Any) -> Any:
    """A result that can be compared: of refused commits their causes; the words differ from server to server."""
    return [commit.cause for commit, _ in result] if isinstance(result, list) else result


def a_lived_world(seed: int) -> tuple[Recorded, ModelStore]:
    """Let a world live, its database healthy; return what was asked of it, and its last store."""
    plan = drawn(seed, World.random_of(seed, "plan"))
    every_s = {kind: seconds for kind, seconds in plan.every_s.items() if kind not in UNTIMELY}
    plan = replace(plan, postgres=PostgresFaults(), kills={}, every_s=every_s)
    recorded = Recorded()
    with recorded.recording():
        world = World(seed, haste=plan.haste, nats_faults=plan.nats, venue_faults=plan.venue)
        oracle, story = Oracle(world), None
        story = Story(world, plan)
        story.begin()
        while world.scheduler.turns < EVENTS:
            world.scheduler.step()
        Ending(world, story, oracle).run()
    last = ModelStore(world.postgres, None)
    last.open()
    world.end()
    return recorded, last


@pytest.mark.parametrize("seed", [1, 42, 72, 97, 110, 111])
def test_the_same_calls_leave_the_same_record(seed: int, postgres_dsn: str, postgres_names: DatabaseNames) -> None:
    with silence():
        recorded, model = a_lived_world(seed)
    access = Access(dsn=postgres_dsn, names=postgres_names)
    stores = [PostgresStore(access) for _ in recorded.stores]
    last = PostgresStore(access)
    for store in (*stores, last):
        store.open()

    try:
        for number, call in enumerate(recorded.calls):
            try:
                result = _plain(getattr(stores[call.who], call.name)(*call.arguments))
            except Exception as error:  # noqa: BLE001  # compared with what the model raised
                result = type(error)
            assert result == call.result, f"call {number}: {call}"

        assert len(recorded.calls) > 10
        assert last.recover() == model.recover()
        assert last.unpublished(10_000) == model.unpublished(10_000)
        assert last.places() == model.places()
    finally:
        for store in (*stores, last):
            store.close()
