"""Where a recording can be taken up in the middle of a life: the checkpoints beside it, as far as this code can go on from them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from actors.replay.freezing import code_mark
from actors.replay.retelling import Retelling
from bus.recorder import checkpoints
from bus.recorder.checkpoints import Checkpoint
from bus.recorder.reading import Order, Start, read, require_segments
from bus.recorder.segments import Block, Gap, holds


def newest_before(place: Path, at_ns: int) -> Checkpoint | None:
    """Return the newest checkpoint until which all entries lie before `at_ns`; None: there is none. Raises: NoRecording."""
    segments = require_segments(place)
    found = (_usable(path, segments) for path in reversed(_all(place)) if checkpoints.until_ns(path) < at_ns)
    return next((one for one in found if one is not None), None)


def parts(place: Path, retelling: Retelling, since_ns: int = 0) -> Iterator[Block | Gap]:
    """Yield what `retelling` is to hear of a recording, so that it misses nothing from `since_ns` on. Raises: NoRecording.

    What lies before the newest checkpoint until then is left out. Where nothing can be decided, such as in a life whose beginning was
    removed, it goes on from the next checkpoint that comes.
    """
    newest = newest_before(place, since_ns)
    if newest is not None:
        yield from taken_up(place, retelling, newest, Order(newest.newest_ns, newest.last_ns))
        return
    behind = {checkpoints.behind(path): path for path in _all(place)}
    for part in read(place):
        yield part
        if retelling.engines is None:
            path = behind.get(at(part))
            found = None if path is None else _usable(path, require_segments(place))
            if found is not None:
                retelling.adopt(found)


def taken_up(place: Path, retelling: Retelling, checkpoint: Checkpoint, order: Order) -> Iterator[Block | Gap]:
    """Yield what follows a checkpoint, from which `retelling` goes on. order: as it was there. Raises: NoRecording, NotFrozenError."""
    retelling.adopt(checkpoint)
    return read(place, Start(checkpoint.place.segment, checkpoint.place.end), order)


def at(part: Block | Gap) -> tuple[str, int]:
    """Return where a block begins, or would: of one that is damaged only what is behind it is known."""
    if isinstance(part, Gap):
        return part.path.name, part.offset
    assert part.place is not None
    return part.place.segment, part.place.begin


def _all(place: Path) -> list[Path]:
    return checkpoints.checkpoints(place.parent, place.name) if place.is_file() else checkpoints.checkpoints(place)


def _usable(path: Path, segments: Iterable[Path]) -> Checkpoint | None:
    """Return the checkpoint if this code has made it, of the recording that is here; None otherwise."""
    found = checkpoints.read(path)
    if found is None or found.code != code_mark():
        return None
    return (
        found
        if any(holds(segment, found.place) for segment in segments if segment.name == found.place.segment)
        else None
    )
