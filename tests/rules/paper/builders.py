"""Builders for the simulated venue's tests: orders, quotes, and a venue whose timers a test drives by hand."""

from decimal import Decimal
from typing import Any

from actors.rules.paper.book import PaperBook
from actors.rules.paper.faults import Faults
from bus.messages.market import Quote, Ticks
from bus.messages.orders import (
    Action,
    OrderArrived,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    ReportStatus,
    VenueOrdersRequest,
)
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Fill, Mode, Purpose, Side, Trade, TradeState
from tests.rules.readable import readable

S = 1_000_000_000
MS = 1_000_000
T0 = 1_700_000_000 * S
LATENCY_NS = 50 * MS
TICKER = "KXBTCD-25JUL1617-T119499.99"

D = Decimal


def an_order(**changes: Any) -> OrderSubmit:  # a builder takes any field
    """An entry of ten yes contracts, sent at T0, whatever it costs."""
    given: dict[str, Any] = {
        "trade_id": "t1",
        "account": "acc",
        "mode": Mode.PAPER,
        "purpose": Purpose.ENTRY,
        "attempt": 1,
        "ticker": TICKER,
        "side": Side.YES,
        "action": Action.BUY,
        "quantity": D(10),
        "reduce_only": False,
        "ts": T0,
        "epoch": 1,
        "cause": "test",
        "trade_version": 1,
        "settings_version": 1,
    } | changes
    given.setdefault("expires_ts", given["ts"] + 30 * S)
    given.setdefault("client_order_id", f"{given['trade_id']}-{given['purpose']}-{given['attempt']}")
    return OrderSubmit(**given)


def a_close(**changes: Any) -> OrderSubmit:  # as above
    """A close of ten yes contracts by selling them."""
    return an_order(**({"purpose": Purpose.CLOSE, "action": Action.SELL, "reduce_only": True} | changes))


def a_cancel(order: OrderSubmit, **changes: Any) -> OrderCancel:  # as above
    given: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "trade_id": order.trade_id,
        "account": order.account,
        "reason": "test",
        "epoch": 1,
        "ts": order.ts,
    } | changes
    return OrderCancel(**given)


def a_quote(ticker: str = TICKER, ts: int = T0, **prices: str) -> Quote:
    given: dict[str, Any] = {name: D(price) for name, price in prices.items()}
    return Quote(ticker=ticker, ts=ts, **given)


def a_trade(**changes: Any) -> Trade:  # as above
    """An open paper trade of ten yes contracts without fills of its own."""
    given: dict[str, Any] = {
        "trade_id": "t1",
        "state": TradeState.OPEN,
        "version": 2,
        "account": "acc",
        "venue": "paper",
        "mode": Mode.PAPER,
        "ticker": TICKER,
        "side": Side.YES,
        "quantity": D(10),
        "open_quantity": D(10),
        "ts": T0,
    } | changes
    return Trade(**given)


def an_entry_fill(quantity: str = "10") -> Fill:
    """The first fill of `an_order`, as its trade has booked it."""
    return Fill(
        fill_id="t1-entry-1-f1",
        client_order_id="t1-entry-1",
        purpose=Purpose.ENTRY,
        price=D("0.4"),
        quantity=D(quantity),
        fees=D(0),
        ts=T0,
    )


def two_cents(_price: Decimal, quantity: Decimal) -> Decimal:
    return D("0.02") * quantity


class Venue:
    """A PaperBook with a clock: `at` moves it on, firing what is due on the way, timers before whatever comes next."""

    def __init__(
        self, *, faults: Faults | None = None, style: str = "sell", netting: bool = False, page_rows: int = 100
    ) -> None:
        self.book = PaperBook(
            latency_ns=LATENCY_NS,
            fee_of=two_cents,
            faults=faults,
            style=style,
            netting=netting,
            page_rows=page_rows,
        )
        self.now_ns = T0
        self.reports: list[OrderReport] = []
        self.timers: dict[str, int] = {}
        self.sequence = 0

    def hear(self, word: object) -> list[object]:
        said = readable(self.book.handle(word))
        self.listen(said)
        return said

    def listen(self, said: list[object]) -> None:
        for word in said:
            match word:
                case OrderReport():
                    self.reports.append(word)
                case SetTimer(owner="paper_venue", key=key, due_ns=due_ns):
                    self.timers[key] = due_ns
                case CancelTimer(owner="paper_venue", key=key):
                    self.timers.pop(key, None)
                case _:
                    raise AssertionError(word)

    def at(self, now_ns: int) -> "Venue":
        while due := [key for key, due_ns in self.timers.items() if due_ns <= now_ns]:
            key = min(due, key=lambda name: self.timers[name])
            due_ns = self.timers.pop(key)
            self.now_ns = max(self.now_ns, due_ns)
            self.hear(TimerFired(owner="paper_venue", key=key, due_ns=due_ns, now_ns=self.now_ns))
        self.now_ns = max(self.now_ns, now_ns)
        return self

    def quote(self, ticker: str = TICKER, **prices: str) -> "Venue":
        self.hear(Ticks(batch=(a_quote(ticker, self.now_ns, **prices),), received_ns=self.now_ns))
        return self

    def order(self, order: OrderSubmit | OrderCancel) -> list[object]:
        self.sequence += 1
        return self.hear(
            OrderArrived(order=order, token=f"token-{self.sequence}", sequence=self.sequence, now_ns=self.now_ns)
        )

    def holding(self, *, ask: str = "0.40", quantity: str = "10", trade_id: str = "t1") -> "Venue":
        """Buy that many yes contracts at `ask`, at T0 plus latency."""
        self.quote(yes_ask=ask, yes_bid="0.38")
        self.order(an_order(trade_id=trade_id, quantity=D(quantity), ts=self.now_ns))
        return self.at(self.now_ns + LATENCY_NS)

    def statuses(self, client_order_id: str) -> list[ReportStatus]:
        return [report.status for report in self.reports if report.client_order_id == client_order_id]

    def fills(self, client_order_id: str) -> list[tuple[Decimal, Decimal]]:
        """Price and quantity of each fill that was reported, once each."""
        by_id = {
            report.fill_id: (report.fill_price, report.fill_quantity)
            for report in self.reports
            if report.client_order_id == client_order_id and report.fill_id is not None
        }
        return [(price, quantity) for price, quantity in by_id.values() if price is not None and quantity is not None]

    def position(self, side: Side = Side.YES, ticker: str = TICKER) -> Decimal:
        found = self.book.positions(VenueOrdersRequest(account="acc")).positions
        return sum((held.quantity for held in found if (held.ticker, held.side) == (ticker, side)), D(0))
