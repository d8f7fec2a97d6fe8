"""Commits and their parts, with as little said as a test needs."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from bus.messages import addresses
from bus.messages.envelope import Outgoing
from bus.messages.orders import Action, OrderSubmit
from bus.messages.records import Commit, FillRow, InboxRow, JournalEntry
from bus.messages.trades import Attempt, AttemptState, Fill, Mode, Purpose, Side, StopSpec, Trade, TradeState

NOW_NS = 1_752_685_200_123_456_000
"""2025-07-16T17:00:00.123456Z."""


def a_trade(trade_id: str = "t-1", **changes: Any) -> Trade:
    """A whole trade as the desk writes it, open at version 1."""
    trade = Trade(
        trade_id=trade_id,
        state=TradeState.OPEN,
        version=1,
        account="paper-1",
        venue="paper",
        mode=Mode.PAPER,
        ticker="KXBTCD-25JUL1617-T119499.99",
        symbol="BTC",
        side=Side.YES,
        quantity=Decimal(10),
        open_quantity=Decimal(10),
        filled_quantity=Decimal(10),
        entry_cost=Decimal("4.50"),
        entry_price=Decimal("0.45"),
        entry_ts=NOW_NS,
        fees=Decimal("0.07"),
        ts=NOW_NS,
        stops=(StopSpec(rule="probability", settings={"floor_percent": Decimal(25), "confirm_ticks": Decimal(2)}),),
        settings={"max_spread": Decimal("0.20"), "close_empty_book": "rest"},
        settings_version=1,
        cause="request",
    )
    return replace(trade, **changes)


def an_attempt(trade_id: str, number: int, **changes: Any) -> Attempt:
    """A close order of a trade, on its way."""
    attempt = Attempt(
        client_order_id=f"{trade_id}-close-{number}",
        purpose=Purpose.CLOSE,
        attempt=number,
        state=AttemptState.SENT,
        quantity=Decimal(10),
    )
    return replace(attempt, **changes)


def a_close(trade_id: str = "t-1", number: int = 1, **changes: Any) -> OrderSubmit:
    """The order of `an_attempt`."""
    order = OrderSubmit(
        client_order_id=f"{trade_id}-close-{number}",
        trade_id=trade_id,
        account="paper-1",
        mode=Mode.PAPER,
        purpose=Purpose.CLOSE,
        attempt=number,
        ticker="KXBTCD-25JUL1617-T119499.99",
        side=Side.YES,
        action=Action.SELL,
        quantity=Decimal(10),
        limit_price=Decimal("0.40"),
        reduce_only=True,
        expires_ts=NOW_NS + 30_000_000_000,
        epoch=1,
        cause="stop",
        trade_version=2,
        settings_version=1,
        ts=NOW_NS,
    )
    return replace(order, **changes)


def a_fill(fill_id: str = "f-1", trade_id: str = "t-1", **changes: Any) -> FillRow:
    """A fill of a trade's entry."""
    fill = Fill(
        fill_id=fill_id,
        client_order_id=f"{trade_id}-entry-1",
        purpose=Purpose.ENTRY,
        price=Decimal("0.45"),
        quantity=Decimal(10),
        fees=Decimal("0.07"),
        ts=NOW_NS,
    )
    return FillRow(account="paper-1", trade_id=trade_id, fill=replace(fill, **changes))


def an_edge(trade: Trade, before: TradeState | None = None, **changes: Any) -> JournalEntry:
    """The journal row of a trade's change."""
    entry = JournalEntry(
        trade_id=trade.trade_id,
        version=trade.version,
        from_state=before,
        to_state=trade.state,
        cause="request",
        ts=trade.ts,
    )
    return replace(entry, **changes)


def an_input(key: str = "k-1", **changes: Any) -> InboxRow:
    """The inbox row of a request."""
    row = InboxRow(key=key, digest="d" * 64, subject="trade.request.open", body=b'{"x":1}', received_ns=NOW_NS)
    return replace(row, **changes)


def a_commit(*trades: Trade, **changes: Any) -> Commit:
    """What the desk commits for these trades: each with its edge and its event."""
    commit = Commit(
        sender="trade_desk",
        cause="request",
        now_ns=NOW_NS,
        trades=trades,
        journal=tuple(an_edge(trade) for trade in trades),
        outbox=tuple(
            Outgoing(subject=addresses.trade_event(trade), msg_id=addresses.trade_id(trade), message=trade)
            for trade in trades
        ),
    )
    return replace(commit, **changes)
