"""A trade's story told in short words: what an actor heard and said at so many seconds, with real stops behind it."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.rules.pictures.drawn import Mark, Panel, Picture, Point
from actors.rules.pictures.story import Heard
from actors.rules.pictures.trade_story import TradeStory
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Tick, Ticks
from bus.messages.records import Commit
from bus.messages.stops import StopCoverage
from bus.messages.trades import Coverage, Fill, Purpose, Trade
from tests.rules.stops.builders import at


def points(*pairs: tuple[int, str | None]) -> tuple[Point, ...]:
    """Points at these nanoseconds."""
    return tuple(Point(at_ns, None if value is None else Decimal(value)) for at_ns, value in pairs)


def a_fill(number: int = 1, price: str = "0.60", purpose: Purpose = Purpose.ENTRY, seconds: float = 0) -> Fill:
    return Fill(
        fill_id=f"f{number}",
        client_order_id=f"t1-{purpose}-1",
        purpose=purpose,
        price=Decimal(price),
        quantity=Decimal(10),
        fees=Decimal("0.07"),
        ts=at(seconds),
    )


def a_commit(**parts: object) -> Commit:
    return msgspec.structs.replace(Commit(sender="trade_desk", cause="x", now_ns=at(0)), **parts)


def covered(seconds: float, coverage: Coverage, why: str = "price") -> StopCoverage:
    return StopCoverage(trade_id="t1", coverage=coverage, why=why, since=at(seconds), ts=at(seconds))


class Telling:
    """A story with a stop engine that hears the same."""

    def __init__(self, trade_id: str = "t1") -> None:
        self.story = TradeStory(trade_id)
        self.engine = StopEngine()

    def say(self, seconds: float, *said: object, heard: object = None, actor: str = "trade_desk") -> "Telling":
        """Let an actor say this; what it says of a trade AutoStop hears, too."""
        self.story.hear(Heard(at(seconds), actor, heard, said, self.engine))
        for trade in said:
            if isinstance(trade, Trade):
                self._stops(seconds, trade)
        return self

    def tick(self, seconds: float, *ticks: Tick) -> "Telling":
        """Let AutoStop read these in one batch."""
        return self._stops(seconds, Ticks(batch=ticks, received_ns=at(seconds)))

    def _stops(self, seconds: float, word: object) -> "Telling":
        said = tuple(self.engine.handle(word))
        self.story.hear(Heard(at(seconds), "auto_stop", word, said, self.engine))
        return self

    def picture(self) -> Picture:
        picture = self.story.picture()
        assert picture is not None
        return picture

    def panel(self, key: str) -> Panel:
        return next(panel for panel in self.picture().panels if panel.key == key)

    def line(self, key: str, name: str) -> list[tuple[float, str | None]]:
        """The points of a line, in seconds, without the one that ends it."""
        found = next(line for line in self.panel(key).lines if line.name == name)
        return [((at_ns - at(0)) / 10**9, None if value is None else str(value)) for at_ns, value in found.points[:-1]]

    def marks(self, wanted: Callable[[Mark], bool] = lambda _: True) -> list[Mark]:
        return [mark for mark in self.panel("happened").marks if wanted(mark)]
