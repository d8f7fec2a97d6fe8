"""A recording that is made, not lived: what is noted goes to one segment at once, on the thread that notes it.

For whoever has the time; `bus.recorder.recorder` is for those who must not wait.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bus.messages.recording import LifeEnded
from bus.recorder.recorder import Noted, Pending
from bus.recorder.segments import OWNER, Block, SegmentWriter


class Filing:
    """`actors.ports.Recorder` into a new segment in `folder`. It stands once `close` has returned; `discard` takes it back.

    What is noted without an instant is of the last one's. Raises, from everything: OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last_ns = 0
        self._pending = Pending()
        self._segment: SegmentWriter | None = None

    def tell(self, say: Callable[[object], None]) -> None:
        """Nothing is ever told: what fails is raised."""

    def note(self, actor: str, heard: object, said: Sequence[object] = (), at_ns: int | None = None) -> None:
        """Write down that `actor` has applied `heard`, and what it said."""
        self._last_ns = self._last_ns if at_ns is None else at_ns
        self._pending.add(Noted(actor, self._last_ns, heard, said))
        if self._pending.is_full:
            self._write()

    def close(self) -> None:
        """Write what is left, and that this life has ended in order."""
        self.note(OWNER, LifeEnded())
        self._write()
        if self._segment is not None:
            self._segment.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._segment is not None:
            self._segment.close()
            self._segment.path.unlink(missing_ok=True)

    def _write(self) -> None:
        pending, self._pending = self._pending, Pending()
        if not pending.entries:
            return
        if self._segment is None:
            self._segment = SegmentWriter(self._folder, pending.entries[0].at_ns)
        self._segment.append(Block(pending.words, pending.entries))
