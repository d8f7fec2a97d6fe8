"""TradeDesk: each trade's state machine, and the only issuer of orders. `rules.desk.desk` decides."""

from actors.watched import EngineActor


class TradeDesk(EngineActor):
    """Owns every trade's life.

    Hears requests, commands, reports, positions, settlements, lifecycle events, fired stops, marks, timers.
    Says orders (closes at once, entries through their commit), commits, trades, timers, questions, notices.
    """
