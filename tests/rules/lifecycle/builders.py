"""Builders for tests of a trade's life: words with sensible contents, and a trade that is led through events."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from actors.rules.trade import lifecycle
from actors.rules.trade.steps import OWNER, CloseWanted, Context, Event, Step, VenueTerms, timer_key
from bus.messages.market import Lifecycle, LifecycleEvent, Result
from bus.messages.orders import OrderReport, ReportStatus, Settlement, VenueAnswer, VenueFill, VenueOrder
from bus.messages.stops import Mark, MarkGiven, MarkState
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Fill, Mode, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.readable import readable_step

T0 = 1_750_000_000 * NS_PER_S
CLOSE_TS = T0 + 3600 * NS_PER_S
TICKER = "KXBTCD-25JUL1617-T119499.99"
ENTRY = "t1-entry-1"

SELL = VenueTerms(name="paper")
BUY_OPPOSITE = VenueTerms(name="kalshi", style="buy_opposite", netting=True)


def at(seconds: float | str) -> int:
    """Return the instant so many seconds after the trade was asked for."""
    return T0 + int(Decimal(str(seconds)) * NS_PER_S)


def a_trade(side: Side = Side.YES, quantity: str = "10", **facts: Any) -> Trade:
    """Return a requested trade; an event contract with a close time an hour away unless `side` is linear."""
    trade = Trade(
        trade_id="t1", state=TradeState.REQUESTED, version=0, account="demo", venue="paper", mode=Mode.PAPER,
        ticker=TICKER if side.is_event else "BTC-USD", side=side, quantity=Decimal(quantity), ts=T0,
        limit_price=Decimal("0.60") if side.is_event else Decimal(50000),
        close_ts=CLOSE_TS if side.is_event else None, requested_ts=T0,
    )  # fmt: skip
    return replace(trade, **facts)


def a_context(now_ns: int = T0, venue: VenueTerms = SELL, cause: str = "test", held: Decimal | None = None) -> Context:
    return Context(now_ns=now_ns, epoch=3, cause=cause, venue=venue, held=held)


def a_mark(bid: str | None = "0.40", ask: str | None = None, reason: str | None = None) -> Mark:
    """Return what closing would bring: known with a bid, bounded by the ask without, unknown with neither."""
    if bid is not None:
        return Mark(state=MarkState.KNOWN, low=Decimal(bid), high=Decimal(bid), ts=T0)
    if ask is not None:
        return Mark(
            state=MarkState.BOUNDED, low=Decimal(0), high=Decimal(ask), high_open=True, reason="no_bid",
            sell_ask=Decimal(ask), ts=T0,
        )  # fmt: skip
    return Mark(state=MarkState.UNKNOWN, reason=reason or "empty_book")


def a_report(
    status: ReportStatus | str, order: str = ENTRY, *, at_s: float = 1, cumulative: str | None = None
) -> OrderReport:
    return OrderReport(
        client_order_id=order, ts=at(at_s), status=ReportStatus(status),
        cumulative_quantity=None if cumulative is None else Decimal(cumulative),
    )  # fmt: skip


def a_fill(
    quantity: str, price: str = "0.60", order: str = ENTRY, *, fill_id: str = "f1", fees: str | None = "0.01",
    at_s: float = 1, cumulative: str | None = None, status: str = "partially_filled",
) -> OrderReport:  # fmt: skip
    return OrderReport(
        client_order_id=order, ts=at(at_s), status=ReportStatus(status), fill_id=fill_id, fill_price=Decimal(price),
        fill_quantity=Decimal(quantity), fees=None if fees is None else Decimal(fees),
        cumulative_quantity=None if cumulative is None else Decimal(cumulative),
    )  # fmt: skip


def an_answer(
    order: str = ENTRY, *, status: str | None = None, cumulative: str = "0", error: str | None = None,
    fills: tuple[VenueFill, ...] = (), average: str | None = None,
) -> VenueAnswer:  # fmt: skip
    known = None
    if status is not None:
        known = VenueOrder(
            client_order_id=order, status=ReportStatus(status), cumulative_quantity=Decimal(cumulative),
            average_price=None if average is None else Decimal(average),
        )  # fmt: skip
    return VenueAnswer(client_order_id=order, trade_id="t1", order=known, error=error, now_ns=T0, fills=fills)


def a_venue_fill(quantity: str, price: str = "0.60", order: str = ENTRY, fill_id: str = "f1") -> VenueFill:
    return VenueFill(
        fill_id=fill_id, ticker=TICKER, side=Side.YES, price=Decimal(price), quantity=Decimal(quantity), ts=at(1),
        client_order_id=order, fees=Decimal("0.01"),
    )  # fmt: skip


def a_market_event(event: LifecycleEvent, *, ts: int = CLOSE_TS, **facts: Any) -> Lifecycle:
    return Lifecycle(ticker=TICKER, ts=ts, event=event.value, **facts)


def a_settlement(result: str = "yes", revenue: str = "10", **facts: Any) -> Settlement:
    return Settlement(
        account="demo", ticker=TICKER, ts=CLOSE_TS + NS_PER_S, result=result, revenue=Decimal(revenue), **facts
    )


def a_stop(rule: str = "probability", mark: Mark | None = None) -> CloseWanted:
    return CloseWanted(reason=rule, rule=rule, mark=a_mark() if mark is None else mark)


def a_person(quantity: str | None = None, reason: str = "by hand") -> CloseWanted:
    return CloseWanted(reason=reason, quantity=None if quantity is None else Decimal(quantity))


def determined(result: Result = Result.YES, **facts: Any) -> Lifecycle:
    return a_market_event(LifecycleEvent.DETERMINED, result=result, **facts)


class Life:
    """A trade led through events; `step` is the last step, `steps` all of them."""

    def __init__(self, trade: Trade, venue: VenueTerms = SELL) -> None:
        self.trade = trade
        self.venue = venue
        self.now_ns = T0
        self.steps: list[Step] = []

    @property
    def step(self) -> Step:
        return self.steps[-1]

    def take(self, step: Step) -> "Life":
        if step.trade is not self.trade:
            assert step.trade.version == self.trade.version + 1
        self.steps.append(readable_step(step))
        self.trade = step.trade
        return self

    def begin(self) -> "Life":
        return self.take(lifecycle.begin(self.trade, a_context(self.now_ns, self.venue)))

    def adopt(self) -> "Life":
        return self.take(lifecycle.adopt(self.trade, a_context(self.now_ns, self.venue)))

    def hear(self, event: Event, *, at_s: float | str | None = None, held: Decimal | None = None) -> "Life":
        if at_s is not None:
            self.now_ns = at(at_s)
        context = a_context(self.now_ns, self.venue, cause=f"event-{len(self.steps)}", held=held)
        return self.take(lifecycle.decide(self.trade, event, context))

    def timer(self, what: str, *, at_s: float | str | None = None) -> "Life":
        if at_s is not None:
            self.now_ns = at(at_s)
        return self.hear(
            TimerFired(owner=OWNER, key=timer_key(self.trade.trade_id, what), due_ns=self.now_ns, now_ns=self.now_ns)
        )

    def mark(self, mark: Mark | None = None) -> "Life":
        """Give the mark that the newest attempt waits for."""
        wanted = self.trade.attempts[-1].client_order_id
        given = MarkGiven(
            trade_id=self.trade.trade_id, client_order_id=wanted, mark=mark or a_mark(), now_ns=self.now_ns
        )
        return self.hear(given)

    def due(self, what: str) -> int | None:
        """Return when that timer was last set for."""
        key = timer_key(self.trade.trade_id, what)
        timers = [t for step in self.steps for t in step.timers if isinstance(t, SetTimer) and t.key == key]
        return timers[-1].due_ns if timers else None

    @property
    def edges(self) -> list[tuple[str, str]]:
        return [(str(e.from_state), str(e.to_state)) for step in self.steps for e in step.edges]

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for step in self.steps for notice in step.notices]

    @property
    def booked(self) -> list[Fill]:
        return [fill for step in self.steps for fill in step.fills]


def an_open_life(
    side: Side = Side.YES, quantity: str = "10", price: str = "0.60", venue: VenueTerms = SELL, **facts: Any
) -> Life:
    """Return a trade whose entry was filled at one second, with a cent of fees."""
    life = Life(a_trade(side, quantity, **facts), venue).begin()
    return life.hear(a_fill(quantity, price, status="filled", cumulative=quantity), at_s=1)


def an_adopted_life(side: Side = Side.YES, quantity: str = "10", price: str = "0.60", **facts: Any) -> Life:
    return Life(a_trade(side, quantity, entry_price=Decimal(price), entry_ts=T0, **facts)).adopt()


def a_closing_life(side: Side = Side.YES, quantity: str = "10", bid: str = "0.40", **facts: Any) -> Life:
    """Return a trade whose stop fired at ten seconds: attempt 1 is sent."""
    life = an_open_life(side, quantity, "0.60" if side.is_event else "50000", **facts)
    return life.hear(a_stop(mark=a_mark(bid)), at_s=10)


def purposes(life: Life) -> list[Purpose]:
    return [attempt.purpose for attempt in life.trade.attempts]
