"""Builders for the Reconciler's tests: trades as TradeDesk says them, and an engine between questions and answers."""

from decimal import Decimal
from typing import Any, TypeVar

from msgspec.structs import replace

from actors.rules.reconcile.reconciler import ReconcileEngine
from actors.rules.reconcile.terms import ReconcileTerms
from actors.rules.trade.steps import VenueTerms
from bus.messages.notices import Notice
from bus.messages.orders import ReportStatus, VenueFill, VenueOrder, VenuePosition
from bus.messages.reconcile import AccountAnswer, AccountQuestion, AccountStanding, VenuesUp
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Attempt, AttemptState, Fill, Mode, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S
from tests.rules.readable import readable

W = TypeVar("W")
D = Decimal
T0 = 1_750_000_000 * NS_PER_S
TERMS = ReconcileTerms(
    venues={"sim": VenueTerms(name="sim"), "net": VenueTerms(name="net", style="buy_opposite", netting=True)}
)


def at(seconds: float) -> int:
    return T0 + int(seconds * NS_PER_S)


def an_attempt(order: str = "t1-close-1", state: AttemptState = AttemptState.SENT, **changes: Any) -> Attempt:
    purpose = Purpose.CLOSE if "-close-" in order else Purpose.ENTRY
    given: dict[str, Any] = {"purpose": purpose, "attempt": 1, "state": state, "quantity": D(10)} | changes
    return Attempt(client_order_id=order, **given)


def a_fill(order: str = "t1-entry-1", fill_id: str = "f1", quantity: str = "10", at_s: float = -50) -> Fill:
    purpose = Purpose.CLOSE if "-close-" in order else Purpose.ENTRY
    return Fill(
        fill_id=fill_id, client_order_id=order, purpose=purpose, price=D("0.60"), quantity=D(quantity), fees=D(0),
        ts=at(at_s),
    )  # fmt: skip


def a_trade(trade_id: str = "t1", quantity: str = "10", **changes: Any) -> Trade:
    """Return an open trade of ten yes contracts, entered a minute ago by one fill of its own."""
    entry = an_attempt(f"{trade_id}-entry-1", AttemptState.DEAD, filled=D(quantity), evidence="filled")
    fill = a_fill(f"{trade_id}-entry-1", f"{trade_id}-f", quantity)
    given: dict[str, Any] = {
        "state": TradeState.OPEN, "version": 2, "account": "acc", "venue": "sim", "mode": Mode.LIVE, "ticker": "K",
        "side": Side.YES, "quantity": D(quantity), "ts": at(-50), "requested_ts": at(-60), "entry_ts": at(-50),
        "open_quantity": D(quantity), "filled_quantity": D(quantity), "entry_cost": D(quantity) * D("0.60"),
        "attempts": (entry,), "fills": (fill,),
    }  # fmt: skip
    return Trade(trade_id=trade_id, **(given | changes))


def a_position(quantity: str = "10", side: Side = Side.YES, ticker: str = "K") -> VenuePosition:
    return VenuePosition(ticker=ticker, side=side, quantity=D(quantity))


def a_venue_fill(fill_id: str = "m1", quantity: str = "10", price: str = "0.45", **changes: Any) -> VenueFill:
    """Return a fill of somebody else's, of the yes side, made a moment ago."""
    given: dict[str, Any] = {"ticker": "K", "side": Side.YES, "ts": at(-1), "fees": D("0.07")} | changes
    return VenueFill(fill_id=fill_id, price=D(price), quantity=D(quantity), **given)


def a_venue_order(order: str = "t1-close-1", status: str = "accepted", filled: str = "0") -> VenueOrder:
    return VenueOrder(client_order_id=order, status=ReportStatus(status), cumulative_quantity=D(filled))


class Room:
    """An engine whose questions are answered as the test says; `said` is everything it has said since the last look."""

    def __init__(self, *trades: Trade, terms: ReconcileTerms = TERMS, up: bool = True) -> None:
        self.engine = ReconcileEngine(terms, trades, T0)
        self.now_ns = T0
        self.said: list[object] = []
        self.all_said: list[object] = []
        if up:
            self.hear(VenuesUp(now_ns=T0))

    def hear(self, word: object) -> list[object]:
        said = readable(self.engine.handle(word))
        self.said += said
        self.all_said += said
        return said

    def passes(self, seconds: float) -> "Room":
        """Let time pass, and every timer fire that is due by then."""
        end_ns = self.now_ns + int(seconds * NS_PER_S)
        while (due := self._next_timer(end_ns)) is not None:
            self.now_ns = max(self.now_ns, due.due_ns)
            self.hear(TimerFired(owner=due.owner, key=due.key, due_ns=due.due_ns, now_ns=self.now_ns))
        self.now_ns = end_ns
        return self

    def _next_timer(self, until_ns: int) -> SetTimer | None:
        fired = {(word.key, word.due_ns) for word in self._fired}
        last = {word.key: word for word in of_kind(self.all_said, SetTimer)}
        due = [word for word in last.values() if word.due_ns <= until_ns and (word.key, word.due_ns) not in fired]
        first = min(due, key=lambda word: word.due_ns, default=None)
        if first is not None:
            self._fired.append(first)
        return first

    @property
    def _fired(self) -> list[SetTimer]:
        return self.__dict__.setdefault("fired", [])  # type: ignore[no-any-return]  # made on first use

    def question(self, account: str = "acc") -> AccountQuestion:
        """Return the last question about an account."""
        return [q for q in of_kind(self.all_said, AccountQuestion) if q.account == account][-1]

    def answers(
        self,
        *positions: VenuePosition,
        orders: tuple[VenueOrder, ...] = (),
        fills: tuple[VenueFill, ...] = (),
        error: str | None = None,
        account: str = "acc",
    ) -> list[object]:
        """Answer the last question about the account; return what is said because of it."""
        asked = self.question(account)
        self.said = []
        return self.hear(
            AccountAnswer(
                venue=asked.venue, account=account, asked_ns=asked.now_ns, now_ns=self.now_ns, error=error,
                orders=orders, fills=fills, positions=positions,
            )
        )  # fmt: skip

    def agrees_after(self, *positions: VenuePosition, for_s: int = 5, **more: Any) -> list[object]:
        """Give the same answer to every look within so many seconds; return what is said because of the last one."""
        said = self.answers(*positions, **more)
        for _ in range(0, for_s, 5):
            self.passes(5)
            said = self.answers(*positions, **more)
        return said

    @property
    def standing(self) -> AccountStanding:
        return of_kind(self.all_said, AccountStanding)[-1]

    @property
    def notices(self) -> list[str]:
        return [notice.kind for notice in of_kind(self.all_said, Notice)]


def of_kind(said: list[object], kind: type[W]) -> list[W]:
    return [word for word in said if isinstance(word, kind)]


def later(trade: Trade, **changes: Any) -> Trade:
    """Return `trade` after a change."""
    return replace(trade, version=trade.version + 1, **changes)
