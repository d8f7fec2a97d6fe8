"""Everything that may go wrong in a round, by name."""

from typing import Final

from tests.chaos.disks import DISKS, may_mount
from tests.chaos.fault import Fault
from tests.chaos.hostile import HOSTILE
from tests.chaos.kills import KILLS
from tests.chaos.lines import LINES

FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in (*KILLS, *LINES, *HOSTILE, *DISKS)}
IMPOSSIBLE: Final = frozenset(fault.name for fault in DISKS if not may_mount())
"""What this machine does not allow: a round goes on without it."""
