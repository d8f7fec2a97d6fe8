"""A trade's story told in short words: what an actor heard and said at so many seconds, with real stops behind it."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.rules.pictures.drawn import Mark, Panel, Picture, Point
from actors.rules.pictures.story import Heard
from actors.rules.pictures.trade_story import TradeStory
from actors.rules.stops.engine import StopEngine
from bus.messages.envelope import Received
from bus.messages.market import Tick, Ticks
from bus.messages.notices import Notice, Severity
from bus.messages.records import Commit
from bus.messages.stops import Guard, Input, StopCoverage, StopDecision
from bus.messages.trades import Coverage, Fill, Purpose, Side, Trade, TradeState
from bus.messages.what_if import Change, Ground, Outcome, TradeCompared
from tests.rules.stops.builders import at


def points(*pairs: tuple[int, str | None]) -> tuple[Point, ...]:
    """Points at these nanoseconds."""
    return tuple(Point(at_ns, None if value is None else Decimal(value)) for at_ns, value in pairs)


def moments(*pairs: tuple[float, str | None]) -> tuple[Point, ...]:
    """Points at these seconds."""
    return points(*((at(seconds), value) for seconds, value in pairs))


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


def a_decision(trade_id: str = "t1", rule: str = "price", *, fired: bool = True) -> StopDecision:
    return StopDecision(
        decision_id=f"{trade_id}-{rule}-1",
        trade_id=trade_id,
        rule=rule,
        fired=fired,
        inputs={"exit": Input(value=Decimal("0.39"))},
        guards=(Guard(name="min_age_s", passed=fired),),
        settings_version=7,
        ts=at(0),
    )


def covered(seconds: float, coverage: Coverage, why: str = "price") -> StopCoverage:
    return StopCoverage(trade_id="t1", coverage=coverage, why=why, since=at(seconds), ts=at(seconds))


def received(message: object) -> Received[object]:  # type: ignore[type-var]
    return Received(message=message, subject="x", key="k", digest="", body=b"", received_ns=at(1))  # type: ignore[type-var]


def a_notice(notice_id: str = "n1", trade_id: str | None = "t1", severity: Severity = Severity.WARNING) -> Notice:
    return Notice(
        notice_id=notice_id,
        kind="x",
        severity=severity,
        title="Look",
        body="Why",
        dedupe_key="d",
        ts=at(1),
        trade_id=trade_id,
    )


def a_ground(*settings: tuple[str, int], **parts: object) -> Ground:
    """What a what-if under these settings stands on: one life, without a gap."""
    ground = Ground(
        place="/recording",
        begin=None,
        end=None,
        settings={key: Decimal(value) for key, value in settings},
        lives=1,
        inputs=9,
        skipped=0,
        lost=0,
        gaps=(),
        simulated=(),
    )
    return msgspec.structs.replace(ground, **parts)


def ended(at_ns: int | None, worth: str | None, *, fired: int | None = None) -> Outcome:
    return Outcome(
        state=TradeState.OPEN if at_ns is None else TradeState.CLOSED,
        rule=None if at_ns is None else "price",
        fired=fired,
        exit_price=None if at_ns is None else Decimal("0.40"),
        exit_ts=at_ns,
        open_quantity=Decimal(0),
        pnl=Decimal(0),
        worth=None if worth is None else Decimal(worth),
    )


def compared(
    trade_id: str,
    recorded: Outcome | None,
    now: Outcome | None,
    change: Change = Change.NEWLY,
    effect: str | None = None,
) -> TradeCompared:
    return TradeCompared(
        trade_id=trade_id,
        ticker="T",
        side=Side.YES,
        change=change,
        effect=None if effect is None else Decimal(effect),
        recorded=recorded,
        now=now,
    )


NEW = StopEngine()
"""Stands for an engine of one's own."""


class Telling:
    """A story with a stop engine that hears the same; None: it cannot be decided again what AutoStop did."""

    def __init__(self, trade_id: str = "t1", *, engine: StopEngine | None = NEW) -> None:
        self.story = TradeStory(trade_id)
        self.engine = StopEngine() if engine is NEW else engine

    def say(self, seconds: float, *said: object, heard: object = None, actor: str = "trade_desk") -> "Telling":
        """Let an actor say this; what it says of a trade AutoStop hears, too."""
        self.story.hear(Heard(at(seconds), actor, heard, said, self.engine))
        for trade in said:
            if isinstance(trade, Trade):
                self._stops(seconds, trade)
        return self

    def cover(self, seconds: float, coverage: Coverage, why: str = "price") -> "Telling":
        """Let TradeWatcher say whether the trade is protected."""
        return self.say(seconds, covered(seconds, coverage, why), actor="trade_watcher")

    def tick(self, seconds: float, *ticks: Tick) -> "Telling":
        """Let AutoStop read these in one batch."""
        return self._stops(seconds, Ticks(batch=ticks, received_ns=at(seconds)))

    def _stops(self, seconds: float, word: object) -> "Telling":
        said = () if self.engine is None else tuple(self.engine.handle(word))
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
