"""A recording as a whole: its blocks in their order over all segments, read one at a time, whatever its length."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from bus.messages.recording import LifeBegun
from bus.recorder.segments import LIFE, MAGIC, Block, ForeignSegment, Gap, Place, read_blocks, segments

_BACK: Final = (
    "goes back in time: two recordings lie in one folder, or segments have changed places, or the clock was set back"
)
"""What stands behind is never taken for what followed: nothing is decided by both before the next life begins."""


class Start(NamedTuple):
    """Where to begin to read: at this byte of the segment of this name, at which a block begins, or has ended."""

    segment: str
    byte: int


_FIRST: Final = Start("", 0)


class Order:
    """Whether blocks follow each other. newest_ns, last_ns: the latest instants at which a block has begun and an entry was applied."""

    def __init__(self, newest_ns: int = 0, last_ns: int = 0) -> None:
        self.newest_ns = newest_ns
        self.last_ns = last_ns

    def follows(self, block: Block) -> bool:
        """Take the next block in; say whether it does not go back in time."""
        first_ns = block.entries[0].at_ns
        # Within a life words of two actors may change places by a moment; a life begins behind all of another.
        follows = first_ns >= (self.last_ns if _begins_life(block) else self.newest_ns)
        self.newest_ns, self.last_ns = max(self.newest_ns, first_ns), max(self.last_ns, block.entries[-1].at_ns)
        return follows


class NoRecording(Exception):  # noqa: N818  # an outcome
    """There is nothing to replay here; the text says where and why."""


def read(place: Path, start: Start = _FIRST, order: Order | None = None) -> Iterator[Block | Gap]:
    """Yield the blocks of the recording at `place`, a folder or one segment, and a `Gap` for what cannot be read.

    start: where the first of them begins. order: of those before. Raises: NoRecording.
    """
    order = order or Order()
    for path in require_segments(place):
        if path.name < start.segment:
            continue
        try:
            for part in read_blocks(path, start=start.byte if path.name == start.segment else len(MAGIC)):
                if isinstance(part, Block) and part.entries and not order.follows(part):
                    yield Gap(path, 0, _BACK)
                yield part
        except ForeignSegment as error:
            if place.is_file():
                raise NoRecording(str(error)) from error
            yield Gap(path, 0, str(error))
        except OSError as error:
            yield Gap(path, 0, f"cannot be read: {error.strerror}")


def require_segments(place: Path) -> list[Path]:
    """Return the segments at `place`, the oldest first. Raises: NoRecording if there is none."""
    found = [place] if place.is_file() else segments(place)
    if not found:
        raise NoRecording(f"{place} holds no recording: `recorder.folder` says where `serve` writes one")
    return found


def _begins_life(block: Block) -> bool:
    first = block.entries[0]
    return first.actor == LIFE and block.words[first.heard][0] == LifeBegun.__name__


def last_beginning(place: Path) -> Place | None:
    """Return the block with which the newest life begins; None if none of it is here. Raises: NoRecording."""
    for path in reversed(require_segments(place)):
        found = None
        with suppress(ForeignSegment, OSError):
            for part in read_blocks(path, naming=LifeBegun.__name__.encode()):
                if isinstance(part, Block) and _begins_life(part):
                    found = part.place
        if found is not None:
            return found
    return None
