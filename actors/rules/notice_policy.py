"""Which notices reach a person now, and which are folded into one with a count."""

from collections import OrderedDict
from typing import Final

from actors.rules.memory import remember
from bus.messages.notices import Notice, Severity
from bus.messages.units import NS_PER_S

_WINDOW_NS: Final = {Severity.INFO: 60 * NS_PER_S, Severity.WARNING: 60 * NS_PER_S, Severity.CRITICAL: 10 * NS_PER_S}
_REMEMBERED: Final = 10_000


class NoticePolicy:
    """Folds notices with the same dedupe key within a window of their own severity."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def judge(self, notice: Notice) -> int | None:
        """Return how many of its like were folded since the last one delivered, or None if this one is folded too."""
        delivered_ns, folded = self._last.get(notice.dedupe_key, (None, 0))
        if delivered_ns is not None and notice.ts - delivered_ns < _WINDOW_NS[notice.severity]:
            self._last[notice.dedupe_key] = (delivered_ns, folded + 1)
            return None
        remember(self._last, notice.dedupe_key, (notice.ts, 0), _REMEMBERED)
        return folded
