"""When people hear that market data comes faster than stops can be decided tick by tick, and when it is over."""

from typing import Final

from bus.messages.notices import Notice, Severity
from bus.messages.units import NS_PER_MS, NS_PER_S

OVER_NS: Final = 10 * NS_PER_S
"""A flood is over once nothing was folded for so long."""


class FloodWatch:
    """Looks now and then at how many ticks were folded since the start."""

    def __init__(self) -> None:
        self._folded = 0
        self._began_ns: int | None = None
        self._began_at = 0
        self._last_ns = 0

    def look(self, folded: int, now_ns: int) -> list[Notice]:
        """Return what is told of a flood that has begun, or is over."""
        before, self._folded = self._folded, folded
        if folded > before:
            self._last_ns = now_ns
            if self._began_ns is None:
                self._began_ns, self._began_at = now_ns, before
                return [flood(now_ns)]
        elif self._began_ns is not None and now_ns - self._last_ns >= OVER_NS:
            began_ns, self._began_ns = self._began_ns, None
            return [flood_over(folded - self._began_at, self._last_ns - began_ns, now_ns)]
        return []


def flood(now_ns: int) -> Notice:
    """More ticks come than stops can be decided by, one by one."""
    return Notice(
        notice_id=f"flood-{now_ns // NS_PER_MS}",
        kind="flood",
        severity=Severity.WARNING,
        title="Market data comes faster than stops are decided",
        body="Ticks are folded: stops fire on whatever was crossed, but later than usual. Orders, reports and requests wait, none "
        "is dropped. How far behind an actor is: python run.py system status",
        dedupe_key="flood",
        ts=now_ns,
    )


def flood_over(folded: int, lasted_ns: int, now_ns: int) -> Notice:
    """Every tick is seen again."""
    return Notice(
        notice_id=f"flood_over-{now_ns // NS_PER_MS}",
        kind="flood_over",
        severity=Severity.INFO,
        title="Stops see every tick again",
        body=f"{folded} ticks were folded within {lasted_ns // NS_PER_S} s.",
        dedupe_key="flood_over",
        ts=now_ns,
    )
