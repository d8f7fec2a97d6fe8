"""A desk, a reconciler and a venue between which anything may be lost, doubled or late, for as long as the world is bad."""

import heapq
import itertools
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from actors.rules.reconcile.reconciler import ReconcileEngine
from actors.rules.reconcile.terms import ReconcileTerms
from bus.messages.envelope import Outgoing, Received
from bus.messages.orders import (
    Action,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    ReportStatus,
    VenueAnswer,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuestion,
)
from bus.messages.reconcile import (
    AccountAnswer,
    AccountQuestion,
    AccountStanding,
    ClosedOutside,
    PositionsSeen,
    ReconcileWanted,
    VenuesUp,
)
from bus.messages.records import Commit
from bus.messages.stops import MarkGiven, MarkWanted
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Purpose, Side, Trade
from bus.messages.units import NS_PER_S, ZERO
from tests.rules.desk.builders import T0, TICKER, VENUES, a_command, a_live_open, a_mark, an_unheard_desk, received
from tests.rules.readable import readable

ACCOUNT = "real"
PRICE = Decimal("0.50")


class TrueVenue:
    """What really happened: orders, fills and positions, whoever hears of them."""

    def __init__(self, chance: Random) -> None:
        self.orders: dict[str, VenueOrder] = {}
        self.fills: list[VenueFill] = []
        self.held = ZERO
        self._chance = chance
        self._ids = itertools.count(1)

    def work(self, order: OrderSubmit, now_ns: int) -> list[OrderReport]:
        """Fill an order in no, one or several pieces, cancel the rest; return every report of it."""
        if order.client_order_id in self.orders or now_ns > order.expires_ts:
            return []
        most = order.quantity if order.purpose is Purpose.ENTRY else min(order.quantity, self.held)
        left = most * self._chance.choice((0, 1, 2, 2)) // 2
        filled = ZERO
        reports = [self._report(order, ReportStatus.ACCEPTED, ZERO, now_ns)]
        while left:
            piece = left if self._chance.random() < 0.5 else Decimal(self._chance.randint(1, int(left)))
            left, filled = left - piece, filled + piece
            self._move(piece if order.action is Action.BUY else -piece)
            fill = self._fill(piece, now_ns, order.client_order_id)
            status = ReportStatus.FILLED if filled == order.quantity else ReportStatus.PARTIALLY_FILLED
            reports.append(
                replace(
                    self._report(order, status, filled, now_ns),
                    fill_id=fill.fill_id,
                    fill_price=fill.price,
                    fill_quantity=piece,
                    fees=fill.fees,
                )
            )
        ended = ReportStatus.FILLED if filled == order.quantity else ReportStatus.CANCELLED
        if ended is ReportStatus.CANCELLED:
            reports.append(self._report(order, ended, filled, now_ns))
        self.orders[order.client_order_id] = VenueOrder(
            client_order_id=order.client_order_id, status=ended, cumulative_quantity=filled
        )
        return reports

    def close_by_hand(self, quantity: Decimal, now_ns: int, *, tells: bool) -> None:
        """Let a person sell at the venue's own screen; tells: whether the venue tells it as a fill."""
        self._move(-quantity)
        if tells and quantity:
            self._fill(quantity, now_ns, None)

    def _move(self, quantity: Decimal) -> None:
        self.held += quantity

    def _fill(self, quantity: Decimal, now_ns: int, order: str | None) -> VenueFill:
        fill = VenueFill(
            fill_id=f"f{next(self._ids)}", ticker=TICKER, side=Side.YES, price=PRICE, quantity=quantity, ts=now_ns,
            client_order_id=order, fees=Decimal("0.01"),
        )  # fmt: skip
        self.fills.append(fill)
        return fill

    @staticmethod
    def _report(order: OrderSubmit, status: ReportStatus, filled: Decimal, now_ns: int) -> OrderReport:
        return OrderReport(client_order_id=order.client_order_id, ts=now_ns, status=status, cumulative_quantity=filled)

    def positions(self) -> tuple[VenuePosition, ...]:
        return (VenuePosition(ticker=TICKER, side=Side.YES, quantity=self.held),) if self.held else ()


class World:
    """Lets words, reports, answers and timers happen in time. bad: whether reports and answers may go wrong."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.now_ns = T0
        self.bad = True
        self.desk = an_unheard_desk()
        self.engine = ReconcileEngine(ReconcileTerms(venues=VENUES), (), T0)
        self.venue = TrueVenue(self.chance)
        self.trades: dict[str, Trade] = {}
        self.booked: list[str] = []
        self.closes: list[OrderSubmit] = []
        self.standing: AccountStanding | None = None
        self._due: list[tuple[int, int, Any]] = []
        self._timers: dict[tuple[str, str], int] = {}
        self._number = itertools.count()

    # Time

    def later(self, word: Any, after_s: float = 0) -> None:
        heapq.heappush(self._due, (self.now_ns + int(after_s * NS_PER_S), next(self._number), word))

    def passes(self, seconds: float) -> None:
        """Let everything happen that is due within so many seconds."""
        end_ns = self.now_ns + int(seconds * NS_PER_S)
        while self._due and self._due[0][0] <= end_ns:
            due_ns, _, word = heapq.heappop(self._due)
            self.now_ns = max(self.now_ns, due_ns)
            if isinstance(word, TimerFired):
                if self._timers.get((word.owner, word.key)) != word.due_ns:
                    continue
                del self._timers[word.owner, word.key]
                word = replace(word, now_ns=self.now_ns)
            elif isinstance(word, Received):
                word = replace(word, received_ns=self.now_ns)
            self.hear(word)
        self.now_ns = end_ns

    # Words

    def hear(self, word: Any) -> None:
        """Hand a word to whoever hears it, and everything that follows to the others."""
        for engine in self._hearers(word):
            for said in readable(engine.handle(word)):
                self._take(said, engine)

    def _hearers(self, word: Any) -> tuple[Any, ...]:
        match word:
            case TimerFired(owner="reconciler") | AccountAnswer() | ReconcileWanted() | VenuesUp() | Trade():
                return (self.engine,)
            case VenueAnswer():
                return self.desk, self.engine
            case VenueQuestion():
                return (self.engine,)
            case _:
                return (self.desk,)

    def _take(self, word: Any, speaker: Any) -> None:
        match word:
            case VenueQuestion() | AccountQuestion() if speaker is self.engine:
                self._answer(word)
            case VenueQuestion():
                self.hear(word)
            case Trade():
                self.trades[word.trade_id] = word
                self.hear(word)
            case Outgoing(message=OrderSubmit() as order):
                self.closes.append(order)
                self._arrives(order)
            case Commit():
                self._keep(word)
            case SetTimer() | CancelTimer():
                self._set_timer(word)
            case AccountStanding() | ReconcileWanted() | ClosedOutside() | PositionsSeen() | VenueAnswer():
                self.standing = word if isinstance(word, AccountStanding) else self.standing
                self.later(word)
            case MarkWanted(trade_id=trade_id, client_order_id=order_id):
                mark = a_mark(str(PRICE))
                self.later(MarkGiven(trade_id=trade_id, client_order_id=order_id, mark=mark, now_ns=self.now_ns))

    def _keep(self, commit: Commit) -> None:
        self.booked += [row.fill.fill_id for row in commit.fills]
        for order in commit.orders:
            if order.purpose is Purpose.ENTRY:
                self._arrives(order)
        for cancel in commit.cancels:
            self._cancels(cancel)

    def _set_timer(self, word: SetTimer | CancelTimer) -> None:
        if isinstance(word, CancelTimer):
            self._timers.pop((word.owner, word.key), None)
            return
        self._timers[word.owner, word.key] = word.due_ns
        fired = TimerFired(owner=word.owner, key=word.key, due_ns=word.due_ns, now_ns=word.due_ns)
        heapq.heappush(self._due, (max(word.due_ns, self.now_ns), next(self._number), fired))

    # The venue and the road to it

    def _goes_wrong(self, often: float) -> bool:
        return self.bad and self.chance.random() < often

    def _arrives(self, order: OrderSubmit) -> None:
        if self._goes_wrong(0.2):
            return
        for report in self.venue.work(order, self.now_ns):
            for _ in range(2 if self._goes_wrong(0.2) else 1):
                if not self._goes_wrong(0.4):
                    what = report.fill_id or report.status
                    key = f"report:{report.client_order_id}:{what}"
                    self.later(a_command(report, key=key), self.chance.uniform(0, 20) * self.bad)

    def _cancels(self, cancel: OrderCancel) -> None:
        """A cancel of what never came promises never to send it; of what has ended it is answered as before."""
        known = self.venue.orders.setdefault(
            cancel.client_order_id,
            VenueOrder(client_order_id=cancel.client_order_id, status=ReportStatus.CANCELLED, cumulative_quantity=ZERO),
        )
        if not self._goes_wrong(0.4):
            report = OrderReport(
                client_order_id=cancel.client_order_id, ts=self.now_ns, status=known.status,
                cumulative_quantity=known.cumulative_quantity,
            )  # fmt: skip
            key = f"report:{cancel.client_order_id}:{known.status}:cancel"
            self.later(a_command(report, key=key), self.chance.uniform(0, 5))

    def _answer(self, question: VenueQuestion | AccountQuestion) -> None:
        error = "timeout" if self._goes_wrong(0.4) else None
        after_s = self.chance.uniform(0, 2)
        if isinstance(question, VenueQuestion):
            order = self.venue.orders.get(question.client_order_id)
            fills = tuple(f for f in self.venue.fills if f.client_order_id == question.client_order_id)
            answer: Any = VenueAnswer(
                client_order_id=question.client_order_id, trade_id=question.trade_id, order=order if error is None else None,
                error=error, now_ns=self.now_ns + int(after_s * NS_PER_S), fills=fills if error is None else (),
                venue=question.venue, account=question.account,
            )  # fmt: skip
        else:
            answer = AccountAnswer(
                venue=question.venue, account=question.account, asked_ns=question.now_ns,
                now_ns=self.now_ns + int(after_s * NS_PER_S), error=error, orders=tuple(self.venue.orders.values()),
                fills=tuple(self.venue.fills), positions=self.venue.positions(),
            )  # fmt: skip
        self.later(answer, after_s)

    # What a test says

    def opens(self) -> "World":
        """Ask for a trade of ten, and let its account be answered for."""
        self.engine.handle(VenuesUp(now_ns=T0))
        self.hear(received(a_live_open(venue="plain", account=ACCOUNT), received_ns=self.now_ns))
        return self

    def heals(self) -> "World":
        """From now on everything arrives."""
        self.bad = False
        self.hear(VenuesUp(now_ns=self.now_ns))
        return self
