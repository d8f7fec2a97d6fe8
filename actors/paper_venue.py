"""PaperVenue: a simulated venue that fulfils what DESIGN asks of an executor. `rules.paper` decides."""

from actors.watched import EngineActor


class PaperVenue(EngineActor):
    """Fills paper orders at the quotes in force.

    Hears ticks, lifecycle events, orders and cancels through ORDERS, timers. Says reports.
    """
