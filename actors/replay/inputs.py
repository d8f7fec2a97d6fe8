"""What came from outside, as a recording has it: ticks, market events, commands, and when deadlines were met.

What the house made of it stays behind, and so do reports and answers of venues: they are the outcome of what was decided then.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from actors.replay.lives import Lives
from bus.messages.envelope import Malformed, Received
from bus.messages.market import Ticks
from bus.messages.orders import OrderReport, Position
from bus.messages.reconcile import VenuesUp
from bus.messages.recording import EntriesLost, LifeEnded, PaperRestored
from bus.messages.records import OrdersTail, RecordAway, RecordBack
from bus.messages.timers import TimerFired
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S
from bus.recorder.segments import LIFE, Block, Entry, Gap
from bus.recorder.words import UnreadableWord, unpack

AHEAD_NS: Final = NS_PER_S
"""How far a deadline that was met late is looked for; one that was met later still, under a flood, is met on time."""
_FROM_OUTSIDE: Final = {
    "auto_stop": (Ticks,),
    "trade_desk": (Received, Malformed, RecordAway, RecordBack, OrdersTail),
    "reconciler": (VenuesUp,),
    "paper_venue": (PaperRestored,),
}
"""By actor, what it alone is asked for: a tick is recorded with everybody who heard it."""
_NAMES: Final = {actor: {kind.__name__ for kind in kinds} for actor, kinds in _FROM_OUTSIDE.items()}
_TIMER: Final = TimerFired.__name__

Met = tuple[str, str, int]
"""A deadline that was met: owner, key, when it was due."""


class Input(msgspec.Struct, frozen=True):
    """A word from outside, or the beginning of a life, and the instant at which it was heard."""

    word: object
    now_ns: int


@dataclass(slots=True)
class Count:
    """What was read so far; see `bus.messages.what_if.Ground`."""

    inputs: int = 0
    skipped: int = 0
    lost: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    gaps: list[str] = field(default_factory=list)


class Inputs:
    """Reads parts of a recording, in order, up to `until_ns`. said: hears each trade as it was recorded."""

    def __init__(self, said: Callable[[Trade], None], until_ns: int = 2**63 - 1) -> None:
        self.count = Count()
        self.lives = Lives()
        self._said = said
        self._until_ns = until_ns

    def read(self, parts: Iterable[Block | Gap]) -> Iterator[Input]:
        """Yield the inputs."""
        for part in parts:
            if not isinstance(part, Block):
                self.count.gaps.append(str(part))
                self.lives.lose()
                continue
            for entry in part.entries:
                if entry.at_ns > self._until_ns:
                    return
                yield from self._hear(part, entry)

    def _hear(self, block: Block, entry: Entry) -> Iterator[Input]:
        count = self.count
        count.first_ns = count.first_ns or entry.at_ns
        count.last_ns = entry.at_ns
        try:
            if entry.actor == LIFE:
                self.lives.hear(unpack(block.words[entry.heard]))
                return
            begun = self.lives.take()
            if begun is not None:
                for trade in begun.beginning.recovered.trades:
                    self._said(trade)
                yield Input(begun, begun.beginning.now_ns)
            self._hear_said(block, entry)
            yield from self._hear_input(block, entry)
        except UnreadableWord as error:
            count.gaps.append(str(error))

    def _hear_said(self, block: Block, entry: Entry) -> None:
        if entry.actor == "trade_desk":
            for index in entry.said:
                if block.words[index][0] == Trade.__name__:
                    trade = unpack(block.words[index])
                    assert isinstance(trade, Trade)
                    self._said(trade)

    def _hear_input(self, block: Block, entry: Entry) -> Iterator[Input]:
        name = block.words[entry.heard][0]
        if name != _TIMER and name not in _NAMES.get(entry.actor, ()):
            self._note(unpack(block.words[entry.heard]) if entry.actor == "recorder" else None)
            return
        if not self.lives.is_one:
            self.count.skipped += 1
            return
        word = unpack(block.words[entry.heard])
        if isinstance(word, Received) and isinstance(word.message, OrderReport | Position):
            return
        self.count.inputs += name != _TIMER
        yield Input(word, _instant(word, entry.at_ns))

    def _note(self, word: object) -> None:
        match word:
            case EntriesLost(count=lost):
                self.count.lost += lost
            case LifeEnded():
                self.lives.end_in_order()


def _instant(word: object, at_ns: int) -> int:
    """Return the "now" that rules saw; what does not carry one was worked as it was noted."""
    found = getattr(word, "received_ns", None) or getattr(word, "now_ns", None)
    return found if isinstance(found, int) else at_ns


class LookAhead:
    """Hands on inputs, and knows which deadlines will be met within `AHEAD_NS` of the one in hand.

    A busy machine meets a deadline a little late, behind a tick that came after it: told again it is met at the same place.
    """

    def __init__(self, inputs: Iterator[Input]) -> None:
        self._inputs = inputs
        self._waiting: deque[Input] = deque()
        self._met: Counter[Met] = Counter()

    def __iter__(self) -> Iterator[Input]:
        """Yield each input."""
        for read in self._inputs:
            self._add(read)
            while read.now_ns - self._waiting[0].now_ns > AHEAD_NS:
                yield self._take()
        while self._waiting:
            yield self._take()

    def will_meet(self, fired: TimerFired) -> bool:
        """Whether that deadline has its place among the inputs that follow."""
        return self._met[_met(fired)] > 0

    def _add(self, read: Input) -> None:
        self._waiting.append(read)
        if isinstance(read.word, TimerFired):
            self._met[_met(read.word)] += 1

    def _take(self) -> Input:
        taken = self._waiting.popleft()
        if isinstance(taken.word, TimerFired):
            name = _met(taken.word)
            self._met[name] -= 1
            if not self._met[name]:
                del self._met[name]
        return taken


def _met(fired: TimerFired) -> Met:
    return fired.owner, fired.key, fired.due_ns
