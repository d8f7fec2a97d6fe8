"""What the recording tells of the inputs of stops, asked of a process of its own at the start: it may read for minutes, and no tick waits."""

import threading
from collections.abc import Callable

from loguru import logger
from msgspec.structs import replace

from actors.outside.background import work
from actors.ports import Clock
from bus.messages.plain import from_json
from bus.messages.recording import RangesRecorded
from bus.messages.units import NS_PER_S

DAYS = 30
"""How far it looks back (Lesson 7); less where less is recorded."""


def tell_ranges(folder: str, clock: Clock, hear: Callable[[object], None]) -> threading.Thread:
    """Have `RangesRecorded` heard once it is known; nothing is heard where nothing was recorded. The thread does not outlive this process."""
    thread = threading.Thread(target=_tell, args=(folder, clock, hear), name="ranges", daemon=True)
    thread.start()
    return thread


def _tell(folder: str, clock: Clock, hear: Callable[[object], None]) -> None:
    since_ns = clock.now_ns() - DAYS * 86_400 * NS_PER_S
    ended = work("bus.recorder.ranges", [folder, str(since_ns)])
    if ended.code == 0:
        hear(replace(from_json(RangesRecorded, ended.told), now_ns=clock.now_ns()))
    else:
        logger.bind(action="ranges.none").info("the recording tells nothing of what stops could have reached")
