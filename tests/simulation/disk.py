"""A machine's disk in the simulated world: the last snapshot that its processes wrote. It outlives them, and may refuse."""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from bus.messages.failures import SnapshotUnusable
from bus.messages.records import Snapshot
from bus.messages.stops import StopProgress


class ModelDisk:
    """`actors.ports.SnapshotFile`. full: how often it refuses, 0 to 1."""

    def __init__(self, random: Random, note: Callable[[str], None]) -> None:
        self.full = 0.0
        self._random = random
        self._note = note
        self._kept: Snapshot | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Replace what is kept. Raises: OSError."""
        if self._random.random() < self.full:
            self._note("disk_full")
            raise OSError("no space left on device")
        self._kept = snapshot

    def read(self) -> Snapshot:
        """Return what is kept. Raises: SnapshotUnusable."""
        if self._kept is None:
            raise SnapshotUnusable("nothing was ever written here")
        return self._kept

    def read_head(self) -> Snapshot:
        """Return what is kept without its trades. Raises: SnapshotUnusable."""
        return replace(self.read(), trades=(), ended=())

    def progress(self) -> tuple[StopProgress, ...]:
        """Return what stops had counted by the snapshot."""
        return () if self._kept is None else self._kept.progress
