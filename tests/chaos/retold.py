"""What each `serve` of a round recorded, decided again: whatever was done to it, it decided as its rules say.

From its beginning, and from each checkpoint that was made meanwhile.
"""

from collections.abc import Iterator

from actors.replay.replaying import Wanted, replay
from bus.recorder.checkpoints import checkpoints, until_ns
from bus.recorder.reading import NoRecording
from config.settings import retold
from tests.chaos.world import World


def of_recordings(world: World) -> Iterator[str]:
    """Nothing is decided otherwise, and what a kill cost is the end of a life alone."""
    for keeper in world.keepers:
        try:
            found = replay(keeper.recording, Wanted(), retold)
        except NoRecording:
            # It never led.
            continue
        if found.different or found.lost:
            yield f"S13: {found.different} of {found.compared} are decided otherwise, {found.lost} lost: {found.differences[:1]}"
        if found.skipped or any("torn" not in gap for gap in found.gaps):
            yield f"S13: {found.skipped} cannot be decided again: {found.gaps}"
        for path in checkpoints(keeper.recording):
            later = replay(keeper.recording, Wanted(since_ns=until_ns(path) + 1), retold)
            if later.different or later.skipped:
                yield f"S13: {later.different} are decided otherwise from {path.name}, {later.skipped} not at all: {later.differences[:1]}"
