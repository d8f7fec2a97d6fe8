"""How far a run of chaos rounds came: what was tried, and what came about. A fault that never did was not tried."""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.faults import FAULTS, IMPOSSIBLE
from tests.chaos.round import Result


@dataclass(slots=True)
class Reach:
    """What came of many rounds. failed: seed -> what was violated."""

    rounds: int = 0
    trades: int = 0
    starts: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    violated: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count one more."""
        self.rounds += 1
        self.trades += result.trades
        self.starts += 1 + len(result.ends)
        self.tried.update(result.planned)
        self.reached.update(result.reached)
        if result.violations:
            self.violated.update(result.planned)
            self.failed[result.seed] = result.violations

    def missing(self) -> list[str]:
        """Return the faults that never came about, though this machine allows them."""
        return [name for name in FAULTS if not self.reached[name] and name not in IMPOSSIBLE]

    def table(self) -> list[str]:
        """Return each fault with how often it was tried, came about, and stood beside a violation."""
        rows = [
            f"| {name} | {self.tried[name]} | {self.reached[name]} | {self.violated[name]} |"
            for name in FAULTS
            if self.tried[name]
        ]
        return ["", "| fault | tried | came about | violated |", "|---|---|---|---|", *rows]
