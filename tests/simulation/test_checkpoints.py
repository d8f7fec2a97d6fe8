"""Engines that are frozen and thawed in the middle of a random world go on as if nothing had been done to them."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from actors.paper_venue import SharedPaperBook
from actors.replay.freezing import freeze, thaw
from actors.rules.coverage.board import CoverageBoard
from actors.rules.desk.desk import Desk
from actors.rules.reconcile.reconciler import ReconcileEngine
from actors.rules.stops.engine import StopEngine
from actors.rules.transport.watch import TransportWatch
from tests.simulation.seed import run

_DECIDES = {
    Desk: "decide",
    StopEngine: "handle",
    CoverageBoard: "handle",
    ReconcileEngine: "handle",
    SharedPaperBook: "handle",
    TransportWatch: "handle",
}
EVENTS = 1000
EVERY = 7


class Renewal:
    """Puts an engine's own frozen state in its place before each so many words, but for those that it works while it starts."""

    def __init__(self) -> None:
        self.count = 0
        self._calls = count()
        self._starting = False

    def before(self, decide: Callable[..., Any]) -> Callable[..., Any]:
        def renewed(engine: Any, word: object) -> Any:
            if next(self._calls) % EVERY == 0 and not self._starting:
                vars(engine).update(vars(thaw(freeze(engine))))
                self.count += 1
            return decide(engine, word)

        return renewed

    def not_during(self, start: Callable[..., Any]) -> Callable[..., Any]:
        def started(*words: Any) -> Any:
            self._starting = True
            try:
                return start(*words)
            finally:
                self._starting = False

        return started


@pytest.mark.parametrize("seed", range(41, 49))
def test_a_random_world_takes_the_same_turns_with_engines_thawed_all_along(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, renewal = run(seed, EVENTS), Renewal()

    for engine, decides in _DECIDES.items():
        monkeypatch.setattr(engine, decides, renewal.before(getattr(engine, decides)))
    monkeypatch.setattr(Desk, "start", renewal.not_during(Desk.start))
    thawed = run(seed, EVENTS)

    assert renewal.count
    assert (thawed.trace, thawed.violations) == (plain.trace, plain.violations)
