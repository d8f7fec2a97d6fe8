"""What goes wrong with servers and processes in a random world; each method is named as in `plan.AGENDA`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from bus.messages.units import NS_PER_S
from tests.simulation.markets import Market

if TYPE_CHECKING:
    from tests.simulation.story import Story

FLOOD: Final = 500
"""Ticks at once: more than `INBOX_MAX`."""


class Mischief:
    """Kills, stops, starves and floods."""

    def __init__(self, story: "Story") -> None:
        self._story = story
        self._world = story.world
        self._random = story.random

    def nats_killed(self) -> None:
        if self._world.nats.is_up:
            self._story.for_a_while("nats_killed", 0.3, 8, self._world.nats.kill, self._world.nats.rise)

    def nats_hung(self) -> None:
        nats = self._world.nats
        if nats.is_up and not nats.is_hung:
            self._story.for_a_while("nats_hung", 1, 10, nats.hang, nats.go_on)

    def nats_deaf(self) -> None:
        ours = [session for session in self._world.nats.sessions if session.owner is not None]
        if ours:
            self._world.note_fault("nats_deaf")
            self._random.choice(ours).is_deaf = True

    def orders_full(self) -> None:
        nats, name = self._world.nats, self._random.choice(("ORDERS", "LEDGER"))
        self._story.for_a_while(
            "orders_full", 1, 8, lambda: nats.full(name, full=True), lambda: nats.full(name, full=False)
        )  # fmt: skip

    def postgres_killed(self) -> None:
        if self._world.postgres.is_up:
            self._story.for_a_while("postgres_killed", 0.3, 15, self._world.postgres.kill, self._world.postgres.rise)

    def postgres_read_only(self) -> None:
        self._story.for_a_while(
            "postgres_read_only", 1, 10, lambda: self._read_only(True), lambda: self._read_only(False)
        )

    def _read_only(self, flag: bool) -> None:
        self._world.postgres.is_read_only = flag

    def start_without_record(self) -> None:
        """PostgreSQL dies for long, and somebody's process with it."""
        victim = self._story.somebody()
        if victim is not None and self._world.postgres.is_up:
            self._story.for_a_while("start_without_record", 6, 25, self._world.postgres.kill, self._world.postgres.rise)
            self._story.after(self._random.uniform(0, 2), lambda: victim.die("killed while PostgreSQL is away"))

    def executor_killed(self) -> None:
        self._world.crash_executor(self._random.choice(list(self._world.executors.values())))

    def process_killed(self) -> None:
        victim = self._story.somebody()
        if victim is not None:
            self._world.note_fault("process_killed")
            victim.die("killed at random")

    def process_stopped(self) -> None:
        victim = self._story.somebody()
        if victim is not None and victim.is_serving and not victim.is_stopping:
            self._world.note_fault("process_stopped")
            victim.stop()

    def process_paused(self) -> None:
        victim = self._story.somebody()
        if victim is not None:
            scheduler = self._world.scheduler
            self._story.for_a_while(
                "process_paused", 1, 40, lambda: scheduler.hold(victim.name), lambda: scheduler.release(victim.name)
            )

    def second_instance(self) -> None:
        if "b" not in self._world.incarnations:
            self._world.note_fault("second_instance")
            self._world.boot("b")

    def actor_crash(self) -> None:
        victim = self._story.somebody()
        if victim is not None and victim.is_serving:
            self._world.note_fault("actor_crash")
            victim.crash_actor(self._random)

    def crash_loop(self) -> None:
        """An actor that dies of everything: its restarts are counted, and then the process ends."""
        victim = self._story.somebody()
        if victim is not None and victim.is_serving:
            self._world.note_fault("crash_loop")
            victim.crash_for_ever(self._random)

    def clock_step(self) -> None:
        victim = self._story.somebody()
        if victim is not None:
            self._world.note_fault("clock_step")
            victim.clock.step(int(self._random.uniform(-0.5, 0.5) * NS_PER_S))

    def flood(self) -> None:
        """A process that does not get on, and more ticks than its inboxes may hold."""
        victim = self._story.somebody()
        if victim is None or not victim.is_serving or self._story.is_silent:
            return
        self._world.note_fault("flood")
        self._world.scheduler.hold(f"{victim.name}/auto_stop")
        self._story.after(2.0, lambda: self._world.scheduler.release(f"{victim.name}/auto_stop"))
        held = {trade.ticker for trade in victim.house._trades.values()} if victim.house else set()
        market = self._random.choice(
            [market for market in self._story.markets if market.ticker in held] or self._story.markets
        )
        for number in range(FLOOD):
            self._story.after(0.002 * number, partial(self._story.tick, market))
        for share in (0.3, 0.6):
            self._story.after(0.002 * FLOOD * share, partial(self._spike, market))

    def _spike(self, market: Market) -> None:
        """A price that is there for two ticks, and gone again."""
        mid, market.mid = market.mid, self._random.choice((9.0, 91.0))
        self._story.tick(market)
        self._story.tick(market)
        market.mid = mid

    def burst(self) -> None:
        """Several ticks of one market in one read."""
        victim = self._story.somebody()
        if victim is None or self._story.is_silent:
            return
        self._world.note_fault("burst")
        link = f"{victim.name}/market<nats"
        self._world.scheduler.hold(link)
        market = self._random.choice(self._story.markets)
        for number in range(6):
            self._story.after(0.002 * number, partial(self._story.tick, market))
        self._story.after(0.02, lambda: self._world.scheduler.release(link))
