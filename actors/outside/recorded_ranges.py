"""What the recording tells of the inputs of stops, asked of a process of its own at the start: it may read for minutes, and no tick waits."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from loguru import logger
from msgspec.structs import replace

from actors.ports import Clock
from bus.messages.plain import from_json
from bus.messages.recording import RangesRecorded
from bus.messages.units import NS_PER_S

DAYS = 30
"""How far it looks back (Lesson 7); less where less is recorded."""
_OURS = "WATCHKEEPER_"


def tell_ranges(folder: str, clock: Clock, hear: Callable[[object], None]) -> threading.Thread:
    """Have `RangesRecorded` heard once it is known; nothing is heard where nothing was recorded. The thread does not outlive this process."""
    thread = threading.Thread(target=_tell, args=(folder, clock, hear), name="ranges", daemon=True)
    thread.start()
    return thread


def _tell(folder: str, clock: Clock, hear: Callable[[object], None]) -> None:
    since_ns = clock.now_ns() - DAYS * 86_400 * NS_PER_S
    command = [sys.executable, "-m", "bus.recorder.ranges", folder, str(since_ns)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    # It ends with us: its input, on which nothing is ever said, then ends.
    with subprocess.Popen(  # noqa: S603  # our own module, with our own words
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reading:
        assert reading.stdout is not None
        told = reading.stdout.read()
    if reading.returncode == 0:
        hear(replace(from_json(RangesRecorded, told), now_ns=clock.now_ns()))
    else:
        logger.bind(action="ranges.none").info("the recording tells nothing of what stops could have reached")
