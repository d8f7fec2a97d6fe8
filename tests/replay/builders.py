"""A house of one actor for the sequencer's tests: it does what the real one does to time, and keeps what it was told."""

import queue
import threading
from collections.abc import Callable
from decimal import Decimal

from actors.activity import Activity
from actors.replay.sequencer import Played, Recorded, Sequencer
from bus.messages.envelope import Received
from bus.messages.market import Lifecycle, Quote, Tick, Ticks
from bus.messages.timers import TimerFired
from bus.messages.trades import TradeOpen

START_NS = 1_784_000_000_000_000_000
MS = 1_000_000


def a_quote(at_ms: int, bid: str = "0.50", ticker: str = "T") -> Quote:
    return Quote(ticker=ticker, ts=START_NS + at_ms * MS, yes_bid=Decimal(bid), yes_ask=Decimal(bid) + Decimal("0.01"))


def a_lifecycle(at_ms: int, event: str = "close", ticker: str = "T") -> Received[Lifecycle]:
    message = Lifecycle(ticker=ticker, ts=START_NS + at_ms * MS, event=event)
    return Received(
        message=message,
        subject=f"market.lifecycle.{ticker}",
        key=f"{ticker}:{event}",
        digest="",
        body=b"",
        received_ns=0,
    )


class NoStrategy:
    def handle(self, _word: Tick | Lifecycle, _line: int, _now_ns: int, /) -> TradeOpen | None:
        return None


class ThreadedHouse:
    """Handles each word on a thread of its own, as an actor does. `react` says what a word causes, as it is handled."""

    def __init__(self, activity: Activity, react: Callable[[object], None] = lambda _: None) -> None:
        self.told: list[object] = []
        self._activity = activity
        self._react = react
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, word: object) -> None:
        self._activity.begin()
        self._inbox.put(word)

    def end(self) -> None:
        self._inbox.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (word := self._inbox.get()) is not None:
            self.told.append(word)
            self._react(word)
            self._activity.end()


class Replay:
    """A sequencer with a house. `play` gives it these messages as (order, word), in this order of arrival."""

    def __init__(
        self,
        *,
        react: Callable[["Replay", object], None] = lambda _, __: None,
        strategy: object = None,
        settled: Callable[[float], bool] | None = None,
        tail_ms: int = 50,
        step: int = 1,
        patience_s: float = 10.0,
    ) -> None:
        self.activity = Activity()
        self.horizons: list[tuple[int, int]] = []
        self.asked: list[TradeOpen] = []
        self.house = ThreadedHouse(self.activity, lambda word: react(self, word))
        self.sequencer = Sequencer(
            start_ns=START_NS,
            activity=self.activity,
            release=self.house.put,
            ask=self.asked.append,
            horizon=lambda line, ns: self.horizons.append((line, (ns - START_NS) // MS)),
            strategy=strategy or NoStrategy(),  # type: ignore[arg-type]  # a test's own double
            settled=settled,
            tail_ns=tail_ms * MS,
            step=step,
            patience_s=patience_s,
        )

    def play(self, arrivals: list[tuple[int, Recorded]], events: int | None = None) -> Played:
        for order, word in arrivals:
            self.sequencer.hear(order, order, word)
        self.sequencer.finish(len(arrivals) if events is None else events)
        try:
            return self.sequencer.run()
        finally:
            self.house.end()

    @property
    def told(self) -> list[tuple[str, int]]:
        """What the house was told: (ticker, event or timer key; recorded milliseconds since the start)."""
        return [(_name(word), (_now_ns(word) - START_NS) // MS) for word in self.house.told]


def _now_ns(word: object) -> int:
    match word:
        case TimerFired(now_ns=now_ns):
            return now_ns
        case Ticks(received_ns=received_ns) | Received(received_ns=received_ns):
            return received_ns
    raise AssertionError(word)


def _name(word: object) -> str:
    match word:
        case TimerFired(owner=owner, key=key):
            return f"{owner}:{key}"
        case Ticks(batch=(Quote(ticker=ticker),)):
            return ticker
        case Received(message=Lifecycle(ticker=ticker, event=event)):
            return f"{ticker}:{event}"
    raise AssertionError(word)
