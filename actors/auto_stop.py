"""AutoStop: the stop rules and the index of thresholds. `rules.stops.engine` decides."""

from actors.watched import EngineActor


class AutoStop(EngineActor):
    """Fires stops: a tick costs O(log n + fired) in the trades that it concerns.

    Hears ticks (in read batches), trades, timers. Says fired stops, decisions held back, progress, timers.
    """
