"""Makes checkpoints of a recording, so that neither `replay --from` nor `explain` has to hear a life from its beginning.

It is the replay that makes them, never the process that lives: what that decides waits for nothing. And only behind words that were
decided again without a difference: what goes on from a checkpoint is exactly what went on then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from actors.replay.freezing import code_mark, freeze
from actors.replay.resuming import newest_before, taken_up
from actors.replay.retelling import ReadSettings, Retelling
from bus.recorder.checkpoints import Checkpoint, apart, write
from bus.recorder.reading import Order, Start, last_beginning, read
from bus.recorder.segments import Block, Gap

_LAST_NS = 2**63 - 1


@dataclass(slots=True)
class Made:
    """What came of it. different: entries that were decided otherwise; behind one of them no checkpoint is made in that life."""

    checkpoints: list[Path] = field(default_factory=list)
    different: int = 0


def make_checkpoints(folder: Path, every: int, read_settings: ReadSettings) -> Made:
    """Go on from the newest checkpoint in `folder`, and make more, `every` entries apart or more. Raises: NoRecording, OSError."""
    made, retelling, order = Made(), Retelling(read_settings), Order()
    newest = newest_before(folder, _LAST_NS)
    is_exact, due, until_ns = True, apart(folder, every), 0 if newest is None else newest.until_ns
    for part in _since(newest, folder, retelling, order):
        if not isinstance(part, Block):
            retelling.miss(part)
            continue
        lives = retelling.lives.count
        differences = sum(told.said is not None and told.difference() is not None for told in retelling.hear(part))
        made.different += differences
        until_ns = max(until_ns, *(entry.at_ns for entry in part.entries))
        is_exact = not differences and (is_exact or retelling.lives.count > lives)
        if is_exact and retelling.is_under_way and retelling.tally.entries >= due:
            made.checkpoints.append(write(folder, _checkpoint(part, retelling, order, until_ns)))
            due = retelling.tally.entries + apart(folder, every)
    return made


def _since(newest: Checkpoint | None, folder: Path, retelling: Retelling, order: Order) -> Iterator[Block | Gap]:
    """Yield what follows the newest checkpoint; where none is of use, what the newest life has recorded."""
    if newest is not None:
        order.newest_ns, order.last_ns = newest.newest_ns, newest.last_ns
        return taken_up(folder, retelling, newest, order)
    begin = last_beginning(folder)
    return iter(()) if begin is None else read(folder, Start(begin.segment, begin.begin), order)


def _checkpoint(block: Block, retelling: Retelling, order: Order, until_ns: int) -> Checkpoint:
    engines, begun = retelling.engines, retelling.lives.begun
    assert engines is not None
    assert begun is not None
    assert block.place is not None
    return Checkpoint(
        code=code_mark(),
        place=block.place,
        until_ns=until_ns,
        newest_ns=order.newest_ns,
        last_ns=order.last_ns,
        begun=begun,
        engines={actor: freeze(engine) for actor, engine in engines.all()},
    )
