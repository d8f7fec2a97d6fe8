"""A coverage board whose timers a test drives by hand, and short ways to read what it has said."""

from collections.abc import Iterable

from actors.rules.coverage.board import CoverageBoard
from bus.messages.envelope import Outgoing
from bus.messages.market import Tick, Ticks
from bus.messages.notices import Notice
from bus.messages.records import Commit
from bus.messages.stops import BidReturned, MarkSnapshot, StopCoverage
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Coverage
from bus.messages.units import NS_PER_MS
from tests.rules.readable import readable
from tests.rules.stops.builders import T0, at

MARK_INTERVAL_NS = 250 * NS_PER_MS


class Board:
    """A board with the timers it has asked for: `tick` and `wait` move its time."""

    def __init__(self, *words: object, mark_interval_ns: int = 0) -> None:
        self.engine = CoverageBoard(mark_interval_ns)
        self.timers: dict[str, int] = {}
        self.said: list[object] = []
        self.now_ns = T0
        for word in words:
            self.hear(word)

    def hear(self, word: object) -> list[object]:
        said = readable(self.engine.handle(word))
        for each in said:
            if isinstance(each, SetTimer):
                self.timers[each.key] = each.due_ns
            elif isinstance(each, CancelTimer):
                self.timers.pop(each.key, None)
        self.said.extend(said)
        return said

    def tick(self, *ticks: Tick) -> "Board":
        """Let ticks arrive, each at its own instant, after the timers that are due before it."""
        for each in ticks:
            self.run_to(each.ts)
            self.hear(Ticks(batch=(each,), received_ns=self.now_ns))
        return self

    def wait(self, seconds: float) -> "Board":
        self.run_to(at(seconds))
        return self

    def run_to(self, now_ns: int) -> None:
        while self.timers:
            key, due_ns = min(self.timers.items(), key=lambda item: (item[1], item[0]))
            if due_ns > now_ns:
                break
            del self.timers[key]
            self.now_ns = max(self.now_ns, due_ns)
            self.hear(TimerFired(owner="trade_watcher", key=key, due_ns=due_ns, now_ns=self.now_ns))
        self.now_ns = max(self.now_ns, now_ns)

    def of(self, trade_id: str = "t1") -> tuple[Coverage, str] | None:
        """The coverage in force, as it was said."""
        words = [word for word in self.said if isinstance(word, StopCoverage) and word.trade_id == trade_id]
        return (words[-1].coverage, words[-1].why) if words else None

    @property
    def changes(self) -> list[tuple[Coverage, str]]:
        return [(word.coverage, word.why) for word in self.said if isinstance(word, StopCoverage)]

    @property
    def commits(self) -> list[Commit]:
        return [word for word in self.said if isinstance(word, Commit)]

    @property
    def notices(self) -> list[Notice]:
        return [word for word in self.said if isinstance(word, Notice)]

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    @property
    def outgoing(self) -> list[Outgoing]:
        return [word for word in self.said if isinstance(word, Outgoing)]

    @property
    def snapshots(self) -> list[MarkSnapshot]:
        return [word for word in self.said if isinstance(word, MarkSnapshot)]

    @property
    def returned(self) -> list[BidReturned]:
        return [word for word in self.said if isinstance(word, BidReturned)]


def whys(changes: Iterable[tuple[Coverage, str]]) -> list[str]:
    return [why for _, why in changes]
