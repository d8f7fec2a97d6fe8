"""When a crashed actor is built anew, and when its process should end instead.

The first rebuilding is at once: while AutoStop is dead no stop fires. From then on each waits twice as long as the one before,
so that a lasting cause is not met by a busy loop; more than `count_max` crashes within `window_ns` are beyond what a rebuilding
can mend, and a clean process starts from the record. The jitter keeps actors that died of one cause from rising together.
"""

from collections import deque
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartLimits:
    """count_max: crashes of one actor within `window_ns` that are mended. second_ns: how long the second rebuilding waits at most."""

    count_max: int
    window_ns: int
    second_ns: int
    longest_ns: int


class Restarts:
    """The crashes of one actor."""

    def __init__(self, limits: RestartLimits) -> None:
        self._limits = limits
        self._recent_ns: deque[int] = deque()

    @property
    def recent(self) -> int:
        """How many crashes lie within the window."""
        return len(self._recent_ns)

    def crashed(self, now_ns: int, cause: str) -> int | None:
        """Return how long to wait before it is built anew, nanoseconds; None: it has died too often.

        cause: names this crash; the jitter is a function of it.
        """
        limits, recent = self._limits, self._recent_ns
        recent.append(now_ns)
        while now_ns - recent[0] > limits.window_ns:
            recent.popleft()
        if len(recent) > limits.count_max:
            return None
        if len(recent) == 1:
            return 0
        longest_ns = min(limits.second_ns << (len(recent) - 2), limits.longest_ns)
        jitter = int.from_bytes(blake2b(cause.encode(), digest_size=2).digest())
        return longest_ns // 2 + longest_ns * jitter // 0x1FFFE
