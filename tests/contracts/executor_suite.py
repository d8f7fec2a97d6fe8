"""The contract "An executor must" for tests: the clauses of `bus.adapters`, and those that need a market which a test can move."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bus.adapters.story import ExecutorUnderTest, Ground, Story, demand
from bus.adapters.suite import CLAUSES, Clause, kept
from bus.messages.trades import Mode

TICKER = "CONTRACT-1"
GROUND = Ground(
    account="acc",
    ticker=TICKER,
    mode=Mode.PAPER,
    quantity=Decimal(10),
    buy_at=Decimal("0.60"),
    sell_at=Decimal("0.01"),
    epoch=5,
)
"""The market stands at 38 to 40 cents, with size for everybody."""


class MarketUnderTest(ExecutorUnderTest, Protocol):
    """An executor whose venue quotes what it is told."""

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        """Let the venue's market stand so from now on."""
        ...


def keeps(executor: MarketUnderTest, clause: Clause, **changes: Any) -> str | None:
    """Return what of a clause is broken; None if it is kept."""
    executor.quote(TICKER, yes_bid="0.38", yes_ask="0.40")
    return kept(clause, Story(executor, GROUND, f"wk-check-{clause.__name__}"[:34], **changes))


def _market(story: Story) -> MarketUnderTest:
    return story.executor  # type: ignore[return-value]  # of this suite


def an_order_is_filled_at_the_market_and_not_at_its_limit(story: Story) -> None:
    order = story.holds()

    prices = {report.fill_price for report in story.reports(order) if report.fill_id}
    demand(prices == {Decimal("0.40")}, f"it was filled at {prices}")


def a_close_into_an_empty_book_is_cancelled(story: Story) -> None:
    story.holds()
    _market(story).quote(TICKER)

    close = story.sends(story.sells())
    _market(story).quote(TICKER, yes_bid="0.38", yes_ask="0.40")

    demand(story.end(close).cumulative_quantity == 0, "nobody was there")


def a_resting_order_fills_when_it_is_met(story: Story) -> None:
    story.holds()
    rests = story.sends(story.rests())

    _market(story).quote(TICKER, yes_bid="0.65", yes_ask="0.67")
    story.executor.settle()
    _market(story).quote(TICKER, yes_bid="0.38", yes_ask="0.40")

    demand(story.statuses(rests) == ["accepted", "filled"], f"it had {story.statuses(rests)}")


MARKET_CLAUSES: tuple[Callable[[Story], None], ...] = (
    an_order_is_filled_at_the_market_and_not_at_its_limit,
    a_close_into_an_empty_book_is_cancelled,
    a_resting_order_fills_when_it_is_met,
)
ALL_CLAUSES = (*CLAUSES, *MARKET_CLAUSES)
