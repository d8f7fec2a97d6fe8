"""The same trades at every speed and in every run: one word at a time, in the recording's own time.

Over NATS the words of a recording arrive as fast as the machine allows and on two roads (ticks by plain subscription, lifecycle
through JetStream). What the house made of them would depend on both. So the demo puts this between the wires and the house:

- Each message carries its place in the replay, from 1 without a gap; the next one is released when it is that one's turn.
- The house's clock is the recording's: `now_ns` is the instant of the word in hand, and deadlines are kept here, in the place
  of the Timer actor. Before a word is released every deadline up to its instant is, each at its own instant. At one instant:
  timers, then the venue's, then market data in order of its place.
- After each release nothing moves until the house is quiet: every consequence, through NATS and PostgreSQL and back, has been
  applied. Only then is the entry strategy asked, the next word released. What no decision hangs on (a row that no order waits
  for, an event for others) may still be on its way then; the horizon moves only when that has ended too.

One word at a time is the only exact way: a tick that fires a stop is known as such only when it has been applied, and a batch would
have shown the venue later quotes by then. The thread that waits for the house works its actors meanwhile (`conductor`), so that an
event costs no change of threads.
"""

import math
import queue
import threading
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from actors.replay.deadlines import Deadlines
from bus.messages.envelope import Received
from bus.messages.market import FeedBeat, Lifecycle, Momentum, Probability, Quote, SpotPrice, Tick, Ticks
from bus.messages.timers import TimerFired
from bus.messages.trades import TradeOpen

_IDLE_S: Final = 0.02
"""How long the house may be left alone while no message comes."""
_STEPS_MAX: Final = 8
"""How many steps the horizon may fall behind while the record is being written: half of what the publisher is let run ahead."""
_TICKS: Final = (Quote, SpotPrice, Probability, Momentum, FeedBeat)

Recorded = Tick | Received[Lifecycle]
"""A word of the recording, as the wire decoded it."""


class Work(Protocol):
    """How much the house has in hand (`actors.activity`, or who works it: `actors.replay.conductor`)."""

    @property
    def outstanding(self) -> int:
        """Pieces of work that have not ended."""
        ...

    def quiet(self, timeout_s: float, /) -> bool:
        """Return once there are none; False if `timeout_s` passed first."""
        ...


class Strategy(Protocol):
    """Decides, from recorded market data alone, when to ask for a trade."""

    def handle(self, word: Tick | Lifecycle, line: int, now_ns: int, /) -> TradeOpen | None:
        """Return the trade to ask for after `word`, None for none."""
        ...


class HouseStuckError(Exception):
    """The house did not come to rest after a word: a consequence was lost, or an actor hangs."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay released. lost: messages that never arrived. ended: whether it came to the recording's end."""

    events: int
    timers: int
    requests: int
    lost: int
    ended: bool


class _Arrived(msgspec.Struct, frozen=True):
    order: int
    line: int
    word: Recorded


class _End(msgspec.Struct, frozen=True):
    events: int


class _Stop(msgspec.Struct, frozen=True):
    pass


class Sequencer:
    """Owns the recorded clock. `hear`, `finish`, `stop` and `keep` may be called from any thread, `run` from one.

    release: hands a word to the house. ask: sends a trade request over NATS and returns once it is answered.
    horizon: told the line and the instant up to which everything has been applied and recorded, every `step` lines.
    settled: waits at most so many seconds until everything is recorded as well; None: nothing is left once the house is quiet.
    tail_ns: how far past the last event deadlines are still met; the venue's latency, so that the last order is filled.
    patience_s: real seconds to wait for the house to come to rest, and for a message that others have overtaken.
    """

    def __init__(
        self,
        *,
        start_ns: int,
        activity: Work,
        release: Callable[[object], None],
        ask: Callable[[TradeOpen], None],
        horizon: Callable[[int, int], None],
        strategy: Strategy,
        settled: Callable[[float], bool] | None = None,
        tail_ns: int,
        step: int = 256,
        patience_s: float = 30.0,
    ) -> None:
        self._now_ns = start_ns
        self._activity = activity
        self._release = release
        self._ask = ask
        self._horizon = horizon
        self._strategy = strategy
        self._settled = settled or activity.quiet
        self._tail_ns = tail_ns
        self._step = step
        self._patience_s = patience_s
        self._arrived: queue.SimpleQueue[_Arrived | _End | _Stop] = queue.SimpleQueue()
        self._held: dict[int, _Arrived] = {}
        self._next = 1
        self._lock = threading.Lock()
        self._deadlines = Deadlines()
        self._line = 0
        self._announced_line = 0
        self._timers_fired = self._requests = self._lost = 0
        self._expected: int | None = None

    # From any thread

    @property
    def events(self) -> int:
        """How many messages of the recording have had their turn."""
        return self._next - 1

    def now_ns(self) -> int:
        """Return the instant of the word in hand: the house's `Clock`."""
        return self._now_ns

    def hear(self, order: int, line: int, word: Recorded) -> None:
        """Take in a message of the recording; in any order."""
        self._arrived.put(_Arrived(order, line, word))

    def finish(self, events: int) -> None:
        """The publisher has published `events` messages and no more will come."""
        self._arrived.put(_End(events))

    def stop(self) -> None:
        """End the replay after the word in hand."""
        self._arrived.put(_Stop())

    def keep(self, word: object) -> None:
        """Keep, move or forget a deadline, in the place of Timer."""
        with self._lock:
            self._deadlines.keep(word)

    def announce(self) -> None:
        """Say how far the horizon is: a publisher that has just come needs to know."""
        self._horizon(self._announced_line, self._now_ns)

    # The replay's own thread

    def run(self) -> Played:
        """Play until the end of the recording, or until `stop`. Raises: HouseStuckError."""
        while (event := self._take()) is not None:
            self._play(event)
        ended = self._is_over()
        if ended:
            self._meet_deadlines(self._now_ns + self._tail_ns)
        self._settle()
        return Played(
            events=self._next - 1 - self._lost,
            timers=self._timers_fired,
            requests=self._requests,
            lost=self._lost,
            ended=ended,
        )

    def _take(self) -> _Arrived | None:
        """Return the message whose turn it is, None to stop or at the end."""
        while (event := self._held.pop(self._next, None)) is None and not self._is_over():
            match self._wait_for_arrival():
                case None:
                    self._give_up_waiting()
                case _Stop():
                    return None
                case _End(events=events):
                    self._expected = events
                case _Arrived(order=order, word=word) if order < self._next:
                    # Delivered again because its acknowledgement was lost: the inbox knows it, and acknowledges it.
                    self._hand(_stamped(word, self._now_ns))
                case _Arrived(order=order) as arrived:
                    self._held[order] = arrived
        self._next += event is not None
        return event

    def _wait_for_arrival(self) -> _Arrived | _End | _Stop | None:
        """Return what arrives next; None once an overtaken message has not come within `patience_s`.

        Meanwhile the house works: people may ask it something while the recording has nothing to say.
        """
        patience_s = self._patience_s if self._held or self._expected is not None else math.inf
        while patience_s > 0:
            wait_s = min(_IDLE_S, patience_s)
            try:
                return self._arrived.get(timeout=wait_s)
            except queue.Empty:
                self._rest()
                patience_s -= wait_s
        return None

    def _is_over(self) -> bool:
        return self._expected is not None and self._next > self._expected

    def _give_up_waiting(self) -> None:
        """Count what should have come by now as lost, and go on with what is here."""
        follows = min(self._held, default=(self._expected or 0) + 1)
        self._lost += follows - self._next
        self._next = follows

    def _play(self, event: _Arrived) -> None:
        word = event.word
        fact = word if isinstance(word, _TICKS) else word.message
        # A recording is in order of its instants; should one step back, the clock does not.
        instant_ns = max(self._now_ns, fact.ts)
        self._meet_deadlines(instant_ns)
        self._now_ns = instant_ns
        self._line = event.line
        self._hand(_stamped(word, instant_ns))
        request = self._strategy.handle(fact, event.line, instant_ns)
        if request is not None:
            self._requests += 1
            self._ask(request)
            self._rest()
        behind = event.line - self._announced_line
        if behind >= self._step and (self._settled(0) or behind >= _STEPS_MAX * self._step):
            self._settle()
            self._announced_line = event.line
            self._horizon(event.line, instant_ns)

    def _meet_deadlines(self, until_ns: int) -> None:
        """Release every deadline up to and including `until_ns`, each at its own instant."""
        while (fired := self._take_timer(until_ns)) is not None:
            self._now_ns = max(self._now_ns, fired.due_ns)
            self._timers_fired += 1
            self._hand(msgspec.structs.replace(fired, now_ns=self._now_ns))

    def _take_timer(self, until_ns: int) -> TimerFired | None:
        with self._lock:
            return self._deadlines.take(until_ns)

    def _hand(self, word: object) -> None:
        self._release(word)
        self._rest()

    def _rest(self) -> None:
        if not self._activity.quiet(self._patience_s):
            raise HouseStuckError(
                f"{self._activity.outstanding} pieces of work did not end within {self._patience_s} s after line {self._line}"
            )

    def _settle(self) -> None:
        if not self._settled(self._patience_s):
            raise HouseStuckError(f"the record did not stand within {self._patience_s} s after line {self._line}")


def _stamped(word: Recorded, now_ns: int) -> object:
    """Return what the wire would have said had it read `word` at `now_ns`."""
    if isinstance(word, _TICKS):
        return Ticks(batch=(word,), received_ns=now_ns)
    return msgspec.structs.replace(word, received_ns=now_ns)
