"""Replay: each engine hears again what its actor heard, and must say what it said.

A life begins with what its engines were built from. Where entries were lost, or the beginning is not there, nothing can be decided
again before the next life; what is skipped is counted, never taken for equal.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

from msgspec import Struct

from actors.engines import ACTORS, Engines
from actors.replay.freezing import thaw
from actors.replay.lives import Lives
from actors.replay.older import as_then
from bus.messages.recording import SPOKEN, EngineRebuilt, EntriesLost, LifeEnded, PaperRestored
from bus.messages.records import OrdersTail
from bus.recorder.checkpoints import Checkpoint
from bus.recorder.segments import LIFE, OWNER, Block, Entry, Gap
from bus.recorder.words import Packed, UnreadableWord, look, outgoing, pack, unpack
from config.settings import Settings

_OWN_WORDS: Final = {EntriesLost, LifeEnded, EngineRebuilt, PaperRestored, OrdersTail}
_LAST_NS: Final = 2**63 - 1
ReadSettings = Callable[[Mapping[str, str | int | bool]], Settings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An entry whose words are others now. number: of the entry, from 1. heard, expected, actual: as plain data, named."""

    number: int
    at_ns: int
    actor: str
    heard: tuple[str, object]
    expected: tuple[tuple[str, object], ...]
    actual: tuple[tuple[str, object], ...]


class Told(Struct, frozen=True, gc=False):
    """An entry told again. heard: None if it cannot be read. said: what the engine says now; None: nothing could decide it again.

    spoken: what the code that recorded it had to say; see `actors.replay.older`.
    """

    block: Block
    entry: Entry
    number: int
    heard: object
    said: list[object] | None
    spoken: int = SPOKEN

    def names(self, text: bytes) -> bool:
        """Whether what was heard or said holds `text`."""
        indices = (self.entry.heard, *self.entry.said)
        return any(text in bytes(self.block.words[index][1]) for index in indices)

    def difference(self) -> Difference | None:
        """Return what the engine says otherwise than it said then; None: nothing."""
        if not self.said and not self.entry.said:
            return None
        expected = [self.block.words[index] for index in self.entry.said]
        actual = list(map(pack, self.said or ()))
        # Byte for byte, as nearly always; what is left may still say the same.
        if expected == actual or _are_same(expected, actual):
            return None
        then = as_then(self.spoken, self.entry.actor, self.said or ())
        if self.spoken < SPOKEN and _are_same(expected, list(map(pack, then))):
            return None
        return Difference(
            number=self.number,
            at_ns=self.entry.at_ns,
            actor=self.entry.actor,
            heard=_named(self.block.words[self.entry.heard]),
            expected=tuple(map(_named, expected)),
            actual=tuple(map(_named, actual)),
        )


@dataclass(slots=True)
class Tally:
    """What was told so far. skipped: entries that nothing could decide again. gaps: what cannot be read."""

    entries: int = 0
    skipped: int = 0
    lost: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    gaps: list[str] = field(default_factory=list)


class _Heeds(dict[str, bool]):
    """By actor, whether its entries are read: `wants` is asked once for each of them, and not for each of a hundred thousand entries."""

    def __init__(self, wants: Callable[[str], bool]) -> None:
        super().__init__()
        self._wants = wants

    def __missing__(self, actor: str) -> bool:
        self[actor] = actor in (LIFE, OWNER) or self._wants(actor)
        return self[actor]


class Retelling:
    """Hears blocks, in order. read_settings: `config.settings.retold`. before: is shown each entry just before it is told again.

    wants: of which actors anything is decided again; the words of the others are not even read. Engines share nothing.
    """

    def __init__(
        self,
        read_settings: ReadSettings,
        before: Callable[[Told], None] | None = None,
        wants: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.tally = Tally()
        self._read_settings = read_settings
        self._before = before
        self._wants = wants
        self._heeds = _Heeds(wants)
        self.lives = Lives()
        self._engines: Engines | None = None
        self._awaited: set[type] = set()
        """What these engines begin with, and have not heard yet."""
        self.ended: Engines | None = None
        """The engines of the last life that ended in order, as they stood then."""

    def adopt(self, checkpoint: Checkpoint) -> None:
        """Go on with the engines of a checkpoint, as far as they are wanted. Raises: NotFrozenError."""
        engines = {actor: thaw(checkpoint.engines.get(actor, b"")) for actor in ACTORS if self._wants(actor)}
        resumed = self.lives.resume(checkpoint.begun)
        self._engines, self._awaited = Engines(self._read_settings(resumed.settings), resumed.beginning), set()
        for actor, engine in engines.items():
            self._engines.take_over(actor, engine)

    def hear(self, block: Block, until_ns: int = _LAST_NS, quiet: Counter[str] | None = None) -> Iterator[Told]:
        """Yield each entry of an actor that is wanted, told again, as long as they lie before `until_ns`.

        quiet: counts by actor those to which nothing was said, then as now, as to most ticks; they are not yielded then.
        """
        words, read, spoken = block.words, dict[int, object](), self.lives.spoken
        for number, entry in self._heeded(block, until_ns):
            actor, index = entry.actor, entry.heard
            try:
                # What several actors heard stands in a block once, and is read once.
                heard = read.get(index)
                if heard is None:
                    heard = read[index] = unpack(words[index])
            except UnreadableWord:
                # What an engine has not heard it cannot go on from.
                self.lose()
                heard = None
            if actor == LIFE:
                if self.lives.hear(heard):
                    self._engines = None
                spoken = self.lives.spoken
                continue
            if self._before is not None:
                self._before(Told(block, entry, number, heard, None))
            if type(heard) in _OWN_WORDS:
                said = self._retell_own(entry, heard)
                spoken = self.lives.spoken
            else:
                said = self._retell(actor, heard)
            if said is None and not isinstance(heard, LifeEnded | EntriesLost):
                self.tally.skipped += self._wants(actor)
            if quiet is not None and said is not None and not said and not entry.said:
                quiet[actor] += 1
                continue
            yield Told(block, entry, number, heard, said, spoken)

    def _heeded(self, block: Block, until_ns: int) -> list[tuple[int, Entry]]:
        """Return the entries before `until_ns` that are wanted, or tell of the life itself, with their numbers; count all of them."""
        entries, tally = block.entries, self.tally
        if until_ns < _LAST_NS:
            entries = list(takewhile(lambda entry: entry.at_ns <= until_ns, entries))
        if not entries:
            return []
        numbered = enumerate(entries, tally.entries + 1)
        tally.entries += len(entries)
        tally.first_ns = tally.first_ns or entries[0].at_ns
        tally.last_ns = entries[-1].at_ns
        return [(number, entry) for number, entry in numbered if self._heeds[entry.actor]]

    @property
    def engines(self) -> Engines | None:
        """The engines of this life as they stand; None where nothing can be decided."""
        return self._engines

    @property
    def is_under_way(self) -> bool:
        """Whether all engines stand, and all that they begin with has been heard."""
        return self._engines is not None and not self._awaited

    def lose(self) -> None:
        """Something is missing here: nothing can be decided again before the next life."""
        self._engines = None
        self.lives.lose()

    def miss(self, gap: Gap) -> None:
        """Hear of what the recording lacks here."""
        self.tally.gaps.append(str(gap))
        self.lose()

    def end(self) -> None:
        """Nothing follows in this life."""
        self.lives.end()
        self.lose()

    def _retell(self, actor: str, heard: object) -> list[object] | None:
        engines = self._engines or self.living()
        engine = None if engines is None else engines.find(actor)
        return None if engine is None else list(engine.handle(heard))

    def _retell_own(self, entry: Entry, heard: object) -> list[object] | None:
        """Do what these words tell of the life itself, in which no engine is asked."""
        match heard:
            case EntriesLost(count=count):
                self.tally.lost += count
                self.lose()
            case LifeEnded():
                self.ended = self._engines
                self.lives.end_in_order()
                self.lose()
        engines = self.living()
        if engines is None:
            return None
        self._awaited.discard(type(heard))
        match heard:
            case EngineRebuilt():
                return engines.rebuild(entry.actor, heard)
            case PaperRestored(now_ns=now_ns):
                return engines.restore_paper(now_ns)
            case OrdersTail():
                return engines.start_desk(heard, entry.at_ns)
        return None

    def living(self) -> Engines | None:
        """Return the engines of this life, built once all that they begin with has been heard."""
        if self._engines is None and (begun := self.lives.take()) is not None:
            self._engines = Engines(self._read_settings(begun.settings), begun.beginning)
            self._awaited = {PaperRestored, OrdersTail}
        return self._engines


def _are_same(expected: Sequence[Packed], actual: Sequence[Packed]) -> bool:
    return len(actual) == len(expected) and all(map(_is_same, expected, actual))


def _is_same(expected: Packed, actual: Packed) -> bool:
    """Whether two words say the same: recordings outlive code, so a field that was added since is no difference."""
    if expected[0] != actual[0]:
        return False
    if bytes(expected[1]) == bytes(actual[1]):
        return True
    try:
        # What a commit has had sent is read by its subjects; the commit itself tells only that something was.
        return _agree(unpack(expected), unpack(actual), look(expected)) and outgoing(expected) == outgoing(actual)
    except UnreadableWord:
        return False


def _agree(expected: Any, actual: Any, recorded: Any) -> bool:  # noqa: ANN401  # words, and whatever is in them
    """Whether `actual` says what `expected` says, as far as it was `recorded`: a struct that writes defaults names all it knows."""
    if isinstance(expected, Struct) and isinstance(recorded, dict) and type(expected) is type(actual):
        known = expected.__struct_fields__
        if not expected.__struct_config__.omit_defaults:
            known = tuple(name for name in known if name in recorded)
        return all(_agree(getattr(expected, name), getattr(actual, name), recorded.get(name)) for name in known)
    if isinstance(expected, tuple) and isinstance(recorded, list) and isinstance(actual, tuple):
        return len(expected) == len(actual) == len(recorded) and all(map(_agree, expected, actual, recorded))
    return bool(expected == actual)


def _named(packed: Packed) -> tuple[str, object]:
    return packed[0], look(packed)
