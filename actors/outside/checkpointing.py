"""Has checkpoints made while something is recorded, so that no replay has to begin weeks ago.

A process of its own tells the newest part again, once enough of it is written; what decides here waits for nothing. It also finds out
whether what was decided would be decided again: if not, that is a fault of ours, and is said as one.
"""

import threading
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger

from actors.outside.background import Worked, work
from actors.replay.apart import NOTHING_RECORDED, PROCESS, Task
from bus.recorder.checkpoints import apart
from config.outcomes import Exit
from config.settings import Recorder

_PATIENCE_MAX: Final = 10
"""How often the distance is doubled at most where no checkpoint can be made, such as behind a gap."""


class Checkpointing:
    """Sees to the checkpoints of one recording. `written` is called by one thread."""

    def __init__(self, wanted: Recorder) -> None:
        self._folder = Path(wanted.folder)
        self._every = wanted.checkpoint_entries
        self._entries = 0
        self._due = self._every
        self._vain = 0
        self.working: threading.Thread | None = None
        """Waits for the process that works, or has waited for the last one."""

    def written(self, entries: int) -> None:
        """Hear that so many entries more stand in the recording; has the next checkpoint made if it is time."""
        self._entries += entries
        is_busy = self.working is not None and self.working.is_alive()
        if not self._every or self._entries < self._due or is_busy:
            return
        self._entries = 0
        self.working = threading.Thread(target=self._make, name="checkpoints", daemon=True)
        self.working.start()

    def _make(self) -> None:
        task = Task(place=str(self._folder), checkpoint_every=self._every)
        ended = work(PROCESS, [msgspec.json.encode(task).decode()])
        self._vain = 0 if ended.code == Exit.DONE else min(self._vain + 1, _PATIENCE_MAX)
        self._due = apart(self._folder, self._every) << self._vain
        _tell(ended)


def _tell(ended: Worked) -> None:
    if ended.code == Exit.NO:
        logger.bind(action="checkpoints.differ").error("a replay does not agree: {}", ended.complained.strip())
    elif ended.code not in (Exit.DONE, NOTHING_RECORDED):
        logger.bind(action="checkpoints.failed", code=ended.code).warning(
            "no checkpoint of the recording was made: {}", ended.complained.strip()[-500:]
        )
