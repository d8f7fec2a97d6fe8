"""A recording as a whole: its blocks in their order over all segments, read one at a time, whatever its length."""

from collections.abc import Iterator
from pathlib import Path

from bus.recorder.segments import Block, ForeignSegment, Gap, read_blocks, segments


class NoRecording(Exception):  # noqa: N818  # an outcome
    """There is nothing to replay here; the text says where and why."""


def read(place: Path) -> Iterator[Block | Gap]:
    """Yield the blocks of the recording at `place`, a folder or one segment, and a `Gap` for what cannot be read.

    Raises: NoRecording.
    """
    found = [place] if place.is_file() else segments(place)
    if not found:
        raise NoRecording(f"{place} holds no recording: `recorder.folder` says where `serve` writes one")
    newest_ns = 0
    for path in found:
        try:
            for part in read_blocks(path):
                if isinstance(part, Block):
                    first_ns = part.entries[0].at_ns if part.entries else newest_ns
                    if first_ns < newest_ns:
                        yield Gap(path, 0, "goes back in time: the clock was set back, or segments have changed places")
                    newest_ns = max(newest_ns, first_ns)
                yield part
        except ForeignSegment as error:
            if place.is_file():
                raise NoRecording(str(error)) from error
            yield Gap(path, 0, str(error))
        except OSError as error:
            yield Gap(path, 0, f"cannot be read: {error.strerror}")
