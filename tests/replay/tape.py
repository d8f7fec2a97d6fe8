"""A recording in memory, made word by word."""

from collections.abc import Sequence
from pathlib import Path

from bus.recorder.segments import Block, Entry, SegmentWriter
from bus.recorder.words import pack
from tests.rules.stops.builders import T0


class Tape:
    """`actors.ports.Recorder` in memory: one block."""

    def __init__(self) -> None:
        self.block = Block([], [])

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        words, entries = list(self.block.words), list(self.block.entries)
        indices = range(len(words), len(words) + 1 + len(said))
        words += [pack(word) for word in (heard, *said)]
        self.block = Block(words, [*entries, Entry(actor, at_ns or T0, indices[0], tuple(indices[1:]))])

    def tell(self, say: object) -> None: ...

    def write(self, folder: Path) -> Path:
        """Write it as one segment; return where."""
        writer = SegmentWriter(folder, self.block.entries[0].at_ns)
        writer.append(self.block)
        writer.close()
        return folder
