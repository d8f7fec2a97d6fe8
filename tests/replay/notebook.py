"""The flight recorder of a simulated world: all its lives in one segment, written at the end. The same history has the same bytes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bus.messages.recording import LifeEnded
from bus.recorder.segments import SUFFIX, Block, Entry, SegmentWriter
from bus.recorder.words import Packed, pack

_BLOCK = 400
"""Entries: a few blocks in each recording."""


class Notebook:
    """`actors.ports.Recorder` in memory. now_ns: the world's clock."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._noted: list[tuple[str, int, Packed, tuple[Packed, ...]]] = []

    def tell(self, say: Callable[[object], None]) -> None:
        """Nothing ever fails here."""

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        """Pack it at once: what was said does not change any more."""
        self._noted.append((actor, self._now_ns() if at_ns is None else at_ns, pack(heard), tuple(map(pack, said))))

    def end_in_order(self) -> None:
        """The process that lives now has drained and ends."""
        self.note("recorder", LifeEnded())

    def write(self, folder: Path, name: str) -> Path:
        """Write it as the segment `name`; return where."""
        writer = SegmentWriter(folder, self._noted[0][1])
        for first in range(0, len(self._noted), _BLOCK):
            writer.append(_block(self._noted[first : first + _BLOCK]))
        writer.close()
        return writer.path.rename(folder / (name + SUFFIX))


def _block(noted: Sequence[tuple[str, int, Packed, tuple[Packed, ...]]]) -> Block:
    """Return a block in which each word stands once, as the recorder has it."""
    places: dict[tuple[str, bytes], int] = {}
    words: list[Packed] = []

    def place(word: Packed) -> int:
        key = (word[0], bytes(word[1]))
        if key not in places:
            places[key] = len(words)
            words.append(word)
        return places[key]

    entries = [Entry(actor, at_ns, place(heard), tuple(map(place, said))) for actor, at_ns, heard, said in noted]
    return Block(words, entries)
