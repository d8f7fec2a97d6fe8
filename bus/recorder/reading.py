"""A recording as a whole: its blocks in their order over all segments, read one at a time, whatever its length."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bus.messages.recording import LifeBegun
from bus.recorder.segments import LIFE, Block, ForeignSegment, Gap, read_blocks, segments

_BACK: Final = (
    "goes back in time: two recordings lie in one folder, or segments have changed places, or the clock was set back"
)
"""What stands behind is never taken for what followed: nothing is decided by both before the next life begins."""


class NoRecording(Exception):  # noqa: N818  # an outcome
    """There is nothing to replay here; the text says where and why."""


def read(place: Path) -> Iterator[Block | Gap]:
    """Yield the blocks of the recording at `place`, a folder or one segment, and a `Gap` for what cannot be read.

    Raises: NoRecording.
    """
    found = require_segments(place)
    newest_ns = last_ns = 0
    for path in found:
        try:
            for part in read_blocks(path):
                if isinstance(part, Block) and part.entries:
                    first_ns = part.entries[0].at_ns
                    # Within a life words of two actors may change places by a moment; a life begins behind all of another.
                    if first_ns < (last_ns if _begins_life(part) else newest_ns):
                        yield Gap(path, 0, _BACK)
                    newest_ns, last_ns = max(newest_ns, first_ns), max(last_ns, part.entries[-1].at_ns)
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
