"""The flight recorder: writes down what actors apply, in the order in which they apply it, on a thread of its own.

An actor hands over references and goes on; nothing it does waits for a disk. What is noted stands in a file at most `FLUSH_S` later:
a killed process loses no more than that. A disk that is full or gone, or a recorder that cannot keep up, costs entries: they are
counted, the count is recorded once there is room again, and people are told of the beginning and the end.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from loguru import logger

from bus.clock import Now
from bus.messages.recording import EntriesLost, LifeBegun, LifeContinues, LifeEnded, RecorderFailed, RecorderWorks
from bus.messages.units import NS_PER_S
from bus.recorder.segments import LIFE, OWNER, Block, Entry, SegmentWriter, segments, start_ns
from bus.recorder.words import Packed, pack
from config.settings import Recorder as RecorderSettings

FLUSH_S: Final = 0.05
"""How long what was noted may wait for its block: half of the 100 ms that a killed process may lose."""
_BLOCK_BYTES: Final = 1 << 20
_MEGABYTE: Final = 1_000_000
_WAITING_MAX: Final = 100_000
"""Entries: about as many seconds of memory as a disk may hang before entries are lost."""
RANGES: Final = ".ranges"
"""What is kept beside a segment of what it tells of inputs; see `bus.recorder.ranges`. Its checkpoints lie there as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much is kept: segments of about `segment_bytes`, at most `total_bytes` of them, none older than `age_ns`."""

    segment_bytes: int
    total_bytes: int
    age_ns: int


def recorder_of(
    wanted: RecorderSettings, clock: Now, written: Callable[[int], None] = lambda _: None
) -> "Recorder | None":
    """Return the flight recorder, if one is wanted. written: hears how many entries were written, on the recorder's thread."""
    if not wanted.folder:
        return None
    keep = Keep(
        segment_bytes=wanted.segment_mb * _MEGABYTE,
        total_bytes=wanted.keep_mb * _MEGABYTE,
        age_ns=wanted.keep_days * 24 * 3600 * NS_PER_S,
    )
    return Recorder(Path(wanted.folder), clock, keep, written)


class Noted(NamedTuple):
    """What `actor` has applied, and what it said."""

    actor: str
    at_ns: int
    heard: object
    said: Sequence[object]


class Recorder:
    """`actors.ports.Recorder` into `folder`. `note` may be called from any thread."""

    def __init__(self, folder: Path, clock: Now, keep: Keep, written: Callable[[int], None] = lambda _: None) -> None:
        self._folder = folder
        self._clock = clock
        self._keep = keep
        self._written = written
        self._queue: queue.SimpleQueue[Noted | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._overflow = threading.Lock()
        self._lost = 0
        self._failed = False
        self._segment: SegmentWriter | None = None
        self._life: LifeContinues | None = None
        self._say: Callable[[object], None] = lambda _: None
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def tell(self, say: Callable[[object], None]) -> None:
        """Have `RecorderFailed` and `RecorderWorks` said to `say`, on the recorder's thread."""
        self._say = say

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        """Write down that `actor` has applied `heard`, and what it said. at_ns: now, unless it says otherwise."""
        if self._queue.qsize() < _WAITING_MAX:
            self._queue.put(Noted(actor, self._clock.now_ns() if at_ns is None else at_ns, heard, said))
        else:
            with self._overflow:
                self._lost += 1

    def close(self, timeout_s: float) -> None:
        """Write what was noted, and that this life has ended in order. Returns after `timeout_s` at the latest."""
        self.note(OWNER, LifeEnded())
        self._queue.put(None)
        self._ending.set()
        self._thread.join(timeout_s)

    # On the recorder's thread

    def _work(self) -> None:
        is_behind = False
        while (noted := self._queue.get()) is not None:
            # Woken once for each block: a thread that is woken by every word takes its turn from those that decide.
            if not is_behind:
                self._ending.wait(FLUSH_S)
            is_behind = self._take(noted)
        if self._segment is not None:
            self._segment.close()

    def _take(self, noted: Noted) -> bool:
        """Write a block of what waits by now; say whether it holds no more and something is left."""
        pending, waiting = Pending(), self._queue.qsize()
        self._add(pending, noted)
        while waiting and not pending.is_full:
            following = self._queue.get()
            if following is None:
                # For whoever waits for the next one.
                self._queue.put(None)
                break
            self._add(pending, following)
            waiting -= 1
        self._write(pending)
        return waiting > 0

    def _add(self, pending: "Pending", noted: Noted) -> None:
        if isinstance(noted.heard, LifeBegun):
            self._life = LifeContinues(instance=noted.heard.instance, epoch=noted.heard.epoch)
            pending.begins_life = True
        try:
            pending.add(noted)
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            logger.bind(action="recorder.word").error("{} cannot be recorded: {}", type(noted.heard).__name__, error)
            with self._overflow:
                self._lost += 1

    def _write(self, pending: "Pending") -> None:
        lost = self._lost
        if lost:
            pending.put_first(Noted(OWNER, pending.first_ns(self._clock), EntriesLost(count=lost), ()))
        if not pending.entries:
            return
        try:
            self._append(pending)
        except Exception as error:  # noqa: BLE001  # whatever it is, it costs these entries and no trade
            self._fail(error, len(pending.entries) - bool(lost))
            return
        if lost:
            with self._overflow:
                self._lost -= lost
        if self._failed or lost:
            self._failed = False
            self._say(RecorderWorks(lost=lost, now_ns=self._clock.now_ns()))

    def _append(self, pending: "Pending") -> None:
        """Write to the segment; begin the next one where that is full. Raises: OSError."""
        if self._segment is not None and self._segment.size >= self._keep.segment_bytes:
            self._segment.close()
            self._segment = None
        if self._segment is None:
            first_ns = pending.first_ns(self._clock)
            if self._life is not None and not pending.begins_life:
                pending.put_first(Noted(LIFE, first_ns, self._life, ()))
            self._segment = SegmentWriter(self._folder, first_ns)
            self._forget_oldest(self._segment.path)
        self._segment.append(Block(pending.words, pending.entries))
        self._written(len(pending.entries))

    def _forget_oldest(self, current: Path) -> None:
        """Remove the oldest segments beyond what is kept. One that cannot be removed is left where it is."""
        found = [path for path in segments(self._folder) if path != current]
        left = sum(map(_size, found))
        ends_ns = [start_ns(path) for path in (*found, current)[1:]]
        for path, end_ns in zip(found, ends_ns, strict=True):
            if left <= self._keep.total_bytes and self._clock.now_ns() - end_ns <= self._keep.age_ns:
                return
            left -= _size(path)
            for each in _all_of(path):
                each.unlink(missing_ok=True)

    def _fail(self, error: Exception, entries: int) -> None:
        with self._overflow:
            self._lost += entries
        if self._segment is not None:
            with suppress(OSError):
                self._segment.close()
        # What it holds is whole but for its tail; the next block begins another one.
        self._segment = None
        if not self._failed:
            self._failed = True
            self._say(RecorderFailed(error=str(error), now_ns=self._clock.now_ns()))


def _all_of(segment: Path) -> list[Path]:
    """Return a segment and what lies beside it: its ranges, its checkpoints. They have its name up to their first dot."""
    return [segment, *(path for path in segment.parent.glob(f"{segment.stem}.*") if path != segment)]


def _size(segment: Path) -> int:
    return sum(path.stat().st_size for path in _all_of(segment))


class Pending:
    """The block that is being filled. A word that several actors heard stands in it once."""

    def __init__(self) -> None:
        self.words: list[Packed] = []
        self.entries: list[Entry] = []
        self.begins_life = False
        self._known: dict[int, int] = {}
        self._held: list[object] = []
        self._size = 0

    def add(self, noted: Noted) -> None:
        """Pack an entry into it."""
        heard = self._index(noted.heard)
        said = tuple(map(self._index, noted.said))
        self.entries.append(Entry(noted.actor, noted.at_ns, heard, said))

    def put_first(self, noted: Noted) -> None:
        """Put an entry before all others."""
        self.add(noted)
        self.entries.insert(0, self.entries.pop())

    def first_ns(self, clock: Now) -> int:
        """Return the instant of its first entry, or now."""
        return self.entries[0].at_ns if self.entries else clock.now_ns()

    @property
    def is_full(self) -> bool:
        """Whether no more should go into this block."""
        return self._size >= _BLOCK_BYTES

    def _index(self, word: object) -> int:
        index = self._known.get(id(word))
        if index is None:
            packed = pack(word)
            index = self._known[id(word)] = len(self.words)
            self.words.append(packed)
            # Held, so that no other word gets its id while this block is filled.
            self._held.append(word)
            self._size += len(memoryview(packed[1]))
        return index
