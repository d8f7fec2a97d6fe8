"""A trade that cannot end, and why that is right: the venue sold it by filling an order after it had told that order's end.

Where the account then holds nothing at all, and nobody named the position, its empty list is no evidence (Fault 54): people are told,
and no entry leaves there. Strict: whatever else is missing, or was taken by hand and named, must end.
"""

from decimal import Decimal
from typing import Any

from bus.messages.trades import Purpose, Trade
from bus.messages.units import ZERO
from tests.simulation.oracle import Oracle
from tests.simulation.story import Story
from tests.simulation.venue import ModelVenue, held_side
from tests.simulation.world import World


class Paged:
    """Tells which trades stay open because a venue's ghost has sold them."""

    def __init__(self, world: World, story: Story, oracle: Oracle) -> None:
        self._world = world
        self._story = story
        self._oracle = oracle

    def is_right(self, trade: Trade) -> bool:
        """Whether it is open by all that its own orders did, gone at a venue that lists nothing, by a ghost, and people know it."""
        executor = self._world.executors.get(trade.venue)
        if executor is None or (trade.account, trade.ticker, trade.side) in self._story.positions_taken:
            return False
        venue = executor.venue
        is_blank = not any(quantity for (account, *_), quantity in venue.held.items() if account == trade.account)
        return (
            is_blank
            and self._is_open_in_truth(trade, venue)
            and self._is_haunted(trade, venue)
            and self._is_told(trade)
        )

    def demand_no_entries(self, trades: list[Trade]) -> None:
        """Ask for an entry in each account where something is missing: it must be refused for that."""
        for account in sorted({(trade.venue, trade.account, trade.mode) for trade in trades}):
            self._demand_refusal(*account)

    def _demand_refusal(self, venue: str, account: str, mode: str) -> None:
        heard: list[dict[str, Any]] = []
        fields = {"ticker": "NEW", "side": "yes", "quantity": "1", "no_stop_reason": "to be refused"}
        trade_id = f"after-{account}"
        self._world.ask(
            "trade.request.open", heard.append, trade_id=trade_id, account=account, mode=mode, venue=venue, **fields
        )
        self._world.until(lambda: bool(heard), 10)
        codes = [reply["error"]["code"] for reply in heard if not reply["ok"]]
        self._oracle.demand(codes == ["unreconciled"], "S6", f"an entry in {account}, which lacks something: {heard}")

    def _is_open_in_truth(self, trade: Trade, venue: ModelVenue) -> bool:
        """Whether its own orders left it open: no close of it was lost. One born late may be of a part of its fill only."""
        opened, _ = self._oracle.orders.truth(trade.trade_id)
        if trade.trade_id.startswith("r-"):
            opened = min(opened, trade.filled_quantity)
        closes = (order for order in venue.of_trade[trade.trade_id] if order.sent.purpose is Purpose.CLOSE)
        return opened - sum((order.filled for order in closes), ZERO) == trade.open_quantity

    @staticmethod
    def _is_haunted(trade: Trade, venue: ModelVenue) -> bool:
        """Whether at least so much of that ticker was sold after the end of an order was told, or bought back by its late trade."""
        sold = sum(
            (
                fill.quantity
                for order in venue.every
                for fill in order.fills
                if order.sent.reduce_only and (order.sent.account, order.sent.ticker) == (trade.account, trade.ticker)
                and (fill.is_ghost or (order.sent.trade_id.startswith("r-") and held_side(order.sent) is trade.side))
            ),
            ZERO,
        )  # fmt: skip
        return Decimal(sold) >= trade.open_quantity or trade.trade_id.startswith("r-")

    def _is_told(self, trade: Trade) -> bool:
        start = f"position_mismatch:{trade.venue}:{trade.account}:missing:"
        words = f"{trade.side} {trade.ticker}: the venue holds 0, our trades"
        notices = self._world.postgres.tables.notices
        return any(row["notice_id"].startswith(start) and words in row["body"] for row in notices)
