"""What trades did in a span of time, as rows and sums, and where a venue says otherwise. Computes alone: it asks nobody."""

from collections.abc import Iterable, Iterator
from typing import Final

from bus.messages.market import Result
from bus.messages.orders import VenueFill
from bus.messages.statement import AccountTotals, StatementDifference, StatementRow
from bus.messages.trades import Mode, Side, Trade, TradeState
from bus.messages.units import ONE, ZERO, Number

ADJUSTS: Final = "r-"
"""How the trades begin that hold what a venue told of others after their end."""

_PLACES: Final = {"settlement": 1, "ended": 2}
"""Of rows of one instant, which stand behind the others."""


def rows_of(trades: Iterable[Trade], begin_ns: int, end_ns: int) -> list[StatementRow]:
    """Return what happened from `begin_ns` until just before `end_ns`, in order."""
    found = [row for trade in trades for row in _rows(trade) if begin_ns <= row.ts < end_ns]
    return sorted(found, key=lambda row: (row.ts, row.trade_id, _PLACES.get(row.kind, 0), row.kind, row.fill_id or ""))


def _rows(trade: Trade) -> Iterator[StatementRow]:
    for fill in trade.fills:
        yield _row(
            trade,
            "adjustment" if trade.trade_id.startswith(ADJUSTS) else "fill",
            fill.ts,
            fill.quantity,
            price=fill.price,
            fees=fill.fees,
            purpose=fill.purpose.value,
            fill_id=fill.fill_id,
            client_order_id=fill.client_order_id,
        )
    if trade.entry_ts is not None and (adopted := _adopted(trade)) is not None:
        yield adopted
    ended_ts = trade.exit_ts or trade.ts
    if trade.state is TradeState.SETTLED:
        left, paid = trade.filled_quantity - trade.closed_quantity, _paid(trade)
        yield _row(trade, "settlement", ended_ts, left, price=paid, fees=trade.settlement_fees, outcome=trade.result)
    if trade.state in (TradeState.CLOSED, TradeState.SETTLED):
        yield _row(
            trade,
            "ended",
            ended_ts,
            trade.filled_quantity,
            price=trade.exit_price,
            # Those of its fills and of its settlement stand in their own rows.
            fees=ZERO,
            pnl=trade.pnl,
            outcome=trade.outcome,
        )


def _paid(trade: Trade) -> Number | None:
    """Return what one contract of the trade's side was paid, dollars; the venue's `payout` is of the YES side."""
    yes = {Result.YES: ONE, Result.NO: ZERO}.get(trade.result, trade.payout) if trade.result else None
    return yes if yes is None or trade.side is Side.YES else ONE - yes


def _adopted(trade: Trade) -> StatementRow | None:
    """Return what was taken over: what the trade holds beyond its own entry fills."""
    entries = [fill for fill in trade.fills if fill.purpose == "entry"]
    quantity = trade.filled_quantity - sum((fill.quantity for fill in entries), ZERO)
    if quantity <= ZERO:
        return None
    booked = sum((fill.fees for fill in trade.fills), ZERO)
    settled = trade.settlement_fees if trade.state is TradeState.SETTLED else ZERO
    cost = trade.entry_cost - sum((fill.price * fill.quantity for fill in entries), ZERO)
    fees = trade.fees - booked - settled
    return _row(trade, "adopted", trade.entry_ts or trade.ts, quantity, price=cost / quantity, fees=fees)


def _row(trade: Trade, kind: str, ts: int, quantity: Number, *, fees: Number, **more: object) -> StatementRow:
    return StatementRow(
        kind=kind,
        ts=ts,
        account=trade.account,
        venue=trade.venue,
        mode=trade.mode,
        trade_id=trade.trade_id,
        ticker=trade.ticker,
        side=trade.side,
        quantity=quantity,
        fees=fees,
        **more,  # type: ignore[arg-type]  # the row's own fields
    )


def totals_of(rows: Iterable[StatementRow]) -> list[AccountTotals]:
    """Return the sums of each account at each venue."""
    by_account: dict[tuple[str, str, Mode], list[StatementRow]] = {}
    for row in rows:
        by_account.setdefault((row.account, row.venue, row.mode), []).append(row)
    return [
        AccountTotals(
            account=account,
            venue=venue,
            mode=mode,
            fills=sum(row.kind in ("fill", "adjustment") for row in mine),
            ended=sum(row.kind == "ended" for row in mine),
            settlements=sum(row.kind == "settlement" for row in mine),
            adjustments=sum(row.kind == "adjustment" for row in mine),
            fees=sum((row.fees for row in mine), ZERO),
            pnl=sum((row.pnl for row in mine if row.pnl is not None), ZERO),
        )
        for (account, venue, mode), mine in sorted(by_account.items())
    ]


def differences_of(
    venue: str, account: str, ours: Iterable[StatementRow], theirs: Iterable[VenueFill]
) -> Iterator[StatementDifference]:
    """Yield where the fills of one account are not the same. What the venue does not say of fees is not compared."""
    own = {row.fill_id: row for row in ours if row.fill_id is not None}
    told = {fill.fill_id: fill for fill in theirs}
    for fill_id in sorted(own.keys() | told.keys()):
        row, fill = own.get(fill_id), told.get(fill_id)
        for what, mine, other in _compared(row, fill):
            if mine != other:
                yield StatementDifference(
                    venue=venue, account=account, fill_id=fill_id, what=what, ours=mine, theirs=other
                )


def _compared(row: StatementRow | None, fill: VenueFill | None) -> Iterator[tuple[str, Number | None, Number | None]]:
    if row is None or fill is None:
        yield "fill", None if row is None else row.quantity, None if fill is None else fill.quantity
        return
    yield "quantity", row.quantity, fill.quantity
    # Where closing is buying the other side, the venue names that side's price.
    yield "price", row.price, fill.price if fill.side is row.side or not row.side.is_event else ONE - fill.price
    if fill.fees is not None:
        yield "fees", row.fees, fill.fees
