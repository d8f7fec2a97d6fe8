"""What must come to pass once the faults have stopped: L1 to L6. Everything settles: each stop crossed ends its trade, each

unknown is known or paged, nothing waits, nothing is owed, and the venues hold what the record says.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from bus.messages.trades import Purpose, Trade, TradeState
from bus.messages.units import NS_PER_S, ZERO
from tests.simulation.oracle import Oracle
from tests.simulation.paged import Paged
from tests.simulation.postgres import Tables
from tests.simulation.process import Incarnation
from tests.simulation.story import Story
from tests.simulation.world import World

_REST: Final = "#rest"
_READY_S: Final = 90
_ROUNDS: Final = 10
_ROUND_S: Final = 12
"""The market stands at one end so long, then at the other."""
_HEARD_NS: Final = 2 * NS_PER_S
"""What a venue did longer ago was heard."""
_LOOKED_UP: Final = "-looked-up"


class Ending:
    """Lets a world come to rest, and looks at what is left."""

    def __init__(self, world: World, story: Story, oracle: Oracle) -> None:
        self._world = world
        self._story = story
        self._oracle = oracle
        self._paged = Paged(world, story, oracle)

    def run(self) -> None:
        """Calm the world, cross every stop, wait, and judge."""
        world, story = self._world, self._story
        story.calm()
        self._calm_ns = world.now_ns
        ready = world.until(lambda: self._failed() or world.serving() is not None, _READY_S)
        self._oracle.demand(ready, "L4", "nobody serves after the faults have stopped")
        if self._failed() or not ready:
            return
        for cents in (1, 97) * _ROUNDS:
            for market in story.markets:
                market.floor = cents
            if world.until(lambda: self._failed() or self._is_at_rest(), _ROUND_S):
                break
        if self._failed():
            return
        self._oracle.demand(self._is_settled(), "L1", f"these never end: {self._alive()}")
        if not self._failed():
            self._judge()
            self._paged.demand_no_entries(self._open())

    def _failed(self) -> bool:
        return bool(self._oracle.violations)

    def _alive(self) -> list[str]:
        return [f"{trade.trade_id} {trade.state} {trade.open_quantity}" for trade in self._open()]

    def _is_settled(self) -> bool:
        return self._story.is_done and all(self._paged.is_right(trade) for trade in self._open())

    def _open(self) -> list[Trade]:
        return [trade for trade in self._oracle.trades.values() if not trade.state.is_terminal]

    def _is_at_rest(self) -> bool:
        return self._is_settled() and self._is_drained()

    def _is_drained(self) -> bool:
        tables = self._world.postgres.tables
        serving = self._world.serving()
        leads = serving is not None and serving.epoch == self._oracle.orders.epoch
        is_whole = leads and serving is not None and all(serving.turns.alive().values()) and not _owes(serving)
        # What it did while nobody could hear it is heard from when the faults have stopped.
        newest_ns = max((fill.at_ns for _, fill in self._fills()), default=0)
        is_quiet = self._world.now_ns - max(newest_ns, self._calm_ns) >= _HEARD_NS
        is_quiet = is_quiet and not any(executor.reporter.late for executor in self._world.executors.values())
        # An actor that a fault still had in store for the end is told of once it stands again.
        is_told = serving is not None and not _untold(serving, tables)
        return is_whole and is_told and is_quiet and not any(tables.unpublished.rows.values()) and not self._lag()

    def _lag(self) -> dict[str, int]:
        """Return what our consumers have not been given, or have not acknowledged."""
        epoch = self._oracle.orders.epoch
        found = {}
        for stream in self._world.nats.jetstream.streams.values():
            consumer = stream.consumers.get(f"wk-{epoch}")
            if consumer is not None and (left := consumer.waiting() + len(consumer.pending)):
                found[stream.name] = left
        return found

    def _judge(self) -> None:
        demand, tables = self._oracle.demand, self._world.postgres.tables
        owed = [tables.outbox.rows[seq][1] for seq, waits in tables.unpublished.rows.items() if waits]
        owed = [msg_id for msg_id in owed if not self._was_given_up(msg_id)]
        demand(not owed, "L2", f"never published: {owed[:5]}")
        demand(not self._lag(), "L2", f"inputs are left: {self._lag()}")
        self._judge_messages()
        self._judge_fills()
        self._judge_positions()
        self._judge_money()
        self._judge_house()
        for executor in self._world.executors.values():
            demand(not executor.venue.sent_twice, "S2", f"sent twice: {executor.venue.sent_twice}")

    def _judge_messages(self) -> None:
        """Everything in the outbox stands in a stream, and everything that left stands in the outbox."""
        streams, tables = self._world.nats.jetstream.streams, self._world.postgres.tables
        stored = {kept.headers.get("Nats-Msg-Id") for stream in streams.values() for kept in stream.kept.values()}
        lost = [row[1] for row in tables.outbox if row[1] not in stored]
        lost = [msg_id for msg_id in lost if not self._was_given_up(msg_id)]
        self._oracle.demand(not lost, "L6", f"in the outbox, and in no stream: {lost[:5]}")
        for name, order in self._oracle.orders.submits.items():
            stands = name in tables.orders.rows or order.trade_id not in self._oracle.trades
            self._oracle.demand(stands, "S10", f"{name} left, and has no row")

    def _was_given_up(self, msg_id: str) -> bool:
        """Whether it is an order that nobody took until it expired: its trade knows."""
        return msg_id.startswith("submit:")

    def _judge_fills(self) -> None:
        """Every fill of every venue is booked, once, with its quantity."""
        booked: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        summed: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for row in self._world.postgres.tables.fills:
            quantity = Decimal(row["quantity"])
            booked[row["account"], row["fill_id"].removesuffix(_REST)] += quantity
            summed[row["client_order_id"]] += quantity
        for order, fill in self._fills():
            have = booked.get((order.sent.account, fill.fill_id), ZERO)
            name = order.sent.client_order_id
            looked_up = booked.get((order.sent.account, f"{name}{_LOOKED_UP}"))
            if looked_up is not None:
                continue
            words = f"{fill.fill_id} of {name}: {fill.quantity} at the venue, {have} booked"
            self._oracle.demand(have == fill.quantity, "S3", words)

    def _fills(self) -> list[tuple[Any, Any]]:
        return [
            (order, fill)
            for executor in self._world.executors.values()
            for order in executor.venue.every
            for fill in order.fills
        ]

    def _judge_positions(self) -> None:
        """The venues hold what our trades say, where the market still stands."""
        expected: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
        for trade in self._oracle.trades.values():
            if _holds(trade) and (trade.state.is_terminal or not self._paged.is_right(trade)):
                expected[trade.account, trade.ticker, trade.side] += trade.open_quantity
        for executor in self._world.executors.values():
            for trade_id, (holding, quantity) in executor.venue.brought.items():
                if trade_id not in self._oracle.trades:
                    expected[holding] += quantity
            for holding, quantity in executor.venue.by_hand.items():
                expected[holding] += quantity
            for holding, quantity in executor.venue.held.items():
                account, ticker, side = holding
                if ticker in executor.venue.closed or holding in self._story.positions_taken:
                    continue
                want = expected.get((account, ticker, side), ZERO)
                words = f"{account} {ticker} {side}: {quantity} at the venue, {want} in the record"
                self._oracle.demand(quantity == want, "S1", words)

    def _judge_money(self) -> None:
        """Profit is exact: what came in less what went out, of the trade's own fills."""
        for trade in self._oracle.trades.values():
            if trade.state is not TradeState.CLOSED or trade.unpriced_quantity or trade.trade_id.startswith("r-"):
                continue
            if not any(attempt.purpose is Purpose.ENTRY for attempt in trade.attempts):
                continue
            sign = {Purpose.ENTRY: -1, Purpose.CLOSE: 1}
            money = sum((sign[fill.purpose] * fill.price * fill.quantity - fill.fees for fill in trade.fills), ZERO)
            self._oracle.demand(trade.pnl == money, "S1", f"{trade.trade_id} made {trade.pnl}, its fills {money}")

    def _judge_house(self) -> None:
        """Whoever serves is whole, and has told of every actor that died."""
        serving = self._world.serving()
        assert serving is not None
        dead = [name for name, alive in serving.turns.alive().items() if not alive]
        self._oracle.demand(not dead, "L4", f"dead: {dead}")
        untold = _untold(serving, self._world.postgres.tables)
        self._oracle.demand(not untold, "L6", f"{', '.join(untold)} died, and nobody was told")


def _owes(serving: Incarnation) -> bool:
    """Whether it holds what it has not written yet: the next try comes after a pause."""
    return serving.house is not None and bool(serving.house._backlog.commits)


def _untold(serving: Incarnation, tables: Tables) -> list[str]:
    """Return which actors have died while it served, without a notice."""
    told = {row["notice_id"].rsplit("-", 1)[0] for row in tables.notices}
    died = {name: None for name, at_ns in serving.crashes if name != "supervisor" and at_ns > serving.served_ns}
    return [name for name in died if f"actor-{name}" not in told]


def _holds(trade: Trade) -> bool:
    return trade.state not in (TradeState.REJECTED, TradeState.SETTLED)
