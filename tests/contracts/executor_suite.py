"""The contract "An executor must" (DESIGN section 5) as plain functions, for whatever sends orders to a venue.

A test of an executor takes its parameters from `CLAUSES` and calls each with a new `ExecutorUnderTest`. The venue behind it
holds nothing at the start, trades the yes side of event contracts in paper mode, and quotes what `quote` says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from bus.messages.orders import Action, OrderCancel, OrderReport, OrderSubmit, ReportStatus, VenueOrder
from bus.messages.trades import Mode, Purpose, Side
from bus.messages.units import NS_PER_S

TICKER = "CONTRACT-1"
ACCOUNT = "acc"
ENDS = (ReportStatus.FILLED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.REJECTED)


class ExecutorUnderTest(Protocol):
    """An executor with its venue, and the ORDERS stream between it and the test."""

    def now_ns(self) -> int:
        """Return the executor's present."""
        ...

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        """Let the venue's market stand so from now on, with size for everybody."""
        ...

    def submit(self, order: OrderSubmit) -> None:
        """Publish `order` into ORDERS."""
        ...

    def cancel(self, cancel: OrderCancel) -> None:
        """Publish `cancel` into ORDERS."""
        ...

    def redeliver(self, order: OrderSubmit) -> None:
        """Let ORDERS deliver `order`, which was published before, once more."""
        ...

    def advance(self, ns: int) -> None:
        """Let that much time pass, and everything happen that happens in it."""
        ...

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        """Return what was published about an order, oldest first."""
        ...

    def look_up(self, account: str, client_order_id: str) -> VenueOrder | None:
        """Ask `venue.request.orders` about an order."""
        ...

    def held(self, account: str, ticker: str, side: Side) -> Decimal:
        """Ask `venue.request.positions` for one position; 0 where none is named."""
        ...


@dataclass
class Story:
    """Says the orders of one trade to an executor, in the words of the contract."""

    executor: ExecutorUnderTest

    def order(self, purpose: Purpose, attempt: int = 1, **changes: Any) -> OrderSubmit:  # any field
        now_ns = self.executor.now_ns()
        entry = purpose is Purpose.ENTRY
        given: dict[str, Any] = {
            "client_order_id": f"t1-{purpose}-{attempt}",
            "trade_id": "t1",
            "account": ACCOUNT,
            "mode": Mode.PAPER,
            "purpose": purpose,
            "attempt": attempt,
            "ticker": TICKER,
            "side": Side.YES,
            "action": Action.BUY if entry else Action.SELL,
            "quantity": Decimal(10),
            "limit_price": Decimal("0.60") if entry else Decimal("0.01"),
            "reduce_only": not entry,
            "expires_ts": now_ns + 30 * NS_PER_S,
            "epoch": 5,
            "cause": "contract",
            "trade_version": 1,
            "settings_version": 1,
            "ts": now_ns,
        } | changes
        return OrderSubmit(**given)

    def sends(self, order: OrderSubmit) -> OrderSubmit:
        self.executor.submit(order)
        self.passes()
        return order

    def passes(self, seconds: int = 2) -> None:
        self.executor.advance(seconds * NS_PER_S)

    def cancels(self, order: OrderSubmit, *, epoch: int = 5) -> None:
        self.executor.cancel(
            OrderCancel(
                client_order_id=order.client_order_id,
                trade_id=order.trade_id,
                account=order.account,
                reason="contract",
                epoch=epoch,
                ts=self.executor.now_ns(),
            )
        )
        self.passes()

    def holds(self) -> None:
        """Buy ten yes contracts at 0.40."""
        self.executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")
        self.sends(self.order(Purpose.ENTRY))

    def held(self) -> Decimal:
        return self.executor.held(ACCOUNT, TICKER, Side.YES)

    def statuses(self, order: OrderSubmit) -> list[ReportStatus]:
        return [report.status for report in self.executor.reports(order.client_order_id)]

    def filled(self, order: OrderSubmit) -> Decimal:
        by_id = {report.fill_id: report.fill_quantity for report in self.executor.reports(order.client_order_id)}
        return sum((quantity for quantity in by_id.values() if quantity is not None), Decimal(0))


def an_order_is_accepted_and_its_fill_reported(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")

    order = story.sends(story.order(Purpose.ENTRY))

    assert story.statuses(order) == [ReportStatus.ACCEPTED, ReportStatus.FILLED]
    last = executor.reports(order.client_order_id)[-1]
    assert (last.fill_price, last.fill_quantity, last.cumulative_quantity) == (
        Decimal("0.40"),
        Decimal(10),
        Decimal(10),
    )
    assert last.fill_id is not None
    assert last.fees is not None


def a_redelivered_order_is_looked_up_and_never_sent_twice(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()

    executor.redeliver(story.order(Purpose.ENTRY))
    story.passes()

    assert story.held() == Decimal(10)


def a_redelivered_order_gets_the_same_fill_id(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()

    executor.redeliver(story.order(Purpose.ENTRY))
    story.passes()

    fills = {report.fill_id for report in executor.reports("t1-entry-1") if report.fill_id is not None}
    assert len(fills) == 1


def an_order_is_not_sent_after_its_expires_ts(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")
    late = story.order(Purpose.ENTRY, expires_ts=executor.now_ns() - 1)

    story.sends(late)

    assert story.statuses(late) == [ReportStatus.EXPIRED]
    assert story.held() == 0


def an_older_epoch_is_refused(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()

    old = story.sends(story.order(Purpose.ENTRY, attempt=2, epoch=4))

    assert story.statuses(old) == [ReportStatus.REJECTED]
    assert story.held() == Decimal(10)


def another_mode_is_refused(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")

    live = story.sends(story.order(Purpose.ENTRY, mode=Mode.LIVE))

    assert story.statuses(live) == [ReportStatus.REJECTED]
    assert story.held() == 0


def a_close_never_exceeds_the_position_held(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()

    close = story.sends(story.order(Purpose.CLOSE, quantity=Decimal(25)))

    assert story.filled(close) == Decimal(10)
    assert story.held() == 0


def a_close_without_a_position_fills_nothing(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")

    close = story.sends(story.order(Purpose.CLOSE))

    assert story.filled(close) == 0
    assert story.statuses(close)[-1] in (ReportStatus.REJECTED, ReportStatus.CANCELLED)


def two_closes_at_once_do_not_exceed_the_position_together(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    closes = [story.order(Purpose.CLOSE, attempt) for attempt in (1, 2)]

    for close in closes:
        executor.submit(close)
    story.passes()

    assert sum(story.filled(close) for close in closes) == Decimal(10)
    assert story.held() == 0


def a_resting_close_counts_against_the_position(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    rests = story.order(Purpose.CLOSE, limit_price=Decimal("0.90"), time_in_force="gtc", quantity=Decimal(7))
    story.sends(rests)

    second = story.sends(story.order(Purpose.CLOSE, attempt=2))

    assert story.statuses(rests) == [ReportStatus.ACCEPTED]
    assert story.filled(second) == Decimal(3)


def a_limit_is_kept(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.70")

    order = story.sends(story.order(Purpose.ENTRY))

    assert story.statuses(order)[-1] is ReportStatus.CANCELLED
    assert story.filled(order) == 0


def an_ioc_without_anybody_to_meet_is_cancelled(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    executor.quote(TICKER)

    close = story.sends(story.order(Purpose.CLOSE))

    last = executor.reports(close.client_order_id)[-1]
    assert (last.status, last.cumulative_quantity) == (ReportStatus.CANCELLED, Decimal(0))


def a_resting_order_fills_when_it_is_met(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    rests = story.sends(story.order(Purpose.CLOSE, limit_price=Decimal("0.50"), time_in_force="gtc"))

    executor.quote(TICKER, yes_bid="0.55", yes_ask="0.57")
    story.passes()

    assert story.statuses(rests) == [ReportStatus.ACCEPTED, ReportStatus.FILLED]


def a_cancel_is_answered_with_what_was_filled(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    rests = story.sends(story.order(Purpose.CLOSE, limit_price=Decimal("0.90"), time_in_force="gtc"))

    story.cancels(rests)

    last = executor.reports(rests.client_order_id)[-1]
    assert (last.status, last.cumulative_quantity) == (ReportStatus.CANCELLED, Decimal(0))


def a_cancel_before_its_order_promises_never_to_send_it(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")
    order = story.order(Purpose.ENTRY)
    story.cancels(order)

    story.sends(order)

    assert set(story.statuses(order)) == {ReportStatus.CANCELLED}
    assert story.held() == 0


def a_lookup_finds_what_was_filled(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()

    found = executor.look_up(ACCOUNT, "t1-entry-1")

    assert found is not None
    assert (found.status, found.cumulative_quantity) == (ReportStatus.FILLED, Decimal(10))


def a_lookup_of_an_order_that_never_came_finds_nothing(executor: ExecutorUnderTest) -> None:
    assert executor.look_up(ACCOUNT, "t9-entry-1") is None


def an_order_ends_once(executor: ExecutorUnderTest) -> None:
    story = Story(executor)
    story.holds()
    close = story.sends(story.order(Purpose.CLOSE))

    story.cancels(close)
    executor.redeliver(close)
    story.passes()

    assert {status for status in story.statuses(close) if status in ENDS} == {ReportStatus.FILLED}


CLAUSES: tuple[Callable[[ExecutorUnderTest], None], ...] = (
    an_order_is_accepted_and_its_fill_reported,
    a_redelivered_order_is_looked_up_and_never_sent_twice,
    a_redelivered_order_gets_the_same_fill_id,
    an_order_is_not_sent_after_its_expires_ts,
    an_older_epoch_is_refused,
    another_mode_is_refused,
    a_close_never_exceeds_the_position_held,
    a_close_without_a_position_fills_nothing,
    two_closes_at_once_do_not_exceed_the_position_together,
    a_resting_close_counts_against_the_position,
    a_limit_is_kept,
    an_ioc_without_anybody_to_meet_is_cancelled,
    a_resting_order_fills_when_it_is_met,
    a_cancel_is_answered_with_what_was_filled,
    a_cancel_before_its_order_promises_never_to_send_it,
    a_lookup_finds_what_was_filled,
    a_lookup_of_an_order_that_never_came_finds_nothing,
    an_order_ends_once,
)
"""Every clause of the contract."""
