"""What other settings would have made of a trade: two outcomes compared, and all of them added up."""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from actors.rules.market.marks import pnl_at
from bus.messages.trades import Side, Trade, TradeState
from bus.messages.units import ZERO, Price
from bus.messages.what_if import Change, Outcome, Totals, TradeCompared


class Followed:
    """Trades, followed from version to version. by_id: the newest one of each, in the order in which they were first heard."""

    def __init__(self) -> None:
        self.by_id: dict[str, Trade] = {}
        self._fired: dict[str, tuple[str, int]] = {}

    def hear(self, trade: Trade) -> None:
        """Take in what is said of a trade; an older version is no news."""
        trade_id = trade.trade_id
        known = self.by_id.get(trade_id)
        if known is not None and trade.version < known.version:
            return
        self.by_id[trade_id] = trade
        if trade.rule is None:
            self._fired.pop(trade_id, None)
        elif trade_id not in self._fired or self._fired[trade_id][0] != trade.rule:
            self._fired[trade_id] = trade.rule, trade.ts

    def outcome(self, trade_id: str, exit_price: Callable[[Trade], Price | None]) -> Outcome | None:
        """Return what has become of it; None: nobody has told of it. exit_price: at which it could be closed now; None: nobody would take it."""
        trade = self.by_id.get(trade_id)
        if trade is None:
            return None
        fired = self._fired.get(trade_id)
        return Outcome(
            state=trade.state,
            rule=trade.rule,
            fired=None if fired is None else fired[1],
            exit_price=trade.exit_price,
            exit_ts=trade.exit_ts,
            open_quantity=trade.open_quantity,
            pnl=trade.pnl,
            worth=_worth_now(trade, exit_price(trade)),
        )


def _worth_now(trade: Trade, exit_price: Price | None) -> Decimal | None:
    if not trade.open_quantity:
        return trade.pnl
    return None if exit_price is None else pnl_at(trade, exit_price)


def compare(trade: Trade, recorded: Outcome | None, now: Outcome | None) -> TradeCompared:
    """Return both outcomes of a trade side by side; None: nobody ever heard of it there."""
    before, after = _worth(recorded), _worth(now)
    return TradeCompared(
        trade_id=trade.trade_id,
        ticker=trade.ticker,
        side=Side(trade.side),
        change=_change(recorded, now),
        effect=None if before is None or after is None else after - before,
        recorded=recorded,
        now=now,
    )


def totals(compared: Iterable[TradeCompared]) -> Totals:
    """Add up."""
    trades = list(compared)
    priced = [trade for trade in trades if trade.effect is not None]
    counted = Counter(trade.change for trade in trades)
    return Totals(
        trades=len(trades),
        changes={change: counted[change] for change in Change if counted[change]},
        recorded=sum((_worth(trade.recorded) or ZERO for trade in priced), ZERO),
        now=sum((_worth(trade.now) or ZERO for trade in priced), ZERO),
        effect=sum((trade.effect or ZERO for trade in priced), ZERO),
        unpriced=len(trades) - len(priced),
    )


def _worth(outcome: Outcome | None) -> Decimal | None:
    return ZERO if outcome is None else outcome.worth


def _had_position(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.state is not TradeState.REJECTED


def _change(recorded: Outcome | None, now: Outcome | None) -> Change:
    if recorded == now:
        return Change.SAME
    if not _had_position(now) or not _had_position(recorded):
        return Change.NOT_OPENED if _had_position(recorded) else Change.OPENED if _had_position(now) else Change.SAME
    assert recorded is not None
    assert now is not None
    if recorded.fired is None or now.fired is None:
        return Change.NEWLY if now.fired else Change.NEVER if recorded.fired else Change.OTHERWISE
    if recorded.fired == now.fired:
        return Change.OTHERWISE
    return Change.EARLIER if now.fired < recorded.fired else Change.LATER
