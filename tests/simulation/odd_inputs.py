"""What is said in a random world that is odd, old, double or false, and what is done at venues beside us; named as in `plan.AGENDA`."""

from decimal import Decimal
from typing import TYPE_CHECKING

from bus.messages.orders import Action, OrderSubmit
from bus.messages.plain import to_json
from bus.messages.trades import Purpose, Side
from bus.messages.units import NS_PER_S
from tests.simulation.markets import ACCOUNTS, SOURCE

if TYPE_CHECKING:
    from tests.simulation.story import Story


class OddInputs:
    """Says what should have no effect, and does what must be found out."""

    def __init__(self, story: "Story") -> None:
        self._story = story
        self._world = story.world
        self._random = story.random

    def poison(self) -> None:
        self._world.note_fault("poison")
        subject = self._random.choice(
            ("trade.command.open", "order.report.t1-close-1", "account.position.live-1", "market.lifecycle.T0")
        )
        body = self._random.choice((b"{", b'{"ts":1}', b'{"quantity":"NaN"}', b"\xff", b'{"a":1,"a":2}'))
        self._world.bad.add(body)
        self._story.store_body(subject, "", body)

    def squatter(self) -> None:
        """Somebody else's order stands in ORDERS under the id of our next close: that one is in effect."""
        open_ones = [t for t in self._world.trades() if t.open_quantity > 1 and t.state == "open" and t.venue == "sim"]
        epoch = self._world.leading_epoch()
        if not open_ones or not epoch:
            return
        trade = self._random.choice(open_ones)
        number = 1 + max((a.attempt for a in trade.attempts if a.purpose is Purpose.CLOSE), default=0)
        name = f"{trade.trade_id}-close-{number}"
        self._world.note_fault("squatter")
        body = OrderSubmit(
            client_order_id=name, trade_id=trade.trade_id, account=trade.account, mode=trade.mode, purpose=Purpose.CLOSE,
            attempt=number, ticker=trade.ticker, side=trade.side, action=Action.SELL, quantity=Decimal(1), limit_price=Decimal("0.01"),
            reduce_only=True, expires_ts=self._world.now_ns + 5 * NS_PER_S, epoch=epoch, cause="somebody else",
            trade_version=trade.version, settings_version=1, ts=self._world.now_ns // 1000 * 1000,
        )  # fmt: skip
        self._world.squatted.add(f"order.report.{name}")
        self._story.store_body(f"order.submit.{trade.venue}.{trade.trade_id}", f"submit:{name}", to_json(body))

    def feed_silent(self) -> None:
        self._story.for_a_while("feed_silent", 5, 45, lambda: self._silence(True), lambda: self._silence(False))

    def _silence(self, flag: bool) -> None:
        self._story.is_silent = flag

    def tick_stale(self) -> None:
        self._world.note_fault("tick_stale")
        self._odd_tick(-int(self._random.uniform(1, 120) * NS_PER_S))

    def tick_future(self) -> None:
        self._world.note_fault("tick_future")
        self._odd_tick(int(self._random.uniform(3, 4000) * NS_PER_S))

    def _odd_tick(self, off_ns: int) -> None:
        """A quote that must not move anything: it would cross every stop."""
        market = self._random.choice(self._story.markets)
        self._world.publish(
            f"market.quote.{market.ticker}", ts_ns=self._world.now_ns + off_ns, ticker=market.ticker,
            source="odd" if off_ns > 0 else SOURCE, yes_bid="0.02", yes_ask="0.04",
        )  # fmt: skip

    def tick_backlog(self) -> None:
        self._world.note_fault("tick_backlog")
        market = self._random.choice(self._story.markets)
        for ts_ns, bid, ask in market.said[-5:]:
            self._world.publish(
                f"market.quote.{market.ticker}",
                ts_ns=ts_ns,
                ticker=market.ticker,
                source=SOURCE,
                yes_bid=bid,
                yes_ask=ask,
            )

    def tick_garbage(self) -> None:
        self._world.note_fault("tick_garbage")
        market = self._random.choice(self._story.markets)
        odd = self._random.choice(("NaN", "-0.5", "1e999", "Infinity", "0.5x"))
        self._world.publish(
            f"market.quote.{market.ticker}",
            ticker=market.ticker,
            source=SOURCE,
            is_bad=True,
            yes_bid=odd,
            yes_ask="0.9",
        )

    def external_close(self) -> None:
        held = [
            (executor, holding)
            for executor in self._world.executors.values()
            for holding, quantity in executor.venue.held.items()
            if quantity > 0 and holding[1] not in executor.venue.closed
        ]
        if not held:
            return
        self._world.note_fault("external_close")
        executor, (account, ticker, side) = self._random.choice(held)
        taken = executor.venue.take_away(account, ticker, side, Decimal(1000))
        self._world.tell(f"somebody closes {taken} {side} {ticker} of {account}")
        self._story.positions_taken.add((account, ticker, side))
        self._story.store(f"account.position.{account}", "", account=account, ticker=ticker, side=side, quantity="0")

    def manual_position(self) -> None:
        """Somebody buys by hand, in an account of ours and beside our trades: it is nobody's here, and stays."""
        name = self._random.choice(("sim", "net"))
        open_markets = [market.ticker for market in self._story.markets if not market.is_closed]
        if open_markets:
            self._world.note_fault("manual_position")
            account, ticker = ACCOUNTS[name], self._random.choice(open_markets)
            side, quantity = self._random.choice((Side.YES, Side.NO)), Decimal(self._random.choice((2, 7)))
            self._world.executors[name].venue.buy_by_hand((account, ticker, side), quantity)
            self._world.tell(f"somebody buys {quantity} {side} {ticker} in {account}")
            if name == "net":
                # What we buy there later on the other side cancels it: nobody can say any more whose it was.
                self._story.positions_taken |= {(account, ticker, each) for each in (side, side.opposite)}

    def duplicate_input(self) -> None:
        if self._story.sent:
            self._world.note_fault("duplicate_input")
            subject, msg_id, body = self._random.choice(self._story.sent)
            stream = self._world.nats.jetstream.stream_of(subject)
            if stream is not None:
                # As if the stream's window were over.
                stream.forget(msg_id)
                self._story.store_body(subject, msg_id, body)

    def contradiction(self) -> None:
        """A report that says something else of a fill that is known already."""
        fills = [
            (fill, order.sent.client_order_id)
            for executor in self._world.executors.values()
            for order in executor.venue.every
            for fill in order.fills
            if f"report:{order.sent.client_order_id}:{fill.fill_id}" in self._world.postgres.tables.inbox.rows
        ]
        if not fills:
            return
        fill, name = self._random.choice(fills)
        self._world.note_fault("contradiction")
        self._story.store(
            f"order.report.{name}", "", is_bad=True, client_order_id=name, status="filled", fill_id=fill.fill_id, fill_price="0.99",
            fill_quantity="777", fees="0", cumulative_quantity="777",
        )  # fmt: skip
