"""What happens in a random world: feeds tick, strategies and people ask, markets end, and the plan's faults come.

Everything that happens is asked for on the scheduler's agenda, one happening asking for the next of its kind. `calm` ends the
faults; `ending` then demands that everything settles.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final

from bus.messages.orders import ReportStatus
from bus.messages.plain import instant_text, to_json
from bus.messages.trades import Purpose
from bus.messages.units import NS_PER_S
from tests.simulation.markets import ACCOUNTS, SOURCE, Market
from tests.simulation.mischief import Mischief
from tests.simulation.nats_server import NatsFaults
from tests.simulation.odd_inputs import OddInputs
from tests.simulation.people import People
from tests.simulation.plan import Plan
from tests.simulation.postgres import PostgresFaults
from tests.simulation.process import Incarnation
from tests.simulation.venue import Holding
from tests.simulation.venue_faults import VenueFaults
from tests.simulation.world import World

_BEAT_S: Final = 5.0
_CALM_S: Final = 2.0
"""Nothing comes faster than this once the faults have stopped."""


class Story:
    """The happenings of one world. `asked`: the trades that were asked for, by id, as they were asked."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.random: Random = world.random("story")
        self.is_calm = False
        self.is_silent = False
        self.asked: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, bool] = {}
        self.positions_taken: set[Holding] = set()
        """Of which nobody can say any more whose they were."""
        self.markets = [
            Market(f"T{number}", world.random(f"market{number}"), plan.volatility) for number in range(plan.tickers)
        ]
        self.is_done_ns = 0
        self.sent: list[tuple[str, str, bytes]] = []
        self.people = People(self)
        self.mischief = Mischief(self)
        self.odd_inputs = OddInputs(self)

    @property
    def is_done(self) -> bool:
        """Whether nobody will ask for anything any more."""
        return self.is_calm and self.world.now_ns >= self.is_done_ns

    # Rhythm

    def begin(self) -> None:
        """Let it begin: a process, feeds, markets, strategies, people, faults."""
        self.world.boot("a")
        for market in self.markets:
            if self.random.random() < 0.4:
                market.ends_in(self.random.uniform(15, 70), self.world.now_ns)
                self.at(market.close_ns or 0, partial(self._close, market))
            self.every(self.plan.tick_every_s, partial(self.tick, market))
        self.every(_BEAT_S, self.beat)
        self.chain(self.plan.trade_every_s, self.plan.trades, self.people.open_some)
        self.every(self.plan.people_every_s, self.people.want_something)
        if self.plan.rare:
            self.chain(1.0, 6, self.people.open_ten)
        if self.plan.rare == "ends_while_part_filled":
            self.every(0.2, self._end_while_part_filled, until_calm=True)
        for kind, seconds in self.plan.every_s.items():
            owner = self.mischief if hasattr(self.mischief, kind) else self.odd_inputs
            self.every(seconds, getattr(owner, kind), until_calm=True)

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Let it happen after so many seconds."""
        self.world.scheduler.after(int(seconds * NS_PER_S), act)

    def at(self, due_ns: int, act: Callable[[], object]) -> None:
        """Let it happen at that instant."""
        self.world.scheduler.at(due_ns, act)

    def every(self, seconds: float, act: Callable[[], object], *, until_calm: bool = False) -> None:
        """Let it happen again and again, every so many seconds on average."""

        def come() -> None:
            if self.is_calm and until_calm:
                return
            act()
            pace = max(seconds, _CALM_S) if self.is_calm else seconds
            self.after(self.random.uniform(0.3, 1.7) * pace, come)

        self.after(self.random.uniform(0, 2) * seconds, come)

    def chain(self, seconds: float, times: int, act: Callable[[], object]) -> None:
        """Let it happen so many times, until the faults stop."""

        def come(left: int) -> None:
            if left and not self.is_calm:
                act()
                self.after(self.random.uniform(0.2, 2) * seconds, lambda: come(left - 1))

        self.after(0.3, lambda: come(times))

    def calm(self) -> None:
        """End every fault: servers are up, nothing is lost any more."""
        world = self.world
        self.is_calm, self.is_silent = True, False
        world.points.is_armed = False
        world.nats.faults, world.postgres.faults = NatsFaults(), PostgresFaults()
        world.scheduler.haste = 0.0
        world.postgres.is_read_only = False
        for name in ("ORDERS", "LEDGER"):
            world.nats.full(name, full=False)
        if not world.postgres.is_up:
            world.postgres.rise()
        if not world.nats.is_up:
            world.nats.rise()
        world.nats.go_on()
        for executor in world.executors.values():
            executor.faults = VenueFaults()
            if not executor.is_alive:
                executor.begin()
        for incarnation in list(world.incarnations.values()):
            incarnation.doomed = ""
            world.scheduler.release(incarnation.name)

    # Feeds

    def tick(self, market: Market, *, late_ns: int = 0) -> None:
        """Let a market move, and tell of it."""
        if market.is_closed:
            return
        bid, ask = market.move()
        world = self.world
        for executor in world.executors.values():
            executor.venue.quote(market.ticker, bid, ask)
        if self.is_silent:
            return
        self._say_quote(market, world.now_ns - late_ns, bid, ask)

    def _say_quote(self, market: Market, ts_ns: int, bid: Decimal | None, ask: Decimal | None) -> None:
        if self.world.publish(
            f"market.quote.{market.ticker}", ts_ns=ts_ns, ticker=market.ticker, source=SOURCE, yes_bid=bid, yes_ask=ask
        ):
            market.said.append((ts_ns // 1000 * 1000, bid, ask))

    def beat(self) -> None:
        """The feed says that it lives."""
        if not self.is_silent:
            self.world.publish(f"market.feed.{SOURCE}", source=SOURCE, max_silence_s=30)

    def _close(self, market: Market) -> None:
        """A market ends: it closes, its result is known, the venues pay."""
        world = self.world
        market.is_closed = True
        world.closed[market.ticker] = world.now_ns
        market.result = self.random.choice(("yes", "no"))
        for executor in world.executors.values():
            executor.venue.close_market(market.ticker)
            executor.venue.settle(market.ticker)
        if self.random.random() < 0.7:
            self.lifecycle(market, "close")
        self.after(self.random.uniform(0.5, 8), lambda: self._determine(market))

    def _end_while_part_filled(self) -> None:
        """Let a market end early on which an entry is filled in part, and say so at once."""
        waiting = {
            order.sent.ticker
            for executor in self.world.executors.values()
            for order in executor.venue.orders.values()
            if order.sent.purpose is Purpose.ENTRY and order.status is ReportStatus.PARTIALLY_FILLED
        }
        for market in self.markets:
            if market.ticker in waiting and not market.is_closed and market.close_ns is None:
                self._close(market)
                self.lifecycle(market, "close")
                return

    def _determine(self, market: Market) -> None:
        self.lifecycle(market, "determined", result=market.result)
        for account in (ACCOUNTS["sim"], ACCOUNTS["net"]):
            self.store(
                f"account.settlement.{account}",
                f"settlement:{account}:{market.ticker}",
                account=account,
                ticker=market.ticker,
                result=market.result,
                revenue="0",
            )

    def lifecycle(self, market: Market, event: str, **more: Any) -> None:
        self.store(
            f"market.lifecycle.{market.ticker}",
            f"lifecycle:{market.ticker}:{event}:{self.world.now_ns}",
            ticker=market.ticker,
            event=event,
            **more,
        )

    def store(self, subject: str, msg_id: str, *, is_bad: bool = False, **fields: Any) -> None:
        """Publish into a stream until it is stored, as whoever says something that counts does. is_bad: it must have no effect."""
        body = {"ts": instant_text(self.world.now_ns // 1000 * 1000)} | {
            k: v for k, v in fields.items() if v is not None
        }
        written = to_json(body)
        if is_bad:
            self.world.bad.add(written)
        self.store_body(subject, msg_id, written)

    def store_body(self, subject: str, msg_id: str, body: bytes) -> None:
        """As `store`, of what is written already."""
        world = self.world
        stream = world.nats.jetstream.stream_of(subject)
        self.is_done_ns = max(self.is_done_ns, world.now_ns + 2 * NS_PER_S)
        if not world.nats.is_up or world.nats.is_hung or stream is None or stream.is_full:
            self.after(1.0, lambda: self.store_body(subject, msg_id, body))
            return
        world.nats.publish(subject, body, {"Nats-Msg-Id": msg_id} if msg_id else {})
        self.sent.append((subject, msg_id, body))

    def for_a_while(
        self, kind: str, low_s: float, high_s: float, begin: Callable[[], object], end: Callable[[], object]
    ) -> None:
        """Let something go wrong, and end it after a while unless all faults have ended."""
        self.world.note_fault(kind)
        begin()
        self.after(self.random.uniform(low_s, high_s), lambda: None if self.is_calm else end())

    def somebody(self) -> Incarnation | None:
        """Return one of the processes that live."""
        alive = [one for one in self.world.incarnations.values() if one.is_alive]
        return self.random.choice(alive) if alive else None
