"""What happens in a random world: feeds tick, strategies and people ask, markets end, and the plan's faults come.

Everything that happens is asked for on the scheduler's agenda, one happening asking for the next of its kind. `calm` ends the
faults; `ending` then demands that everything settles.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final

from bus.messages.orders import Action, OrderSubmit, ReportStatus
from bus.messages.plain import instant_text, to_json
from bus.messages.trades import Purpose, Side
from bus.messages.units import NS_PER_S
from tests.simulation.executor import VenueFaults
from tests.simulation.markets import SOURCE, Market
from tests.simulation.nats_server import NatsFaults
from tests.simulation.plan import Plan
from tests.simulation.postgres import PostgresFaults
from tests.simulation.process import Incarnation
from tests.simulation.venue import Holding
from tests.simulation.world import World

_ACCOUNTS: Final = {"sim": "live-1", "net": "live-2", "paper": "paper-1"}
_BEAT_S: Final = 5.0
_PATIENCE_S: Final = 2.0
_ADOPT_TRIES: Final = 200
"""Nobody gives up a position because the record is away, however long: a close of it may have left unrecorded."""
FLOOD: Final = 500
"""Ticks at once: more than `INBOX_MAX`."""
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
        self._sent: list[tuple[str, str, bytes]] = []

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
                self._at(market.close_ns or 0, partial(self._close, market))
            self._every(self.plan.tick_every_s, partial(self.tick, market))
        self._every(_BEAT_S, self.beat)
        self._chain(self.plan.trade_every_s, self.plan.trades, self.open_some)
        self._every(self.plan.people_every_s, self.people)
        if self.plan.rare:
            self._chain(1.0, 6, self._open_ten)
        if self.plan.rare == "ends_while_part_filled":
            self._every(0.2, self._end_while_part_filled, until_calm=True)
        for kind, seconds in self.plan.every_s.items():
            self._every(seconds, getattr(self, f"_{kind}"), until_calm=True)

    def _after(self, seconds: float, act: Callable[[], object]) -> None:
        self.world.scheduler.after(int(seconds * NS_PER_S), act)

    def _at(self, due_ns: int, act: Callable[[], object]) -> None:
        self.world.scheduler.at(due_ns, act)

    def _every(self, seconds: float, act: Callable[[], object], *, until_calm: bool = False) -> None:
        def come() -> None:
            if self.is_calm and until_calm:
                return
            act()
            pace = max(seconds, _CALM_S) if self.is_calm else seconds
            self._after(self.random.uniform(0.3, 1.7) * pace, come)

        self._after(self.random.uniform(0, 2) * seconds, come)

    def _chain(self, seconds: float, times: int, act: Callable[[], object]) -> None:
        def come(left: int) -> None:
            if left and not self.is_calm:
                act()
                self._after(self.random.uniform(0.2, 2) * seconds, lambda: come(left - 1))

        self._after(0.3, lambda: come(times))

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
            self._lifecycle(market, "close")
        self._after(self.random.uniform(0.5, 8), lambda: self._determine(market))

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
                self._lifecycle(market, "close")
                return

    def _determine(self, market: Market) -> None:
        self._lifecycle(market, "determined", result=market.result)
        for account in (_ACCOUNTS["sim"], _ACCOUNTS["net"]):
            self.store(
                f"account.settlement.{account}",
                f"settlement:{account}:{market.ticker}",
                account=account,
                ticker=market.ticker,
                result=market.result,
                revenue="0",
            )

    def _lifecycle(self, market: Market, event: str, **more: Any) -> None:
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
        self._store(subject, msg_id, written)

    def _store(self, subject: str, msg_id: str, body: bytes) -> None:
        world = self.world
        stream = world.nats.jetstream.stream_of(subject)
        self.is_done_ns = max(self.is_done_ns, world.now_ns + 2 * NS_PER_S)
        if not world.nats.is_up or world.nats.is_hung or stream is None or stream.is_full:
            self._after(1.0, lambda: self._store(subject, msg_id, body))
            return
        world.nats.publish(subject, body, {"Nats-Msg-Id": msg_id} if msg_id else {})
        self._sent.append((subject, msg_id, body))

    # Strategies

    def open_some(self) -> None:
        """Ask for a trade, in one of the ways there are."""
        random = self.random
        open_markets = [market for market in self.markets if not market.is_closed]
        if not open_markets:
            return
        market = random.choice(open_markets)
        venue = random.choice(("sim", "sim", "sim", "net", "paper"))
        number = len(self.asked) + 1
        side = random.choice(("yes", "yes", "no"))
        price = market.mid / 100 if side == "yes" else 1 - market.mid / 100
        fields: dict[str, Any] = {
            "trade_id": f"t{number}",
            "account": _ACCOUNTS[venue],
            "mode": "paper" if venue == "paper" else "live",
            "venue": venue,
            "ticker": market.ticker,
            "side": side,
            "quantity": str(random.choice((1, 5, 10, Decimal("2.5")))),
            "limit_price": str(round(Decimal(min(0.97, price + 0.05)), 2)),
            "stops": self.stops(price),
            "allow_immediate": random.random() < 0.2,
        }
        if market.close_ns is not None and random.random() < 0.8:
            fields["close_ts"] = instant_text(market.close_ns)
        is_late = market.close_ns is None and random.random() < 0.05
        if is_late:
            # No order may leave this close to the end: it is rejected before there is any.
            fields["close_ts"] = instant_text(self.world.now_ns // 1000 * 1000 + NS_PER_S // 2)
        self.asked[fields["trade_id"]] = fields
        if venue == "sim" and not is_late and random.random() < 0.15:
            self._adopt(fields, price)
            return
        if random.random() < 0.3:
            fields["expires_ts"] = instant_text(self.world.now_ns // 1000 * 1000 + 20 * NS_PER_S)
            self.store("trade.command.open", f"open:{fields['trade_id']}", **fields)
        else:
            self.request("trade.request.open", fields, tries=6)

    def _open_ten(self) -> None:
        """Ask for as much as is filled in parts, and is closed when its entry cannot be sent any more."""
        market = self.random.choice(self.markets)
        fields: dict[str, Any] = {
            "trade_id": f"t{len(self.asked) + 1}", "account": _ACCOUNTS["sim"], "mode": "live", "venue": "sim", "ticker": market.ticker,
            "side": "yes", "quantity": "10", "limit_price": "0.97", "stops": [{"rule": "time", "max_age_s": 6}], "allow_immediate": True,
        }  # fmt: skip
        if not market.is_closed:
            self.asked[fields["trade_id"]] = fields
            self.request("trade.request.open", fields, tries=6)

    def _adopt(self, fields: dict[str, Any], price: float) -> None:
        """Have a position taken over that stands at the venue already."""
        holding = (fields["account"], fields["ticker"], Side(fields["side"]))
        self.world.executors["sim"].venue.bring(holding, Decimal(fields["quantity"]), fields["trade_id"])
        more = {
            "entry_price": str(round(Decimal(price), 2)),
            "entry_ts": instant_text(self.world.now_ns // 1000 * 1000),
        }
        gone = ("limit_price", "expires_ts")
        kept = {key: value for key, value in fields.items() if key not in gone}
        self.request("trade.request.adopt", kept | more, tries=_ADOPT_TRIES)

    def stops(self, price: float) -> list[dict[str, Any]]:
        """Draw the stops of a trade that costs about `price`."""
        random = self.random
        widest, ages = (0.03, (2, 4)) if self.plan.is_nervous else (0.15, (8, 20, 40))
        found: list[dict[str, Any]] = [
            {
                "rule": "price",
                "stop_price": str(max(Decimal("0.02"), round(Decimal(price - random.uniform(0.02, widest)), 2))),
                "confirm_ticks": random.choice((1, 2, 2, 3)),
            }
        ]
        if random.random() < 0.3:
            found[0]["dwell_s"] = 1
        others: list[dict[str, Any]] = [
            {"rule": "trailing", "trail": "0.08"},
            {"rule": "profit", "take_profit_price": str(min(Decimal("0.95"), round(Decimal(price + 0.12), 2)))},
            {"rule": "time", "max_age_s": random.choice(ages)},
            {"rule": "loss", "max_loss": str(random.choice((1, 2)))},
            {"rule": "probability", "floor_percent": str(max(3, int(price * 100) - 15))},
        ]
        if self.plan.is_nervous:
            found.append(others.pop(2))
        return found + random.sample(others, random.choice((0, 0, 1, 2)))

    def request(self, subject: str, fields: dict[str, Any], *, tries: int = 1) -> None:
        """Ask, and ask again while nobody answers."""
        heard: list[dict[str, Any]] = []

        def hear(reply: dict[str, Any]) -> None:
            heard.append(reply)
            self.world.tell(f"reply to {subject} {fields.get('trade_id', '')}: {reply['ok']} {reply.get('error', '')}")
            self.world.answered(subject, fields, reply)
            if subject == "trade.request.adopt" and not reply["ok"] and reply["error"]["retry"]:
                heard.clear()  # Nobody gives up a position because the record was away.

        self.world.ask(subject, hear, **fields)
        if tries > 1:
            self._after(_PATIENCE_S, lambda: None if heard else self.request(subject, fields, tries=tries - 1))
            self.is_done_ns = max(self.is_done_ns, self.world.now_ns + int((_PATIENCE_S + 1) * NS_PER_S))

    # People

    def people(self) -> None:
        """Somebody wants something."""
        random = self.random
        if self.is_calm or not self.asked:
            return
        trade_id = random.choice(list(self.asked))
        who: dict[str, Any] = {"reason": "because", "requested_by": "a person"}
        match random.choice(("close", "part", "halt", "set", "waive", "settings", "status", "list")):
            case "close":
                self.request("trade.request.close", {"trade_id": trade_id, **who}, tries=3)
            case "part":
                self.store(
                    "trade.command.close",
                    f"close:{trade_id}:{self.world.now_ns}",
                    trade_id=trade_id,
                    quantity="1",
                    **who,
                )
            case "halt":
                self.request("system.request.halt", dict(who), tries=3)
                self._after(random.uniform(2, 6), lambda: self.request("system.request.resume", who, tries=9))
            case "set":
                settings = {"stop_price": str(random.choice((Decimal("0.2"), Decimal("0.35"), Decimal("0.45"))))}
                self.request("stop.request.set", {"trade_id": trade_id, "rule": "price", "settings": settings, **who})
            case "waive":
                until = instant_text(self.world.now_ns // 1000 * 1000 + 5 * NS_PER_S)
                self.request("stop.request.waive", {"trade_id": trade_id, "until": until, **who})
            case "settings":
                version = len(self.world.postgres.tables.settings_history) - random.choice((0, 0, 1))
                changes = {"close_slippage": str(random.choice((Decimal("0.03"), Decimal("0.08"))))}
                self.request(
                    "settings.request.set",
                    {"layer": "defaults", "changes": changes, "expected_version": version, **who},
                )
            case "status":
                self.request("system.request.status", who)
            case _:
                self.request("trade.request.list", {"limit": 10})

    # Faults of the agenda; each is named as in `plan.AGENDA`

    def _for_a_while(
        self, kind: str, low_s: float, high_s: float, begin: Callable[[], object], end: Callable[[], object]
    ) -> None:
        self.world.note_fault(kind)
        begin()
        self._after(self.random.uniform(low_s, high_s), lambda: None if self.is_calm else end())

    def _nats_killed(self) -> None:
        if self.world.nats.is_up:
            self._for_a_while("nats_killed", 0.3, 8, self.world.nats.kill, self.world.nats.rise)

    def _nats_hung(self) -> None:
        nats = self.world.nats
        if nats.is_up and not nats.is_hung:
            self._for_a_while("nats_hung", 1, 10, nats.hang, nats.go_on)

    def _nats_deaf(self) -> None:
        ours = [session for session in self.world.nats.sessions if session.owner is not None]
        if ours:
            self.world.note_fault("nats_deaf")
            self.random.choice(ours).is_deaf = True

    def _orders_full(self) -> None:
        nats, name = self.world.nats, self.random.choice(("ORDERS", "LEDGER"))
        self._for_a_while(
            "orders_full", 1, 8, lambda: nats.full(name, full=True), lambda: nats.full(name, full=False)
        )  # fmt: skip

    def _postgres_killed(self) -> None:
        if self.world.postgres.is_up:
            self._for_a_while("postgres_killed", 0.3, 15, self.world.postgres.kill, self.world.postgres.rise)

    def _postgres_read_only(self) -> None:
        self._for_a_while("postgres_read_only", 1, 10, lambda: self._read_only(True), lambda: self._read_only(False))

    def _read_only(self, flag: bool) -> None:
        self.world.postgres.is_read_only = flag

    def _start_without_record(self) -> None:
        """PostgreSQL dies for long, and somebody's process with it."""
        victim = self._somebody()
        if victim is not None and self.world.postgres.is_up:
            self._for_a_while("start_without_record", 6, 25, self.world.postgres.kill, self.world.postgres.rise)
            self._after(self.random.uniform(0, 2), lambda: victim.die("killed while PostgreSQL is away"))

    def _executor_killed(self) -> None:
        self.world.crash_executor(self.random.choice(list(self.world.executors.values())))

    def _somebody(self) -> Incarnation | None:
        alive = [one for one in self.world.incarnations.values() if one.is_alive]
        return self.random.choice(alive) if alive else None

    def _process_killed(self) -> None:
        victim = self._somebody()
        if victim is not None:
            self.world.note_fault("process_killed")
            victim.die("killed at random")

    def _process_stopped(self) -> None:
        victim = self._somebody()
        if victim is not None and victim.is_serving and not victim.is_stopping:
            self.world.note_fault("process_stopped")
            victim.stop()

    def _process_paused(self) -> None:
        victim = self._somebody()
        if victim is not None:
            scheduler = self.world.scheduler
            self._for_a_while(
                "process_paused", 1, 40, lambda: scheduler.hold(victim.name), lambda: scheduler.release(victim.name)
            )

    def _second_instance(self) -> None:
        if "b" not in self.world.incarnations:
            self.world.note_fault("second_instance")
            self.world.boot("b")

    def _actor_crash(self) -> None:
        victim = self._somebody()
        if victim is not None and victim.is_serving:
            self.world.note_fault("actor_crash")
            victim.crash_actor(self.random)

    def _poison(self) -> None:
        self.world.note_fault("poison")
        subject = self.random.choice(
            ("trade.command.open", "order.report.t1-close-1", "account.position.live-1", "market.lifecycle.T0")
        )
        body = self.random.choice((b"{", b'{"ts":1}', b'{"quantity":"NaN"}', b"\xff", b'{"a":1,"a":2}'))
        self.world.bad.add(body)
        self._store(subject, "", body)

    def _clock_step(self) -> None:
        victim = self._somebody()
        if victim is not None:
            self.world.note_fault("clock_step")
            victim.clock.step(int(self.random.uniform(-0.5, 0.5) * NS_PER_S))

    def _flood(self) -> None:
        """A process that does not get on, and more ticks than its inboxes may hold."""
        victim = self._somebody()
        if victim is None or not victim.is_serving or self.is_silent:
            return
        self.world.note_fault("flood")
        self.world.scheduler.hold(f"{victim.name}/auto_stop")
        self._after(2.0, lambda: self.world.scheduler.release(f"{victim.name}/auto_stop"))
        held = {trade.ticker for trade in victim.house._trades.values()} if victim.house else set()
        market = self.random.choice([market for market in self.markets if market.ticker in held] or self.markets)
        for number in range(FLOOD):
            self._after(0.002 * number, partial(self.tick, market))
        for share in (0.3, 0.6):
            self._after(0.002 * FLOOD * share, partial(self._spike, market))

    def _spike(self, market: Market) -> None:
        """A price that is there for two ticks, and gone again."""
        mid, market.mid = market.mid, self.random.choice((9.0, 91.0))
        self.tick(market)
        self.tick(market)
        market.mid = mid

    def _burst(self) -> None:
        """Several ticks of one market in one read."""
        victim = self._somebody()
        if victim is None or self.is_silent:
            return
        self.world.note_fault("burst")
        link = f"{victim.name}/market<nats"
        self.world.scheduler.hold(link)
        market = self.random.choice(self.markets)
        for number in range(6):
            self._after(0.002 * number, partial(self.tick, market))
        self._after(0.02, lambda: self.world.scheduler.release(link))

    def _crash_loop(self) -> None:
        """An actor that dies of everything: its restarts are counted, and then the process ends."""
        victim = self._somebody()
        if victim is not None and victim.is_serving:
            self.world.note_fault("crash_loop")
            victim.crash_for_ever(self.random)

    def _squatter(self) -> None:
        """Somebody else's order stands in ORDERS under the id of our next close: that one is in effect."""
        open_ones = [t for t in self.world.trades() if t.open_quantity > 1 and t.state == "open" and t.venue == "sim"]
        epoch = self.world.leading_epoch()
        if not open_ones or not epoch:
            return
        trade = self.random.choice(open_ones)
        number = 1 + max((a.attempt for a in trade.attempts if a.purpose is Purpose.CLOSE), default=0)
        name = f"{trade.trade_id}-close-{number}"
        self.world.note_fault("squatter")
        body = OrderSubmit(
            client_order_id=name, trade_id=trade.trade_id, account=trade.account, mode=trade.mode, purpose=Purpose.CLOSE,
            attempt=number, ticker=trade.ticker, side=trade.side, action=Action.SELL, quantity=Decimal(1), limit_price=Decimal("0.01"),
            reduce_only=True, expires_ts=self.world.now_ns + 5 * NS_PER_S, epoch=epoch, cause="somebody else",
            trade_version=trade.version, settings_version=1, ts=self.world.now_ns // 1000 * 1000,
        )  # fmt: skip
        self.world.squatted.add(f"order.report.{name}")
        self._store(f"order.submit.{trade.venue}.{trade.trade_id}", f"submit:{name}", to_json(body))

    def _feed_silent(self) -> None:
        self._for_a_while("feed_silent", 5, 45, lambda: self._silence(True), lambda: self._silence(False))

    def _silence(self, flag: bool) -> None:
        self.is_silent = flag

    def _tick_stale(self) -> None:
        self.world.note_fault("tick_stale")
        self._odd_tick(-int(self.random.uniform(1, 120) * NS_PER_S))

    def _tick_future(self) -> None:
        self.world.note_fault("tick_future")
        self._odd_tick(int(self.random.uniform(3, 4000) * NS_PER_S))

    def _odd_tick(self, off_ns: int) -> None:
        """A quote that must not move anything: it would cross every stop."""
        market = self.random.choice(self.markets)
        self.world.publish(
            f"market.quote.{market.ticker}", ts_ns=self.world.now_ns + off_ns, ticker=market.ticker,
            source="odd" if off_ns > 0 else SOURCE, yes_bid="0.02", yes_ask="0.04",
        )  # fmt: skip

    def _tick_backlog(self) -> None:
        self.world.note_fault("tick_backlog")
        market = self.random.choice(self.markets)
        for ts_ns, bid, ask in market.said[-5:]:
            self.world.publish(
                f"market.quote.{market.ticker}",
                ts_ns=ts_ns,
                ticker=market.ticker,
                source=SOURCE,
                yes_bid=bid,
                yes_ask=ask,
            )

    def _tick_garbage(self) -> None:
        self.world.note_fault("tick_garbage")
        market = self.random.choice(self.markets)
        odd = self.random.choice(("NaN", "-0.5", "1e999", "Infinity", "0.5x"))
        self.world.publish(
            f"market.quote.{market.ticker}",
            ticker=market.ticker,
            source=SOURCE,
            is_bad=True,
            yes_bid=odd,
            yes_ask="0.9",
        )

    def _external_close(self) -> None:
        held = [
            (executor, holding)
            for executor in self.world.executors.values()
            for holding, quantity in executor.venue.held.items()
            if quantity > 0 and holding[1] not in executor.venue.closed
        ]
        if not held:
            return
        self.world.note_fault("external_close")
        executor, (account, ticker, side) = self.random.choice(held)
        taken = executor.venue.take_away(account, ticker, side, Decimal(1000))
        self.world.tell(f"somebody closes {taken} {side} {ticker} of {account}")
        self.positions_taken.add((account, ticker, side))
        self.store(f"account.position.{account}", "", account=account, ticker=ticker, side=side, quantity="0")

    def _manual_position(self) -> None:
        """Somebody buys by hand, in an account of ours and beside our trades: it is nobody's here, and stays."""
        name = self.random.choice(("sim", "net"))
        open_markets = [market.ticker for market in self.markets if not market.is_closed]
        if open_markets:
            self.world.note_fault("manual_position")
            account, ticker = _ACCOUNTS[name], self.random.choice(open_markets)
            side, quantity = self.random.choice((Side.YES, Side.NO)), Decimal(self.random.choice((2, 7)))
            self.world.executors[name].venue.buy_by_hand((account, ticker, side), quantity)
            self.world.tell(f"somebody buys {quantity} {side} {ticker} in {account}")
            if name == "net":
                # What we buy there later on the other side cancels it: nobody can say any more whose it was.
                self.positions_taken |= {(account, ticker, each) for each in (side, side.opposite)}

    def _duplicate_input(self) -> None:
        if self._sent:
            self.world.note_fault("duplicate_input")
            subject, msg_id, body = self.random.choice(self._sent)
            stream = self.world.nats.jetstream.stream_of(subject)
            if stream is not None:
                # As if the stream's window were over.
                stream.forget(msg_id)
                self._store(subject, msg_id, body)

    def _contradiction(self) -> None:
        """A report that says something else of a fill that is known already."""
        fills = [
            (fill, order.sent.client_order_id)
            for executor in self.world.executors.values()
            for order in executor.venue.every
            for fill in order.fills
            if f"report:{order.sent.client_order_id}:{fill.fill_id}" in self.world.postgres.tables.inbox.rows
        ]
        if not fills:
            return
        fill, name = self.random.choice(fills)
        self.world.note_fault("contradiction")
        self.store(
            f"order.report.{name}", "", is_bad=True, client_order_id=name, status="filled", fill_id=fill.fill_id, fill_price="0.99",
            fill_quantity="777", fees="0", cumulative_quantity="777",
        )  # fmt: skip
