"""TradeWatcher: the marks of open trades, and whether each is protected. `rules.coverage.board` decides."""

from actors.watched import EngineActor


class TradeWatcher(EngineActor):
    """Watches that each open trade is armed, closing, waived, or loudly unprotected.

    Hears ticks, trades, timers, wishes for a mark. Says changes of coverage, marks, snapshots, returned bids.
    """
