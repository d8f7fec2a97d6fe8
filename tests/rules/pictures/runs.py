"""A run's story told in short words."""

from decimal import Decimal

from actors.rules.pictures.drawn import Panel, Picture, Table
from actors.rules.pictures.run_story import RunStory
from actors.rules.pictures.story import Heard
from bus.messages.market import Ticks
from bus.messages.stops import Mark as StopMark
from bus.messages.stops import MarkState
from bus.messages.trades import Purpose, Trade, TradeState
from tests.rules.pictures.builders import a_fill
from tests.rules.stops.builders import a_quote, a_trade, at, stop

PRICE = stop("price", stop_price="0.40")
DAY = "2025-08-03"
SEEN = StopMark(state=MarkState.UNKNOWN)


class Run:
    """A story, told in short words."""

    def __init__(self, since: float = 0) -> None:
        self.story = RunStory(at(since))

    def say(self, seconds: float, *said: object, heard: object = None, actor: str = "trade_desk") -> "Run":
        self.story.hear(Heard(at(seconds), actor, heard, said, None))
        return self

    def tick(self, seconds: float, count: int, *said: object, actor: str = "auto_stop") -> "Run":
        """Let an actor read so many ticks in one batch."""
        batch = tuple(a_quote(1, "0.50", "0.52") for _ in range(count))
        return self.say(seconds, *said, heard=Ticks(batch=batch, received_ns=at(seconds)), actor=actor)

    def picture(self) -> Picture:
        picture = self.story.picture("somewhere")
        assert picture is not None
        return picture

    def panel(self, key: str) -> Panel:
        return next(panel for panel in self.picture().panels if panel.key == key)

    def table(self, title: str) -> Table:
        return next(table for table in self.picture().tables if table.title == title)

    def events(self) -> list[tuple[float, str | None, str]]:
        """The second, the row and the title of each."""
        return [((mark.at_ns - at(0)) / 10**9, mark.row, mark.title) for mark in self.panel("events").marks]

    def line(self, key: str, number: int = 0) -> list[tuple[float, str]]:
        return [((at_ns - at(0)) / 10**9, str(value)) for at_ns, value in self.panel(key).lines[number].points]


def a_closed(pnl: str, trade_id: str = "t1") -> Trade:
    fills = (a_fill(), a_fill(2, "0.39", Purpose.CLOSE, 8))
    return a_trade(
        PRICE,
        trade_id=trade_id,
        state=TradeState.CLOSED,
        rule="price",
        open_quantity=Decimal(0),
        pnl=Decimal(pnl),
        exit_price=Decimal("0.39"),
        exit_ts=at(8),
        version=4,
        fills=fills,
    )
