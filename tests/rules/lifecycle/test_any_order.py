"""Any order, loss, duplication or delay of reports, fills, positions and settlements ends in the same final trade.

A story is what truly happened at the venue; a telling is how we hear of it: shuffled, repeated, in part lost. Whatever the
telling, look-ups that answer the truth follow, and the trade must end as it does when everything is told in order.
"""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.rules.trade.steps import OWNER, Event, VenueTerms, timer_key
from bus.messages.market import LifecycleEvent, Result
from bus.messages.orders import OrderReport, Position, ReportStatus, VenueAnswer, VenueFill, VenueOrder
from bus.messages.timers import TimerFired
from bus.messages.trades import Mode, Purpose, Side, Trade
from bus.messages.units import ZERO
from tests.rules.lifecycle.builders import (
    BUY_OPPOSITE,
    CLOSE_TS,
    ENTRY,
    SELL,
    TICKER,
    Life,
    a_market_event,
    a_settlement,
    a_stop,
    a_trade,
    at,
    determined,
)

CLOSE_1 = "t1-close-1"
LATE_S = "3598.9"
"""A stop this late has one attempt only: the next would leave past the cutoff."""
CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)
SIZES = st.integers(1, 400).map(lambda hundredths: Decimal(hundredths) / 100)
FEES = st.integers(0, 9).map(lambda cents: Decimal(cents) / 100)


@dataclass(frozen=True)
class OrderStory:
    """What became of one order: its fills, and the word that ended it."""

    order: str
    fills: tuple[VenueFill, ...]
    last: ReportStatus

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    def reports(self) -> list[OrderReport]:
        """Return all that the venue says of it, in its own order."""
        said = [OrderReport(client_order_id=self.order, ts=at(1), status=ReportStatus.ACCEPTED)]
        cumulative = ZERO
        for fill in self.fills:
            cumulative += fill.quantity
            said.append(
                OrderReport(
                    client_order_id=self.order, ts=fill.ts, status=ReportStatus.PARTIALLY_FILLED,
                    fill_id=fill.fill_id, fill_price=fill.price, fill_quantity=fill.quantity, fees=fill.fees,
                    cumulative_quantity=cumulative,
                )
            )  # fmt: skip
        said.append(
            OrderReport(client_order_id=self.order, ts=at(9), status=self.last, cumulative_quantity=self.filled)
        )
        return said

    def answer(self, now_ns: int) -> VenueAnswer:
        known = VenueOrder(client_order_id=self.order, status=self.last, cumulative_quantity=self.filled)
        return VenueAnswer(
            client_order_id=self.order, trade_id="t1", order=known, error=None, now_ns=now_ns, fills=self.fills
        )


@dataclass(frozen=True)
class Story:
    """One trade at its venue."""

    trade: Trade
    venue: VenueTerms
    entry: OrderStory
    close: OrderStory
    result: Result

    def market(self) -> list[Event]:
        """Return what the market, the account and the timer say at and after the close time."""
        key = timer_key("t1", "expiry")
        return [
            Position(account="demo", ticker=TICKER, ts=at(2), side=self.trade.side, quantity=self.entry.filled),
            TimerFired(owner=OWNER, key=key, due_ns=CLOSE_TS, now_ns=at(3600)),
            a_market_event(LifecycleEvent.CLOSE),
            determined(self.result),
            a_settlement(self.result.value),
        ]


@st.composite
def order_stories(draw: st.DrawFn, order: str, quantity: Decimal) -> OrderStory:
    """Draw fills that do not exceed `quantity`, and the word that ends the order."""
    left = quantity
    fills: list[VenueFill] = []
    for n in range(draw(st.integers(0, 3))):
        size = left if draw(st.booleans()) else min(left, draw(SIZES))
        if size:
            fills.append(
                VenueFill(
                    fill_id=f"{order}-{n}", ticker=TICKER, side=Side.YES, price=draw(CENTS), quantity=size, ts=at(2 + n),
                    client_order_id=order, fees=draw(FEES),
                )
            )  # fmt: skip
            left -= size
    ended = ReportStatus.FILLED if not left else draw(st.sampled_from([ReportStatus.CANCELLED, ReportStatus.EXPIRED]))
    if not fills:
        ended = draw(st.sampled_from([ReportStatus.REJECTED, ReportStatus.CANCELLED, ReportStatus.EXPIRED]))
    return OrderStory(order, tuple(fills), ended)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    quantity = draw(SIZES)
    trade = replace(
        a_trade(draw(st.sampled_from([Side.YES, Side.NO]))), quantity=quantity, mode=draw(st.sampled_from(Mode))
    )
    entry = draw(order_stories(ENTRY, quantity))
    close = draw(order_stories(CLOSE_1, entry.filled))
    venue = draw(st.sampled_from([SELL, BUY_OPPOSITE]))
    return Story(trade, venue, entry, close, draw(st.sampled_from([Result.YES, Result.NO])))


@st.composite
def tellings(draw: st.DrawFn, words: list[Event]) -> list[Event]:
    """Draw some of `words`, some of them twice, in any order."""
    told = [word for word in words if draw(st.integers(0, 4))]
    again = [word for word in told if not draw(st.integers(0, 3))]
    return draw(st.permutations([*told, *again]))


def _check(life: Life) -> None:
    """Invariants S1, S2: fills add up, no more is closed than opened, one close at a time."""
    trade = life.trade
    entered = sum((fill.quantity for fill in trade.fills if fill.purpose is Purpose.ENTRY), ZERO)
    closed = sum((fill.quantity for fill in trade.fills if fill.purpose is Purpose.CLOSE), ZERO)
    assert trade.filled_quantity == entered
    assert trade.closed_quantity == closed
    assert closed <= entered
    assert trade.open_quantity in {entered - closed, ZERO}
    assert len({order.client_order_id for step in life.steps for order in step.closes}) <= 1


def _tell(life: Life, words: list[Event]) -> None:
    for word in words:
        life.hear(word)
        _check(life)


def _ask_until_known(life: Life, story: OrderStory) -> None:
    """Let the look-up run that is due while anything is unanswered, and answer the truth."""
    life.timer("lookup")
    if life.step.questions:
        life.hear(story.answer(life.now_ns))
        _check(life)


def _final(trade: Trade) -> Trade:
    attempts = tuple(replace(attempt, cancel_requested=False) for attempt in trade.attempts)
    return replace(trade, version=0, ts=0, cause="", attempts=attempts)


def _live_through(story: Story, entry_told: list[Event], rest_told: list[Event], *, stops: bool) -> Life:
    life = Life(story.trade, story.venue).begin()
    life.now_ns = at(20)
    _tell(life, entry_told)
    if stops:
        _ask_until_known(life, story.entry)
        life.hear(a_stop(), at_s=LATE_S)
    life.now_ns = at(3601)
    _tell(life, rest_told)
    _ask_until_known(life, story.entry)
    _ask_until_known(life, story.close)
    _tell(life, story.market())
    return life


@settings(max_examples=150, deadline=None)
@given(data=st.data(), story=stories())
def test_any_telling_of_a_close_ends_in_the_same_trade(data: st.DataObject, story: Story) -> None:
    """Lesson 25, 26; Fault 24, 26, 27, 29"""
    entry: list[Event] = [*story.entry.reports()]
    rest: list[Event] = [*story.close.reports(), *story.market()] if story.entry.filled else story.market()

    in_order = _live_through(story, entry, rest, stops=True)
    told = _live_through(story, data.draw(tellings(entry)), data.draw(tellings([*rest, *entry])), stops=True)

    assert in_order.trade.state.is_terminal
    assert _final(told.trade) == _final(in_order.trade)
    assert all(not step.late for step in told.steps)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), story=stories())
def test_any_telling_of_an_entry_that_runs_to_settlement_ends_in_the_same_trade(
    data: st.DataObject, story: Story
) -> None:
    """Lesson 25, 30; Fault 26: fills may come after the close time, the result before the fills."""
    words: list[Event] = [*story.entry.reports(), *story.market()]

    in_order = _live_through(story, words, [], stops=False)
    told = _live_through(story, [], data.draw(tellings(words)), stops=False)

    assert in_order.trade.state.is_terminal
    assert _final(told.trade) == _final(in_order.trade)


@settings(max_examples=100, deadline=None)
@given(story=stories())
def test_settled_profit_is_payout_less_cost_less_fees(story: Story) -> None:
    """Lesson 36, 63: recomputed from the fills alone, exactly."""
    life = _live_through(story, [*story.entry.reports()], [*story.close.reports(), *story.market()], stops=True)

    def own(price: Decimal) -> Decimal:
        return 1 - price if story.venue is BUY_OPPOSITE else price

    fills = (*story.entry.fills, *story.close.fills)
    cost = sum((fill.price * fill.quantity for fill in story.entry.fills), ZERO)
    sold = sum((own(fill.price) * fill.quantity for fill in story.close.fills), ZERO)
    paid = story.entry.filled - story.close.filled if story.result.value == story.trade.side.value else ZERO
    fees = sum((fill.fees or ZERO for fill in fills), ZERO)
    assert life.trade.pnl == sold + paid - cost - fees
